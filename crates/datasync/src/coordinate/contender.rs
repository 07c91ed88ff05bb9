//! The names of those who contend for a lock, and their order.

/// What stands before the number in our own names, and in Curator's and go-zk's.
const OURS: &str = "-lock-";
/// What stands before the number in kazoo's names.
const KAZOO: &str = "__lock__";

/// One who holds a lock or waits for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Contender {
    /// The place in the queue. Compared as a number: it may be negative or longer than ten digits.
    pub(crate) number: i64,
    /// The name below the lock's directory.
    pub(crate) name: String,
}

impl Contender {
    /// The contender that a name stands for; `None` for a foreign name, which is ignored.
    fn parse(name: &str) -> Option<Self> {
        let digits = name
            .rsplit_once(OURS)
            .or_else(|| name.rsplit_once(KAZOO))
            .map(|(_, digits)| digits)
            .filter(|digits| digits.trim_start_matches('-').len() >= 9)?;
        Some(Self { number: digits.parse().ok()?, name: name.to_owned() })
    }
}

/// A fresh name for a contender, up to its number: `_c_<uuid>-lock-`, as Curator writes it.
pub(crate) fn fresh_stem() -> String {
    format!("_c_{}{OURS}", uuid::Uuid::new_v4())
}

/// The contenders among `names`, the holder first.
pub(crate) fn contenders<'n>(names: impl IntoIterator<Item = &'n String>) -> Vec<Contender> {
    let mut contenders: Vec<_> = names.into_iter().filter_map(|name| Contender::parse(name)).collect();
    contenders.sort();
    contenders
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        contenders(&names).into_iter().map(|contender| contender.name).collect()
    }

    #[test]
    fn contenders_are_ordered_by_number_whoever_named_them() {
        let ours = "_c_6f1e-lock-0000000003";
        let kazoo = "6f1e__lock__0000000001";
        assert_eq!(order(&[ours, kazoo, "_c_0-lock-0000000002"]), [kazoo, "_c_0-lock-0000000002", ours]);
    }

    #[test]
    fn foreign_names_are_no_contenders() {
        assert_eq!(order(&["notes", "x-lock-", "x-lock-12", "_c_1-lock-000000000x"]), [""; 0]);
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert_eq!(
            order(&["a-lock-10000000000", "b-lock-9999999999", "c-lock--000000001"]),
            ["c-lock--000000001", "b-lock-9999999999", "a-lock-10000000000"]
        );
    }

    #[test]
    fn stems_are_never_the_same() {
        assert_ne!(fresh_stem(), fresh_stem());
    }
}
