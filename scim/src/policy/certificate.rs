//! Exactly one X.509 certificate in DER (RFC 7643 section 4.1.2).

use x509_cert::Certificate;
use x509_cert::der::{Decode, Header, Reader, SliceReader, Tag};

use crate::error::{Error, Result};

/// Checks that the bytes are one certificate, with nothing in front of it and nothing behind it.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    match Certificate::from_der_partial(bytes) {
        Ok((_, [])) => Ok(()),
        Ok((_, rest)) => Err(refusal(&followed(rest))),
        Err(_) => Err(refusal(&other(bytes))),
    }
}

fn refusal(found: &str) -> Error {
    Error::invalid_value(format!(
        "is not a valid certificate: {found}; expected the base64 of exactly one X.509 certificate in DER"
    ))
}

/// Says what stands behind a certificate.
fn followed(rest: &[u8]) -> String {
    match certificates(rest) {
        0 => format!("something else stands behind it ({})", counted(rest.len())),
        more => format!("there are {} certificates in one value", more + 1),
    }
}

fn counted(bytes: usize) -> String {
    format!("{bytes} {}", if bytes == 1 { "byte" } else { "bytes" })
}

/// Says what the bytes are that do not begin with a certificate.
fn other(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "it is empty".to_owned();
    }
    if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
        return "it is PEM text".to_owned();
    }
    let Some((content, promised)) = sequence(bytes) else {
        return "it is not a DER sequence".to_owned();
    };
    if content.len() < promised {
        return format!("its end is missing ({})", counted(promised - content.len()));
    }
    match certificates(content) {
        0 => "it is DER of something else".to_owned(),
        some => format!("it is a SEQUENCE OF certificates with {some} in it"),
    }
}

/// Counts the certificates with which the bytes begin.
fn certificates(mut bytes: &[u8]) -> usize {
    let mut number = 0;
    while let Ok((_, rest)) = Certificate::from_der_partial(bytes) {
        number += 1;
        bytes = rest;
    }
    number
}

/// Returns what is there of the content of a DER sequence, and how long its header says that it is.
fn sequence(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let header = Header::decode(&mut reader).ok()?;
    let start = usize::try_from(u32::from(reader.position())).ok()?;
    let promised = usize::try_from(u32::from(header.length())).ok()?;
    let content = bytes.get(start..)?;
    (header.tag() == Tag::Sequence).then_some((content.get(..promised).unwrap_or(content), promised))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::Binary;

    /// The certificate of the example in RFC 7643 section 8.2.
    const RFC_EXAMPLE: &str = "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVMxEzARBgNVBAgMCkNhbGlmb3JuaWExFDASBgNV\
        BAoMC2V4YW1wbGUuY29tMRQwEgYDVQQDDAtleGFtcGxlLmNvbTAeFw0xMTEwMjIwNjI0MzFaFw0xMjEwMDQwNjI0MzFaMH8xCzAJ\
        BgNVBAYTAlVTMRMwEQYDVQQIDApDYWxpZm9ybmlhMRQwEgYDVQQKDAtleGFtcGxlLmNvbTEhMB8GA1UEAwwYTXMuIEJhcmJhcmEg\
        SiBKZW5zZW4gSUlJMSIwIAYJKoZIhvcNAQkBFhNiamVuc2VuQGV4YW1wbGUuY29tMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIB\
        CgKCAQEA7Kr+Dcds/JQ5GwejJFcBIP682X3xpjis56AK02bc1FLgzdLI8auoR+cC9/Vrh5t66HkQIOdA4unHh0AaZ4xL5PhVbXIP\
        MB5vAPKpzz5iPSi8xO8SL7I7SDhcBVJhqVqr3HgllEG6UClDdHO7nkLuwXq8HcISKkbT5WFTVfFZzidPl8HZ7DhXkZIRtJwBweq4\
        bvm3hM1Os7UQH05ZS6cVDgweKNwdLLrT51ikSQG3DYrl+ft781UQRIqxgwqCfXEuDiinPh0kkvIi5jivVu1Z9QiwlYEdRbLJ4zJQ\
        BmDrSGTMYn4lRc2HgHO4DqB/bnMVorHB0CC6AV1QoFK4GPe1LwIDAQABo3sweTAJBgNVHRMEAjAAMCwGCWCGSAGG+EIBDQQfFh1P\
        cGVuU1NMIEdlbmVyYXRlZCBDZXJ0aWZpY2F0ZTAdBgNVHQ4EFgQU8pD0U0vsZIsaA16lL8En8bx0F/gwHwYDVR0jBBgwFoAUdGeK\
        itcaF7gnzsNwDx708kqaVt0wDQYJKoZIhvcNAQEFBQADgYEAA81SsFnOdYJtNg5Tcq+/ByEDrBgnusx0jloUhByPMEVkoMZ3J7j1\
        ZgI8rAbOkNngX8+pKfTiDz1RC4+dx8oU6Za+4NJXUjlL5CvV6BEYb1+QAEJwitTVvxB/A67g42/vzgAtoRUeDov1+GFiBZ+GNF/c\
        AYKcMtGcrs2i97ZkJMo=";

    fn example() -> Vec<u8> {
        Binary::parse(RFC_EXAMPLE).unwrap().into_bytes()
    }

    /// Makes a DER sequence of this content.
    fn sequence_of(content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[0x30, 0x82], &length[..], content].concat()
    }

    #[track_caller]
    fn refused(bytes: &[u8], found: &str) {
        let error = check(bytes).unwrap_err().at("value");
        assert_eq!(error.scim_type(), Some(crate::ScimType::InvalidValue));
        assert_eq!(
            error.to_string(),
            format!(
                "Attribute value is not a valid certificate: {found}; expected the base64 of exactly one X.509 certificate \
                 in DER."
            )
        );
    }

    /// S-4.1.2-09: RFC 7643 section 4.1.2.
    #[test]
    fn one_certificate_passes_and_anything_else_is_named() {
        let one = example();
        check(&one).unwrap();
        let two = [&one[..], &one].concat();
        refused(&two, "there are 2 certificates in one value");
        refused(
            &[&two[..], &one].concat(),
            "there are 3 certificates in one value",
        );
        refused(
            &[&one[..], b"\n"].concat(),
            "something else stands behind it (1 byte)",
        );
        refused(
            &[&one[..], &[0; 12]].concat(),
            "something else stands behind it (12 bytes)",
        );
        refused(
            &sequence_of(&one),
            "it is a SEQUENCE OF certificates with 1 in it",
        );
        refused(
            &sequence_of(&two),
            "it is a SEQUENCE OF certificates with 2 in it",
        );
        refused(&one[..one.len() - 7], "its end is missing (7 bytes)");
        refused(b"", "it is empty");
        refused(b"\n-----BEGIN CERTIFICATE-----\nMIID", "it is PEM text");
        refused(b"a certificate", "it is not a DER sequence");
        refused(RFC_EXAMPLE.as_bytes(), "it is not a DER sequence");
        refused(&[0x30, 3, 2, 1, 7], "it is DER of something else");
        refused(&[2, 1, 7], "it is not a DER sequence");
    }

    proptest! {
        /// No beginning of a certificate is one.
        #[test]
        fn a_certificate_that_was_cut_is_refused(length in 0_usize..839) {
            let one = example();
            prop_assume!(length < one.len());
            prop_assert!(check(&one[..length]).is_err());
        }

        #[test]
        fn any_bytes_are_judged_without_a_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..40),
            place in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            _ = check(&bytes);
            bytes.insert(0, 0x30);
            _ = check(&bytes);
            let mut one = example();
            *place.get_mut(&mut one) = byte;
            _ = check(&one);
        }
    }
}
