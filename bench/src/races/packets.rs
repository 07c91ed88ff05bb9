//! How many requests a server has got.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Asks the server. Its answer counts the pings of idle sessions too, a few in a second.
pub(crate) fn received(addr: SocketAddr) -> io::Result<u64> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    stream.write_all(b"srvr")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let received = answer.lines().find_map(|line| line.strip_prefix("Received: "));
    received.and_then(|count| count.trim().parse().ok()).ok_or(io::Error::other("the server does not count"))
}
