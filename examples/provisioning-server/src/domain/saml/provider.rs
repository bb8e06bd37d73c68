//! The identity provider of an organization, as single sign-on knows it.

use jiff::{SignedDuration, Timestamp};

use super::assertion::{Expectation, Signed};
use super::certificate::Certificate;
use super::metadata::Metadata;
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::settings::{Settings, Switch};

/// For how long a certificate stays good after the metadata have ceased to name it: so that it makes no difference whether
/// the provider changes its key before or after its metadata.
const OVERLAP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How old metadata from a URL get before they are read again.
const AGE: SignedDuration = SignedDuration::from_hours(24);

/// The longest name of an attribute, in characters.
const ATTRIBUTE_MAX: usize = 256;

/// An identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Provider {
    pub(crate) entity_id: String,
    /// The URL at which a sign-in begins.
    pub(crate) sso_url: String,
    /// The URL from which its metadata are read again; `None` if they came as a file.
    pub(crate) metadata_url: Option<String>,
    /// When they were last read from there.
    pub(crate) read: Option<Timestamp>,
    pub(crate) certificates: Vec<Trusted>,
    pub(crate) signed: Signed,
    /// The name of the attribute with the identifier that never changes hands; `None` if there is none.
    pub(crate) stable_id_attribute: Option<String>,
    /// When a trial sign-in has last succeeded.
    pub(crate) tried: Option<Timestamp>,
}

/// A certificate that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trusted {
    pub(crate) certificate: Certificate,
    /// The end of its overlap, once the metadata do not name it any more.
    pub(crate) until: Option<Timestamp>,
}

/// The fate of certificates that new metadata do not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Former {
    /// They stay good for a week.
    Overlap,
    /// They end at once, as where a key was stolen.
    End,
}

/// How single sign-on stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// There is no provider.
    NotConfigured,
    /// No trial sign-in has succeeded yet.
    Untried,
    /// It can be used.
    Tried,
}

impl Standing {
    /// Returns how an organization with this provider stands.
    pub(crate) fn of(provider: Option<&Provider>) -> Self {
        match provider {
            None => Self::NotConfigured,
            Some(provider) if provider.tried.is_none() => Self::Untried,
            Some(_) => Self::Tried,
        }
    }

    /// Returns whether people can sign in so: it is allowed, and was tried.
    pub(crate) fn is_in_force(self, settings: &Settings) -> bool {
        self == Self::Tried && settings.sso == Switch::On
    }
}

impl Trusted {
    /// Returns whether it still counts.
    pub(crate) fn is_good(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Provider {
    /// Returns the provider that metadata describe.
    pub(crate) fn new(metadata: Metadata, url: Option<String>, now: Timestamp) -> Self {
        Self {
            entity_id: metadata.entity_id,
            sso_url: metadata.sso_url,
            read: url.is_some().then_some(now),
            metadata_url: url,
            certificates: listed(metadata.certificates).collect(),
            signed: Signed::Assertion,
            stable_id_attribute: None,
            tried: None,
        }
    }

    /// Returns the provider after an administrator has given other metadata. Those of another provider begin anew, with
    /// what was set here.
    #[must_use]
    pub(crate) fn replaced(
        &self,
        metadata: Metadata,
        url: Option<String>,
        former: Former,
        now: Timestamp,
    ) -> Self {
        let is_same = metadata.entity_id == self.entity_id;
        let certificates = match is_same {
            true => self.rolled_over(metadata.certificates.clone(), former, now),
            false => listed(metadata.certificates.clone()).collect(),
        };
        Self {
            certificates,
            signed: self.signed,
            stable_id_attribute: self.stable_id_attribute.clone(),
            tried: self.tried.filter(|_| is_same),
            ..Self::new(metadata, url, now)
        }
    }

    /// Returns the provider after its metadata were read again from their URL.
    ///
    /// # Errors
    /// They are those of another provider.
    pub(crate) fn refreshed(&self, metadata: Metadata, former: Former, now: Timestamp) -> Result<Self> {
        if metadata.entity_id != self.entity_id {
            return Err(Fault::conflict(format!(
                "The metadata describe another identity provider, {:?}, in place of {:?}",
                metadata.entity_id, self.entity_id
            ))
            .mended_by(Remedy {
                page: "if that is meant, give its metadata as a file, or delete the integration and give the URL once more.",
                command: "if that is meant, give the URL once more with \"saml set\".",
            }));
        }
        Ok(self.replaced(metadata, self.metadata_url.clone(), former, now))
    }

    /// Returns the certificates after metadata have named these.
    fn rolled_over(&self, named: Vec<Certificate>, former: Former, now: Timestamp) -> Vec<Trusted> {
        let end = now.checked_add(OVERLAP).unwrap_or(now);
        let stays = |trusted: &&Trusted| {
            former == Former::Overlap && trusted.is_good(now) && !named.contains(&trusted.certificate)
        };
        let stay = self.certificates.iter().filter(stays).map(|trusted| Trusted {
            certificate: trusted.certificate.clone(),
            until: Some(trusted.until.unwrap_or(end)),
        });
        let stay: Vec<_> = stay.collect();
        listed(named).chain(stay).collect()
    }

    /// Returns everything that an answer is compared with; `request` is `None` where nobody has asked for it.
    pub(crate) fn expectation(
        &self,
        entity_id: String,
        acs: String,
        request: Option<String>,
        now: Timestamp,
    ) -> Expectation {
        let good = self.certificates.iter().filter(|trusted| trusted.is_good(now));
        Expectation {
            entity_id,
            acs,
            issuer: self.entity_id.clone(),
            certificates: good.map(|trusted| trusted.certificate.base64()).collect(),
            signed: self.signed,
            request,
            stable_id_attribute: self.stable_id_attribute.clone(),
        }
    }

    /// Returns whether both accept the same answers.
    pub(crate) fn accepts_like(&self, other: &Self) -> bool {
        let decides = |provider: &Self| {
            let Self {
                entity_id,
                certificates,
                signed,
                stable_id_attribute,
                ..
            } = provider.clone();
            (entity_id, certificates, signed, stable_id_attribute)
        };
        decides(self) == decides(other)
    }

    /// Returns whether its metadata are to be read again.
    pub(crate) fn is_old(&self, now: Timestamp) -> bool {
        let read = self.metadata_url.as_ref().and(self.read);
        read.is_some_and(|read| now.duration_since(read) >= AGE)
    }
}

fn listed(certificates: Vec<Certificate>) -> impl Iterator<Item = Trusted> {
    certificates.into_iter().map(|certificate| Trusted {
        certificate,
        until: None,
    })
}

/// Reads the name of the attribute with the stable id; an empty one is none.
///
/// # Errors
/// The name is too long or has characters that cannot be seen.
pub(crate) fn stable_id_attribute(text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() <= ATTRIBUTE_MAX && !text.chars().any(char::is_control) {
        return Ok(Some(text.to_owned()).filter(|text| !text.is_empty()));
    }
    Err(Fault::invalid(format!(
        "The name of the attribute is not valid; expected {ATTRIBUTE_MAX} printable characters at most, such as \
         externalId, or none to compare no stable id."
    )))
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;
    use crate::domain::saml::samples::{ONE, TWO, certificate, metadata};

    fn at(day: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + (24 * day).hours()
    }

    fn provider(certificates: &[&str]) -> Provider {
        let url = Some("https://p.example/metadata".to_owned());
        Provider {
            tried: Some(at(0)),
            stable_id_attribute: Some("externalId".to_owned()),
            signed: Signed::Response,
            ..Provider::new(metadata("p", certificates), url, at(0))
        }
    }

    fn good(provider: &Provider, now: Timestamp) -> Vec<String> {
        let expectation = provider.expectation("us".to_owned(), "acs".to_owned(), None, now);
        expectation.certificates
    }

    fn base64(certificates: &[&str]) -> Vec<String> {
        let of = |text: &&str| certificate(text).base64();
        certificates.iter().map(of).collect()
    }

    /// Feature row 21: a new certificate is good at once, and the former one for a week more, so that there is no moment at
    /// which nobody can sign in.
    #[test]
    fn certificates_roll_over_with_an_overlap() {
        let before = provider(&[ONE]);
        let during = before
            .refreshed(metadata("p", &[TWO]), Former::Overlap, at(1))
            .unwrap();
        assert_eq!(good(&during, at(1)), base64(&[TWO, ONE]));
        assert_eq!(good(&during, at(8)), base64(&[TWO]));
        // Reading the same again does not lengthen it.
        let again = during
            .refreshed(metadata("p", &[TWO]), Former::Overlap, at(7))
            .unwrap();
        assert_eq!(good(&again, at(8)), base64(&[TWO]));
        let later = again
            .refreshed(metadata("p", &[TWO]), Former::Overlap, at(9))
            .unwrap();
        assert_eq!(later.certificates.len(), 1);
        // Both may be named, and one that comes back is as good as new.
        let both = during
            .refreshed(metadata("p", &[TWO, ONE]), Former::Overlap, at(2))
            .unwrap();
        assert_eq!(good(&both, at(99)), base64(&[TWO, ONE]));
        assert_eq!((during.tried, during.signed), (before.tried, Signed::Response));
    }

    /// Feature row 21: the certificate of a stolen key ends at once.
    #[test]
    fn a_certificate_can_end_at_once() {
        let after = provider(&[ONE])
            .refreshed(metadata("p", &[TWO]), Former::End, at(1))
            .unwrap();
        assert_eq!(good(&after, at(1)), base64(&[TWO]));
    }

    /// Feature rows 19b, 21: another provider is never put in place by itself, and needs a trial of its own.
    #[test]
    fn another_provider_begins_anew() {
        let before = provider(&[ONE]);
        let refused = before
            .refreshed(metadata("q", &[TWO]), Former::Overlap, at(1))
            .unwrap_err();
        assert!(
            refused.to_string().contains("another identity provider, \"q\""),
            "{refused}"
        );
        let after = before.replaced(metadata("q", &[TWO]), None, Former::Overlap, at(1));
        assert_eq!(good(&after, at(1)), base64(&[TWO]));
        assert_eq!((after.tried, after.read, after.metadata_url), (None, None, None));
        assert_eq!(after.stable_id_attribute, before.stable_id_attribute);
    }

    /// Feature row 21: metadata at a URL are read every day, and those of a file never by themselves.
    #[test]
    fn metadata_at_a_url_get_a_day_old() {
        let provider = provider(&[ONE]);
        assert!(!provider.is_old(at(0) + 23.hours()) && provider.is_old(at(1)));
        let of_file = provider.replaced(metadata("p", &[ONE]), None, Former::Overlap, at(0));
        assert!(!of_file.is_old(at(99)));
    }

    /// Feature rows 19, 23: single sign-on is in force once it is allowed and was tried.
    #[test]
    fn single_sign_on_is_in_force_once_it_was_tried() {
        let tried = provider(&[ONE]);
        let untried = Provider {
            tried: None,
            ..tried.clone()
        };
        for (provider, standing) in [
            (None, Standing::NotConfigured),
            (Some(&untried), Standing::Untried),
            (Some(&tried), Standing::Tried),
        ] {
            assert_eq!(Standing::of(provider), standing);
            for sso in [Switch::On, Switch::Off] {
                let settings = Settings {
                    sso,
                    ..Settings::default()
                };
                let expected = standing == Standing::Tried && sso == Switch::On;
                assert_eq!(standing.is_in_force(&settings), expected);
            }
        }
    }

    /// Feature row 23b: the attribute has any name that can be read, or none.
    #[test]
    fn the_attribute_of_the_stable_id_has_a_name() {
        assert_eq!(
            stable_id_attribute(" externalId ").unwrap().as_deref(),
            Some("externalId")
        );
        assert_eq!(stable_id_attribute("").unwrap(), None);
        assert!(stable_id_attribute("a\nb").is_err());
        assert!(stable_id_attribute(&"x".repeat(257)).is_err());
    }
}
