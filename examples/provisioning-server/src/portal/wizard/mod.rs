//! The set-up guide of an identity provider, with this organization's values.

pub(super) mod view;

use askama::Template;
use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;

use self::view::{Attempt, BlockView, FieldValue, Mark, Reader, View};
use super::detour::Detour;
use super::frame::Frame;
use super::shell::{Section, Shell};
use super::visit::{Pages, Visit};
use crate::actions::{set_up, setup_link};
use crate::domain::guide::{Guide, name};
use crate::domain::keyword::Keyword;
use crate::domain::settings::IdentityProvider;

/// The path of the page.
const PAGE: &str = "integrations/scim/wizard";

/// Returns the routes.
pub(super) fn routes() -> Router<Pages> {
    Router::new().route("/integrations/scim/wizard", get(page))
}

/// A provider in the list.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) word: &'static str,
    pub(super) label: &'static str,
    pub(super) is_chosen: bool,
}

#[derive(Debug, Template)]
#[template(path = "wizard/wizard.html")]
pub(super) struct Wizard {
    pub(super) frame: Frame,
    pub(super) shell: Shell,
    pub(super) providers: Vec<Choice>,
    /// The provider that the organization has, if the guide is for another.
    pub(super) other: Option<&'static str>,
    pub(super) guide: View,
    /// Whether they may make a link for somebody without an account.
    pub(super) may_share: bool,
    /// The path of this page, with its query.
    pub(super) here: String,
    /// The same with every step open.
    pub(super) open: String,
}

impl Choice {
    /// Returns every provider, of which one is chosen.
    pub(super) fn all(chosen: IdentityProvider) -> Vec<Self> {
        let choice = |provider: &IdentityProvider| Self {
            word: provider.word(),
            label: name(*provider),
            is_chosen: *provider == chosen,
        };
        IdentityProvider::ALL.iter().map(choice).collect()
    }
}

/// Shows the guide for the provider that is asked for, or the one that the organization has.
async fn page(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, PAGE).await?;
    let organization = visit.organization()?;
    let progress = set_up::show(&visit.product, &administrator.actor, &organization.name).await?;
    let settings = &progress.organization.settings;
    let asked = IdentityProvider::from_word(visit.query.text("provider"));
    let provider = asked.unwrap_or(settings.idp);
    let is_open = visit.query.text("steps") == "all";
    let here = format!("{}?provider={}", visit.frame.path(PAGE), provider.word());
    let guide = Guide::of(provider, settings);
    let shown = Wizard {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        providers: Choice::all(provider),
        other: (provider != settings.idp).then(|| settings.idp.display()),
        guide: View::of(
            guide,
            &progress,
            &visit.base,
            &visit.frame,
            Reader::Administrator,
            is_open,
        ),
        may_share: administrator.shell.may(&setup_link::CREATE.permission),
        open: format!("{here}&steps=all"),
        here,
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}
