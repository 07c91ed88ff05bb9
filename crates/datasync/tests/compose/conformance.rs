//! What every store must do when it is read and watched, an overlay does too.
//!
//! The claims write to the store that they are given; here such writes go to a source, and are answered when the
//! overlay shows them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use quorate_datasync::{
    Capabilities, Committed, Consistency, Key, Lease, List, Listing, Memory, Overlay, Prefix, RawChanges,
    Read, Result, Selection, Sources, Store, StoreStatus, Txn, Want, WatchFrom, Write,
};
use quorate_testkit::conformance::{Harness, within};
use tokio::sync::watch;

/// An overlay of two sources, the second of which is written to.
#[derive(Debug)]
struct Written {
    overlay: Arc<Overlay>,
    source: Memory,
}

#[async_trait]
impl Store for Written {
    fn capabilities(&self) -> Capabilities {
        let mut capabilities = self.overlay.capabilities();
        capabilities.txn_keys_max = self.source.capabilities().txn_keys_max;
        capabilities.ttl_granularity = self.source.capabilities().ttl_granularity;
        capabilities
    }

    fn status(&self) -> watch::Receiver<StoreStatus> {
        self.overlay.status()
    }

    async fn get(&self, key: &Key, want: Want, at: Consistency) -> Result<Read> {
        self.overlay.get(key, want, at).await
    }

    async fn list(&self, prefix: &Prefix, want: List, at: Consistency) -> Result<Listing> {
        self.overlay.list(prefix, want, at).await
    }

    async fn commit(&self, txn: Txn) -> Result<Committed> {
        // A key of the test's own tells when all before it shows.
        let mark = Key::parse("/mark")?;
        let put = txn.writes().iter().find_map(|write| match write {
            Write::Put { key, .. } => Some(key.clone()),
            _ => None,
        });
        let mut committed = self.source.commit(txn).await?;
        let marked = self.source.commit(Txn::new().put(&mark, "v")).await?.revision;
        within("the overlay shows the commit", async {
            while self.overlay.provenance(&mark).is_none_or(|shown| shown.revision < marked) {
                tokio::task::yield_now().await;
            }
        })
        .await;
        // The overlay has revisions of its own.
        let shown = put.and_then(|put| self.overlay.provenance(&put)).map(|provenance| provenance.shown);
        committed.revision = match shown {
            Some(shown) => shown,
            None => self.overlay.get(&mark, Want::Stat, Consistency::Local).await?.revision,
        };
        Ok(committed)
    }

    async fn watch(&self, what: &Selection, from: WatchFrom) -> Result<RawChanges> {
        self.overlay.watch(what, from).await
    }

    async fn grant(&self, ttl: Duration) -> Result<Lease> {
        self.source.grant(ttl).await
    }

    async fn close(&self) {
        self.overlay.close().await;
        self.source.close().await;
    }
}

async fn open() -> Harness {
    let source = Memory::new();
    let first = written(&source).await;
    let second = Written { overlay: Arc::clone(&first.overlay), source: source.handle() };
    Harness::new(Arc::new(first), Arc::new(second))
}

/// Two overlays of the same sources, of which one can be closed without the other.
async fn open_apart() -> Harness {
    let source = Memory::new();
    Harness::new(Arc::new(written(&source).await), Arc::new(written(&source).await))
}

async fn written(source: &Memory) -> Written {
    let (lower, source) = (Memory::new(), source.handle());
    let below: Arc<dyn Store> = Arc::new(lower);
    let above: Arc<dyn Store> = Arc::new(source.handle());
    let sources =
        Sources::new().add("below", &below, Prefix::root(), 0).add("above", &above, Prefix::root(), 1);
    let overlay = Arc::new(sources.open().expect("the names differ"));
    overlay.synced().await;
    Written { overlay, source }
}

quorate_testkit::conformance_suite! { @list [] open;
    commits::a_parent_and_its_child_are_put_in_either_order,
    commits::a_parent_is_deleted_after_its_child_in_one_transaction,
    handles::two_handles_see_the_same_incarnation,
    handles::a_synced_read_sees_what_was_acknowledged,
    listings::names_are_one_level_with_directories,
    listings::keys_are_listed_at_every_depth_without_directories,
    listings::entries_are_listed_as_they_are_read,
    listings::a_prefix_selects_neither_its_key_nor_its_neighbours,
    listings::a_directory_is_no_entry,
    listings::below_nothing_is_nothing,
    listings::what_is_deleted_is_no_longer_listed,
    listings::a_listing_says_up_to_where_it_is_complete,
    listings::many_entries_are_listed,
    load::changes_of_one_key_come_in_order,
    load::a_commit_of_two_keys_is_seen_whole_where_promised,
    load::progress_is_told_after_all_that_it_covers,
    load::a_slow_consumer_is_told_all_or_a_gap,
    load::a_slow_consumer_catches_up,
    load::a_thousand_watches_come_and_go,
    load::a_local_read_never_goes_back,
    values::a_value_that_was_put_is_read_back,
    values::a_put_replaces_the_value,
    values::a_deleted_key_is_absent,
    values::a_stat_carries_the_length_and_not_the_value,
    values::an_absence_is_read_at_a_revision,
    values::a_value_may_be_any_bytes,
    values::a_key_may_have_any_letters,
    values::the_longest_key_is_kept,
    values::a_write_moves_the_revision_and_not_created,
    values::a_key_made_again_has_another_version_and_creation,
    values::revisions_grow_over_keys_and_handles,
    watches::a_watch_of_a_key_tells_its_creation_change_and_deletion,
    watches::a_watch_begins_with_what_is_there,
    watches::a_watch_of_a_key_is_not_told_of_others,
    watches::a_watch_of_a_prefix_tells_every_depth_and_no_neighbour,
    watches::a_replica_of_a_prefix_follows_every_depth,
    watches::a_change_right_after_a_watch_is_armed_is_told,
    watches::a_watch_from_the_past_replays_or_says_that_it_cannot,
    watches::a_watch_from_the_present_replays_nothing,
    watches::a_watch_that_sleeps_is_woken_by_a_change,
    watches::a_watch_that_tells_whole_commits_says_where_they_end,
    watches::everybody_who_watches_is_told,
    watches::the_deletion_of_many_is_told_for_each,
}

quorate_testkit::conformance_suite! { @list [] open_apart;
    handles::an_open_store_is_live_and_a_closed_one_closed,
    handles::after_its_end_a_store_is_closed_to_everything,
    handles::a_store_that_is_closed_ends_its_watches,
    handles::a_watch_that_waits_is_ended_by_the_close,
    handles::one_handle_is_closed_without_the_other,
}
