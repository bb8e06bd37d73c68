//! How far the set-up of an integration has come, as its guide shows it.

use jiff::Timestamp;

use super::act::look;
use super::{history as of_history, integration, token as of_token};
use crate::database::saml::provider;
use crate::database::{Product, connection, history, mappings, tokens};
use crate::domain::actor::Actor;
use crate::domain::fault::Result;
use crate::domain::history::{HistoryEntry, HistoryFilter};
use crate::domain::integration::{Integration, State};
use crate::domain::organization::{Name, Organization};
use crate::domain::rhythm::Rhythm;
use crate::domain::saml::provider::Standing;
use crate::domain::settings::Groups;
use crate::domain::token::{Purpose, Token};

/// Among how many of the newest requests those are looked for that brought something.
const NEWEST: u32 = 50;

/// The state of a set-up.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    pub(crate) organization: Organization,
    pub(crate) state: State,
    /// Whether the provider has a token that is accepted.
    pub(crate) has_token: bool,
    /// The newest of these tokens, for those who may see them.
    pub(crate) token: Option<Token>,
    pub(crate) first_request: Option<Timestamp>,
    pub(crate) last_request: Option<Timestamp>,
    /// How often the provider synchronizes, and when that is expected next.
    pub(crate) rhythm: Rhythm,
    /// The newest request, if it was refused: its status, and the reason.
    pub(crate) refused: Option<(u16, String)>,
    pub(crate) people: u64,
    pub(crate) groups: u64,
    /// Whether any group is mapped; `None` where groups are not mapped.
    pub(crate) is_mapped: Option<bool>,
    pub(crate) saml: Standing,
    /// The newest requests that brought or changed somebody, for those who may read the history.
    pub(crate) arrived: Vec<HistoryEntry>,
}

/// Returns how far the set-up of an organization's integration has come.
///
/// # Errors
/// The actor may not see it, or the database fails.
pub(crate) async fn show(product: &Product, actor: &Actor, organization: &Name) -> Result<Progress> {
    let found = look(product, actor, &integration::SHOW, organization, |view| {
        Ok(view.organization.clone())
    });
    let mut progress = progress(product, found.await?).await?;
    if actor.demand(&of_token::LIST).is_err() {
        progress.token = None;
    }
    if actor.demand(&of_history::LIST).is_err() {
        progress.arrived = Vec::new();
    }
    Ok(progress)
}

/// Looks at the set-up, for whoever may.
pub(super) async fn progress(product: &Product, organization: Organization) -> Result<Progress> {
    let (people, groups) = product.counts(&organization.id.to_string()).await?;
    product
        .look(move |reader| {
            let (id, now) = (organization.id, Timestamp::now());
            let all = tokens::all(reader, id)?;
            let newest = history::page(reader, id, &HistoryFilter::default(), None, NEWEST)?;
            let requests = connection::find(reader, id)?;
            let begun = connection::synchronisations(reader, id)?;
            let is_mapped = match organization.settings.groups {
                Groups::Map => Some(!mappings::behind(reader, id, None, 1)?.is_empty()),
                Groups::Mirror => None,
            };
            let mut live = all
                .iter()
                .filter(|token| token.purpose == Purpose::Scim && token.is_live(now));
            Ok(Progress {
                state: Integration::of(&organization, &all, now).state(),
                has_token: live.clone().next().is_some(),
                token: live.next_back().cloned(),
                first_request: requests.map(|(first, _)| first),
                last_request: requests.map(|(_, last)| last),
                rhythm: Rhythm::of(organization.settings.idp, &begun, now),
                refused: newest.first().and_then(refused),
                people,
                groups,
                is_mapped,
                saml: Standing::of(provider::find(reader, id)?.as_ref()),
                arrived: newest.into_iter().filter(brought).take(8).collect(),
                organization: organization.clone(),
            })
        })
        .await
}

/// Returns why a request was refused, if it was.
fn refused(entry: &HistoryEntry) -> Option<(u16, String)> {
    let reason = entry.error.clone().unwrap_or_else(|| entry.meaning.clone());
    (entry.status >= 400).then_some((entry.status, reason))
}

/// Returns whether a request brought or changed somebody.
fn brought(entry: &HistoryEntry) -> bool {
    entry.status < 400 && entry.method != "GET"
}
