//! A server that speaks TLS.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use quorate_testkit::{ServerOptions, TestCa, TestCert, ZkCli, ZooKeeper, four_letter};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

fn connector(trusted: &TestCa, own: Option<&TestCert>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(trusted.cert_pem().as_bytes()).expect("it is a certificate");
    roots.add(ca).expect("it is an authority");
    let builder = ClientConfig::builder().with_root_certificates(roots);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let cert = CertificateDer::from_pem_slice(own.cert_pem().as_bytes()).expect("it is one");
            let key = PrivateKeyDer::from_pem_slice(own.key_pem().as_bytes()).expect("it is a key");
            builder.with_client_auth_cert(vec![cert], key).expect("they belong together")
        }
    };
    TlsConnector::from(Arc::new(config))
}

/// Asks a four-letter word over TLS.
async fn ask(server: &ZooKeeper, connector: &TlsConnector, name: &str, word: &str) -> io::Result<String> {
    timeout(Duration::from_secs(10), async {
        let name = ServerName::try_from(name.to_owned()).expect("it is a name");
        let mut stream = connector.connect(name, TcpStream::connect(server.secure_addr()).await?).await?;
        stream.write_all(word.as_bytes()).await?;
        let mut answer = String::new();
        // This server ends without a word of TLS, which rustls calls an error.
        match stream.read_to_string(&mut answer).await {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof || answer.is_empty() => Err(error),
            _ => Ok(answer),
        }
    })
    .await?
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn the_secure_port_serves_beside_the_plain_one() {
    let ca = TestCa::new();
    let server = ZooKeeper::start_with(&ServerOptions::default().tls(ca.server_files())).await;
    let trusting = connector(&ca, None);
    for name in ["localhost", "127.0.0.1"] {
        assert_eq!(ask(&server, &trusting, name, "ruok").await.unwrap(), "imok");
    }
    assert_eq!(server.four_letter("ruok").await.unwrap(), "imok");
    let plainly = four_letter(server.secure_addr(), "ruok").await;
    assert!(!plainly.is_ok_and(|answer| answer.contains("imok")));
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_server_of_another_authority_or_name_is_not_trusted() {
    let ca = TestCa::new();
    let server = ZooKeeper::start_with(&ServerOptions::default().tls(ca.server_files())).await;
    let stranger = connector(&TestCa::new(), None);
    assert!(ask(&server, &stranger, "localhost", "ruok").await.is_err());
    assert!(ask(&server, &connector(&ca, None), "example.org", "ruok").await.is_err());
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn clients_without_a_trusted_certificate_are_turned_away_where_one_is_required() {
    let ca = TestCa::new();
    let options = ServerOptions::default().tls(ca.server_files()).client_cert_required();
    let server = ZooKeeper::start_with(&options).await;
    let client = ca.issue("client", &[]);
    let known = connector(&ca, Some(&client));
    assert_eq!(ask(&server, &known, "localhost", "ruok").await.unwrap(), "imok");
    assert!(ask(&server, &connector(&ca, None), "localhost", "ruok").await.is_err());
    let foreign = TestCa::new().issue("client", &[]);
    assert!(ask(&server, &connector(&ca, Some(&foreign)), "localhost", "ruok").await.is_err());
    let expired = ca.issue_expired("client", &[]);
    assert!(ask(&server, &connector(&ca, Some(&expired)), "localhost", "ruok").await.is_err());
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn the_subject_of_a_certificate_is_an_identity() {
    let ca = TestCa::new();
    let options = ServerOptions::default().tls(ca.server_files()).client_cert_required();
    let server = ZooKeeper::start_with(&options).await;
    let cli = ZkCli::new(server.secure_addr()).tls(&ca.issue("alice", &[]), &ca);
    let created = cli.run(&["create", "/mine", "x", "x509:CN=alice:cdrwa"]).await;
    assert!(created.success, "{created:?}");
    assert_eq!(cli.run(&["get", "/mine"]).await.lines, ["x"]);
    let other = ZkCli::new(server.secure_addr()).tls(&ca.issue("bob", &[]), &ca);
    assert!(!other.run(&["get", "/mine"]).await.success);
}

#[tokio::test]
#[ignore = "needs a ZooKeeper server"]
async fn a_restarted_server_has_the_certificate_that_replaced_the_first() {
    let (first, second) = (TestCa::new(), TestCa::new());
    let mut server = ZooKeeper::start_with(&ServerOptions::default().tls(first.server_files())).await;
    server.replace_tls(second.server_files());
    server.restart().await;
    assert!(ask(&server, &connector(&first, None), "localhost", "ruok").await.is_err());
    assert_eq!(ask(&server, &connector(&second, None), "localhost", "ruok").await.unwrap(), "imok");
}
