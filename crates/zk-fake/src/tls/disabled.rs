//! Without TLS.

use std::sync::Arc;

use tokio::{net::TcpStream, sync::Notify};

use crate::{ensemble::ConnectionId, shared::Shared};

/// There is none.
#[derive(Clone, Debug)]
pub(crate) enum Acceptor {}

impl Acceptor {
    /// Cannot be called, since there is nothing to call it on.
    pub(crate) async fn serve(self, _: Arc<Shared>, _: ConnectionId, _: Arc<Notify>, _: TcpStream) {
        match self {}
    }
}
