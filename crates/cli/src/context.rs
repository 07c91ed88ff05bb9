//! What every command is given: the store, the time it has, and where to print to.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::join_all;
use quorate::{
    Consistency, Document, Key, Link, List, OpenOptions, OpenStore, OpenStoreError, Prefix, Store, StoreUrl,
};
use tokio::time::{Instant, timeout, timeout_at};

use crate::args::Global;
use crate::environment::{self, HeldFor};
use crate::exit::{Failure, Result};
use crate::output::Output;

/// How long closing the store may take. What is left behind then ends with its lease.
pub(crate) const CLOSE_TIME: Duration = Duration::from_secs(2);

/// How much longer than `--timeout` a write is waited for once it may be under way.
const ANSWER_TIME: Duration = Duration::from_secs(2);

/// The pause before a store that could not be asked is asked again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// How long nothing is said of a store that is being reached.
const PATIENCE: Duration = Duration::from_secs(1);

/// What every command is given.
#[derive(Debug)]
pub(crate) struct Context {
    /// Where it prints to.
    pub(crate) output: Output,
    url: StoreUrl,
    /// Whether nobody named the store.
    is_default: bool,
    timeout: Duration,
    deadline: Instant,
    read_only_allowed: bool,
    store: OnceLock<OpenStore>,
    /// The second store of a command that has two.
    other: Option<Box<Self>>,
}

impl Context {
    /// Decides which store is meant; it is not opened yet.
    pub(crate) fn new(global: &Global) -> Result<Self> {
        Self::at(global, global.store.as_deref())
    }

    /// Names the store by its URL; it is not opened yet.
    pub(crate) fn at(global: &Global, url: Option<&str>) -> Result<Self> {
        let named = url.filter(|url| !url.is_empty());
        let url = match named {
            Some(url) => absolute(url.parse()?)?,
            None => StoreUrl::Sqlite { path: default_file()? },
        };
        Ok(Self {
            output: Output::new(),
            url,
            is_default: named.is_none(),
            timeout: global.timeout,
            deadline: Instant::now() + global.timeout,
            read_only_allowed: false,
            store: OnceLock::new(),
            other: None,
        })
    }

    /// Adds a second store, which is closed with the first.
    pub(crate) fn with_other(mut self, other: Self) -> Self {
        self.other = Some(Box::new(other));
        self
    }

    /// The second store.
    pub(crate) fn other(&self) -> Option<&Self> {
        self.other.as_deref()
    }

    /// The time that was given.
    pub(crate) const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Accepts servers that only read.
    pub(crate) const fn read_only_allowed(mut self) -> Self {
        self.read_only_allowed = true;
        self
    }

    /// The URL of the store, good in every working directory.
    pub(crate) const fn url(&self) -> &StoreUrl {
        &self.url
    }

    /// What is left of the time that was given.
    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Opens the store, once.
    pub(crate) async fn open(&self) -> Result<Arc<dyn Store>> {
        Ok(Arc::clone(self.opened().await?.store()))
    }

    /// Opens the store and has it answer, within the time that was given: from then on it may be watched for ever.
    pub(crate) async fn reach(&self, prefix: &Prefix) -> Result<Arc<dyn Store>> {
        let store = self.open().await?;
        self.ask(|| store.list(prefix, List::Names, Consistency::Local)).await?;
        Ok(store)
    }

    /// Opens the store, once, and knows what it is.
    pub(crate) async fn opened(&self) -> Result<&OpenStore> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        for warning in self.exposed_secrets() {
            self.output.words(format!("warning: {warning}"));
        }
        let opening = async {
            if self.is_default
                && let StoreUrl::Sqlite { path } = &self.url
            {
                make_private_parent(path)?;
            }
            let mut options = OpenOptions::new().variables(environment::variable);
            if self.read_only_allowed {
                options = options.read_only_allowed();
            }
            options.open(&self.url).await.map_err(|error| match error {
                error @ OpenStoreError::Store(_) => Failure::from(error).about(self.url.clone()),
                error => error.into(),
            })
        };
        let store = timeout_at(self.deadline, opening).await.map_err(|_| self.no_answer(None))??;
        Ok(self.store.get_or_init(|| store))
    }

    /// The files with secrets that more people can read than should.
    fn exposed_secrets(&self) -> Vec<String> {
        let StoreUrl::ZooKeeper(url) = &self.url else { return Vec::new() };
        let exposed = url.secret_files().filter(|file| can_be_read_by_everybody(file));
        exposed.map(|file| format!("{} holds a secret that everybody can read", file.display())).collect()
    }

    /// Opens the store, and names the struct in it.
    pub(crate) async fn document(&self, dir: &Key) -> Result<Document> {
        Ok(Document::below(&self.open().await?, dir.clone())?)
    }

    /// Runs a command. On a terminal it is said what is waited for; a refusal comes with what can be done.
    pub(crate) async fn explained<T>(&self, command: impl Future<Output = Result<T>>) -> Result<T> {
        let result = tokio::select! {
            biased;
            result = command => result,
            never = self.say_what_is_waited_for() => match never {},
        };
        result.map_err(|failure| match (&self.url, failure.words()) {
            (StoreUrl::ZooKeeper(url), Some(words)) if failure.is_denied() && !url.has_identity() => {
                let advice = "the store was not told who this is, see auth= and cert= in quorate --help";
                Failure::new(failure.exit(), format!("{words}: {advice}"))
            }
            _ => failure,
        })
    }

    /// Shows on a terminal that the store is still being reached, once that takes long.
    async fn say_what_is_waited_for(&self) -> Infallible {
        let mut ticks = tokio::time::interval_at(Instant::now() + PATIENCE, PATIENCE);
        loop {
            let now = ticks.tick().await;
            let reason = match self.store.get().map(|store| store.store().status().borrow().link.clone()) {
                Some(Link::Live) => continue,
                Some(Link::Lost { reason }) => format!(": {reason}"),
                _ => String::new(),
            };
            if now < self.deadline && self.other.is_none() {
                self.output.live(format!("{} is not reached yet{reason}", self.url));
            }
        }
    }

    /// Asks the store something that may be asked again, until it answers or the time is up.
    pub(crate) async fn ask<T, F>(&self, mut question: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = quorate::Result<T>>,
    {
        let mut last = None;
        loop {
            match timeout_at(self.deadline, question()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if error.is_retryable() => last = Some(error.to_string()),
                Ok(Err(error)) => return Err(error.into()),
                Err(_) => return Err(self.no_answer(last)),
            }
            if Instant::now() + RETRY_PAUSE >= self.deadline {
                return Err(self.no_answer(last));
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Waits for something that writes, and a little longer than the time that was given: that ends by itself.
    pub(crate) async fn finish<T, E>(
        &self,
        work: impl Future<Output = std::result::Result<T, E>>,
    ) -> Result<T>
    where
        Failure: From<E>,
    {
        match timeout(self.remaining() + ANSWER_TIME, work).await {
            Ok(done) => Ok(done?),
            Err(_) => Err(Failure::timed_out(format!(
                "{} did not answer in time: what was asked for may have been done",
                self.url
            ))),
        }
    }

    /// The lock that the program around this one holds for it, if it is that of `dir` in this store.
    pub(crate) fn held_lock(&self, dir: &Key) -> Result<Option<quorate::HeldLock>> {
        let Some(HeldFor { lock, store }) = environment::held_lock()? else {
            return Ok(None);
        };
        let is_here = match store {
            Some(url) => absolute(url.parse()?)? == self.url,
            None => true,
        };
        let below = dir.join("write_lock")?.below();
        Ok(Some(lock).filter(|lock| is_here && below.contains(&lock.entry)))
    }

    /// Ends the session, so that nothing stays behind until a timeout.
    pub(crate) async fn close(&self) {
        self.output.end_live();
        let other = self.other().and_then(|other| other.store.get());
        let stores = self.store.get().into_iter().chain(other);
        // What is not ended in time ends with the process or its lease.
        let _ = timeout(CLOSE_TIME, join_all(stores.map(|store| store.store().close()))).await;
    }

    /// The sentence about a store that did not answer.
    pub(crate) fn no_answer(&self, error: Option<String>) -> Failure {
        let status = self.store.get().map(|store| store.store().status().borrow().link.clone());
        let reason = match status {
            Some(Link::Lost { reason }) => Some(reason.to_string()),
            _ => error,
        };
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let time = humantime::format_duration(self.timeout);
        Failure::timed_out(format!("{} was not reached within {time}{reason}", self.url))
    }
}

/// Makes the paths of files good in every working directory.
fn absolute(url: StoreUrl) -> Result<StoreUrl> {
    match url {
        StoreUrl::Sqlite { path } => {
            let path = std::path::absolute(path).map_err(Failure::failed)?;
            Ok(StoreUrl::Sqlite { path })
        }
        StoreUrl::ZooKeeper(mut url) => {
            for file in url.files_mut() {
                *file = std::path::absolute(&*file).map_err(Failure::failed)?;
            }
            Ok(StoreUrl::ZooKeeper(url))
        }
        url => Ok(url),
    }
}

/// Whether everybody on this machine can read a file. One that cannot be looked at is not opened either.
fn can_be_read_by_everybody(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o004 != 0)
}

/// The store of somebody who named none.
fn default_file() -> Result<PathBuf> {
    let data = environment::data_directory();
    let data =
        data.ok_or_else(|| Failure::usage("no store is named, and HOME is not set: use --store URL"))?;
    Ok(data.join("quorate").join("quorate.db"))
}

/// Makes the directory of the default store, for its owner only.
fn make_private_parent(file: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let Some(parent) = file.parent() else { return Ok(()) };
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent);
    made.map_err(|error| Failure::failed(format!("{} cannot be made: {error}", parent.display())))
}
