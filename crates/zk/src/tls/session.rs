//! Handshakes, with the certificates of the moment.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::spawn_blocking,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{TlsConfigError, TlsFailure, TlsOptions, config, material::Material};

/// Secures connections.
pub(crate) struct Tls {
    options: TlsOptions,
    /// The name to expect whatever a host is called.
    server_name: Option<ServerName<'static>>,
    may_change: bool,
    is_reloading: AtomicBool,
    /// Held for moments only, and never across an await.
    loaded: Mutex<Loaded>,
}

struct Loaded {
    config: Arc<ClientConfig>,
    /// What the configuration was made of.
    material: Material,
    /// Why what was found since cannot be used, so that it is said once and not at every connection.
    problem: Option<TlsConfigError>,
}

impl Tls {
    /// Reads the files, and checks everything. Blocks as long as the file system does.
    pub(crate) fn load(options: TlsOptions) -> Result<Self, TlsConfigError> {
        let server_name = match &options.server_name {
            Some(name) => Some(server_name(name).ok_or_else(|| invalid(name))?),
            None => None,
        };
        let material = Material::read(&options)?;
        let config = config::build(&options, &material)?;
        let loaded = Mutex::new(Loaded { config, material, problem: None });
        let may_change = Material::may_change(&options);
        Ok(Self { options, server_name, may_change, is_reloading: AtomicBool::new(false), loaded })
    }

    /// Shakes hands with a server that goes by the name of `host`. There is no limit to the time it takes.
    pub(crate) async fn secure<S: AsyncRead + AsyncWrite + Unpin>(
        self: &Arc<Self>,
        host: &str,
        stream: S,
    ) -> Result<TlsStream<S>, TlsFailure> {
        let name = match &self.server_name {
            Some(name) => name.clone(),
            None => server_name(host).ok_or_else(|| TlsFailure::new(invalid(host).to_string()))?,
        };
        let connector = TlsConnector::from(self.config().await);
        connector.connect(name, stream).await.map_err(|error| TlsFailure::of_handshake(&error))
    }

    /// Returns the configuration, made anew if a file has changed.
    async fn config(self: &Arc<Self>) -> Arc<ClientConfig> {
        // A file system that hangs must not hang one thread after the other.
        if self.may_change && !self.is_reloading.swap(true, Ordering::AcqRel) {
            let tls = Arc::clone(self);
            // An error means that the runtime is ending, or a panic in there: what was good remains.
            drop(spawn_blocking(move || tls.reload()).await);
        }
        Arc::clone(&self.lock().config)
    }

    /// Goes on to its end even if nobody waits any more.
    fn reload(&self) {
        let _end = Reloading(&self.is_reloading);
        let problem = self.try_reload().err();
        let mut loaded = self.lock();
        if let Some(error) = problem.as_ref().filter(|_| problem != loaded.problem) {
            tracing::warn!(%error, "TLS goes on with the certificates from before");
        }
        loaded.problem = problem;
    }

    fn try_reload(&self) -> Result<(), TlsConfigError> {
        let material = Material::read(&self.options)?;
        if material == self.lock().material {
            return Ok(());
        }
        let config = config::build(&self.options, &material)?;
        tracing::info!("TLS goes on with other certificates");
        let mut loaded = self.lock();
        loaded.config = config;
        loaded.material = material;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A reload under way, however it ends.
struct Reloading<'a>(&'a AtomicBool);

impl Drop for Reloading<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Neither the dot at the end of a full name nor the zone of an address is ever in a certificate.
fn server_name(text: &str) -> Option<ServerName<'static>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    ServerName::try_from(text.to_owned()).ok()
}

fn invalid(name: &str) -> TlsConfigError {
    TlsConfigError::InvalidServerName { name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_certificates_have() {
        let names = [
            ("zk1.example", "zk1.example"),
            ("zk1.example.", "zk1.example"),
            ("zk_1", "zk_1"),
            ("10.0.0.1", "10.0.0.1"),
            ("fe80::1%eth0", "fe80::1"),
        ];
        for (text, expected) in names {
            assert_eq!(server_name(text).unwrap().to_str(), expected, "{text}");
        }
        for text in ["", ".", "a b", "-", "a..b"] {
            assert_eq!(server_name(text), None, "{text}");
        }
    }
}
