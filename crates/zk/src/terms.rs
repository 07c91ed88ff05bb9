//! On what terms the operations of a handle are made.

use std::{sync::Arc, time::Duration};

use crate::{client::Client, retry::RetryPolicy};

/// What a handle asks for with each of its operations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) deadline: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
}

impl Client {
    /// Returns a handle on the same session whose operations are made again when they failed in passing, as often as the
    /// policy allows. Other handles are not affected.
    ///
    /// Passing are a lost connection, an expired session, a throttled request, and a server in search of its leader.
    /// Nothing is ever made twice:
    /// - An operation that only reads is made again whatever became of it.
    /// - A write is made again only if it is proved that it was not applied: not sent, or refused in passing. One whose
    ///   outcome is [`Unknown`](crate::Outcome::Unknown) fails, also with a version. That the version has moved does not
    ///   tell who moved it; reading the data again does, if the writer can be told from it.
    /// - What creates an ephemeral znode is not made again in a later session.
    ///
    /// An attempt after the first takes its turn behind what was submitted meanwhile. Nothing is made again unless the
    /// operation is polled. Raw requests ([`Client::request`]) are not affected.
    ///
    /// # Examples
    ///
    /// ```
    /// use quorate_zk::{ClientOptions, RetryPolicy, ZnodePath};
    /// use quorate_zk_fake::FakeZooKeeper;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FakeZooKeeper::start().await?;
    /// let client = ClientOptions::new([server.connect_string()]).connect()?;
    /// let patient = client.retrying(RetryPolicy::default());
    ///
    /// let read = patient.exists(&ZnodePath::root());
    /// server.drop_connections();
    /// assert!(read.await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn retrying(&self, policy: RetryPolicy) -> Self {
        self.on(Terms { retry: Some(policy), ..self.terms() })
    }

    /// Returns a handle on the same session whose operations all have a deadline, counted from their call, as by
    /// [`Operation::deadline`](crate::Operation::deadline). Other handles and raw requests are not affected.
    #[must_use]
    pub fn with_deadline(&self, deadline: Duration) -> Self {
        self.on(Terms { deadline: Some(deadline), ..self.terms() })
    }

    /// Returns a handle on the same session without deadlines and retries.
    pub(crate) fn on_no_terms(&self) -> Self {
        let mut client = self.clone();
        client.terms = None;
        client
    }

    pub(crate) fn terms(&self) -> Terms {
        self.terms.as_deref().copied().unwrap_or_default()
    }

    fn on(&self, terms: Terms) -> Self {
        let mut client = self.clone();
        client.terms = Some(Arc::new(terms));
        client
    }
}
