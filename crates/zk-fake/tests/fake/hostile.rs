//! Clients that do what no client should.

use quorate_zk_fake::{FakeZooKeeper, ServerVersion};
use quorate_zk_proto::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::client::*;

/// Draws bytes, the same in every run.
struct Noise(u64);

impl Noise {
    fn byte(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Small numbers are lengths that make sense.
        let byte = (self.0 >> 56) as u8;
        if self.0 & (1 << 40) == 0 { 0 } else { byte }
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.byte() % 64;
        (0..length).map(|_| self.byte()).collect()
    }
}

#[tokio::test]
async fn bodies_without_sense_do_not_disturb_others() {
    let builder = FakeZooKeeper::builder().version(ServerVersion::V3_9).reconfig_enabled();
    let server = builder.servers(2).sasl_user("bob", "secret").start().await.unwrap();
    let mut noise = Noise(1);
    let mut other = Client::new(&server).await;
    for round in 0..2_000 {
        let mut client = Client::new(&server).await;
        for op in (-11..23).chain(100..108) {
            let (chosen, body) = (noise.byte() % 4 == 1, noise.bytes());
            if !chosen {
                continue;
            }
            client.send_op(op, |out| out.extend_from_slice(&body)).await;
        }
        assert!(other.ping().await.err.is_ok(), "round {round}");
    }
}

#[tokio::test]
async fn first_frames_without_sense_are_the_end_of_a_connection() {
    let server = FakeZooKeeper::start().await.unwrap();
    let mut noise = Noise(2);
    for first in [[0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0, 0], [0, 0, 0, 1]] {
        let mut link = server.connect();
        link.write_all(&first).await.unwrap();
        // The server may have hung up already.
        let _ = link.write_all(&noise.bytes()).await;
        link.shutdown().await.unwrap();
        let mut answer = Vec::new();
        link.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"", "{first:?}");
    }
    assert!(Client::new(&server).await.ping().await.err.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_expires_and_is_cut_off() {
    let server = FakeZooKeeper::start().await.unwrap();
    server.set_raw("/large", vec![0; 1_000_000]).unwrap();
    let mut client = Client::new(&server).await;
    client.send(&Request::GetData(GetData { path: path("/large"), watch: false })).await;
    server.wait_until(|server| server.sessions().is_empty()).await;
    let end = client.packet().await;
    assert_eq!(end, None, "the answer is cut short");
}
