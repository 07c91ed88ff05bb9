//! A client without a client: plays requests encoded beforehand over one connection, and counts the frames that come
//! back. It blocks, matches nothing, and decodes no more than lengths.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::{
    sample::{Counter, Moment, Rounds, Sample, Span, counters},
    wire::{self, Record, int_at, request},
    works::{
        BIG, BIG_PATH, FIRE_PATH, Kind, MULTI_OPS, ROOT_PATH, SMALL, SMALL_PATH, WATCHES, Work, multi_path,
        pair_path, watch_path,
    },
};

/// As large as the canned server's.
const INPUT_BYTES: usize = 1024 * 1024;

/// A connection with a session.
pub(crate) struct Raw {
    stream: TcpStream,
    input: Vec<u8>,
    frames: Frames,
}

impl Raw {
    pub(crate) fn connect(addr: SocketAddr) -> io::Result<Self> {
        let mut stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        let connect = Record::default().int(0).long(0).int(30_000).long(0).buffer(&[0; 16]).flag(false);
        stream.write_all(&connect.frame())?;
        let response = read_frame(&mut stream)?;
        if int_at(&response, 4) <= 0 {
            return Err(io::Error::other("the server gives no session"));
        }
        Ok(Self { stream, input: vec![0; INPUT_BYTES], frames: Frames::default() })
    }

    /// Creates what the works need, unless it is there.
    pub(crate) fn set_up(&mut self) -> io::Result<()> {
        let multi_paths = (0..MULTI_OPS).map(multi_path);
        let small = [SMALL_PATH.to_owned(), FIRE_PATH.to_owned()].into_iter().chain(multi_paths);
        self.create_unless_there(ROOT_PATH, &[])?;
        self.create_unless_there(BIG_PATH, &BIG)?;
        small.into_iter().try_for_each(|path| self.create_unless_there(&path, &SMALL))
    }

    /// Creates what is above a path, unless it is there.
    pub(crate) fn create_parents(&mut self, path: &str) -> io::Result<()> {
        let mut parents = path.match_indices('/').skip(1).map(|(end, _)| &path[..end]);
        parents.try_for_each(|parent| self.create_unless_there(parent, &[]))
    }

    pub(crate) fn create_unless_there(&mut self, path: &str, data: &[u8]) -> io::Result<()> {
        const NODE_EXISTS: i32 = -110;
        self.stream.write_all(&create(path, data))?;
        match int_at(&read_frame(&mut self.stream)?, 12) {
            0 | NODE_EXISTS => Ok(()),
            code => Err(io::Error::other(format!("creating {path} fails with {code}"))),
        }
    }

    /// Sends one request and waits for its reply, which must be a good one.
    pub(crate) fn ask(&mut self, request: &[u8]) -> io::Result<Vec<u8>> {
        self.stream.write_all(request)?;
        let reply = read_frame(&mut self.stream)?;
        match int_at(&reply, 12) {
            0 => Ok(reply),
            code => Err(io::Error::other(format!("a request fails with {code}"))),
        }
    }

    /// The connection, for a client that keeps none of the rest.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Checks that the requests are good ones, so that no errors are counted.
    fn try_each(&mut self, requests: &Requests) -> io::Result<()> {
        for number in [0, requests.len() / 2] {
            self.stream.write_all(requests.slice(number, 1).0)?;
            let code = int_at(&read_frame(&mut self.stream)?, 12);
            if code != 0 {
                return Err(io::Error::other(format!("request {number} fails with {code}")));
            }
        }
        Ok(())
    }

    /// Waits for replies, as many as there are in what one read gives.
    fn receive(&mut self) -> io::Result<usize> {
        loop {
            let count = self.stream.read(&mut self.input)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let frames = self.frames.count(&self.input[..count]);
            if frames > 0 {
                return Ok(frames);
            }
        }
    }

    fn receive_all(&mut self, count: usize) -> io::Result<()> {
        let mut left = count;
        while left > 0 {
            left -= self.receive()?;
        }
        Ok(())
    }

    fn play(mut self, requests: &Requests, in_flight: usize, counter: &Counter) -> io::Result<()> {
        let mut next = 0;
        let mut room = in_flight;
        loop {
            let (head, tail) = requests.slice(next, room);
            self.stream.write_all(head)?;
            self.stream.write_all(tail)?;
            next = (next + room) % requests.len();
            room = self.receive()?;
            counter.add(room as u64);
        }
    }
}

/// Starts to play a work, for as long as the process lives.
pub(crate) fn start(addr: SocketAddr, work: Work) -> io::Result<Arc<[Counter]>> {
    let requests = Requests::of(work);
    let mut raw = Raw::connect(addr)?;
    raw.try_each(&requests)?;
    let counters = counters(1);
    let counted = Arc::clone(&counters);
    thread::spawn(move || raw.play(&requests, work.in_flight, &counted[0]).expect("the server stays"));
    Ok(counters)
}

/// Arms and fires watches.
pub(crate) fn watches(addr: SocketAddr, work: Work, span: Span) -> io::Result<Sample> {
    let mut raw = Raw::connect(addr)?;
    let arm = Requests::new((0..WATCHES).map(|watch| get(&watch_path(watch), true)));
    let fire = set(FIRE_PATH);
    let mut rounds = Rounds::new(span);
    while rounds.go_on() {
        let start = Moment::now(0);
        for first in (0..WATCHES).step_by(work.in_flight) {
            let count = work.in_flight.min(WATCHES - first);
            raw.stream.write_all(arm.slice(first, count).0)?;
            raw.receive_all(count)?;
        }
        let armed = Moment::now(WATCHES as u64);
        raw.stream.write_all(&fire)?;
        raw.receive_all(WATCHES + 1)?;
        let fired = Moment::now(2 * WATCHES as u64);
        rounds.add(if work.kind == Kind::WatchesArmed { armed - start } else { fired - armed });
    }
    Ok(rounds.sample())
}

/// Encoded requests, to be sent round and round.
struct Requests {
    bytes: Vec<u8>,
    /// Where each begins, and where the last ends.
    bounds: Vec<usize>,
}

impl Requests {
    fn new(requests: impl Iterator<Item = Vec<u8>>) -> Self {
        let mut all = Self { bytes: Vec::new(), bounds: vec![0] };
        for request in requests {
            all.bytes.extend(request);
            all.bounds.push(all.bytes.len());
        }
        all
    }

    fn of(work: Work) -> Self {
        let slots = 0..work.in_flight;
        match work.kind {
            Kind::GetSmall | Kind::WatchesArmed | Kind::WatchesFired => {
                Self::new(slots.map(|_| get(SMALL_PATH, false)))
            }
            Kind::GetBig => Self::new(slots.map(|_| get(BIG_PATH, false))),
            Kind::Set => Self::new(slots.map(|_| set(SMALL_PATH))),
            Kind::Multi => Self::new(slots.map(|_| multi())),
            Kind::CreateDelete => {
                let creates = slots.clone().map(|slot| create(&pair_path(slot), &SMALL));
                Self::new(creates.chain(slots.map(|slot| delete(&pair_path(slot)))))
            }
        }
    }

    fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// So many requests from one on, in two pieces if they go round.
    fn slice(&self, from: usize, count: usize) -> (&[u8], &[u8]) {
        let until = from + count;
        let head = &self.bytes[self.bounds[from]..self.bounds[until.min(self.len())]];
        let tail = &self.bytes[..self.bounds[until.saturating_sub(self.len())]];
        (head, tail)
    }
}

/// Walks over the lengths in a stream of bytes.
#[derive(Debug, Default)]
struct Frames {
    /// Bytes of the frame that are still to come.
    left: usize,
    length: [u8; 4],
    /// How many bytes of the next length are there.
    length_bytes: usize,
}

impl Frames {
    /// How many frames end in these bytes.
    fn count(&mut self, mut bytes: &[u8]) -> usize {
        let mut frames = 0;
        while !bytes.is_empty() {
            if self.left == 0 {
                let taken = bytes.len().min(4 - self.length_bytes);
                self.length[self.length_bytes..][..taken].copy_from_slice(&bytes[..taken]);
                bytes = &bytes[taken..];
                self.length_bytes += taken;
                if self.length_bytes < 4 {
                    return frames;
                }
                self.length_bytes = 0;
                self.left = u32::from_be_bytes(self.length) as usize;
            }
            let taken = bytes.len().min(self.left);
            bytes = &bytes[taken..];
            self.left -= taken;
            frames += usize::from(self.left == 0);
        }
        frames
    }
}

pub(crate) fn read_frame(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut frame = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut frame)?;
    Ok(frame)
}

pub(crate) fn get(path: &str, watch: bool) -> Vec<u8> {
    request(wire::GET_DATA).buffer(path.as_bytes()).flag(watch).frame()
}

fn set(path: &str) -> Vec<u8> {
    set_to(path, &SMALL)
}

pub(crate) fn set_to(path: &str, data: &[u8]) -> Vec<u8> {
    request(wire::SET_DATA).buffer(path.as_bytes()).buffer(data).int(-1).frame()
}

fn create(path: &str, data: &[u8]) -> Vec<u8> {
    request(wire::CREATE2).buffer(path.as_bytes()).buffer(data).open_acl().int(0).frame()
}

fn delete(path: &str) -> Vec<u8> {
    request(wire::DELETE).buffer(path.as_bytes()).int(-1).frame()
}

fn multi() -> Vec<u8> {
    let sets = (0..MULTI_OPS).fold(request(wire::MULTI), |multi, op| {
        let header = multi.int(wire::SET_DATA).flag(false).int(-1);
        header.buffer(multi_path(op).as_bytes()).buffer(&SMALL).int(-1)
    });
    sets.int(-1).flag(true).int(-1).frame()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_wherever_a_read_ends() {
        let bytes: Vec<u8> = [get("/a", false), set("/b"), delete("/c")].concat();
        for piece in 1..=bytes.len() {
            let mut frames = Frames::default();
            let counts = bytes.chunks(piece).map(|chunk| frames.count(chunk));
            assert_eq!(counts.sum::<usize>(), 3, "in pieces of {piece}");
        }
    }

    #[test]
    fn requests_go_round() {
        let requests = Requests::new((1..=3).map(|number| vec![number; usize::from(number)]));
        assert_eq!(requests.slice(1, 2), (&[2, 2, 3, 3, 3][..], &[][..]));
        assert_eq!(requests.slice(2, 2), (&[3, 3, 3][..], &[1][..]));
        assert_eq!(requests.slice(0, 3).0.len(), 6);
    }
}
