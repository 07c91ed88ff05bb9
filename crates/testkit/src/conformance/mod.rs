//! One suite that says what every store must do.
//!
//! Each claim is a test of its own, so that a failure is legible. It gets a fresh [`Harness`], works below a key that
//! nobody else uses, and assumes nothing about the rest of the store: all claims can run at once against one
//! server. What a store may lack is skipped only by its [`Capabilities`](quorate_datasync::Capabilities), and then
//! it must say `Unsupported`.

#[doc(hidden)]
pub mod claims;
mod harness;
mod observer;
mod refused;
mod stage;
mod suite;

pub use harness::Harness;
pub use observer::{Observer, next_change};
pub use refused::{assert_conflict, assert_refused};
pub use stage::{Stage, fresh, within};
#[doc(hidden)]
pub use suite::check;
