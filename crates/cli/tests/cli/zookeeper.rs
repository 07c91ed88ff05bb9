//! The same program on a real ZooKeeper, beside a client that knows nothing of it.

use quorate_testkit::{ZooKeeper, zk_cli};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::support::{Place, Running};

/// A server, and the store on it.
struct Rig {
    runtime: Runtime,
    server: ZooKeeper,
    place: Place,
}

impl Rig {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(ZooKeeper::start());
        let place = Place::at(format!("zk://{}", server.connect_string()));
        Self { runtime, server, place }
    }

    /// Writes as an outsider does.
    fn outsider<const N: usize>(&self, args: [&str; N]) {
        let done = self.runtime.block_on(zk_cli(self.server.addr(), &args));
        assert!(done.success, "{done:?}");
    }

    fn restart(&mut self) {
        self.runtime.block_on(async {
            self.server.stop().await;
            self.server.restart().await;
        });
    }
}

/// The next line that is not about the connection.
fn next_of_data(watch: &Running) -> Value {
    loop {
        let line = watch.json();
        if line["type"] != "status" {
            return line;
        }
    }
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn an_outsiders_edit_is_one_line_also_after_the_server_was_restarted() {
    let mut rig = Rig::start();
    rig.place.ok(["set", "/agents/web", r#"{"processes":["systemd*","rsync*"]}"#]);
    let watch = rig.place.start(["watch", "/agents/web", "--json"]);
    let snapshot = watch.json();
    assert_eq!(
        (&snapshot["type"], &snapshot["value"]["processes"][1]),
        (&json!("snapshot"), &json!("rsync*"))
    );
    rig.outsider(["set", "/agents/web/payload", r#"{"processes":["systemd*","rsync*","firefox*"]}"#]);
    let added = json!([{"kind": "added", "path": "/processes/2", "value": "firefox*"}]);
    let line = next_of_data(&watch);
    assert_eq!((&line["type"], &line["changes"]), (&json!("changes"), &added));
    assert_eq!((&line["origin"], &line["coalesced"]), (&json!("remote"), &json!(false)));

    rig.restart();
    rig.outsider(["set", "/agents/web/payload", r#"{"processes":["systemd*","rsync*"]}"#]);
    let removed = json!([{"kind": "removed", "path": "/processes/2", "value": "firefox*"}]);
    assert_eq!(next_of_data(&watch)["changes"], removed);
    rig.place.ok(["set", "/agents/web", r#"{"processes":["systemd*"]}"#]);
    let removed = json!([{"kind": "removed", "path": "/processes/1", "value": "rsync*"}]);
    assert_eq!(next_of_data(&watch)["changes"], removed);
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn bad_and_large_payloads_and_a_deletion_are_told_and_survived() {
    let rig = Rig::start();
    rig.place.ok(["set", "/a", r#"{"n":1}"#]);
    let watch = rig.place.watch("/a");
    rig.outsider(["set", "/a/payload", "not json"]);
    assert_eq!(next_of_data(&watch)["type"], "rejected");
    assert_eq!(rig.place.run(["get", "/a"]).code, 1);
    let large = format!("{{\"n\":\"{}\"}}", "x".repeat(900 * 1024));
    assert_eq!(rig.place.run_with(&large, ["set", "/a", "-"]).code, 0);
    assert_eq!(next_of_data(&watch)["changes"][0]["path"], "/n");
    let too_large = format!("{{\"n\":\"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let refused = rig.place.run_with(&too_large, ["set", "/a", "-"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("2097") && refused.err.contains("limit"), "{}", refused.err);
    rig.outsider(["delete", "/a/payload"]);
    assert_eq!(next_of_data(&watch)["type"], "deleted");
    assert_eq!(rig.place.run(["get", "/a"]).code, 4);
    rig.place.ok(["set", "/a", "2"]);
    assert_eq!(next_of_data(&watch)["changes"], json!([{"kind": "added", "path": "", "value": 2}]));
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn nodes_are_followed_also_after_the_server_was_restarted() {
    let mut rig = Rig::start();
    rig.place.ok(["kv", "put", "/nodes/a", "1"]);
    rig.place.ok(["kv", "put", "/nodes/b", "1"]);
    let follow = rig.place.start(["follow", "/nodes", "--json"]);
    let types: Vec<Value> = (0..4).map(|_| follow.json()["type"].clone()).collect();
    assert_eq!(types, ["new", "new", "synced", "batch_done"]);
    rig.outsider(["set", "/nodes/a", "2"]);
    let updated = follow.json();
    assert_eq!(
        (&updated["type"], &updated["previous"], &updated["value"]),
        (&json!("updated"), &json!(1), &json!(2))
    );
    follow.line();
    rig.restart();
    rig.outsider(["delete", "/nodes/b"]);
    let deleted = follow.json();
    assert_eq!(
        (&deleted["type"], &deleted["key"], &deleted["previous"]),
        (&json!("deleted"), &json!("/nodes/b"), &json!(1))
    );
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn a_command_runs_under_the_lock_and_writes_through_it() {
    let rig = Rig::start();
    rig.place.ok(["set", "/a", "1"]);
    let script = r#"test -n "$QUORATE_TOKEN" && "$QUORATE_BIN" set /a 2 && exit 7"#;
    assert_eq!(rig.place.run(["lock", "/a", "--", "sh", "-c", script]).code, 7);
    assert_eq!(rig.place.ok(["get", "/a"]).trim(), "2");
    let held = rig.place.hold("/a");
    assert_eq!(rig.place.run(["set", "/a", "3", "--timeout", "1s"]).code, 5);
    drop(held);
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn the_doctor_names_the_server_and_its_version() {
    let rig = Rig::start();
    assert!(rig.place.ok(["doctor"]).contains("ZooKeeper 3."));
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn a_deleted_struct_leaves_nothing_behind() {
    let rig = Rig::start();
    rig.place.ok(["set", "/deep/down/a", "1"]);
    rig.place.ok(["set", "/deep/down/a", "2"]);
    rig.place.ok(["delete", "/deep/down/a"]);
    let listing = rig.runtime.block_on(zk_cli(rig.server.addr(), &["ls", "-R", "/deep"]));
    assert!(!listing.lines.iter().any(|line| line.contains("down/a")), "{listing:?}");
}
