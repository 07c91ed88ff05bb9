//! The fault link, between a plain client and a server that answers every frame with itself.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use quorate_testkit::{Direction, Link};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// A server that sends back what it gets, for as long as this lives.
struct Echo {
    addr: SocketAddr,
    _connections: JoinSet<()>,
}

impl Echo {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let addr = listener.local_addr().expect("a listener has an address");
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.spawn(async move {
                    let (mut read, mut write) = stream.split();
                    // A cut ends it with an error, which is what the test wants.
                    let _ = tokio::io::copy(&mut read, &mut write).await;
                    let _ = write.shutdown().await;
                });
            }
        });
        Self { addr, _connections: tasks }
    }
}

async fn linked() -> (Echo, Link, TcpStream) {
    let echo = Echo::start().await;
    let link = Link::to(echo.addr).await.expect("loopback has a free port");
    let client = TcpStream::connect(link.addr()).await.expect("the link listens");
    (echo, link, client)
}

fn frame(body: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len()).expect("test bodies are short").to_be_bytes().to_vec();
    bytes.extend_from_slice(body.as_bytes());
    bytes
}

async fn send(client: &mut TcpStream, body: &str) {
    client.write_all(&frame(body)).await.expect("the link is open");
}

async fn receive(client: &mut TcpStream) -> io::Result<String> {
    let length = client.read_u32().await?;
    let mut body = vec![0; length as usize];
    client.read_exact(&mut body).await?;
    Ok(String::from_utf8(body).expect("the echo of text is text"))
}

#[tokio::test]
async fn frames_bytes_and_round_trips_are_counted() {
    let (_echo, link, mut client) = linked().await;
    send(&mut client, "one").await;
    receive(&mut client).await.unwrap();
    client.write_all(&[frame("two"), frame("three")].concat()).await.unwrap();
    receive(&mut client).await.unwrap();
    receive(&mut client).await.unwrap();

    let to_server = link.traffic(Direction::ToServer);
    assert_eq!((to_server.frames, to_server.bytes, to_server.flushes), (3, 23, 2));
    assert_eq!(link.traffic(Direction::ToClient).frames, 3);
    assert_eq!((link.round_trips(), link.connections()), (2, 1));
    let bodies: Vec<_> = link.frames().iter().map(|frame| frame.body.clone()).collect();
    assert_eq!(bodies, ["one", "one", "two", "three", "two", "three"]);
}

#[tokio::test]
async fn bytes_that_are_no_frames_pass_and_count_as_bytes() {
    let (_echo, link, mut client) = linked().await;
    client.write_all(b"ruok").await.unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"ruok");
    assert_eq!(link.traffic(Direction::ToClient).frames, 0);
    assert_eq!(link.traffic(Direction::ToClient).bytes, 4);
}

#[tokio::test]
async fn a_cut_ends_connections_and_the_next_one_works() {
    let (_echo, link, mut client) = linked().await;
    send(&mut client, "a").await;
    receive(&mut client).await.unwrap();
    link.cut();
    receive(&mut client).await.unwrap_err();

    let mut again = TcpStream::connect(link.addr()).await.unwrap();
    send(&mut again, "b").await;
    assert_eq!(receive(&mut again).await.unwrap(), "b");
}

#[tokio::test]
async fn a_refusing_link_closes_connections_until_it_accepts() {
    let (_echo, link, mut client) = linked().await;
    link.refuse();
    receive(&mut client).await.unwrap_err();
    let mut refused = TcpStream::connect(link.addr()).await.unwrap();
    receive(&mut refused).await.unwrap_err();

    link.accept();
    let mut accepted = TcpStream::connect(link.addr()).await.unwrap();
    send(&mut accepted, "a").await;
    assert_eq!(receive(&mut accepted).await.unwrap(), "a");
}

#[tokio::test]
async fn a_delay_is_kept_once_however_much_is_sent() {
    let (_echo, link, mut client) = linked().await;
    let delay = Duration::from_millis(50);
    link.delay(Direction::ToClient, delay);
    let start = Instant::now();
    for _ in 0..20 {
        send(&mut client, "a").await;
    }
    for _ in 0..20 {
        receive(&mut client).await.unwrap();
    }
    assert!(start.elapsed() >= delay);
    assert!(start.elapsed() < 10 * delay, "{:?}", start.elapsed());
    assert_eq!(link.round_trips(), 1);
}

#[tokio::test]
async fn what_is_held_arrives_when_it_is_released() {
    let (_echo, link, mut client) = linked().await;
    link.hold(Direction::ToClient);
    send(&mut client, "a").await;
    link.wait_for(|link| link.traffic(Direction::ToServer).frames == 1).await;
    assert!(timeout(Duration::from_millis(50), client.readable()).await.is_err());
    link.release(Direction::ToClient);
    assert_eq!(receive(&mut client).await.unwrap(), "a");
}

#[tokio::test]
async fn a_half_closed_link_still_delivers_the_other_way() {
    let (_echo, link, mut client) = linked().await;
    link.hold(Direction::ToClient);
    send(&mut client, "a").await;
    link.wait_for(|link| link.traffic(Direction::ToServer).frames == 1).await;
    link.half_close(Direction::ToServer);
    link.release(Direction::ToClient);
    // The server saw the end of its input, answered, and closed.
    assert_eq!(receive(&mut client).await.unwrap(), "a");
    receive(&mut client).await.unwrap_err();
}

#[tokio::test]
async fn the_reply_is_lost_of_a_request_that_arrived() {
    let (_echo, link, mut client) = linked().await;
    link.cut_before(Direction::ToClient, 2);
    send(&mut client, "kept").await;
    assert_eq!(receive(&mut client).await.unwrap(), "kept");
    send(&mut client, "lost").await;
    receive(&mut client).await.unwrap_err();
    assert_eq!(link.traffic(Direction::ToServer).frames, 2);
    assert_eq!(link.traffic(Direction::ToClient).frames, 1);
}

#[tokio::test]
async fn dropping_the_link_cuts_it() {
    let (_echo, link, mut client) = linked().await;
    send(&mut client, "a").await;
    receive(&mut client).await.unwrap();
    drop(link);
    receive(&mut client).await.unwrap_err();
}
