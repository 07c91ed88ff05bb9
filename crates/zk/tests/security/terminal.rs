//! A server's TLS: it ends here, and what is inside goes on to a fake in the clear.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use quorate_testkit::{TestCa, TestCert};
use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// What a terminal shows, and whom it lets in.
pub(crate) fn server(cert: &TestCert) -> Arc<ServerConfig> {
    let builder = ServerConfig::builder().with_no_client_auth();
    Arc::new(builder.with_single_cert(chain(cert), key(cert)).unwrap())
}

/// Like [`server`], and only clients with a certificate of `trusted` are let in.
pub(crate) fn mutual_server(cert: &TestCert, trusted: &TestCa) -> Arc<ServerConfig> {
    mutual_server_of(cert, trusted, rustls::ALL_VERSIONS)
}

/// Like [`mutual_server`], speaking these versions of TLS.
pub(crate) fn mutual_server_of(
    cert: &TestCert,
    trusted: &TestCa,
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.cert_pem().as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
    let builder = ServerConfig::builder_with_protocol_versions(versions).with_client_cert_verifier(verifier);
    Arc::new(builder.with_single_cert(chain(cert), key(cert)).unwrap())
}

fn chain(cert: &TestCert) -> Vec<CertificateDer<'static>> {
    vec![CertificateDer::from_pem_slice(cert.cert_pem().as_bytes()).unwrap()]
}

fn key(cert: &TestCert) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(cert.key_pem().as_bytes()).unwrap()
}

pub(crate) struct Terminal {
    addr: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    inside: SocketAddr,
    config: Mutex<Arc<ServerConfig>>,
    /// Raised to cut all connections.
    cuts: watch::Sender<u64>,
    resumed: AtomicUsize,
}

impl Terminal {
    pub(crate) async fn start(inside: SocketAddr, config: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            inside,
            config: Mutex::new(config),
            cuts: watch::channel(0).0,
            resumed: AtomicUsize::new(0),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { addr, shared, task }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn connect_string(&self) -> String {
        self.addr.to_string()
    }

    /// Goes on with another certificate, without its present connections.
    pub(crate) fn replace(&self, config: Arc<ServerConfig>) {
        *self.shared.config.lock().unwrap() = config;
        self.cut();
    }

    pub(crate) fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// How many handshakes were shortened by what the client remembered.
    pub(crate) fn resumed(&self) -> usize {
        self.shared.resumed.load(Ordering::SeqCst)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(relay(stream, Arc::clone(&shared)));
    }
}

/// Whatever fails here is what the client is to make something of.
async fn relay(stream: TcpStream, shared: Arc<Shared>) {
    let mut cuts = shared.cuts.subscribe();
    let acceptor = TlsAcceptor::from(Arc::clone(&shared.config.lock().unwrap()));
    let relay = async {
        let mut outside = acceptor.accept(stream).await?;
        if outside.get_ref().1.handshake_kind() == Some(rustls::HandshakeKind::Resumed) {
            shared.resumed.fetch_add(1, Ordering::SeqCst);
        }
        let mut inside = TcpStream::connect(shared.inside).await?;
        copy_bidirectional(&mut outside, &mut inside).await
    };
    tokio::select! {
        _ = relay => {}
        _ = cuts.changed() => {}
    }
}
