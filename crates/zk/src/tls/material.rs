//! Certificates and keys, from where they are kept to what they are.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use quorate_zk_proto::Secret;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use super::{TlsConfigError, TlsOptions};

/// The largest file that is read; the authorities of a whole operating system are a quarter of a megabyte.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A certificate and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity<T> {
    pub(super) cert: T,
    pub(super) key: T,
}

/// Where a PEM text is kept.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum PemSource {
    File(PathBuf),
    Memory(Secret),
}

impl PemSource {
    const fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    fn read(&self) -> Result<Pem, TlsConfigError> {
        let place = self.to_string();
        let text = match self {
            Self::Memory(text) => text.clone(),
            Self::File(path) => match read_file(path) {
                Ok(bytes) => Secret::new(bytes),
                Err(error) => return Err(TlsConfigError::Unreadable { place, detail: error.to_string() }),
            },
        };
        Ok(Pem { place, text })
    }
}

impl fmt::Display for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Memory(_) => f.write_str("the PEM text given"),
        }
    }
}

impl fmt::Debug for PemSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Memory(_) => f.write_str("Memory(..)"),
        }
    }
}

/// A PEM text, and where it is from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pem {
    place: String,
    text: Secret,
}

impl Pem {
    /// Returns all certificates in it; at least one.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsConfigError> {
        let certs: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(self.text.expose()).collect();
        match certs {
            Ok(certs) if certs.is_empty() => Err(TlsConfigError::NoCertificate { place: self.place.clone() }),
            Ok(certs) => Ok(certs),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// Returns the first private key in it.
    pub(super) fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsConfigError> {
        if self.has_encrypted_key() {
            return Err(TlsConfigError::EncryptedKey { place: self.place.clone() });
        }
        PrivateKeyDer::from_pem_slice(self.text.expose()).map_err(|error| match error {
            pem::Error::NoItemsFound => TlsConfigError::NoKey { place: self.place.clone() },
            error => self.unreadable(&error),
        })
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// There are two ways: an encrypted PKCS#8 document, and the headers of the oldest OpenSSL format.
    fn has_encrypted_key(&self) -> bool {
        let marks: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];
        let mut lines = self.text.expose().split(|&byte| byte == b'\n');
        lines.any(|line| marks.contains(&line.trim_ascii()))
    }

    /// The parser's own words may quote a line, which may be one of a key.
    fn unreadable(&self, _: &pem::Error) -> TlsConfigError {
        TlsConfigError::Malformed { place: self.place.clone() }
    }
}

/// Everything that options refer to, as it was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Material {
    pub(super) roots: Vec<Pem>,
    pub(super) identity: Option<Identity<Pem>>,
}

impl Material {
    /// Reads everything. Blocks as long as the file system does.
    pub(super) fn read(options: &TlsOptions) -> Result<Self, TlsConfigError> {
        let roots = options.roots.iter().map(PemSource::read).collect::<Result<_, _>>()?;
        let identity = match &options.identity {
            Some(Identity { cert, key }) => Some(Identity { cert: cert.read()?, key: key.read()? }),
            None => None,
        };
        Ok(Self { roots, identity })
    }

    /// Returns whether any of it could read differently next time.
    pub(super) fn may_change(options: &TlsOptions) -> bool {
        let identity = options.identity.as_ref().map(|Identity { cert, key }| [cert, key]);
        options.roots.iter().chain(identity.into_iter().flatten()).any(PemSource::is_file)
    }
}

/// Anything else than a file could be waited for without end, or be empty the second time.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "file too large"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(text: &str) -> Pem {
        Pem { place: "here".to_owned(), text: Secret::new(text.as_bytes().to_vec()) }
    }

    #[test]
    fn an_encrypted_key_is_named_as_such() {
        let pkcs8 =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\r\nMIIB\r\n-----END ENCRYPTED PRIVATE KEY-----\r\n";
        let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIB\n-----END RSA PRIVATE KEY-----\n";
        for text in [pkcs8, old] {
            let error = pem(text).private_key().unwrap_err();
            assert_eq!(error, TlsConfigError::EncryptedKey { place: "here".to_owned() });
        }
    }

    #[test]
    fn what_is_no_pem_is_told_without_quoting_it() {
        let place = "here".to_owned();
        let empty = pem("nothing").private_key().unwrap_err();
        assert_eq!(empty, TlsConfigError::NoKey { place: place.clone() });
        let cut = pem("-----BEGIN PRIVATE KEY-----\nc2VjcmV0").private_key().unwrap_err();
        assert_eq!(cut, TlsConfigError::Malformed { place: place.clone() });
        let odd =
            pem("-----BEGIN PRIVATE KEY-----\n!!\n-----END PRIVATE KEY-----\n").private_key().unwrap_err();
        assert_eq!(odd, TlsConfigError::Malformed { place: place.clone() });
        assert_eq!(pem("").certificates().unwrap_err(), TlsConfigError::NoCertificate { place });
    }

    #[test]
    fn only_files_of_a_sound_size_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let large = dir.path().join("large.pem");
        File::create(&large).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
        for path in [large, dir.path().to_owned(), "/dev/zero".into(), dir.path().join("none")] {
            let error = PemSource::File(path).read().unwrap_err();
            assert!(matches!(error, TlsConfigError::Unreadable { .. }), "{error}");
        }
    }

    #[test]
    fn a_text_in_memory_is_not_shown() {
        let shown = format!("{:?} {:?}", PemSource::Memory(Secret::new("secret")), pem("secret"));
        assert!(!shown.contains("secret"), "{shown}");
    }
}
