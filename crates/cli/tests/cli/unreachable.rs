//! A store that does not answer: a sentence within the time that was given.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::Place;

/// How much longer than its time a command may take until it has ended.
const GRACE: Duration = Duration::from_secs(5);

/// A port where connections are made and nobody ever answers.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("zk://{}", listener.local_addr().unwrap());
    (listener, url)
}

#[test]
fn a_server_that_refuses_is_unreachable_in_time() {
    let place = Place::new();
    let (listener, url) = silent();
    drop(listener);
    for command in ["get", "watch", "listeners", "delete"] {
        let begun = Instant::now();
        let done = place.run(["--store", &url, "--timeout", "500ms", command, "/a"]);
        assert_eq!((done.code, done.out.as_str()), (5, ""), "{command}: {}", done.err);
        assert!(done.err.contains(&url), "{}", done.err);
        assert!(begun.elapsed() < GRACE, "{command}");
    }
}

#[test]
fn a_server_that_is_silent_is_unreachable_in_time() {
    let place = Place::new();
    let (_listener, url) = silent();
    let begun = Instant::now();
    assert_eq!(place.run(["--store", &url, "--timeout", "500ms", "set", "/a", "1"]).code, 5);
    assert_eq!(place.run(["--store", &url, "--timeout", "500ms", "lock", "/a", "--", "true"]).code, 5);
    let doctor = place.run(["--store", &url, "--timeout", "500ms", "doctor", "--json"]);
    assert_eq!(doctor.code, 5);
    assert!(doctor.out.contains("\"reached\":false"));
    assert!(begun.elapsed() < GRACE * 3);
}

#[test]
fn an_interrupt_while_connecting_ends_with_130() {
    let place = Place::new();
    let (listener, url) = silent();
    let mut get = place.start(["--store", &url, "--timeout", "1m", "get", "/a"]);
    // It has begun to connect, so its signals are its own.
    let _connection = listener.accept().unwrap();
    get.signal(Signal::INT);
    assert_eq!(get.code(), 130);
}
