//! The session, driven through its public interface by a scripted server.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod buffers;
mod coexistence;
mod handover;
mod handshake;
mod hostile;
mod lifetime;
mod many_watches;
mod requests;
mod sasl;
mod script;
mod watches;
