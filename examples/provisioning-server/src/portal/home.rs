//! The first page after sign-in.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::detour::Detour;
use super::frame::Frame;
use super::page;
use super::person::Person;
use super::visit::Visit;
use crate::domain::account::ManagedBy;

#[derive(Debug, Template)]
#[template(path = "home.html")]
pub(super) struct Home {
    pub(super) frame: Frame,
    pub(super) person: Person,
    pub(super) permissions: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "no-access.html")]
pub(super) struct NoAccess {
    pub(super) frame: Frame,
    pub(super) person: Person,
    /// Whether an identity provider looks after the account.
    pub(super) is_provisioned: bool,
}

/// Shows what somebody may do, or that it is nothing yet.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let (_, current) = visit.signed_in("").await?;
    let (frame, person) = (visit.frame.clone(), Person::of(&current));
    if current.permissions.is_empty() {
        let is_provisioned = current.account().managed_by == ManagedBy::Scim;
        let shown = NoAccess {
            frame,
            person,
            is_provisioned,
        };
        return Ok(page::answer(StatusCode::OK, &shown));
    }
    let permissions = current.permissions.iter().map(ToString::to_string).collect();
    let shown = Home {
        frame,
        person,
        permissions,
    };
    Ok(page::answer(StatusCode::OK, &shown))
}
