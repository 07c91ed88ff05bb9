//! TLS before the protocol begins.

use std::sync::Arc;

use quorate_zk_proto::Id;
use rustls::{ServerConfig, pki_types::CertificateDer};
use tokio::{net::TcpStream, sync::Notify};
use tokio_rustls::TlsAcceptor;

use super::subject::subject_of;
use crate::{builder::Builder, ensemble::ConnectionId, link, shared::Shared};

/// What accepts TLS connections.
#[derive(Clone, Debug)]
pub(crate) struct Acceptor(Arc<ServerConfig>);

impl Builder {
    /// Speaks TLS on the ports, and nothing else there; in-memory links stay as they are.
    ///
    /// A client that shows a certificate is known by its subject in the scheme `x509`, as in `CN=client,O=Org`,
    /// the most specific part first. Whether it has to show one, and which are trusted, `config` decides.
    ///
    /// # Examples
    ///
    /// ```
    /// use quorate_zk_fake::{FakeZooKeeper, TestCertificates};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let certificates = TestCertificates::generate()?;
    /// let server = FakeZooKeeper::builder().tls(certificates.server_config()?).start().await?;
    /// println!("trust {} and connect to {}", certificates.ca_pem(), server.connect_string());
    /// # Ok(())
    /// # }
    /// ```
    pub fn tls(mut self, config: impl Into<Arc<ServerConfig>>) -> Self {
        self.tls = Some(Acceptor(config.into()));
        self.config.x509 = true;
        self
    }
}

impl Acceptor {
    /// Shakes hands, then serves the connection. A failed handshake is the end of it.
    pub(crate) async fn serve(
        self,
        shared: Arc<Shared>,
        id: ConnectionId,
        wake: Arc<Notify>,
        stream: TcpStream,
    ) {
        let mut paused = shared.paused(id);
        // The sender is in `shared`.
        let _ = paused.wait_for(|paused| !paused).await;
        let Ok(stream) = TlsAcceptor::from(self.0).accept(stream).await else {
            return shared.with(|state, _| state.remove_link(id));
        };
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[CertificateDer<'_>]>::first);
        if let Some(subject) = certificate.and_then(|certificate| subject_of(certificate)) {
            shared.with(|state, _| state.ensemble.identify(id, Id::new("x509", subject)));
        }
        link::serve(shared, id, wake, stream).await;
    }
}
