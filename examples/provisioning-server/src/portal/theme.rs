//! The appearance that somebody has chosen for their browser.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;
use http::header::SET_COOKIE;

use super::cookies::Cookies;
use super::destination::Destination;
use super::form::Form;
use super::visit::Visit;

const THEME: &str = "theme";
const AGE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An appearance other than the one of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    Light,
    Dark,
}

impl Theme {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }

    /// Returns the one that the browser has kept.
    pub(super) fn read(cookies: Cookies, asked: &HeaderMap) -> Option<Self> {
        Self::parse(cookies.read(asked, THEME)?)
    }
}

impl Display for Theme {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Light => "light",
            Self::Dark => "dark",
        })
    }
}

/// Has the browser keep an appearance, and leads back to the page.
pub(super) async fn post(visit: Visit, form: Form) -> Response {
    let back = Destination::to(form.text("to"));
    let mut answer = Redirect::to(&visit.frame.path(back.page())).into_response();
    let cookies = visit.cookies();
    let cookie = match Theme::parse(form.text(THEME)) {
        Some(theme) => cookies.set(THEME, &theme.to_string(), Some(AGE)),
        None => cookies.delete(THEME),
    };
    if let Some(cookie) = cookie {
        answer.headers_mut().append(SET_COOKIE, cookie);
    }
    answer
}
