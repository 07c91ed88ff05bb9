//! The ports: listening on them, and keeping them while nobody listens.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::Mutex,
    task::JoinHandle,
};

use crate::{link, shared::Shared, tls::Acceptor};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Where one server is reached.
#[derive(Debug)]
pub(crate) struct Endpoint {
    server: usize,
    pub(crate) addr: SocketAddr,
    /// `None` if the port was lost to somebody else.
    port: Mutex<Option<Port>>,
    tls: Option<Acceptor>,
}

/// A port of 127.0.0.1.
#[derive(Debug)]
enum Port {
    /// Connections are accepted by a task.
    Listening(JoinHandle<()>),
    /// Connections are refused. The socket keeps others away from the port.
    Closed(TcpSocket),
}

impl Endpoint {
    /// Takes a free port without listening on it.
    pub(crate) fn reserve(server: usize, tls: Option<Acceptor>) -> io::Result<Self> {
        let socket = reserve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let addr = socket.local_addr()?;
        Ok(Self { server, addr, port: Mutex::new(Some(Port::Closed(socket))), tls })
    }

    /// Accepts connections from now on.
    pub(crate) async fn open(&self, shared: &Arc<Shared>) -> io::Result<()> {
        let mut port = self.port.lock().await;
        let socket = match port.take() {
            Some(Port::Closed(socket)) => socket,
            None => reserve(self.addr)?,
            listening => {
                *port = listening;
                return Ok(());
            }
        };
        let listener = socket.listen(BACKLOG)?;
        let accepting = accept(Arc::clone(shared), self.server, self.tls.clone(), listener);
        *port = Some(Port::Listening(tokio::spawn(accepting)));
        Ok(())
    }

    /// Refuses connections from now on, and keeps the port.
    pub(crate) async fn close(&self) -> io::Result<()> {
        let mut port = self.port.lock().await;
        if let Some(Port::Listening(task)) = port.as_mut() {
            task.abort();
            // It can only have been aborted.
            let _ = task.await;
            *port = None;
            *port = Some(Port::Closed(reserve(self.addr)?));
        }
        Ok(())
    }

    /// Ends without waiting.
    pub(crate) fn abort(&mut self) {
        if let Some(Port::Listening(task)) = self.port.get_mut() {
            task.abort();
        }
    }
}

fn reserve(addr: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    Ok(socket)
}

async fn accept(shared: Arc<Shared>, server: usize, tls: Option<Acceptor>, listener: TcpListener) {
    loop {
        // An error is about one connection that is gone already, or passes when descriptors are free again.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::task::yield_now().await;
            continue;
        };
        // Without it replies wait for acknowledgements; where it cannot be set they are only slower.
        let _ = stream.set_nodelay(true);
        spawn_link(&shared, server, tls.clone(), stream);
    }
}

fn spawn_link(shared: &Arc<Shared>, server: usize, tls: Option<Acceptor>, stream: TcpStream) {
    shared.with(|state, _| {
        state.add_link(server, |id, wake| {
            let task = match tls {
                None => tokio::spawn(link::serve(Arc::clone(shared), id, wake, stream)),
                Some(tls) => tokio::spawn(tls.serve(Arc::clone(shared), id, wake, stream)),
            };
            task.abort_handle()
        });
    });
}
