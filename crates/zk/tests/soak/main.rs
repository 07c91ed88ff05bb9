//! An hour of load and faults against the fake in virtual time: memory stays flat, and no task is left behind.
//!
//! A test binary of its own, since it looks at the memory of the whole process.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod agent;
mod world;

use std::time::Duration;

use tokio::{runtime::Handle, task::JoinSet, time::Instant};

use self::world::{World, resident_bytes};

/// How long the load lasts, in virtual time.
const HOUR: Duration = Duration::from_secs(3600);

/// How long it may take until every table, queue and buffer has the size that it needs.
const WARM_UP: Duration = Duration::from_secs(600);

/// How much more memory may be in use at the end than after the warm-up: what the allocator keeps at hand.
const GROWTH_MAX: usize = 8 * 1024 * 1024;

const AGENTS: u64 = 4;

#[tokio::test(start_paused = true)]
async fn an_hour_of_load_and_faults_leaks_neither_memory_nor_tasks() {
    let world = World::start().await;
    let tasks_before = Handle::current().metrics().num_alive_tasks();
    let start = Instant::now();
    let mut agents = JoinSet::new();
    for number in 0..AGENTS {
        agents.spawn(agent::work(world.clone(), number, start + HOUR));
    }
    let mut faults = world.clone();
    agents.spawn(async move {
        faults.trouble(start + HOUR).await;
        agent::Done::default()
    });

    tokio::time::sleep_until(start + WARM_UP).await;
    let warm = resident_bytes();
    let mut done = agent::Done::default();
    while let Some(part) = agents.join_next().await {
        done += part.unwrap();
    }
    let grown = resident_bytes().saturating_sub(warm);
    assert!(start.elapsed() >= HOUR);
    assert!(grown < GROWTH_MAX, "{grown} bytes more than after the warm-up");
    assert!(done.answered > 100_000 && done.failed > 100 && done.sessions > 100, "{done:?}");
    assert!(done.fired > 1_000 && done.withdrawn > 1_000, "{done:?}");

    world.settle(tasks_before).await;
    assert!(world.sessions() == 0, "sessions are left");
}
