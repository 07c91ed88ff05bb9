//! What a connection is to be good at.

use std::{
    future::Future,
    pin::pin,
    task::Context,
    time::{Duration, Instant},
};

use tokio::task::yield_now;

/// How all connections of a client trade time for work.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tuning {
    /// For how long a reply is looked for before it is slept for.
    pub(crate) busy_poll: Duration,
    /// Whether small requests wait for the acknowledgement of what was sent before.
    pub(crate) is_nagle: bool,
}

/// Looks for replies again and again for a while, instead of sleeping until there is one.
///
/// Everything else that is ready runs in between. Where replies do not come in time nothing is looked for, until one
/// does: then the waiting would only be work.
#[derive(Debug)]
pub(super) struct BusyPoll {
    time_max: Duration,
    /// Since when a reply is waited for. By the clock of the machine: one that stands still would be looked at for ever.
    since: Option<Instant>,
    /// Whether the last wait was shorter than the longest.
    is_worth_it: bool,
}

impl BusyPoll {
    /// Nothing, if it is to take no time.
    pub(super) fn new(time_max: Duration) -> Option<Box<Self>> {
        (!time_max.is_zero()).then(|| Box::new(Self { time_max, since: None, is_worth_it: true }))
    }

    /// There is no reply yet: has the task polled once more, as soon as the others had their turn, unless it has
    /// looked for long enough.
    pub(super) fn on_nothing(&mut self, cx: &mut Context<'_>) {
        let since = *self.since.get_or_insert_with(Instant::now);
        if !self.is_worth_it {
            return;
        }
        if since.elapsed() < self.time_max {
            // It wakes the task once the runtime has looked at the sockets.
            let _ = pin!(yield_now()).poll(cx);
        } else {
            self.is_worth_it = false;
        }
    }

    /// Something was read.
    pub(super) fn on_read(&mut self) {
        if let Some(since) = self.since.take() {
            self.is_worth_it = since.elapsed() < self.time_max;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    };
    use std::task::{Wake, Waker};

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    /// How often the task is woken when nothing is there once more.
    fn woken(busy: &mut BusyPoll) -> usize {
        let count = Arc::new(Count::default());
        busy.on_nothing(&mut Context::from_waker(&Waker::from(Arc::clone(&count))));
        count.0.load(Relaxed)
    }

    #[test]
    fn by_default_nothing_is_looked_for() {
        assert!(BusyPoll::new(Tuning::default().busy_poll).is_none());
    }

    #[test]
    fn a_reply_is_looked_for_as_long_as_it_may_take() {
        let mut busy = BusyPoll::new(LONG).unwrap();
        assert_eq!([woken(&mut busy), woken(&mut busy)], [1, 1]);
        busy.on_read();
        assert_eq!(woken(&mut busy), 1);
    }

    #[test]
    fn late_replies_are_slept_for_until_one_is_prompt_again() {
        let mut busy = BusyPoll::new(Duration::from_nanos(1)).unwrap();
        busy.since = Some(Instant::now());
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(woken(&mut busy), 0);
        busy.on_read();
        busy.time_max = LONG;
        assert_eq!(woken(&mut busy), 0);
        busy.on_read();
        assert_eq!(woken(&mut busy), 1);
    }
}
