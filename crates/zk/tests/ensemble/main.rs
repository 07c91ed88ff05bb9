//! The client at an ensemble of three real servers that are stopped, started and silenced under it.
//!
//! The rolling test takes half a minute. For a longer one, here of two minutes with its figures:
//!
//! ```text
//! QUORATE_SOAK_SECONDS=120 cargo test -p quorate-zk --test ensemble -- --ignored --nocapture rolling
//! ```

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod appenders;
mod counters;
mod replica;
mod rolling;
mod silence;
mod tally;
mod world;
