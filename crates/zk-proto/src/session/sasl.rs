//! Proving an identity between the server's acceptance and everything else.

use std::{fmt, time::Instant};

use bytes::Bytes;

use crate::{
    codec::Codec,
    id::Secret,
    op::{OpCode, ReplyBody, ReplyHeader, SaslToken},
    reader::Reader,
    session::{ProtocolError, Session, SessionEvent, SessionState, link::Granted, pending::Awaited},
};

/// What a driver makes of a [`SessionEvent::SaslChallenge`].
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed by the protocol")]
pub enum SaslAnswer {
    /// Send this to the server, and tell what it answers. Not shown in debug output.
    Token(Bytes),
    /// Both ends are content; the session is up.
    Done,
    /// It cannot be answered; the session is over.
    Failed,
}

/// An exchange under way. The session is granted, and takes effect when the exchange ends well.
#[derive(Debug)]
pub(super) struct Proving {
    granted: Granted,
    is_our_turn: bool,
}

impl Session {
    /// Hands the floor to the driver: clients speak first.
    pub(super) fn start_proving(&mut self, granted: Granted) {
        self.proving = Some(Proving { granted, is_our_turn: true });
        self.events.push_back(SessionEvent::SaslChallenge(Bytes::new()));
    }

    pub(super) fn take_sasl_answer(&mut self, now: Instant, answer: SaslAnswer) {
        let Some(proving) = self.proving.as_mut().filter(|proving| proving.is_our_turn) else { return };
        match answer {
            SaslAnswer::Token(token) if token.len() <= self.options.request_bytes_max => {
                proving.is_our_turn = false;
                let xid = self.next_xid();
                let record = SaslToken { token: Secret::new(token) };
                self.send_own(now, xid, OpCode::Sasl, |out| record.encode(out));
                self.pending.push(xid, Awaited::Sasl);
            }
            SaslAnswer::Done => {
                let granted = proving.granted;
                self.proving = None;
                self.start_session(now, granted);
            }
            SaslAnswer::Token(_) | SaslAnswer::Failed => self.finish(SessionState::AuthFailed),
        }
    }

    /// A refusal is final: the same credentials would be refused everywhere.
    pub(super) fn take_sasl_reply(
        &mut self,
        header: ReplyHeader,
        reader: &mut Reader,
    ) -> Result<(), ProtocolError> {
        if !header.err.is_ok() {
            self.finish(SessionState::AuthFailed);
            return Ok(());
        }
        let ReplyBody::SaslToken(token) = ReplyBody::decode(OpCode::Sasl, reader)? else { return Ok(()) };
        if let Some(proving) = &mut self.proving {
            proving.is_our_turn = true;
            self.events.push_back(SessionEvent::SaslChallenge(token.unwrap_or_default()));
        }
        Ok(())
    }
}

impl fmt::Debug for SaslAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(..)",
            Self::Done => "Done",
            Self::Failed => "Failed",
        })
    }
}
