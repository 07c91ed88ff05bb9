//! `SharedMap<K, T>`: many shared structs below one directory, each with a live copy once it is asked for.

mod key;
mod keys;
mod options;
mod segment;
mod shared_map;
mod slots;

pub use key::MapKey;
pub use keys::{KeysChange, MapKeys};
pub use options::MapOptions;
pub use shared_map::SharedMap;
