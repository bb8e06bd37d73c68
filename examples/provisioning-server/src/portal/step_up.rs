//! The confirmation that it is still the same person, before something that matters.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use super::detour::Detour;
use super::form::Form;
use super::frame::Frame;
use super::page;
use super::second_factor::{WRONG, code};
use super::trouble::Trouble;
use super::visit::Visit;
use crate::domain::session::Way;
use crate::login::{Current, Proof};

/// By what somebody can confirm it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A code of their application, or a recovery code.
    Code,
    /// Their password, because they have no second factor.
    Password,
    /// Another sign-in at their identity provider.
    SingleSignOn,
}

#[derive(Debug, Template)]
#[template(path = "step-up.html")]
pub(super) struct StepUp {
    pub(super) frame: Frame,
    pub(super) by: By,
    pub(super) name: String,
    pub(super) trouble: Option<String>,
}

impl By {
    fn of(current: &Current) -> Self {
        match current.session.way {
            _ if current.has_factor => Self::Code,
            Way::Password => Self::Password,
            Way::Saml => Self::SingleSignOn,
        }
    }
}

impl StepUp {
    fn of(visit: &Visit, current: &Current, trouble: Option<String>) -> Self {
        Self {
            frame: visit.frame.clone(),
            by: By::of(current),
            name: current.account().name.clone(),
            trouble,
        }
    }
}

/// Returns the page that is gone on with.
fn next(visit: &Visit) -> &str {
    match visit.destination.page() {
        "" => "account",
        page => page,
    }
}

/// Asks for a confirmation, if there was none a moment ago.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let (_, _, current) = visit.whoever(next(&visit)).await?;
    if current.is_fresh(Timestamp::now()) {
        return Err(Detour::To(visit.frame.path(next(&visit))));
    }
    Ok(page::answer(StatusCode::OK, &StepUp::of(&visit, &current, None)))
}

/// Takes a confirmation, and goes on.
pub(super) async fn post(visit: Visit, form: Form) -> Result<Response, Detour> {
    let (realm, session, current) = visit.whoever(next(&visit)).await?;
    let proof = match By::of(&current) {
        By::Password => Proof::Password(form.text("password").to_owned()),
        By::Code | By::SingleSignOn => Proof::Code(code(&form).0.to_owned()),
    };
    let confirmed = visit.login.step_up(realm, session, &proof, &visit.visitor).await;
    let refusal = match confirmed {
        Ok(()) => return Err(Detour::To(visit.frame.path(next(&visit)))),
        Err(refusal) => refusal,
    };
    let wrong = match &proof {
        Proof::Password(_) => "This is not your password. Enter the one with which you signed in.",
        Proof::Code(_) => WRONG,
    };
    let trouble = Trouble::of(refusal, wrong).map_err(|refusal| visit.detour(refusal, next(&visit)))?;
    let asked = StepUp::of(&visit, &current, Some(trouble.sentence.clone()));
    Ok(trouble.mark(page::answer(trouble.status, &asked)))
}
