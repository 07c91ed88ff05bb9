//! The client's end of the exchange.

use std::fmt;

use bytes::Bytes;

use crate::{
    id::Secret,
    sasl::{
        DIGEST_URI, NONCE_COUNT, QOP, SaslError,
        directives::{Directives, put_plain, put_quoted},
        proof::{Proof, hashed, is_same, sent},
    },
};

/// Proves to a server that a user's password is known, and lets the server prove the same.
///
/// The first token of a server is empty, since the client asks first; see
/// [`SessionEvent::SaslChallenge`](crate::SessionEvent::SaslChallenge). One value serves one connection.
///
/// # Examples
///
/// ```
/// use quorate_zk_proto::{DigestMd5Client, DigestMd5Server, SaslStep, Secret};
///
/// let mut client = DigestMd5Client::new("bob", Secret::new("bobsecret"), "drawn at random");
/// let server = DigestMd5Server::new("drawn at random too");
///
/// let SaslStep::Respond(first) = client.step(b"")? else { panic!("the client asks first") };
/// assert!(first.is_empty());
/// let SaslStep::Respond(response) = client.step(&server.challenge())? else { panic!("a proof is due") };
/// let (user, answer) = server.check(&response, |_| Some(Secret::new("bobsecret")))?;
/// assert_eq!(user, "bob");
/// assert_eq!(client.step(&answer)?, SaslStep::Done);
/// # Ok::<(), quorate_zk_proto::SaslError>(())
/// ```
#[derive(Debug)]
pub struct DigestMd5Client {
    username: String,
    password: Secret,
    cnonce: String,
    progress: Progress,
}

/// What a client does next.
#[derive(Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed by the protocol")]
pub enum SaslStep {
    /// It sends this, and waits for the next token. Not shown in debug output.
    Respond(Bytes),
    /// It has proved itself, and so has the server.
    Done,
}

#[derive(Debug)]
enum Progress {
    Begun,
    Asked,
    Responded { answer: Secret },
    Done,
}

impl DigestMd5Client {
    /// Starts an exchange. The `cnonce` must be fresh and hard to guess: 16 random bytes, in hexadecimal.
    pub fn new(username: impl Into<String>, password: Secret, cnonce: impl Into<String>) -> Self {
        Self { username: username.into(), password, cnonce: cnonce.into(), progress: Progress::Begun }
    }

    /// Takes the server's next token.
    ///
    /// # Errors
    ///
    /// [`SaslError`] if the server asks for what this mechanism does not do, or has not proved itself. The
    /// exchange is then over.
    pub fn step(&mut self, challenge: &[u8]) -> Result<SaslStep, SaslError> {
        match std::mem::replace(&mut self.progress, Progress::Done) {
            Progress::Begun if challenge.is_empty() => {
                self.progress = Progress::Asked;
                Ok(SaslStep::Respond(Bytes::new()))
            }
            Progress::Begun | Progress::Asked => self.respond(challenge),
            Progress::Responded { answer } => {
                let proved = is_same(Directives::parse(challenge)?.require("rspauth")?, answer.expose());
                if proved { Ok(SaslStep::Done) } else { Err(SaslError::ServerNotProved) }
            }
            Progress::Done => Err(SaslError::Over),
        }
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<SaslStep, SaslError> {
        let asked = Directives::parse(challenge)?;
        let nonce = asked.require("nonce")?;
        // Absent means authentication only.
        asked.check("qop", |offered| offered.split(|&b| b == b',').any(|qop| qop.trim_ascii() == b"auth"))?;
        asked.check("algorithm", |algorithm| algorithm.eq_ignore_ascii_case(b"md5-sess"))?;
        let (realm, is_utf8) = (asked.first("realm").unwrap_or_default(), asked.is_utf8()?);
        let username = sent(self.username.as_bytes(), is_utf8)?;
        let password = sent(self.password.expose(), is_utf8)?;
        let proof = Proof {
            username: &hashed(&username, is_utf8),
            realm: &hashed(realm, is_utf8),
            password: &hashed(&password, is_utf8),
            nonce,
            cnonce: self.cnonce.as_bytes(),
        };
        let mut token = Vec::new();
        if is_utf8 {
            put_plain(&mut token, "charset", "utf-8");
        }
        put_quoted(&mut token, "username", &username);
        put_quoted(&mut token, "realm", realm);
        put_quoted(&mut token, "nonce", nonce);
        put_plain(&mut token, "nc", NONCE_COUNT);
        put_quoted(&mut token, "cnonce", self.cnonce.as_bytes());
        put_quoted(&mut token, "digest-uri", DIGEST_URI.as_bytes());
        put_plain(&mut token, "response", &proof.of_client());
        put_plain(&mut token, "qop", QOP);
        self.progress = Progress::Responded { answer: Secret::new(proof.of_server()) };
        Ok(SaslStep::Respond(token.into()))
    }
}

impl fmt::Debug for SaslStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Respond(_) => f.write_str("Respond(..)"),
            Self::Done => f.write_str("Done"),
        }
    }
}
