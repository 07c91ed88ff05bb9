//! Who may know of whom.

use crate::assert_none;
use crate::packages::{Kind, workspace};
use crate::tree::{files, rust};

/// The protocol core is told everything, the time included.
#[test]
fn the_protocol_core_has_no_io_no_clock_and_no_chance() {
    let words = [
        "tokio",
        "std::net",
        "std::fs",
        "std::io",
        "std::thread",
        "std::env",
        "std::process",
        "Instant::now",
        "SystemTime",
        "fastrand",
        "rand::",
        "RandomState",
    ];
    let found: Vec<_> = rust("crates/zk-proto/src").iter().flat_map(|file| file.code_with(&words)).collect();
    assert_none(&found);
}

#[test]
fn the_protocol_core_depends_on_nothing_that_could_do_io() {
    // The last four compute: hashes of paths, and what the schemes `digest` and SASL DIGEST-MD5 are made of.
    let allowed = ["bytes", "thiserror", "base64", "foldhash", "md-5", "sha1"];
    for package in workspace().iter().filter(|package| package.name == "quorate-zk-proto") {
        let more = package.dependencies(Kind::Normal).filter(|name| !allowed.contains(&name.as_str()));
        assert_none(&more.cloned().collect::<Vec<_>>());
    }
}

/// A stream must not go round the one place that knows how a connection is made.
#[test]
fn zookeeper_sockets_open_in_one_file() {
    let sources = rust("crates/zk/src");
    if sources.iter().all(|file| file.name() == "lib.rs") {
        return;
    }
    let openers: Vec<_> = sources.iter().filter(|file| !file.code_with(&["TcpStream"]).is_empty()).collect();
    let names: Vec<_> = openers.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names.len(), 1, "TcpStream belongs in exactly one file, but is in {names:?}");
}

#[test]
fn datasync_does_not_know_what_is_below_it() {
    let words = ["znode", "zxid", "etcd", "sqlite", "zookeeper"];
    let found: Vec<_> = files("crates/datasync/src").iter().flat_map(|file| file.text_with(&words)).collect();
    assert_none(&found);
}

#[test]
fn datasync_depends_on_no_backend_and_no_client() {
    for package in workspace().iter().filter(|package| package.name == "quorate-datasync") {
        let below = |name: &&String| name.starts_with("quorate") && *name != "quorate-testkit";
        let found: Vec<_> = package.all_dependencies().filter(below).cloned().collect();
        assert_none(&found);
    }
}

#[test]
fn only_the_facade_lists_the_backends() {
    let packages = workspace();
    let backends: Vec<_> =
        packages.iter().filter(|package| package.folder.starts_with("backends/")).collect();
    let mut found = Vec::new();
    for package in packages.iter().filter(|package| package.name != "quorate") {
        let listed =
            package.dependencies(Kind::Normal).filter(|name| backends.iter().any(|b| b.name == **name));
        found.extend(listed.map(|name| format!("{} depends on {name}", package.name)));
    }
    assert_none(&found);
}

#[test]
fn a_published_crate_needs_no_unpublished_one() {
    let packages = workspace();
    let unpublished: Vec<_> = packages.iter().filter(|package| !package.published).collect();
    let mut found = Vec::new();
    for package in packages.iter().filter(|package| package.published) {
        let needed = package.dependencies(Kind::Normal).chain(package.dependencies(Kind::Build));
        let missing = needed.filter(|name| unpublished.iter().any(|u| u.name == **name));
        found.extend(missing.map(|name| format!("{} depends on {name}", package.name)));
    }
    assert_none(&found);
}

/// A small trait is one that a new backend can be written for in a day.
#[test]
fn the_store_trait_stays_small() {
    const METHODS_MAX: usize = 8;
    let mut traits = 0;
    for file in rust("crates/datasync/src") {
        let Some((_, after)) = file.text.split_once("pub trait Store:") else { continue };
        traits += 1;
        let (body, _) = after.split_once("\n}").expect("the trait ends");
        let declared = |line: &&str| line.starts_with("fn ") || line.starts_with("async fn ");
        let methods: Vec<_> = body.lines().map(str::trim).filter(declared).collect();
        assert!(methods.len() <= METHODS_MAX, "{methods:#?}");
        assert!(
            methods.iter().all(|line| !line.ends_with('{')),
            "a default method belongs in StoreExt: {methods:#?}"
        );
    }
    assert_eq!(traits, 1, "the trait was not found where it is expected");
}
