//! One suite that says what a shared struct promises on every store.
//!
//! Each claim is a test of its own, played by two independent clients of one store on a struct that nobody else
//! uses. What needs a store that fails on command is beside it: `shared_faults.rs` of `datasync` (memory), and
//! `faults.rs` (fake server) and `cuts_real.rs` (real server) of the `ZooKeeper` backend.
//!
//! | what is promised | the claims |
//! |---|---|
//! | one directory, or one plain key | `creating_makes_the_struct_with_its_parents`, `a_struct_on_one_plain_key_…`; `listeners_and_lock_directories_are_not_reaped_when_idle` |
//! | creating is atomic, joining tells no default, waiting waits | `two_who_create_at_once_…`, `joining_…`, `expecting_…` |
//! | reads: age from the asking, bounded, monotone, own writes at once | `the_age_of_a_copy_counts_from_when_its_proof_was_asked_for`, `one_read_can_have_a_bound_of_its_own`, `a_read_is_the_newest_that_was_told`, `a_writer_reads_its_own_write`, `a_hot_path_reads_what_everybody_reads`, `a_cut_off_copy_gets_stale_…` |
//! | a consistent read sees what was acknowledged before | `a_consistent_read_sees_…`, `reads_that_are_asked_for_together_share_one_barrier` |
//! | an update takes two round trips, an optimistic one takes one | `an_update_takes_two_round_trips`, `an_optimistic_update_is_one_round_trip_with_one_request` |
//! | updates that wait together share one write | `together::…_share_the_write`, `a_cut_before_any_…_of_a_shared_write_…`, `a_writer_that_is_dropped_in_the_write_…` |
//! | the difference is written, unknown fields survive | `an_update_writes_the_difference_…`, `an_update_that_changes_nothing_writes_nothing` |
//! | exactly once, or an error that says it was not | `a_cut_before_any_…`, `an_expiry_after_a_cut_…`, `a_lost_…`, `an_open_write_whose_lease_ended_…` |
//! | a panic, a refusal, a dropped future free the lock | `a_panic_…`, `a_refused_update_…`, `a_dropped_update_…` |
//! | who writes without the lock is not overwritten | `a_writer_outside_the_lock_…`, `both_ways_to_update_go_together` |
//! | every wait ends | `waiting_for_the_lock_ends_…`, `an_update_is_tried_as_…_as_allowed` |
//! | one change set for a revision, in order, minimal | `changes::…`, and the tests of the difference in `datasync` |
//! | origin, and skipping one's own | `an_own_change_is_told_once_…`, `the_origin_tells_…`, `own_changes_can_be_skipped` |
//! | a bound for each subscriber, then the net change | `a_subscriber_behind_its_bound_…` |
//! | resuming where history is kept | `a_stream_resumes_…`, `a_stream_does_not_resume_…` |
//! | all are told | `every_subscriber_is_told_every_change` |
//! | a handler that panics ends alone | `a_handler_runs_for_every_change_…` |
//! | poison leaves the good copy, ages it, and is recovered from | `a_payload_…`, `a_document_nested_…`, `a_copy_is_fresh_again_…` |
//! | deletion and recreation are told | `a_deleted_struct_…`, `an_update_of_a_deleted_struct_fails` |
//! | presence, back by itself, applied only if asked | `a_listener_…`, `listeners_are_told_…`, `what_was_applied_is_reported_…`, `a_stream_of_listeners_survives_…`, `after_an_expiry_…` |

mod agent;
#[doc(hidden)]
pub mod changes;
#[doc(hidden)]
pub mod lifetime;
#[doc(hidden)]
pub mod maps;
#[doc(hidden)]
pub mod reads;
#[doc(hidden)]
pub mod streams;
#[doc(hidden)]
pub mod together;
#[doc(hidden)]
pub mod updates;

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::timeout;

use crate::conformance::{Harness, Stage};

pub use agent::Agent;

/// What a claim may fail with.
pub type Claim = Result<(), Box<dyn std::error::Error + Send + Sync>>;

/// The longest that one claim may take.
const CLAIM_MAX: Duration = Duration::from_secs(90);

/// Makes a test of every claim of the suite, each named for what it claims.
///
/// It takes an `async fn() -> Harness` that opens the store for one claim; attributes before it are put on every
/// test.
#[macro_export]
macro_rules! shared_suite {
    ($(#[$attribute:meta])* $open:path) => {
        $crate::shared_suite! { @list [$(#[$attribute])*] $open;
            changes::a_change_of_another_process_arrives_field_by_field,
            changes::an_own_change_is_told_once_and_as_own,
            changes::equal_content_tells_nothing,
            changes::every_subscriber_is_told_every_change,
            changes::a_handler_runs_for_every_change_until_it_is_stopped,
            changes::a_selection_yields_only_what_changed_in_it,
            changes::a_selection_by_pointer_sees_what_the_type_does_not_know,
            changes::a_selection_is_told_of_a_deletion_and_of_the_return,
            changes::a_payload_that_cannot_be_decoded_is_rejected_and_the_good_copy_stays,
            changes::a_payload_of_the_wrong_shape_is_rejected,
            changes::a_document_nested_too_deeply_is_rejected,
            changes::a_large_payload_is_carried,
            lifetime::creating_makes_the_struct_with_its_parents,
            lifetime::two_who_create_at_once_share_one_value,
            lifetime::joining_never_tells_the_default_as_a_change,
            lifetime::joining_what_is_missing_fails,
            lifetime::joining_what_cannot_be_decoded_fails,
            lifetime::expecting_waits_until_it_exists,
            lifetime::expecting_gives_up_in_time,
            lifetime::a_listener_is_there_until_its_handle_is_dropped,
            lifetime::listeners_are_told_as_they_come_and_go,
            lifetime::a_listener_reports_what_it_applied_only_if_asked,
            lifetime::a_struct_on_one_plain_key_has_no_presence,
            lifetime::an_unlisted_handle_is_no_listener,
            lifetime::a_deleted_struct_is_told_and_comes_back,
            lifetime::a_struct_on_one_plain_key_has_neither_lock_nor_listeners,
            lifetime::invalid_keys_are_refused,
            maps::a_map_has_one_live_copy_for_each_key,
            maps::a_copy_of_a_map_ends_with_its_last_user,
            maps::a_map_keeps_the_copies_that_were_asked_for_last,
            maps::the_keys_of_a_map_are_those_whose_structs_exist,
            maps::the_keys_of_a_map_are_told_as_they_come_and_go,
            maps::a_struct_that_was_removed_from_a_map_can_be_made_again,
            maps::a_key_that_leaves_no_room_in_a_map_is_refused,
            maps::a_dropped_opening_of_a_map_holds_nobody_up,
            reads::a_read_is_the_newest_that_was_told,
            reads::a_consistent_read_sees_what_another_process_wrote,
            reads::a_writer_reads_its_own_write,
            reads::a_hot_path_reads_what_everybody_reads,
            reads::one_read_can_have_a_bound_of_its_own,
            reads::waiting_ends_when_the_copy_is_as_wanted,
            streams::a_subscriber_behind_its_bound_is_told_the_net_change,
            streams::the_origin_tells_handle_process_and_others_apart,
            streams::own_changes_can_be_skipped,
            streams::a_stream_resumes_at_a_revision_or_says_that_it_cannot,
            streams::a_stream_does_not_resume_where_nothing_was,
            together::updates_that_wait_together_share_one_write,
            together::a_refusal_leaves_those_who_share_the_write,
            together::a_panic_leaves_those_who_share_the_write,
            together::a_value_too_large_leaves_those_who_share_the_write,
            together::those_who_leave_leave_those_who_share_the_write,
            together::optimistic_updates_that_wait_together_lose_nothing,
            together::both_ways_to_update_go_together,
            together::an_update_is_tried_as_often_as_allowed,
            together::an_update_is_tried_as_long_as_allowed,
            updates::an_update_writes_the_difference_and_keeps_unknown_fields,
            updates::an_update_that_changes_nothing_writes_nothing,
            updates::a_refused_update_writes_nothing_and_frees_the_lock,
            updates::a_panic_in_the_closure_leaves_everything_as_it_was,
            updates::a_dropped_update_frees_the_lock,
            updates::concurrent_updates_lose_nothing,
            updates::concurrent_optimistic_updates_lose_nothing,
            updates::a_writer_outside_the_lock_is_not_overwritten,
            updates::a_strict_update_fails_if_the_copy_is_behind,
            updates::waiting_for_the_lock_ends_and_nothing_is_written,
            updates::an_update_of_a_deleted_struct_fails,
            updates::an_update_of_an_undecodable_struct_fails,
            updates::a_value_that_is_too_large_is_refused_and_the_lock_is_freed,
        }
    };
    (@list $attributes:tt $open:path; $($group:ident :: $claim:ident,)+) => {
        $( $crate::shared_suite! { @test $attributes $open; $group :: $claim } )+
    };
    (@test [$($attribute:tt)*] $open:path; $group:ident :: $claim:ident) => {
        #[test]
        $($attribute)*
        fn $claim() {
            $crate::shared::check(stringify!($claim), $open, async |stage| {
                $crate::shared::$group::$claim(stage).await
            });
        }
    };
}

/// Opens a store and tries one claim on it.
#[doc(hidden)]
pub fn check(name: &str, open: impl AsyncFnOnce() -> Harness, claim: impl AsyncFnOnce(&Stage) -> Claim) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        let harness = open().await;
        let stage = Stage::new(&harness, "shared");
        match timeout(CLAIM_MAX, claim(&stage)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("{name}: {error} ({error:?})"),
            Err(_) => panic!("{name}: not done after {CLAIM_MAX:?}"),
        }
        stage.store.close().await;
        stage.second.close().await;
    });
}
