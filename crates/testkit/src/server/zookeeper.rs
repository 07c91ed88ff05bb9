//! One real server.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::config::Place;
use super::ensemble::Ensemble;
use super::options::ServerOptions;
use super::process::{Process, StartError};
use super::tls::TlsFiles;

/// How long a four-letter word may take. A server that is paused or hangs never answers.
const WORD_MAX: Duration = Duration::from_secs(5);
/// How often a start is tried on other ports when somebody took the ones that were free.
pub(super) const PORT_TRIES_MAX: usize = 5;

/// A real ZooKeeper server with data of its own, on a free loopback port.
///
/// Any number of them may run at once. It is killed, and its data removed, when this is dropped. A test process that
/// is itself killed leaves its servers behind.
///
/// # Panics
///
/// Whatever fails here panics and says why: a test that needs a server cannot go on without one.
#[derive(Debug)]
pub struct ZooKeeper {
    process: Process,
    /// The folder of a server on its own. That of a member belongs to its ensemble.
    _dir: Option<TempDir>,
}

impl ZooKeeper {
    /// Starts a server with the default options and waits until it serves.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the server.
    pub async fn start() -> Self {
        Self::start_with(&ServerOptions::default()).await
    }

    /// Starts a server with these options and waits until it serves.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the server.
    pub async fn start_with(options: &ServerOptions) -> Self {
        for _ in 0..PORT_TRIES_MAX {
            let dir = TempDir::with_prefix("zookeeper-").expect("a temporary folder can be made");
            let place = Place::choose(dir.path(), 1, options);
            let peers = if options.reconfig { vec![place.server_line()] } else { Vec::new() };
            let mut process = Process::new(place, options, &peers);
            process.launch();
            match process.wait_serving().await {
                Ok(()) => return Self { process, _dir: Some(dir) },
                Err(StartError::PortTaken) => {}
                Err(StartError::Failed(why)) => panic!("the ZooKeeper server did not start: {why}"),
            }
        }
        panic!("the ZooKeeper server found its port taken {PORT_TRIES_MAX} times");
    }

    /// Gives the server that the tests of this process share: started by the first who asks, ended by the last who
    /// lets go of it. For tests that work below paths of their own and do nothing to the server.
    pub async fn shared() -> Arc<Self> {
        static SHARED: tokio::sync::Mutex<Weak<ZooKeeper>> = tokio::sync::Mutex::const_new(Weak::new());
        let mut shared = SHARED.lock().await;
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start().await);
        *shared = Arc::downgrade(&server);
        server
    }

    /// Starts an ensemble of `size` servers with the default options and waits until all serve.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the servers.
    pub async fn ensemble(size: usize) -> Ensemble {
        Ensemble::start_with(size, &ServerOptions::default()).await
    }

    pub(super) fn of_ensemble(process: Process) -> Self {
        Self { process, _dir: None }
    }

    /// Kills the server and waits for its end, as a crash would. Does nothing if it does not run.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the server dies even if the future is dropped.
    pub async fn stop(&mut self) {
        self.process.kill().await;
    }

    /// Kills the server if it runs, starts it again on the same port and data, and waits until it serves.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped the server is dead or starting; calling this again is fine.
    pub async fn restart(&mut self) {
        for _ in 0..PORT_TRIES_MAX {
            self.process.kill().await;
            self.process.launch();
            match self.process.wait_serving().await {
                Ok(()) => return,
                Err(StartError::PortTaken) => {}
                Err(StartError::Failed(why)) => panic!("the ZooKeeper server did not come back: {why}"),
            }
        }
        panic!("somebody took the port of the ZooKeeper server on {}", self.addr());
    }

    /// Waits until the server serves: one of an ensemble stops serving while a leader is elected.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the server.
    pub async fn wait_serving(&mut self) {
        if let Err(why) = self.process.wait_serving().await {
            panic!("the ZooKeeper server on {} does not serve: {why:?}", self.addr());
        }
    }

    /// Waits until the server serves reads alone, as one with [`ServerOptions::read_only_mode`] does a few seconds
    /// after it lost its quorum.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect on the server.
    pub async fn wait_read_only(&mut self) {
        if let Err(why) = self.process.wait_read_only().await {
            panic!("the ZooKeeper server on {} does not turn read-only: {why:?}", self.addr());
        }
    }

    /// Replaces the certificate and the trusted authority of a server with [`ServerOptions::tls`]. The server knows
    /// them once it is restarted.
    pub fn replace_tls(&mut self, files: TlsFiles) {
        self.process.replace_tls(files);
    }

    /// Stops the process without ending it: its connections stay open and nothing answers, until
    /// [`resume`](Self::resume). When this returns it has stopped.
    pub fn pause(&self) {
        self.process.pause();
    }

    /// Lets a paused server go on.
    pub fn resume(&self) {
        self.process.resume();
    }

    /// The address for clients. It stays the same across restarts.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.process.addr()
    }

    /// The address as clients are told it, `127.0.0.1:port`.
    #[must_use]
    pub fn connect_string(&self) -> String {
        self.addr().to_string()
    }

    /// The address for clients that speak TLS. It stays the same across restarts.
    ///
    /// # Panics
    ///
    /// If the server was started without [`ServerOptions::tls`].
    #[must_use]
    pub fn secure_addr(&self) -> SocketAddr {
        self.process.secure_addr().expect("the server was started with TLS")
    }

    /// The address for clients that speak TLS, by name: `localhost:port`.
    ///
    /// # Panics
    ///
    /// As [`secure_addr`](Self::secure_addr).
    #[must_use]
    pub fn secure_connect_string(&self) -> String {
        format!("localhost:{}", self.secure_addr().port())
    }

    /// The line that names this server among the members of an ensemble, `server.N=...`. It is what a member is
    /// added by.
    #[must_use]
    pub fn server_line(&self) -> String {
        self.process.server_line()
    }

    /// Asks the server one of its four-letter words, for example `srvr` or `cons`.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, or does not answer within five seconds.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection and has no other effect.
    pub async fn four_letter(&self, word: &str) -> io::Result<String> {
        four_letter(self.addr(), word).await
    }

    pub(super) fn process_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// Asks the server at `addr` one of its four-letter words.
///
/// # Errors
///
/// If the server cannot be reached, or does not answer within five seconds.
///
/// # Cancel safety
///
/// Dropping the future closes the connection and has no other effect.
pub async fn four_letter(addr: SocketAddr, word: &str) -> io::Result<String> {
    timeout(WORD_MAX, async {
        let mut stream = TcpStream::connect(addr).await?;
        stream.write_all(word.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    })
    .await?
}
