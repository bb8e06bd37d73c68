//! The list of integrations.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use super::card::Connection;
use crate::actions::connection;
use crate::domain::permission::Permission;
use crate::domain::saml::provider::Standing;
use crate::domain::words::Words;
use crate::portal::administrator::Administrator;
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The path of the list.
pub(super) const PAGE: &str = "integrations";

/// The integrations that a search has found.
#[derive(Debug, Clone)]
pub(in crate::portal) struct List {
    pub(in crate::portal) words: &'static Words,
    /// The text that was searched for.
    pub(in crate::portal) q: String,
    pub(in crate::portal) scim: Option<Connection>,
    pub(in crate::portal) saml: Option<Saml>,
}

/// Single sign-on, as its card shows it.
#[derive(Debug, Clone, Copy)]
pub(in crate::portal) struct Saml {
    pub(in crate::portal) tone: &'static str,
    pub(in crate::portal) label: &'static str,
    pub(in crate::portal) sentence: &'static str,
}

#[derive(Debug, Template)]
#[template(path = "integrations/list.html")]
pub(in crate::portal) struct Integrations {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) list: List,
}

/// The words by which each is found, beside its name.
const SCIM: &str = "scim provisioning identity provider users groups token api";
const SAML: &str = "saml single sign-on sso login sign-in";

impl List {
    /// Returns the integrations that somebody may see, and that have what was searched for.
    pub(super) async fn load(
        visit: &Visit,
        administrator: &Administrator,
        q: &str,
        scim: Option<Connection>,
    ) -> Result<Self, Detour> {
        let saml = match administrator.shell.may(&Permission::LOGIN_READ) {
            true => Some(saml(visit, administrator).await?),
            false => None,
        };
        let words = visit.frame.words();
        Ok(Self {
            scim: scim.filter(|_| has(q, &[SCIM, words.card])),
            saml: saml.filter(|_| has(q, &[SAML])),
            q: q.to_owned(),
            words,
        })
    }

    /// Returns how many were found, in words.
    pub(in crate::portal) fn found(&self) -> &'static str {
        match (&self.scim, &self.saml) {
            (None, None) => "No integration found",
            (Some(_), Some(_)) => "2 integrations",
            _ => "1 integration",
        }
    }
}

/// Returns whether a text has what was searched for at the beginning of one of its words.
fn has(q: &str, texts: &[&str]) -> bool {
    let wanted = q.trim().to_lowercase();
    texts.iter().any(|text| {
        let text = text.to_lowercase();
        text.match_indices(&wanted).any(|(at, _)| {
            let before = text.get(..at).unwrap_or_default();
            before.is_empty() || before.ends_with([' ', '-'])
        })
    })
}

async fn saml(visit: &Visit, administrator: &Administrator) -> Result<Saml, Detour> {
    let organization = &visit.organization()?.name;
    let shown = crate::actions::saml::show(&visit.product, &administrator.actor, organization).await?;
    let (tone, label, sentence) = match shown.standing() {
        Standing::NotConfigured => (
            "",
            "Not configured",
            "People sign in with their account at your identity provider.",
        ),
        Standing::Untried => (
            "warn",
            "Not tried yet",
            "Try one sign-in, then people can sign in with their account at your identity provider.",
        ),
        Standing::Tried => (
            "ok",
            "Configured",
            "People can sign in with their account at your identity provider.",
        ),
    };
    Ok(Saml {
        tone,
        label,
        sentence,
    })
}

/// Shows the integrations.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, PAGE).await?;
    let organization = visit.organization()?;
    let now = Timestamp::now();
    let card = connection::show(&visit.product, &administrator.actor, &organization.name, now).await?;
    let scim = Connection::of(organization, &card, now);
    let shown = Integrations {
        list: List::load(&visit, &administrator, visit.query.text("q"), Some(scim)).await?,
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 1: what is typed is looked for at the beginning of words, in any case.
    #[test]
    fn a_search_finds_words_by_their_beginning() {
        for q in ["", "sc", "SC", "scim", "prov", "users"] {
            assert!(has(q, &[SCIM]), "{q}");
        }
        for q in ["sc", "zz", "cim", "ser"] {
            assert!(!has(q, &[SAML]), "{q}");
        }
        assert!(has("sso", &[SAML]) && has("on", &[SAML]) && has(" saml ", &[SAML]));
    }
}
