//! The page of a role.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use crate::actions::role::{self, COUNTED, Changed, Changes, Opened};
use crate::domain::fault::Result as Outcome;
use crate::domain::keyword::Keyword;
use crate::domain::permission::{Area, Permission, Permissions, Right};
use crate::domain::role::Draft;
use crate::portal::administrator::Administrator;
use crate::portal::confirm::Confirm;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::moment::{self, Shown};
use crate::portal::path::id;
use crate::portal::people::{counted, provider};
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// A box of the matrix of permissions.
#[derive(Debug, Clone)]
pub(in super::super) struct Cell {
    pub(in super::super) permission: String,
    pub(in super::super) label: String,
    pub(in super::super) is_ticked: bool,
    /// Whether whoever looks has it, and so can give and take it.
    pub(in super::super) is_own: bool,
}

/// A row of the matrix: an area, to read and to write.
#[derive(Debug, Clone)]
pub(in super::super) struct Line {
    pub(in super::super) area: &'static str,
    pub(in super::super) hint: &'static str,
    pub(in super::super) cells: Vec<Cell>,
}

/// The groups and people that have a role.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Holders {
    pub(in super::super) people: String,
    pub(in super::super) has_any: bool,
    /// The paths of their pages, and their names.
    pub(in super::super) first: Vec<(String, String)>,
    pub(in super::super) has_more: bool,
    pub(in super::super) groups: Vec<(String, String)>,
    pub(in super::super) synchronised: Option<Shown>,
}

#[derive(Debug, Clone, Template)]
#[template(path = "roles/role.html")]
pub(in super::super) struct RolePage {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) trouble: Option<String>,
    pub(in super::super) provider: &'static str,
    /// The page of the role; that of a new one where it is not there yet.
    pub(in super::super) page: String,
    /// Its id; empty where it is not there yet.
    pub(in super::super) id: String,
    pub(in super::super) is_new: bool,
    pub(in super::super) is_mirrored: bool,
    pub(in super::super) heading: String,
    pub(in super::super) name: String,
    pub(in super::super) description: String,
    pub(in super::super) lines: Vec<Line>,
    /// Permissions of applications that it has, and those that whoever looks can give.
    pub(in super::super) applications: Vec<Cell>,
    /// Whether any other can be given: who has none of their own gives none.
    pub(in super::super) gives_any: bool,
    /// One that was typed.
    pub(in super::super) application: String,
    /// Permissions of the catalogue that whoever looks lacks.
    pub(in super::super) lacking: String,
    pub(in super::super) may_change: bool,
    pub(in super::super) may_delete: bool,
    pub(in super::super) holders: Holders,
}

/// The page of a new role.
const NEW: &str = "roles/new";

fn page(id: Uuid) -> String {
    format!("roles/{id}")
}

/// Returns the name of an area, and what it opens.
const fn area(area: Area) -> (&'static str, &'static str) {
    match area {
        Area::Users => ("Users", "People, their sign-in and individual permissions"),
        Area::Groups => ("Groups", "Groups and their members"),
        Area::Mappings => ("Group Mapping", "Which group gives which role"),
        Area::Tokens => ("API tokens", "Generate, rotate, revoke"),
        Area::Integrations => ("Integrations", "Settings of SCIM, the connection"),
        Area::Login => ("Login Settings", "Passwords, second factors, SAML"),
        Area::History => ("API History", "What the identity provider did"),
        Area::HistoryBodies => ("Bodies of requests", "Masked bodies in the history"),
        Area::Audit => ("Audit log", "What administrators did"),
        Area::Webhooks => ("Events", "What other systems are told"),
        Area::Roles => ("User Roles", "Roles and their permissions"),
        Area::Organization => ("Organization", "Everything else, including its deletion"),
    }
}

fn lines(permissions: &Permissions, administrator: &Administrator) -> Vec<Line> {
    let line = |of: &Area| {
        let (name, hint) = area(*of);
        let cell = |right: &Right| {
            let permission = Permission::Catalogue(*of, *right);
            Cell {
                label: format!("{name}: {}", right.word()),
                is_ticked: permissions.has(&permission),
                is_own: may_give(administrator, &permission),
                permission: permission.to_string(),
            }
        };
        Line {
            area: name,
            hint,
            cells: Right::ALL.iter().map(cell).collect(),
        }
    };
    Area::ALL.iter().map(line).collect()
}

fn may_give(administrator: &Administrator, permission: &Permission) -> bool {
    let one = Permissions::from_iter([permission.clone()]);
    administrator.actor.demand_all(&one, "This role").is_ok()
}

fn lacking(administrator: &Administrator) -> String {
    let catalogue = Permission::CATALOGUE.iter();
    let lacking = catalogue.filter(|permission| !may_give(administrator, permission));
    lacking.cloned().collect::<Permissions>().to_string()
}

fn applications(permissions: &Permissions, administrator: &Administrator) -> Vec<Cell> {
    let all = permissions.clone().union(&administrator.actor.permissions);
    let of_application = |permission: &&Permission| matches!(permission, Permission::Application(_));
    let cell = |permission: &Permission| Cell {
        label: permission.to_string(),
        is_ticked: permissions.has(permission),
        is_own: may_give(administrator, permission),
        permission: permission.to_string(),
    };
    all.iter().filter(of_application).map(cell).collect()
}

impl Holders {
    fn of(found: &Opened) -> Self {
        let shown = u64::try_from(found.first.len()).unwrap_or(u64::MAX);
        Self {
            people: match found.people {
                0 => "Nobody has it".to_owned(),
                1 => "1 person has it".to_owned(),
                count => format!("{} people have it", counted(count, COUNTED)),
            },
            has_any: found.people > 0,
            first: found
                .first
                .iter()
                .map(|person| (format!("users/{}", person.id), person.display.clone()))
                .collect(),
            has_more: found.people > shown,
            groups: found
                .groups
                .iter()
                .map(|group| (format!("groups/{}", group.id), group.name.clone()))
                .collect(),
            synchronised: found.synchronised.map(|time| moment::ago(Timestamp::now(), time)),
        }
    }
}

/// A form that was sent.
struct Sent {
    name: String,
    description: String,
    permissions: Outcome<Permissions>,
    application: String,
}

impl Sent {
    fn read(form: &Form) -> Self {
        let named = form.texts("permission").map(str::trim);
        let named = named.filter(|text| !text.is_empty());
        Self {
            name: form.text("name").to_owned(),
            description: form.text("description").to_owned(),
            permissions: named.map(Permission::parse).collect(),
            application: form.texts("permission").last().unwrap_or_default().to_owned(),
        }
    }

    /// Returns the permissions, those that are in order at least.
    fn readable(form: &Form) -> Permissions {
        let named = form.texts("permission");
        named.filter_map(|text| Permission::parse(text).ok()).collect()
    }
}

fn empty(visit: &Visit, administrator: &Administrator) -> Result<RolePage, Detour> {
    Ok(RolePage {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        trouble: None,
        provider: provider(visit.organization()?),
        page: NEW.to_owned(),
        id: String::new(),
        is_new: true,
        is_mirrored: false,
        heading: "Add a role".to_owned(),
        name: String::new(),
        description: String::new(),
        lines: lines(&Permissions::NONE, administrator),
        applications: applications(&Permissions::NONE, administrator),
        gives_any: administrator.actor.is_of_instance(),
        application: String::new(),
        lacking: lacking(administrator),
        may_change: administrator.shell.may(&role::CHANGE.permission),
        may_delete: false,
        holders: Holders::default(),
    })
}

/// Returns a page with what was sent.
fn again(shown: RolePage, form: &Form, administrator: &Administrator, trouble: String) -> RolePage {
    let readable = Sent::readable(form);
    let sent = Sent::read(form);
    RolePage {
        trouble: Some(trouble),
        name: sent.name,
        description: sent.description,
        lines: lines(&readable, administrator),
        applications: applications(&readable, administrator),
        application: match sent.permissions {
            Ok(_) => String::new(),
            Err(_) => sent.application,
        },
        ..shown
    }
}

/// Asks for a new role.
pub(in super::super) async fn get_new(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Roles, NEW).await?;
    visit.demand(&administrator, &role::CREATE, NEW)?;
    Ok(administrator.answer(StatusCode::OK, &empty(&visit, &administrator)?))
}

/// Makes a role.
pub(in super::super) async fn post_new(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Roles, NEW).await?;
    let sent = Sent::read(&form);
    let organization = &visit.organization()?.name;
    let made = match sent.permissions {
        Ok(permissions) => {
            let draft = Draft {
                name: sent.name,
                description: sent.description,
                permissions,
            };
            role::create(&visit.product, &administrator.actor, organization, draft).await
        }
        Err(fault) => Err(fault),
    };
    match made {
        Ok(made) => Ok(visit.done(&page(made.id.0), &format!("The role {} was made.", made.name))),
        Err(fault) => {
            let trouble = visit.trouble(fault, NEW)?;
            let shown = again(empty(&visit, &administrator)?, &form, &administrator, trouble);
            Ok(administrator.answer(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}

async fn known(visit: &Visit, administrator: &Administrator, id: Uuid) -> Result<RolePage, Detour> {
    let name = &visit.organization()?.name;
    let found = role::open(&visit.product, &administrator.actor, name, &id.to_string()).await?;
    let role = &found.role;
    let may_change = administrator.shell.may(&role::CHANGE.permission);
    Ok(RolePage {
        page: page(id),
        id: id.to_string(),
        is_new: false,
        is_mirrored: role.mirrors.is_some(),
        heading: role.name.clone(),
        name: role.name.clone(),
        description: role.description.clone(),
        lines: lines(&role.permissions, administrator),
        applications: applications(&role.permissions, administrator),
        may_delete: may_change && role.mirrors.is_none(),
        holders: Holders::of(&found),
        ..empty(visit, administrator)?
    })
}

/// Shows a role.
pub(in super::super) async fn get(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let id = id(&path, "role")?;
    let administrator = visit.administrator(Section::Roles, &page(id)).await?;
    let shown = known(&visit, &administrator, id).await?;
    Ok(administrator.answer(StatusCode::OK, &shown))
}

/// The field that says that somebody has seen what a change does.
const SEEN: &str = "seen";

/// Changes a role; where people gain or lose something by it, once that was seen.
pub(in super::super) async fn post(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let id = id(&path, "role")?;
    let administrator = visit.administrator(Section::Roles, &page(id)).await?;
    match change(&visit, &administrator, id, &form).await? {
        Ok(answer) => Ok(answer),
        Err(fault) => {
            let trouble = visit.trouble(fault, &page(id))?;
            let shown = known(&visit, &administrator, id).await?;
            let shown = again(shown, &form, &administrator, trouble);
            Ok(administrator.answer(StatusCode::UNPROCESSABLE_ENTITY, &shown))
        }
    }
}

async fn change(
    visit: &Visit,
    administrator: &Administrator,
    id: Uuid,
    form: &Form,
) -> Result<Outcome<Response>, Detour> {
    let sent = Sent::read(form);
    let permissions = match sent.permissions {
        Ok(permissions) => permissions,
        Err(fault) => return Ok(Err(fault)),
    };
    let (product, actor) = (&visit.product, &administrator.actor);
    let (name, role) = (&visit.organization()?.name, id.to_string());
    let found = role::open(product, actor, name, &role).await?.role;
    // The boxes show a permission to read beside the one to write that implies it: nothing has changed by that.
    let is_same = found.permissions.covers(&permissions) && permissions.covers(&found.permissions);
    let changes = Changes {
        name: (found.mirrors.is_none() && sent.name.trim() != found.name).then_some(sent.name),
        description: (sent.description.trim() != found.description).then_some(sent.description),
        permissions: (!is_same).then_some(permissions),
        ..Changes::default()
    };
    let preview = match role::preview_change(product, actor, name, &role, changes.clone()).await {
        Ok(preview) => preview,
        Err(fault) => return Ok(Err(fault)),
    };
    let moves = preview.people > 0 && !(preview.gained.is_empty() && preview.lost.is_empty());
    if moves && form.text(SEEN).is_empty() {
        return Ok(Ok(ask(visit, administrator, id, form, &preview)));
    }
    let changed = role::change(product, actor, name, &role, changes).await;
    Ok(changed.map(|done| visit.done(&page(id), &format!("The role {} was saved.", done.role.name))))
}

/// Asks whether people shall gain and lose what a change gives and takes.
fn ask(visit: &Visit, administrator: &Administrator, id: Uuid, form: &Form, preview: &Changed) -> Response {
    let have = match preview.people {
        1 => "1 person has".to_owned(),
        people => format!("{} people have", counted(people, COUNTED)),
    };
    let mut consequences = vec![format!("{have} the role {} at the moment.", preview.before.name)];
    if !preview.gained.is_empty() {
        consequences.push(format!("Gained with it: {}.", preview.gained));
    }
    if !preview.lost.is_empty() {
        consequences.push(format!(
            "Lost with it: {}, unless another role or an individual permission gives it.",
            preview.lost
        ));
    }
    consequences.push("This has its effect at once.".to_owned());
    let mut hidden = vec![
        ("name", form.text("name").to_owned()),
        ("description", form.text("description").to_owned()),
        (SEEN, "yes".to_owned()),
    ];
    hidden.extend(
        form.texts("permission")
            .map(|text| ("permission", text.to_owned())),
    );
    let shown = Confirm {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        question: format!("Save the role {}?", preview.after.name),
        consequences,
        step: "Save the role".to_owned(),
        typed: None,
        hidden,
        action: page(id),
        back: page(id),
        trouble: None,
    };
    administrator.answer(StatusCode::OK, &shown)
}

fn delete_page(id: Uuid) -> String {
    format!("roles/{id}/delete")
}

/// Asks whether to delete a role, and names who loses it.
pub(in super::super) async fn get_delete(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let id = id(&path, "role")?;
    let administrator = visit.administrator(Section::Roles, &delete_page(id)).await?;
    ask_to_delete(&visit, &administrator, id, None).await
}

async fn ask_to_delete(
    visit: &Visit,
    administrator: &Administrator,
    id: Uuid,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    visit.demand(administrator, &role::DELETE, &delete_page(id))?;
    let name = &visit.organization()?.name;
    let found = role::open(&visit.product, &administrator.actor, name, &id.to_string()).await?;
    found.role.demand_own()?;
    let status = match trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let shown = Confirm {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        question: format!("Delete the role {}?", found.role.name),
        consequences: losing(&found),
        step: "Delete the role".to_owned(),
        typed: None,
        hidden: Vec::new(),
        action: delete_page(id),
        back: page(id),
        trouble,
    };
    Ok(administrator.answer(status, &shown))
}

/// Returns who loses a role that is deleted, and which groups are not mapped to it any more.
fn losing(found: &Opened) -> Vec<String> {
    let names = |names: Vec<&str>, more: bool| names.join(", ") + if more { " and others" } else { "" };
    let first: Vec<_> = found.first.iter().map(|person| person.display.as_str()).collect();
    let has_more = found.people > u64::try_from(first.len()).unwrap_or(u64::MAX);
    let mut consequences = vec![match found.people {
        0 => "Nobody has it: nobody loses anything.".to_owned(),
        1 => format!("1 person loses it at once: {}.", names(first, has_more)),
        count => format!(
            "{} people lose it at once: {}.",
            counted(count, COUNTED),
            names(first, has_more)
        ),
    }];
    if !found.groups.is_empty() {
        let groups: Vec<_> = found.groups.iter().map(|group| group.name.as_str()).collect();
        consequences.push(format!(
            "These groups are not mapped to it any more: {}.",
            names(groups, false)
        ));
    }
    consequences.push(
        "The people and the groups themselves stay. A role that is deleted does not come back.".to_owned(),
    );
    consequences
}

/// Deletes a role.
pub(in super::super) async fn delete(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let id = id(&path, "role")?;
    let administrator = visit.administrator(Section::Roles, &delete_page(id)).await?;
    let name = &visit.organization()?.name;
    match role::delete(&visit.product, &administrator.actor, name, &id.to_string()).await {
        Ok(gone) => Ok(visit.done("roles", &format!("The role {} was deleted.", gone.role.name))),
        Err(fault) => {
            let trouble = visit.trouble(fault, &delete_page(id))?;
            ask_to_delete(&visit, &administrator, id, Some(trouble)).await
        }
    }
}
