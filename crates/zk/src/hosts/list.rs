//! The hosts that are known, which may change while the client runs.

use std::net::SocketAddr;

use super::{Host, Round, Target};

/// In which order hosts are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum HostOrder {
    /// Another one each time, so that clients spread over the servers.
    #[default]
    Shuffled,
    /// As given, from the first.
    Given,
}

/// The hosts of an ensemble.
#[derive(Clone, Debug)]
pub(crate) struct Hosts {
    list: Vec<Host>,
    /// Those given at first, once there are others.
    given: Vec<Host>,
    order: HostOrder,
}

impl Hosts {
    pub(crate) const fn new(list: Vec<Host>, order: HostOrder) -> Self {
        Self { list, given: Vec::new(), order }
    }

    /// Takes other hosts in place of those known. Rounds under way go on with the old ones.
    ///
    /// Those given at first stay in reserve, since the others may be names that are good among the servers alone. An
    /// empty list changes nothing: a client must have somewhere to go.
    pub(crate) fn replace(&mut self, list: Vec<Host>) {
        if list.is_empty() || list == self.list {
            return;
        }
        let hosts: Vec<_> = list.iter().map(ToString::to_string).collect();
        tracing::info!(?hosts, "the ensemble has other hosts now");
        if self.given.is_empty() {
            self.given = std::mem::take(&mut self.list);
        }
        self.list = list;
    }

    /// Starts a round over all of them.
    pub(crate) fn round(&self) -> Box<Round> {
        let known = |host: &&Host| !self.list.contains(host);
        let reserve: Vec<_> = self.given.iter().filter(known).cloned().collect();
        Box::new(Round::new(&self.list, self.order).followed_by(&reserve))
    }

    /// Starts a round over all of them that tries one address last: that of a server just lost.
    pub(crate) fn round_avoiding(&self, addr: Option<SocketAddr>) -> Box<Round> {
        Box::new(self.round().avoiding(addr))
    }

    /// Starts a round over all of them that tries one address before.
    pub(crate) fn round_from(&self, first: Target) -> Box<Round> {
        Box::new(self.round().starting_at(first))
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, time::Duration};

    use super::*;

    fn hosts(names: &[&str], order: HostOrder) -> Hosts {
        Hosts::new(names.iter().map(|name| Host::parse(name).expect("a host")).collect(), order)
    }

    async fn walk(mut round: Box<Round>) -> Vec<String> {
        let mut targets = Vec::new();
        while let Some(target) = round.next_target(Duration::from_secs(5)).await {
            targets.push(target.to_string());
        }
        targets
    }

    #[tokio::test]
    async fn a_round_tries_every_host_once() {
        let names = ["127.0.0.1:1", "127.0.0.2:2", "[::1]:3"];
        let mut tried = walk(hosts(&names, HostOrder::Shuffled).round()).await;
        tried.sort();
        assert_eq!(tried, ["127.0.0.1:1", "127.0.0.2:2", "[::1]:3"]);
    }

    #[tokio::test]
    async fn hosts_are_tried_in_the_order_given_when_asked_for() {
        let names: Vec<_> = (1..30).map(|port| format!("127.0.0.1:{port}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        assert_eq!(walk(hosts(&names, HostOrder::Given).round()).await, names);
        let mut is_shuffled = false;
        for _ in 0..10 {
            is_shuffled |= walk(hosts(&names, HostOrder::Shuffled).round()).await != names;
        }
        assert!(is_shuffled);
    }

    #[tokio::test]
    async fn replaced_hosts_are_those_of_the_next_round() {
        let mut known = hosts(&["127.0.0.1:1"], HostOrder::Given);
        known.replace(Vec::new());
        let before = known.round();
        known.replace(vec![Host::parse("127.0.0.1:2").unwrap()]);
        assert_eq!(walk(before).await, ["127.0.0.1:1"]);
        assert_eq!(walk(known.round()).await, ["127.0.0.1:2", "127.0.0.1:1"]);
        known.replace(vec![Host::parse("127.0.0.1:3").unwrap(), Host::parse("127.0.0.1:1").unwrap()]);
        assert_eq!(walk(known.round()).await, ["127.0.0.1:3", "127.0.0.1:1"]);
    }

    #[tokio::test]
    async fn a_server_just_lost_is_tried_last() {
        let names = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"];
        let lost = Some(SocketAddr::from(([127, 0, 0, 1], 2)));
        for _ in 0..20 {
            let tried = walk(hosts(&names, HostOrder::Shuffled).round_avoiding(lost)).await;
            assert_eq!((tried.len(), &*tried[2]), (3, "127.0.0.1:2"));
        }
        assert_eq!(walk(hosts(&names[1..2], HostOrder::Given).round_avoiding(lost)).await, ["127.0.0.1:2"]);
    }

    #[tokio::test]
    async fn a_round_may_start_at_an_address() {
        let known = hosts(&["127.0.0.1:1", "127.0.0.1:2"], HostOrder::Given);
        let first = Target::unnamed(SocketAddr::from(([127, 0, 0, 1], 9)));
        assert_eq!(walk(known.round_from(first)).await, ["127.0.0.1:9", "127.0.0.1:1", "127.0.0.1:2"]);
    }
}
