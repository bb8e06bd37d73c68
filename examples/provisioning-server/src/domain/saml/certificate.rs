//! Certificates of identity providers. Each is pinned: it counts because an administrator has entered it or the metadata
//! name it, not because an authority has signed it.

use std::fmt::{self, Display, Formatter};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use x509_cert::Certificate as X509;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::{Decode, Encode};

/// The key of a certificate that is of use: signatures are RSA (RFC 3279 section 2.3.1).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The shortest key, as the length of its encoded public part: RSA with 2,048 bits has 270 bytes.
const KEY_MIN: usize = 270;

/// A certificate with an RSA key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Certificate {
    der: Vec<u8>,
    /// When it expires, as it says itself. A provider that goes on using it is still the same provider.
    pub(crate) expires: Timestamp,
}

/// Why a certificate is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Useless {
    /// It cannot be read.
    Unreadable,
    /// Its key is not RSA with 2,048 bits or more.
    Key,
}

impl Certificate {
    /// Reads a certificate as metadata have it: base64 of DER, with white space wherever it stands.
    pub(crate) fn of_base64(text: &str) -> Result<Self, Useless> {
        let text: String = text.split_ascii_whitespace().collect();
        let der = STANDARD.decode(text).map_err(|_| Useless::Unreadable)?;
        Self::of_der(der)
    }

    /// Reads a certificate.
    pub(crate) fn of_der(der: Vec<u8>) -> Result<Self, Useless> {
        let read = X509::from_der(&der).map_err(|_| Useless::Unreadable)?;
        let content = read.tbs_certificate();
        let ends = content.validity().not_after.to_unix_duration().as_secs();
        let expires = i64::try_from(ends)
            .ok()
            .and_then(|second| Timestamp::from_second(second).ok())
            .ok_or(Useless::Unreadable)?;
        let key = content.subject_public_key_info();
        let length = key.subject_public_key.to_der().map_or(0, |key| key.len());
        match key.algorithm.oid == RSA && length >= KEY_MIN {
            true => Ok(Self { der, expires }),
            false => Err(Useless::Key),
        }
    }

    /// Returns its encoding.
    pub(crate) fn der(&self) -> &[u8] {
        &self.der
    }

    /// Returns it as metadata have it.
    pub(crate) fn base64(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// Returns the bytes by which it is known: the SHA-256 of its encoding.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(&self.der).into())
    }
}

/// The SHA-256 of a certificate, written as browsers and providers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fingerprint(pub(crate) [u8; 32]);

impl Display for Fingerprint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for byte in self.0 {
            write!(f, "{between}{byte:02X}")?;
            between = ":";
        }
        Ok(())
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
