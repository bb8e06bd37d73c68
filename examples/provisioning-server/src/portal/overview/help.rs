//! Help: what this server is and where it is reached, and what to look at when somebody is missing.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use crate::actions::{conflict, connection};
use crate::domain::connection::ConnectionState;
use crate::domain::counted::counted;
use crate::domain::settings::IdentityProvider;
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::integrations::card::{Connection, Reason};
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The path of the page.
const HELP: &str = "help";

/// Something that was looked at.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Tick {
    /// `ok`, `bad`, `warn` or `info`.
    pub(in crate::portal) tone: &'static str,
    pub(in crate::portal) title: &'static str,
    pub(in crate::portal) hint: String,
    /// The words of the link, and the page that it leads to.
    pub(in crate::portal) link: Option<(&'static str, &'static str)>,
}

/// The documentation of an identity provider.
#[derive(Debug, Clone, Copy)]
pub(in crate::portal) struct Guide {
    pub(in crate::portal) title: &'static str,
    pub(in crate::portal) url: &'static str,
}

const GUIDES: [Guide; 3] = [
    Guide {
        title: "Microsoft Entra ID",
        url: "https://learn.microsoft.com/entra/identity/app-provisioning/",
    },
    Guide {
        title: "Okta",
        url: "https://help.okta.com/",
    },
    Guide {
        title: "JumpCloud",
        url: "https://jumpcloud.com/support",
    },
];

#[derive(Debug, Template)]
#[template(path = "overview/help.html")]
pub(in crate::portal) struct Help {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    /// The host at which the instance is reached.
    pub(in crate::portal) instance: String,
    pub(in crate::portal) organization: String,
    pub(in crate::portal) id: String,
    /// The product's word for the SCIM URL.
    pub(in crate::portal) url_label: &'static str,
    pub(in crate::portal) scim_url: String,
    pub(in crate::portal) acs_url: String,
    pub(in crate::portal) sign_in_url: String,
    pub(in crate::portal) ticks: Vec<Tick>,
}

impl Help {
    /// Returns the documentation of the providers.
    pub(in crate::portal) fn guides(&self) -> [Guide; 3] {
        GUIDES
    }
}

/// Shows the help, with what is wrong now as far as somebody may see it.
pub(in crate::portal) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Help, HELP).await?;
    let (shell, now) = (administrator.shell.clone(), Timestamp::now());
    let (product, actor) = (&visit.product, &administrator.actor);
    let organization = visit.organization()?;
    let name = &organization.name;
    let mut ticks = Vec::new();
    if shell.may(&connection::SHOW.permission) {
        let card = connection::show(product, actor, name, now).await?;
        let shown = Connection::of(organization, &card, now);
        ticks.extend([
            url_and_token(card.state, &shown),
            attributes(&shown.reasons),
            running(card.state, &shown),
            access(card.unassigned),
        ]);
    }
    if shell.may(&conflict::LIST.permission) {
        ticks.push(names(shell.open_conflicts));
    }
    ticks.extend(at_provider(organization.settings.idp));
    let help = Help {
        instance: host(&visit.base.origin()).to_owned(),
        organization: name.to_string(),
        id: organization.id.to_string(),
        url_label: visit.frame.words().url,
        scim_url: visit.base.scim(name),
        acs_url: visit.base.saml_acs(name),
        sign_in_url: format!("{}{}", visit.base, visit.frame.path("sign-in")),
        frame: visit.frame.clone(),
        shell,
        ticks,
    };
    Ok(administrator.answer(StatusCode::OK, &help))
}

/// Returns the host of an origin, with its port if it has one of its own.
fn host(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

fn tick(
    tone: &'static str,
    title: &'static str,
    hint: impl Into<String>,
    link: Option<(&'static str, &'static str)>,
) -> Tick {
    Tick {
        tone,
        title,
        hint: hint.into(),
        link,
    }
}

/// The link to requests that failed.
const ERRORS: Option<(&str, &str)> = Some(("Show them", "integrations/scim/history?show=errors"));

fn url_and_token(state: ConnectionState, shown: &Connection) -> Tick {
    const TITLE: &str = "URL and token";
    let settings = Some(("Open settings", "integrations/scim"));
    let refused = shown.reasons.iter().find(|reason| reason.status == 401);
    match (state, refused, &shown.last) {
        (ConnectionState::NotConfigured, ..) => tick(
            "warn",
            TITLE,
            "There is no token in force, or the integration is switched off: every request is refused.",
            settings,
        ),
        (_, Some(reason), _) => tick("bad", TITLE, said(reason), ERRORS),
        (_, None, Some(last)) => tick("ok", TITLE, format!("The last request came {}.", last.text), None),
        (_, None, None) => tick(
            "info",
            TITLE,
            "No request has come with the token yet. The first synchronisation can take up to an hour.",
            settings,
        ),
    }
}

fn said(reason: &Reason) -> String {
    let times = counted(reason.count, "request", "requests");
    match reason.detail.is_empty() {
        true => format!("{}: {times} in the last 24 hours.", reason.kind),
        false => format!("{}: {times} in the last 24 hours. {}", reason.kind, reason.detail),
    }
}

fn attributes(reasons: &[Reason]) -> Tick {
    const TITLE: &str = "Attributes";
    match reasons.iter().find(|reason| reason.status == 400) {
        Some(reason) => tick("bad", TITLE, said(reason), ERRORS),
        None => tick(
            "ok",
            TITLE,
            "No request of the last 24 hours was refused because of a value.",
            None,
        ),
    }
}

fn running(state: ConnectionState, shown: &Connection) -> Tick {
    const TITLE: &str = "Provisioning is running";
    let times = counted(shown.requests, "request", "requests");
    match state {
        ConnectionState::Stale => tick(
            "warn",
            TITLE,
            "The provider has been silent for longer than usual: check there whether provisioning is on, or in quarantine.",
            None,
        ),
        ConnectionState::Errors => tick(
            "bad",
            TITLE,
            format!(
                "The provider came with {times} in the last 24 hours, and {} failed.",
                shown.errors
            ),
            ERRORS,
        ),
        ConnectionState::Connected => tick(
            "ok",
            TITLE,
            format!("The provider came with {times} in the last 24 hours."),
            None,
        ),
        ConnectionState::NotConfigured | ConnectionState::Waiting => {
            tick("info", TITLE, "It begins with the first request.", None)
        }
    }
}

fn access(unassigned: u64) -> Tick {
    const TITLE: &str = "Access";
    match unassigned {
        0 => tick("ok", TITLE, "Everybody who was provisioned has a role.", None),
        many => tick(
            "warn",
            TITLE,
            format!(
                "{} no role: they can sign in and see nothing. Map one of their groups.",
                counted(many, "person has", "people have")
            ),
            Some(("Show them", "users?show=unassigned")),
        ),
    }
}

fn names(open: u64) -> Tick {
    const TITLE: &str = "Accounts and names";
    match open {
        0 => tick("ok", TITLE, "Nothing here stands in the provider’s way.", None),
        open => tick(
            "warn",
            TITLE,
            format!(
                "The provider could not do something because of something here: {}.",
                counted(open, "conflict", "conflicts")
            ),
            Some(("Open conflicts", "conflicts")),
        ),
    }
}

fn at_provider(idp: IdentityProvider) -> [Tick; 2] {
    let (assigned, log) = match idp {
        IdentityProvider::Entra => (
            "Is the person, or one of their groups, assigned to the application? Members of nested groups are not sent.",
            "Provisioning logs, in the application at Entra ID. To try one person at once, use “Provision on demand”: it \
             works in quarantine, too.",
        ),
        IdentityProvider::Okta => (
            "Is the person, or one of their groups, assigned to the application? Groups are pushed by themselves, under Push \
             Groups.",
            "Dashboard, Tasks, and the application’s own log at Okta.",
        ),
        IdentityProvider::JumpCloud => (
            "Is the person in a user group that is bound to the application?",
            "Directory Insights at JumpCloud.",
        ),
        _ => (
            "Look at the provider: is the person, or one of their groups, assigned to the application?",
            "Look there for requests that failed. The number of each request is the one in the API history here.",
        ),
    };
    [
        tick("info", "Assignment", assigned, None),
        tick("info", "The provider’s own log", log, None),
    ]
}
