//! A server that costs as little as one can: it looks at length, xid and op, and answers with what it has at hand.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use crate::{
    batch::Batch,
    cores,
    processes::serve_until_alone,
    wire::{self, buffer_at, int_at},
    works::{BIG_PATH, FIRE_PATH},
};

/// One read takes what a thousand requests are, and the largest request fits.
const INPUT_BYTES: usize = 1024 * 1024;

/// Serves on a free port.
pub(crate) fn serve() -> io::Result<()> {
    cores::pin_to_the_servers();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // The name tells its samples from the client's in a profile. A client that leaves is no error.
            let named = thread::Builder::new().name("canned".to_owned());
            drop(named.spawn(move || Connection::new(stream).run()));
        }
    });
    serve_until_alone(addr, std::process::id())
}

struct Connection {
    stream: TcpStream,
    batch: Batch,
    is_open: bool,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        Self { stream, batch: Batch::default(), is_open: false }
    }

    fn run(mut self) -> io::Result<()> {
        self.stream.set_nodelay(true)?;
        let mut input = vec![0; INPUT_BYTES];
        let mut filled = 0;
        loop {
            match self.stream.read(&mut input[filled..])? {
                0 => return Ok(()),
                count => filled += count,
            }
            let used = self.take(&input[..filled])?;
            input.copy_within(used..filled, 0);
            filled -= used;
            self.batch.send(&mut self.stream)?;
        }
    }

    /// Answers every whole frame, and returns how many bytes they are.
    fn take(&mut self, input: &[u8]) -> io::Result<usize> {
        let mut used = 0;
        while let Some(rest) = input.get(used..)
            && rest.len() >= 4
        {
            if !self.is_open && rest.starts_with(b"isro") {
                self.stream.write_all(b"rw")?;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            let len = usize::try_from(int_at(rest, 0)).map_err(io::Error::other)?;
            let Some(frame) = rest.get(4..4 + len) else { break };
            if self.is_open {
                self.answer(frame);
            } else {
                self.open(frame);
            }
            used += 4 + len;
        }
        Ok(used)
    }

    /// Answers a connect request: without the last flag to those who sent none.
    fn open(&mut self, frame: &[u8]) {
        let password_len = buffer_at(frame, 24).len();
        let response = wire::Record::default().int(0).int(30_000).long(1).buffer(&[7; 16]);
        let knows_read_only = frame.len() > 28 + password_len;
        let response = if knows_read_only { response.flag(false) } else { response };
        self.batch.push(&response.frame());
        self.is_open = true;
    }

    fn answer(&mut self, frame: &[u8]) {
        let (xid, op) = (int_at(frame, 0), int_at(frame, 4));
        match op {
            wire::GET_DATA => {
                let path = buffer_at(frame, 8);
                self.arm_if(frame.last() == Some(&1), path);
                if path == BIG_PATH.as_bytes() { self.batch.big(xid) } else { self.batch.small(xid) }
            }
            wire::EXISTS => {
                self.arm_if(frame.last() == Some(&1), buffer_at(frame, 8));
                self.batch.stat(xid);
            }
            wire::SET_DATA => {
                if buffer_at(frame, 8) == FIRE_PATH.as_bytes() {
                    self.batch.fire();
                }
                self.batch.stat(xid);
            }
            wire::CREATE | wire::SYNC => self.batch.path(xid, buffer_at(frame, 8)),
            wire::CREATE2 => self.batch.path_and_stat(xid, buffer_at(frame, 8)),
            wire::MULTI => self.batch.multi(xid),
            wire::ADD_WATCH => {
                self.arm_if(true, buffer_at(frame, 8));
                self.batch.watch_added(xid);
            }
            wire::DELETE
            | wire::REMOVE_WATCHES
            | wire::AUTH
            | wire::SET_WATCHES
            | wire::SET_WATCHES2
            | wire::PING
            | wire::CLOSE => self.batch.done(xid),
            _ => self.batch.unimplemented(xid),
        }
    }

    fn arm_if(&mut self, is_asked: bool, path: &[u8]) {
        if is_asked {
            self.batch.arm(path);
        }
    }
}
