//! Who may use the SCIM endpoint of an organization.

use std::fmt;

use jiff::Timestamp;
use uuid::Uuid;

use super::organization::Organization;
use super::settings::Protocol;
use super::token::{Secret, Token};

/// The `Authorization` header of a request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// There is none.
    Absent,
    /// `Bearer …`, the scheme in any case.
    Bearer(String),
    /// A token alone, as some identity providers send it.
    Bare(String),
    /// Another scheme, or bytes that are no text.
    Foreign,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Bearer(_) => "Bearer(…)",
            Self::Bare(_) => "Bare(…)",
            Self::Foreign => "Foreign",
        })
    }
}

impl Credentials {
    /// Reads the header's value.
    pub(crate) fn read(header: Option<&[u8]>) -> Self {
        let Some(bytes) = header else { return Self::Absent };
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Self::Foreign;
        };
        let text = text.trim();
        match text.split_once([' ', '\t']) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Self::Bearer(token.trim().to_owned())
            }
            Some(_) => Self::Foreign,
            None if text.is_empty() || text.eq_ignore_ascii_case("bearer") => Self::Absent,
            None => Self::Bare(text.to_owned()),
        }
    }

    /// Whether they have the form of a token at all.
    pub(crate) fn may_be_good(&self) -> bool {
        match self {
            Self::Absent | Self::Foreign => false,
            Self::Bearer(text) | Self::Bare(text) => Secret::parse(text).is_some(),
        }
    }
}

/// Why a request was not admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no token in the request.
    NoToken,
    /// The token is sent in a way that is not taken.
    Scheme,
    /// What was sent does not have the form of a token, or its checksum is wrong.
    Malformed,
    /// No token of the organization is this one.
    Unknown,
    /// The token was taken back.
    Revoked {
        /// Which token.
        token: Uuid,
        /// Its last four characters.
        last_four: String,
    },
    /// The token's time is over.
    Expired {
        /// Which token.
        token: Uuid,
        /// Its last four characters.
        last_four: String,
        /// Since when.
        since: Timestamp,
    },
    /// The token is good, but the integration is switched off.
    Disabled {
        /// Which token.
        token: Uuid,
    },
}

impl Refusal {
    /// The HTTP status: 401 for whoever is not known, 403 for whoever is known and must wait.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Disabled { .. } => 403,
            _ => 401,
        }
    }

    /// The token that was recognised; `None` if the request cannot be attributed to one.
    pub(crate) fn token(&self) -> Option<Uuid> {
        match self {
            Self::NoToken | Self::Scheme | Self::Malformed | Self::Unknown => None,
            Self::Revoked { token, .. } | Self::Expired { token, .. } | Self::Disabled { token } => {
                Some(*token)
            }
        }
    }

    /// Whether it follows from the request alone, whatever the organization's tokens are.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Self::NoToken | Self::Malformed)
    }

    /// The sentence for the administrator of the identity provider.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Self::NoToken => {
                "The request has no API token: send it in the header \"Authorization: Bearer <token>\".".to_owned()
            }
            Self::Scheme => "The API token must be sent as \"Authorization: Bearer <token>\".".to_owned(),
            Self::Malformed => {
                "What was sent is not an API token of this server, or was mistyped: copy the whole token again.".to_owned()
            }
            Self::Unknown => {
                "The API token is not valid for this organization: check that it belongs to this URL.".to_owned()
            }
            Self::Revoked { last_four, .. } => {
                format!("The API token ending in {last_four} was revoked: use the organization's current token.")
            }
            Self::Expired { last_four, since, .. } => {
                format!("The API token ending in {last_four} expired at {since}: make a new token.")
            }
            Self::Disabled { .. } => {
                "SCIM integration disabled: an administrator of the organization can enable it.".to_owned()
            }
        }
    }
}

/// Decides whether a request is admitted, and by which token.
///
/// A bad token is refused before the enabled switch is looked at, so that only holders of a good token learn its
/// state. Every token is compared, whichever matches.
pub(crate) fn admit(
    organization: &Organization,
    tokens: &[Token],
    credentials: &Credentials,
    now: Timestamp,
) -> Result<Uuid, Refusal> {
    let text = match credentials {
        Credentials::Absent => return Err(Refusal::NoToken),
        Credentials::Foreign => return Err(Refusal::Scheme),
        Credentials::Bare(_) if organization.settings.policy == Protocol::Strict => {
            return Err(Refusal::Scheme);
        }
        Credentials::Bearer(text) | Credentials::Bare(text) => text,
    };
    let presented = Secret::parse(text).ok_or(Refusal::Malformed)?.fingerprint();
    let token = tokens.iter().fold(None, |found, token| {
        if token.fingerprint.matches(&presented) {
            Some(token)
        } else {
            found
        }
    });
    let token = token.ok_or(Refusal::Unknown)?;
    if token.revoked.is_some() {
        return Err(Refusal::Revoked {
            token: token.id,
            last_four: token.last_four.clone(),
        });
    }
    if let Some(since) = token.expires.filter(|_| token.is_expired(now)) {
        return Err(Refusal::Expired {
            token: token.id,
            last_four: token.last_four.clone(),
            since,
        });
    }
    if !organization.enabled {
        return Err(Refusal::Disabled { token: token.id });
    }
    Ok(token.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::organization::Name;
    use crate::domain::settings::Settings;

    fn organization() -> Organization {
        let name = Name::parse("acme").unwrap();
        Organization::new(
            Uuid::nil(),
            name,
            None,
            Settings::default(),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap()
    }

    fn token(seed: u8) -> (Token, String) {
        let secret = Secret::from_random([seed; 32]);
        let token = Token::new(Uuid::from_u128(seed.into()), &secret, Timestamp::UNIX_EPOCH, None);
        (token, secret.reveal().to_owned())
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_000).unwrap()
    }

    #[test]
    fn a_good_token_is_admitted_with_and_without_its_scheme() {
        // features.md row 27.
        let (good, text) = token(1);
        let tokens = [token(2).0, good.clone()];
        for header in [
            format!("Bearer {text}"),
            format!("bearer {text}"),
            format!("BEARER   {text} "),
            text,
        ] {
            let credentials = Credentials::read(Some(header.as_bytes()));
            assert_eq!(
                admit(&organization(), &tokens, &credentials, now()),
                Ok(good.id),
                "{header}"
            );
        }
    }

    #[test]
    fn strict_takes_a_token_only_with_its_scheme() {
        let (good, text) = token(1);
        let mut strict = organization();
        strict.settings.policy = Protocol::Strict;
        let tokens = [good.clone()];
        let bare = Credentials::Bare(text.clone());
        assert_eq!(admit(&strict, &tokens, &bare, now()), Err(Refusal::Scheme));
        assert_eq!(
            admit(&strict, &tokens, &Credentials::Bearer(text), now()),
            Ok(good.id)
        );
    }

    #[test]
    fn whoever_is_not_known_gets_401() {
        let tokens = [token(1).0];
        let foreign = token(2).1;
        let cases: [(Option<&[u8]>, Refusal); 7] = [
            (None, Refusal::NoToken),
            (Some(b""), Refusal::NoToken),
            (Some(b"Bearer "), Refusal::NoToken),
            (Some(b"Basic eDp5"), Refusal::Scheme),
            (Some(b"\xff\xfe"), Refusal::Scheme),
            (Some(b"Bearer nonsense"), Refusal::Malformed),
            (Some(foreign.as_bytes()), Refusal::Unknown),
        ];
        for (header, expected) in cases {
            let refusal = admit(&organization(), &tokens, &Credentials::read(header), now()).unwrap_err();
            assert_eq!(refusal.status(), 401);
            assert_eq!(refusal.token(), None);
            assert_eq!(refusal, expected, "{header:?}");
        }
    }

    #[test]
    fn a_token_of_another_organization_is_unknown() {
        // features.md row 15: an organization's tokens are the only ones that are looked at.
        let (_, text) = token(1);
        let refusal = admit(&organization(), &[], &Credentials::Bearer(text), now());
        assert_eq!(refusal, Err(Refusal::Unknown));
    }

    #[test]
    fn a_revoked_or_expired_token_is_told_so() {
        // features.md rows 8 and 73.
        let (mut good, text) = token(1);
        let credentials = Credentials::Bearer(text.clone());
        good.expires = Some(now());
        let expired = admit(&organization(), std::slice::from_ref(&good), &credentials, now()).unwrap_err();
        assert_eq!(expired.status(), 401);
        assert!(
            expired.sentence().contains("expired at 1970-01-01T00:16:40Z"),
            "{}",
            expired.sentence()
        );
        good.revoked = Some(now());
        let revoked = admit(&organization(), &[good], &credentials, now()).unwrap_err();
        assert_eq!(revoked.status(), 401);
        assert!(
            revoked
                .sentence()
                .contains(&format!("ending in {} was revoked", &text[52..]))
        );
    }

    #[test]
    fn only_a_good_token_learns_that_the_integration_is_disabled() {
        // features.md row 10.
        let (good, text) = token(1);
        let mut off = organization();
        off.enabled = false;
        let tokens = [good.clone()];
        let refusal = admit(&off, &tokens, &Credentials::Bearer(text), now()).unwrap_err();
        assert_eq!(refusal.status(), 403);
        assert!(refusal.sentence().contains("integration disabled"));
        assert_eq!(refusal.token(), Some(good.id));
        let bad = admit(&off, &tokens, &Credentials::Bearer("x".to_owned()), now()).unwrap_err();
        assert_eq!(bad.status(), 401);
    }
}
