//! Server and client on different cores, so that neither is measured waiting for the other.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Moves this thread, and those it starts from now on, to the last core.
pub(crate) fn pin_to_the_servers() {
    let cores = allowed();
    if let [_, .., last] = cores[..] {
        pin(&[last]);
    }
}

/// Where a client runs. The server is on the last core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cores {
    /// Where the server is not: on one core, or on two if there are so many.
    Apart,
    /// Wherever the scheduler puts it, as in production. Clients of several threads may need it.
    Free,
}

impl Cores {
    pub(crate) const ALL: [Self; 2] = [Self::Apart, Self::Free];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Apart => "apart",
            Self::Free => "free",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cores| cores.name() == name)
    }

    /// Moves this thread, and those it starts from now on, to where a client is to run.
    pub(crate) fn take(self) {
        match (self, &allowed()[..]) {
            (Self::Free, _) | (Self::Apart, [] | [_]) => {}
            (Self::Apart, &[first, _]) => pin(&[first]),
            (Self::Apart, &[first, second, ..]) => pin(&[first, second]),
        }
    }
}

fn allowed() -> Vec<usize> {
    let set = sched_getaffinity(None).unwrap_or_else(|_| CpuSet::new());
    (0..CpuSet::MAX_CPU).filter(|&core| set.is_set(core)).collect()
}

fn pin(cores: &[usize]) {
    let mut set = CpuSet::new();
    cores.iter().for_each(|&core| set.set(core));
    // Where it is not allowed the figures are merely less steady.
    let _ = sched_setaffinity(None, &set);
}
