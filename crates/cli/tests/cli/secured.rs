//! Stores that ask who is there: TLS, passwords, certificates, and who may touch what.

use std::any::Any;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use quorate_testkit::{ServerOptions, TestCa, ZooKeeper};
use quorate_zk_fake::{FakeZooKeeper, TestCertificates};
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::{Done, Place, finish};

/// What no output may contain.
const SECRET: &str = "hush-wonder";

/// A server with TLS that wants certificates, and the files of two users.
struct World {
    files: TempDir,
    addr: String,
    _server: Box<dyn Any>,
    _runtime: Runtime,
}

impl World {
    fn fake() -> Self {
        let runtime = Runtime::new().unwrap();
        let certificates = TestCertificates::generate().unwrap();
        let builder = FakeZooKeeper::builder().tls(certificates.mutual_server_config().unwrap());
        let server = runtime.block_on(builder.sasl_user("alice", SECRET).start()).unwrap();
        let identity = |name: &str| {
            let identity = certificates.client(name).unwrap();
            (identity.certificate_pem, identity.key_pem)
        };
        let files = files(&certificates.ca_pem(), identity);
        Self { files, addr: server.connect_string(), _server: Box::new(server), _runtime: runtime }
    }

    fn real() -> Self {
        let runtime = Runtime::new().unwrap();
        let ca = TestCa::new();
        let options = ServerOptions::default().tls(ca.server_files()).client_cert_required();
        let server = runtime.block_on(ZooKeeper::start_with(&options.sasl_users([("alice", SECRET)])));
        let identity = |name: &str| {
            let cert = ca.issue(name, &[]);
            (cert.cert_pem().to_owned(), cert.key_pem().to_owned())
        };
        let files = files(&ca.cert_pem(), identity);
        Self { files, addr: server.secure_connect_string(), _server: Box::new(server), _runtime: runtime }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// The store as somebody reaches it, with more options. `@` there stands for the folder of the files.
    fn place(&self, user: &str, options: &str) -> Place {
        let dir = format!("{}/", self.files.path().display());
        let tls = format!("ca={dir}ca.pem&cert={dir}{user}.pem&key={dir}{user}.key");
        let options = options.replace('@', &format!("@{dir}"));
        Place::at(format!("zks://{}?{tls}&{options}", self.addr))
    }
}

/// The files of the users alice and eve, and an authority that nobody is of.
fn files(ca: &str, identity: impl Fn(&str) -> (String, String)) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = dir.path().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("ca.pem", ca);
    write("other-ca.pem", &TestCa::new().cert_pem());
    for user in ["alice", "eve"] {
        let (cert, key) = identity(user);
        write(&format!("{user}.pem"), &cert);
        write(&format!("{user}.key"), &key);
        write(&format!("{user}.login"), &format!("{user}:{SECRET}\n"));
    }
    dir
}

fn keeps_the_secret(done: &Done) {
    assert!(!done.out.contains(SECRET) && !done.err.contains(SECRET), "{done:?}");
}

/// Everything a user does, and that nobody else can.
fn a_struct_is_its_creators(world: &World, auth: &str) {
    let alice = world.place("alice", &format!("{auth}&acl=creator").replace("USER", "alice"));
    alice.ok(["set", "/app", r#"{"n":1}"#]);
    let watch = alice.watch("/app");
    alice.ok(["patch", "/app", r#"[{"op":"replace","path":"/n","value":2}]"#]);
    assert_eq!(watch.json()["changes"][0]["new"], 2);
    let script = r#""$QUORATE_BIN" set /app '{"n":3}' && exit 7"#;
    assert_eq!(alice.run(["lock", "/app", "--", "sh", "-c", script]).code, 7);
    assert_eq!(alice.json(["get", "/app"]), json!({"n": 3}));
    let eve = world.place("eve", "auth=digest:@eve.login&acl=creator");
    for args in [&["get", "/app"][..], &["set", "/app", "0"], &["watch", "/app"], &["delete", "/app"]] {
        let done = finish(&mut eve.command(args));
        assert_eq!((done.code, done.out.as_str()), (1, ""), "{args:?}: {}", done.err);
        assert!(done.err.contains("not allowed"), "{}", done.err);
        keeps_the_secret(&done);
    }
    assert_eq!(eve.run(["lock", "/app", "--", "true"]).code, 1);
    alice.ok(["delete", "/app"]);
}

#[test]
fn what_is_made_belongs_to_a_user() {
    a_struct_is_its_creators(&World::fake(), "auth=digest:@USER.login");
}

#[test]
fn what_is_made_belongs_to_a_user_of_sasl() {
    a_struct_is_its_creators(&World::fake(), "auth=sasl:@USER.login");
}

#[test]
fn what_is_made_belongs_to_a_certificate() {
    a_struct_is_its_creators(&World::fake(), "");
}

#[test]
#[ignore = "needs a ZooKeeper server"]
fn what_is_made_belongs_to_its_creator_on_a_real_server() {
    let world = World::real();
    for auth in [
        "auth=digest:@USER.login",
        "auth=sasl:@USER.login",
        "",
        "auth=digest:@USER.login&auth=sasl:@USER.login",
    ] {
        a_struct_is_its_creators(&world, auth);
    }
    failures_are_named(&world);
    the_doctor_knows(&world);
}

/// What is wrong with TLS and with a login is said, and never shows a secret.
fn failures_are_named(world: &World) {
    let wrong_ca = world.place("alice", "").url().replace("/ca.pem", "/other-ca.pem");
    let done = world.place("alice", "").run(["--store", &wrong_ca, "--timeout", "2s", "get", "/app"]);
    assert_eq!(done.code, 5);
    assert!(done.err.contains("not signed by a trusted authority"), "{}", done.err);
    fs::write(world.file("wrong.login"), format!("alice:{SECRET}-not")).unwrap();
    fs::set_permissions(world.file("wrong.login"), fs::Permissions::from_mode(0o600)).unwrap();
    let done = world.place("alice", "auth=sasl:@wrong.login").run(["-vv", "get", "/app"]);
    assert_eq!(done.code, 1, "{}", done.err);
    keeps_the_secret(&done);
}

#[test]
fn a_wrong_authority_is_unreachable_and_a_wrong_password_is_refused() {
    failures_are_named(&World::fake());
}

/// The doctor says how the store is reached, and warns of what is open.
fn the_doctor_knows(world: &World) {
    let report = world.place("alice", "auth=digest:@alice.login&acl=creator").json(["doctor", "--json"]);
    assert_eq!((&report["secure"], &report["read_only"]), (&json!(true), &json!(false)));
    assert_eq!(report["session_timeout_ms"], json!(15_000.0));
    let identities = report["identities"].as_array().unwrap();
    for identity in ["digest:alice", "x509:CN=alice"] {
        assert!(identities.contains(&json!(identity)), "{identities:?}");
    }
    let warnings = report["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].as_str().unwrap().starts_with("/ is open to everybody"), "{warnings:?}");
    let told = world.place("alice", "").ok(["doctor"]);
    assert!(told.contains("warning           what is put is open to everybody"), "{told}");
    assert!(told.contains("TLS               yes") && told.contains("problems          none"), "{told}");
}

#[test]
fn the_doctor_tells_identities_and_warns_of_what_is_open() {
    the_doctor_knows(&World::fake());
}

#[test]
fn the_doctor_does_not_warn_below_a_directory_that_is_closed() {
    let world = World::fake();
    let url = world.place("alice", "acl=creator").url().replace('?', "/closed?");
    let place = Place::at(url);
    place.ok(["set", "/app", "1"]);
    assert_eq!(place.json(["doctor", "--json"])["warnings"], json!([]));
}

#[test]
fn what_is_readable_is_watched_by_others_and_not_changed() {
    let world = World::fake();
    let alice = world.place("alice", "acl=read");
    let eve = world.place("eve", "acl=read");
    alice.ok(["set", "/app", "1"]);
    assert_eq!(eve.ok(["get", "/app", "--consistent"]), "1\n");
    let watch = eve.watch("/app");
    alice.ok(["set", "/app", "2"]);
    assert_eq!(watch.json()["changes"][0]["new"], 2);
    assert_eq!(eve.run(["set", "/app", "3"]).code, 1);
    assert_eq!(eve.run(["kv", "put", "/app/payload", "3"]).code, 1);
    assert_eq!(eve.ok(["kv", "get", "/app/payload"]), "2");
}

#[test]
fn the_doctor_examines_a_server_that_only_reads() {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(FakeZooKeeper::builder().servers(3).start()).unwrap();
    let place = Place::at(format!("zk://{}", server.connect_string()));
    place.ok(["set", "/app", "1"]);
    server.lose_quorum();
    let done = place.run(["doctor", "--json"]);
    assert_eq!(done.code, 1, "{}", done.err);
    let report: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((&report["reached"], &report["read_only"]), (&json!(true), &json!(true)));
    assert!(report["warnings"].to_string().contains("has lost its quorum"), "{report}");
    assert!(report["problems"].to_string().contains("read-only"), "{report}");
    assert_eq!(place.run(["--timeout", "1s", "get", "/app"]).code, 5);
}

#[test]
fn nothing_that_is_said_shows_a_secret() {
    let world = World::fake();
    for options in ["auth=digest:@alice.login&acl=creator", "auth=sasl:@alice.login&acl=read"] {
        let place = world.place("alice", options);
        for args in [&["-vv", "set", "/app", "1"][..], &["-vv", "get", "/app"], &["-vv", "doctor"]] {
            let done = finish(&mut place.command(args));
            assert_eq!(done.code, 0, "{}", done.err);
            assert!(!done.err.is_empty());
            keeps_the_secret(&done);
        }
        place.run(["delete", "/app"]);
    }
}

#[test]
fn a_login_may_be_in_the_environment() {
    let world = World::fake();
    let place = world.place("alice", "auth=digest:$ZK_LOGIN&acl=creator");
    let missing = place.run(["get", "/app"]);
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("no environment variable ZK_LOGIN"), "{}", missing.err);
    let login = format!("alice:{SECRET}");
    let done = finish(place.command(["set", "/app", "1"]).env("ZK_LOGIN", &login));
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    let broken = finish(place.command(["get", "/app"]).env("ZK_LOGIN", SECRET));
    assert_eq!(broken.code, 2, "{}", broken.err);
    keeps_the_secret(&broken);
}

#[test]
fn files_are_found_from_the_working_directory_also_under_a_lock() {
    let world = World::fake();
    let url = world.place("alice", "auth=digest:@alice.login&acl=creator").url();
    let place = Place::at(url.replace(&format!("{}/", world.files.path().display()), ""));
    let script = r#"cd / && "$QUORATE_BIN" set /app 2"#;
    let mut lock = place.command(["lock", "/app", "--", "sh", "-c", script]);
    let done = finish(lock.current_dir(world.files.path()));
    assert_eq!((done.code, done.err.as_str()), (0, ""));
    assert_eq!(finish(place.command(["get", "/app"]).current_dir(world.files.path())).out, "2\n");
}

#[test]
fn a_secret_that_everybody_can_read_is_warned_of() {
    let world = World::fake();
    fs::set_permissions(world.file("alice.login"), fs::Permissions::from_mode(0o644)).unwrap();
    let done = world.place("alice", "auth=digest:@alice.login").run(["set", "/app", "1"]);
    assert_eq!(done.code, 0);
    assert!(done.err.contains("alice.login holds a secret that everybody can read"), "{}", done.err);
    keeps_the_secret(&done);
}

#[test]
fn options_that_cannot_be_used_are_usage_errors_without_the_secret() {
    let place = Place::new();
    for options in [
        format!("auth=digest:alice:{SECRET}"),
        format!("auth={SECRET}"),
        "ca=ca.pem".to_owned(),
        "acl=creator".to_owned(),
        "auth=digest:@/nowhere/zk.login".to_owned(),
    ] {
        let done = place.run(["--store", &format!("zk://127.0.0.1:1?{options}"), "get", "/a"]);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{options}: {}", done.err);
        keeps_the_secret(&done);
    }
    let done = place.run(["--store", "zks://127.0.0.1:1?ca=/nowhere/ca.pem", "get", "/a"]);
    assert_eq!(done.code, 2);
    assert!(done.err.contains("/nowhere/ca.pem cannot be read"), "{}", done.err);
}
