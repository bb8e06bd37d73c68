//! Steps that are taken for somebody, or against them: most ask before.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;

use super::person::{About, page};
use super::provider;
use crate::actions::account::{self, Changes};
use crate::actions::{adoption, erasure, sign_in};
use crate::domain::account::{Account, AccountState};
use crate::domain::actor::Action;
use crate::domain::counted::counted;
use crate::domain::fault::Result as Outcome;
use crate::domain::link::LinkKind;
use crate::portal::confirm::{Confirm, TYPED};
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// A step that asks before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Disable,
    Remove,
    SignOut,
    ResetFactor,
    Erase,
}

impl Step {
    /// Returns the last part of the path of its page.
    const fn path(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Remove => "remove",
            Self::SignOut => "sign-out",
            Self::ResetFactor => "reset-second-factor",
            Self::Erase => "erase",
        }
    }

    const fn action(self) -> &'static Action {
        match self {
            Self::Disable | Self::Remove => &account::CHANGE,
            Self::SignOut => &sign_in::SIGN_OUT,
            Self::ResetFactor => &sign_in::RESET_FACTOR,
            Self::Erase => &erasure::ERASE,
        }
    }

    /// Returns the question, and the words of its button.
    fn question(self, account: &Account) -> (String, &'static str) {
        let who = &account.display;
        match self {
            Self::Disable => (format!("Disable {who}?"), "Disable the account"),
            Self::Remove => (format!("Remove {who}?"), "Remove the account"),
            Self::SignOut => (format!("Sign {who} out everywhere?"), "Sign out everywhere"),
            Self::ResetFactor => (
                format!("Reset the second factor of {who}?"),
                "Reset the second factor",
            ),
            Self::Erase => (format!("Erase {who}?"), "Erase the person"),
        }
    }

    fn consequences(self, sessions: usize) -> Vec<String> {
        let sessions = u64::try_from(sessions).unwrap_or(u64::MAX);
        let ended = match sessions {
            0 => "Nobody is signed in with the account at the moment.".to_owned(),
            count => format!("{} at once.", counted(count, "session ends", "sessions end")),
        };
        match self {
            Self::Disable => vec![
                ended,
                "The person cannot sign in until the account is enabled again. Roles, permissions and password are kept."
                    .to_owned(),
            ],
            Self::Remove => vec![
                ended,
                "Roles and permissions are taken away, and the name becomes free. A removed account does not come back; \
                 history and audit log keep the name."
                    .to_owned(),
            ],
            Self::SignOut => vec![ended, "The person can sign in again right away.".to_owned()],
            Self::ResetFactor => vec![
                "The authenticator and the recovery codes end, and all sessions with them. Until another is set up, the \
                 password alone lets the person in."
                    .to_owned(),
                "The person is told by mail.".to_owned(),
            ],
            Self::Erase => vec![
                "A pseudonym stands from now on wherever the person was named: in the history, the audit log, events and \
                 mails. Kept bodies of requests about the person are deleted."
                    .to_owned(),
                "This cannot be undone. That you have done it is kept in the audit log.".to_owned(),
            ],
        }
    }
}

async fn ask(visit: &Visit, path: &RawPathParams, step: Step) -> Result<Response, Detour> {
    let about = About::read(visit, path, step.path()).await?;
    show(&about, step, None).await
}

async fn show(about: &About<'_>, step: Step, trouble: Option<String>) -> Result<Response, Detour> {
    let own = format!("{}/{}", page(about.id), step.path());
    about.visit.demand(&about.administrator, step.action(), &own)?;
    let found = sign_in::show(about.product(), about.actor(), about.name(), &about.user).await?;
    let (question, button) = step.question(&found.account);
    let shown = Confirm {
        frame: about.visit.frame.clone(),
        shell: about.administrator.shell.clone(),
        question,
        consequences: step.consequences(found.sessions.len()),
        step: button.to_owned(),
        typed: (step == Step::Erase).then_some(found.account.name),
        hidden: Vec::new(),
        action: own,
        back: page(about.id),
        trouble,
    };
    let status = match shown.trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    Ok(about.administrator.answer(status, &shown))
}

/// Says what was done, or asks again with the reason why it was not.
async fn took<T>(
    about: &About<'_>,
    step: Step,
    outcome: Outcome<T>,
    said: impl FnOnce(T) -> String,
) -> Result<Response, Detour> {
    let own = format!("{}/{}", page(about.id), step.path());
    match outcome {
        Ok(done) => Ok(about.visit.done(&page(about.id), &said(done))),
        Err(fault) => {
            let trouble = about.visit.trouble(fault, &own)?;
            show(about, step, Some(trouble)).await
        }
    }
}

async fn set(about: &About<'_>, state: AccountState) -> Outcome<account::Detail> {
    let changes = Changes {
        state: Some(state),
        ..Changes::default()
    };
    account::change(about.product(), about.actor(), about.name(), &about.user, changes).await
}

/// Sends the invitation once more, or a link to set another password.
pub(in super::super) async fn invite(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, "").await?;
    let invited = sign_in::invite(about.product(), about.actor(), about.name(), &about.user).await;
    about
        .answer(invited, |(account, kind)| match kind {
            LinkKind::Invitation => format!("An invitation to {} is on its way.", account.display),
            _ => format!("A link to set a password is on its way to {}.", account.display),
        })
        .await
}

/// Lets the person of a manual account sign in.
pub(in super::super) async fn enable(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, "").await?;
    let enabled = set(&about, AccountState::Active).await;
    about
        .answer(enabled, |done| {
            format!("{} can sign in again.", done.account.display)
        })
        .await
}

/// Asks whether to keep the person of a manual account out.
pub(in super::super) async fn get_disable(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    ask(&visit, &path, Step::Disable).await
}

/// Keeps the person of a manual account out.
pub(in super::super) async fn disable(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, Step::Disable.path()).await?;
    let disabled = set(&about, AccountState::Disabled).await;
    took(&about, Step::Disable, disabled, |done| {
        format!("{} was disabled.", done.account.display)
    })
    .await
}

/// Asks whether to remove a manual account.
pub(in super::super) async fn get_remove(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    ask(&visit, &path, Step::Remove).await
}

/// Removes a manual account.
pub(in super::super) async fn remove(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, Step::Remove.path()).await?;
    let removed = set(&about, AccountState::Removed).await;
    took(&about, Step::Remove, removed, |done| {
        format!("The account of {} was removed.", done.account.display)
    })
    .await
}

/// Asks whether to end all sessions of somebody.
pub(in super::super) async fn get_sign_out(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    ask(&visit, &path, Step::SignOut).await
}

/// Ends all sessions of somebody.
pub(in super::super) async fn sign_out(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, Step::SignOut.path()).await?;
    let ended = sign_in::sign_out(about.product(), about.actor(), about.name(), &about.user).await;
    took(&about, Step::SignOut, ended, |(account, count)| {
        format!(
            "{} of {} ended.",
            counted(count, "session", "sessions"),
            account.display
        )
    })
    .await
}

/// Asks whether to remove the second factor of somebody.
pub(in super::super) async fn get_reset_factor(
    visit: Visit,
    path: RawPathParams,
) -> Result<Response, Detour> {
    ask(&visit, &path, Step::ResetFactor).await
}

/// Removes the second factor of somebody who has lost it.
pub(in super::super) async fn reset_factor(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, Step::ResetFactor.path()).await?;
    let reset = sign_in::reset_factor(about.product(), about.actor(), about.name(), &about.user).await;
    took(&about, Step::ResetFactor, reset, |account| {
        format!("The second factor of {} was removed.", account.display)
    })
    .await
}

/// Asks whether to erase somebody.
pub(in super::super) async fn get_erase(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    ask(&visit, &path, Step::Erase).await
}

/// Erases somebody who is removed.
pub(in super::super) async fn erase(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, Step::Erase.path()).await?;
    let typed = form.text(TYPED);
    let erased = erasure::erase(about.product(), about.actor(), about.name(), &about.user, typed).await;
    took(&about, Step::Erase, erased, |erased| {
        format!("The person is called {} from now on.", erased.pseudonym)
    })
    .await
}

/// The question whether the identity provider may take over a manual account.
#[derive(Debug, Clone, Template)]
#[template(path = "people/adopt.html")]
pub(in super::super) struct Adopt {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) trouble: Option<String>,
    pub(in super::super) provider: &'static str,
    pub(in super::super) page: String,
    pub(in super::super) display: String,
    pub(in super::super) name: String,
    /// Roles that go.
    pub(in super::super) roles: Vec<String>,
    /// Permissions that stay.
    pub(in super::super) permissions: Vec<String>,
    pub(in super::super) external_id: String,
}

/// The last part of the path of the page that lets the provider take an account over.
const ADOPT: &str = "adopt";

async fn ask_to_adopt(
    about: &About<'_>,
    typed: Option<&str>,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    let own = format!("{}/{ADOPT}", page(about.id));
    about.visit.demand(&about.administrator, &adoption::ADOPT, &own)?;
    let preview = adoption::preview(about.product(), about.actor(), about.name(), &about.user).await?;
    let status = match trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let shown = Adopt {
        frame: about.visit.frame.clone(),
        shell: about.administrator.shell.clone(),
        trouble,
        provider: provider(about.organization),
        page: page(about.id),
        display: preview.account.display,
        name: preview.account.name,
        roles: preview.roles,
        permissions: preview.permissions.iter().map(ToString::to_string).collect(),
        external_id: match typed {
            Some(typed) => typed.to_owned(),
            None => preview
                .refused
                .and_then(|refused| refused.external_id)
                .unwrap_or_default(),
        },
    };
    Ok(about.administrator.answer(status, &shown))
}

/// Asks whether the identity provider may take over a manual account.
pub(in super::super) async fn get_adopt(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, ADOPT).await?;
    ask_to_adopt(&about, None, None).await
}

/// Lets the identity provider take over a manual account, once.
pub(in super::super) async fn adopt(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, ADOPT).await?;
    let typed = form.text("external-id").trim();
    let external_id = Some(typed).filter(|text| !text.is_empty());
    let adopted = adoption::adopt(
        about.product(),
        about.actor(),
        about.name(),
        &about.user,
        external_id,
    )
    .await;
    match adopted {
        Ok((preview, _)) => Ok(visit.done(
            &page(about.id),
            &format!(
                "{} may take over the account of {} within a week.",
                capital(provider(about.organization)),
                preview.account.display
            ),
        )),
        Err(fault) => {
            let trouble = visit.trouble(fault, &format!("{}/{ADOPT}", page(about.id)))?;
            ask_to_adopt(&about, Some(typed), Some(trouble)).await
        }
    }
}

/// Returns a text as a sentence begins with it.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
