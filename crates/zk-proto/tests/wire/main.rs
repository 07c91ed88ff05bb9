//! The encoding of records: golden bytes, round trips, hostile input.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod golden;
mod hostile;
mod recorded;
mod round_trip;
mod strategy;
