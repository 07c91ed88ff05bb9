//! A connection to one server.

use std::{
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite};

use super::{room::Room, stream::Stream, tuning::BusyPoll};
use crate::{hosts::Target, tls::TlsFailure};

/// How an alert of TLS starts: its type, and the version's first byte. As a length it would be over every limit.
const TLS_ALERT: [u8; 2] = [0x15, 0x03];

/// A connection to one server.
#[derive(Debug)]
pub(crate) struct Link {
    stream: Stream,
    target: Target,
    room: Room,
    busy_poll: Option<Box<BusyPoll>>,
    /// Whether something was written that may still be kept back to be encrypted or sent.
    needs_flush: bool,
    /// Whether anything was read yet.
    is_fresh: bool,
}

impl Link {
    pub(super) fn new(stream: Stream, target: Target, busy_poll: Option<Box<BusyPoll>>) -> Self {
        Self { stream, target, room: Room::default(), busy_poll, needs_flush: false, is_fresh: true }
    }

    pub(crate) const fn peer(&self) -> SocketAddr {
        self.target.addr()
    }

    /// Writes `output` as far as the socket takes it, and waits until something was read into `input`.
    /// Zero bytes mean that the server closed the connection. With `expects`, a reply is due.
    ///
    /// Cancelling it loses nothing: what was written is gone from `output`, what was read is in `input`.
    pub(crate) async fn exchange(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
        expects: bool,
    ) -> io::Result<usize> {
        poll_fn(|cx| {
            let read = self.poll_exchange(cx, input, output);
            match (&mut self.busy_poll, &read) {
                (Some(busy_poll), Poll::Ready(_)) => busy_poll.on_read(),
                (Some(busy_poll), Poll::Pending) if expects => busy_poll.on_nothing(cx),
                _ => {}
            }
            read
        })
        .await
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
            Poll::Ready(Ok(count)) if self.is_fresh => Poll::Ready(self.check_first(input).map(|()| count)),
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
            self.needs_flush = true;
        }
        if self.needs_flush {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.needs_flush = false;
        }
        Poll::Ready(Ok(()))
    }

    /// The future of a single read keeps nothing between polls, so a new one may be made for each.
    fn poll_read(&mut self, cx: &mut Context<'_>, input: &mut BytesMut) -> Poll<io::Result<usize>> {
        self.room.make(input);
        pin!(self.stream.read_buf(input)).poll(cx)
    }

    /// A server that speaks TLS answers what it cannot read with an alert.
    fn check_first(&mut self, input: &BytesMut) -> io::Result<()> {
        self.is_fresh = input.len() < TLS_ALERT.len();
        if self.stream.is_plain() && input.starts_with(&TLS_ALERT) {
            return Err(TlsFailure::new("the server speaks TLS on this port, and the client does not").into());
        }
        Ok(())
    }
}
