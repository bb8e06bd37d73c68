//! Requests for authentication (SAML 2.0 Core section 3.4.1), which begin sign-ins.
//!
//! Nothing is kept of a request: whoever asks for one could fill a table. Its id says when it was made, and is authenticated with
//! a secret that only the browser has which asked for it. So an answer belongs to a sign-in that began in the same browser
//! less than ten minutes ago, in the same organization, or it belongs to none, in whatever process it arrives.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::xml::escaped;
use crate::domain::secret::Secret;

/// How long an answer may take: somebody types a password, and confirms a second factor.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// Bytes that make an id unique, and bytes that authenticate it, as hexadecimal digits.
const UNIQUE: usize = 32;
const TIME: usize = 16;
const PROOF: usize = 64;

/// A request that is sent to an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) id: String,
    made: Timestamp,
}

impl Request {
    /// Creates a request of a browser; `unique` are random.
    pub(crate) fn new(browser: &Secret, organization: Uuid, unique: [u8; 16], now: Timestamp) -> Self {
        let stated = format!("{:032x}{:016x}", u128::from_be_bytes(unique), now.as_second());
        let proof = proof(browser, organization, &stated);
        Self {
            // An id begins with a letter or "_" (XML Schema, NCName).
            id: format!("_{stated}{proof}"),
            made: now,
        }
    }

    /// Returns whether a browser has made the request with this id, not too long ago.
    pub(crate) fn is_of(id: &str, browser: &Secret, organization: Uuid, now: Timestamp) -> bool {
        let parts = || {
            let digits = id
                .strip_prefix('_')
                .filter(|digits| digits.len() == UNIQUE + TIME + PROOF)?;
            let (stated, proved) = digits.split_at_checked(UNIQUE + TIME)?;
            let (_, time) = stated.split_at_checked(UNIQUE)?;
            let made = Timestamp::from_second(i64::from_str_radix(time, 16).ok()?).ok()?;
            Some((stated, proved, made))
        };
        let Some((stated, proved, made)) = parts() else {
            return false;
        };
        let expected = proof(browser, organization, stated);
        let is_authentic = bool::from(expected.as_bytes().ct_eq(proved.as_bytes()));
        let age = now.duration_since(made);
        is_authentic && age < LIFE && age > -LIFE
    }

    /// Returns the request as XML. The person is to be named by their e-mail address, and the answer posted.
    pub(crate) fn xml(&self, sso_url: &str, entity_id: &str, acs: &str) -> String {
        let [sso_url, entity_id, acs] = [sso_url, entity_id, acs].map(escaped);
        let (id, made) = (&self.id, self.made.strftime("%Y-%m-%dT%H:%M:%SZ"));
        format!(
            "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\" \
             xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"{id}\" Version=\"2.0\" IssueInstant=\"{made}\" \
             Destination=\"{sso_url}\" AssertionConsumerServiceURL=\"{acs}\" \
             ProtocolBinding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"><saml:Issuer>{entity_id}</saml:Issuer>\
             <samlp:NameIDPolicy Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress\" \
             AllowCreate=\"true\"/></samlp:AuthnRequest>"
        )
    }
}

/// Returns what only the browser can know of an id. Every part has a fixed length, so that none can be taken for another.
fn proof(browser: &Secret, organization: Uuid, stated: &str) -> String {
    let mut digest = Sha256::new();
    digest.update(browser.reveal());
    digest.update(organization.as_bytes());
    digest.update(stated);
    digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::saml::xml;
    use crate::domain::secret::SecretKind;

    const ORGANIZATION: Uuid = Uuid::from_u128(1);

    fn browser(byte: u8) -> Secret {
        Secret::from_random(SecretKind::Browser, [byte; 32])
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn request() -> Request {
        Request::new(&browser(1), ORGANIZATION, [7; 16], at(0))
    }

    /// Feature row 21: an answer belongs to the browser, the organization and the ten minutes of its request.
    #[test]
    fn a_request_is_known_by_its_browser_alone() {
        let id = request().id;
        assert!(
            id.starts_with('_') && id[1..].bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{id}"
        );
        assert!(Request::is_of(&id, &browser(1), ORGANIZATION, at(0)));
        assert!(Request::is_of(&id, &browser(1), ORGANIZATION, at(599)));
        assert!(!Request::is_of(&id, &browser(1), ORGANIZATION, at(600)));
        assert!(!Request::is_of(&id, &browser(2), ORGANIZATION, at(0)));
        assert!(!Request::is_of(&id, &browser(1), Uuid::from_u128(2), at(0)));
        assert_ne!(id, Request::new(&browser(1), ORGANIZATION, [8; 16], at(0)).id);
    }

    /// Feature row 21: the request is XML that says who asks, where the answer goes, and how people are named.
    #[test]
    fn a_request_says_what_is_asked_for() {
        let text = request().xml(
            "https://p.example/sso?a&b",
            "https://x.example/saml/1",
            "https://x.example/acs",
        );
        let root = xml::root(&text, xml::limits(10_000, 100)).unwrap();
        assert_eq!(root.local_name, "AuthnRequest");
        assert_eq!(root.attr("Destination"), Some("https://p.example/sso?a&b"));
        assert_eq!(
            root.attr("AssertionConsumerServiceURL"),
            Some("https://x.example/acs")
        );
        assert_eq!(root.attr("IssueInstant"), Some("2027-01-15T08:00:00Z"));
        let issuer = xml::children(&root, "Issuer").next().unwrap();
        assert_eq!(issuer.text, "https://x.example/saml/1");
    }

    proptest! {
        /// Feature row 21: whoever changes anything in an id has an id of nobody, and no text is read with a panic.
        #[test]
        fn a_changed_id_is_of_nobody(place in 0_usize..113, byte in any::<u8>(), text in "\\PC{0,130}") {
            let id = request().id;
            let mut changed = id.clone().into_bytes();
            changed[place] = byte;
            if let Ok(changed) = String::from_utf8(changed) {
                let is_same = changed == id;
                prop_assert_eq!(Request::is_of(&changed, &browser(1), ORGANIZATION, at(0) + 1.second()), is_same);
            }
            prop_assert!(!Request::is_of(&text, &browser(1), ORGANIZATION, at(0)));
        }
    }
}
