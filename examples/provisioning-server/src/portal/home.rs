//! The first page after sign-in. That of the instance is the list of its organizations.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::detour::Detour;
use super::frame::Frame;
use super::overview;
use super::shell::{Section, Shell};
use super::visit::Visit;
use crate::actions::own_groups::{self, OwnGroups};
use crate::domain::account::ManagedBy;
use crate::domain::realm::Realm;

#[derive(Debug, Template)]
#[template(path = "no-access.html")]
pub(super) struct NoAccess {
    pub(super) frame: Frame,
    pub(super) shell: Shell,
    /// Whether an identity provider looks after the account.
    pub(super) is_provisioned: bool,
    /// The groups of the person, none of which gives a role.
    pub(super) groups: OwnGroups,
}

/// Shows what is going on, or that somebody has no access yet.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Overview, "").await?;
    if let Realm::Instance = visit.realm {
        return Err(Detour::To(visit.frame.path("organizations")));
    }
    let (frame, shell) = (visit.frame.clone(), administrator.shell.clone());
    if shell.permissions.is_empty() {
        let shown = NoAccess {
            frame,
            shell,
            is_provisioned: administrator.managed_by == ManagedBy::Scim,
            groups: own_groups::list(&visit.product, &administrator.actor, visit.organization()?).await?,
        };
        return Ok(administrator.answer(StatusCode::OK, &shown));
    }
    overview::show(&visit, &administrator).await
}
