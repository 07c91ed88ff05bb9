//! What others do to the machine meanwhile: figures taken in company are to be mistrusted.

use std::fs;
use std::time::Duration;

/// How much work the whole machine had done at some moment, and how much of it was ours, in ticks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    all: u64,
    busy: u64,
    ours: u64,
}

impl Weather {
    /// `None` where this cannot be found out. Cells count once they have ended, servers all the time.
    pub(crate) fn now(server: Option<u32>) -> Option<Self> {
        let stat = fs::read_to_string("/proc/stat").ok()?;
        let ticks: Vec<u64> = stat.lines().next()?.split_whitespace().skip(1).map_while(number).collect();
        let all = ticks.iter().take(8).sum();
        // The fourth is idle, the fifth waits for a disk.
        let busy = all - ticks.get(3)? - ticks.get(4)?;
        let ended = ticks_of("self", 4)?;
        let ours = ended + server.and_then(|id| ticks_of(&id.to_string(), 2)).unwrap_or(0);
        Some(Self { all, busy, ours })
    }

    /// The part of the machine that others used since.
    pub(crate) fn others_since(self, earlier: Self) -> f64 {
        let others = (self.busy - earlier.busy).saturating_sub(self.ours - earlier.ours);
        others as f64 / (self.all - earlier.all).max(1) as f64
    }
}

/// User and system time of all threads of a process, in steps of a tick. `None` where this cannot be found out.
pub(crate) fn cpu_of(process: u32) -> Option<Duration> {
    let ticks = ticks_of(&process.to_string(), 2)?;
    Some(Duration::from_secs(ticks) / u32::try_from(rustix::param::clock_ticks_per_second()).ok()?)
}

/// The sum of the first so many of a process's times: its own two, then those of its children that have ended.
fn ticks_of(process: &str, times: usize) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may hold anything. The times are the 14th to 17th field, and the name is the second.
    let (_, behind_name) = stat.rsplit_once(')')?;
    Some(behind_name.split_whitespace().skip(11).take(times).map_while(number).sum())
}

fn number(word: &str) -> Option<u64> {
    word.parse().ok()
}
