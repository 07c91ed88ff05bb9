//! The story: each step says what happens, lets it happen, and checks it.

use anyhow::{Context, Result, bail, ensure};
use quorate::{Consistency, Key};
use tokio::time::{Instant, timeout_at};

use super::agent::{READ, short};
use super::cast::Cast;
use super::model::{Agent, LISTENERS};
use super::stage::Stage;
use super::vanishing::Vanishing;
use super::voice::{Voice, line};
use super::writer::READY;

/// The agent that lives to the end.
const FIRST: &str = "web-1";
/// The agent that is killed.
const SECOND: &str = "web-2";
const AGENTS: [&str; 2] = [FIRST, SECOND];
const WRITERS: [&str; 2] = ["writer-1", "writer-2"];
const WRITER: &str = "writer";

/// How often each of the competing writers adds one.
const INCREMENTS: u64 = 25;

/// Tells the whole story. Gives the time it began.
///
/// # Errors
///
/// A sentence that says which claim did not hold.
pub(super) async fn tell(stage: &mut Stage) -> Result<Instant> {
    line("One struct, shared live by separate processes. Everything below happens now, for real.")?;
    make_the_struct(stage).await?;
    let ids = agents_join(stage).await?;
    outsider_edits(stage).await?;
    reads(stage).await?;
    writers_compete(stage).await?;
    kill_an_agent(stage, ids).await?;
    bad_payload(stage).await?;
    goodbye(stage).await?;
    Ok(stage.started)
}

async fn make_the_struct(stage: &mut Stage) -> Result<()> {
    let Stage { voice, document, url, .. } = stage;
    voice.step("A store and a struct")?;
    voice.say(format_args!("The store is {url}: one file, no server."))?;
    let payload = serde_json::to_vec(&Agent::default())?;
    let made = document.create(payload).await?.context("the store was not empty")?;
    voice.held(format_args!("/agents/web holds {}", String::from_utf8_lossy(&made.value)))
}

/// Gives the process ids of the agents.
async fn agents_join(stage: &mut Stage) -> Result<[u32; 2]> {
    stage.voice.step("Two agents join")?;
    let mut ids = [0; 2];
    for (name, id) in AGENTS.into_iter().zip(&mut ids) {
        *id = stage.cast.start(name, &["agent", name, &stage.url])?;
    }
    stage.voice.say(format_args!("They are processes of their own, {} and {}.", ids[0], ids[1]))?;
    let expected = serde_json::to_value(Agent::default())?;
    for name in AGENTS {
        let snapshot = stage.cast.hear(&stage.voice, name, "snapshot ").await?;
        let snapshot: serde_json::Value = serde_json::from_str(&snapshot)?;
        ensure!(snapshot == expected, "{name} joined, but its copy is {snapshot}");
    }
    stage.voice.held("Each agent has a live copy.")?;
    Ok(ids)
}

async fn outsider_edits(stage: &mut Stage) -> Result<()> {
    let Stage { voice, cast, url, .. } = stage;
    voice.step("An outsider edits the list")?;
    voice.say("A third process adds \"firefox*\" and ends.")?;
    cast.start(WRITER, &["writer", url, "append", "firefox*"])?;
    cast.hear(voice, WRITER, "appended").await?;
    for name in AGENTS {
        cast.hear(voice, name, "added /processes/2 \"firefox*\"").await?;
    }
    cast.dismiss(voice, WRITER).await?;
    voice.held("Both agents were told of the one field that changed.")
}

async fn reads(stage: &mut Stage) -> Result<()> {
    let Stage { voice, cast, url, .. } = stage;
    voice.step("A local read and a consistent read")?;
    voice.say(format_args!("A writer sets the interval from 5 to 10 s; then {FIRST} reads it both ways."))?;
    cast.start(WRITER, &["writer", url, "interval", "10"])?;
    cast.hear(voice, WRITER, "set the interval").await?;
    cast.tell(FIRST, READ).await?;
    let local = cast.hear(voice, FIRST, "local read gives ").await?;
    let consistent = cast.hear(voice, FIRST, "consistent read gives ").await?;
    let after = cast.hear(voice, FIRST, "local read after it gives ").await?;
    for name in AGENTS {
        cast.hear(voice, name, "modified /interval_seconds 5 -> 10").await?;
    }
    cast.dismiss(voice, WRITER).await?;
    ensure!(consistent.starts_with("10 "), "the consistent read missed a write that was done before it");
    ensure!(after == "10", "the local copy went back after the consistent read");
    let local = if local.starts_with("10 ") { "was as new" } else { "was a moment behind" };
    voice.held("The consistent read saw the write: it asks the store.")?;
    voice.held(format_args!("The local read asks nobody, and this time it {local}."))
}

async fn writers_compete(stage: &mut Stage) -> Result<()> {
    let Stage { voice, cast, url, document, .. } = stage;
    voice.step("Two writers compete")?;
    voice.say(format_args!("Each adds one to the same number {INCREMENTS} times, both at once."))?;
    // The agents are told of each increment; that would be a hundred lines.
    cast.mute(Some("modified /edits"));
    let times = INCREMENTS.to_string();
    for name in WRITERS {
        cast.start(name, &["writer", url, "compete", &times])?;
    }
    for name in WRITERS {
        cast.hear(voice, name, READY).await?;
    }
    let begun = Instant::now();
    for name in WRITERS {
        cast.tell(name, "go").await?;
    }
    for name in WRITERS {
        cast.hear(voice, name, &times).await?;
    }
    let took = begun.elapsed();
    let total = INCREMENTS * WRITERS.len() as u64;
    let entry = document.read(Consistency::Linearizable).await?.context("the struct is gone")?;
    let agent: Agent = serde_json::from_slice(&entry.value)?;
    ensure!(agent.edits == total, "{total} increments were done, and the number is {}", agent.edits);
    let each = format!("modified /edits {} -> {total}", total - 1);
    for name in AGENTS {
        cast.hear(voice, name, &each).await?;
        let told = cast.forget(name, "modified /edits ") + 1;
        voice.repeat(name, &format!("was told of {told} changes, the last: {each}"))?;
    }
    for name in WRITERS {
        cast.dismiss(voice, name).await?;
    }
    cast.mute(None);
    voice.held(format_args!("The number went from 0 to exactly {total} in {}: none was lost.", short(took)))
}

async fn kill_an_agent(stage: &mut Stage, ids: [u32; 2]) -> Result<()> {
    let Stage { voice, cast, document, .. } = stage;
    voice.step("An agent is killed")?;
    let listeners = document.listeners().await?;
    ensure!(listeners.len() == AGENTS.len(), "two agents listen, and {} are listed", listeners.len());
    let mut victim = None;
    for (name, id) in AGENTS.into_iter().zip(ids) {
        let listener = listeners.iter().find(|listener| listener.process.ends_with(&format!("[{id}]")));
        let listener = listener.with_context(|| format!("{name} is not among the listeners"))?;
        voice.say(format_args!("{name} is listed as {} on {}.", listener.process, listener.host))?;
        victim = Some(Key::parse(LISTENERS)?.join(&listener.id)?);
    }
    let victim = victim.context("there are agents")?;
    voice.say(format_args!("kill -9 {}: {SECOND} gets no chance to say goodbye.", ids[1]))?;
    let mut vanishing = Vanishing::of(&stage.store, victim).await?;
    let begun = Instant::now();
    cast.kill(voice, SECOND).await?;
    let Ok(vanished) = timeout_at(stage.deadline, vanishing.wait()).await else {
        bail!("{SECOND} is dead, and still listed as a listener");
    };
    vanished?;
    let took = begun.elapsed();
    let left = document.listeners().await?.len();
    ensure!(left == 1, "one agent is left, and {left} are listed");
    voice.held(format_args!("Watchers were told {} later that its listener is gone.", short(took)))
}

async fn bad_payload(stage: &mut Stage) -> Result<()> {
    let Stage { voice, cast, url, document, .. } = stage;
    voice.step("Somebody breaks the data")?;
    voice.say("An outsider writes \"not json\" where the struct is, past all checks.")?;
    let good = document.read(Consistency::Linearizable).await?.context("the struct is gone")?;
    let mut agent: Agent = serde_json::from_slice(&good.value)?;
    raw(cast, voice, url, "not json").await?;
    cast.hear(voice, FIRST, "rejected: ").await?;
    let kept = cast.hear(voice, FIRST, "still reads ").await?;
    ensure!(kept == serde_json::to_string(&agent)?, "{FIRST} lost its good copy; it reads {kept}");
    voice.held("The bad payload was refused and the good copy kept.")?;
    voice.say("Then the outsider repairs it, with \"sshd*\" added.")?;
    agent.processes.push("sshd*".into());
    raw(cast, voice, url, &serde_json::to_string(&agent)?).await?;
    cast.hear(voice, FIRST, "added /processes/3 \"sshd*\"").await?;
    voice.held("The agent recovered by itself, and was told only the difference.")
}

/// Lets a writer put this payload in place.
async fn raw(cast: &mut Cast, voice: &Voice, url: &str, payload: &str) -> Result<()> {
    cast.start(WRITER, &["writer", url, "raw", payload])?;
    cast.hear(voice, WRITER, "wrote ").await?;
    cast.dismiss(voice, WRITER).await
}

async fn goodbye(stage: &mut Stage) -> Result<()> {
    stage.voice.step("Goodbye")?;
    stage.voice.say(format_args!("{FIRST} ends in good order, and the temporary store goes with it."))?;
    stage.cast.dismiss(&stage.voice, FIRST).await?;
    let left = stage.document.listeners().await?.len();
    ensure!(left == 0, "everybody left, and {left} are still listed as listeners");
    Ok(())
}
