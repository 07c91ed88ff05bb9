//! A part of one store kept equal to a part of another.

mod batch;
mod event;
mod mirror;
mod mirroring;
mod outage;
mod plan;
mod verdict;
mod work;

pub use event::{MirrorEvent, MirrorProgress, Side};
pub use mirror::Mirror;
pub use mirroring::Mirroring;
