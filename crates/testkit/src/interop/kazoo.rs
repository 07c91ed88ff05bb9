//! kazoo, the client of Python, in a process of its own.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Debian's own Python, which knows Debian's packages. Another one that comes first in the path need not.
const PYTHON: &str = "/usr/bin/python3";

/// Where the package puts kazoo.
const PACKAGE: &str = "/usr/lib/python3/dist-packages/kazoo";

const INSTALL: &str = "kazoo is missing: apt-get install python3-kazoo";

/// The program that speaks for kazoo.
const AGENT: &str = include_str!("agent.py");

/// No single answer takes this long: it is more than kazoo's own patience with a server.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// What kazoo raised instead of answering.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KazooError {
    /// The name of the exception, for example `NoNodeError`.
    pub name: String,
    /// What it says.
    pub text: String,
}

impl std::fmt::Display for KazooError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "kazoo raised {}: {}", self.name, self.text)
    }
}

impl std::error::Error for KazooError {}

/// A kazoo client with a session of its own.
///
/// Its process is killed when this is dropped, and then its session lives on until it times out;
/// [`close`](Self::close) closes the session too.
///
/// # Panics
///
/// Whatever goes wrong between this process and kazoo's panics and says why. What kazoo itself raises is a
/// [`KazooError`].
#[derive(Debug)]
pub struct Kazoo {
    child: Child,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    /// What watches told while an answer was awaited.
    events: VecDeque<Value>,
    _dir: TempDir,
}

impl Kazoo {
    /// Starts a client of these hosts, `host:port` and separated by commas, and waits for its session.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the client.
    pub async fn connect(hosts: &str) -> Self {
        Self::connect_with(hosts, &json!({})).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Starts a client like [`connect`](Self::connect), with more of the arguments of `KazooClient`, as in
    /// `json!({"auth_data": [["digest", "user:password"]]})`.
    ///
    /// # Errors
    ///
    /// What kazoo raises if it gets no session.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the client.
    pub async fn connect_with(hosts: &str, arguments: &Value) -> Result<Self, KazooError> {
        assert!(Path::new(PACKAGE).exists(), "{INSTALL} ({PACKAGE} is not there)");
        let dir = TempDir::with_prefix("kazoo-").expect("a temporary folder can be made");
        let agent = dir.path().join("agent.py");
        std::fs::write(&agent, AGENT).expect("the temporary folder takes a file");
        let mut child = Command::new(PYTHON)
            .arg(&agent)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{INSTALL} ({PYTHON} does not start: {error})"));
        let requests = child.stdin.take().expect("it was asked for");
        let answers = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
        let mut kazoo = Self { child, requests, answers, events: VecDeque::new(), _dir: dir };
        let mut all: Map<String, Value> = arguments.as_object().cloned().unwrap_or_default();
        all.insert("hosts".to_owned(), hosts.into());
        kazoo.ask(&Value::Object(all)).await?;
        Ok(kazoo)
    }

    /// Calls a method of `KazooClient` by its name, as in `call("create", json!({"path": "/a", "value": "x"}))`.
    ///
    /// Bytes are strings with one character for each byte, access lists are lists of `[scheme, id, perms]`, stats
    /// are objects. Beside kazoo's own methods there are these: `watch_data` and `watch_children` start kazoo's
    /// `DataWatch` and `ChildrenWatch` on a `path`, `watch_once` does the `call` named (`get`, `exists` or
    /// `get_children`) on a `path` with a one-shot watch, `transaction` commits the calls in `ops`, and `session`
    /// returns the id of the session.
    ///
    /// # Errors
    ///
    /// What kazoo raises.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: the answer to a dropped call would be taken for that of the next.
    pub async fn call(&mut self, name: &str, arguments: Value) -> Result<Value, KazooError> {
        self.ask(&json!({ "call": name, "args": arguments })).await
    }

    /// Waits for what a watch tells next.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost if the future is dropped.
    pub async fn event(&mut self) -> Value {
        if let Some(event) = self.events.pop_front() {
            return event;
        }
        let mut line = self.line().await;
        line.get_mut("event").map(Value::take).unwrap_or_else(|| panic!("kazoo answered unasked: {line}"))
    }

    /// Closes the session and waits for the end of the process.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future kills the client, whose session may live on then.
    pub async fn close(self) {
        let Self { mut child, requests, .. } = self;
        // The end of its input is the agent's sign to close.
        drop(requests);
        let ended = timeout(ANSWER_MAX, child.wait()).await;
        assert!(ended.is_ok_and(|status| status.is_ok()), "kazoo did not end within {ANSWER_MAX:?}");
    }

    async fn ask(&mut self, request: &Value) -> Result<Value, KazooError> {
        let line = format!("{request}\n");
        self.requests.write_all(line.as_bytes()).await.expect("kazoo still reads");
        loop {
            let mut line = self.line().await;
            if let Some(event) = line.get_mut("event") {
                self.events.push_back(event.take());
            } else if let Some(value) = line.get_mut("ok") {
                return Ok(value.take());
            } else {
                let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
                return Err(KazooError { name: text("error"), text: text("text") });
            }
        }
    }

    async fn line(&mut self) -> Value {
        let line = timeout(ANSWER_MAX, self.answers.next_line())
            .await
            .unwrap_or_else(|_| panic!("kazoo said nothing for {ANSWER_MAX:?}"))
            .expect("kazoo writes text")
            .expect("kazoo's process ended");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("kazoo wrote {line:?}: {error}"))
    }
}
