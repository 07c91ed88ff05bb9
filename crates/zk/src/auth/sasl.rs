//! The exchange in which a client and a server prove to each other that they know a password.

use quorate_zk_proto::{DigestMd5Client, SaslAnswer, SaslError, SaslStep, Secret};
use uuid::Uuid;

/// A user of the mechanism DIGEST-MD5.
#[derive(Clone, Debug)]
pub(crate) struct SaslUser {
    pub(crate) name: String,
    pub(crate) password: Secret,
}

/// The client's side of the exchanges of a session, one for each connection.
#[derive(Debug)]
pub(crate) struct SaslClient {
    user: SaslUser,
    exchange: DigestMd5Client,
}

impl SaslClient {
    pub(crate) fn new(user: SaslUser) -> Self {
        let exchange = exchange(&user);
        Self { user, exchange }
    }

    /// Starts over, for a fresh connection.
    pub(crate) fn restart(&mut self) {
        self.exchange = exchange(&self.user);
    }

    /// Answers the server's next token.
    pub(crate) fn answer(&mut self, token: &[u8]) -> SaslAnswer {
        match self.exchange.step(token) {
            Ok(SaslStep::Respond(token)) => SaslAnswer::Token(token),
            Ok(SaslStep::Done) => SaslAnswer::Done,
            Err(error) => self.give_up(error),
        }
    }

    fn give_up(&self, error: SaslError) -> SaslAnswer {
        tracing::warn!(user = self.user.name, %error, "the server is not who it should be, or asks for too much");
        SaslAnswer::Failed
    }
}

/// The nonce is drawn by the operating system: whoever could guess it might try passwords ahead of time.
fn exchange(user: &SaslUser) -> DigestMd5Client {
    let nonce = Uuid::new_v4().simple().to_string();
    DigestMd5Client::new(user.name.as_str(), user.password.clone(), nonce)
}

#[cfg(test)]
mod tests {
    use quorate_zk_proto::DigestMd5Server;

    use super::*;

    fn client() -> SaslClient {
        SaslClient::new(SaslUser { name: "bob".to_owned(), password: Secret::new("hush") })
    }

    /// Runs an exchange and returns the client's response, and the server's proof.
    fn respond(client: &mut SaslClient, server: &DigestMd5Server) -> (bytes::Bytes, bytes::Bytes) {
        assert_eq!(client.answer(b""), SaslAnswer::Token(bytes::Bytes::new()));
        let SaslAnswer::Token(response) = client.answer(&server.challenge()) else {
            panic!("a response is due")
        };
        let (user, proof) =
            server.check(&response, |_| Some(Secret::new("hush"))).expect("the password is right");
        assert_eq!(user, "bob");
        (response, proof)
    }

    #[test]
    fn every_connection_has_an_exchange_of_its_own() {
        let (mut client, server) = (client(), DigestMd5Server::new("nonce"));
        let (first, proof) = respond(&mut client, &server);
        assert_eq!(client.answer(&proof), SaslAnswer::Done);
        client.restart();
        let (second, proof) = respond(&mut client, &server);
        assert_ne!(first, second, "the same nonce twice");
        assert_eq!(client.answer(&proof), SaslAnswer::Done);
    }

    #[test]
    fn a_server_that_cannot_prove_itself_is_left() {
        let (mut client, server) = (client(), DigestMd5Server::new("nonce"));
        respond(&mut client, &server);
        assert_eq!(client.answer(b"rspauth=00000000000000000000000000000000"), SaslAnswer::Failed);
        client.restart();
        client.answer(b"");
        assert_eq!(client.answer(b"\xff\xff garbage"), SaslAnswer::Failed);
    }

    #[test]
    fn the_password_is_not_shown() {
        assert!(!format!("{:?}", client()).contains("hush"));
    }
}
