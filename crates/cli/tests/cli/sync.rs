//! `sync`: a part of one store kept equal to a part of another.

use quorate::{Key, StoreExt, Txn};
use quorate_zk_fake::FakeZooKeeper;
use rustix::process::Signal;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::support::{Done, Place, Running};

/// Two stores. The program is run at the first.
struct Pair {
    from: Place,
    to: Place,
}

impl Pair {
    fn new() -> Self {
        Self { from: Place::new(), to: Place::new() }
    }

    fn run<const N: usize>(&self, prefix: &str, args: [&str; N]) -> Done {
        let (from, to) = (self.from.url(), self.to.url());
        let all = ["sync", &from, &to, prefix].into_iter().chain(args);
        crate::support::finish(&mut self.from.command(all))
    }

    fn start<const N: usize>(&self, prefix: &str, args: [&str; N]) -> Running {
        let (from, to) = (self.from.url(), self.to.url());
        let all = ["sync", &from, &to, prefix].into_iter().chain(args);
        Running::of(&mut self.from.command(all))
    }
}

/// Puts so many keys below `/many`.
fn fill(runtime: &Runtime, url: &str, keys: usize) {
    runtime.block_on(async {
        let store = quorate::open(url).await.unwrap();
        for from in (0..keys).step_by(100) {
            let numbers = from..keys.min(from + 100);
            let txn = numbers.fold(Txn::new(), |txn, n| {
                txn.put(&Key::parse(&format!("/many/{}/{n}", n % 10)).unwrap(), format!("value {n}"))
            });
            store.commit(txn).await.unwrap();
        }
        store.close().await;
    });
}

/// What a store has below `/many`, with the values.
fn entries(runtime: &Runtime, url: &str) -> Vec<(String, Vec<u8>)> {
    runtime.block_on(async {
        let store = quorate::open(url).await.unwrap();
        let entries = store.entries(&quorate::Prefix::parse("/many").unwrap()).await.unwrap();
        store.close().await;
        entries.into_iter().map(|entry| (entry.key.to_string(), entry.value.to_vec())).collect()
    })
}

#[test]
fn one_run_copies_the_difference_and_the_next_one_nothing() {
    let pair = Pair::new();
    for key in ["/a/x", "/a/y", "/b"] {
        pair.from.ok(["kv", "put", key, "v"]);
    }
    pair.to.ok(["kv", "put", "/a/y", "old"]);
    pair.to.ok(["kv", "put", "/a/z", "extra"]);
    let done = pair.run("/a", ["--once", "--itemize"]);
    assert_eq!((done.code, done.out.as_str()), (0, "+ /a/x\n~ /a/y\n"), "{}", done.err);
    assert!(done.err.contains("in sync: 2 keys, 2 written"), "{}", done.err);
    assert!(done.err.contains("1 only in the target kept (see --delete)"), "{}", done.err);
    assert_eq!(pair.to.ok(["kv", "list", "/"]), "/a/x\n/a/y\n/a/z\n");
    let again = pair.run("/a", ["--once", "-i", "--delete"]);
    assert_eq!((again.code, again.out.as_str()), (0, "- /a/z\n"));
    let quiet = pair.run("/a", ["--once", "-i"]);
    assert_eq!((quiet.code, quiet.out.as_str()), (0, ""));
}

#[test]
fn a_single_run_that_nobody_reads_any_more_copies_all_the_same() {
    let (pair, runtime) = (Pair::new(), Runtime::new().unwrap());
    fill(&runtime, &pair.from.url(), 300);
    for option in ["--itemize", "--json"] {
        let to = Place::new();
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let args = ["sync", &pair.from.url(), &to.url(), "/many", "--once", option];
        let done = crate::support::finish(pair.from.command(args).stdout(writer));
        assert_eq!((done.code, entries(&runtime, &to.url()).len()), (0, 300), "{option}: {}", done.err);
    }
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let pair = Pair::new();
    pair.from.ok(["kv", "put", "/a/x", "v"]);
    pair.to.ok(["kv", "put", "/a/z", "extra"]);
    let done = pair.run("/a", ["--dry-run", "--delete"]);
    assert_eq!((done.code, done.out.as_str()), (0, "+ /a/x\n- /a/z\n"), "{}", done.err);
    assert!(done.err.contains("1 to be written"), "{}", done.err);
    let lines = pair.run("/a", ["-n", "--json"]).out;
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let put = json!({"type": "put", "key": "/a/x", "bytes": 1, "created": true, "dry_run": true});
    assert_eq!((&lines[0], &lines[1]["type"], &lines[1]["kept"]), (&put, &json!("in_sync"), &json!(1)));
    assert_eq!(pair.to.ok(["kv", "list", "/"]), "/a/z\n");
}

#[test]
fn a_prefix_is_copied_to_another_place() {
    let pair = Pair::new();
    pair.from.ok(["kv", "put", "/a/x", "v"]);
    assert_eq!(pair.run("/a", ["--once", "--to", "/b/c"]).code, 0);
    assert_eq!(pair.to.ok(["kv", "list", "/"]), "/b/c/x\n");
}

#[test]
fn a_live_run_follows_until_it_is_interrupted() {
    let pair = Pair::new();
    pair.from.ok(["kv", "put", "/a/x", "v"]);
    let mut sync = pair.start("/a", ["--json", "--itemize", "--delete"]);
    assert_eq!(sync.json()["key"], "/a/x");
    let line = sync.json();
    assert_eq!(
        (&line["type"], &line["written"], &line["pending"]),
        (&json!("in_sync"), &json!(1), &json!(0))
    );
    pair.from.ok(["kv", "put", "/a/x", "other"]);
    let put = json!({"type": "put", "key": "/a/x", "bytes": 5, "created": false});
    assert_eq!(sync.json(), put);
    assert_eq!(sync.json()["type"], "in_sync");
    pair.to.ok(["kv", "put", "/a/x", "drift"]);
    assert_eq!(sync.json(), put);
    assert_eq!(sync.json()["type"], "in_sync");
    pair.from.ok(["kv", "delete", "/a/x"]);
    assert_eq!(sync.json(), json!({"type": "delete", "key": "/a/x"}));
    assert_eq!(sync.json()["deleted"], 1);
    sync.signal(Signal::INT);
    assert_eq!(sync.code(), 130);
}

#[test]
fn what_cannot_be_copied_is_said_and_is_a_failure() {
    let runtime = Runtime::new().unwrap();
    let fake = runtime.block_on(FakeZooKeeper::builder().start()).unwrap();
    let pair = Pair { from: Place::new(), to: Place::at(format!("zk://{}", fake.connect_string())) };
    let large = "x".repeat(2 * 1024 * 1024);
    assert_eq!(pair.from.run_with(&large, ["kv", "put", "/a/large", "-"]).code, 0);
    pair.from.ok(["kv", "put", "/a/small", "v"]);
    let done = pair.run("/a", ["--once"]);
    assert_eq!(done.code, 1);
    assert!(done.err.contains("not copied: /a/large: commit /a/large: too large: a value of 2097152 bytes"));
    assert_eq!(pair.to.ok(["kv", "list", "/a"]), "/a/small\n");
    let dry = pair.run("/a", ["--dry-run", "--json"]);
    assert_eq!(dry.code, 1);
    assert!(dry.out.contains(r#""type":"refused","key":"/a/large""#), "{}", dry.out);
}

#[test]
fn bad_arguments_and_loops_are_usage() {
    let pair = Pair::new();
    let from = pair.from.url();
    pair.from.ok(["kv", "put", "/a/x", "v"]);
    for args in [
        ["sync", &from, "redis://h", "/a"],
        ["sync", &from, "sqlite:x", "a"],
        ["sync", &from, &from, "/a"],
        ["sync", "zk://h/x", "zk://h/x", "/a"],
    ] {
        assert_eq!(pair.from.run(args).code, 2, "{args:?}");
    }
    assert_eq!(pair.from.run(["sync", &from, &from, "/a", "--to", "/a/b"]).code, 2);
    assert_eq!(pair.from.run(["sync", &from, &from, "/a", "--to", "/b", "--once"]).code, 0);
}

#[test]
fn a_store_that_is_not_there_is_unreachable() {
    let pair = Pair::new();
    let url = pair.from.url();
    for args in [["sync", "zk://127.0.0.1:1", &url, "/a"], ["sync", &url, "zk://127.0.0.1:1", "/a"]] {
        let done = pair.from.run([args[0], args[1], args[2], args[3], "--timeout", "1s"]);
        assert_eq!(done.code, 5, "{}", done.err);
        assert!(done.err.contains("zk://127.0.0.1:1 was not reached within 1s"), "{}", done.err);
    }
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_was() {
    let runtime = Runtime::new().unwrap();
    let fake = runtime.block_on(FakeZooKeeper::builder().start()).unwrap();
    let pair = Pair { from: Place::new(), to: Place::at(format!("zk://{}", fake.connect_string())) };
    fill(&runtime, &pair.from.url(), 2000);
    let mut sync = pair.start("/many", ["--json", "--itemize"]);
    let mut first = 0;
    while first < 500 {
        assert_eq!(sync.json()["type"], "put");
        first += 1;
    }
    sync.signal(Signal::KILL);
    sync.code();
    let done = pair.run("/many", ["--once", "--json"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let last: serde_json::Value = serde_json::from_str(done.out.lines().last().unwrap()).unwrap();
    let written = last["written"].as_u64().unwrap();
    assert!(written <= 1500, "what was written is not written again: {last}");
    assert_eq!(entries(&runtime, &pair.to.url()), entries(&runtime, &pair.from.url()));
}

#[test]
fn a_target_that_is_lost_for_too_long_ends_a_single_run_and_a_live_one_waits() {
    let runtime = Runtime::new().unwrap();
    let fake = runtime.block_on(FakeZooKeeper::builder().start()).unwrap();
    let pair = Pair { from: Place::new(), to: Place::at(format!("zk://{}", fake.connect_string())) };
    fill(&runtime, &pair.from.url(), 5000);
    let live = pair.start("/many", ["--json", "--itemize"]);
    let mut once = pair.start("/many", ["--once", "--json", "--itemize", "--timeout", "1s"]);
    assert_eq!((live.json()["type"].clone(), once.json()["type"].clone()), (json!("put"), json!("put")));
    // Neither can have ended: nobody reads all that they print.
    runtime.block_on(fake.server(0).stop()).unwrap();
    while !once.has_no_more() {}
    assert_eq!(once.code(), 5);
    runtime.block_on(fake.server(0).start()).unwrap();
    while live.json()["type"] != "in_sync" {}
    assert_eq!(entries(&runtime, &pair.to.url()), entries(&runtime, &pair.from.url()));
}

#[test]
fn ten_thousand_keys_are_copied_with_progress() {
    let runtime = Runtime::new().unwrap();
    let pair = Pair::new();
    fill(&runtime, &pair.from.url(), 10_000);
    let done = pair.run("/many", ["--once", "--json"]);
    let last: serde_json::Value = serde_json::from_str(done.out.lines().last().unwrap()).unwrap();
    let counts = (&last["type"], &last["written"], &last["target_keys"], &last["pending"]);
    assert_eq!(counts, (&json!("in_sync"), &json!(10_000), &json!(10_000), &json!(0)));
    assert_eq!(entries(&runtime, &pair.to.url()), entries(&runtime, &pair.from.url()));
}

#[test]
fn a_struct_is_copied_to_another_kind_of_store_and_used_there() {
    let runtime = Runtime::new().unwrap();
    let fake = runtime.block_on(FakeZooKeeper::builder().start()).unwrap();
    let pair = Pair { from: Place::new(), to: Place::at(format!("zk://{}", fake.connect_string())) };
    pair.from.ok(["set", "/agents/web", r#"{"processes":["systemd*"]}"#]);
    // A listener and the holder of the lock are under leases.
    let _watch = pair.from.watch("/agents/web");
    let _held = pair.from.hold("/agents/web");
    let done = pair.run("/agents", ["--once", "--itemize"]);
    assert_eq!((done.code, done.out.as_str()), (0, "+ /agents/web/payload\n"), "{}", done.err);
    assert!(done.err.contains("2 under a lease left out"), "{}", done.err);
    let watch = pair.to.watch("/agents/web");
    assert_eq!(pair.to.ok(["listeners", "/agents/web"]).lines().count(), 1);
    pair.to.ok(["set", "/agents/web", "--path", "/processes/-", r#""rsync*""#]);
    let line = loop {
        let line = watch.json();
        if line["type"] == "changes" {
            break line;
        }
    };
    assert_eq!(line["changes"][0]["path"], "/processes/1");
    // A live mirror of a struct goes on beside its listeners.
    let again = pair.run("/agents", ["--once", "--itemize", "--delete"]);
    assert_eq!((again.code, again.out.as_str()), (0, "~ /agents/web/payload\n"), "{}", again.err);
    drop(watch);
    drop(fake);
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn a_live_copy_survives_a_restart_of_the_server() {
    let runtime = Runtime::new().unwrap();
    let mut server = runtime.block_on(quorate_testkit::ZooKeeper::start());
    let pair = Pair { from: Place::new(), to: Place::at(format!("zk://{}", server.connect_string())) };
    fill(&runtime, &pair.from.url(), 5000);
    let mut sync = pair.start("/many", ["--json", "--itemize", "--delete"]);
    for _ in 0..1000 {
        assert_eq!(sync.json()["type"], "put");
    }
    runtime.block_on(async {
        server.stop().await;
        server.restart().await;
    });
    pair.from.ok(["kv", "put", "/many/last", "one"]);
    // Progress may have said that all was done before the last key came.
    loop {
        let line = sync.json();
        if line["type"] == "in_sync" && line["source_keys"] == 5001 && line["pending"] == 0 {
            break;
        }
    }
    assert_eq!(entries(&runtime, &pair.to.url()), entries(&runtime, &pair.from.url()));
    pair.from.ok(["kv", "delete", "/many/last"]);
    while sync.json()["type"] != "delete" {}
    sync.signal(Signal::INT);
    assert_eq!(sync.code(), 130);
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn a_struct_on_a_real_server_is_used_after_it_was_copied_there() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(quorate_testkit::ZooKeeper::start());
    let pair = Pair { from: Place::new(), to: Place::at(format!("zk://{}", server.connect_string())) };
    pair.from.ok(["set", "/agents/web", "1"]);
    assert_eq!(pair.run("/agents", ["--once"]).code, 0);
    let watch = pair.to.watch("/agents/web");
    pair.to.ok(["set", "/agents/web", "2"]);
    assert_eq!(pair.to.ok(["get", "/agents/web"]).trim(), "2");
    drop(watch);
    let back = Pair { from: Place::at(pair.to.url()), to: Place::new() };
    assert_eq!(back.run("/", ["--once"]).code, 0);
    assert_eq!(back.to.ok(["get", "/agents/web"]).trim(), "2");
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn ten_thousand_keys_reach_a_real_server() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(quorate_testkit::ZooKeeper::start());
    let pair = Pair { from: Place::new(), to: Place::at(format!("zk://{}", server.connect_string())) };
    fill(&runtime, &pair.from.url(), 10_000);
    let done = pair.run("/many", ["--once"]);
    assert!(done.code == 0 && done.err.contains("10000 written"), "{}", done.err);
    let again = pair.run("/many", ["--once"]);
    assert!(again.code == 0 && again.err.contains(" 0 written"), "{}", again.err);
    assert_eq!(entries(&runtime, &pair.to.url()), entries(&runtime, &pair.from.url()));
}
