//! The list of groups.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use url::form_urlencoded::Serializer;

use crate::actions::group::{self, COUNTED_OF_LIST, Totals};
use crate::actions::local_group;
use crate::database::page::Page;
use crate::domain::counted::counted as some;
use crate::domain::keyword::{Keyword, keywords};
use crate::domain::permission::Permission;
use crate::domain::settings::{Assignment, Groups};
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::moment::{self, Shown};
use crate::portal::people::{counted, provider};
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// How many groups a page has.
const SIZE: u32 = 50;

keywords! {
    /// A part of all groups.
    Kind {
        /// Those of the identity provider.
        Provisioned = "provisioned",
        /// Those of them that are mapped to no role.
        Unmapped = "unmapped",
        /// Those that are kept here.
        Local = "local",
    }
}

/// One group of the list.
#[derive(Debug, Clone)]
pub(in super::super) struct Row {
    /// The path of its page within the realm.
    pub(in super::super) page: String,
    pub(in super::super) name: String,
    /// The text that tells it from another of its name.
    pub(in super::super) below: String,
    pub(in super::super) people: String,
    /// The names of its roles.
    pub(in super::super) roles: String,
}

/// One choice of the segments.
#[derive(Debug, Clone)]
pub(in super::super) struct Choice {
    pub(in super::super) kind: Kind,
    pub(in super::super) label: &'static str,
    pub(in super::super) count: Option<u64>,
    pub(in super::super) path: String,
}

#[derive(Debug, Clone, Template)]
#[template(path = "groups/list.html")]
pub(in super::super) struct List {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) provider: &'static str,
    pub(in super::super) summary: String,
    pub(in super::super) synchronised: Option<Shown>,
    pub(in super::super) kind: Kind,
    pub(in super::super) choices: Vec<Choice>,
    pub(in super::super) prefix: String,
    pub(in super::super) groups: Vec<Row>,
    pub(in super::super) said: String,
    pub(in super::super) first: Option<String>,
    pub(in super::super) next: Option<String>,
    /// Whether groups become roles, instead of being mapped to them.
    pub(in super::super) is_mirrored: bool,
    /// Whether groups that are kept here give roles.
    pub(in super::super) has_local_groups: bool,
    pub(in super::super) may_add: bool,
}

/// A page of groups of either kind.
struct Found {
    rows: Vec<Row>,
    /// The name and the key of the last one, if others follow.
    last: Option<(String, String)>,
    totals: Totals,
}

impl From<group::Groups> for Found {
    fn from(found: group::Groups) -> Self {
        let last = found.groups.last().filter(|_| found.has_more);
        Self {
            last: last.map(|last| (last.group.name.clone(), last.group.row.to_string())),
            rows: found.groups.into_iter().map(Row::of_provider).collect(),
            totals: found.totals,
        }
    }
}

impl From<local_group::Groups> for Found {
    fn from(found: local_group::Groups) -> Self {
        let last = found.groups.last().filter(|_| found.has_more);
        Self {
            last: last.map(|last| (last.group.name.clone(), "local".to_owned())),
            rows: found.groups.into_iter().map(Row::kept_here).collect(),
            totals: found.totals,
        }
    }
}

impl Row {
    fn of_provider(listed: group::Listed) -> Self {
        Self {
            page: format!("groups/{}", listed.group.id),
            below: listed.group.external_id.unwrap_or_default(),
            people: counted(listed.members, COUNTED_OF_LIST),
            roles: listed.roles.join(", "),
            name: listed.group.name,
        }
    }

    fn kept_here(listed: local_group::Listed) -> Self {
        Self {
            page: format!("groups/local/{}", listed.group.id),
            below: listed.group.description,
            people: listed.members.to_string(),
            roles: listed.roles.join(", "),
            name: listed.group.name,
        }
    }
}

fn path(frame: &Frame, kind: Kind, prefix: &str, behind: Option<&(String, String)>) -> String {
    let mut query = Serializer::new(String::new());
    if kind != Kind::Provisioned {
        query.append_pair("show", kind.word());
    }
    if !prefix.is_empty() {
        query.append_pair("q", prefix);
    }
    if let Some((name, key)) = behind {
        query.append_pair("name", name).append_pair("behind", key);
    }
    let query = query.finish();
    match query.is_empty() {
        true => frame.path("groups"),
        false => format!("{}?{query}", frame.path("groups")),
    }
}

/// Shows the list.
pub(in super::super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Groups, "groups").await?;
    let organization = visit.organization()?;
    let (query, frame) = (&visit.query, &visit.frame);
    let kind = Kind::from_word(query.text("show")).unwrap_or(Kind::Provisioned);
    let prefix = query.text("q").trim().to_owned();
    let (name, key) = (query.text("name").to_owned(), query.text("behind"));
    let found = match kind {
        Kind::Local => {
            let page = Page {
                prefix: prefix.clone(),
                behind: (!key.is_empty()).then_some((name, ())),
                size: SIZE,
            };
            let (product, actor) = (&visit.product, &administrator.actor);
            Found::from(local_group::page(product, actor, &organization.name, page).await?)
        }
        Kind::Provisioned | Kind::Unmapped => {
            let shown = group::Shown {
                page: Page {
                    prefix: prefix.clone(),
                    behind: key.parse().ok().map(|key| (name, key)),
                    size: SIZE,
                },
                unmapped: kind == Kind::Unmapped,
            };
            let (product, actor) = (&visit.product, &administrator.actor);
            Found::from(group::page(product, actor, &organization.name, shown).await?)
        }
    };
    let settings = &organization.settings;
    let has_local_groups = settings.assignment == Assignment::LocalGroups;
    let is_mirrored = settings.groups == Groups::Mirror;
    let choice = |kind, label, count| Choice {
        kind,
        label,
        count,
        path: path(frame, kind, &prefix, None),
    };
    let mut choices = vec![choice(
        Kind::Provisioned,
        "From the provider",
        Some(found.totals.provisioned),
    )];
    if !is_mirrored {
        choices.push(choice(Kind::Unmapped, "Not mapped", None));
    }
    if has_local_groups || found.totals.local > 0 {
        choices.push(choice(Kind::Local, "Kept here", Some(found.totals.local)));
    }
    let shell = administrator.shell.clone();
    let provider = provider(organization);
    let shown = List {
        provider,
        summary: format!(
            "{} from {provider}, {} kept here.",
            some(found.totals.provisioned, "group comes", "groups come"),
            match found.totals.local {
                1 => "1 is".to_owned(),
                count => format!("{count} are"),
            }
        ),
        synchronised: found
            .totals
            .synchronised
            .map(|time| moment::ago(Timestamp::now(), time)),
        kind,
        choices,
        said: some(
            u64::try_from(found.rows.len()).unwrap_or(u64::MAX),
            "group",
            "groups",
        ) + ", by name",
        first: (!key.is_empty()).then(|| path(frame, kind, &prefix, None)),
        next: found
            .last
            .as_ref()
            .map(|last| path(frame, kind, &prefix, Some(last))),
        prefix,
        groups: found.rows,
        is_mirrored,
        has_local_groups,
        may_add: has_local_groups && shell.may(&Permission::GROUPS_WRITE),
        frame: frame.clone(),
        shell,
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}
