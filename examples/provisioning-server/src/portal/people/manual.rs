//! Accounts that are managed by hand: they are made here, and called as somebody says.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;

use super::person::{About, page};
use crate::actions::account::{self, Changes};
use crate::domain::settings::{FirstLogin, UserNames};
use crate::portal::administrator::Administrator;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The form for a new account, or for one that is there.
#[derive(Debug, Clone, Template)]
#[template(path = "people/manual.html")]
pub(in super::super) struct Manual {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) trouble: Option<String>,
    /// The page of the account, if it is there, and the name by which people know it.
    pub(in super::super) of: Option<(String, String)>,
    /// Whether the name is an e-mail address in any case.
    pub(in super::super) is_address: bool,
    pub(in super::super) name: String,
    pub(in super::super) display: String,
    /// Whether an invitation is sent.
    pub(in super::super) is_invited: bool,
}

/// The page for a new account.
const NEW: &str = "users/new";
/// The last part of the path of the page that changes one.
const EDIT: &str = "edit";

fn form(visit: &Visit, administrator: &Administrator) -> Result<Manual, Detour> {
    let organization = visit.organization()?;
    let settings = &organization.settings;
    Ok(Manual {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        trouble: None,
        of: None,
        is_address: settings.username == UserNames::Email,
        name: String::new(),
        display: String::new(),
        is_invited: settings.first_login != FirstLogin::PasswordReset,
    })
}

/// Asks for the name of a new account.
pub(in super::super) async fn get_new(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, NEW).await?;
    visit.demand(&administrator, &account::CREATE, NEW)?;
    Ok(administrator.answer(StatusCode::OK, &form(&visit, &administrator)?))
}

/// Makes an account.
pub(in super::super) async fn post_new(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, NEW).await?;
    let organization = &visit.organization()?.name;
    let (name, display) = (form.text("name"), form.text("display"));
    let made = account::create(
        &visit.product,
        &administrator.actor,
        organization,
        name,
        Some(display),
    )
    .await;
    match made {
        Ok(made) => {
            let account = made.account;
            let said = format!(
                "{} was added. Roles and permissions are given here.",
                account.display
            );
            Ok(visit.done(&page(account.id), &said))
        }
        Err(fault) => {
            let shown = Manual {
                trouble: Some(visit.trouble(fault, NEW)?),
                name: name.to_owned(),
                display: display.to_owned(),
                ..self::form(&visit, &administrator)?
            };
            Ok(administrator.answer(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}

/// Asks for other names of an account.
pub(in super::super) async fn get_edit(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, EDIT).await?;
    visit.demand(
        &about.administrator,
        &account::CHANGE,
        &format!("{}/{EDIT}", page(about.id)),
    )?;
    let detail = account::show(about.product(), about.actor(), about.name(), &about.user).await?;
    detail.account.demand_manual()?;
    let shown = Manual {
        of: Some((page(about.id), detail.account.display.clone())),
        name: detail.account.name,
        display: detail.account.display,
        ..form(&visit, &about.administrator)?
    };
    Ok(about.administrator.answer(StatusCode::OK, &shown))
}

/// Gives an account other names.
pub(in super::super) async fn post_edit(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, EDIT).await?;
    let (name, display) = (form.text("name"), form.text("display"));
    let changes = Changes {
        name: Some(name.to_owned()),
        display: Some(display.to_owned()),
        state: None,
    };
    let changed = account::change(about.product(), about.actor(), about.name(), &about.user, changes).await;
    match changed {
        Ok(done) => {
            let said = format!("{} was saved.", done.account.display);
            Ok(visit.done(&page(about.id), &said))
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, &format!("{}/{EDIT}", page(about.id)))?;
            let known = account::show(about.product(), about.actor(), about.name(), &about.user).await?;
            let shown = Manual {
                trouble: Some(trouble),
                of: Some((page(about.id), known.account.display)),
                name: name.to_owned(),
                display: display.to_owned(),
                ..self::form(&visit, &about.administrator)?
            };
            Ok(about
                .administrator
                .answer(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}
