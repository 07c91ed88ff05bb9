//! One suite that says what subscriptions and publishers promise on every store.
//!
//! Each claim is a test of its own, played on keys that nobody else uses: the hub on the first client of the store,
//! whoever writes on the second.

#[doc(hidden)]
pub mod answers;
#[doc(hidden)]
pub mod changes;
mod helpers;
#[doc(hidden)]
pub mod prefixes;
#[doc(hidden)]
pub mod publishing;

/// Makes a test of every claim of the suite, each named for what it claims.
///
/// It takes an `async fn() -> Harness` that opens the store for one claim; attributes before it are put on every
/// test.
#[macro_export]
macro_rules! subscribe_suite {
    ($(#[$attribute:meta])* $open:path) => {
        $crate::subscribe_suite! { @list [$(#[$attribute])*] $open;
            answers::a_delivery_that_was_dropped_counts_as_refused,
            answers::a_nack_reaches_the_publisher_and_the_change_the_subscriber_again,
            answers::a_publisher_hears_the_answer_of_every_subscriber,
            answers::a_publisher_of_what_nobody_wants_waits_for_nobody,
            answers::a_refused_delivery_is_told_again_as_the_net_change,
            answers::a_resync_on_demand_goes_in_order_and_says_what_became_of_it,
            answers::a_subscriber_that_never_answers_wedges_nobody,
            answers::a_subscriber_that_was_told_nothing_yet_answers_for_a_commit_too,
            answers::many_quick_answers_are_all_counted,
            changes::a_change_has_its_value_its_previous_value_and_its_revision,
            changes::a_commit_over_two_prefixes_is_one_delivery,
            changes::a_prefix_does_not_select_its_neighbours,
            changes::a_value_that_did_not_change_is_not_told,
            changes::a_value_that_was_put_back_before_it_was_told_is_not_told,
            changes::a_write_between_listing_and_watching_is_seen,
            changes::overlapping_prefixes_give_each_change_once,
            changes::previous_values_are_of_the_key_and_not_of_the_change_before,
            changes::the_first_delivery_is_a_resync_of_every_prefix,
            changes::the_second_subscriber_sees_the_delete_with_its_previous_value,
            changes::two_over_overlapping_prefixes_are_told_every_change,
            prefixes::a_name_that_is_taken_is_an_error_until_its_subscriber_left,
            prefixes::a_removed_prefix_is_told_as_gone_and_watched_no_more,
            prefixes::a_wider_prefix_takes_the_place_of_a_narrower_one,
            prefixes::adding_and_removing_wait_for_nothing,
            prefixes::an_added_prefix_is_resynced_and_watched,
            prefixes::one_who_leaves_takes_nothing_from_the_others,
            publishing::a_batch_is_applied_together_or_not_at_all,
            publishing::a_key_of_a_lifetime_is_there_until_its_publisher_is_dropped,
            publishing::a_put_can_demand_absence_or_a_version,
            publishing::a_time_to_live_that_cannot_be_kept_is_refused,
            publishing::deleting_a_prefix_counts_and_leaves_its_neighbours,
        }
    };
    (@list $attributes:tt $open:path; $($group:ident :: $claim:ident,)+) => {
        $( $crate::subscribe_suite! { @test $attributes $open; $group :: $claim } )+
    };
    (@test [$($attribute:tt)*] $open:path; $group:ident :: $claim:ident) => {
        #[test]
        $($attribute)*
        fn $claim() {
            $crate::shared::check(stringify!($claim), $open, async |stage| {
                $crate::subscribe::$group::$claim(stage).await
            });
        }
    };
}
