//! What is measured.

/// The data of the small znode, and of all that is written.
pub(crate) static SMALL: [u8; 100] = [b's'; 100];
/// The data of the big znode.
pub(crate) static BIG: [u8; 16 * 1024] = [b'b'; 16 * 1024];

pub(crate) const ROOT_PATH: &str = "/bench";
pub(crate) const SMALL_PATH: &str = "/bench/small";
pub(crate) const BIG_PATH: &str = "/bench/big";
/// Setting it makes the canned server fire every watch there is.
pub(crate) const FIRE_PATH: &str = "/bench/fire";

/// Operations in a multi.
pub(crate) const MULTI_OPS: usize = 100;
/// Watches armed before they are fired.
pub(crate) const WATCHES: usize = 10_000;

/// What is done over and over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    GetSmall,
    GetBig,
    Set,
    CreateDelete,
    Multi,
    WatchesArmed,
    WatchesFired,
}

impl Kind {
    /// How many requests make one operation.
    pub(crate) const fn requests(self) -> u64 {
        match self {
            Self::CreateDelete => 2,
            _ => 1,
        }
    }

    pub(crate) const fn is_of_watches(self) -> bool {
        matches!(self, Self::WatchesArmed | Self::WatchesFired)
    }

    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::GetSmall => ("get", "get 100 B"),
            Self::GetBig => ("get-16k", "get 16 KiB"),
            Self::Set => ("set", "set 100 B"),
            Self::CreateDelete => ("create-delete", "create + delete"),
            Self::Multi => ("multi", "multi of 100 sets"),
            Self::WatchesArmed => ("watches-armed", "10,000 watches armed"),
            Self::WatchesFired => ("watches-fired", "10,000 watches fired"),
        }
    }
}

/// Where it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Canned,
    Real,
}

/// One kind of work, at one place, with so many requests in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    pub(crate) in_flight: usize,
}

impl Work {
    /// Everything, in the order of the table.
    pub(crate) fn all() -> Vec<Self> {
        let canned = [
            (Kind::GetSmall, 1),
            (Kind::GetSmall, 128),
            (Kind::GetSmall, 1024),
            (Kind::GetBig, 128),
            (Kind::Set, 128),
            (Kind::CreateDelete, 128),
            (Kind::Multi, 4),
            (Kind::WatchesArmed, 128),
            (Kind::WatchesFired, 128),
        ];
        let canned = canned.map(|(kind, in_flight)| Self { kind, place: Place::Canned, in_flight });
        let real = [Kind::GetSmall, Kind::Set, Kind::CreateDelete].into_iter().flat_map(|kind| {
            [1, 16, 128, 1024].map(|in_flight| Self { kind, place: Place::Real, in_flight })
        });
        canned.into_iter().chain(real).collect()
    }

    /// The name on the command line.
    pub(crate) fn name(self) -> String {
        let prefix = if self.place == Place::Real { "real-" } else { "" };
        let (name, _) = self.kind.words();
        match self.kind.is_of_watches() {
            true => format!("{prefix}{name}"),
            false => format!("{prefix}{name}-{}", self.in_flight),
        }
    }

    /// The heading of its table.
    pub(crate) fn title(self) -> String {
        let (_, words) = self.kind.words();
        let place = if self.place == Place::Real { "real server" } else { "canned server" };
        match self.kind {
            Kind::WatchesFired => format!("{words}, {place}"),
            _ => format!("{words}, {} in flight, {place}", self.in_flight),
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|work| work.name() == name)
    }
}

/// The znode that a slot creates and deletes. No two processes share one.
pub(crate) fn pair_path(slot: usize) -> String {
    format!("{ROOT_PATH}/p{}-{slot}", std::process::id())
}

pub(crate) fn multi_path(op: usize) -> String {
    format!("{ROOT_PATH}/m{op}")
}

pub(crate) fn watch_path(watch: usize) -> String {
    format!("{ROOT_PATH}/w{watch}")
}
