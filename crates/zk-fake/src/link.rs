//! The task of one connection: bytes in, bytes out.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::Notify,
    time::Instant,
};

use crate::{
    ensemble::{ConnectionId, Next},
    shared::Shared,
};

/// How much one read takes; a client's pipeline should fit, since reads are counted.
const READ_BYTES: usize = 256 * 1024;

/// Serves a connection until either side closes it.
pub(crate) async fn serve<S>(shared: Arc<Shared>, id: ConnectionId, wake: Arc<Notify>, mut stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    talk(&shared, id, &wake, &mut stream).await;
    shared.with(|state, _| state.remove_link(id));
    // A client that is gone already does not mind.
    let _ = stream.shutdown().await;
}

async fn talk<S>(shared: &Shared, id: ConnectionId, wake: &Notify, stream: &mut S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut paused = shared.paused(id);
    let (mut input, mut out) = (BytesMut::new(), BytesMut::new());
    // A frame of the largest size must fit; behind one that has to wait, the link itself is the queue.
    let input_bytes_max = shared.look(|state| state.ensemble.config().request_bytes_max) + READ_BYTES;
    let mut later = None;
    let mut half_closed = false;
    loop {
        if input.len() < input_bytes_max {
            input.reserve(READ_BYTES);
        }
        let mut ended = false;
        tokio::select! {
            biased;
            () = wake.notified() => {}
            () = until(later) => {}
            read = stream.read_buf(&mut input), if input.len() < input_bytes_max => {
                ended = !matches!(read, Ok(count) if count > 0);
            }
        }
        if ended || paused.wait_for(|paused| !paused).await.is_err() {
            return;
        }
        let (again, next) = shared.with(|state, now| {
            state.ensemble.handle_input(now, id, &mut input);
            state.ensemble.poll_transmit(now, id, &mut out)
        });
        later = again.map(|at| shared.instant(at));
        if !(half_closed || send(shared, id, wake, stream, &out).await) || next == Next::Closed {
            return;
        }
        out.clear();
        if next == Next::HalfClosed && !half_closed {
            half_closed = true;
            // A client that is gone already is noticed by reading.
            let _ = stream.shutdown().await;
        }
    }
}

/// Returns whether everything was sent. A client that reads nothing cannot keep a connection open that is to
/// be closed, as when its session expires.
async fn send<S>(shared: &Shared, id: ConnectionId, wake: &Notify, stream: &mut S, out: &[u8]) -> bool
where
    S: AsyncWrite + Unpin,
{
    let sending = async { stream.write_all(out).await.is_ok() && stream.flush().await.is_ok() };
    let mut woken = false;
    let closing = async {
        loop {
            wake.notified().await;
            woken = true;
            if shared.look(|state| state.ensemble.is_closing(id)) {
                return false;
            }
        }
    };
    let sent = tokio::select! {
        biased;
        sent = sending => sent,
        closed = closing => closed,
    };
    if woken {
        // It was meant for what comes next.
        wake.notify_one();
    }
    sent
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
