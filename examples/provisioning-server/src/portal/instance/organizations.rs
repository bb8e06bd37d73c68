//! The list of all organizations.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::actions::organization::{self, Clearing, Standing};
use crate::domain::connection::ConnectionState;
use crate::domain::counted::counted;
use crate::domain::organization::Name;
use crate::domain::settings::IdentityProvider;
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::integrations::card;
use crate::portal::moment;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The path of the page.
pub(super) const PAGE: &str = "organizations";

/// An organization in the list.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Row {
    pub(in crate::portal) name: String,
    pub(in crate::portal) display: String,
    pub(in crate::portal) provider: &'static str,
    pub(in crate::portal) connection: ConnectionState,
    /// Whether its identity provider is kept out.
    pub(in crate::portal) is_off: bool,
    pub(in crate::portal) people: u64,
    /// When the last request came: as a machine reads it, and as people do.
    pub(in crate::portal) last: Option<(String, String)>,
}

#[derive(Debug, Template)]
#[template(path = "instance/organizations.html")]
pub(in crate::portal) struct Organizations {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    /// The text that is looked for.
    pub(in crate::portal) asked: String,
    pub(in crate::portal) rows: Vec<Row>,
    /// How many there are in all, in words.
    pub(in crate::portal) total: String,
    /// The links to the first page and to the next one.
    pub(in crate::portal) first: Option<String>,
    pub(in crate::portal) next: Option<String>,
    /// Those that were deleted and are being cleared.
    pub(in crate::portal) ending: Vec<Clearing>,
}

impl Row {
    pub(super) fn of(found: &Standing) -> Self {
        let organization = &found.organization;
        Self {
            name: organization.name.to_string(),
            display: organization.display.clone(),
            provider: match organization.settings.idp {
                IdentityProvider::Other => "Not chosen",
                chosen => chosen.display(),
            },
            connection: found.connection,
            is_off: organization.source.is_some() && !organization.is_enabled(),
            people: found.people,
            last: found.last_request.map(|at| (at.to_string(), moment::minute(at))),
        }
    }

    /// Returns the tone and the words of its connection, which its overview says alike.
    pub(in crate::portal) fn badge(&self) -> (&'static str, &'static str) {
        card::state(self.connection, self.is_off)
    }

    /// Says what its connection is like.
    pub(in crate::portal) fn sentence(&self) -> &'static str {
        match self.connection {
            ConnectionState::NotConfigured if self.is_off => {
                "Every request of the identity provider is refused. People, groups and mappings are kept."
            }
            ConnectionState::NotConfigured => {
                "No identity provider can connect yet. Open the organization: its page Integrations leads through the set-up."
            }
            ConnectionState::Waiting => "Everything is ready here. The identity provider has not called yet.",
            ConnectionState::Connected => "The identity provider calls, and is answered.",
            ConnectionState::Stale => {
                "The identity provider has been silent for longer than usual. Its administrators can check whether \
                 provisioning is still on."
            }
            ConnectionState::Errors => {
                "Requests of the identity provider fail. The overview of the organization says why."
            }
        }
    }
}

/// Shows a page of the list.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Organizations, PAGE).await?;
    let asked = visit.query.text("q").trim().to_owned();
    let behind = Name::parse(visit.query.text("behind")).ok();
    let found = organization::page(&visit.product, &administrator.actor, &asked, behind.as_ref()).await?;
    let last = found.organizations.last().filter(|_| found.has_more);
    let link = |behind: &str| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &asked);
        if !behind.is_empty() {
            query.append_pair("behind", behind);
        }
        format!("{}?{}", visit.frame.path(PAGE), query.finish())
    };
    let shown = Organizations {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        rows: found.organizations.iter().map(Row::of).collect(),
        total: counted(found.count, "organization", "organizations"),
        first: behind.map(|_| link("")),
        next: last.map(|last| link(last.organization.name.as_str())),
        ending: found.ending,
        asked,
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}
