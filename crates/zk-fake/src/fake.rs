//! The handle of the servers.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{io::DuplexStream, runtime::Handle, task::JoinHandle};

use crate::{
    builder::Builder, ensemble::Config, link, listener::Endpoint, server::FakeServer, shared::Shared,
    tls::Acceptor,
};

/// What fits into an in-memory link before its writer waits.
const DUPLEX_BYTES: usize = 256 * 1024;

/// An in-process ZooKeeper, listening on a free port of 127.0.0.1, or on several: one for each server.
/// Dropping it ends it: links are cut, its tasks stopped.
///
/// All methods may be called at any time, from any thread. What they change has happened when they return,
/// though clients hear of it a little later.
#[derive(Debug)]
pub struct FakeZooKeeper {
    pub(crate) shared: Arc<Shared>,
    pub(crate) endpoints: Vec<Endpoint>,
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

    /// Returns the settings to start servers with.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Returns the address that the first server listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.server(0).addr()
    }

    /// Returns the addresses of all servers as clients want them: `127.0.0.1:` and the port, with commas
    /// between.
    #[must_use]
    pub fn connect_string(&self) -> String {
        let addrs: Vec<_> = self.endpoints.iter().map(|endpoint| endpoint.addr.to_string()).collect();
        addrs.join(",")
    }

    /// Returns one of the servers, counted from 0.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    #[must_use]
    pub fn server(&self, number: usize) -> FakeServer<'_> {
        assert!(number < self.endpoints.len(), "there are {} servers", self.endpoints.len());
        FakeServer { fake: self, number }
    }

    /// Returns all servers.
    pub fn servers(&self) -> impl Iterator<Item = FakeServer<'_>> {
        (0..self.endpoints.len()).map(|number| FakeServer { fake: self, number })
    }

    /// Connects to the first server in memory and returns the client's end. Works while nobody listens on the
    /// port, and under tokio's paused time. At the end of the server the link is closed.
    #[must_use]
    pub fn connect(&self) -> DuplexStream {
        self.connect_to(0)
    }

    pub(crate) fn connect_to(&self, server: usize) -> DuplexStream {
        let (client, link) = tokio::io::duplex(DUPLEX_BYTES);
        self.shared.with(|state, _| {
            state.add_link(server, |id, wake| {
                self.runtime.spawn(link::serve(Arc::clone(&self.shared), id, wake, link)).abort_handle()
            });
        });
        client
    }

    pub(crate) async fn start_with(config: Config, tls: Option<Acceptor>) -> io::Result<Self> {
        let reserved = (0..config.servers).map(|server| Endpoint::reserve(server, tls.clone()));
        let endpoints = reserved.collect::<io::Result<Vec<_>>>()?;
        let addrs: Vec<_> = endpoints.iter().map(|endpoint| endpoint.addr).collect();
        let shared = Arc::new(Shared::new(config, &addrs));
        let timer = Arc::clone(&shared);
        let timer = tokio::spawn(async move { timer.keep_time().await });
        let fake = Self { shared, endpoints, timer, runtime: Handle::current() };
        for endpoint in &fake.endpoints {
            endpoint.open(&fake.shared).await?;
        }
        Ok(fake)
    }
}

impl Drop for FakeZooKeeper {
    fn drop(&mut self) {
        self.endpoints.iter_mut().for_each(Endpoint::abort);
        self.timer.abort();
        self.shared.with(|state, _| state.end());
    }
}
