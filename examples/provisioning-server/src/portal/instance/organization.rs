//! One organization, as owners of the instance see it: they open it, rename it, switch its integration, and delete it.

use std::sync::Arc;

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;

use super::name;
use super::organizations::{PAGE, Row};
use crate::actions::integration;
use crate::actions::organization::{self, Change, Deleted, Standing};
use crate::database::Product;
use crate::domain::actor::Action;
use crate::domain::counted::counted;
use crate::domain::fault::Fault;
use crate::domain::organization::{Name, display_name};
use crate::domain::settings::Preset;
use crate::portal::administrator::Administrator;
use crate::portal::confirm::{Confirm, TYPED};
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

#[derive(Debug, Template)]
#[template(path = "instance/organization.html")]
pub(in crate::portal) struct OrganizationPage {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) row: Row,
    pub(in crate::portal) words: &'static str,
    pub(in crate::portal) created: String,
    /// The people and groups of its identity provider, in words.
    pub(in crate::portal) provisioned: String,
    /// Whether its integration can be switched on, or off.
    pub(in crate::portal) can_enable: bool,
    pub(in crate::portal) can_disable: bool,
}

#[derive(Debug, Template)]
#[template(path = "instance/rename-organization.html")]
pub(in crate::portal) struct Rename {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) name: String,
    pub(in crate::portal) display: String,
    pub(in crate::portal) trouble: Option<String>,
}

fn page(name: &Name) -> String {
    format!("{PAGE}/{name}")
}

fn step(name: &Name, verb: &str) -> String {
    format!("{PAGE}/{name}/{verb}")
}

/// A request about one organization.
struct Asked {
    name: Name,
    administrator: Administrator,
    found: Standing,
}

impl Asked {
    /// Reads whom it is about and by whom, of a page that leads back to itself.
    async fn read(
        visit: &Visit,
        path: &RawPathParams,
        page: impl Fn(&Name) -> String,
    ) -> Result<Self, Detour> {
        let name = name(path)?;
        let administrator = visit.administrator(Section::Organizations, &page(&name)).await?;
        let found = organization::stand(&visit.product, &administrator.actor, &name).await?;
        Ok(Self {
            name,
            administrator,
            found,
        })
    }

    /// Demands what an action will ask for, before its form asks for anything.
    fn demand(&self, visit: &Visit, action: &Action, page: &str) -> Result<(), Detour> {
        let actor = &self.administrator.actor;
        actor
            .demand(action)
            .map_err(|fault| visit.detour(fault.into(), page))
    }

    fn confirm(&self, visit: &Visit, verb: &str, asked: Question, trouble: Option<String>) -> Confirm {
        Confirm {
            frame: visit.frame.clone(),
            shell: self.administrator.shell.clone(),
            question: asked.question,
            consequences: asked.consequences,
            step: asked.step,
            typed: asked.typed,
            hidden: Vec::new(),
            action: step(&self.name, verb),
            back: page(&self.name),
            trouble,
        }
    }

    /// Counts the people of its identity provider, in words.
    fn people(&self) -> String {
        counted(self.found.people, "person", "people")
    }

    /// Counts the groups of its identity provider, in words.
    fn groups(&self) -> String {
        counted(self.found.groups, "group", "groups")
    }

    fn display(&self) -> &str {
        &self.found.organization.display
    }
}

/// The words of a question before a step.
struct Question {
    question: String,
    consequences: Vec<String>,
    step: String,
    typed: Option<String>,
}

/// Shows the organization.
pub(super) async fn get(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, page).await?;
    let Standing {
        organization,
        has_token,
        ..
    } = &asked.found;
    let row = Row::of(&asked.found);
    let shown = OrganizationPage {
        frame: visit.frame.clone(),
        shell: asked.administrator.shell.clone(),
        words: match organization.settings.words {
            Preset::ThreatLocker => "ThreatLocker",
            Preset::LevelAccess => "Level Access",
            Preset::ThirdPlatform => "Third platform",
        },
        created: moment::day(organization.created),
        provisioned: format!("{}, {}", asked.people(), asked.groups()),
        can_enable: row.is_off && *has_token,
        can_disable: organization.is_enabled() && *has_token,
        row,
    };
    Ok(asked.administrator.answer(StatusCode::OK, &shown))
}

/// Asks for what people call it.
pub(super) async fn get_rename(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, |name| step(name, "rename")).await?;
    let display = asked.display().to_owned();
    Ok(asked
        .administrator
        .answer(StatusCode::OK, &rename(&visit, &asked, display, None)))
}

fn rename(visit: &Visit, asked: &Asked, display: String, trouble: Option<String>) -> Rename {
    Rename {
        frame: visit.frame.clone(),
        shell: asked.administrator.shell.clone(),
        name: asked.name.to_string(),
        display,
        trouble,
    }
}

/// Changes what people call it.
pub(super) async fn post_rename(visit: Visit, path: RawPathParams, form: Form) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, |name| step(name, "rename")).await?;
    let typed = form.text("display");
    let set = match display_name(typed) {
        Ok(display) => {
            let change = Change {
                display: Some(display),
                ..Change::default()
            };
            let set = organization::set(
                &visit.product,
                &asked.administrator.actor,
                &asked.name,
                change,
                |_| {},
            );
            set.await.map(|set| set.organization.display)
        }
        Err(fault) => Err(fault),
    };
    match set {
        Ok(display) => Ok(visit.done(&page(&asked.name), &format!("It is called {display} now."))),
        Err(fault) => {
            let trouble = visit.trouble(fault, &step(&asked.name, "rename"))?;
            let shown = rename(&visit, &asked, typed.to_owned(), Some(trouble));
            Ok(asked
                .administrator
                .answer(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}

/// Asks whether to let the provider in.
pub(super) async fn get_enable(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, |name| step(name, "enable")).await?;
    let shown = asked.confirm(&visit, "enable", to_enable(&asked), None);
    Ok(asked.administrator.answer(StatusCode::OK, &shown))
}

fn to_enable(asked: &Asked) -> Question {
    Question {
        question: format!("Switch on provisioning of {}?", asked.display()),
        consequences: vec![
            "Its identity provider may connect again at once, with the token that it has. What it sends changes people, \
             groups and their roles."
                .to_owned(),
        ],
        step: "Switch on".to_owned(),
        typed: None,
    }
}

/// Lets the provider in.
pub(super) async fn post_enable(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, |name| step(name, "enable")).await?;
    switch(&visit, &asked, true, "enable", to_enable(&asked)).await
}

/// Asks whether to keep the provider out.
pub(super) async fn get_disable(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, |name| step(name, "disable")).await?;
    let shown = asked.confirm(&visit, "disable", to_disable(&asked), None);
    Ok(asked.administrator.answer(StatusCode::OK, &shown))
}

fn to_disable(asked: &Asked) -> Question {
    Question {
        question: format!("Switch off provisioning of {}?", asked.display()),
        consequences: vec![
            "Its identity provider is refused from the next request on, and its connection test fails."
                .to_owned(),
            format!(
                "{} and {} stay as they are, with their roles, mappings and sign-in. Whoever leaves the company is not \
                 deactivated here meanwhile.",
                asked.people(),
                asked.groups()
            ),
        ],
        step: "Switch off".to_owned(),
        typed: None,
    }
}

/// Keeps the provider out.
pub(super) async fn post_disable(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, |name| step(name, "disable")).await?;
    switch(&visit, &asked, false, "disable", to_disable(&asked)).await
}

async fn switch(
    visit: &Visit,
    asked: &Asked,
    on: bool,
    verb: &str,
    question: Question,
) -> Result<Response, Detour> {
    let switched = integration::switch(&visit.product, &asked.administrator.actor, &asked.name, on).await;
    match switched {
        Ok(_) => {
            let state = if on { "on" } else { "off" };
            let said = format!("Provisioning of {} is switched {state}.", asked.display());
            Ok(visit.done(&page(&asked.name), &said))
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, &step(&asked.name, verb))?;
            let shown = asked.confirm(visit, verb, question, Some(trouble));
            Ok(asked
                .administrator
                .answer(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}

/// Asks whether to delete it.
pub(super) async fn get_delete(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, |name| step(name, "delete")).await?;
    asked.demand(&visit, &organization::DELETE, &step(&asked.name, "delete"))?;
    let shown = asked.confirm(&visit, "delete", to_delete(&asked), None);
    Ok(asked.administrator.answer(StatusCode::OK, &shown))
}

fn to_delete(asked: &Asked) -> Question {
    Question {
        question: format!("Delete {}?", asked.display()),
        consequences: vec![
            format!(
                "{} and {} of its identity provider are removed, with all manual accounts, roles and mappings. This \
                 cannot be undone.",
                asked.people(),
                asked.groups()
            ),
            "Its URL, its tokens and every session of its people end at once. The history and the audit log are kept."
                .to_owned(),
        ],
        step: "Delete the organization".to_owned(),
        typed: Some(asked.name.to_string()),
    }
}

/// Deletes it. Everything that it has is cleared behind, which the list shows.
pub(super) async fn post_delete(visit: Visit, path: RawPathParams, form: Form) -> Result<Response, Detour> {
    let asked = Asked::read(&visit, &path, |name| step(name, "delete")).await?;
    let typed = form.text(TYPED).trim();
    let actor = &asked.administrator.actor;
    match organization::end(&visit.product, actor, &asked.name, Some(typed)).await {
        Ok(deleted) => {
            tokio::spawn(clear(Arc::clone(&visit.product), deleted));
            Ok(visit.done(PAGE, &format!("{} was deleted.", asked.display())))
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, &step(&asked.name, "delete"))?;
            let shown = asked.confirm(&visit, "delete", to_delete(&asked), Some(trouble));
            Ok(asked
                .administrator
                .answer(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}

async fn clear(product: Arc<Product>, deleted: Deleted) {
    let cleared = organization::clear(&product, &deleted).await;
    if let Err(fault) = cleared.as_ref().map_err(Fault::with_causes) {
        tracing::error!("A deleted organization could not be cleared; the next start goes on: {fault}");
    }
}
