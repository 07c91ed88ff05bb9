//! Hard limits of a subtree, as `setquota -N` and `-B` of the command line write them.

use quorate_zk_proto::{ErrorCode, ZnodePath};

use super::{
    tree::{Tree, Txn},
    znode::Znode,
};

/// How many znodes there may be, and how many bytes; no limit below zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limits {
    count: i64,
    bytes: i64,
}

impl Tree {
    /// Checks what a write would add against the limits of the nearest znode above that has any.
    pub(super) fn check_quota(
        &self,
        txn: Txn<'_>,
        path: &ZnodePath,
        count: i64,
        bytes: i64,
    ) -> Result<(), ErrorCode> {
        if !txn.quotas {
            return Ok(());
        }
        let Some((base, limits)) = self.limits(path) else { return Ok(()) };
        let below = self.below(&base).filter_map(|path| ZnodePath::new(path).ok());
        let nodes = below.chain([base.clone()]).filter_map(|path| self.get(&path).ok());
        let (mut count, mut bytes) = (count, bytes);
        for node in nodes {
            count += 1;
            bytes += length(node);
        }
        let exceeded =
            (limits.count >= 0 && count > limits.count) || (limits.bytes >= 0 && bytes > limits.bytes);
        if exceeded { Err(ErrorCode::QuotaExceeded) } else { Ok(()) }
    }

    fn limits(&self, path: &ZnodePath) -> Option<(ZnodePath, Limits)> {
        let mut base = path.clone();
        while !base.is_root() {
            let limits = ZnodePath::new(&format!("/zookeeper/quota{base}/zookeeper_limits")).ok();
            if let Some(node) = limits.and_then(|limits| self.get(&limits).ok()) {
                return Some((base, Limits::parse(node.head.data.as_deref().unwrap_or_default())));
            }
            base = base.parent()?;
        }
        None
    }
}

impl Limits {
    /// Reads text like `count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=2`. Limits that are not hard are
    /// only for the server's log.
    fn parse(data: &[u8]) -> Self {
        let text = String::from_utf8_lossy(data);
        let find = |name: &str| {
            let mut pairs = text.split([',', ';']).map(|pair| pair.split('=').collect::<Vec<_>>());
            let pair = pairs.find(|pair| pair[0] == name)?;
            pair.get(1)?.parse().ok()
        };
        Self { count: find("countHardLimit").unwrap_or(-1), bytes: find("byteHardLimit").unwrap_or(-1) }
    }
}

/// Returns how many bytes of data a znode has.
pub(super) fn length(node: &Znode) -> i64 {
    i64::from(node.stat().data_length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hard_limits_count() {
        let limits = Limits::parse(b"count=1,bytes=1=;byteHardLimit=-1;countHardLimit=2");
        assert_eq!(limits, Limits { count: 2, bytes: -1 });
        assert_eq!(Limits::parse(b"count=1,bytes=1"), Limits { count: -1, bytes: -1 });
        assert_eq!(Limits::parse(b"nonsense"), Limits { count: -1, bytes: -1 });
    }
}
