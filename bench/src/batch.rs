//! The canned server's answers, encoded beforehand, and sent in one piece for each piece of requests.

use std::io::{self, IoSlice, Write};

use crate::{
    wire::{Record, reply},
    works::{BIG, MULTI_OPS, SMALL},
};

/// What one system call can take.
const SLICES_MAX: usize = 1024;

/// Answers with nothing but their xid to fill in.
struct Templates {
    done: Vec<u8>,
    stat: Vec<u8>,
    small: Vec<u8>,
    /// Ends where the data begins.
    big: Vec<u8>,
    /// The data and what follows.
    big_rest: Vec<u8>,
    multi: Vec<u8>,
    watch_added: Vec<u8>,
    unimplemented: Vec<u8>,
}

/// Answers that were not sent yet.
#[derive(Default)]
pub(crate) struct Batch {
    templates: Templates,
    output: Vec<u8>,
    /// Where in the output the big data belongs. It is sent from where it is.
    big_at: Vec<usize>,
    /// The notifications of all armed watches.
    armed: Vec<u8>,
}

impl Batch {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    pub(crate) fn done(&mut self, xid: i32) {
        fill(&mut self.output, &self.templates.done, xid);
    }

    pub(crate) fn stat(&mut self, xid: i32) {
        fill(&mut self.output, &self.templates.stat, xid);
    }

    pub(crate) fn small(&mut self, xid: i32) {
        fill(&mut self.output, &self.templates.small, xid);
    }

    pub(crate) fn big(&mut self, xid: i32) {
        fill(&mut self.output, &self.templates.big, xid);
        self.big_at.push(self.output.len());
    }

    pub(crate) fn multi(&mut self, xid: i32) {
        fill(&mut self.output, &self.templates.multi, xid);
    }

    pub(crate) fn watch_added(&mut self, xid: i32) {
        fill(&mut self.output, &self.templates.watch_added, xid);
    }

    pub(crate) fn unimplemented(&mut self, xid: i32) {
        fill(&mut self.output, &self.templates.unimplemented, xid);
    }

    pub(crate) fn path(&mut self, xid: i32, path: &[u8]) {
        self.push(&reply(xid).buffer(path).frame());
    }

    pub(crate) fn path_and_stat(&mut self, xid: i32, path: &[u8]) {
        self.push(&reply(xid).buffer(path).stat(&SMALL).frame());
    }

    /// Remembers a watch, to be told of changed data.
    pub(crate) fn arm(&mut self, path: &[u8]) {
        let event = Record::default().int(-1).long(-1).int(0).int(3).int(3).buffer(path);
        self.armed.extend(event.frame());
    }

    /// Fires every watch, and forgets them.
    pub(crate) fn fire(&mut self) {
        self.output.append(&mut self.armed);
    }

    pub(crate) fn send(&mut self, stream: &mut impl Write) -> io::Result<()> {
        if self.big_at.is_empty() {
            stream.write_all(&self.output)?;
        } else {
            self.send_slices(stream)?;
        }
        self.output.clear();
        self.big_at.clear();
        Ok(())
    }

    fn send_slices(&self, stream: &mut impl Write) -> io::Result<()> {
        let mut slices = Vec::with_capacity(2 * self.big_at.len() + 1);
        let mut from = 0;
        for &at in &self.big_at {
            slices.push(IoSlice::new(&self.output[from..at]));
            slices.push(IoSlice::new(&self.templates.big_rest));
            from = at;
        }
        slices.push(IoSlice::new(&self.output[from..]));
        let mut left = &mut slices[..];
        // Nothing in front of the first, and nothing behind the last, is still to be sent.
        IoSlice::advance_slices(&mut left, 0);
        while !left.is_empty() {
            let until = left.len().min(SLICES_MAX);
            match stream.write_vectored(&left[..until])? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => IoSlice::advance_slices(&mut left, count),
            }
        }
        Ok(())
    }
}

impl Default for Templates {
    fn default() -> Self {
        let mut multi = reply(0);
        for _ in 0..MULTI_OPS {
            multi = multi.int(5).flag(false).int(0).stat(&SMALL);
        }
        let mut big = reply(0).buffer(&BIG).stat(&BIG).frame();
        // Length, xid, zxid, error, and the length of the data.
        let big_rest = big.split_off(24);
        Self {
            done: reply(0).frame(),
            stat: reply(0).stat(&SMALL).frame(),
            small: reply(0).buffer(&SMALL).stat(&SMALL).frame(),
            big,
            big_rest,
            multi: multi.int(-1).flag(true).int(-1).frame(),
            watch_added: reply(0).int(0).frame(),
            unimplemented: Record::default().int(0).long(1).int(-6).frame(),
        }
    }
}

fn fill(output: &mut Vec<u8>, template: &[u8], xid: i32) {
    let at = output.len();
    output.extend_from_slice(template);
    output[at + 4..at + 8].copy_from_slice(&xid.to_be_bytes());
}
