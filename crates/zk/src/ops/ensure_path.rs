//! Making a znode with all that is above it.

use quorate_zk_proto::{CreateMode, ZnodePath};

use super::create::CreateError;
use crate::{acls::Acls, client::Client};

impl Client {
    /// Makes a persistent znode without data and every one above it, as far as they are missing. What is there stays as
    /// it is, whatever it holds.
    ///
    /// The creations are submitted together, and so take one round trip. They are not one transaction: where it fails,
    /// some may have been made. Whatever the outcome, it may be called again. The chroot itself is not made.
    ///
    /// # Errors
    ///
    /// [`CreateError`] of the first znode that is not there and could not be made.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves what was made so far.
    ///
    /// # Examples
    ///
    /// ```
    /// use quorate_zk::{Acl, ClientOptions, ZnodePath};
    /// use quorate_zk_fake::FakeZooKeeper;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = FakeZooKeeper::start().await?;
    /// # let client = ClientOptions::new([server.connect_string()]).connect()?;
    /// let group = ZnodePath::new("/services/web/members")?;
    /// client.ensure_path(&group, Acl::open()).await?;
    /// client.ensure_path(&group, Acl::open()).await?;
    /// assert!(client.exists(&group).await?.is_some());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn ensure_path(&self, path: &ZnodePath, acl: impl Into<Acls>) -> Result<(), CreateError> {
        let acl = acl.into();
        let mut paths: Vec<_> = std::iter::successors(Some(path.clone()), ZnodePath::parent).collect();
        paths.retain(|path| !path.is_root());
        let creations: Vec<_> = paths
            .iter()
            .rev()
            .map(|path| self.create(path, "", CreateMode::Persistent, acl.clone()))
            .collect();
        let mut made = Ok(());
        for creation in creations {
            match creation.await {
                // What is above it is there too, whatever was answered.
                Ok(_) | Err(CreateError::NodeExists(_)) => made = Ok(()),
                Err(error) if made.is_ok() => made = Err(error),
                Err(_) => {}
            }
        }
        match made {
            // Whoever may not create is not told whether it is there already.
            Err(CreateError::NoAuth(_)) if matches!(self.exists(path).await, Ok(Some(_))) => Ok(()),
            made => made,
        }
    }
}
