//! The task of one connection: bytes in, bytes out.

use std::sync::Arc;

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::Notify,
};

use crate::{ensemble::ConnectionId, shared::Shared};

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
    let mut paused = shared.paused();
    let (mut input, mut out) = (BytesMut::new(), BytesMut::new());
    loop {
        input.reserve(READ_BYTES);
        let mut ended = false;
        tokio::select! {
            biased;
            () = wake.notified() => {}
            read = stream.read_buf(&mut input) => ended = !matches!(read, Ok(count) if count > 0),
        }
        if ended || paused.wait_for(|paused| !paused).await.is_err() {
            return;
        }
        let closing = shared.with(|state, now| {
            state.ensemble.handle_input(now, id, &mut input);
            state.ensemble.poll_transmit(id, &mut out)
        });
        if stream.write_all(&out).await.is_err() || stream.flush().await.is_err() || closing {
            return;
        }
        out.clear();
    }
}
