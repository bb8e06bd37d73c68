//! The connection card: whether the identity provider comes, what fails, and what it sends that is not kept.

use jiff::Timestamp;
use scim::message::ServiceProviderConfig;

use crate::actions::connection::Card;
use crate::domain::connection::ConnectionState;
use crate::domain::counted::counted;
use crate::domain::diagnosis::{Forecast, Refused};
use crate::domain::guide;
use crate::domain::keyword::Keyword;
use crate::domain::organization::Organization;
use crate::domain::settings::{Attributes, Settings};
use crate::portal::moment::{self, Shown};
use crate::portal::rhythm;

/// How many of a kind are shown.
const MOST: usize = 8;

/// A card as a page shows it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Connection {
    pub(in crate::portal) tone: &'static str,
    pub(in crate::portal) label: &'static str,
    /// Whether something is expected to come.
    pub(in crate::portal) is_live: bool,
    pub(in crate::portal) provider: &'static str,
    pub(in crate::portal) first: Option<Shown>,
    pub(in crate::portal) last: Option<Shown>,
    pub(in crate::portal) rhythm: rhythm::Shown,
    /// How often the provider says that it comes.
    pub(in crate::portal) hint: &'static str,
    pub(in crate::portal) users: u64,
    pub(in crate::portal) groups: u64,
    pub(in crate::portal) requests: u64,
    pub(in crate::portal) errors: u64,
    /// Requests with tokens that nobody knows, and rows that had to be dropped.
    pub(in crate::portal) unattributed: u64,
    pub(in crate::portal) overflow: u64,
    /// The things that are wrong, or to be done, and where they are mended: a sentence and a page.
    pub(in crate::portal) notes: Vec<Note>,
    pub(in crate::portal) reasons: Vec<Reason>,
    /// Attributes that were sent and are not kept here, and how often.
    pub(in crate::portal) not_kept: Vec<(String, u64)>,
    /// Tolerances that were needed, for what, and how often.
    pub(in crate::portal) tolerances: Vec<(String, String, u64)>,
    /// The features that the endpoint offers; empty if they are not shown.
    pub(in crate::portal) offered: Vec<(&'static str, String)>,
}

/// A sentence about the connection.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Note {
    pub(in crate::portal) tone: &'static str,
    pub(in crate::portal) text: String,
    /// The words of the link and the page that it leads to.
    pub(in crate::portal) link: Option<(&'static str, String)>,
}

/// Why requests failed.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Reason {
    pub(in crate::portal) status: u16,
    pub(in crate::portal) count: u64,
    pub(in crate::portal) kind: &'static str,
    pub(in crate::portal) detail: String,
    pub(in crate::portal) last: Shown,
    /// The page of the last of them.
    pub(in crate::portal) page: String,
}

impl Connection {
    /// Returns the card of an organization as a page shows it.
    pub(in crate::portal) fn of(organization: &Organization, card: &Card, now: Timestamp) -> Self {
        let (tone, label) = state(
            card.state,
            organization.source.is_some() && !organization.is_enabled(),
        );
        let idp = organization.settings.idp;
        let (not_kept, tolerances): (Vec<_>, Vec<_>) = card
            .tolerances
            .iter()
            .partition(|needed| needed.tolerance == NOT_KEPT);
        Self {
            tone,
            label,
            is_live: matches!(card.state, ConnectionState::Waiting | ConnectionState::Connected),
            provider: guide::name(idp),
            first: card.first_request.map(|at| moment::ago(now, at)),
            last: card.last_request.map(|at| moment::ago(now, at)),
            rhythm: rhythm::Shown::of(&card.rhythm, now),
            hint: guide::rhythm(idp),
            users: card.users,
            groups: card.groups,
            requests: card.requests,
            errors: card.errors,
            unattributed: card.unattributed,
            overflow: card.overflow,
            notes: notes(organization, card, now),
            reasons: card
                .refusals
                .iter()
                .take(MOST)
                .map(|refused| Reason::of(refused, now))
                .collect(),
            not_kept: not_kept
                .into_iter()
                .take(MOST)
                .map(|needed| (needed.subject.clone(), needed.count))
                .collect(),
            tolerances: tolerances
                .into_iter()
                .take(MOST)
                .map(|needed| (needed.tolerance.clone(), needed.subject.clone(), needed.count))
                .collect(),
            offered: Vec::new(),
        }
    }

    /// Says what the endpoint of an organization offers.
    pub(in crate::portal) fn offers(&mut self, config: &ServiceProviderConfig, settings: &Settings) {
        let whether = |is: bool| if is { "yes" } else { "no" }.to_owned();
        let schemes = config
            .authentication_schemes
            .iter()
            .map(|scheme| scheme.name.as_str());
        self.offered = vec![
            ("Resources", "User, Group".to_owned()),
            ("PATCH", whether(config.patch)),
            (
                "Filters",
                config
                    .filter
                    .map_or_else(|| whether(false), |most| format!("yes, up to {most} on a page")),
            ),
            ("Sorting", whether(config.sort)),
            ("Versions (ETag)", whether(config.etag)),
            (
                "Bulk",
                config.bulk.as_ref().map_or_else(
                    || whether(false),
                    |bulk| format!("yes, {} operations", bulk.max_operations),
                ),
            ),
            ("Changing passwords", whether(config.change_password)),
            ("Authentication", schemes.collect::<Vec<_>>().join(", ")),
            (
                "Attributes kept",
                match settings.attributes {
                    Attributes::All => "all that the schema knows",
                    Attributes::Mapped => "user name, given name, family name, status",
                }
                .to_owned(),
            ),
            ("Protocol", settings.policy.word().to_owned()),
        ];
    }

    /// Returns the line below the title of the panel: the provider, and when it came last.
    pub(in crate::portal) fn line(&self) -> String {
        match &self.last {
            Some(last) => format!("{}, last request {}", self.provider, last.text),
            None => self.provider.to_owned(),
        }
    }
}

/// The name under which attributes that are not kept are counted.
const NOT_KEPT: &str = "not-kept";

/// Returns the tone and the words of a state; what is off was set up, and is kept out.
pub(in crate::portal) const fn state(state: ConnectionState, is_off: bool) -> (&'static str, &'static str) {
    match state {
        ConnectionState::NotConfigured if is_off => ("warn", "Off"),
        ConnectionState::NotConfigured => ("", "Not configured"),
        ConnectionState::Waiting => ("info", "Waiting for the first request"),
        ConnectionState::Connected => ("ok", "Connected"),
        ConnectionState::Stale => ("warn", "Quiet"),
        ConnectionState::Errors => ("bad", "Errors"),
    }
}

fn notes(organization: &Organization, card: &Card, now: Timestamp) -> Vec<Note> {
    let idp = organization.settings.idp;
    let provider = guide::called_first(idp);
    let mut notes = Vec::new();
    if let Some(old) = &card.old_token {
        let times = counted(old.requests, "request", "requests");
        notes.push(Note {
            tone: "warn",
            text: format!(
                "{provider} still uses an old token. In the last 24 hours {times} came with the revoked token ending {}, the \
                 last one {}. Enter the current token there.",
                old.last_four,
                moment::ago(now, old.last).text
            ),
            link: Some(("Show them", "integrations/scim/history?show=errors".to_owned())),
        });
    }
    notes.extend(card.forecast.and_then(|forecast| pause(provider, card, forecast)));
    let text = match card.state {
        ConnectionState::Waiting => Some(format!(
            "Enter both values at {}. Its first synchronisation can take up to an hour.",
            guide::called(idp)
        )),
        ConnectionState::Stale => Some(format!(
            "{provider} has been silent for longer than usual. Check there whether provisioning is still on."
        )),
        _ => None,
    };
    notes.extend(text.map(|text| Note {
        tone: "info",
        text,
        link: None,
    }));
    if card.unassigned > 0 {
        notes.push(Note {
            tone: "info",
            text: format!(
                "{} no role: they can sign in and see nothing.",
                counted(card.unassigned, "person has", "people have")
            ),
            link: Some(("Show them", "users?show=unassigned".to_owned())),
        });
    }
    notes
}

fn pause(provider: &str, card: &Card, forecast: Forecast) -> Option<Note> {
    if !forecast.is_near && !forecast.pauses {
        return None;
    }
    let most = card.refusals.first();
    let most = most.map_or_else(String::new, |most| {
        format!(" Most of them end with {}.", most.status)
    });
    Some(Note {
        tone: if forecast.pauses { "bad" } else { "warn" },
        text: format!(
            "{} of {} requests in 24 hours failed ({} %). {provider} pauses provisioning when more than {} % fail and these \
             are at least {}, or when more than {} fail.{most}",
            card.errors,
            card.requests,
            forecast.percent,
            Forecast::PERCENT,
            Forecast::LEAST,
            Forecast::MOST
        ),
        link: Some(("Show errors", "integrations/scim/history?show=errors".to_owned())),
    })
}

impl Reason {
    fn of(refused: &Refused, now: Timestamp) -> Self {
        Self {
            status: refused.status,
            count: refused.count,
            kind: kind(refused),
            detail: refused.detail.clone().unwrap_or_default(),
            last: moment::ago(now, refused.last),
            page: format!("integrations/scim/history/{}", refused.request),
        }
    }
}

/// Says what a refusal means, in a few words.
fn kind(refused: &Refused) -> &'static str {
    match (refused.status, refused.scim_type.as_deref()) {
        (401, _) => "Wrong token",
        (403, _) => "The integration is off",
        (404, _) => "Not found",
        (409, Some("uniqueness")) => "The name is taken",
        (409, _) => "Conflict",
        (400, Some("invalidValue")) => "A value does not fit",
        (400, Some("invalidFilter")) => "A filter that is not understood",
        (400, Some("invalidPath" | "noTarget")) => "A path that leads nowhere",
        (400, Some("invalidSyntax")) => "Not a SCIM message",
        (412, _) => "Changed meanwhile",
        (413, _) => "Too large",
        (429, _) => "Too many requests",
        (500.., _) => "The server failed",
        _ => "Refused",
    }
}
