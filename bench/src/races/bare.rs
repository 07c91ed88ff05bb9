//! Peers without a client. What they take is what the server and the wire take.
//!
//! One follows: it reads every node, keeps nothing, and for each notification reads once. The other increments: it
//! writes at the version that it wrote last, and reads nothing.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{
    beat,
    ours::{number, say},
};
use crate::{
    raw::{Raw, get, read_frame},
    wire::{self, buffer_at, int_at, request},
};

const IN_FLIGHT: usize = 1024;
const INPUT_BYTES: usize = 1024 * 1024;
const NOTIFICATION: i32 = -1;
/// Where a reply has its content, behind the length of the header.
const CONTENT: usize = 16;
const PERSISTENT: i32 = 0;
const RECURSIVE: i32 = 1;

/// Follows everything below a path, or one node, as it is told.
pub(crate) fn serve(addr: SocketAddr, path: &str) -> Result<(), Box<dyn Error>> {
    let mut follower = Bare::connect(addr)?;
    say("ready")?;
    io::stdin().lock().read_line(&mut String::new())?;
    thread::spawn(|| {
        // Nobody needs this process when nobody can tell it anything.
        let _ = io::stdin().lock().read_line(&mut String::new());
        std::process::exit(0)
    });
    let start = beat::now();
    let nodes = follower.load(path)?;
    say(&format!("done {} {nodes}", beat::now() - start))?;
    follower.follow()
}

/// Increments one node by compare-and-set for as long as it is told, with a watch on it as whoever keeps a copy has.
pub(crate) fn increment(addr: SocketAddr, path: &str) -> Result<(), Box<dyn Error>> {
    let mut raw = Raw::connect(addr)?;
    raw.create_parents(path)?;
    raw.create_unless_there(path, b"{\"n\":0}")?;
    let mut counter = Bare::of(raw)?;
    let watch = request(wire::ADD_WATCH).buffer(path.as_bytes()).int(PERSISTENT).frame();
    counter.play([watch].into_iter(), |_| ())?;
    say("ready")?;
    let mut version = 0;
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line == "value" {
            say(&format!("value {version}"))?;
            continue;
        }
        let (start, before) = (Instant::now(), version);
        let time = Duration::from_millis(number(&line)?);
        while start.elapsed() < time {
            let data = format!("{{\"n\":{}}}", version + 1);
            let set = request(wire::SET_DATA).buffer(path.as_bytes()).buffer(data.as_bytes()).int(version);
            counter.output.write_all(&set.frame())?;
            // What was notified of the watch comes first.
            while int_at(&counter.good_reply()?, 0) == NOTIFICATION {}
            version += 1;
        }
        say(&format!("done {} {}", start.elapsed().as_nanos(), version - before))?;
    }
    Ok(())
}

struct Bare {
    input: BufReader<TcpStream>,
    output: TcpStream,
}

impl Bare {
    fn connect(addr: SocketAddr) -> io::Result<Self> {
        Self::of(Raw::connect(addr)?)
    }

    fn of(raw: Raw) -> io::Result<Self> {
        let output = raw.into_stream();
        Ok(Self { input: BufReader::with_capacity(INPUT_BYTES, output.try_clone()?), output })
    }

    /// Watches and reads everything; gives back how many nodes hold data.
    fn load(&mut self, root: &str) -> io::Result<usize> {
        let watch = request(wire::ADD_WATCH).buffer(root.as_bytes()).int(RECURSIVE).frame();
        self.play([watch].into_iter(), |_| ())?;
        let directories = self.children(&[root.to_owned()])?;
        let nodes = self.children(&directories)?;
        let mut count = 0;
        self.play(nodes.iter().map(|path| get(path, false)), |reply| {
            count += usize::from(int_at(reply, CONTENT) > 0)
        })?;
        Ok(count)
    }

    fn children(&mut self, parents: &[String]) -> io::Result<Vec<String>> {
        let request = |path: &String| request(wire::GET_CHILDREN).buffer(path.as_bytes()).flag(false).frame();
        let (mut all, mut answered) = (Vec::new(), parents.iter());
        self.play(parents.iter().map(request), |reply| {
            let Some(parent) = answered.next() else { return };
            let mut at = CONTENT + 4;
            for _ in 0..int_at(reply, CONTENT) {
                let name = buffer_at(reply, at);
                at += 4 + name.len();
                all.push(format!("{parent}/{}", String::from_utf8_lossy(name)));
            }
        })?;
        Ok(all)
    }

    /// Sends requests, many of them in flight, and looks at the replies.
    fn play(
        &mut self,
        mut requests: impl ExactSizeIterator<Item = Vec<u8>>,
        mut reply: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        let mut left = requests.len();
        let mut room = IN_FLIGHT;
        while left > 0 {
            if self.input.buffer().is_empty() {
                let frames: Vec<u8> = requests.by_ref().take(room).flatten().collect();
                self.output.write_all(&frames)?;
                room = 0;
            }
            reply(&self.good_reply()?);
            (left, room) = (left - 1, room + 1);
        }
        Ok(())
    }

    fn good_reply(&mut self) -> io::Result<Vec<u8>> {
        let reply = read_frame(&mut self.input)?;
        match int_at(&reply, 12) {
            0 => Ok(reply),
            code => Err(io::Error::other(format!("a request fails with {code}"))),
        }
    }

    /// Reads what is notified, and says when it was read.
    fn follow(&mut self) -> Result<(), Box<dyn Error>> {
        loop {
            let frame = read_frame(&mut self.input)?;
            if int_at(&frame, 0) == NOTIFICATION {
                // The kind of the event and the state of the session come first.
                let path = String::from_utf8_lossy(buffer_at(&frame, CONTENT + 8));
                self.output.write_all(&get(&path, false))?;
                continue;
            }
            let now = beat::now();
            let number = beat::number(buffer_at(&frame, CONTENT)).ok_or("a node without a number")?;
            say(&format!("seen {number} {now}"))?;
        }
    }
}
