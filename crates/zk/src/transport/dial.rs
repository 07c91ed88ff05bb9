//! Connections that others open.

use std::{fmt, future::Future, io, net::SocketAddr, pin::Pin};

use tokio::io::{AsyncRead, AsyncWrite};

/// Anything that carries bytes both ways, in order: a socket, a tunnel, a pipe within the process.
pub trait Transport: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for T {}

/// What a [`Dial`] gives.
pub type Dialing = Pin<Box<dyn Future<Output = io::Result<Box<dyn Transport>>> + Send>>;

/// Opens the connections of a client in place of TCP: through a proxy, over a tunnel, or to a server within the
/// process.
///
/// # Examples
///
/// ```
/// use std::net::SocketAddr;
/// use quorate_zk::{ClientOptions, Dial, Dialing, Transport};
/// use quorate_zk_fake::FakeZooKeeper;
///
/// #[derive(Debug)]
/// struct InProcess(FakeZooKeeper);
///
/// impl Dial for InProcess {
///     fn dial(&self, _name: &str, _addr: SocketAddr) -> Dialing {
///         let stream: Box<dyn Transport> = Box::new(self.0.connect());
///         Box::pin(async move { Ok(stream) })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = FakeZooKeeper::start().await?;
/// let client = ClientOptions::new(["127.0.0.1"]).dialer(InProcess(server)).connect()?;
/// client.session().await?;
/// # Ok(())
/// # }
/// ```
pub trait Dial: fmt::Debug + Send + Sync + 'static {
    /// Opens a connection to one address of a host. `name` is the host as it was given. Takes as long as a client
    /// gives a server to connect; the future is dropped after that.
    fn dial(&self, name: &str, addr: SocketAddr) -> Dialing;
}
