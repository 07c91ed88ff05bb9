//! From hosts to connections.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout},
};

use super::{
    Dial,
    link::Link,
    stream::{OpenError, Stream},
    tuning::{BusyPoll, Tuning},
};
use crate::{
    hosts::{Round, Target},
    tls::Tls,
};

/// The longest answer to a four-letter word that is read.
const WORD_BYTES_MAX: u64 = 64 * 1024;

/// How long a server may take to answer a four-letter word.
const WORD_TIME: Duration = Duration::from_secs(2);

/// The end of a dial: a link, or nothing if the round is over.
pub(crate) struct Dialed {
    pub(crate) round: Box<Round>,
    pub(crate) link: Option<Link>,
}

/// How all connections of a client are opened.
#[derive(Debug)]
pub(crate) struct Connector {
    tls: Option<Arc<Tls>>,
    dialer: Option<Arc<dyn Dial>>,
    /// How long one address may take, handshake included.
    limit: Duration,
    tuning: Tuning,
    /// Where the last link leads: its name is known here alone. Held for moments only.
    last: Mutex<Option<Target>>,
}

impl Connector {
    pub(crate) fn new(
        tls: Option<Tls>,
        dialer: Option<Arc<dyn Dial>>,
        limit: Duration,
        tuning: Tuning,
    ) -> Self {
        Self { tls: tls.map(Arc::new), dialer, limit, tuning, last: Mutex::new(None) }
    }

    /// Connects to the next address of a round that will have us.
    pub(crate) async fn dial(self: Arc<Self>, mut round: Box<Round>) -> Dialed {
        while let Some(target) = round.next_target(self.limit).await {
            match self.open(&target, self.limit).await {
                Ok(stream) => {
                    *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(target.clone());
                    let busy_poll = BusyPoll::new(self.tuning.busy_poll);
                    return Dialed { round, link: Some(Link::new(stream, target, busy_poll)) };
                }
                Err(OpenError::Tls(failure)) => round.note_tls_failure(&target, &failure),
                Err(error) => round.note_failure(&target, &error),
            }
        }
        Dialed { round, link: None }
    }

    /// Asks a server outside of any session, and reads its answer to the end. Takes two seconds at most.
    pub(crate) async fn ask(&self, server: &Target, word: &[u8; 4]) -> io::Result<String> {
        let ask = async {
            let mut stream = self.open(server, WORD_TIME).await.map_err(io::Error::other)?;
            stream.write_all(word).await?;
            stream.flush().await?;
            let mut answer = Vec::new();
            let read = stream.take(WORD_BYTES_MAX).read_to_end(&mut answer).await;
            // Servers close without taking leave, which TLS calls an error.
            if answer.is_empty() {
                read?;
            }
            Ok(String::from_utf8_lossy(&answer).into_owned())
        };
        timeout(WORD_TIME, ask).await?
    }

    /// Asks the server of a link, which only its address is known of.
    pub(crate) async fn ask_peer(&self, addr: SocketAddr, word: &[u8; 4]) -> io::Result<String> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let target = last.filter(|target| target.addr() == addr).unwrap_or_else(|| Target::unnamed(addr));
        self.ask(&target, word).await
    }

    /// How long looking up a name may take.
    pub(super) const fn limit(&self) -> Duration {
        self.limit
    }

    async fn open(&self, target: &Target, limit: Duration) -> Result<Stream, OpenError> {
        let deadline = Instant::now() + limit;
        match &self.dialer {
            Some(dialer) => Stream::open_by(&**dialer, target, deadline).await,
            None => Stream::open(target, self.tls.as_ref(), self.tuning.is_nagle, deadline).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::ClientOptions;

    #[tokio::test]
    async fn small_requests_wait_for_acknowledgements_only_if_that_is_asked_for() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let target = Target::unnamed(listener.local_addr().unwrap());
        let options = ClientOptions::new(["127.0.0.1"]);
        for (options, is_nagle) in [(options.clone(), false), (options.nagle(), true)] {
            let connector = options.check().unwrap().connector;
            match connector.open(&target, connector.limit()).await.unwrap() {
                Stream::Plain(stream) => assert_eq!(stream.nodelay().unwrap(), !is_nagle),
                other => panic!("{other:?}"),
            }
        }
    }
}
