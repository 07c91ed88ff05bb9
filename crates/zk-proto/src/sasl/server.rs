//! The server's end of the exchange.

use bytes::Bytes;

use crate::{
    id::Secret,
    sasl::{
        DIGEST_URI, NONCE_COUNT, QOP, REALM, SaslError,
        directives::{Directives, put_plain, put_quoted},
        proof::{Proof, hashed, is_same, sent},
    },
};

/// Lets a client prove that it knows a user's password. One value serves one connection.
///
/// See [`DigestMd5Client`](crate::DigestMd5Client) for an example of both.
#[derive(Debug)]
pub struct DigestMd5Server {
    nonce: String,
}

impl DigestMd5Server {
    /// Starts an exchange. The `nonce` must be fresh and hard to guess.
    pub fn new(nonce: impl Into<String>) -> Self {
        Self { nonce: nonce.into() }
    }

    /// Returns the token that answers the client's first, empty one.
    #[must_use]
    pub fn challenge(&self) -> Bytes {
        let mut token = Vec::new();
        put_quoted(&mut token, "realm", REALM.as_bytes());
        put_quoted(&mut token, "nonce", self.nonce.as_bytes());
        put_quoted(&mut token, "qop", QOP.as_bytes());
        put_plain(&mut token, "charset", "utf-8");
        put_plain(&mut token, "algorithm", "md5-sess");
        token.into()
    }

    /// Checks the client's response. Returns the user, and the token that proves to the client that the
    /// password is known here too. `password_of` is asked for the password of the user that is named.
    ///
    /// # Errors
    ///
    /// [`SaslError::Refused`] if the user has no password or another one, and others if the response is
    /// not one to this challenge.
    pub fn check(
        &self,
        response: &[u8],
        password_of: impl Fn(&str) -> Option<Secret>,
    ) -> Result<(String, Bytes), SaslError> {
        let given = Directives::parse(response)?;
        given.check("nonce", |nonce| nonce == self.nonce.as_bytes())?;
        given.check("nc", |count| count == NONCE_COUNT.as_bytes())?;
        given.check("digest-uri", |uri| uri == DIGEST_URI.as_bytes())?;
        given.check("qop", |qop| qop == QOP.as_bytes())?;
        given.check("realm", |realm| realm == REALM.as_bytes())?;
        for directive in ["nonce", "nc", "digest-uri"] {
            given.require(directive)?;
        }
        let (username, is_utf8) = (given.require("username")?, given.is_utf8()?);
        let user = decoded(username, is_utf8).ok_or(SaslError::Unacceptable { directive: "username" })?;
        let password = password_of(&user).ok_or(SaslError::Refused)?;
        let password = sent(password.expose(), is_utf8)?;
        let proof = Proof {
            username: &hashed(username, is_utf8),
            realm: given.find("realm")?.unwrap_or_default(),
            password: &hashed(&password, is_utf8),
            nonce: self.nonce.as_bytes(),
            cnonce: given.require("cnonce")?,
        };
        if !is_same(given.require("response")?, proof.of_client().as_bytes()) {
            return Err(SaslError::Refused);
        }
        Ok((user, format!("rspauth={}", proof.of_server()).into()))
    }
}

fn decoded(text: &[u8], is_utf8: bool) -> Option<String> {
    if is_utf8 {
        str::from_utf8(text).ok().map(str::to_owned)
    } else {
        Some(text.iter().copied().map(char::from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sasl::{DigestMd5Client, SaslStep};

    fn passwords(user: &str) -> Option<Secret> {
        matches!(user, "bob" | "bö\"b" | "Ąda").then(|| Secret::new("pä\\ss"))
    }

    fn response(user: &str, password: &'static str, challenge: &[u8]) -> (DigestMd5Client, Bytes) {
        let mut client = DigestMd5Client::new(user, Secret::new(password), "client-nonce");
        assert!(matches!(client.step(b""), Ok(SaslStep::Respond(token)) if token.is_empty()));
        let SaslStep::Respond(token) = client.step(challenge).unwrap() else { panic!("no response") };
        (client, token)
    }

    #[test]
    fn both_ends_prove_themselves_whatever_the_names_hold() {
        for user in ["bob", "bö\"b", "Ąda"] {
            let server = DigestMd5Server::new("nonce");
            let (mut client, token) = response(user, "pä\\ss", &server.challenge());
            let (known, answer) = server.check(&token, passwords).unwrap();
            assert_eq!(known, user);
            assert_eq!(client.step(&answer), Ok(SaslStep::Done));
            assert_eq!(client.step(&answer), Err(SaslError::Over));
        }
    }

    #[test]
    fn a_wrong_password_and_an_unknown_user_are_refused_alike() {
        let server = DigestMd5Server::new("nonce");
        for (user, password) in [("bob", "wrong"), ("eve", "pä\\ss")] {
            let (_, token) = response(user, password, &server.challenge());
            assert_eq!(server.check(&token, passwords), Err(SaslError::Refused));
        }
    }

    #[test]
    fn a_response_to_another_challenge_is_not_accepted() {
        let (_, token) = response("bob", "pä\\ss", &DigestMd5Server::new("one").challenge());
        let checked = DigestMd5Server::new("another").check(&token, passwords);
        assert_eq!(checked, Err(SaslError::Unacceptable { directive: "nonce" }));
    }

    #[test]
    fn a_server_that_cannot_prove_itself_is_not_accepted() {
        let (mut client, _) = response("bob", "pä\\ss", &DigestMd5Server::new("nonce").challenge());
        let answer = b"rspauth=00000000000000000000000000000000";
        assert_eq!(client.step(answer), Err(SaslError::ServerNotProved));
    }

    #[test]
    fn a_client_refuses_what_it_cannot_do() {
        let step = |challenge: &[u8]| {
            DigestMd5Client::new("Ąda", Secret::default(), "c").step(challenge).map(|_| ())
        };
        let unacceptable = |directive| Err(SaslError::Unacceptable { directive });
        assert_eq!(step(b"nonce=n,qop=\"auth-int,auth-conf\""), unacceptable("qop"));
        assert_eq!(step(b"nonce=n,algorithm=md5"), unacceptable("algorithm"));
        assert_eq!(step(b"realm=r"), Err(SaslError::Missing { directive: "nonce" }));
        assert_eq!(step(b"nonce=n"), Err(SaslError::Charset));
        assert_eq!(step(b"nonce=n,charset=utf-8,qop=\"auth-int, auth\""), Ok(()));
    }
}
