//! The handle that everybody uses.

use std::sync::Arc;

use quorate_zk_proto::{ErrorCode, FailureKind, Request, SessionId, WatchMode, ZnodePath};
use tokio::{
    runtime::Handle as Runtime,
    sync::{oneshot, watch},
};

use crate::{
    chroot,
    driver::Driver,
    error::{ConfigError, RequestError, Subject},
    inbox::{Inbox, Submission},
    lacking::Lacking,
    options::Settings,
    response::Response,
    session_token::SessionToken,
    state::ClientState,
    sweep::Sweeper,
    terms::Terms,
    transport::four_letter_word,
    watcher::AddingWatch,
};

/// A ZooKeeper client: one session at an ensemble, kept up for as long as a clone of this lives.
///
/// Cheap to clone. Operations take effect in the order of the calls: a method submits, then returns a named
/// future that need not be polled for the operation to happen. While there is no connection requests wait, in
/// order; those still waiting when the session expires fail as not sent.
///
/// Dropping the last clone closes the session in the background, after what was submitted;
/// [`close`](Self::close) waits for it.
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
    /// `None` if operations are made once and have no deadline.
    pub(crate) terms: Option<Arc<Terms>>,
}

#[derive(Debug)]
struct Handle {
    inbox: Arc<Inbox>,
    shown: Shown,
    chroot: Option<ZnodePath>,
    sweeper: Sweeper,
}

/// What the driver shows to everybody.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) state: watch::Receiver<ClientState>,
    pub(crate) session: watch::Receiver<Option<SessionToken>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.inbox.close();
    }
}

impl Client {
    pub(crate) fn start(settings: Settings) -> Result<Self, ConfigError> {
        let runtime = Runtime::try_current().map_err(|_| ConfigError::NoRuntime)?;
        let inbox = Arc::new(Inbox::default());
        let chroot = settings.chroot.clone();
        let (driver, shown) = Driver::new(settings, Arc::clone(&inbox));
        // The task ends by itself: soon after the inbox is closed, which the last clone's drop does.
        drop(runtime.spawn(driver.run()));
        let handle = Handle { inbox, shown, chroot, sweeper: Sweeper::default() };
        Ok(Self { handle: Arc::new(handle), terms: None })
    }

    /// Submits a request, behind all submitted before it, and returns the future of its reply.
    ///
    /// If the connection is lost before the reply arrives the request fails, and may have been applied if it
    /// is a write: see [`RequestError::outcome`]. The reply of a multi that failed is a good reply: see
    /// [`MultiResult::first_error`](crate::MultiResult::first_error).
    ///
    /// Requests that would set a one-shot watch, and those that add or remove watches, are refused with
    /// [`ErrorCode::BadArguments`]: they would break the watches of [`add_watch`](Self::add_watch).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future withdraws the request while it waits for room in the window; once encoded it is
    /// sent.
    pub fn request(&self, request: Request) -> Response {
        let (response, submission) = self.prepare(request, None);
        self.handle.inbox.submit(submission);
        response
    }

    /// Submits a request like [`request`](Self::request), to be sent in this session or never.
    ///
    /// Once the session has expired it fails as not sent. An ephemeral znode that is created this way never
    /// belongs to a later session by accident.
    ///
    /// # Cancel safety
    ///
    /// As for [`request`](Self::request).
    pub fn request_in(&self, session: &SessionToken, request: Request) -> Response {
        let (response, submission) = self.prepare(request, Some(session.id()));
        self.handle.inbox.submit(submission);
        response
    }

    /// Submits requests next to each other: nobody else's come between them, and they leave in one flush as
    /// far as the window has room.
    ///
    /// # Cancel safety
    ///
    /// As for [`request`](Self::request), for each of them alone.
    pub fn request_all(&self, requests: Vec<Request>) -> Vec<Response> {
        self.submit_all(None, requests)
    }

    /// Submits requests next to each other like [`request_all`](Self::request_all), all of them to be sent in this
    /// session or never, like [`request_in`](Self::request_in).
    ///
    /// # Cancel safety
    ///
    /// As for [`request`](Self::request), for each of them alone.
    pub fn request_all_in(&self, session: &SessionToken, requests: Vec<Request>) -> Vec<Response> {
        self.submit_all(Some(session.id()), requests)
    }

    /// Asks the server that the session is at for its version, as in `3.8.0`. The protocol does not tell it; this
    /// sends the word `srvr` over a connection of its own. `None` if there is no connection, or no answer.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future changes nothing.
    pub async fn server_version(&self) -> Option<String> {
        let server = match &*self.handle.shown.state.borrow() {
            ClientState::Connected { server, .. } => *server,
            _ => return None,
        };
        let answer = four_letter_word(server, b"srvr").await.ok()?;
        let version = answer.lines().find_map(|line| line.strip_prefix("Zookeeper version: "))?;
        version.split(['-', ',']).next().map(|number| number.trim().to_owned())
    }

    /// Adds a watch on a path, where a znode need not exist. It is armed when the future resolves, and armed
    /// again after every lost connection and expired session.
    ///
    /// It takes its turn among the requests: a read submitted later sees at least what the watch does not tell.
    /// Lost connections do not fail it; it is tried again.
    ///
    /// # Errors
    ///
    /// [`RequestError`] with the server's code if it refuses, as servers before 3.6 do, and when the client is
    /// closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future takes the watch back.
    pub fn add_watch(&self, path: &ZnodePath, mode: WatchMode) -> AddingWatch {
        let (adding, ready) = AddingWatch::new(path.clone());
        let path = self.handle.chroot.as_ref().map_or_else(|| path.clone(), |chroot| path.in_chroot(chroot));
        self.handle.inbox.submit([Submission::Watch { path, mode, ready }]);
        adding
    }

    /// Waits for a session, and returns a handle on it. The connection may be lost at the moment.
    ///
    /// # Errors
    ///
    /// [`RequestError`] once the client is closed.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future has no effect.
    pub async fn session(&self) -> Result<SessionToken, RequestError> {
        let mut session = self.handle.shown.session.clone();
        let found = session.wait_for(Option::is_some).await.ok().and_then(|token| token.clone());
        found.ok_or_else(|| {
            let refused = matches!(*self.handle.shown.state.borrow(), ClientState::AuthFailed { .. });
            let kind = if refused { FailureKind::AuthFailed } else { FailureKind::Closed };
            RequestError::without_session(kind)
        })
    }

    /// Returns a watch of the state. That of the client being found in front of a wiped or restored ensemble is
    /// there before any watcher is told [`Watched::Resync`](crate::Watched::Resync) because of it.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<ClientState> {
        self.handle.shown.state.clone()
    }

    /// Closes the session after everything submitted so far, so that its ephemeral znodes vanish at once.
    ///
    /// Waits for the server's answer, or three seconds. Whatever is submitted later fails, also by other clones.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the session is closed even if the future is dropped.
    pub async fn close(&self) {
        self.handle.inbox.close();
        // An error means that the driver is gone, which is as good.
        drop(self.handle.shown.state.clone().wait_for(ClientState::is_final).await);
    }

    /// Submits a request whose paths are the server's also where there is a chroot.
    pub(crate) fn request_unrooted(&self, request: Request) -> Response {
        let (response, submission) = self.prepare_in(None, request, None);
        self.handle.inbox.submit(submission);
        response
    }

    /// Returns the session, if there is one at the moment.
    pub(crate) fn current_session(&self) -> Option<SessionToken> {
        self.handle.shown.session.borrow().clone()
    }

    /// Returns what is known of the server at hand.
    pub(crate) fn lacking(&self) -> &Lacking {
        &self.handle.inbox.lacking
    }

    /// Returns who deletes what nobody waits for any more.
    pub(crate) fn sweeper(&self) -> &Sweeper {
        &self.handle.sweeper
    }

    fn submit_all(&self, session: Option<SessionId>, requests: Vec<Request>) -> Vec<Response> {
        let prepared = requests.into_iter().map(|request| self.prepare(request, session));
        let (responses, submissions): (Vec<_>, Vec<_>) = prepared.unzip();
        self.handle.inbox.submit(submissions.into_iter().flatten());
        responses
    }

    fn prepare(&self, request: Request, session: Option<SessionId>) -> (Response, Option<Submission>) {
        self.prepare_in(self.handle.chroot.as_ref(), request, session)
    }

    fn prepare_in(
        &self,
        chroot: Option<&ZnodePath>,
        request: Request,
        session: Option<SessionId>,
    ) -> (Response, Option<Submission>) {
        let subject = Subject::of(&request);
        let (response, answer) = Response::new(subject.clone(), chroot.cloned());
        if breaks_watches(&request) {
            refuse(subject, answer);
            return (response, None);
        }
        let request = match chroot {
            Some(chroot) => chroot::enter_request(request, chroot),
            None => request,
        };
        (response, Some(Submission::Request { request, session, subject, answer }))
    }
}

fn refuse(subject: Subject, answer: oneshot::Sender<crate::response::Answer>) {
    let error = subject.not_sent(FailureKind::Server(ErrorCode::BadArguments));
    answer.send(Err(error)).expect("the response was made just before");
}

const fn breaks_watches(request: &Request) -> bool {
    match request {
        Request::Exists(exists) => exists.watch,
        Request::GetData(get) => get.watch,
        Request::GetChildren(list) | Request::GetChildrenWithStat(list) => list.watch,
        Request::AddWatch(_) | Request::RemoveWatches(_) => true,
        _ => false,
    }
}
