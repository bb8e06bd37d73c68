//! The list of roles.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use url::form_urlencoded::Serializer;

use crate::actions::role::{self, COUNTED_OF_LIST, Shown};
use crate::database::page::Page;
use crate::domain::permission::Permission;
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::people::{counted, provider};
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// How many roles that mirror groups a page has.
const SIZE: u32 = 50;

/// One role of the list.
#[derive(Debug, Clone)]
pub(in super::super) struct Row {
    pub(in super::super) id: String,
    pub(in super::super) name: String,
    pub(in super::super) description: String,
    pub(in super::super) people: String,
    pub(in super::super) permissions: usize,
    pub(in super::super) is_mirrored: bool,
    pub(in super::super) needs_permissions: bool,
    /// Whether it lets people give others more than they have.
    pub(in super::super) escalates: bool,
}

#[derive(Debug, Clone, Template)]
#[template(path = "roles/list.html")]
pub(in super::super) struct List {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) provider: &'static str,
    pub(in super::super) is_mirrored: bool,
    pub(in super::super) synchronised: Option<moment::Shown>,
    pub(in super::super) roles: Vec<Row>,
    pub(in super::super) prefix: String,
    pub(in super::super) said: String,
    pub(in super::super) first: Option<String>,
    pub(in super::super) next: Option<String>,
    pub(in super::super) may_add: bool,
}

impl Row {
    fn of(shown: &Shown) -> Self {
        let role = &shown.role;
        Self {
            id: role.id.to_string(),
            name: role.name.clone(),
            description: role.description.clone(),
            people: counted(shown.people, COUNTED_OF_LIST),
            permissions: role.permissions.iter().count(),
            is_mirrored: role.mirrors.is_some(),
            needs_permissions: role.needs_permissions(),
            escalates: role.permissions.escalate(),
        }
    }
}

/// Shows the list.
pub(in super::super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Roles, "roles").await?;
    let organization = visit.organization()?;
    let query = &visit.query;
    let prefix = query.text("q").trim().to_owned();
    let behind = query.text("behind").parse().ok();
    let page = Page {
        prefix: prefix.clone(),
        behind: behind.map(|row| (query.text("name").to_owned(), row)),
        size: SIZE,
    };
    let (product, actor) = (&visit.product, &administrator.actor);
    let found = role::page(product, actor, &organization.name, page).await?;
    let path = |last: Option<(&str, i64)>| {
        let mut query = Serializer::new(String::new());
        if !prefix.is_empty() {
            query.append_pair("q", &prefix);
        }
        if let Some((name, row)) = last {
            query
                .append_pair("name", name)
                .append_pair("behind", &row.to_string());
        }
        format!("{}?{}", visit.frame.path("roles"), query.finish())
    };
    let last = found.roles.last().filter(|_| found.has_more);
    let last = last.and_then(|last| Some((last.role.name.as_str(), last.role.mirrors?)));
    let shell = administrator.shell.clone();
    let shown = List {
        provider: provider(organization),
        is_mirrored: found.is_mirrored,
        synchronised: found.synchronised.map(|time| moment::ago(Timestamp::now(), time)),
        said: match found.roles.len() {
            1 => "1 role".to_owned(),
            count => format!("{count} roles"),
        },
        first: behind.map(|_: i64| path(None)),
        next: last.map(|last| path(Some(last))),
        roles: found.roles.iter().map(Row::of).collect(),
        may_add: shell.may(&Permission::ROLES_WRITE),
        prefix: prefix.clone(),
        frame: visit.frame.clone(),
        shell,
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}
