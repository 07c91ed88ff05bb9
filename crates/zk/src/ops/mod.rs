//! Operations with the types of their own results and errors.

mod create;
mod delete;
mod error;
mod multi;
mod operation;
mod read;
mod set_data;
mod sync;
mod watching;

pub use create::{CreateError, Created};
pub use delete::DeleteError;
pub use multi::MultiError;
pub use operation::Operation;
pub use read::{Children, ExistsError, GetChildrenError, GetDataError, NodeData};
pub use set_data::SetDataError;
pub use sync::SyncError;
pub use watching::{Watch, WatchedOperation, WithWatcher};
