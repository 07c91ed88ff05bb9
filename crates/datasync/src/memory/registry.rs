//! The stores that have a name within this process.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, Weak};

use super::state::Shared;
use crate::mutex::lock;

static NAMED: LazyLock<Mutex<HashMap<String, Weak<Shared>>>> = LazyLock::new(Mutex::default);

/// The data of the store of this name; new if nobody holds it.
pub(super) fn shared(name: &str) -> Arc<Shared> {
    let mut named = lock(&NAMED);
    if let Some(shared) = named.get(name).and_then(Weak::upgrade) {
        return shared;
    }
    named.retain(|_, shared| shared.strong_count() > 0);
    let shared = Arc::new(Shared::default());
    named.insert(name.to_owned(), Arc::downgrade(&shared));
    shared
}
