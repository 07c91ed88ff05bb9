//! Creating a znode.

use bytes::Bytes;
use quorate_zk_proto::{Create, CreateMode, ReplyBody, Request, Stat, ZnodePath, Zxid};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::{acls::Acls, client::Client, error::RequestError};

operation_error! {
    /// Why a znode was not created.
    pub enum CreateError {
        /// There is one already.
        NodeExists = NodeExists, "znode exists already";
        /// The parent does not exist.
        NoParent = NoNode, "parent znode does not exist";
        /// The parent is ephemeral and cannot have children.
        NoChildrenForEphemerals = NoChildrenForEphemerals, "parent znode is ephemeral";
        /// The session is known to one server only, and so has no ephemeral znodes.
        EphemeralOnLocalSession = EphemeralOnLocalSession, "local session cannot have ephemeral znodes";
        /// The session may not create children there.
        NoAuth = NoAuth, "not allowed to create a znode";
        /// The access list is empty, names an unknown scheme, or the creator who did not authenticate.
        InvalidAcl = InvalidAcl, "invalid access list";
        /// The quota of a znode above does not allow for it.
        QuotaExceeded = QuotaExceeded, "quota exceeded";
        /// The server does not know this mode, or has it switched off, as it has times to live by default.
        Unsupported = Unimplemented, "server does not support the mode";
    }
}

/// A znode that was created.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Created {
    /// Its path, with the number of a sequential one.
    pub path: ZnodePath,
    /// Its stat. Servers before 3.5 do not tell it.
    pub stat: Option<Stat>,
    /// The transaction that created it.
    pub zxid: Zxid,
}

impl Client {
    /// Creates a znode with its data. The access list is one [`Acl`](crate::Acl) or several.
    ///
    /// Takes effect in the order of the calls. If the connection is lost before the reply arrives it may or may
    /// not exist now: see [`RequestError::outcome`]; [`create_protected`](Self::create_protected) finds out.
    ///
    /// A server before 3.5 refuses the first such request of a connection and closes it; the request is then made again
    /// in the form that it knows. To keep the order of the calls also then, tell the client the server's version.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    ///
    /// # Examples
    ///
    /// A member of a group, who is there again after an expired session:
    ///
    /// ```
    /// # use quorate_zk::ClientOptions;
    /// # use quorate_zk_fake::FakeZooKeeper;
    /// use quorate_zk::{Acl, Client, CreateError, CreateMode, ZnodePath};
    ///
    /// async fn stay(client: &Client, member: &ZnodePath) -> Result<(), CreateError> {
    ///     loop {
    ///         let session = client.session().await?;
    ///         match client.create(member, "", CreateMode::Ephemeral, Acl::open()).await {
    ///             // The connection was lost: it may be there, or the session may be over. The next turn shows it.
    ///             Err(error) if error.request_error().is_connection_lost() => continue,
    ///             Ok(_) | Err(CreateError::NodeExists(_)) => {}
    ///             Err(error) => return Err(error),
    ///         }
    ///         // An error means that the client is closed, which the next turn tells.
    ///         let _ = session.expired().wait_for(|is_expired| *is_expired).await;
    ///     }
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FakeZooKeeper::start().await?;
    /// # let client = ClientOptions::new([server.connect_string()]).connect()?;
    /// # let member = ZnodePath::new("/web-1")?;
    /// # let watched = client.with_watcher().exists(&member).await?.1;
    /// # let staying = tokio::spawn({
    /// #     let (client, member) = (client.clone(), member.clone());
    /// #     async move { stay(&client, &member).await }
    /// # });
    /// # watched.await;
    /// # assert!(client.exists(&member).await?.is_some());
    /// # staying.abort();
    /// # Ok(())
    /// # }
    /// ```
    pub fn create(
        &self,
        path: &ZnodePath,
        data: impl Into<Bytes>,
        mode: CreateMode,
        acl: impl Into<Acls>,
    ) -> Operation<Created, CreateError> {
        self.operate(creation(path.clone(), data.into(), mode, acl.into()), Finish::Reply(finish))
    }
}

pub(super) fn creation(path: ZnodePath, data: Bytes, mode: CreateMode, acl: Acls) -> Request {
    Request::CreateWithStat(Create { path, data: Some(data), acl: acl.into_vec(), mode })
}

pub(super) fn finish(answer: Answer) -> Result<Created, CreateError> {
    let reply = answer.map_err(CreateError::classify)?;
    let ReplyBody::Created { path, stat } = reply.body else {
        return Err(RequestError::of_another_kind().into());
    };
    Ok(Created { path, stat, zxid: reply.zxid })
}
