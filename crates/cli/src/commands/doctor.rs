//! `quorate doctor`: reaches the store and says how it is doing.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime};

use quorate::{Capabilities, Consistency, Findings, Key, Store, StoreStatus, Txn, Want};
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::context::Context;
use crate::exit::{Exit, Failure, Result};

/// How long a server may take to tell its version.
const VERSION_TIME: Duration = Duration::from_secs(2);

/// How often each thing is measured. The one in the middle counts.
const ROUNDS: usize = 11;

/// The time to live that the key of the measurement is given, in case this program dies on the way.
const LEASE_TTL: Duration = Duration::from_secs(15);

/// What was found out.
#[derive(Debug, Default, Serialize)]
struct Report {
    store: String,
    reached: bool,
    server: Option<String>,
    incarnation: Option<String>,
    capabilities: Option<Abilities>,
    secure: Option<bool>,
    identities: Option<Vec<String>>,
    read_only: Option<bool>,
    session_timeout_ms: Option<f64>,
    latency_ms: Latency,
    warnings: Vec<String>,
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Abilities {
    value_bytes_max: usize,
    txn_keys_max: usize,
    atomic_watch: bool,
    ttl_granularity_ms: Option<f64>,
    history: bool,
    linearizable: bool,
}

/// The middle one of some measurements, in milliseconds.
#[derive(Debug, Default, Serialize)]
struct Latency {
    read: Option<f64>,
    consistent_read: Option<f64>,
    commit: Option<f64>,
}

pub(crate) async fn run(context: &Context, args: &DoctorArgs) -> Result {
    let mut report = Report { store: context.url().to_string(), ..Report::default() };
    let examined = examine(context, &mut report).await;
    report.problems.extend(examined.as_ref().err().and_then(Failure::words));
    if args.json {
        context.output.json(&report)?;
    } else {
        context.output.line(report.human().trim_end())?;
    }
    examined?;
    Ok(if report.problems.is_empty() { Exit::Done } else { Exit::Failed })
}

/// Fills the report until something fails.
async fn examine(context: &Context, report: &mut Report) -> Result<()> {
    let store = context.open().await?;
    let key = own_key()?;
    // The first question waits for the connection, so it is not measured.
    context.ask(|| store.get(&key, Want::Stat, Consistency::Local)).await?;
    report.reached = true;
    report.capabilities = Some(Abilities::from(&store.capabilities()));
    report.latency_ms.read = Some(time_read(context, &*store, &key, Consistency::Local).await?);
    match time_read(context, &*store, &key, Consistency::Linearizable).await {
        Ok(time) => report.latency_ms.consistent_read = Some(time),
        Err(failure) if failure.exit() != Exit::Failed => return Err(failure),
        Err(failure) => {
            let words = failure.words().unwrap_or_default();
            report.problems.push(format!("it cannot be read consistently: {words}"));
        }
    }
    match context.finish(time_commit(&*store, &key)).await {
        Ok(time) => report.latency_ms.commit = Some(time),
        Err(failure) => {
            let words = failure.words().unwrap_or_default();
            report.problems.push(format!("it cannot be written: {words}"));
        }
    }
    let found = context.finish(context.opened().await?.examine(&own_key()?)).await?;
    report.take(found);
    let status = named(&*store).await;
    report.server = status.server.map(|server| server.to_string());
    report.incarnation = status.incarnation.map(|incarnation| incarnation.to_string());
    Ok(())
}

/// What the store says of itself, once it has said its version, which some servers are asked for apart.
async fn named(store: &dyn Store) -> StoreStatus {
    let mut status = store.status();
    let has_version = |status: &StoreStatus| {
        status.server.as_ref().is_some_and(|server| server.contains(|c: char| c.is_ascii_digit()))
    };
    // A server that keeps its version to itself is named without.
    let _ = tokio::time::timeout(VERSION_TIME, status.wait_for(has_version)).await;
    status.borrow().clone()
}

async fn time_read(context: &Context, store: &dyn Store, key: &Key, at: Consistency) -> Result<f64> {
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        context.ask(|| store.get(key, Want::Stat, at)).await?;
        times.push(begun.elapsed());
    }
    Ok(middle(times))
}

/// Writes a key of our own, and takes it away with its lease whatever happens.
async fn time_commit(store: &dyn Store, key: &Key) -> quorate::Result<f64> {
    let lease = store.grant(LEASE_TTL).await?;
    let mut times = Vec::with_capacity(ROUNDS);
    let mut written = Ok(());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        written = store.commit(Txn::new().put_under(key, "measured", &lease.reference())).await.map(drop);
        if written.is_err() {
            break;
        }
        times.push(begun.elapsed());
    }
    let cleared = store.commit(Txn::new().delete(key)).await.map(drop);
    lease.revoke().await?;
    written.and(cleared).map(|()| middle(times))
}

/// A key that nobody else uses.
fn own_key() -> Result<Key> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos();
    Ok(Key::parse(&format!("/quorate-doctor-{}-{now}", std::process::id()))?)
}

/// The middle one in milliseconds; zero of none.
fn middle(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times.get(times.len() / 2).map_or(0.0, |time| milliseconds(*time))
}

/// Milliseconds, to the microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

impl From<&Capabilities> for Abilities {
    fn from(can: &Capabilities) -> Self {
        Self {
            value_bytes_max: can.value_bytes_max,
            txn_keys_max: can.txn_keys_max,
            atomic_watch: can.atomic_watch,
            ttl_granularity_ms: can.ttl_granularity.map(milliseconds),
            history: can.history,
            linearizable: can.linearizable,
        }
    }
}

impl Report {
    /// Takes over how the store is reached.
    fn take(&mut self, found: Findings) {
        self.secure = found.is_secure;
        self.identities = found.identities;
        self.read_only = found.is_read_only;
        self.session_timeout_ms = found.session_timeout.map(milliseconds);
        self.warnings.extend(found.warnings);
    }

    /// The report for a person.
    fn human(&self) -> String {
        let mut text = format!("store             {}\n", self.store);
        let mut add = |name: &str, fact: String| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name:<17} {fact}");
        };
        add("reached", yes(self.reached));
        if let Some(server) = &self.server {
            add("server", server.clone());
        }
        if let Some(incarnation) = &self.incarnation {
            add("incarnation", incarnation.clone());
        }
        if let Some(is_secure) = self.secure {
            add("TLS", yes(is_secure));
        }
        if let Some(identities) = &self.identities {
            add("identity", if identities.is_empty() { "nobody".to_owned() } else { identities.join(", ") });
        }
        if let Some(is_read_only) = self.read_only {
            add("read only", yes(is_read_only));
        }
        if let Some(time) = self.session_timeout_ms {
            add("session timeout", format!("{time} ms"));
        }
        if let Some(can) = &self.capabilities {
            add("values", format!("up to {} bytes", can.value_bytes_max));
            add("transactions", format!("up to {} keys", can.txn_keys_max));
            add("atomic watch", yes(can.atomic_watch));
            add("history", yes(can.history));
            add("quorum reads", yes(can.linearizable));
            add("time to live", can.ttl_granularity_ms.map_or("no".into(), |step| format!("from {step} ms")));
        }
        let Latency { read, consistent_read, commit } = self.latency_ms;
        for (name, time) in [("read", read), ("consistent read", consistent_read), ("commit", commit)] {
            if let Some(time) = time {
                add(name, format!("{time} ms"));
            }
        }
        for warning in &self.warnings {
            add("warning", crate::output::one_line(warning));
        }
        for problem in &self.problems {
            add("problem", crate::output::one_line(problem));
        }
        if self.problems.is_empty() {
            add("problems", "none".to_owned());
        }
        text
    }
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_one_counts() {
        let times = [9, 1, 5].map(Duration::from_millis);
        assert_eq!(middle(times.to_vec()), 5.0);
        assert_eq!(middle(Vec::new()), 0.0);
    }

    #[test]
    fn a_report_names_its_problems() {
        let failure = Failure::timed_out("nobody there");
        let report = Report { problems: failure.words().into_iter().collect(), ..Report::default() };
        assert!(report.human().contains("problem           nobody there"));
    }
}
