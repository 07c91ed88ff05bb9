//! What every request and every reply starts with.

use crate::{
    error_code::ErrorCode,
    id::{Xid, Zxid},
    record::fixed_record,
};

fixed_record! {
    /// The front of every request but the connect request.
    pub struct RequestHeader {
        /// Ties the reply to the request.
        pub xid: Xid,
        /// The number of the operation, known ([`OpCode`](crate::OpCode)) or not.
        pub op: i32,
    }
}

fixed_record! {
    /// The front of every reply but the connect response. A body follows only if `err` is
    /// [`ErrorCode::Ok`].
    pub struct ReplyHeader {
        /// The number of the request, or one of the reserved ones.
        pub xid: Xid,
        /// The last transaction that the server had applied; not positive where it tells none.
        pub zxid: Zxid,
        /// The outcome.
        pub err: ErrorCode,
    }
}
