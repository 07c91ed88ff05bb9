//! Followers, on the store in memory.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

mod callbacks;
mod defects;
mod limits;
mod model;
mod place;
mod view;
