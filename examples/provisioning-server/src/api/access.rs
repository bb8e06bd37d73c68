//! `GET /api/v1/access/{userName}`: what somebody may do, for the product behind.
//!
//! The organization is that of the token, so it is not in the URL. A change here is in force at the next request, and
//! changes of other processes a moment later. A token is good as soon as the command that made it returns.

use axum::extract::{Path, State};
use axum::response::Response;
use http::{HeaderMap, StatusCode, Uri};
use jiff::Timestamp;
use scim::store::database::Reader;
use scim_axum::Credentials;
use serde::Serialize;
use uuid::Uuid;

use super::Api;
use super::answer::{document, error, unauthorized, unavailable};
use crate::database::effective::Members;
use crate::database::{accounts, organizations, roles, tokens};
use crate::domain::account::{Account, AccountState};
use crate::domain::batch::Use;
use crate::domain::organization::Organization;
use crate::domain::secret::{Fingerprint, Secret, SecretKind};
use crate::domain::token::{Purpose, Token};

/// The answer. Its keys are a contract with the product behind.
#[derive(Debug, Serialize)]
struct Access {
    user_name: String,
    /// The account, which keeps its id whatever its name is.
    account: Uuid,
    state: &'static str,
    roles: Vec<HeldRole>,
    /// Sorted; a permission to write is followed by the one to read that it implies.
    permissions: Vec<String>,
}

#[derive(Debug, Serialize, PartialEq, Eq, PartialOrd, Ord)]
struct HeldRole {
    name: String,
    id: Uuid,
}

/// The result of looking up a token and a name.
enum Found {
    /// No token of any organization is this one.
    NoToken,
    /// It is, and not to be taken.
    Refused(String),
    /// The organization has nobody of this name.
    Nobody(Uuid, Uuid),
    Access(Uuid, Uuid, Box<Access>),
}

pub(super) async fn get(
    State(api): State<Api>,
    Path(user_name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let credentials = Credentials::read(&headers, &uri);
    let text = match credentials.token() {
        Ok(text) => text,
        Err(refusal) if refusal.status() == StatusCode::BAD_REQUEST => {
            return error(StatusCode::BAD_REQUEST, "invalid", &refusal.to_string());
        }
        Err(refusal) => return unauthorized(refusal.bearer_error().is_some(), &refusal.to_string()),
    };
    let Some(secret) = Secret::parse(SecretKind::Token, text) else {
        return unauthorized(
            true,
            "What was sent is not an API token of this server, or was mistyped: copy the whole token again.",
        );
    };
    let (fingerprint, now) = (secret.fingerprint(), Timestamp::now());
    let look = || {
        let user_name = user_name.clone();
        api.product
            .read(move |reader| find(reader, &fingerprint, &user_name, now))
    };
    let used = |organization| Use {
        organization,
        purpose: Purpose::Access,
        at: now,
    };
    let found = match look().await {
        // Another process may have made the token a moment ago.
        Ok(Found::NoToken) => {
            api.product.catch_up();
            look().await
        }
        found => found,
    };
    match found {
        Ok(Found::NoToken) => unauthorized(true, "No organization has this API token."),
        Ok(Found::Refused(sentence)) => unauthorized(true, &sentence),
        Ok(Found::Nobody(organization, token)) => {
            api.history.used(token, used(organization));
            let sentence = "The organization has nobody of this name.";
            error(StatusCode::NOT_FOUND, "not_found", sentence)
        }
        Ok(Found::Access(organization, token, access)) => {
            api.history.used(token, used(organization));
            document(&headers, &access)
        }
        Err(fault) => {
            tracing::error!("{}", fault.with_causes());
            unavailable()
        }
    }
}

fn find(
    reader: &Reader<'_>,
    fingerprint: &Fingerprint,
    user_name: &str,
    now: Timestamp,
) -> scim::Result<Found> {
    let Some((id, token)) = tokens::by_fingerprint(reader, fingerprint)? else {
        return Ok(Found::NoToken);
    };
    if let Some(sentence) = refusal(&token, now) {
        return Ok(Found::Refused(sentence));
    }
    let Some(organization) = organizations::by_id(reader, id)? else {
        return Ok(Found::NoToken);
    };
    Ok(match accounts::by_name(reader, id, user_name)? {
        None => Found::Nobody(id, token.id),
        Some(account) => Found::Access(id, token.id, Box::new(access(reader, &organization, account)?)),
    })
}

/// Returns why a token is not taken here.
fn refusal(token: &Token, now: Timestamp) -> Option<String> {
    let ending = &token.last_four;
    if token.purpose != Purpose::Access {
        return Some(format!(
            "The API token ending in {ending} is for an identity provider: reading who may do what needs one that was made \
             for that (\"token create ORG --for access\")."
        ));
    }
    if token.revoked.is_some() {
        return Some(format!(
            "The API token ending in {ending} was revoked: use the organization's current token."
        ));
    }
    let since = token.expires.filter(|_| token.is_expired(now))?;
    Some(format!(
        "The API token ending in {ending} expired at {since}: make a new token."
    ))
}

fn access(reader: &Reader<'_>, organization: &Organization, account: Account) -> scim::Result<Access> {
    let effective = Members::of(reader, organization)?.effective(reader, &account)?;
    let mut held = Vec::new();
    for id in effective.roles.keys() {
        let role = roles::by_id(reader, organization.id, *id)?;
        held.extend(role.map(|role| HeldRole {
            name: role.name,
            id: role.id.0,
        }));
    }
    held.sort();
    let permitted = effective.permitted().with_implied();
    let mut permissions: Vec<_> = permitted.iter().map(ToString::to_string).collect();
    permissions.sort_unstable();
    Ok(Access {
        state: state(&account),
        user_name: account.name,
        account: account.id,
        roles: held,
        permissions,
    })
}

fn state(account: &Account) -> &'static str {
    match (account.state, &account.suspended) {
        (AccountState::Active, None) => "active",
        (AccountState::Active, Some(_)) => "suspended",
        (AccountState::Disabled | AccountState::Removed, _) => "disabled",
    }
}
