//! How an organization stands with its identity provider.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::act::look;
use crate::database::{Product, connection, history, tolerance_use};
use crate::domain::actor::{Action, Actor};
use crate::domain::clock::earlier;
use crate::domain::connection::{ConnectionState, Facts};
use crate::domain::fault::Result;
use crate::domain::history::Needed;
use crate::domain::organization::Name;
use crate::domain::permission::Permission;

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

/// The contents of the connection card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Card {
    pub(crate) state: ConnectionState,
    /// The first request with a token.
    pub(crate) first_request: Option<Timestamp>,
    pub(crate) last_request: Option<Timestamp>,
    pub(crate) last_error: Option<Timestamp>,
    pub(crate) users: u64,
    pub(crate) groups: u64,
    /// Requests of the last 24 hours.
    pub(crate) requests: u64,
    /// Those of them that failed.
    pub(crate) errors: u64,
    /// Which tolerances acted in the last 24 hours, and which attributes were sent and not kept.
    pub(crate) tolerances: Vec<Needed>,
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
            let (successes, last_success) = history::outcomes(reader, id, false, since)?;
            let (errors, last_error) = history::outcomes(reader, id, true, since)?;
            let requests = connection::find(reader, id)?;
            let facts = Facts {
                idp: access.organization.settings.idp,
                is_enabled: access.organization.is_enabled(),
                has_token: access.tokens.iter().any(|token| token.is_live(now)),
                first: requests.map(|(first, _)| first),
                last: requests.map(|(_, last)| last),
                last_success,
                last_error,
                errors,
                successes,
            };
            Ok(Card {
                state: ConnectionState::of(&facts, now),
                first_request: facts.first,
                last_request: facts.last,
                last_error,
                users,
                groups,
                requests: successes.saturating_add(errors),
                errors,
                tolerances: tolerance_use::sum(reader, id, since, MOST_NEEDED)?,
            })
        })
        .await
}
