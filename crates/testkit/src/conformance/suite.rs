//! The list of all claims, and how one of them is tried.

use std::time::Duration;

use quorate_datasync::Result;
use tokio::runtime::Builder;
use tokio::time::timeout;

use super::{Harness, Stage};

/// The longest that one claim may take.
const CLAIM_MAX: Duration = Duration::from_secs(90);

/// Makes a test of every claim of the suite, each named for what it claims.
///
/// It takes an `async fn() -> Harness` that opens the store for one claim; attributes before it are put on every
/// test. The tests need no runtime of their own.
///
/// A store that only shows what others write is given as `reading: open, closing: open_apart`: the claims about what
/// writes promise are left out, and those that close a handle get a harness of their own.
///
/// ```
/// use std::sync::Arc;
///
/// use quorate_datasync::Memory;
/// use quorate_testkit::conformance::Harness;
///
/// async fn open() -> Harness {
///     let store = Memory::new();
///     let second = store.handle();
///     Harness::new(Arc::new(store), Arc::new(second))
/// }
///
/// quorate_testkit::conformance_suite!(open);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! conformance_suite {
    ($(#[$attribute:meta])* $open:path) => {
        $crate::conformance_suite! { @reading [$(#[$attribute])*] $open }
        $crate::conformance_suite! { @closing [$(#[$attribute])*] $open }
        $crate::conformance_suite! { @writing [$(#[$attribute])*] $open }
    };
    ($(#[$attribute:meta])* reading: $open:path, closing: $apart:path) => {
        $crate::conformance_suite! { @reading [$(#[$attribute])*] $open }
        $crate::conformance_suite! { @closing [$(#[$attribute])*] $apart }
    };
    (@reading $attributes:tt $open:path) => {
        $crate::conformance_suite! { @list $attributes $open;
            commits::a_parent_is_deleted_after_its_child_in_one_transaction,
            commits::a_parent_and_its_child_are_put_in_either_order,
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
    };
    (@closing $attributes:tt $open:path) => {
        $crate::conformance_suite! { @list $attributes $open;
            handles::an_open_store_is_live_and_a_closed_one_closed,
            handles::after_its_end_a_store_is_closed_to_everything,
            handles::a_store_that_is_closed_ends_its_watches,
            handles::a_watch_that_waits_is_ended_by_the_close,
            handles::one_handle_is_closed_without_the_other,
        }
    };
    (@writing $attributes:tt $open:path) => {
        $crate::conformance_suite! { @list $attributes $open;
            checks::a_write_at_the_current_version_is_applied,
            checks::a_write_at_an_old_version_is_refused,
            checks::a_delete_at_the_current_version_is_applied,
            checks::a_version_of_a_key_that_is_gone_is_refused,
            checks::a_key_is_created_once,
            checks::a_directory_counts_as_absent,
            checks::a_presence_check_holds_while_the_key_exists,
            checks::a_check_alone_is_a_commit,
            checks::the_first_refused_check_is_named,
            checks::a_refused_check_comes_before_a_refused_write,
            checks::a_refused_transaction_writes_nothing,
            checks::an_absence_check_is_only_for_a_key_that_is_put,
            checks::two_writers_that_compare_and_set_lose_no_increment,
            commits::the_writes_of_one_transaction_share_a_revision,
            commits::deleting_what_is_absent_succeeds,
            commits::a_delete_of_nothing_stops_no_other_write,
            commits::a_key_with_keys_below_it_is_not_deleted,
            commits::a_directory_with_keys_below_it_is_not_deleted,
            commits::a_key_written_twice_is_invalid,
            commits::trailing_reads_see_the_writes_before_them,
            commits::a_transaction_may_only_read,
            commits::a_refused_transaction_reads_nothing,
            commits::directories_are_kept_and_removed_or_ignored,
            commits::a_directory_is_made_together_with_what_is_put,
            handles::a_linearizable_read_sees_what_was_acknowledged,
            leases::an_entry_shows_its_lease,
            leases::a_revoked_lease_takes_its_keys_and_others_are_told,
            leases::a_dropped_lease_takes_its_keys,
            leases::a_lease_takes_only_its_own_keys,
            leases::the_end_of_a_lease_is_told_to_whoever_waits,
            leases::a_commit_under_an_ended_lease_is_refused,
            leases::nothing_is_put_below_a_leased_key,
            leases::a_key_with_keys_below_it_is_not_put_under_a_lease,
            leases::a_put_never_changes_the_lease_of_a_key,
            leases::a_leased_key_is_written_again_under_its_lease,
            leases::anybody_may_delete_a_leased_key,
            leases::a_closed_store_gives_up_its_leases_at_once,
            limits::an_empty_value_needs_a_lease,
            limits::the_longest_value_is_kept,
            limits::a_value_that_is_too_long_is_refused_by_both_sizes,
            limits::as_many_writes_as_promised_are_committed,
            limits::more_writes_than_promised_are_refused,
            limits::a_key_lives_as_long_as_it_was_told_or_is_refused,
            limits::a_put_without_a_time_to_live_makes_a_key_stay,
            limits::a_time_to_live_below_the_step_is_refused,
            load::a_replica_under_concurrent_writes_ends_like_the_store,
            load::creation_is_a_race_that_one_wins,
            unique::a_unique_name_is_its_stem_and_a_number,
            unique::unique_names_need_no_lease,
            unique::unique_names_are_in_the_order_of_their_creation,
            unique::a_number_is_not_given_again_after_its_key_is_deleted,
            unique::a_unique_name_is_among_the_names_read_with_it,
            values::a_commit_says_how_its_writes_stand,
            values::a_handle_reads_its_own_writes_from_wherever_is_nearest,
        }
    };
    (@list $attributes:tt $open:path; $($group:ident :: $claim:ident,)*) => {
        $($crate::conformance_suite! { @claim $attributes $open; $group $claim })*
    };
    (@claim [$(#[$attribute:meta])*] $open:path; $group:ident $claim:ident) => {
        $(#[$attribute])*
        #[test]
        fn $claim() {
            $crate::conformance::check(
                stringify!($claim),
                $open,
                $crate::conformance::claims::$group::$claim,
            );
        }
    };
}

/// Tries one claim on a store that is opened for it.
///
/// # Panics
///
/// If the claim does not hold, or takes too long.
pub fn check(name: &str, open: impl AsyncFnOnce() -> Harness, claim: impl AsyncFnOnce(&Stage) -> Result<()>) {
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).enable_all().build().expect("a runtime can be started");
    runtime.block_on(async {
        let harness = open().await;
        let stage = Stage::new(&harness, name);
        let Ok(outcome) = timeout(CLAIM_MAX, claim(&stage)).await else {
            panic!("{name}: not decided within {CLAIM_MAX:?}");
        };
        if let Err(error) = outcome {
            panic!("{name}: the store failed: {error}: {error:?}");
        }
        if let Err(error) = stage.clean().await {
            panic!("{name}: what the claim left behind could not be deleted: {error}");
        }
        stage.store.close().await;
        stage.second.close().await;
    });
}

#[cfg(test)]
mod tests {
    const SUITE: &str = include_str!("suite.rs");

    #[test]
    fn every_claim_is_part_of_the_suite() {
        let claims = [
            ("checks", include_str!("claims/checks.rs")),
            ("commits", include_str!("claims/commits.rs")),
            ("handles", include_str!("claims/handles.rs")),
            ("leases", include_str!("claims/leases.rs")),
            ("limits", include_str!("claims/limits.rs")),
            ("listings", include_str!("claims/listings.rs")),
            ("load", include_str!("claims/load.rs")),
            ("unique", include_str!("claims/unique.rs")),
            ("values", include_str!("claims/values.rs")),
            ("watches", include_str!("claims/watches.rs")),
        ];
        for (group, source) in claims {
            let names = source.lines().filter_map(|line| line.strip_prefix("pub async fn ")?.split_once('('));
            for (name, _) in names {
                assert!(SUITE.contains(&format!(" {group}::{name},")), "{group}::{name} is not in the suite");
            }
        }
    }
}
