//! The first page of an organization: what needs attention, how the identity provider comes, and what has happened. And the
//! help.

pub(in crate::portal) mod help;
pub(in crate::portal) mod needs;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;
use jiff::Timestamp;

use self::needs::Need;
use super::administrator::Administrator;
use super::chart::changes::Changes;
use super::detour::Detour;
use super::frame::Frame;
use super::integrations::card::Connection;
use super::logs::told;
use super::moment::{self, Shown};
use super::shell::{Section, Shell};
use super::visit::{Pages, Visit};
use crate::actions::{activity, alert, audit, connection, history};
use crate::domain::audit::AuditFilter;
use crate::domain::counted::counted;
use crate::domain::guide;
use crate::domain::history::{HistoryEntry, HistoryFilter};

/// How many of the last changes are shown, and among how many requests those are looked for that changed something.
const RECENT: usize = 8;
const LOOKED_AT: u32 = 40;

/// Returns the routes of the pages of an organization.
pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/alerts/seen", post(post_seen))
        .route("/help", get(help::get))
}

/// Something that has happened a moment ago.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Recent {
    pub(in crate::portal) tone: &'static str,
    pub(in crate::portal) sentence: String,
    pub(in crate::portal) by: String,
    pub(in crate::portal) at: Shown,
}

/// How far an organization has come that nobody was provisioned to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portal) enum Beginning {
    /// There is no token, or the integration is off.
    NotConfigured,
    /// The provider has not come yet.
    Waiting,
}

#[derive(Debug, Template)]
#[template(path = "overview/overview.html")]
pub(in crate::portal) struct Overview {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) today: String,
    pub(in crate::portal) beginning: Option<Beginning>,
    pub(in crate::portal) needs: Vec<Need>,
    pub(in crate::portal) connection: Option<Connection>,
    pub(in crate::portal) chart: Option<Changes>,
    pub(in crate::portal) recent: Vec<Recent>,
}

impl Overview {
    /// Returns how many things need attention, in words.
    pub(in crate::portal) fn count(&self) -> String {
        counted(u64::try_from(self.needs.len()).unwrap_or(0), "thing", "things")
    }

    /// Returns whether the provider is waited for.
    pub(in crate::portal) fn is_waiting(&self, beginning: &Beginning) -> bool {
        *beginning == Beginning::Waiting
    }
}

/// Shows the first page, with as much as somebody may see.
pub(super) async fn show(visit: &Visit, administrator: &Administrator) -> Result<Response, Detour> {
    let (shell, now) = (administrator.shell.clone(), Timestamp::now());
    let (product, actor) = (&visit.product, &administrator.actor);
    let organization = visit.organization()?;
    let card = match shell.may(&connection::SHOW.permission) {
        true => Some(connection::show(product, actor, &organization.name, now).await?),
        false => None,
    };
    let shown = card.as_ref().map(|card| Connection::of(organization, card, now));
    let beginning = card
        .as_ref()
        .filter(|card| card.first_request.is_none() && card.users == 0)
        .map(|_| match shown.as_ref().is_some_and(|shown| shown.is_live) {
            true => Beginning::Waiting,
            false => Beginning::NotConfigured,
        });
    let chart = match beginning.is_none() && shell.may(&activity::SHOW.permission) {
        true => Some(activity::show(product, actor, &organization.name, now).await?),
        false => None,
    };
    let overview = Overview {
        today: format!("{}, {} UTC", moment::weekday(now), moment::clock(now)),
        needs: needs::gather(visit, administrator, shown.as_ref(), now).await?,
        chart: chart.map(|quarters| Changes::of(&quarters)),
        recent: recent(visit, administrator, now).await?,
        frame: visit.frame.clone(),
        beginning,
        connection: shown,
        shell,
    };
    Ok(administrator.answer(StatusCode::OK, &overview))
}

/// Returns what administrators and the provider have changed last, as far as somebody may see it.
async fn recent(visit: &Visit, administrator: &Administrator, now: Timestamp) -> Result<Vec<Recent>, Detour> {
    let (product, actor, shell) = (&visit.product, &administrator.actor, &administrator.shell);
    let organization = visit.organization()?;
    let name = &organization.name;
    let mut all: Vec<(Timestamp, Recent)> = Vec::new();
    if shell.may(&audit::LIST.permission) {
        let most = u32::try_from(RECENT).unwrap_or(u32::MAX);
        let changes = audit::list(product, actor, name, AuditFilter::default(), None, most).await?;
        all.extend(changes.iter().map(|entry| {
            let row = &entry.row;
            let thing = told::thing(row).map(|thing| format!(": {thing}"));
            let recent = Recent {
                tone: "info",
                sentence: told::sentence(&row.action).to_owned() + &thing.unwrap_or_default(),
                by: told::actor(row),
                at: moment::ago(now, row.time),
            };
            (row.time, recent)
        }));
    }
    if shell.may(&history::LIST.permission) {
        let requests = history::list(product, actor, name, HistoryFilter::default(), None, LOOKED_AT).await?;
        let provider = guide::called_first(organization.settings.idp);
        let changing = requests
            .iter()
            .filter(|entry| changes_something(entry))
            .take(RECENT);
        all.extend(changing.map(|entry| (entry.time, of_request(entry, provider, now))));
    }
    all.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    Ok(all.into_iter().map(|(_, recent)| recent).take(RECENT).collect())
}

fn changes_something(entry: &HistoryEntry) -> bool {
    entry.method != "GET" && !entry.path.contains("/.search")
}

fn of_request(entry: &HistoryEntry, provider: &str, now: Timestamp) -> Recent {
    let mut letters = entry.meaning.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    Recent {
        tone: if entry.status < 400 { "idp" } else { "bad" },
        sentence: first.chain(letters).collect(),
        by: provider.to_owned(),
        at: moment::ago(now, entry.time),
    }
}

/// Notes that all alerts were seen.
async fn post_seen(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Overview, "").await?;
    let name = &visit.organization()?.name;
    alert::see_all(&visit.product, &administrator.actor, name).await?;
    Ok(visit.done("", "The alert was acknowledged."))
}
