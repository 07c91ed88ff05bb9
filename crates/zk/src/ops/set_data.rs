//! Setting a znode's data.

use bytes::Bytes;
use quorate_zk_proto::{ANY_VERSION, ReplyBody, Request, SetData, Stat, ZnodePath};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    waiting::Answer,
};
use crate::{client::Client, error::RequestError};

operation_error! {
    /// Why a znode's data was not set.
    pub enum SetDataError with BadVersion, "znode does not have version {expected}" {
        /// It does not exist.
        NoNode = NoNode, "znode does not exist";
        /// The session may not write it.
        NoAuth = NoAuth, "not allowed to write the znode";
        /// The quota of a znode above does not allow for it.
        QuotaExceeded = QuotaExceeded, "quota exceeded";
    }
}

impl Client {
    /// Sets the data of an existing znode, if it has this version; `None` for any. Gives the new stat.
    ///
    /// Takes effect in the order of the calls. If the connection is lost before the reply arrives the write may
    /// or may not have happened: see [`RequestError::outcome`].
    ///
    /// # Errors
    ///
    /// [`SetDataError`].
    ///
    /// # Examples
    ///
    /// A counter without a lock:
    ///
    /// ```
    /// # use quorate_zk::{Acl, ClientOptions, CreateMode};
    /// # use quorate_zk_fake::FakeZooKeeper;
    /// use quorate_zk::{Client, SetDataError, ZnodePath};
    ///
    /// async fn increment(client: &Client, path: &ZnodePath) -> Result<u64, Box<dyn std::error::Error>> {
    ///     loop {
    ///         let node = client.get_data(path).await?;
    ///         let count = std::str::from_utf8(node.data.as_deref().unwrap_or(b"0"))?.parse::<u64>()? + 1;
    ///         match client.set_data(path, count.to_string(), node.stat.version).await {
    ///             Err(SetDataError::BadVersion { .. }) => {} // Somebody else was first.
    ///             set => return set.map(|_| count).map_err(Into::into),
    ///         }
    ///     }
    /// }
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FakeZooKeeper::start().await?;
    /// # let client = ClientOptions::new([server.connect_string()]).connect()?;
    /// # let path = ZnodePath::new("/counter")?;
    /// # client.create(&path, "0", CreateMode::Persistent, Acl::open()).await?;
    ///
    /// assert_eq!(increment(&client, &path).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_data(
        &self,
        path: &ZnodePath,
        data: impl Into<Bytes>,
        version: impl Into<Option<i32>>,
    ) -> Operation<Stat, SetDataError> {
        let version = version.into().unwrap_or(ANY_VERSION);
        let set_data = SetData { path: path.clone(), data: Some(data.into()), version };
        self.operate(Request::SetData(set_data), Finish::Versioned(finish, version))
    }
}

fn finish(answer: Answer, version: i32) -> Result<Stat, SetDataError> {
    match answer.map_err(|error| SetDataError::classify_versioned(error, version))?.body {
        ReplyBody::Stat(stat) => Ok(stat),
        _ => Err(RequestError::of_another_kind().into()),
    }
}
