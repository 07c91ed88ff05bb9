//! Reading and changing the configuration of the ensemble.

use bytes::Bytes;
use quorate_zk_proto::{GetData, Reconfig, ReplyBody, Request, ZnodePath};

use super::{
    error::operation_error,
    operation::{Finish, Operation},
    route::Route,
    waiting::Answer,
};
use crate::{client::Client, ensemble_config::EnsembleConfig, error::RequestError};

/// Where servers keep their configuration, whatever the chroot.
const CONFIG: &str = "/zookeeper/config";

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

impl Client {
    /// Reads the configuration of the ensemble: its members and their addresses. The chroot does not matter.
    ///
    /// Sees at least what this client has read or written before it, and what [`sync`](Self::sync) brought.
    ///
    /// # Errors
    ///
    /// [`GetConfigError`].
    pub fn get_config(&self) -> Operation<EnsembleConfig, GetConfigError> {
        let path = ZnodePath::new(CONFIG).expect("the path is valid");
        let get = Request::GetData(GetData { path, watch: false });
        self.operate_by(&Route::unrooted(), get, Finish::Reply(finish_get))
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
    pub fn reconfig(&self, change: Reconfig) -> Operation<EnsembleConfig, ReconfigError> {
        self.operate(Request::Reconfig(change), Finish::Reply(finish_reconfig))
    }
}

fn finish_get(answer: Answer) -> Result<EnsembleConfig, GetConfigError> {
    config(answer.map_err(GetConfigError::classify)?.body).map_err(GetConfigError::Session)
}

fn finish_reconfig(answer: Answer) -> Result<EnsembleConfig, ReconfigError> {
    config(answer.map_err(ReconfigError::classify)?.body).map_err(ReconfigError::Session)
}

fn config(body: ReplyBody) -> Result<EnsembleConfig, RequestError> {
    match body {
        // The text outlives the frame that it came in, so it keeps no frame alive.
        ReplyBody::Data { data, stat } => {
            let raw = data.map(|data| Bytes::copy_from_slice(&data)).unwrap_or_default();
            Ok(EnsembleConfig::parse(raw, stat))
        }
        _ => Err(RequestError::of_another_kind()),
    }
}
