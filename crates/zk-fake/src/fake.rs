//! The server's handle.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use tokio::{io::DuplexStream, runtime::Handle, sync::Mutex, task::JoinHandle};

use crate::{
    builder::Builder,
    ensemble::Config,
    link,
    listener::{Port, listen, reserve},
    shared::Shared,
};

/// What fits into an in-memory link before its writer waits.
const DUPLEX_BYTES: usize = 256 * 1024;

/// An in-process ZooKeeper server, listening on a free port of 127.0.0.1. Dropping it ends it: links are
/// cut, its tasks stopped.
///
/// All methods may be called at any time, from any thread. What they change has happened when they return,
/// though clients hear of it a little later.
#[derive(Debug)]
pub struct FakeZooKeeper {
    pub(crate) shared: Arc<Shared>,
    pub(crate) addr: SocketAddr,
    /// `None` if the port was lost to somebody else.
    pub(crate) port: Mutex<Option<Port>>,
    timer: JoinHandle<()>,
    runtime: Handle,
}

impl FakeZooKeeper {
    /// Starts a server with the default settings.
    ///
    /// # Errors
    ///
    /// Whatever the operating system has against listening on loopback.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left behind if the future is dropped.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns the settings to start a server with.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the address it listens on.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the address as clients want it: `127.0.0.1:` and the port.
    #[must_use]
    pub fn connect_string(&self) -> String {
        self.addr.to_string()
    }

    /// Connects in memory and returns the client's end. Works while nobody listens on the port, and under
    /// tokio's paused time. At the end of the server the link is closed.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        let (client, server) = tokio::io::duplex(DUPLEX_BYTES);
        self.shared.with(|state, _| {
            state.add_link(|id, wake| {
                self.runtime.spawn(link::serve(Arc::clone(&self.shared), id, wake, server)).abort_handle()
            });
        });
        client
    }

    pub(crate) async fn start_with(config: Config) -> io::Result<Self> {
        let socket = reserve(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let addr = socket.local_addr()?;
        let shared = Arc::new(Shared::new(config));
        let port = listen(&shared, socket)?;
        let timer = Arc::clone(&shared);
        Ok(Self {
            shared,
            addr,
            port: Mutex::new(Some(port)),
            timer: tokio::spawn(async move { timer.keep_time().await }),
            runtime: Handle::current(),
        })
    }
}

impl Drop for FakeZooKeeper {
    fn drop(&mut self) {
        if let Some(Port::Listening(task)) = self.port.get_mut() {
            task.abort();
        }
        self.timer.abort();
        self.shared.with(|state, _| state.end());
    }
}
