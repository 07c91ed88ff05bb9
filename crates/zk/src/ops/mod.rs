//! Operations with the types of their own results and errors.
//!
//! `operation.rs` is their future, `route.rs` the way of their requests, `waiting.rs` what they wait for, and `again.rs`
//! decides what follows an answer that is not the end.

mod access;
mod again;
mod check_watches;
mod config;
mod create;
mod delete;
mod ensure_path;
mod error;
mod identity;
mod multi;
mod multi_builder;
mod multi_read;
mod operation;
mod own_node;
mod protected;
mod read;
mod route;
mod set_data;
mod survey;
mod sync;
mod waiting;
mod watching;

pub use access::{GetAclError, NodeAcl, SetAclError};
pub use check_watches::CheckWatchesError;
pub use config::{GetConfigError, NodeConfig, ReconfigError};
pub use create::{CreateError, Created};
pub use delete::DeleteError;
pub use identity::{AddAuthError, WhoAmIError};
pub use multi::{MultiError, MultiFate};
pub use multi_builder::{MultiBuilder, MultiItem};
pub use multi_read::MultiReadError;
pub use operation::Operation;
pub(crate) use own_node::OwnNode;
pub use protected::ProtectedCreate;
pub use read::{Children, ExistsError, GetChildrenError, GetDataError, NodeData};
pub use set_data::SetDataError;
pub use survey::{GetAllChildrenNumberError, GetEphemeralsError};
pub use sync::SyncError;
pub use watching::{Watch, WatchedOperation, WithWatcher};
