//! The certificate of the server and its key: read from two files, and read again while the server runs.

use std::fmt::{self, Debug, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys, ServerConfig};
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::domain::fault::{Fault, Result};

/// The protocols that are offered (RFC 7301), the better first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The places of certificate and key, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Files {
    /// The server's certificate, followed by those that lead to an authority.
    pub(crate) certificate: PathBuf,
    /// The private key of the first certificate.
    pub(crate) key: PathBuf,
}

/// The content of the files: a digest, since a key should stand in memory once; or why they cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Content {
    Readable([u8; 32]),
    Unreadable(String),
}

/// A certificate with its key, ready for use.
struct Pair {
    key: Arc<CertifiedKey>,
    /// `None` if the certificate is one that only rustls can read.
    validity: Option<Validity>,
    content: Content,
}

#[derive(Debug, Clone, Copy)]
struct Validity {
    begins: Timestamp,
    ends: Timestamp,
}

/// The certificate in force. Connections take the one that is in force when they begin.
pub(crate) struct Certificates {
    files: Files,
    provider: Arc<CryptoProvider>,
    pair: RwLock<Arc<Pair>>,
}

impl Certificates {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub(crate) fn open(files: Files) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let pair = RwLock::new(Arc::new(Pair::read(&files, &provider)?));
        Ok(Self {
            files,
            provider,
            pair,
        })
    }

    /// Makes the settings of TLS that answer with the certificate in force.
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<ServerConfig> {
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|cause| Fault::internal("TLS cannot be set up.", cause))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
        Ok(config)
    }

    /// Reads the files again and puts what they hold in force.
    ///
    /// # Errors
    /// The fault of the files; then the certificate before them stays in force.
    pub(super) fn reload(&self) -> Result<()> {
        let pair = Pair::read(&self.files, &self.provider)?;
        *self.pair.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pair);
        Ok(())
    }

    /// Returns the content of the files at this moment.
    pub(super) fn content(&self) -> Content {
        match self.files.read() {
            Ok((_, _, content)) => content,
            Err(fault) => Content::Unreadable(fault.with_causes()),
        }
    }

    /// Returns the content of the files when the certificate in force was read.
    pub(super) fn content_in_force(&self) -> Content {
        self.pair().content.clone()
    }

    /// Returns when the certificate in force ends.
    pub(crate) fn expiry(&self) -> Option<Timestamp> {
        Some(self.pair().validity?.ends)
    }

    /// Returns the warnings for an operator about the certificate in force and its files, in sentences.
    pub(crate) fn warnings(&self, now: Timestamp) -> Vec<String> {
        let certificate = self.files.certificate.display();
        let mut warnings = Vec::new();
        if let Some(Validity { begins, ends }) = self.pair().validity {
            if ends <= now {
                warnings.push(format!(
                    "The certificate in {certificate} expired at {ends}: clients refuse it."
                ));
            } else if begins > now {
                warnings.push(format!(
                    "The certificate in {certificate} is not valid before {begins}: clients refuse it."
                ));
            }
        }
        if is_readable_by_others(&self.files.key) {
            warnings.push(format!(
                "The key file {} can be read by others than its owner: take the right from them (chmod 600).",
                self.files.key.display()
            ));
        }
        warnings
    }

    fn pair(&self) -> Arc<Pair> {
        Arc::clone(&self.pair.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.pair().key))
    }
}

/// Without the key.
impl Debug for Certificates {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Files {
    /// Returns the bytes of the certificates and of the key, and the digest of both.
    fn read(&self) -> Result<(Vec<u8>, Vec<u8>, Content)> {
        let read = |what: &str, path: &Path| {
            fs::read(path).map_err(|cause| {
                Fault::internal(
                    format!("The {what} file {} cannot be read.", path.display()),
                    cause,
                )
            })
        };
        let certificate = read("certificate", &self.certificate)?;
        let key = read("key", &self.key)?;
        let mut digest = Sha256::new();
        digest.update(Sha256::digest(&certificate));
        digest.update(Sha256::digest(&key));
        Ok((certificate, key, Content::Readable(digest.finalize().into())))
    }
}

impl Pair {
    fn read(files: &Files, provider: &CryptoProvider) -> Result<Self> {
        let (certificate, key, content) = files.read()?;
        let chain = chain(&certificate, &files.certificate)?;
        let key = private_key(&key, &files.key)?;
        let validity = chain.first().and_then(Validity::of);
        let key = CertifiedKey::from_der(chain, key, provider).map_err(|error| unusable(&error, files))?;
        Ok(Self {
            key: Arc::new(key),
            validity,
            content,
        })
    }
}

impl Validity {
    fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let certificate = Certificate::from_der(certificate).ok()?;
        let validity = certificate.tbs_certificate().validity();
        let time = |time: x509_cert::time::Time| {
            Timestamp::from_second(time.to_unix_duration().as_secs().try_into().ok()?).ok()
        };
        Some(Self {
            begins: time(validity.not_before)?,
            ends: time(validity.not_after)?,
        })
    }
}

fn chain(pem: &[u8], path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let refuse = |what: &str| {
        Err(Fault::invalid(format!(
            "The certificate file {} {what}: it must hold the server's certificate in PEM, and after it those that \
             lead to an authority.",
            path.display()
        )))
    };
    match chain {
        Ok(chain) if chain.is_empty() => refuse("holds no certificate"),
        Ok(chain) => Ok(chain),
        Err(_) => refuse("is damaged"),
    }
}

fn private_key(pem: &[u8], path: &Path) -> Result<PrivateKeyDer<'static>> {
    use rustls::pki_types::pem::Error;
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| {
        // The error itself may repeat a line of the key.
        let what = match error {
            Error::NoItemsFound => "holds no private key",
            _ => "is damaged",
        };
        Fault::invalid(format!(
            "The key file {} {what}: it must hold the private key of the certificate in PEM, without a password.",
            path.display()
        ))
    })
}

fn unusable(error: &Error, files: &Files) -> Fault {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    Fault::invalid(match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => format!(
            "The key in {key} is not the key of the first certificate in {certificate}: name the two files that \
             belong together."
        ),
        Error::InvalidCertificate(_) => {
            format!("The first certificate in {certificate} cannot be used: {error}.")
        }
        _ => format!("The key in {key} cannot be used: {error}."),
    })
}

#[cfg(unix)]
fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|about| about.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_readable_by_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, generate_simple_self_signed};
    use tempfile::TempDir;

    use super::*;

    struct Folder(TempDir);

    impl Folder {
        fn new() -> Self {
            let folder = Self(tempfile::tempdir().unwrap());
            let pair = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            folder.write("cert.pem", &pair.cert.pem());
            folder.write("key.pem", &pair.signing_key.serialize_pem());
            folder
        }

        fn files(&self) -> Files {
            Files {
                certificate: self.0.path().join("cert.pem"),
                key: self.0.path().join("key.pem"),
            }
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.0.path().join(name), text).unwrap();
        }

        fn open(&self) -> Result<Certificates> {
            Certificates::open(self.files())
        }
    }

    #[test]
    fn what_is_wrong_with_a_pair_is_named_with_its_file_and_without_its_content() {
        let key = KeyPair::generate().unwrap().serialize_pem();
        let cut: String = key.chars().take(60).collect();
        let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let sealed = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        for (name, text, why) in [
            ("key.pem", key.as_str(), "is not the key of the first certificate"),
            ("key.pem", cut.as_str(), "is damaged"),
            ("key.pem", no_key, "cannot be used"),
            ("key.pem", sealed, "holds no private key"),
            ("key.pem", "", "holds no private key"),
            ("cert.pem", "", "holds no certificate"),
            ("cert.pem", key.as_str(), "holds no certificate"),
            ("cert.pem", no_certificate, "cannot be used"),
        ] {
            let folder = Folder::new();
            folder.write(name, text);
            let said = folder.open().unwrap_err().with_causes();
            assert!(said.contains(why) && said.contains(name), "{text}: {said}");
            assert!(!said.contains(key.lines().nth(1).unwrap()), "{said}");
        }
        let folder = Folder::new();
        fs::remove_file(folder.0.path().join("key.pem")).unwrap();
        let said = folder.open().unwrap_err().with_causes();
        assert!(said.contains("key.pem cannot be read"), "{said}");
    }

    #[test]
    fn one_file_may_hold_certificate_and_key() {
        let folder = Folder::new();
        let Files { certificate, key } = folder.files();
        let both = fs::read_to_string(certificate).unwrap() + &fs::read_to_string(key).unwrap();
        folder.write("cert.pem", &both);
        folder.write("key.pem", &both);
        folder.open().unwrap();
    }

    #[test]
    fn a_pair_that_does_not_fit_leaves_the_one_before_it_in_force() {
        let folder = Folder::new();
        let certificates = folder.open().unwrap();
        let before = certificates.pair().key.cert.clone();
        folder.write("key.pem", &KeyPair::generate().unwrap().serialize_pem());
        assert_ne!(certificates.content(), certificates.content_in_force());
        certificates.reload().unwrap_err();
        assert_eq!(certificates.pair().key.cert, before);

        let other = Folder::new();
        for name in ["cert.pem", "key.pem"] {
            fs::copy(other.0.path().join(name), folder.0.path().join(name)).unwrap();
        }
        certificates.reload().unwrap();
        assert_ne!(certificates.pair().key.cert, before);
        assert_eq!(certificates.content(), certificates.content_in_force());
    }

    #[test]
    fn an_operator_is_warned_of_a_certificate_out_of_its_time() {
        let folder = Folder::new();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        let key = KeyPair::generate().unwrap();
        folder.write("cert.pem", &params.self_signed(&key).unwrap().pem());
        folder.write("key.pem", &key.serialize_pem());
        let certificates = folder.open().unwrap();
        assert_eq!(
            certificates.expiry(),
            Some("2021-01-01T00:00:00Z".parse().unwrap())
        );
        for (now, said) in [
            ("2019-06-01T00:00:00Z", "not valid before 2020-01-01"),
            ("2021-06-01T00:00:00Z", "expired at 2021-01-01"),
        ] {
            let warnings = certificates.warnings(now.parse().unwrap());
            assert!(
                warnings.iter().any(|warning| warning.contains(said)),
                "{warnings:?}"
            );
        }
    }

    #[test]
    #[cfg(unix)]
    fn an_operator_is_warned_of_a_key_that_others_can_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let certificates = folder.open().unwrap();
        for (mode, warned) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true)] {
            fs::set_permissions(folder.files().key, fs::Permissions::from_mode(mode)).unwrap();
            let warnings = certificates.warnings(Timestamp::now());
            assert_eq!(!warnings.is_empty(), warned, "{mode:o}: {warnings:?}");
        }
    }
}
