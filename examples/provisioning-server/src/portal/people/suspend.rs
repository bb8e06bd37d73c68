//! The lock of the sign-in, of one person or of all whom the identity provider has not named any more.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;

use super::counted;
use super::person::{About, page};
use crate::actions::account;
use crate::actions::people::{self, COUNTED};
use crate::database::accounts::Shown;
use crate::database::page::Page;
use crate::domain::account::AccountState;
use crate::portal::administrator::Administrator;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The question for the reason of a suspension.
#[derive(Debug, Clone, Template)]
#[template(path = "people/suspend.html")]
pub(in super::super) struct Suspend {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) trouble: Option<String>,
    pub(in super::super) question: String,
    pub(in super::super) consequences: Vec<String>,
    pub(in super::super) reason: String,
    pub(in super::super) button: String,
    pub(in super::super) action: String,
    pub(in super::super) back: String,
}

/// The last part of the path of the page.
const SUSPEND: &str = "suspend";

/// The page about all whom the identity provider has not named any more.
const UNCONFIRMED: &str = "users/unconfirmed/suspend";

/// The list of them.
const UNCONFIRMED_LIST: &str = "users?show=unconfirmed";

fn status(trouble: Option<&String>) -> StatusCode {
    match trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    }
}

async fn ask(about: &About<'_>, reason: &str, trouble: Option<String>) -> Result<Response, Detour> {
    let own = format!("{}/{SUSPEND}", page(about.id));
    about
        .visit
        .demand(&about.administrator, &account::SUSPEND, &own)?;
    let detail = account::show(about.product(), about.actor(), about.name(), &about.user).await?;
    let shown = Suspend {
        frame: about.visit.frame.clone(),
        shell: about.administrator.shell.clone(),
        question: format!("Suspend the sign-in of {}?", detail.account.display),
        consequences: vec![
            "Every session ends at once, and nobody signs in with this account until an administrator lifts the lock. \
             Roles and permissions are kept, and have no effect meanwhile."
                .to_owned(),
            "The identity provider neither sees the lock nor can lift it.".to_owned(),
        ],
        reason: reason.to_owned(),
        button: "Suspend sign-in".to_owned(),
        action: own,
        back: page(about.id),
        trouble,
    };
    let status = status(shown.trouble.as_ref());
    Ok(about.administrator.answer(status, &shown))
}

/// Asks for the reason.
pub(in super::super) async fn get(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, SUSPEND).await?;
    ask(&about, "", None).await
}

/// Locks the sign-in of somebody.
pub(in super::super) async fn post(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, SUSPEND).await?;
    let reason = form.text("reason");
    let suspended = account::suspend(about.product(), about.actor(), about.name(), &about.user, reason).await;
    match suspended {
        Ok(done) => {
            let said = format!("{} was suspended.", done.account.display);
            Ok(visit.done(&page(about.id), &said))
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, &format!("{}/{SUSPEND}", page(about.id)))?;
            ask(&about, reason, Some(trouble)).await
        }
    }
}

/// Lifts the lock of somebody.
pub(in super::super) async fn resume(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, "").await?;
    let resumed = account::resume(about.product(), about.actor(), about.name(), &about.user).await;
    about
        .answer(resumed, |done| {
            format!("{} can sign in again.", done.account.display)
        })
        .await
}

async fn ask_for_all(
    visit: &Visit,
    administrator: &Administrator,
    reason: &str,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    visit.demand(administrator, &account::SUSPEND_UNCONFIRMED, UNCONFIRMED)?;
    let shown = Shown {
        state: Some(AccountState::Active),
        unconfirmed: true,
        ..Shown::default()
    };
    let nobody = Page::default();
    let name = &visit.organization()?.name;
    let found = people::list(&visit.product, &administrator.actor, name, shown, nobody).await?;
    let count = found.count;
    let shown = Suspend {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        question: match count {
            1 => "Suspend 1 unconfirmed person?".to_owned(),
            count => format!("Suspend {} unconfirmed people?", counted(count, COUNTED)),
        },
        consequences: vec![
            "No request with the newest token has named them. Their sessions end at once, and they cannot sign in until an \
             administrator lifts the lock of each."
                .to_owned(),
            "Whoever is named meanwhile, and whoever may do more than you, is left alone.".to_owned(),
        ],
        reason: reason.to_owned(),
        button: "Suspend them together".to_owned(),
        action: UNCONFIRMED.to_owned(),
        back: UNCONFIRMED_LIST.to_owned(),
        trouble,
    };
    let status = status(shown.trouble.as_ref());
    Ok(administrator.answer(status, &shown))
}

/// Asks for the reason to suspend all whom the identity provider has not named any more.
pub(in super::super) async fn get_unconfirmed(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, UNCONFIRMED).await?;
    ask_for_all(&visit, &administrator, "", None).await
}

/// Suspends them.
pub(in super::super) async fn post_unconfirmed(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, UNCONFIRMED).await?;
    let (name, reason) = (&visit.organization()?.name, form.text("reason"));
    let done = account::suspend_unconfirmed(&visit.product, &administrator.actor, name, reason).await;
    match done {
        Ok(done) => {
            let people = crate::domain::counted::counted(done.suspended, "person was", "people were");
            let left = match done.left {
                0 => String::new(),
                left => format!(" {left} may do more than you, and were left alone."),
            };
            Ok(visit.done(UNCONFIRMED_LIST, &format!("{people} suspended.{left}")))
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, UNCONFIRMED)?;
            ask_for_all(&visit, &administrator, reason, Some(trouble)).await
        }
    }
}
