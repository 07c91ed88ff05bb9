//! Several stores as one: to be watched, and to be written to.

mod conformance;
mod layers;
mod life;
mod publishers;
mod random;
mod support;
