//! A part of one store kept equal to a part of another.

mod basics;
mod faults;
mod keys;
mod random;
mod refused;
mod support;
