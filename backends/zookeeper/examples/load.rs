//! Measures what it takes to follow a large prefix: `load HOST:PORT DIRECTORIES EACH BYTES`.
//!
//! Fills the server if the prefix is empty, follows it, and prints the time until the copy is complete, the requests
//! that it took and the memory of this process. Then somebody else writes, and the time from the write to the event is
//! told beside that of a bare notification with a read behind it.

#![expect(clippy::print_stdout, reason = "a measurement is printed")]

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use quorate_datasync::{
    Consistency, Event, Key, List, Prefix, Replica, Selection, Store, StoreExt, Txn, Watch,
};
use quorate_zk::{Client, WatchMode, ZnodePath};
use quorate_zookeeper::ZooKeeper;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many writes are timed.
const WRITES: usize = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [host, directories, each, bytes] = &arguments[..] else {
        return Err("load HOST:PORT DIRECTORIES EACH BYTES".into());
    };
    let (directories, each, bytes) = (directories.parse()?, each.parse()?, bytes.parse()?);
    let prefix = Prefix::parse(&format!("/load-{directories}-{each}-{bytes}"))?;
    fill(host, &prefix, directories, each, bytes).await?;
    let (watch, replica) = load(host, &prefix).await?;
    tell_latency(host, &prefix, watch, replica).await
}

async fn fill(host: &str, prefix: &Prefix, directories: usize, each: usize, bytes: usize) -> Result<()> {
    let store = ZooKeeper::options([host]).open().await?;
    if store.list(prefix, List::Names, Consistency::Synced).await?.into_names().len() < directories {
        for directory in 0..directories {
            let keys: Vec<Key> = (0..each)
                .map(|n| prefix.join(&format!("d{directory:04}/n{n:06}")))
                .collect::<std::result::Result<_, _>>()?;
            for some in keys.chunks(500) {
                let txn = some.iter().fold(Txn::new(), |txn, key| txn.put(key, vec![b'v'; bytes]));
                store.commit(txn).await?;
            }
        }
    }
    store.close().await;
    Ok(())
}

async fn load(host: &str, prefix: &Prefix) -> Result<(Watch, Replica)> {
    let before = packets(host)?;
    println!("before:  {}", memory()?);
    let since = Instant::now();
    let store: Arc<dyn Store> = Arc::new(ZooKeeper::options([host]).open().await?);
    let mut replica = Replica::new();
    let (_, told) = follow(&store, prefix, &mut replica).await?;
    let took = since.elapsed();
    println!("synced:  {:.3} s, {} entries, {told} told", took.as_secs_f64(), replica.len());
    println!("packets: {}", packets(host)? - before);
    println!("after:   {}", memory()?);
    let since = Instant::now();
    let (watch, told) = follow(&store, prefix, &mut replica).await?;
    println!("again:   {:.3} s, {told} told, {}", since.elapsed().as_secs_f64(), memory()?);
    Ok((watch, replica))
}

/// Follows until the content was told, and says how much of it was news.
async fn follow(store: &Arc<dyn Store>, prefix: &Prefix, replica: &mut Replica) -> Result<(Watch, usize)> {
    let mut watch = Watch::new(store, Selection::Prefix(prefix.clone()));
    let mut told = 0;
    loop {
        let event = watch.next().await.ok_or("the watch ended")??;
        let is_last = matches!(event, Event::ResyncDone { .. });
        replica.apply_each(event, |_| told += 1);
        if is_last {
            return Ok((watch, told));
        }
    }
}

/// Writes one key over and over, and in turn a znode that nobody follows, and tells how long the event of the one takes
/// beside a bare notification and read of the other.
async fn tell_latency(host: &str, prefix: &Prefix, mut watch: Watch, mut replica: Replica) -> Result<()> {
    let key = replica.iter().next().ok_or("nothing is there")?.key.clone();
    let alone = Key::parse("/load-alone")?;
    let writer = ZooKeeper::options([host]).open().await?;
    writer.put(&alone, "alone").await?;
    let (client, _events) = Client::connect(host).await?;
    let path = ZnodePath::new(alone.as_str())?;
    let mut bare_watch = client.add_watch(&path, WatchMode::Persistent).await?;
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for n in 0..WRITES {
        let value = n.to_string();
        let since = Instant::now();
        let (put, took) =
            tokio::join!(writer.put(&key, value.clone()), event(&mut watch, &mut replica, &value, since));
        put?;
        ours.push(took?);
        let since = Instant::now();
        let notification = async {
            bare_watch.next().await.ok_or("the watch ended")?;
            client.get_data(&path).await?;
            Ok::<_, Box<dyn Error>>(since.elapsed())
        };
        let (put, took) = tokio::join!(writer.put(&alone, value), notification);
        put?;
        bare.push(took?);
    }
    let (ours, bare) = (median(ours), median(bare));
    println!("event:   {ours:?}, bare {bare:?}, ratio {:.2}", ours.as_secs_f64() / bare.as_secs_f64());
    println!("below:   {} entries", replica.range(prefix).count());
    Ok(())
}

/// Waits until the copy has a value.
async fn event(watch: &mut Watch, replica: &mut Replica, value: &str, since: Instant) -> Result<Duration> {
    loop {
        let event = watch.next().await.ok_or("the watch ended")??;
        let is_it = matches!(&event, Event::Put(entry) if entry.value == value);
        replica.apply(event);
        if is_it {
            return Ok(since.elapsed());
        }
    }
}

fn median(mut all: Vec<Duration>) -> Duration {
    all.sort_unstable();
    all[all.len() / 2]
}

/// How many packets the server has received.
fn packets(host: &str) -> Result<u64> {
    let mut stream = TcpStream::connect(host)?;
    stream.write_all(b"srvr")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let line = answer.lines().find_map(|line| line.strip_prefix("Received: ")).ok_or("no such line")?;
    Ok(line.trim().parse()?)
}

/// What this process holds, and the most it ever held.
fn memory() -> Result<String> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    Ok(lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", "))
}
