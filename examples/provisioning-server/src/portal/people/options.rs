//! The options of a field in which a person is typed: those who are called so.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::actions::people;
use crate::domain::account::Account;
use crate::portal::detour::Detour;
use crate::portal::shell::Section;
use crate::portal::visit::Visit;

/// Somebody to choose.
#[derive(Debug, Clone)]
pub(in super::super) struct Called {
    pub(in super::super) display: String,
    pub(in super::super) name: String,
}

/// The options of a list.
#[derive(Debug, Clone, Template)]
#[template(path = "people/options.html")]
pub(in super::super) struct Options {
    pub(in super::super) options: Vec<Called>,
    /// Whether others are called so, too.
    pub(in super::super) has_more: bool,
    /// Whether anything was typed.
    pub(in super::super) is_asked: bool,
}

impl Called {
    fn of(account: Account) -> Self {
        Self {
            display: account.display,
            name: account.name,
        }
    }
}

/// Answers with the options for what was typed.
pub(in super::super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, "users").await?;
    let text = visit.query.text("person").trim();
    let (product, actor, name) = (&visit.product, &administrator.actor, &visit.organization()?.name);
    let (found, has_more) = people::called(product, actor, name, text).await?;
    let shown = Options {
        options: found.into_iter().map(Called::of).collect(),
        has_more,
        is_asked: !text.is_empty(),
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}
