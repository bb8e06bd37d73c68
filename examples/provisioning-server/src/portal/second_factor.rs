//! The second factor: asked for, set up, and its recovery codes.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;

use super::account::demand_fresh;
use super::detour::Detour;
use super::form::Form;
use super::frame::Frame;
use super::page;
use super::problem::Problem;
use super::qr::Picture;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::domain::counted::counted;
use crate::domain::fault::Fault;
use crate::domain::session::Stage;
use crate::login::Refusal;

#[derive(Debug, Template)]
#[template(path = "second-factor.html")]
pub(super) struct SecondFactor {
    pub(super) frame: Frame,
    pub(super) trouble: Option<String>,
    /// Whether it was tried with a recovery code.
    pub(super) is_with_recovery_code: bool,
}

#[derive(Debug, Template)]
#[template(path = "second-factor-set-up.html")]
pub(super) struct SetUp {
    pub(super) frame: Frame,
    pub(super) trouble: Option<String>,
    pub(super) picture: Picture,
    /// The secret as it is typed.
    pub(super) key: String,
    /// Whether nobody signs in here without one.
    pub(super) is_required: bool,
    /// Whether it takes the place of another.
    pub(super) is_exchange: bool,
}

#[derive(Debug, Template)]
#[template(path = "recovery-codes.html")]
pub(super) struct RecoveryCodes {
    pub(super) frame: Frame,
    pub(super) codes: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "new-recovery-codes.html")]
pub(super) struct NewRecoveryCodes {
    pub(super) frame: Frame,
    /// The sentence on how many are left.
    pub(super) left: String,
}

/// The page on which one is set up.
const SET_UP: &str = "second-factor/set-up";

/// The page on which recovery codes are made.
const CODES: &str = "recovery-codes";

/// The sentence about a code that is not right.
pub(super) const WRONG: &str =
    "This code is not right, or it was used before. Enter the one that is shown now.";

/// Returns the code of a form, and whether it is a recovery code.
pub(super) fn code(form: &Form) -> (&str, bool) {
    match form.text("recovery") {
        "" => (form.text("code"), false),
        recovery => (recovery, true),
    }
}

/// Asks for the second factor of a sign-in that waits for it.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let Some(current) = visit.current().await? else {
        return Err(visit.detour(Refusal::SignedOut, visit.destination.page()));
    };
    if current.stage() != Stage::SecondFactor {
        return Err(Detour::To(visit.next(current.stage(), &visit.destination)));
    }
    let asked = SecondFactor {
        frame: visit.frame,
        trouble: None,
        is_with_recovery_code: false,
    };
    Ok(page::answer(StatusCode::OK, &asked))
}

/// Completes a sign-in.
pub(super) async fn post(visit: Visit, form: Form) -> Result<Response, Detour> {
    let page = visit.destination.page();
    let (code, is_with_recovery_code) = code(&form);
    let signed_in = visit
        .login
        .second_factor(&visit.realm, visit.session(page)?, code, &visit.visitor)
        .await;
    let refusal = match signed_in {
        Ok(signed_in) => return Ok(visit.begin(&signed_in, &visit.destination)),
        Err(refusal) => refusal,
    };
    let trouble = Trouble::of(refusal, WRONG).map_err(|refusal| visit.detour(refusal, page))?;
    let asked = SecondFactor {
        frame: visit.frame.clone(),
        trouble: Some(trouble.sentence.clone()),
        is_with_recovery_code,
    };
    Ok(trouble.mark(page::answer(trouble.status, &asked)))
}

/// Offers a second factor to set up.
pub(super) async fn get_set_up(visit: Visit) -> Result<Response, Detour> {
    offer(&visit, StatusCode::OK, None).await
}

async fn offer(visit: &Visit, status: StatusCode, trouble: Option<String>) -> Result<Response, Detour> {
    let session = visit.session(SET_UP)?;
    let offer = visit.login.offer_factor(&visit.realm, session).await;
    let offer = offer.map_err(|refusal| visit.detour(refusal, SET_UP))?;
    let current = visit.current().await?;
    let picture = Picture::of(&offer.url).ok_or_else(|| {
        let long = "the text is longer than a QR code holds";
        Fault::internal("The second factor could not be drawn.", long)
    })?;
    let asked = SetUp {
        frame: visit.frame.clone(),
        trouble,
        picture,
        key: offer.typed,
        is_exchange: current.as_ref().is_some_and(|current| current.has_factor),
        is_required: current.is_some_and(|current| current.stage() == Stage::SetUp),
    };
    Ok(page::answer(status, &asked))
}

/// Puts the second factor that was offered into force, and shows its recovery codes.
pub(super) async fn post_set_up(visit: Visit, form: Form) -> Result<Response, Detour> {
    let session = visit.session(SET_UP)?;
    let confirmed = visit
        .login
        .confirm_factor(&visit.realm, session, form.text("code"), &visit.visitor)
        .await;
    match confirmed {
        Ok(set_up) => {
            let shown = show_codes(&visit, set_up.codes);
            Ok(visit.with_session(&set_up.signed_in, shown))
        }
        Err(Refusal::Wrong) => {
            let wrong = Some(WRONG.to_owned());
            offer(&visit, StatusCode::UNPROCESSABLE_ENTITY, wrong).await
        }
        Err(refusal) => Err(visit.detour(refusal, SET_UP)),
    }
}

fn show_codes(visit: &Visit, codes: Vec<String>) -> Response {
    let frame = visit.frame.clone();
    page::answer(StatusCode::OK, &RecoveryCodes { frame, codes })
}

/// Asks whether to make recovery codes in the place of those before.
pub(super) async fn get_codes(visit: Visit) -> Result<Response, Detour> {
    let (_, current) = visit.signed_in(CODES).await?;
    let factors = visit.login.factors(&current).await;
    let factors = factors.map_err(|refusal| visit.detour(refusal, CODES))?;
    if factors.application.is_none() {
        return Err(Problem::NotFound.into());
    }
    demand_fresh(&visit, &current, CODES)?;
    let verb = if factors.codes == 1 { "is" } else { "are" };
    let left = counted(factors.codes, "recovery code", "recovery codes");
    let asked = NewRecoveryCodes {
        frame: visit.frame.clone(),
        left: format!("{left} {verb} left"),
    };
    Ok(page::answer(StatusCode::OK, &asked))
}

/// Makes recovery codes, and shows them once.
pub(super) async fn post_codes(visit: Visit) -> Result<Response, Detour> {
    let session = visit.session(CODES)?;
    let made = visit
        .login
        .make_codes(&visit.realm, session, &visit.visitor)
        .await;
    let codes = made.map_err(|refusal| visit.detour(refusal, CODES))?;
    Ok(show_codes(&visit, codes))
}

/// Goes on from the recovery codes, once they are kept.
pub(super) async fn post_kept(visit: Visit) -> Response {
    Redirect::to(&visit.frame.path("")).into_response()
}
