//! The forgotten password.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::detour::Detour;
use super::form::Form;
use super::frame::Frame;
use super::page;
use super::sign_in_name::Called;
use super::visit::Visit;

#[derive(Debug, Template)]
#[template(path = "forgotten-password.html")]
pub(super) struct Forgotten {
    pub(super) frame: Frame,
    pub(super) called: Called,
}

#[derive(Debug, Template)]
#[template(path = "forgotten-password-sent.html")]
pub(super) struct Sent {
    pub(super) frame: Frame,
    /// As it was typed.
    pub(super) name: String,
}

/// Asks for whom a link is to be sent.
pub(super) async fn get(visit: Visit) -> Response {
    let asked = Forgotten {
        called: Called::of(&visit.realm),
        frame: visit.frame,
    };
    page::answer(StatusCode::OK, &asked)
}

/// Has a link sent. The answer is the same whether there is anybody to send it to.
pub(super) async fn post(visit: Visit, form: Form) -> Result<Response, Detour> {
    let name = form.text("name").trim();
    let asked = visit.login.forgotten(&visit.realm, name, &visit.visitor).await;
    asked.map_err(|refusal| visit.detour(refusal, ""))?;
    let sent = Sent {
        frame: visit.frame,
        name: name.to_owned(),
    };
    Ok(page::answer(StatusCode::OK, &sent))
}
