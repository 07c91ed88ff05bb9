//! The port: listening on it, and keeping it while nobody listens.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};

use crate::{link, shared::Shared};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A port of 127.0.0.1.
#[derive(Debug)]
pub(crate) enum Port {
    /// Connections are accepted by a task.
    Listening(JoinHandle<()>),
    /// Connections are refused. The socket keeps others away from the port.
    Closed(TcpSocket),
}

/// Takes a port without listening on it.
pub(crate) fn reserve(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}

/// Starts to accept connections.
pub(crate) fn listen(shared: &Arc<Shared>, socket: TcpSocket) -> io::Result<Port> {
    let listener = socket.listen(BACKLOG)?;
    Ok(Port::Listening(tokio::spawn(accept(Arc::clone(shared), listener))))
}

async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    loop {
        // An error is about one connection that is gone already, or passes when descriptors are free again.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        // Without it replies wait for acknowledgements; where it cannot be set they are only slower.
        let _ = stream.set_nodelay(true);
        shared.with(|state, _| {
            state.add_link(|id, wake| {
                tokio::spawn(link::serve(shared.clone(), id, wake, stream)).abort_handle()
            });
        });
    }
}
