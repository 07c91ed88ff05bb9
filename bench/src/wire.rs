//! As much of the wire format as the canned server and the raw client need.

pub(crate) const CREATE: i32 = 1;
pub(crate) const DELETE: i32 = 2;
pub(crate) const EXISTS: i32 = 3;
pub(crate) const GET_DATA: i32 = 4;
pub(crate) const SET_DATA: i32 = 5;
pub(crate) const GET_CHILDREN: i32 = 8;
pub(crate) const SYNC: i32 = 9;
pub(crate) const PING: i32 = 11;
pub(crate) const MULTI: i32 = 14;
pub(crate) const CREATE2: i32 = 15;
pub(crate) const REMOVE_WATCHES: i32 = 18;
pub(crate) const AUTH: i32 = 100;
pub(crate) const SET_WATCHES: i32 = 101;
pub(crate) const SET_WATCHES2: i32 = 105;
pub(crate) const ADD_WATCH: i32 = 106;
pub(crate) const CLOSE: i32 = -11;

/// A record being written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(pub(crate) Vec<u8>);

impl Record {
    pub(crate) fn int(mut self, value: i32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn long(mut self, value: i64) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn flag(mut self, value: bool) -> Self {
        self.0.push(value.into());
        self
    }

    pub(crate) fn buffer(mut self, value: &[u8]) -> Self {
        self = self.int(len(value));
        self.0.extend(value);
        self
    }

    /// An access list that lets everybody do everything.
    pub(crate) fn open_acl(self) -> Self {
        self.int(1).int(31).buffer(b"world").buffer(b"anyone")
    }

    pub(crate) fn stat(self, data: &[u8]) -> Self {
        let times = self.long(1).long(1).long(0).long(0);
        times.int(0).int(0).int(0).long(0).int(len(data)).int(0).long(1)
    }

    /// Puts the length in front.
    pub(crate) fn frame(self) -> Vec<u8> {
        let mut frame = len(&self.0).to_be_bytes().to_vec();
        frame.extend(self.0);
        frame
    }
}

/// Starts a request. All have the same xid: whoever counts replies does not match them.
pub(crate) fn request(op: i32) -> Record {
    Record::default().int(1).int(op)
}

/// Starts a good reply.
pub(crate) fn reply(xid: i32) -> Record {
    Record::default().int(xid).long(1).int(0)
}

/// Reads an integer, or zero where there is none.
pub(crate) fn int_at(bytes: &[u8], at: usize) -> i32 {
    bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, i32::from_be_bytes)
}

/// Reads a buffer, or nothing where there is none.
pub(crate) fn buffer_at(bytes: &[u8], at: usize) -> &[u8] {
    let len = usize::try_from(int_at(bytes, at)).unwrap_or(0);
    bytes.get(at + 4..at + 4 + len).unwrap_or_default()
}

fn len(bytes: &[u8]) -> i32 {
    i32::try_from(bytes.len()).expect("nothing here is that long")
}
