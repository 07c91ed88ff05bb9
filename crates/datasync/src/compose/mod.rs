//! Several stores as one: to be watched, and to be written to.

mod feed;
mod layers;
mod overlay;
mod provenance;
mod published;
mod publishers;
mod sources;
mod status;

pub use overlay::Overlay;
pub use provenance::Provenance;
pub use published::{PublishFailures, Published};
pub use publishers::Publishers;
pub use sources::Sources;
pub use status::SourceStatus;
