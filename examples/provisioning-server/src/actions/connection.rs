//! How an organization stands with its identity provider.

use jiff::{SignedDuration, Timestamp};
use scim::store::database::Reader;
use serde::Serialize;

use super::act::look;
use crate::database::effective::Members;
use crate::database::{Product, accounts, connection, history, tolerance_use};
use crate::domain::actor::{Action, Actor};
use crate::domain::clock::earlier;
use crate::domain::connection::{ConnectionState, Facts};
use crate::domain::diagnosis::{Forecast, OldToken, Refused, refusals};
use crate::domain::fault::Result;
use crate::domain::history::{HistoryFilter, Needed};
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::Permission;
use crate::domain::rhythm::Rhythm;
use crate::domain::token::{Purpose, Token};

/// Looks at the connection.
pub(crate) static SHOW: Action = Action {
    name: "connection.show",
    permission: Permission::INTEGRATIONS_READ,
    fresh: false,
};

/// The time over which is counted.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How many tolerances are named, with what each was needed for.
const MOST_NEEDED: u32 = 100;

/// Of how many requests that failed it is said why.
const MOST_REFUSED: u32 = 200;

/// Up to how many people without a role are counted.
const MOST_UNASSIGNED: u32 = 10_000;

/// The contents of the connection card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Card {
    pub(crate) state: ConnectionState,
    /// The first request with a token.
    pub(crate) first_request: Option<Timestamp>,
    pub(crate) last_request: Option<Timestamp>,
    /// How often it synchronizes, and when that is expected next.
    pub(crate) rhythm: Rhythm,
    pub(crate) last_error: Option<Timestamp>,
    pub(crate) users: u64,
    pub(crate) groups: u64,
    /// Requests of the last 24 hours.
    pub(crate) requests: u64,
    /// Those of them that failed.
    pub(crate) errors: u64,
    /// Which tolerances acted in the last 24 hours, and which attributes were sent and not kept.
    pub(crate) tolerances: Vec<Needed>,
    /// Why the last requests of that time failed.
    pub(crate) refusals: Vec<Refused>,
    /// A revoked token that the provider still uses.
    pub(crate) old_token: Option<OldToken>,
    /// The share of failures, where the provider pauses for that.
    pub(crate) forecast: Option<Forecast>,
    /// Requests with a token that nobody knows, and rows of the history that had to be dropped, since the beginning.
    pub(crate) unattributed: u64,
    pub(crate) overflow: u64,
    /// People of the provider who have no role.
    pub(crate) unassigned: u64,
}

/// Returns what the state of an organization's connection follows from, with its requests counted up to `most`.
pub(super) fn facts(
    reader: &Reader<'_>,
    organization: &Organization,
    tokens: &[Token],
    now: Timestamp,
    most: u32,
) -> scim::Result<Facts> {
    let (id, since) = (organization.id, earlier(now, DAY));
    let (successes, last_success) = history::outcomes(reader, id, false, since, most)?;
    let (errors, last_error) = history::outcomes(reader, id, true, since, most)?;
    let seen = connection::find(reader, id)?;
    let is_good = |token: &Token| token.purpose == Purpose::Scim && token.is_live(now);
    Ok(Facts {
        idp: organization.settings.idp,
        is_enabled: organization.is_enabled(),
        has_token: tokens.iter().any(is_good),
        first: seen.map(|(first, _)| first),
        last: seen.map(|(_, last)| last),
        last_success,
        last_error,
        errors,
        successes,
    })
}

/// Returns how an organization stands with its identity provider.
pub(crate) async fn show(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    now: Timestamp,
) -> Result<Card> {
    look(product, actor, &SHOW, organization, |_| Ok(())).await?;
    let access = product.organization(organization).await?;
    let id = access.organization.id;
    let since = earlier(now, DAY);
    let (users, groups) = product.counts(&access.tenant).await?;
    product
        .read(move |reader| {
            let facts = facts(reader, &access.organization, &access.tokens, now, u32::MAX)?;
            let (successes, errors) = (facts.successes, facts.errors);
            let begun = connection::synchronisations(reader, id)?;
            let newest_failures = HistoryFilter {
                failed: Some(true),
                since: Some(since),
                ..HistoryFilter::default()
            };
            let failed = match errors {
                0 => Vec::new(),
                _ => history::page(reader, id, &newest_failures, None, MOST_REFUSED)?,
            };
            let members = Members::of(reader, &access.organization)?;
            let unassigned = accounts::Shown {
                unassigned: true,
                ..accounts::Shown::default()
            };
            let (unattributed, overflow) = history::not_listed(reader, id)?;
            let requests = successes.saturating_add(errors);
            Ok(Card {
                state: ConnectionState::of(&facts, now),
                first_request: facts.first,
                last_request: facts.last,
                rhythm: Rhythm::of(facts.idp, &begun, now),
                last_error: facts.last_error,
                users,
                groups,
                requests,
                errors,
                tolerances: tolerance_use::sum(reader, id, since, MOST_NEEDED)?,
                refusals: refusals(&failed),
                old_token: OldToken::of(&failed, &access.tokens, facts.last_success, now),
                unattributed,
                overflow,
                forecast: Forecast::of(facts.idp, requests, errors),
                unassigned: accounts::count(reader, &members, unassigned, MOST_UNASSIGNED)?,
            })
        })
        .await
}
