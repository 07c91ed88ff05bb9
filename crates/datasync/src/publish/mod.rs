//! Publishing: values into a store, for a time, for a life, or under a condition.

mod batch;
mod delete;
mod lifetimes;
mod publisher;
mod put;

pub use batch::PublishBatch;
pub use delete::Delete;
pub use publisher::Publisher;
pub use put::Put;
