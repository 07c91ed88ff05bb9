//! Creating a znode that is found again when the answer is lost.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use quorate_zk_proto::{CreateMode, ZnodePath};
use uuid::Uuid;

use super::{
    create::{CreateError, Created, creation, finish},
    operation::{Finish, Operation},
    own_node::{Found, OwnNode},
    route::Route,
};
use crate::{
    acls::Acls,
    client::Client,
    session_token::SessionToken,
    sweep::{Sweep, Sweeper},
};

/// How often a creation is made in all. Each ends by a lost connection, and by the proof that it had no effect.
const ATTEMPTS_MAX: u32 = 16;

/// The result of a protected creation; see [`Client::create_protected`].
///
/// # Cancel safety
///
/// Dropping it takes the creation back: withdraws it if it was not sent yet, else deletes the znode in the
/// background. An owner does so that belongs to the client, one znode after another and each within a minute. Until
/// it is done the client's session lives on, also if the last handle is dropped. When 1,024 wait already, or the
/// minute is over, the znode stays where it is, and a warning is logged.
#[must_use = "dropping it takes the creation back"]
pub struct ProtectedCreate {
    inner: Pin<Box<dyn Future<Output = Result<Created, CreateError>> + Send>>,
}

impl Client {
    /// Creates a znode under a name of its own, by which it is found again when the connection was lost before the
    /// reply.
    ///
    /// The name is the one asked for behind `_c_`, a random UUID and a dash, as Curator does it: `/locks/lock-`
    /// becomes `/locks/_c_6f8f5c2e-..-lock-`, followed by the number of a sequential one. Other clients that know
    /// this form, such as Curator's recipes, look behind it.
    ///
    /// After a lost connection it is looked for behind a barrier that the quorum has agreed on. It is created again
    /// only if that proves it absent. So it exists once, if this succeeds. It takes effect in the order of the calls
    /// while there is a session and the connection is not lost; else it is submitted when there is a session.
    ///
    /// An ephemeral znode belongs to the session in which it was asked for. If that expires meanwhile the znode is
    /// gone or going, and this fails with an error that says so. A persistent one is looked for in the next session.
    ///
    /// Deadlines and retries of the handle do not apply; to stop waiting, drop it.
    ///
    /// # Errors
    ///
    /// [`CreateError`]. If its outcome is `Unknown`, the znode may exist or come to exist, and is deleted in the
    /// background as if this had been dropped.
    ///
    /// # Examples
    ///
    /// ```
    /// use quorate_zk::{Acl, ClientOptions, CreateMode, ZnodePath};
    /// use quorate_zk_fake::{Direction, FakeZooKeeper};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FakeZooKeeper::start().await?;
    /// # let client = ClientOptions::new([server.connect_string()]).connect()?;
    /// let path = ZnodePath::new("/worker-")?;
    /// client.session().await?;
    /// server.cut_after_packets(Direction::Replies, 0);
    /// let worker = client.create_protected(&path, "", CreateMode::EphemeralSequential, Acl::open()).await?;
    /// assert!(worker.path.as_str().ends_with("-worker-0000000000"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn create_protected(
        &self,
        path: &ZnodePath,
        data: impl Into<Bytes>,
        mode: CreateMode,
        acl: impl Into<Acls>,
    ) -> ProtectedCreate {
        let parent = path.parent().unwrap_or_else(ZnodePath::root);
        let prefix = format!("_c_{}-", Uuid::new_v4());
        let name = format!("{prefix}{}", path.name().unwrap_or_default());
        let path = parent.join(&name).expect("a valid name stays valid behind the prefix");
        let mut creation = Protected {
            node: OwnNode { parent, prefix },
            client: self.on_no_terms(),
            path,
            data: data.into(),
            mode,
            acl: acl.into(),
            sent_in: None,
            attempt: None,
        };
        if let Some(session) = self.current_session() {
            creation.submit(session);
        }
        ProtectedCreate { inner: Box::pin(creation.run()) }
    }
}

/// A creation under way, that takes itself back unless it comes to its end.
struct Protected {
    client: Client,
    node: OwnNode,
    path: ZnodePath,
    data: Bytes,
    mode: CreateMode,
    acl: Acls,
    /// The session that it was last submitted in, while its outcome is open.
    sent_in: Option<SessionToken>,
    /// The last attempt, while it is not answered.
    attempt: Option<Operation<Created, CreateError>>,
}

/// What is known about a creation without an answer.
enum Trace {
    Found(Created),
    /// It was not applied and never will be.
    Absent,
    /// It is nobody's: its session is over.
    Expired,
    Unknown,
}

impl Protected {
    fn submit(&mut self, session: SessionToken) {
        let request = creation(self.path.clone(), self.data.clone(), self.mode, self.acl.clone());
        let route = Route::in_session(&session);
        self.attempt = Some(self.client.operate_by(&route, request, Finish::Reply(finish)));
        self.sent_in = Some(session);
    }

    async fn run(mut self) -> Result<Created, CreateError> {
        let mut attempts_made = 0;
        loop {
            if self.sent_in.is_none() {
                let session = self.client.session().await?;
                self.submit(session);
            }
            attempts_made += 1;
            let result = poll_fn(|cx| self.poll_attempt(cx)).await;
            self.attempt = None;
            let lost = match result {
                Err(error) if error.request_error().maybe_applied() => error,
                result => {
                    self.sent_in = None;
                    return result;
                }
            };
            match self.trace().await {
                Trace::Found(created) => {
                    self.sent_in = None;
                    return Ok(created);
                }
                Trace::Absent => self.sent_in = None,
                Trace::Expired => return Err(lost.request_error().clone().in_ended_session().into()),
                Trace::Unknown => return Err(lost),
            }
            if attempts_made == ATTEMPTS_MAX {
                return Err(lost.request_error().clone().failed().into());
            }
        }
    }

    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<Result<Created, CreateError>> {
        let attempt = self.attempt.as_mut().expect("an attempt was made just before");
        Pin::new(attempt).poll(cx)
    }

    /// Looks for what an attempt may have created.
    async fn trace(&self) -> Trace {
        let Ok((session, found)) = self.node.search(&self.client).await else { return Trace::Unknown };
        let is_same = self.sent_in.as_ref().is_some_and(|sent_in| sent_in.id() == session.id());
        match found {
            _ if !is_same && self.mode.is_ephemeral() => Trace::Expired,
            Some(Found { path, stat }) => {
                let zxid = stat.czxid;
                Trace::Found(Created { path, stat: Some(stat), zxid })
            }
            None if is_same => Trace::Absent,
            None => Trace::Unknown,
        }
    }
}

impl Drop for Protected {
    fn drop(&mut self) {
        let is_withdrawn = self.attempt.as_ref().is_some_and(Operation::withdraw);
        if let Some(session) = self.sent_in.take().filter(|_| !is_withdrawn) {
            let sweep = Sweep { node: self.node.clone(), session, is_ephemeral: self.mode.is_ephemeral() };
            Sweeper::leave(&self.client, sweep);
        }
    }
}

impl Future for ProtectedCreate {
    type Output = Result<Created, CreateError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.inner.as_mut().poll(cx)
    }
}

impl fmt::Debug for ProtectedCreate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedCreate").finish_non_exhaustive()
    }
}
