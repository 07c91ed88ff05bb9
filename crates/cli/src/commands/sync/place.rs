//! Whether two places are one.

use quorate::{Prefix, StoreUrl};

use crate::exit::{Failure, Result};

/// Fails if one of two places contains the other, as far as their URLs tell. What they do not tell the stores tell
/// when they are open, if they can.
pub(super) fn check_apart(from: &StoreUrl, to: &StoreUrl, prefix: &Prefix, at: &Prefix) -> Result<()> {
    let (StoreUrl::ZooKeeper(from), StoreUrl::ZooKeeper(to)) = (from, to) else { return Ok(()) };
    // Who shares one server shares all of them.
    if !from.hosts.iter().any(|host| to.hosts.contains(host)) {
        return Ok(());
    }
    let (source, target) = (below(&from.chroot, prefix), below(&to.chroot, at));
    if source.starts_with(&target) || target.starts_with(&source) {
        return Err(Failure::usage(format!("{source} and {target} overlap in one store")));
    }
    Ok(())
}

/// The text that every path of a place begins with.
fn below(chroot: &str, prefix: &Prefix) -> String {
    format!("{chroot}{}", prefix.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_apart(from: &str, prefix: &str, to: &str, at: &str) -> bool {
        let url = |text: &str| text.parse::<StoreUrl>().unwrap();
        let parsed = |text: &str| Prefix::parse(text).unwrap();
        check_apart(&url(from), &url(to), &parsed(prefix), &parsed(at)).is_ok()
    }

    #[test]
    fn a_place_within_itself_is_found_out() {
        assert!(!is_apart("zk://a,b", "/x", "zk://b,c", "/x"));
        assert!(!is_apart("zk://a", "/x", "zk://a", "/x/y"));
        assert!(!is_apart("zk://a/x", "/", "zk://a", "/x/y"));
        assert!(!is_apart("zk://a", "/", "zk://a/x", "/y"));
    }

    #[test]
    fn other_places_are_apart() {
        assert!(is_apart("zk://a", "/x", "zk://a", "/xy"));
        assert!(is_apart("zk://a/x", "/y", "zk://a/y", "/y"));
        assert!(is_apart("zk://a", "/x", "zk://b", "/x"));
        assert!(is_apart("sqlite:a", "/x", "sqlite:b", "/x"));
    }
}
