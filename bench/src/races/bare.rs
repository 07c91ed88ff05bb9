//! A follower without a client: it reads every node, keeps nothing, and for each notification reads once. What it
//! takes is what the server and the wire take.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use super::{beat, ours::say};
use crate::{
    raw::{Raw, get, read_frame},
    wire::{self, buffer_at, int_at, request},
};

const IN_FLIGHT: usize = 1024;
const INPUT_BYTES: usize = 1024 * 1024;
const NOTIFICATION: i32 = -1;
/// Where a reply has its content, behind the length of the header.
const CONTENT: usize = 16;
const RECURSIVE: i32 = 1;

/// Follows everything below a path, or one node, as it is told.
pub(crate) fn serve(addr: SocketAddr, path: &str) -> Result<(), Box<dyn Error>> {
    let mut follower = Follower::connect(addr)?;
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

struct Follower {
    input: BufReader<TcpStream>,
    output: TcpStream,
}

impl Follower {
    fn connect(addr: SocketAddr) -> io::Result<Self> {
        let output = Raw::connect(addr)?.into_stream();
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
