//! Every operation, against the fake and, ignored by default, real servers: one on its own, and an ensemble of three.
//!
//! The claims are the same everywhere; `live.rs` runs them on the real ones, and on any other server by hand.

#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

/// Runs every claim named on a fake server of its own, and lists them for the real ones.
macro_rules! claims {
    ($($name:ident),+ $(,)?) => {
        mod fake {
            $(
                #[tokio::test]
                async fn $name() {
                    super::$name(crate::world::World::fake().await).await;
                }
            )+
        }

        pub(crate) const CLAIMS: &[crate::live::Claim] = &[
            $((concat!(module_path!(), "::", stringify!($name)), |world| Box::pin($name(world)))),+
        ];
    };
}

mod access;
mod children;
mod create;
mod deadlines;
mod ensure_path;
mod live;
mod multi;
mod nodes;
mod old_servers;
mod protected;
mod protected_live;
mod reconfig;
mod retries;
mod server;
mod world;
