//! Which servers the commands that are clients believe to be who they say.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use scim::client::Trust;

use crate::domain::fault::{Fault, Result};

/// Trusts those at a URL: with a certificate of an authority in the file `ca` alone, else of one that the system trusts.
pub(super) fn at(url: &str, ca: Option<&Path>) -> Result<Trust> {
    let is_https = url.starts_with("https://");
    match ca {
        Some(_) if !is_https => Err(Fault::invalid(format!(
            "--ca names an authority, but {url} is reached without TLS: write https://."
        ))),
        Some(path) => {
            let name = path.display();
            let pem = std::fs::read(path)
                .map_err(|cause| Fault::internal(format!("The file {name} (--ca) cannot be read."), cause))?;
            Trust::authorities(&pem).map_err(|why| {
                Fault::invalid(format!(
                    "The file {name} (--ca) must hold the certificate of an authority in PEM: {why}."
                ))
            })
        }
        None if is_https => Trust::system().map_err(|cause| {
            Fault::internal(
                "Nobody's certificate can be checked: name the certificate of an authority with --ca.",
                cause,
            )
        }),
        None => Trust::nobody().map_err(cannot_set_up),
    }
}

/// Trusts whoever answers. For a server on this machine that is sent nothing secret: its certificate is for the name by which
/// others reach it.
pub(super) fn whoever_answers() -> Result<Trust> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(cannot_set_up)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
        .with_no_client_auth();
    Ok(config.into())
}

/// Says what to do about a certificate that was not believed, with a space before it; nothing if that was not the trouble.
pub(super) fn advice(why: &str) -> &'static str {
    if why.contains("UnknownIssuer") || why.contains("BadSignature") {
        " Its certificate is of an authority that is not known here: name the authority's with --ca."
    } else if why.contains("CaUsedAsEndEntity") {
        " Its certificate is that of an authority, not of a server: make one with basicConstraints=CA:FALSE."
    } else {
        ""
    }
}

fn cannot_set_up(cause: impl std::error::Error + Send + Sync + 'static) -> Fault {
    Fault::internal("TLS cannot be set up.", cause)
}

/// Takes every certificate whose key the server has.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
