//! Two parsed documents of a megabyte, and what changed between them: ours beside `json-patch` and `treediff`, in one
//! run.
//!
//! And what it takes to parse them, with digests of their parts and without.
//!
//! The peers compare arrays by index, ours by longest common subsequence. All three tell what they found in their own
//! way; telling and dropping what was told is measured with it.

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use quorate_datasync::ParsedDocument;
use serde_json::{Map, Value, json};

/// About how long each document is as text.
const BYTES: usize = 1 << 20;
/// How many leaves differ.
const CHANGES: [usize; 3] = [1, 100, 10_000];
/// Rounds whose median is shown, and how long each of them measures each contender.
const ROUNDS: (usize, usize) = (15, 5);
const ROUND_TIME: Duration = Duration::from_millis(60);

/// What kind of document is compared.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// Objects in objects.
    Objects,
    /// Rows of scalars, as a table has them.
    Arrays,
    /// A list of records.
    Records,
    /// The same, and one record came in at the head.
    Shifted,
}

/// One document: as it is written, as a value, and as a document with digests of its parts.
struct Form {
    text: Vec<u8>,
    value: Value,
    parsed: ParsedDocument,
}

impl Form {
    /// Parses the text of a value twice, so that nothing is shared.
    fn of(value: &Value) -> Result<Self, Box<dyn Error>> {
        let text = value.to_string().into_bytes();
        let (value, parsed) = (serde_json::from_slice(&text)?, ParsedDocument::parse(&text)?);
        Ok(Self { text, value, parsed })
    }
}

/// Who compares, and how many changes it tells.
struct Contender {
    name: &'static str,
    work: fn(&Form, &Form) -> usize,
}

const CONTENDERS: [Contender; 5] = [
    Contender { name: "quorate", work: |old, new| quorate_datasync::diff(&old.value, &new.value).len() },
    Contender { name: "quorate, parsed", work: |old, new| old.parsed.diff(&new.parsed).len() },
    Contender { name: "json-patch", work: |old, new| json_patch::diff(&old.value, &new.value).0.len() },
    Contender { name: "treediff", work: |old, new| treediff_changes(&old.value, &new.value) },
    // Not a diff: what it takes to visit all values, without a look at names and strings.
    Contender { name: "visit only", work: |old, new| visit(&old.value, &new.value) },
];

/// Who parses the first of two documents. What was made is dropped within the time.
const PARSERS: [Contender; 3] = [
    Contender {
        name: "serde_json::from_slice",
        work: |old, _| made(serde_json::from_slice::<Value>(&old.text)),
    },
    Contender { name: "parse", work: |old, _| made(quorate_datasync::parse(&old.text)) },
    Contender { name: "ParsedDocument::parse", work: |old, _| made(ParsedDocument::parse(&old.text)) },
];

fn made<T, E>(parsed: Result<T, E>) -> usize {
    usize::from(black_box(parsed).is_ok())
}

fn treediff_changes(old: &Value, new: &Value) -> usize {
    let mut recorder = treediff::tools::Recorder::default();
    treediff::diff(old, new, &mut recorder);
    let is_change = |call: &&treediff::tools::ChangeType<'_, _, _>| {
        !matches!(call, treediff::tools::ChangeType::Unchanged(..))
    };
    recorder.calls.iter().filter(is_change).count()
}

fn visit(old: &Value, new: &Value) -> usize {
    black_box(values(old) + values(new));
    0
}

fn values(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(values).sum(),
        Value::Array(elements) => elements.iter().map(values).sum(),
        _ => 1,
    }
}

/// Measures everything and prints two tables.
pub(crate) fn run(is_quick: bool) -> Result<(), Box<dyn Error>> {
    let rounds = if is_quick { ROUNDS.1 } else { ROUNDS.0 };
    let mut text = String::from(
        "\n### diff of two parsed documents of 1 MB\n\n\
         | document | changes | contender | told | CPU us | ours is faster by | parsed is faster by |\n\
         |---|--:|---|--:|--:|--:|--:|\n",
    );
    for shape in [Shape::Objects, Shape::Arrays, Shape::Records, Shape::Shifted] {
        for changes in CHANGES {
            let (old, new) = documents(shape, changes)?;
            judge(&old, &new)?;
            let medians = measure(&CONTENDERS, &old, &new, rounds);
            for (contender, median) in CONTENDERS.iter().zip(&medians) {
                let Contender { name, work } = contender;
                let told = work(&old, &new);
                let us = median.as_secs_f64() * 1e6;
                let [ours, parsed] = [0, 1].map(|at| median.as_secs_f64() / medians[at].as_secs_f64());
                writeln!(
                    text,
                    "| {shape:?} | {changes} | {name} | {told} | {us:.0} | {ours:.2} | {parsed:.2} |"
                )?;
            }
        }
    }
    text.push_str(
        "\n### parsing a document of 1 MB\n\n| document | parser | CPU us | of serde_json |\n|---|---|--:|--:|\n",
    );
    for shape in [Shape::Objects, Shape::Arrays, Shape::Records] {
        let (old, new) = documents(shape, 1)?;
        let medians = measure(&PARSERS, &old, &new, rounds);
        for (Contender { name, .. }, median) in PARSERS.iter().zip(&medians) {
            let (us, ratio) = (median.as_secs_f64() * 1e6, median.as_secs_f64() / medians[0].as_secs_f64());
            writeln!(text, "| {shape:?} | {name} | {us:.0} | {ratio:.2} |")?;
        }
    }
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// The median CPU time that each contender takes. Rounds are interleaved.
fn measure(contenders: &[Contender], old: &Form, new: &Form, rounds: usize) -> Vec<Duration> {
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for _ in 0..rounds {
        for (contender, times) in contenders.iter().zip(&mut times) {
            let (start, cpu, mut count) = (Instant::now(), cpu(), 0);
            while count == 0 || start.elapsed() < ROUND_TIME {
                black_box((contender.work)(black_box(old), black_box(new)));
                count += 1;
            }
            times.push((self::cpu() - cpu) / count);
        }
    }
    times.into_iter().map(|mut times| *times.select_nth_unstable(rounds / 2).1).collect()
}

/// The CPU that this thread has used: whoever else uses the machine does not count.
fn cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// What we tell turns one document into the other, by the word of `json-patch`, and is the same with digests.
fn judge(old: &Form, new: &Form) -> Result<(), Box<dyn Error>> {
    let changes = quorate_datasync::diff(&old.value, &new.value);
    if old.parsed.diff(&new.parsed) != changes {
        return Err("digests make a difference".into());
    }
    let patch: json_patch::Patch = serde_json::from_value(quorate_datasync::to_patch(&changes))?;
    let mut patched = old.value.clone();
    json_patch::patch(&mut patched, &patch)?;
    if patched == new.value { Ok(()) } else { Err("our patch is wrong".into()) }
}

/// A document and one in which so many leaves differ.
fn documents(shape: Shape, changes: usize) -> Result<(Form, Form), Box<dyn Error>> {
    let old = match shape {
        Shape::Objects => objects(BYTES / 160),
        Shape::Arrays => (0..BYTES / 100)
            .map(|row| Value::from((0..10).map(|at| leaf(row * 10 + at)).collect::<Vec<_>>()))
            .collect(),
        Shape::Records | Shape::Shifted => (0..BYTES / 160).map(record).collect(),
    };
    let mut new = old.clone();
    let mut leaves = Vec::new();
    collect(&mut new, &mut leaves);
    let step = leaves.len() / changes;
    for leaf in leaves.into_iter().skip(step / 2).step_by(step.max(1)).take(changes) {
        *leaf = json!("changed");
    }
    if let (Shape::Shifted, Value::Array(records)) = (shape, &mut new) {
        records.insert(0, record(records.len()));
    }
    Ok((Form::of(&old)?, Form::of(&new)?))
}

fn objects(count: usize) -> Value {
    let groups = (0..count.div_ceil(50)).map(|group| {
        let members = (group * 50..(group + 1) * 50).map(|at| (format!("agent-{at:06}"), record(at)));
        (format!("group-{group:04}"), Value::Object(members.collect::<Map<_, _>>()))
    });
    Value::Object(groups.collect())
}

/// About 160 bytes.
fn record(at: usize) -> Value {
    json!({
        "name": format!("agent-{at:06}"),
        "address": {"host": format!("10.0.{}.{}", at / 250 % 250, at % 250), "port": 1_024 + at % 60_000},
        "weight": at % 7,
        "enabled": at.is_multiple_of(2),
        "note": format!("in rack {} of row {}", at % 40, at % 11),
    })
}

/// About 10 bytes.
fn leaf(at: usize) -> Value {
    if at.is_multiple_of(3) { json!(format!("v{at}")) } else { json!(at * 31) }
}

fn collect<'a>(value: &'a mut Value, leaves: &mut Vec<&'a mut Value>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| collect(item, leaves)),
        Value::Object(members) => members.values_mut().for_each(|member| collect(member, leaves)),
        leaf => leaves.push(leaf),
    }
}
