//! The board behind its lock, as handles, streams, deliveries and the driver reach it.

use std::sync::Mutex;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::board::Board;
use crate::mutex::lock;

/// The board of a hub, and the bell that tells the driver of news.
#[derive(Debug)]
pub(super) struct Shared {
    board: Mutex<Board>,
    bell: Notify,
}

impl Shared {
    pub(super) fn new(board: Board) -> Self {
        Self { board: Mutex::new(board), bell: Notify::new() }
    }

    /// Does something with the board. Whoever is woken by it is woken when the lock is free.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Board, Instant) -> R) -> R {
        // Every change is complete before anything foreign is called, so a poisoned board is as good as any.
        let mut board = lock(&self.board);
        let result = act(&mut board, Instant::now());
        let (woken, rings) = board.take_calls();
        drop(board);
        for waker in woken {
            waker.wake();
        }
        if rings {
            self.bell.notify_one();
        }
        result
    }

    /// Waits until the driver has something to look at.
    pub(super) async fn rung(&self) {
        self.bell.notified().await;
    }
}
