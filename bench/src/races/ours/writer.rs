//! Writes, one by one.

use std::sync::Arc;

use quorate::{Key, Shared, Store, StoreExt};

use super::{Count, Lines, Result, answer, number};
use crate::races::beat;

/// Writes each number that it is told, and says when that began and when it was acknowledged.
pub(super) async fn serve(role: &str, store: &Arc<dyn Store>, place: Key, lines: Lines) -> Result<()> {
    let payload = place.join("payload")?;
    let shared = Shared::open(store, place).unlisted().create(Count::default()).await?;
    answer(lines, |line| {
        let (shared, store, payload) = (shared.clone(), Arc::clone(store), payload.clone());
        async move {
            let n = number(&line)?;
            let start = beat::now();
            match role {
                "put" => _ = store.put(&payload, serde_json::to_vec(&Count { n })?).await?,
                "write-exclusive" => _ = shared.update(|count| count.n = n).await?,
                _ => _ = shared.update_optimistic(|count| count.n = n).await?,
            }
            Ok(format!("wrote {start} {}", beat::now()))
        }
    })
    .await
}
