//! The way of a request to a server, in the form that the server knows.

use quorate_zk_proto::{ErrorCode, FailureKind, GetChildren, GetData, MultiReadOp, OpCode, Request};

use super::waiting::{Reads, Waiting};
use crate::{client::Client, error::Subject, response::Response, session_token::SessionToken};

/// Where a request may go.
#[derive(Clone, Debug, Default)]
pub(super) struct Route {
    /// The only session that it may be sent in; any if none.
    session: Option<SessionToken>,
    /// Whether its paths are the server's even where there is a chroot.
    is_unrooted: bool,
}

impl Route {
    pub(super) fn in_session(session: &SessionToken) -> Self {
        Self { session: Some(session.clone()), is_unrooted: false }
    }

    pub(super) const fn unrooted() -> Self {
        Self { session: None, is_unrooted: true }
    }

    /// Submits a request, or what does the same on a server that is known to lack the operation.
    pub(super) fn submit(&self, client: &Client, request: Request) -> Waiting {
        if !client.lacking().lacks(request.op()) {
            return Waiting::Response(self.send(client, request));
        }
        let op = request.op();
        match request {
            Request::MultiRead(multi) => {
                let reads = multi.ops.into_iter().map(single_read).collect();
                Waiting::Reads(Box::new(Reads::new(client.request_all(reads))))
            }
            Request::CreateWithStat(create) if has_older_form(op) => {
                Waiting::Response(self.send(client, Request::Create(create)))
            }
            Request::GetChildrenWithStat(list) => {
                Waiting::Response(self.send(client, Request::GetChildren(list)))
            }
            request => {
                let kind = FailureKind::Server(ErrorCode::Unimplemented);
                Waiting::Refused(Box::new(Subject::of(&request).not_sent(kind)))
            }
        }
    }

    fn send(&self, client: &Client, request: Request) -> Response {
        match &self.session {
            Some(session) => client.request_in(session, request),
            None if self.is_unrooted => client.request_unrooted(request),
            None => client.request(request),
        }
    }
}

/// Returns whether an operation can be made in another form on servers that lack it.
pub(super) const fn has_older_form(op: OpCode) -> bool {
    matches!(op, OpCode::Create2 | OpCode::GetChildren2 | OpCode::MultiRead)
}

fn single_read(op: MultiReadOp) -> Request {
    match op {
        MultiReadOp::Data(path) => Request::GetData(GetData { path, watch: false }),
        MultiReadOp::Children(path) => Request::GetChildren(GetChildren { path, watch: false }),
    }
}
