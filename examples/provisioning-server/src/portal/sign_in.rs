//! Sign-in with a password, and the end of it.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;

use super::destination::Destination;
use super::detour::Detour;
use super::form::Form;
use super::frame::Frame;
use super::page;
use super::problem::Problem;
use super::sign_in_name::Called;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::domain::session::Stage;

#[derive(Debug, Template)]
#[template(path = "sign-in.html")]
pub(super) struct SignIn {
    pub(super) frame: Frame,
    pub(super) called: Called,
    pub(super) destination: Destination,
    pub(super) has_single_sign_on: bool,
    /// The name that was typed before.
    pub(super) name: String,
    pub(super) trouble: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "sign-out.html")]
pub(super) struct SignOut {
    pub(super) frame: Frame,
}

#[derive(Debug, Template)]
#[template(path = "signed-out.html")]
pub(super) struct SignedOut {
    pub(super) frame: Frame,
}

impl SignIn {
    async fn of(visit: &Visit) -> Result<Self, Problem> {
        Ok(Self {
            frame: visit.frame.clone(),
            called: Called::of(&visit.realm),
            destination: visit.destination.clone(),
            has_single_sign_on: visit.login.has_saml(&visit.realm).await?,
            name: String::new(),
            trouble: None,
        })
    }
}

/// Asks for name and password.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    match visit.current().await? {
        Some(current) if current.stage() == Stage::Full => {
            let path = visit.next(Stage::Full, &visit.destination);
            Ok(Redirect::to(&path).into_response())
        }
        _ => Ok(page::answer(StatusCode::OK, &SignIn::of(&visit).await?)),
    }
}

/// Signs somebody in.
pub(super) async fn post(visit: Visit, form: Form) -> Result<Response, Detour> {
    let (name, password) = (form.text("name"), form.text("password"));
    let signed_in = visit
        .login
        .sign_in(&visit.realm, name, password, &visit.visitor)
        .await;
    let refusal = match signed_in {
        Ok(signed_in) => return Ok(visit.begin(&signed_in, &visit.destination)),
        Err(refusal) => refusal,
    };
    let wrong = Called::of(&visit.realm).wrong();
    let trouble = Trouble::of(refusal, wrong).map_err(|refusal| visit.detour(refusal, ""))?;
    let asked = SignIn {
        name: name.to_owned(),
        trouble: Some(trouble.sentence.clone()),
        ..SignIn::of(&visit).await?
    };
    Ok(trouble.mark(page::answer(trouble.status, &asked)))
}

/// Says that nobody is signed in, or asks whether to end the session.
pub(super) async fn get_out(visit: Visit) -> Result<Response, Detour> {
    let frame = visit.frame.clone();
    match visit.current().await? {
        Some(_) => Ok(page::answer(StatusCode::OK, &SignOut { frame })),
        None => Ok(page::answer(StatusCode::OK, &SignedOut { frame })),
    }
}

/// Ends the session.
pub(super) async fn post_out(visit: Visit) -> Result<Response, Detour> {
    if let Ok(session) = visit.session("") {
        let ended = visit.login.sign_out(&visit.realm, session).await;
        ended.map_err(|refusal| visit.detour(refusal, ""))?;
    }
    Ok(visit.end("sign-out"))
}
