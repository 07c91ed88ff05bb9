//! The handle that everybody uses.

use std::sync::Arc;

use quorate_zk_proto::{ErrorCode, FailureKind, Request, SessionId, WatchMode, WatcherType, ZnodePath};
use tokio::{
    runtime::Handle as Runtime,
    sync::{oneshot, watch},
};
use tracing::Instrument;

use crate::{
    chroot,
    driver::Driver,
    error::{ConfigError, RequestError, Subject},
    inbox::{Ending, Inbox, Removal, Submission, WatchOrder},
    lacking::Lacking,
    one_shot::OneshotWatcher,
    options::{ClientOptions, Settings},
    queue::Queue,
    registry::{SessionQueue, Target},
    response::Response,
    session_events::SessionEvents,
    session_token::{SessionHandover, SessionToken},
    slot::{Order, SlotRef},
    state::ClientState,
    sweep::Sweeper,
    terms::Terms,
    transport::Connector,
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
    chroot: Option<ZnodePath>,
    /// `None` if operations are made once and have no deadline.
    pub(crate) terms: Option<Arc<Terms>>,
}

#[derive(Debug)]
struct Handle {
    inbox: Arc<Inbox>,
    shown: Shown,
    connector: Arc<Connector>,
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
        self.inbox.end(Ending::Close);
    }
}

impl Client {
    /// Connects to an ensemble with the default options, and waits for the session. Gives the client, and the
    /// session-wide stream of one-shot watches ([`watch`](Self::watch)) and states.
    ///
    /// `hosts` is a connect string: names or addresses with optional ports, separated by commas, perhaps followed by
    /// a [chroot](ClientOptions::chroot), as in `h1:2181,h2:2181,h3:2181/prod`.
    ///
    /// # Errors
    ///
    /// [`ConnectError`](crate::ConnectError) if a host or the chroot is malformed. An ensemble out of reach is waited
    /// for, and [`Client::state`] says meanwhile why: bound the wait with a timeout, or use [`ClientOptions::connect`],
    /// which gives the client at once.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the client.
    ///
    /// # Examples
    ///
    /// ```
    /// # use quorate_zk_fake::FakeZooKeeper;
    /// use quorate_zk::{Acl, Client, CreateMode, SessionEvent, ZnodePath};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FakeZooKeeper::start().await?;
    /// # let hosts = server.connect_string();
    /// let (client, mut events) = Client::connect(&hosts).await?;
    /// let path = ZnodePath::new("/example")?;
    /// assert_eq!(client.watch().exists(&path).await?, None);
    /// client.create(&path, "Hello world", CreateMode::Persistent, vec![Acl::open()]).await?;
    /// loop {
    ///     if let Some(SessionEvent::Watch(event)) = events.next().await {
    ///         assert_eq!(event.path, path);
    ///         break;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(hosts: &str) -> Result<(Self, SessionEvents), crate::ConnectError> {
        let (client, events) = ClientOptions::of(hosts)?.connect_with_events()?;
        client.session().await?;
        Ok((client, events))
    }

    pub(crate) fn start(settings: Settings) -> Result<Self, ConfigError> {
        Self::start_with(settings, None)
    }

    pub(crate) fn start_with_events(settings: Settings) -> Result<(Self, SessionEvents), ConfigError> {
        let queue = Arc::new(Queue::new(settings.watched_max));
        let client = Self::start_with(settings, Some(Arc::clone(&queue)))?;
        Ok((client, SessionEvents::new(queue)))
    }

    fn start_with(
        settings: Settings,
        events: Option<Arc<Queue<crate::SessionEvent>>>,
    ) -> Result<Self, ConfigError> {
        let runtime = Runtime::try_current().map_err(|_| ConfigError::NoRuntime)?;
        let inbox = Arc::new(Inbox::new(Lacking::of(settings.server_version)));
        let (chroot, connector) = (settings.chroot.clone(), Arc::clone(&settings.connector));
        let session = SessionQueue::new(events, chroot.clone());
        let (driver, shown) = Driver::new(settings, Arc::clone(&inbox), session);
        // The task ends by itself: soon after the inbox is closed, which the last clone's drop does.
        drop(runtime.spawn(driver.run().instrument(tracing::info_span!("zookeeper_client"))));
        let handle = Handle { inbox, shown, connector, sweeper: Sweeper::new(runtime) };
        Ok(Self { handle: Arc::new(handle), chroot, terms: None })
    }

    /// Returns a handle on the same session whose root is a znode below this one's: all paths are below it, in
    /// both directions. The znode is not created.
    #[must_use]
    pub fn chroot(&self, path: &ZnodePath) -> Self {
        let chroot = match &self.chroot {
            Some(chroot) => path.in_chroot(chroot),
            None => path.clone(),
        };
        Self { chroot: Some(chroot).filter(|chroot| !chroot.is_root()), ..self.clone() }
    }

    /// Submits a request, behind all submitted before it, and returns the future of its reply.
    ///
    /// If the connection is lost before the reply arrives the request fails, and may have been applied if it
    /// is a write: see [`RequestError::outcome`]. The reply of a multi that failed is a good reply: see
    /// [`MultiResult::first_error`](crate::MultiResult::first_error).
    ///
    /// A one-shot watch that a read sets is told to the session-wide stream, as by [`watch`](Self::watch).
    /// Requests that add or remove watches are refused with [`ErrorCode::BadArguments`]: use
    /// [`add_watch`](Self::add_watch) and [`remove_watches`](Self::remove_watches).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future withdraws the request while it waits for room in the window; once encoded it is
    /// sent.
    pub fn request(&self, request: Request) -> Response {
        self.submit(self.chroot.clone(), None, None, request)
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
        self.submit(self.chroot.clone(), Some(session.id()), None, request)
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

    /// Submits a request whose path is the server's, whatever the chroot.
    pub(crate) fn request_unrooted(&self, request: Request) -> Response {
        self.submit(None, None, None, request)
    }

    /// Submits a read that sets a one-shot watch, whose event is told to a watcher of its own.
    pub(crate) fn request_with_watcher(&self, request: Request) -> (Response, OneshotWatcher) {
        self.request_watched(self.chroot.clone(), request)
    }

    /// The same for a path that is the server's, whatever the chroot.
    pub(crate) fn request_unrooted_with_watcher(&self, request: Request) -> (Response, OneshotWatcher) {
        self.request_watched(None, request)
    }

    fn request_watched(&self, chroot: Option<ZnodePath>, request: Request) -> (Response, OneshotWatcher) {
        let path = request.path().cloned().unwrap_or_else(ZnodePath::root);
        let path = chroot.as_ref().map_or_else(|| path.clone(), |chroot| path.in_chroot(chroot));
        let (watcher, fired) = OneshotWatcher::new(path, Arc::clone(&self.handle.inbox));
        let target = Target::Watcher(fired, chroot.clone());
        (self.submit(chroot, None, Some(target), request), watcher)
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
        let answer = self.handle.connector.ask_peer(server, b"srvr").await.ok()?;
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
    ///
    /// # Examples
    ///
    /// Arm first, read second, and read everything again when something was missed:
    ///
    /// ```
    /// # use quorate_zk_fake::FakeZooKeeper;
    /// use quorate_zk::{Acl, ClientOptions, CreateMode, WatchMode, Watched, ZnodePath};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FakeZooKeeper::start().await?;
    /// # let client = ClientOptions::new([server.connect_string()]).connect()?;
    /// # let group = ZnodePath::new("/members")?;
    /// # client.ensure_path(&group, Acl::open()).await?;
    /// let mut watcher = client.add_watch(&group, WatchMode::PersistentRecursive).await?;
    /// let mut names = client.get_children(&group).await?.names;
    /// # client.create(&group.join("web-1")?, "", CreateMode::Ephemeral, Acl::open()).await?;
    /// # while names.is_empty() {
    /// match watcher.next().await {
    ///     Some(Watched::Event(event)) => println!("{:?} {}", event.event_type, event.path),
    ///     Some(_) => println!("events were missed"), // Resync, Lagged
    ///     None => println!("the client is closed"),
    /// }
    /// names = client.get_children(&group).await?.names;
    /// # }
    /// # assert_eq!(names, ["web-1"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_watch(&self, path: &ZnodePath, mode: WatchMode) -> AddingWatch {
        let (adding, ready) = AddingWatch::new(path.clone());
        let order = WatchOrder { path: self.enter(path), mode, chroot: self.chroot.clone(), ready };
        self.handle.inbox.submit(Submission::Watch(order));
        adding
    }

    /// Removes the watches of a kind on a path, whoever of this client's users holds them. Their watchers are told
    /// that they were removed, and end. Returns whether there were any.
    ///
    /// A persistent watch that is still being added counts too: its future resolves to a watcher that ends at once.
    /// A read that is under way sets its one-shot watch all the same, and so does what is submitted later.
    ///
    /// Dropping a watcher does the same for it alone; this is for whoever does not hold it.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the watches are removed even if the future is dropped.
    pub async fn remove_watches(&self, path: &ZnodePath, kind: WatcherType) -> bool {
        let (done, removed) = oneshot::channel();
        self.handle.inbox.submit(Submission::Removal(Removal { path: self.enter(path), kind, done }));
        // Without a driver there are no watches.
        removed.await.unwrap_or(false)
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
        self.handle.inbox.end(Ending::Close);
        self.ended().await;
    }

    /// Leaves the session to another client, perhaps in another process, after everything submitted so far was
    /// answered or failed; what still waits after three seconds fails. This client is closed then, and the session
    /// lives on at the server until its timeout: see [`ClientOptions::resume`].
    ///
    /// `None` if there is no session to leave: there was none yet, it has expired, or the client was closed
    /// already.
    ///
    /// # Cancel safety
    ///
    /// Once polled, the client is closed and the session left, even if the future is dropped.
    pub async fn detach(&self) -> Option<SessionHandover> {
        let (sender, handover) = oneshot::channel();
        self.handle.inbox.end(Ending::Detach(sender));
        self.ended().await;
        handover.await.ok().flatten()
    }

    async fn ended(&self) {
        // An error means that the driver is gone, which is as good.
        drop(self.handle.shown.state.clone().wait_for(ClientState::is_final).await);
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

    fn submit(
        &self,
        chroot: Option<ZnodePath>,
        session: Option<SessionId>,
        target: Option<Target>,
        request: Request,
    ) -> Response {
        let (response, slot) = prepare(chroot, session, target, request);
        if let Some(slot) = slot {
            self.handle.inbox.submit(Submission::Request(slot));
        }
        response
    }

    fn submit_all(&self, session: Option<SessionId>, requests: Vec<Request>) -> Vec<Response> {
        let prepared =
            requests.into_iter().map(|request| prepare(self.chroot.clone(), session, None, request));
        let (responses, slots): (Vec<_>, Vec<_>) = prepared.unzip();
        self.handle.inbox.submit_all(slots.into_iter().flatten().map(Submission::Request).collect());
        responses
    }

    fn enter(&self, path: &ZnodePath) -> ZnodePath {
        self.chroot.as_ref().map_or_else(|| path.clone(), |chroot| path.in_chroot(chroot))
    }
}

/// Makes the future of a request and what is to be submitted for it, unless it is refused at once.
fn prepare(
    chroot: Option<ZnodePath>,
    session: Option<SessionId>,
    target: Option<Target>,
    request: Request,
) -> (Response, Option<SlotRef>) {
    let subject = Subject::of(&request);
    let is_refused = matches!(request, Request::AddWatch(_) | Request::RemoveWatches(_));
    let request = match &chroot {
        Some(chroot) => chroot::enter_request(request, chroot),
        None => request,
    };
    let slot = SlotRef::new(Order { request, session, target });
    if is_refused {
        slot.refuse(FailureKind::Server(ErrorCode::BadArguments));
        return (Response::new(slot, subject, chroot), None);
    }
    (Response::new(slot.clone(), subject, chroot), Some(slot))
}
