//! Servers that mean no good, or do not mean anything.

use std::{net::SocketAddr, time::Duration};

use quorate_testkit::TestCa;
use quorate_zk::{ClientOptions, TlsOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use tokio_rustls::TlsAcceptor;

use crate::{support::tls_failure, terminal::server};

/// A server that says what it likes; ended when dropped.
struct Rogue {
    addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Rogue {
    async fn start<F>(say: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = std::io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // That the client leaves in the middle is what is hoped for.
                drop(tokio::spawn(say(stream)));
            }
        });
        Self { addr, task }
    }

    /// Connects with TLS, trusting nobody, and returns what is said to be wrong.
    async fn failure(&self) -> String {
        self.failure_with(TlsOptions::new().ca_pem(TestCa::new().cert_pem())).await
    }

    async fn failure_with(&self, tls: TlsOptions) -> String {
        let options = ClientOptions::new([self.addr.to_string()]).tls(tls);
        tls_failure(options.connect_timeout(Duration::from_millis(300))).await
    }
}

impl Drop for Rogue {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn a_handshake_that_hangs_ends_in_time() {
    let rogue = Rogue::start(async |mut stream: TcpStream| {
        let mut ignored = [0; 1024];
        while stream.read(&mut ignored).await? > 0 {}
        Ok(())
    });
    let detail = rogue.await.failure().await;
    assert!(detail.contains("did not answer the TLS handshake in time"), "{detail}");
}

#[tokio::test]
async fn a_handshake_that_trickles_ends_in_time() {
    // The start of a record of the largest size, and then a byte now and then.
    let rogue = Rogue::start(async |mut stream: TcpStream| {
        stream.write_all(&[0x16, 3, 3, 0x40, 0, 2, 0, 0x3f, 0xfc]).await?;
        loop {
            stream.write_all(&[0]).await?;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let detail = rogue.await.failure().await;
    assert!(detail.contains("did not answer the TLS handshake in time"), "{detail}");
}

#[tokio::test]
async fn garbage_is_no_handshake() {
    let rogue = Rogue::start(async |mut stream: TcpStream| {
        stream.write_all(&[0xff; 100_000]).await?;
        stream.shutdown().await
    });
    let detail = rogue.await.failure().await;
    assert!(detail.contains("does not speak TLS"), "{detail}");
}

#[tokio::test]
async fn a_server_of_another_protocol_is_named_as_such() {
    let rogue = Rogue::start(async |mut stream: TcpStream| {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await?;
        stream.shutdown().await
    });
    let detail = rogue.await.failure().await;
    assert!(detail.contains("does not speak TLS"), "{detail}");
}

#[tokio::test]
async fn a_handshake_without_end_is_not_listened_to() {
    // One message of 16 MiB in records of the largest size; nobody should want to keep it.
    let rogue = Rogue::start(async |mut stream: TcpStream| {
        let mut record = vec![0x16, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff];
        record.resize(5 + 0x4000, 0);
        loop {
            stream.write_all(&record).await?;
            record[5..9].fill(0);
        }
    });
    let detail = rogue.await.failure().await;
    assert!(detail.contains("does not speak TLS") || detail.contains("handshake"), "{detail}");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_named_as_such() {
    let rogue = Rogue::start(async |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 1024]).await?;
        Ok(())
    });
    let detail = rogue.await.failure().await;
    assert!(detail.contains("closed the connection during the TLS handshake"), "{detail}");
}

#[tokio::test]
async fn garbage_after_the_handshake_is_no_connection() {
    let ca = TestCa::new();
    let acceptor = TlsAcceptor::from(server(&ca.issue("server", &["127.0.0.1"])));
    let rogue = Rogue::start(move |stream: TcpStream| {
        let accept = acceptor.accept(stream);
        async move {
            // A record that nobody has encrypted, past the ends of TLS.
            let mut socket = accept.await?.into_inner().0;
            let mut record = vec![0x17, 3, 3, 0, 32];
            record.resize(5 + 32, 0x5a);
            socket.write_all(&record).await?;
            socket.read(&mut [0; 1024]).await.map(drop)
        }
    });
    let detail = rogue.await.failure_with(TlsOptions::new().ca_pem(ca.cert_pem())).await;
    assert!(detail.contains("decrypt"), "{detail}");
}
