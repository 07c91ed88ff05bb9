//! Looking for a znode of one's own, when its creation was not answered.

use quorate_zk_proto::{
    ErrorCode, Exists, GetChildren, Multi, MultiResult, Reply, ReplyBody, Request, Stat, ZnodePath,
};

use tokio::time::{Instant, sleep};

use crate::{client::Client, error::RequestError, retry::RetryPolicy, session_token::SessionToken};

/// How often it is looked for a znode. While there is no connection a look waits.
const PATIENCE: RetryPolicy = RetryPolicy::PATIENT;

/// What a znode is recognized by: its parent, and the beginning of its name, which no other has.
#[derive(Clone, Debug)]
pub(crate) struct OwnNode {
    pub(crate) parent: ZnodePath,
    pub(crate) prefix: String,
}

/// A znode that was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) path: ZnodePath,
    pub(crate) stat: Stat,
}

impl OwnNode {
    /// Looks for the znode until it is known whether there is one, also over lost connections. Gives the session in which
    /// it was looked for; see [`look`](Self::look) for what that proves.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if the client is closed, or may not look.
    pub(crate) async fn search(
        &self,
        client: &Client,
    ) -> Result<(SessionToken, Option<Found>), RequestError> {
        let since = Instant::now();
        let mut attempts_made = 1;
        loop {
            let session = client.session().await?;
            let error = match self.look(client, &session).await {
                Ok(found) => return Ok((session, found)),
                Err(error) => error,
            };
            // Looking harms nobody, so that it does not matter whether the barrier was applied.
            let is_passing = error.clone().failed().is_retryable() || error.is_read_only();
            let pause = PATIENCE.pause(attempts_made, since.elapsed());
            let Some(pause) = pause.filter(|_| is_passing) else { return Err(error) };
            attempts_made += 1;
            sleep(pause).await;
        }
    }

    /// Looks for the znode; `None` is a proof that there is none.
    ///
    /// An empty multi goes through the quorum ahead of the list, in the same session and on the same connection. What the
    /// session sent on earlier connections comes before it or never: a server refuses requests of a session that went on
    /// elsewhere. So the list shows the znode if it ever will be, as long as the session is the one that it was sent in.
    ///
    /// # Errors
    ///
    /// [`RequestError`] if there is no such proof.
    async fn look(&self, client: &Client, session: &SessionToken) -> Result<Option<Found>, RequestError> {
        let list = GetChildren { path: self.parent.clone(), watch: false };
        let asked = vec![Request::Multi(Multi::default()), Request::GetChildren(list)];
        let mut responses = client.request_all_in(session, asked).into_iter();
        let (barrier, list) = (responses.next(), responses.next());
        let (Some(barrier), Some(list)) = (barrier, list) else {
            return Err(RequestError::of_another_kind());
        };
        check_barrier(barrier.await)?;
        let name = match list.await {
            Ok(Reply { body: ReplyBody::Children { names, .. }, .. }) => {
                names.into_iter().find(|name| name.starts_with(&self.prefix))
            }
            Ok(_) => return Err(RequestError::of_another_kind()),
            Err(error) if error.code() == Some(ErrorCode::NoNode) => None,
            Err(error) => return Err(error),
        };
        let Some(path) = name.and_then(|name| self.parent.join(&name).ok()) else { return Ok(None) };
        let exists = Exists { path: path.clone(), watch: false };
        match client.request_in(session, Request::Exists(exists)).await {
            Ok(Reply { body: ReplyBody::Stat(stat), .. }) => Ok(Some(Found { path, stat })),
            Ok(_) => Err(RequestError::of_another_kind()),
            // Somebody has deleted it in between.
            Err(error) if error.code() == Some(ErrorCode::NoNode) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A server that only reads refuses the multi but answers the list, which then proves nothing.
fn check_barrier(answer: Result<Reply, RequestError>) -> Result<(), RequestError> {
    match answer?.body {
        ReplyBody::Multi(results) if MultiResult::first_error(&results).is_none() => Ok(()),
        _ => Err(RequestError::of_another_kind()),
    }
}
