//! What a fake is told before it starts.

use std::{io, time::Duration};

use quorate_zk_proto::{OpCode, REQUEST_BYTES_MAX};

use crate::{clock::millis, ensemble::Config, fake::FakeZooKeeper};

/// The version of ZooKeeper that is imitated: which operations it knows, and how its watches behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ServerVersion {
    /// 3.4: no containers, no stat on create, no removing of watches.
    V3_4,
    /// 3.5: no persistent watches, no multi read.
    V3_5,
    /// 3.6: no `whoAmI`.
    V3_6,
    /// 3.7: like 3.8.
    V3_7,
    /// 3.8.0: one watch mode for each path and session, and no zxid in notifications.
    V3_8,
    /// 3.9: all watch modes side by side, and the zxid in notifications.
    V3_9,
}

impl ServerVersion {
    /// Returns whether such a server knows the operation. It closes the connection on others.
    #[must_use]
    pub fn knows(self, op: OpCode) -> bool {
        let since = match op {
            OpCode::Create2 | OpCode::RemoveWatches | OpCode::CreateContainer | OpCode::CreateTtl => {
                Self::V3_5
            }
            OpCode::MultiRead
            | OpCode::GetEphemerals
            | OpCode::GetAllChildrenNumber
            | OpCode::SetWatches2
            | OpCode::AddWatch => Self::V3_6,
            OpCode::WhoAmI => Self::V3_7,
            _ => Self::V3_4,
        };
        self >= since
    }

    /// Returns the version as a server writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::V3_4 => "3.4.14",
            Self::V3_5 => "3.5.10",
            Self::V3_6 => "3.6.4",
            Self::V3_7 => "3.7.1",
            Self::V3_8 => "3.8.0",
            Self::V3_9 => "3.9.3",
        }
    }
}

/// The settings of a [`FakeZooKeeper`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use quorate_zk_fake::{FakeZooKeeper, ServerVersion};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let server = FakeZooKeeper::builder()
///     .version(ServerVersion::V3_9)
///     .tick(Duration::from_millis(50))
///     .start()
///     .await?;
/// assert!(server.addr().ip().is_loopback());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    config: Config,
}

impl Default for Builder {
    fn default() -> Self {
        let config = Config {
            version: ServerVersion::V3_8,
            tick: 2000,
            request_bytes_max: REQUEST_BYTES_MAX,
            ttl_nodes: false,
            sessions_move: false,
        };
        Self { config }
    }
}

impl Builder {
    /// Sets the version to imitate. 3.8 by default.
    pub const fn version(mut self, version: ServerVersion) -> Self {
        self.config.version = version;
        self
    }

    /// Sets the tick; session timeouts are held within 2 and 20 of them. 2 s by default, as on a server.
    pub fn tick(mut self, tick: Duration) -> Self {
        self.config.tick = millis(tick).clamp(1, i64::from(i32::MAX) / 20);
        self
    }

    /// Sets the largest request; the connection of a larger one is closed. 1,048,575 bytes by default.
    pub const fn jute_maxbuffer(mut self, bytes_max: usize) -> Self {
        self.config.request_bytes_max = bytes_max;
        self
    }

    /// Allows znodes with a time to live, which servers refuse unless `extendedTypesEnabled` is set.
    pub const fn ttl_nodes_enabled(mut self) -> Self {
        self.config.ttl_nodes = true;
        self
    }

    /// Treats every connection as one to another member of the ensemble. When a session connects again its
    /// older connection then stays: it can still read, and is closed on its first write. Otherwise the older
    /// connection is closed at once, as by a server on which the session connects again.
    pub const fn sessions_move(mut self) -> Self {
        self.config.sessions_move = true;
        self
    }

    /// Starts listening on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// Whatever the operating system has against listening there.
    ///
    /// # Cancel safety
    ///
    /// Nothing is left behind if the future is dropped.
    pub async fn start(self) -> io::Result<FakeZooKeeper> {
        FakeZooKeeper::start_with(self.config).await
    }
}
