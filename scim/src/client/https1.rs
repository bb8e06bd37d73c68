//! The client over HTTP/1.1 and TLS.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::client::{Client, Result, http1};

/// Connections over TLS where the URL says `https`, over TCP alone where it says `http`, pooled per server.
pub type Https1 = Pool<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// Which servers a client believes to be who they say.
///
/// ```no_run
/// use scim::client::{Trust, over_https};
///
/// # fn connect() -> Result<(), Box<dyn std::error::Error>> {
/// let everybody = over_https("https://example.com/scim/v2", Trust::system()?)?;
/// let our_own = Trust::authorities(&std::fs::read("our-authority.pem")?)?;
/// let our_own = over_https("https://scim.internal/scim/v2", our_own)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Trust(ClientConfig);

impl Trust {
    /// Trusts servers with a certificate of an authority that the operating system trusts. On Unix, `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name others.
    ///
    /// # Errors
    /// If the system has no authority, or what it has cannot be read.
    pub fn system() -> io::Result<Self> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        // Systems carry old roots that no reader understands: the others count.
        roots.add_parsable_certificates(found.certs);
        if !roots.is_empty() {
            return Self::roots(roots);
        }
        Err(match found.errors.into_iter().next() {
            Some(error) => io::Error::other(error),
            None => io::Error::new(
                io::ErrorKind::NotFound,
                "the system trusts no authority: install its root certificates (Debian: ca-certificates)",
            ),
        })
    }

    /// Trusts servers with a certificate of one of these authorities alone, whose certificates are given in PEM.
    ///
    /// # Errors
    /// If `pem` holds no certificate, or one that cannot be an authority's.
    pub fn authorities(pem: &[u8]) -> io::Result<Self> {
        let wrong = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| wrong("this is no PEM".into()))?;
            roots
                .add(certificate)
                .map_err(|error| wrong(format!("a certificate cannot be read: {error}")))?;
        }
        if roots.is_empty() {
            return Err(wrong("there is no certificate in it".into()));
        }
        Self::roots(roots)
    }

    /// Trusts nobody: only servers without TLS can be reached.
    ///
    /// # Errors
    /// If TLS cannot be set up at all.
    pub fn nobody() -> io::Result<Self> {
        Self::roots(RootCertStore::empty())
    }

    fn roots(roots: RootCertStore) -> io::Result<Self> {
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        Ok(Self(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// For everything else that TLS can do, such as a certificate of the client's own.
impl From<ClientConfig> for Trust {
    fn from(config: ClientConfig) -> Self {
        Self(config)
    }
}

/// Makes a client over HTTP/1.1 and TLS 1.2 or 1.3, which waits with tokio's timer. A `base` with `http` is reached
/// without TLS.
///
/// # Errors
/// [`Error::Request`](crate::client::Error::Request) if `base` is no URL.
pub fn over_https(base: &str, trust: Trust) -> Result<Client<Https1>> {
    let mut tcp = http1::connector();
    tcp.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(trust.0)
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    let pool = Pool::builder(TokioExecutor::new()).build(connector);
    Ok(Client::new(pool, base)?.with_sleep(tokio::time::sleep))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certificates_are_authorities() {
        for (pem, why) in [
            ("", "no certificate"),
            ("hello", "no certificate"),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                "no certificate",
            ),
            (
                "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
                "no PEM",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "cannot be read",
            ),
        ] {
            let error = Trust::authorities(pem.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{pem}: {error}");
        }
    }
}
