//! Who a client proves to be, and whether that is enough to be heard.

use bytes::{Bytes, BytesMut};
use quorate_zk_proto::{
    Auth, Codec, DigestMd5Server, ErrorCode, Id, OpCode, ReplyBody, ReplyHeader, SaslError, SaslToken,
    Secret, Xid, Zxid, put_frame,
};

use super::{ConnectionId, Ensemble, acl::superuser};

impl Ensemble {
    /// Adds an identity to a connection.
    pub(crate) fn identify(&mut self, id: ConnectionId, identity: Id) {
        if let Some(connection) = self.connections.get_mut(&id)
            && !connection.identities.contains(&identity)
        {
            connection.identities.push(identity);
        }
    }

    /// Returns whether a connection may ask for an operation before it has proved anything more. If not, it is
    /// told so and closed.
    pub(super) fn admit(&mut self, id: ConnectionId, xid: Xid, op: Option<OpCode>) -> bool {
        let schemes = &self.config.auth_schemes;
        let proves = matches!(op, Some(OpCode::Auth | OpCode::Sasl));
        if schemes.is_empty() || proves || self.identities(id).iter().any(|id| schemes.contains(&id.scheme)) {
            return true;
        }
        self.reply_at(id, xid, Zxid::ZERO, Err(ErrorCode::SessionClosedRequireSaslAuth));
        self.close(id);
        false
    }

    pub(super) fn authenticate(&mut self, id: ConnectionId, xid: Xid, auth: &Auth) {
        let identity = match auth.scheme.as_str() {
            "digest" => digest_id(&auth.credentials),
            "ip" => Some(Id::ip("127.0.0.1")),
            _ => None,
        };
        let Some(identity) = identity else {
            self.reply_at(id, xid, Zxid::ZERO, Err(ErrorCode::AuthFailed));
            return self.close(id);
        };
        if self.config.super_user.as_ref() == Some(&identity) {
            self.identify(id, superuser());
        }
        self.identify(id, identity);
        self.reply_at(id, xid, Zxid::ZERO, Ok(ReplyBody::Done));
    }

    /// Takes a step of a SASL exchange. A server without users answers with no token, as a real one that was
    /// not configured for it does.
    pub(super) fn take_sasl(&mut self, id: ConnectionId, xid: Xid, token: &SaslToken) {
        if self.config.sasl_users.is_empty() {
            return self.reply_at(id, xid, Zxid::ZERO, Ok(ReplyBody::SaslToken(None)));
        }
        match self.step_sasl(id, token.token.expose()) {
            Ok(token) => self.reply_at(id, xid, Zxid::ZERO, Ok(ReplyBody::SaslToken(Some(token)))),
            Err(_) => self.refuse_sasl(id, xid),
        }
    }

    fn step_sasl(&mut self, id: ConnectionId, token: &[u8]) -> Result<Bytes, SaslError> {
        let Some(connection) = self.connections.get_mut(&id) else { return Err(SaslError::Over) };
        let Some(exchange) = connection.sasl.take() else {
            // Guessable, which matters to nobody here; no two connections have the same.
            let exchange = DigestMd5Server::new(format!("fake-nonce-{:016x}", id.0));
            let challenge = exchange.challenge();
            connection.sasl = Some(exchange);
            // What the client said first is not looked at.
            return Ok(challenge);
        };
        let users = &self.config.sasl_users;
        let password_of = |name: &str| users.iter().find(|user| user.0 == name).map(|user| user.1.clone());
        let (user, answer) = exchange.check(token, password_of)?;
        self.identify(id, Id::sasl(user));
        Ok(answer)
    }

    /// The error comes with a token, though a null one, and is the end of the connection.
    fn refuse_sasl(&mut self, id: ConnectionId, xid: Xid) {
        let required = self.config.auth_schemes.iter().any(|scheme| scheme == "sasl");
        let err = if required { ErrorCode::SessionClosedRequireSaslAuth } else { ErrorCode::AuthFailed };
        let mut packet = BytesMut::new();
        let put = put_frame(&mut packet, i32::MAX as usize, |out| {
            ReplyHeader { xid, zxid: Zxid::ZERO, err }.encode(out);
            ReplyBody::SaslToken(None).encode(out);
        });
        if put.is_ok() {
            self.deliver(id, &packet, true);
        }
        self.close(id);
    }
}

fn digest_id(credentials: &Secret) -> Option<Id> {
    let (user, password) = str::from_utf8(credentials.expose()).ok()?.split_once(':')?;
    Some(Id::digest(user, password))
}
