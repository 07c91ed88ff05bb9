//! The bytes of a connection, secured or not.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_rustls::client::TlsStream;

use super::{Dial, Transport};
use crate::{
    hosts::Target,
    tls::{Tls, TlsFailure},
};

/// Why there is no connection.
#[derive(Debug, Error)]
pub(super) enum OpenError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("not connected in time")]
    Late,
    #[error("{0}")]
    Tls(#[from] TlsFailure),
}

pub(super) enum Stream {
    Plain(TcpStream),
    /// Much larger than a socket.
    Tls(Box<TlsStream<TcpStream>>),
    Other(Box<dyn Transport>),
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain(..)",
            Self::Tls(_) => "Tls(..)",
            Self::Other(_) => "Other(..)",
        })
    }
}

impl Stream {
    /// Has a connection opened by somebody else, which may take until `deadline`.
    pub(super) async fn open_by(
        dialer: &dyn Dial,
        target: &Target,
        deadline: Instant,
    ) -> Result<Self, OpenError> {
        let dialing = dialer.dial(target.name(), target.addr());
        Ok(Self::Other(timeout_at(deadline, dialing).await.map_err(|_| OpenError::Late)??))
    }

    /// Connects, and shakes hands if there is a secret to keep. Each of both may take until `deadline`.
    pub(super) async fn open(
        target: &Target,
        tls: Option<&Arc<Tls>>,
        is_nagle: bool,
        deadline: Instant,
    ) -> Result<Self, OpenError> {
        let stream =
            timeout_at(deadline, TcpStream::connect(target.addr())).await.map_err(|_| OpenError::Late)??;
        stream.set_nodelay(!is_nagle)?;
        let Some(tls) = tls else { return Ok(Self::Plain(stream)) };
        match timeout_at(deadline, tls.secure(target.name(), stream)).await {
            Ok(secured) => Ok(Self::Tls(Box::new(secured?))),
            Err(_) => Err(TlsFailure::new("the server did not answer the TLS handshake in time").into()),
        }
    }

    pub(super) const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Other(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Other(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Other(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Other(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
