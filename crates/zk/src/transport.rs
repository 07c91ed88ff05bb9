//! Sockets. Every ZooKeeper connection is opened here and nowhere else.

use std::{
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::hosts::Round;

/// Room made for a read: many small replies come in one.
const READ_BYTES: usize = 64 * 1024;

/// The longest answer to a four-letter word that is read.
const WORD_BYTES_MAX: u64 = 64 * 1024;

/// How long a server may take to answer a four-letter word.
const WORD_TIME: Duration = Duration::from_secs(2);

/// The end of a dial: a link, or nothing if the round is over.
pub(crate) struct Dialed {
    pub(crate) round: Round,
    pub(crate) link: Option<Link>,
}

/// Connects to the next address of a round that will have us. Each gets `limit`.
pub(crate) async fn dial(mut round: Round, limit: Duration) -> Dialed {
    while let Some(addr) = round.next_addr(limit).await {
        match Link::open(addr, limit).await {
            Ok(link) => return Dialed { round, link: Some(link) },
            Err(error) => round.note_failure(&addr, &error),
        }
    }
    Dialed { round, link: None }
}

/// Asks a server outside of any session, and reads its answer to the end.
pub(crate) async fn four_letter_word(server: SocketAddr, word: &[u8; 4]) -> io::Result<String> {
    let ask = async {
        let mut stream = TcpStream::connect(server).await?;
        stream.write_all(word).await?;
        let mut answer = Vec::new();
        stream.take(WORD_BYTES_MAX).read_to_end(&mut answer).await?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    timeout(WORD_TIME, ask).await?
}

/// A connection to one server.
#[derive(Debug)]
pub(crate) struct Link {
    stream: TcpStream,
    peer: SocketAddr,
}

impl Link {
    async fn open(addr: SocketAddr, limit: Duration) -> io::Result<Self> {
        let stream = timeout(limit, TcpStream::connect(addr)).await??;
        stream.set_nodelay(true)?;
        Ok(Self { stream, peer: addr })
    }

    pub(crate) const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Writes `output` as far as the socket takes it, and waits until something was read into `input`.
    /// Zero bytes mean that the server closed the connection.
    ///
    /// Cancelling it loses nothing: what was written is gone from `output`, what was read is in `input`.
    pub(crate) async fn exchange(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
    ) -> io::Result<usize> {
        poll_fn(|cx| self.poll_exchange(cx, input, output)).await
    }

    /// A write that fails is no reason to miss what the server said before it closed.
    fn poll_exchange(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut BytesMut,
        output: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        let written = self.poll_write_all(cx, output);
        match self.poll_read(cx, input) {
            Poll::Pending => match written {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            },
            read => read,
        }
    }

    fn poll_write_all(&mut self, cx: &mut Context<'_>, output: &mut BytesMut) -> Poll<io::Result<()>> {
        while !output.is_empty() {
            let bytes = ready!(Pin::new(&mut self.stream).poll_write(cx, output))?;
            if bytes == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            output.advance(bytes);
        }
        Poll::Ready(Ok(()))
    }

    /// The future of a single read keeps nothing between polls, so a new one may be made for each.
    fn poll_read(&mut self, cx: &mut Context<'_>, input: &mut BytesMut) -> Poll<io::Result<usize>> {
        if input.capacity() - input.len() < READ_BYTES / 4 {
            input.reserve(READ_BYTES);
        }
        pin!(self.stream.read_buf(input)).poll(cx)
    }
}
