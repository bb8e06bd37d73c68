//! A group of the identity provider.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use crate::actions::group::{self, COUNTED};
use crate::domain::account::Account;
use crate::domain::permission::Permission;
use crate::domain::settings::Groups;
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::moment::{self, Shown};
use crate::portal::path::id;
use crate::portal::people::badge::Badge;
use crate::portal::people::{counted, provider};
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// How many members a page has.
pub(super) const SIZE: u32 = 50;

/// Somebody in a group.
#[derive(Debug, Clone)]
pub(in super::super) struct Member {
    pub(in super::super) id: String,
    pub(in super::super) display: String,
    pub(in super::super) name: String,
    pub(in super::super) states: Vec<Badge>,
    pub(in super::super) side: Badge,
}

impl Member {
    pub(super) fn of(account: &Account) -> Self {
        Self {
            id: account.id.to_string(),
            display: account.display.clone(),
            name: account.name.clone(),
            states: Badge::of_state(account, false),
            side: Badge::of_side(account.managed_by),
        }
    }
}

#[derive(Debug, Clone, Template)]
#[template(path = "groups/provisioned.html")]
pub(in super::super) struct Provisioned {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) provider: &'static str,
    pub(in super::super) name: String,
    pub(in super::super) id: String,
    pub(in super::super) external_id: Option<String>,
    pub(in super::super) created: Shown,
    pub(in super::super) synchronised: Option<Shown>,
    pub(in super::super) people: String,
    pub(in super::super) members: Vec<Member>,
    pub(in super::super) said: String,
    pub(in super::super) first: Option<String>,
    pub(in super::super) next: Option<String>,
    /// The names and ids of the roles.
    pub(in super::super) roles: Vec<(String, String)>,
    /// Whether groups become roles, instead of being mapped to them.
    pub(in super::super) is_mirrored: bool,
}

/// Shows a group.
pub(in super::super) async fn get(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let id = id(&path, "group")?.to_string();
    let own = format!("groups/{id}");
    let administrator = visit.administrator(Section::Groups, &own).await?;
    let organization = visit.organization()?;
    let behind = visit.query.text("behind").parse().ok();
    let (product, actor, name) = (&visit.product, &administrator.actor, &organization.name);
    let found = group::open(product, actor, name, &id, behind, SIZE).await?;
    let own = visit.frame.path(&own);
    let last = found.members.last().filter(|_| found.has_more);
    let last = last.and_then(|last| last.row);
    let shown = Provisioned {
        provider: provider(organization),
        id: found.group.id,
        external_id: found.group.external_id,
        created: moment::on_day(found.group.created),
        synchronised: found.synchronised.map(|time| moment::ago(Timestamp::now(), time)),
        people: match found.count {
            1 => "1 person".to_owned(),
            count => format!("{} people", counted(count, COUNTED)),
        },
        said: format!("{} of {}", found.members.len(), counted(found.count, COUNTED)),
        members: found.members.iter().map(Member::of).collect(),
        next: last.map(|row| format!("{own}?behind={row}")),
        first: behind.map(|_: i64| own),
        roles: found
            .roles
            .iter()
            .map(|role| (role.name.clone(), role.id.to_string()))
            .collect(),
        is_mirrored: organization.settings.groups == Groups::Mirror,
        name: found.group.name,
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}
