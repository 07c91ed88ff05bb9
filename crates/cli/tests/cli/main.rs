//! The program, run as scripts run it: exit codes, JSON shapes, signals, many processes at once.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod follow;
mod keys;
mod lock;
mod program;
mod secured;
mod structs;
mod support;
mod sync;
mod terminal;
mod unreachable;
mod watch;
mod words;
mod writers;
mod zookeeper;
