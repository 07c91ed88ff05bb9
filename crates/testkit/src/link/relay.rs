//! One connection through a link.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::Direction;
use super::faults::Faults;
use super::frames::{Ended, Framer};
use super::journal::Journal;

/// What is read at once.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks under way in one direction. A sender past it is slowed down, as on a real line that is full.
const CHUNKS_MAX: usize = 1_024;

/// A chunk on its way.
#[derive(Debug)]
struct Chunk {
    due: Instant,
    bytes: Bytes,
    ended: Vec<Ended>,
    /// Cut once the bytes are delivered.
    last: bool,
}

/// The two directions of a connection.
#[derive(Debug)]
pub(super) struct Line {
    id: u64,
    cuts: u64,
    faults: watch::Sender<Faults>,
    journal: Arc<Journal>,
}

impl Line {
    pub(super) fn new(id: u64, faults: watch::Sender<Faults>, journal: Arc<Journal>) -> Self {
        let cuts = faults.borrow().cuts;
        Self { id, cuts, faults, journal }
    }

    /// Forwards both directions until both have ended or the link is cut. Both ends are closed then.
    pub(super) async fn run(self, client: TcpStream, server: TcpStream) {
        // Otherwise the kernel would hold small frames back and falsify every measurement.
        if client.set_nodelay(true).and(server.set_nodelay(true)).is_err() {
            return;
        }
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let mut faults = self.faults.subscribe();
        tokio::select! {
            biased;
            _ = faults.wait_for(|faults| faults.cuts != self.cuts) => {}
            _ = async {
                tokio::try_join!(
                    self.forward(Direction::ToServer, from_client, to_server),
                    self.forward(Direction::ToClient, from_server, to_client),
                )
            } => {}
        }
    }

    /// Forwards one direction. The end of the stream is passed on and is no error; a lost end is, and takes the
    /// other direction with it.
    async fn forward(
        &self,
        direction: Direction,
        from: OwnedReadHalf,
        mut to: OwnedWriteHalf,
    ) -> io::Result<()> {
        let (queue, chunks) = mpsc::channel(CHUNKS_MAX);
        tokio::try_join!(self.read(direction, from, queue), self.write(direction, chunks, &mut to))?;
        to.shutdown().await
    }

    /// Reads until the stream ends or the direction is closed. What goes to the server is recorded here, before any
    /// delay.
    async fn read(
        &self,
        direction: Direction,
        mut from: OwnedReadHalf,
        queue: mpsc::Sender<Chunk>,
    ) -> io::Result<()> {
        let mut framer = Framer::default();
        let mut buffer = BytesMut::new();
        let mut faults = self.faults.subscribe();
        let closed = faults.borrow_and_update().way(direction).closed;
        loop {
            buffer.reserve(CHUNK_BYTES);
            let read = tokio::select! {
                biased;
                _ = faults.wait_for(|faults| faults.way(direction).closed != closed) => 0,
                read = from.read_buf(&mut buffer) => read?,
            };
            if read == 0 {
                return Ok(());
            }
            let bytes = buffer.split().freeze();
            let due = Instant::now() + self.faults.borrow().way(direction).delay;
            let mut chunk = Chunk { due, ended: framer.push(&bytes), bytes, last: false };
            if direction == Direction::ToServer {
                self.record(direction, &mut chunk);
            }
            let last = chunk.last;
            if queue.send(chunk).await.is_err() || last {
                return Ok(());
            }
        }
    }

    /// Delivers every chunk when it is due. What goes to the client is recorded here, after any delay: then a
    /// client's frame that was sent without waiting for it comes first in the record.
    async fn write(
        &self,
        direction: Direction,
        mut chunks: mpsc::Receiver<Chunk>,
        to: &mut OwnedWriteHalf,
    ) -> io::Result<()> {
        let mut faults = self.faults.subscribe();
        while let Some(mut chunk) = chunks.recv().await {
            sleep_until(chunk.due).await;
            // The sender lives in `self`, so this cannot fail.
            let _ = faults.wait_for(|faults| !faults.way(direction).held).await;
            if direction == Direction::ToClient {
                self.record(direction, &mut chunk);
            }
            to.write_all(&chunk.bytes).await?;
            if chunk.last {
                self.faults.send_modify(Faults::cut);
            }
        }
        Ok(())
    }

    fn record(&self, direction: Direction, chunk: &mut Chunk) {
        let ended = std::mem::take(&mut chunk.ended);
        if let Some(end) = self.journal.record(direction, self.id, chunk.bytes.len(), ended) {
            chunk.bytes.truncate(end);
            chunk.last = true;
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.journal.disconnected(self.id);
    }
}
