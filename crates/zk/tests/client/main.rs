//! The client against servers: the same tests against the fake and, ignored by default, a real one.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

/// Runs every test named on a fake server, and on a real one when asked for.
macro_rules! on_both_servers {
    ($($name:ident),+ $(,)?) => {
        mod fake {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::world::World::fake().await).await;
                }
            )+
        }

        mod real {
            $(
                #[tokio::test]
                #[ignore = "needs a ZooKeeper server"]
                async fn $name() {
                    super::$name(crate::world::World::real().await).await;
                }
            )+
        }
    };
}

mod conversation;
mod cuts;
mod following;
mod handover;
mod hosts;
mod observed;
mod one_shots;
mod removals;
mod requests;
mod sessions;
mod tuning;
mod watch_modes;
mod watches;
mod world;
