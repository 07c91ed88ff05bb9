//! Reading one key, with a barrier ahead on the same connection.

use std::time::Duration;

use quorate_datasync::{Consistency, Error, Found, Key, Read, Result, Want};
use quorate_zk::{ErrorCode, Exists, GetData, Reply, ReplyBody, Request, RequestError};

use crate::error::classify;
use crate::inner::Inner;
use crate::map;

/// How often a read is sent again after a lost connection or an expired session.
pub(crate) const TRIES_MAX: u32 = 8;

/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(50);

impl Inner {
    /// Reads one key.
    pub(crate) async fn read(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        let path = self.paths.of(key);
        let request = match want {
            Want::Value => Request::GetData(GetData { path: path.clone(), watch: false }),
            Want::Stat => Request::Exists(Exists { path: path.clone(), watch: false }),
        };
        let answer = self.ask(at, request).await.map_err(|error| classify("get", Some(key), error))?;
        let (found, zxid) = match answer {
            Answer::Missing(zxid) => (Found::Absent, zxid),
            Answer::Found(Reply { zxid, body: ReplyBody::Data { data, stat }, .. }) => {
                (map::entry(key, data, &stat).map_or(Found::Absent, Found::Entry), zxid)
            }
            Answer::Found(Reply { zxid, body: ReplyBody::Stat(stat), .. }) if map::is_entry(&stat) => {
                (Found::Stat(map::stat(key, &stat)), zxid)
            }
            Answer::Found(Reply { zxid, .. }) => (Found::Absent, zxid),
        };
        Ok(Read::new(found, map::revision(zxid)))
    }

    /// Sends a read behind its barrier, again if the connection was lost on the way.
    pub(crate) async fn ask(
        &self,
        at: Consistency,
        request: Request,
    ) -> std::result::Result<Answer, RequestError> {
        let mut tries = 0;
        loop {
            match self.ask_once(at, request.clone()).await {
                Err(error) if is_passing(&error) && tries < TRIES_MAX => {
                    tries += 1;
                    tokio::time::sleep(pause(tries)).await;
                }
                answer => return answer,
            }
        }
    }

    async fn ask_once(&self, at: Consistency, request: Request) -> std::result::Result<Answer, RequestError> {
        let answer = self.barriers.read(&self.client, at, request).await;
        match answer {
            Ok(reply) => Ok(Answer::Found(reply)),
            Err(error) if error.code() == Some(ErrorCode::NoNode) => {
                Ok(Answer::Missing(error.zxid().unwrap_or_default()))
            }
            Err(error) => Err(error),
        }
    }
}

/// What a read was answered.
pub(crate) enum Answer {
    /// There is such a znode.
    Found(Reply),
    /// There was none when the server had applied everything up to here.
    Missing(quorate_zk::Zxid),
}

/// How long to wait before a read is sent again that failed so many times.
pub(crate) fn pause(tries: u32) -> Duration {
    PAUSE.mul_f64(f64::from(tries) / f64::from(TRIES_MAX))
}

/// Whether the same read may be answered when sent again.
pub(crate) fn is_passing(error: &RequestError) -> bool {
    error.is_connection_lost() || error.is_session_expired() || error.code() == Some(ErrorCode::ThrottledOp)
}

/// The error of a store whose server answered something that is no answer.
pub(crate) fn odd_answer(operation: &'static str) -> Error {
    Error::new(quorate_datasync::ErrorKind::Backend, operation)
        .because("the server's answer is of another kind")
}
