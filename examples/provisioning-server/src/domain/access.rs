//! The rules about who may use the SCIM endpoint of an organization.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use scim::{BearerError, Error};
use scim_axum::Credentials;
use uuid::Uuid;

use super::organization::Organization;
use super::secret::{Secret, SecretKind};
use super::settings::Protocol;
use super::token::{Purpose, Token};

/// Returns whether the credentials have the form of a token of ours at all.
pub(crate) fn may_be_good(credentials: &Credentials) -> bool {
    credentials
        .token_or_bare()
        .is_ok_and(|text| Secret::parse(SecretKind::Token, text).is_some())
}

/// Why a request was not admitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The request has no token, more than one, or one that is sent in a way that is not taken.
    Credentials(Credentials),
    /// The text that was sent does not have the form of a token, or its checksum is wrong.
    Malformed,
    /// No token of the organization is this one.
    Unknown,
    /// The token is for something else than SCIM.
    OtherPurpose {
        /// Which token.
        token: Uuid,
        /// Its last four characters.
        last_four: String,
    },
    /// The token was taken back.
    Revoked {
        /// Which token.
        token: Uuid,
        /// Its last four characters.
        last_four: String,
    },
    /// The integration that the token was made for was deleted.
    Gone {
        /// Which token.
        token: Uuid,
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
    /// The token is good, but the organization has made too many requests.
    TooMany {
        /// Which token.
        token: Uuid,
        /// Requests a second that are let in.
        limit: u32,
        /// How long to wait.
        wait: Duration,
    },
}

impl Refusal {
    /// Returns the error that the client is answered with: 401 for whoever is not known, 403 for whoever is known and
    /// must wait, with a sentence for the administrator of the identity provider.
    pub(crate) fn error(&self) -> Error {
        let invalid = |detail: String| Error::bearer(BearerError::InvalidToken, detail);
        match self {
            Self::Credentials(credentials) => credentials.refusal(),
            Self::Malformed => invalid(
                "What was sent is not an API token of this server, or was mistyped: copy the whole token again."
                    .to_owned(),
            ),
            Self::Unknown => invalid(
                "The API token is not valid for this URL: check both, as they were shown for the organization.".to_owned(),
            ),
            Self::OtherPurpose { last_four, .. } => invalid(format!(
                "The API token ending in {last_four} is for the product behind and not for SCIM: use a token that was made \
                 for the identity provider."
            )),
            Self::Revoked { last_four, .. } => invalid(format!(
                "The API token ending in {last_four} was revoked: use the organization's current token."
            )),
            Self::Expired { last_four, since, .. } => invalid(format!(
                "The API token ending in {last_four} expired at {since}: make a new token."
            )),
            Self::Gone { .. } => Error::new(
                StatusCode::NOT_FOUND,
                "The SCIM integration was deleted: an administrator of the organization can set up another one.",
            ),
            // The token lacks nothing, so RFC 6750 has no code for this.
            Self::Disabled { .. } => Error::new(
                StatusCode::FORBIDDEN,
                "SCIM integration disabled: an administrator of the organization can enable it.",
            ),
            Self::TooMany { limit, wait, .. } => Error::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!(
                    "Too many requests: the limit is {limit} a second for one organization. Repeat the request after the \
                     time in Retry-After."
                ),
            )
            .with_retry_after(*wait),
        }
    }

    /// Returns the token that was recognised; `None` if the request cannot be attributed to one.
    pub(crate) fn token(&self) -> Option<Uuid> {
        match self {
            Self::Credentials(_) | Self::Malformed | Self::Unknown => None,
            Self::OtherPurpose { token, .. }
            | Self::Gone { token }
            | Self::Revoked { token, .. }
            | Self::Expired { token, .. }
            | Self::Disabled { token }
            | Self::TooMany { token, .. } => Some(*token),
        }
    }

    /// Returns whether it follows from the request alone, whatever the organization's tokens are.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            // Only a good token is refused for coming without its scheme.
            Self::Credentials(credentials) => !matches!(credentials, Credentials::Bare(_)),
            Self::Malformed => true,
            _ => false,
        }
    }
}

/// Returns why credentials are refused that no organization knows.
pub(crate) fn unknown(credentials: &Credentials) -> Refusal {
    presented(credentials).err().unwrap_or(Refusal::Unknown)
}

/// Returns the token of a request, if it has the form of one.
fn presented(credentials: &Credentials) -> Result<Secret, Refusal> {
    let text = credentials.token_or_bare();
    let text = text.map_err(|_| Refusal::Credentials(credentials.clone()))?;
    Secret::parse(SecretKind::Token, text).ok_or(Refusal::Malformed)
}

/// Decides whether a request is admitted, and by which token.
///
/// Whoever shows no token of the organization is refused as [`unknown`] says, whatever its settings are, so that nobody
/// else learns of them, or that there is such an organization. A bad token is refused before the enabled switch is
/// looked at. Every token is compared, whichever matches.
pub(crate) fn admit(
    organization: &Organization,
    tokens: &[Token],
    credentials: &Credentials,
    now: Timestamp,
) -> Result<Uuid, Refusal> {
    let presented = presented(credentials)?.fingerprint();
    let token = tokens.iter().fold(None, |found, token| {
        if token.fingerprint.matches(&presented) {
            Some(token)
        } else {
            found
        }
    });
    let token = token.ok_or(Refusal::Unknown)?;
    let takes_bare = match organization.settings.policy {
        Protocol::Strict | Protocol::InteropProfile => false,
        Protocol::Tolerant => true,
    };
    if !takes_bare && credentials.token().is_err() {
        return Err(Refusal::Credentials(credentials.clone()));
    }
    if token.purpose != Purpose::Scim {
        return Err(Refusal::OtherPurpose {
            token: token.id,
            last_four: token.last_four.clone(),
        });
    }
    if organization.source.is_none() {
        return Err(Refusal::Gone { token: token.id });
    }
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
    if !organization.is_enabled() {
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
        let secret = Secret::from_random(SecretKind::Token, [seed; 32]);
        let token = Token::new(
            Uuid::from_u128(seed.into()),
            &secret,
            Purpose::Scim,
            Timestamp::UNIX_EPOCH,
            None,
        );
        (token, secret.reveal().to_owned())
    }

    /// Returns the credentials of a request with these headers.
    fn sent(values: &[&[u8]]) -> Credentials {
        let mut headers = http::HeaderMap::new();
        for value in values {
            headers.append(
                http::header::AUTHORIZATION,
                http::HeaderValue::from_bytes(value).unwrap(),
            );
        }
        Credentials::read(&headers, &http::Uri::default())
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_000).unwrap()
    }

    #[test]
    fn a_good_token_is_admitted_with_and_without_its_scheme() {
        // Feature row 27.
        let (good, text) = token(1);
        let tokens = [token(2).0, good.clone()];
        for header in [
            format!("Bearer {text}"),
            format!("bearer {text}"),
            format!("BEARER   {text} "),
            text,
        ] {
            assert_eq!(
                admit(&organization(), &tokens, &sent(&[header.as_bytes()]), now()),
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
        assert_eq!(
            admit(&strict, &tokens, &bare, now()),
            Err(Refusal::Credentials(bare))
        );
        assert_eq!(
            admit(&strict, &tokens, &Credentials::Bearer(text), now()),
            Ok(good.id)
        );
    }

    /// F9: what is said to whoever shows no token of the organization follows from the request alone.
    #[test]
    fn whoever_is_not_known_learns_nothing_of_the_organization() {
        let tokens = [token(1).0];
        let foreign = token(2).1;
        let mut strict = organization();
        strict.settings.policy = Protocol::Strict;
        strict.switch(false);
        for header in [
            "",
            "Bearer",
            "Basic eDp5",
            "Bearer nonsense",
            "nonsense",
            &foreign,
            &format!("Bearer {foreign}"),
        ] {
            let credentials = sent(&[header.as_bytes()]);
            for organization in [&organization(), &strict] {
                let refusal = admit(organization, &tokens, &credentials, now()).unwrap_err();
                assert_eq!(refusal, unknown(&credentials), "{header}");
            }
        }
    }

    /// B-3-02 and B-3.1-01 (RFC 6750 sections 3 and 3.1): with a code for whoever has shown a token.
    #[test]
    fn whoever_is_not_known_gets_401() {
        let tokens = [token(1).0];
        let foreign = token(2).1;
        for header in [&b""[..], b"Bearer ", b"Basic eDp5", b"\xff\xfe"] {
            let credentials = sent(&[header]);
            let refusal = admit(&organization(), &tokens, &credentials, now()).unwrap_err();
            assert_eq!(refusal, Refusal::Credentials(credentials), "{header:?}");
            assert_eq!(refusal.token(), None);
            let error = refusal.error();
            assert_eq!((error.status().as_u16(), error.bearer_error()), (401, None));
        }
        let doubled = sent(&[b"Bearer Bearer nonsense"]);
        for (credentials, expected) in [
            (sent(&[b"Bearer nonsense"]), Refusal::Malformed),
            (sent(&[foreign.as_bytes()]), Refusal::Unknown),
            (doubled.clone(), Refusal::Credentials(doubled)),
        ] {
            let refusal = admit(&organization(), &tokens, &credentials, now()).unwrap_err();
            assert_eq!(refusal, expected);
            assert_eq!(refusal.token(), None);
            assert_eq!(refusal.error().status(), 401);
            assert_eq!(refusal.error().bearer_error(), Some(BearerError::InvalidToken));
        }
    }

    /// B-2-01 (RFC 6750 section 2).
    #[test]
    fn a_good_token_beside_another_is_refused() {
        let (good, text) = token(1);
        let value = format!("Bearer {text}");
        let credentials = sent(&[value.as_bytes(), b"Bearer x"]);
        let refusal = admit(&organization(), &[good], &credentials, now()).unwrap_err();
        assert!(refusal.is_final());
        let error = refusal.error();
        assert_eq!(error.status(), 400);
        assert_eq!(error.bearer_error(), Some(BearerError::InvalidRequest));
    }

    #[test]
    fn a_token_of_another_organization_is_unknown() {
        // Feature row 15: an organization's tokens are the only ones that are looked at.
        let (_, text) = token(1);
        let refusal = admit(&organization(), &[], &Credentials::Bearer(text), now());
        assert_eq!(refusal, Err(Refusal::Unknown));
    }

    /// Feature row 86: a token of the product behind reads who may do what, and writes nobody.
    #[test]
    fn a_token_for_something_else_is_refused() {
        let (mut other, text) = token(1);
        other.purpose = Purpose::Access;
        let id = other.id;
        let refusal = admit(&organization(), &[other], &Credentials::Bearer(text), now()).unwrap_err();
        assert_eq!(refusal.error().status(), 401);
        assert!(
            refusal.error().to_string().contains("not for SCIM"),
            "{}",
            refusal.error()
        );
        assert_eq!(refusal.token(), Some(id));
    }

    #[test]
    fn a_revoked_or_expired_token_is_told_so() {
        // Feature rows 8 and 73.
        let (mut good, text) = token(1);
        let credentials = Credentials::Bearer(text.clone());
        good.expires = Some(now());
        let expired = admit(&organization(), std::slice::from_ref(&good), &credentials, now()).unwrap_err();
        assert_eq!(expired.error().status(), 401);
        assert!(
            expired
                .error()
                .to_string()
                .contains("expired at 1970-01-01T00:16:40Z"),
            "{}",
            expired.error().to_string()
        );
        good.revoked = Some(now());
        let revoked = admit(&organization(), &[good], &credentials, now()).unwrap_err();
        assert_eq!(revoked.error().status(), 401);
        assert!(
            revoked
                .error()
                .to_string()
                .contains(&format!("ending in {} was revoked", &text[52..]))
        );
    }

    /// Feature row 63: where the integration was deleted there is nothing, which only a token of it learns.
    #[test]
    fn a_token_of_a_deleted_integration_finds_nothing() {
        let (mut revoked, text) = token(1);
        revoked.revoked = Some(now());
        let mut without = organization();
        without.source = None;
        let credentials = Credentials::Bearer(text);
        let refusal = admit(&without, &[revoked], &credentials, now()).unwrap_err();
        assert_eq!(refusal.error().status(), 404);
        let foreign = Credentials::Bearer(token(2).1);
        assert_eq!(admit(&without, &[], &foreign, now()), Err(Refusal::Unknown));
    }

    #[test]
    fn only_a_good_token_learns_that_the_integration_is_disabled() {
        // Feature row 10.
        let (good, text) = token(1);
        let mut off = organization();
        off.switch(false);
        let tokens = [good.clone()];
        let refusal = admit(&off, &tokens, &Credentials::Bearer(text), now()).unwrap_err();
        assert_eq!(refusal.error().status(), 403);
        assert!(refusal.error().to_string().contains("integration disabled"));
        assert_eq!(refusal.token(), Some(good.id));
        let bad = admit(&off, &tokens, &Credentials::Bearer("x".to_owned()), now()).unwrap_err();
        assert_eq!(bad.error().status(), 401);
    }
}
