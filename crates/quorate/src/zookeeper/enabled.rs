//! From the URL of a store on ZooKeeper to the store.

use std::sync::Arc;

use quorate_datasync::{Key, Result};
use quorate_zookeeper::{Acl, Credentials, Examination, Secret, TlsOptions, ZooKeeper, ZooKeeperOptions};

use crate::{
    AuthSource, Findings, OpenOptions, OpenStore, OpenStoreError, SecretSource, TlsFiles, ZnodeAccess,
    ZooKeeperUrl,
};

/// Who can be asked how a store is reached.
#[derive(Clone, Debug)]
pub(crate) struct Examiner(Arc<ZooKeeper>);

impl Examiner {
    pub(crate) async fn examine(&self, key: &Key) -> Result<Findings> {
        Ok(self.0.examine(key).await?.into())
    }
}

/// A store that is to be opened.
pub(crate) struct Opening(ZooKeeperOptions);

impl Opening {
    /// Takes over what the URL says.
    pub(crate) fn new(
        url: &ZooKeeperUrl,
        opening: &OpenOptions,
    ) -> std::result::Result<Self, OpenStoreError> {
        let mut options = ZooKeeper::options(&url.hosts).chroot(&url.chroot).acl(acl(url.acl));
        if let Some(timeout) = url.session_timeout {
            options = options.session_timeout(timeout);
        }
        if let Some(time) = url.busy_poll {
            options = options.busy_poll(time);
        }
        if let Some(files) = &url.tls {
            options = options.tls(tls(files));
        }
        for auth in &url.auth {
            let credentials = credentials(auth.source(), opening)?;
            options = match auth {
                AuthSource::Digest(_) => options.digest_auth(credentials),
                AuthSource::Sasl(_) => options.sasl_digest_md5(credentials),
            };
        }
        if opening.read_only_allowed {
            options = options.read_only_allowed();
        }
        Ok(Self(options))
    }

    pub(crate) async fn open(self) -> Result<OpenStore> {
        let store = Arc::new(self.0.open().await?);
        Ok(OpenStore::new(Arc::clone(&store) as _, Some(Examiner(store))))
    }
}

fn acl(access: ZnodeAccess) -> Vec<Acl> {
    match access {
        ZnodeAccess::Open => vec![Acl::open()],
        ZnodeAccess::Creator => vec![Acl::creator_all()],
        ZnodeAccess::Read => vec![Acl::creator_all(), Acl::read()],
    }
}

fn tls(files: &TlsFiles) -> TlsOptions {
    let mut options = TlsOptions::new();
    if let Some(ca) = &files.ca {
        options = options.ca_file(ca);
    }
    if let Some((cert, key)) = &files.identity {
        options = options.client_cert_files(cert, key);
    }
    options
}

fn credentials(
    source: &SecretSource,
    opening: &OpenOptions,
) -> std::result::Result<Credentials, OpenStoreError> {
    Ok(match source {
        SecretSource::File(path) => Credentials::file(path),
        SecretSource::Variable(name) => {
            Credentials::text(format!("the variable {name}"), Secret::new(opening.variable(name)?))
        }
    })
}

impl From<Examination> for Findings {
    fn from(found: Examination) -> Self {
        Self {
            is_secure: Some(found.is_secure),
            is_read_only: Some(found.is_read_only),
            session_timeout: Some(found.session_timeout),
            identities: found.identities,
            warnings: found.warnings,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreUrl;

    #[test]
    fn what_a_url_says_of_times_reaches_the_client() {
        let StoreUrl::ZooKeeper(url) = "zk://h?session_timeout=9s&busy_poll=3ms".parse().unwrap() else {
            panic!("it is a store on ZooKeeper");
        };
        let opening = Opening::new(&url, &OpenOptions::new()).unwrap();
        let shown = format!("{:?}", opening.0);
        assert!(shown.contains("session_timeout: 9s") && shown.contains("busy_poll: 3ms"), "{shown}");
    }
}
