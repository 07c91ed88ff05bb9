//! Reading and changing the configuration of the ensemble.

use bytes::Bytes;
use quorate_zk_proto::{GetData, Reconfig, Reply, ReplyBody, Request, Stat, ZnodePath, Zxid};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    route::Route,
    waiting::Answer,
    watching::{Watch, WatchedOperation, WithWatcher},
};
use crate::{
    client::Client,
    ensemble_config::{CONFIG_PATH, EnsembleConfig, EnsembleConfigError},
    error::RequestError,
};

operation_error! {
    /// Why the configuration of the ensemble was not read.
    pub enum GetConfigError {
        /// The server is older than 3.5 and keeps none.
        Unsupported = NoNode, "server keeps no configuration";
        /// The session may not read it.
        NoAuth = NoAuth, "not allowed to read the configuration";
    }
}

operation_error! {
    /// Why the members of the ensemble were not changed.
    pub enum ReconfigError {
        /// The configuration is no longer the one that the change starts from.
        BadVersion = BadVersion, "configuration has another version";
        /// The session may not change it: servers want an administrator's credentials.
        NoAuth = NoAuth, "not allowed to change the configuration";
        /// Reconfiguration is switched off at the server, as it is by default.
        Disabled = ReconfigDisabled, "reconfiguration is switched off";
        /// Another change is under way, or the ensemble is not ready for one.
        InProgress = ReconfigInProgress, "another reconfiguration is under way";
        /// Too few of the new members are connected and up to date.
        NoQuorum = NewConfigNoQuorum, "new configuration has no quorum";
        /// The change makes no sense, or cannot be read.
        BadArguments = BadArguments, "invalid change of the configuration";
        /// The server is older than 3.5, or is on its own.
        Unsupported = Unimplemented, "server cannot be reconfigured";
    }
}

/// The configuration of an ensemble, and the text that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeConfig {
    /// The configuration, or why the text is none that is understood. A server on its own tells no members; one that is
    /// configured by files alone tells version 0, and no addresses for clients.
    pub config: Result<EnsembleConfig, EnsembleConfigError>,
    /// The text as the server gave it.
    pub raw: Bytes,
    /// The stat of the znode that keeps it.
    pub stat: Stat,
    /// The last transaction the server had applied; that of the change, after a change.
    pub zxid: Zxid,
}

impl Client {
    /// Reads the configuration of the ensemble: its members and their addresses. The chroot does not matter.
    ///
    /// Sees at least what this client has read or written before it, and what [`sync`](Self::sync) brought.
    ///
    /// # Errors
    ///
    /// [`GetConfigError`].
    pub fn get_config(&self) -> Operation<NodeConfig, GetConfigError> {
        self.operate_by(&Route::unrooted(), get_config(false), Finish::Reply(finish_get))
    }

    /// Changes the members of the ensemble, by who joins and who leaves or by a whole new list. Gives the new
    /// configuration.
    ///
    /// Needs an administrator's identity and `reconfigEnabled=true` at the servers. If the connection is lost before the
    /// reply arrives, as it is when the server at hand leaves, the change may or may not have happened: see
    /// [`RequestError::outcome`], and read the configuration.
    ///
    /// # Errors
    ///
    /// [`ReconfigError`].
    pub fn reconfig(&self, change: Reconfig) -> Operation<NodeConfig, ReconfigError> {
        self.operate(Request::Reconfig(change), Finish::Reply(finish_reconfig))
    }
}

impl Watch<'_> {
    /// Reads the configuration of the ensemble. The watch fires when it changes; its event names
    /// `/zookeeper/config`, whatever the chroot.
    ///
    /// # Errors
    ///
    /// [`GetConfigError`].
    pub fn get_config(&self) -> Operation<NodeConfig, GetConfigError> {
        self.client.operate_by(&Route::unrooted(), get_config(true), Finish::Reply(finish_get))
    }
}

impl WithWatcher<'_> {
    /// Reads the configuration of the ensemble. The watch fires when it changes; its event names
    /// `/zookeeper/config`, whatever the chroot.
    ///
    /// # Errors
    ///
    /// [`GetConfigError`].
    pub fn get_config(&self) -> WatchedOperation<NodeConfig, GetConfigError> {
        let (response, watcher) = self.client.request_unrooted_with_watcher(get_config(true));
        self.operate(response, finish_get, watcher)
    }
}

fn get_config(watch: bool) -> Request {
    let path = ZnodePath::new(CONFIG_PATH).expect("the path is valid");
    Request::GetData(GetData { path, watch })
}

fn finish_get(answer: Answer) -> Result<NodeConfig, GetConfigError> {
    config(answer.map_err(GetConfigError::classify)?).map_err(GetConfigError::Session)
}

fn finish_reconfig(answer: Answer) -> Result<NodeConfig, ReconfigError> {
    config(answer.map_err(ReconfigError::classify)?).map_err(ReconfigError::Session)
}

fn config(reply: Reply) -> Result<NodeConfig, RequestError> {
    let ReplyBody::Data { data, stat } = reply.body else {
        return Err(RequestError::of_another_kind());
    };
    let raw = data.unwrap_or_default();
    Ok(NodeConfig { config: EnsembleConfig::parse(&raw), raw, stat, zxid: reply.zxid })
}
