//! What keeps a client's connections to itself: TLS, identities, and what happens when either goes wrong.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod handshakes;
mod hostile;
mod identities;
mod live;
mod options;
mod read_only;
mod reload;
mod sasl;
mod script;
mod support;
mod terminal;
