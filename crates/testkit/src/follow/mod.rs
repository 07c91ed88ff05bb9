//! One suite that says what followers tell on every store: random histories, judged by a naive oracle.
//!
//! Where a store tells commits whole, the calls are those of the oracle, batch by batch. Elsewhere states may be
//! skipped: the calls lead to the oracle's state at every quiescent point, and in between no node has a state that it
//! never had, or one before its time.

mod history;
#[doc(hidden)]
pub mod model;
#[doc(hidden)]
pub mod nodes;
mod oracle;
mod record;
mod subject;

use std::time::Duration;

use tokio::runtime::Builder;
use tokio::time::timeout;

pub use subject::{Fault, Subject};

/// The longest that one claim may take.
const CLAIM_MAX: Duration = Duration::from_secs(120);

/// Makes a test of every claim of the suite, each named for what it claims.
///
/// It takes an `async fn() -> Subject` that opens the store for one claim; attributes before it are put on every
/// test.
#[macro_export]
macro_rules! follow_suite {
    ($(#[$attribute:meta])* $open:path) => {
        $crate::follow_suite! { @list [$(#[$attribute])*] $open;
            model::the_stream_of_a_projection_tells_what_the_oracle_tells,
            model::the_calls_of_a_filter_and_an_equality_are_those_of_the_oracle,
            nodes::a_single_node_is_waited_for_and_its_deletion_is_told,
            nodes::two_followers_of_one_handle_are_both_told_all_with_what_was_before,
            nodes::whoever_was_told_reads_at_least_that,
            model::what_happens_while_the_connection_is_lost_is_told_as_the_oracle_tells_it,
        }
    };
    (@list $attributes:tt $open:path; $($group:ident :: $claim:ident,)+) => {
        $( $crate::follow_suite! { @test $attributes $open; $group :: $claim } )+
    };
    (@test [$($attribute:tt)*] $open:path; $group:ident :: $claim:ident) => {
        #[test]
        $($attribute)*
        fn $claim() {
            $crate::follow::check(stringify!($claim), $open, async |subject, stage| {
                $crate::follow::$group::$claim(subject, stage).await
            });
        }
    };
}

/// Opens a store and tries one claim on it.
#[doc(hidden)]
pub fn check(
    name: &str,
    open: impl AsyncFnOnce() -> Subject,
    claim: impl AsyncFnOnce(&Subject, &crate::conformance::Stage),
) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime can be made").block_on(async {
        let subject = open().await;
        let stage = crate::conformance::Stage::new(&subject.harness, "follow");
        if timeout(CLAIM_MAX, claim(&subject, &stage)).await.is_err() {
            panic!("{name}: not done after {CLAIM_MAX:?}");
        }
        stage.store.close().await;
        stage.second.close().await;
    });
}
