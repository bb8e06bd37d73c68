//! The tab Group Mapping: which roles the members of a provider's group have.
//!
//! Additions and removals are a draft that stands in hidden fields of the form until it is saved as a whole.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;

use super::list::List;
use super::panel::{self, MAPPING, Opened, Panel, Tab};
use crate::actions::alert::{self, Restorable};
use crate::actions::mapping::{self, Foreseen, Listed, Moved, People, Wanted};
use crate::actions::{group, role};
use crate::database::accounts::Named;
use crate::database::page::Page;
use crate::domain::counted::counted as some;
use crate::domain::fault::{Fault, Kind};
use crate::domain::group::ProvisionedGroup;
use crate::domain::guide;
use crate::domain::permission::Permission;
use crate::domain::role::Role;
use crate::domain::settings::Groups;
use crate::portal::confirm::Confirm;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::people::counted;
use crate::portal::problem::Problem;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// How many groups a list shows.
const ROWS: u32 = 50;
/// How many groups there are to choose from; beyond that one looks for them by name.
const OPTIONS: u32 = 200;

/// A row of the list.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Row {
    pub(in crate::portal) id: String,
    pub(in crate::portal) name: String,
    /// The id that the provider has for it, where others have the same name.
    pub(in crate::portal) external_id: Option<String>,
    pub(in crate::portal) roles: Vec<String>,
    /// How many people the group has, in words.
    pub(in crate::portal) people: String,
    /// The person who has mapped it, and the time; nothing while nobody has.
    pub(in crate::portal) mapped: Option<(String, moment::Shown)>,
    pub(in crate::portal) state: State,
}

/// How a row stands to what is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portal) enum State {
    Saved,
    New,
    Changed,
    Removed,
}

/// A group to choose.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Choice {
    pub(in crate::portal) id: String,
    pub(in crate::portal) text: String,
    pub(in crate::portal) is_chosen: bool,
}

/// A role to choose.
#[derive(Debug, Clone)]
pub(in crate::portal) struct RoleChoice {
    pub(in crate::portal) id: String,
    pub(in crate::portal) name: String,
    pub(in crate::portal) description: String,
    pub(in crate::portal) is_chosen: bool,
}

/// The people who gain or lose a role once the draft is saved.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Effect {
    pub(in crate::portal) class: &'static str,
    pub(in crate::portal) sign: String,
    pub(in crate::portal) sentence: String,
    /// The first of them, each with the path of their page, and how many there are beside them.
    pub(in crate::portal) first: Vec<(String, String)>,
    pub(in crate::portal) others: u64,
}

/// A group that was deleted while it was mapped.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Gone {
    pub(in crate::portal) id: String,
    pub(in crate::portal) name: String,
    pub(in crate::portal) roles: Vec<String>,
    pub(in crate::portal) people: String,
    pub(in crate::portal) lost: String,
    /// The name of the group that has come in its place.
    pub(in crate::portal) successor: Option<String>,
}

/// By what mappings are added.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Editor {
    pub(in crate::portal) groups: Vec<Choice>,
    pub(in crate::portal) roles: Vec<RoleChoice>,
    /// The beginning of the names of the groups that are looked for.
    pub(in crate::portal) q: String,
    /// Whether there are more groups than are shown.
    pub(in crate::portal) is_searched: bool,
}

#[derive(Debug, Template)]
#[template(path = "integrations/mapping.html")]
pub(in crate::portal) struct Mappings {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) list: List,
    pub(in crate::portal) panel: Panel,
    pub(in crate::portal) trouble: Option<String>,
    pub(in crate::portal) asks_first: bool,
    /// Whether saving will ask for a confirmation.
    pub(in crate::portal) is_stale: bool,
    pub(in crate::portal) called_within: &'static str,
    pub(in crate::portal) has_groups: bool,
    pub(in crate::portal) editor: Option<Editor>,
    pub(in crate::portal) rows: Vec<Row>,
    /// The draft as it stands in the form.
    pub(in crate::portal) draft: Vec<String>,
    pub(in crate::portal) effects: Vec<Effect>,
    /// The draft's effect in a sentence.
    pub(in crate::portal) summary: String,
    /// Roles of the draft whose holders can change the organization.
    pub(in crate::portal) escalating: Vec<String>,
    pub(in crate::portal) gone: Vec<Gone>,
    /// The paths of the first page and of the next one.
    pub(in crate::portal) first: Option<String>,
    pub(in crate::portal) next: Option<String>,
}

/// A role that mirrors a group.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Mirrored {
    pub(in crate::portal) id: String,
    pub(in crate::portal) name: String,
    pub(in crate::portal) needs_permissions: bool,
    pub(in crate::portal) permissions: String,
    pub(in crate::portal) since: String,
}

#[derive(Debug, Template)]
#[template(path = "integrations/mirror.html")]
pub(in crate::portal) struct Mirror {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) list: List,
    pub(in crate::portal) panel: Panel,
    pub(in crate::portal) called: &'static str,
    pub(in crate::portal) called_within: &'static str,
    pub(in crate::portal) roles: Vec<Mirrored>,
    /// The paths of the first page and of the next one.
    pub(in crate::portal) first: Option<String>,
    pub(in crate::portal) next: Option<String>,
}

/// Everything that is to be saved, in the order in which it was added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Draft(Vec<Wanted>);

impl Draft {
    /// Reads the hidden fields: `GROUP=ROLE,ROLE`.
    fn read(form: &Form) -> Self {
        let entries = form.texts("draft").take(mapping::MOST + 1).filter_map(|text| {
            let (group, roles) = text.split_once('=')?;
            let roles = roles.split(',').filter(|role| !role.is_empty());
            Some(Wanted {
                group: group.to_owned(),
                roles: roles.map(str::to_owned).collect(),
            })
        });
        Self(entries.collect())
    }

    fn written(&self) -> Vec<String> {
        let entry = |wanted: &Wanted| format!("{}={}", wanted.group, wanted.roles.join(","));
        self.0.iter().map(entry).collect()
    }

    fn forget(&mut self, group: &str) {
        self.0.retain(|wanted| wanted.group != group);
    }

    fn put(&mut self, wanted: Wanted) {
        self.forget(&wanted.group);
        self.0.push(wanted);
    }

    fn has(&self, group: &str) -> bool {
        self.0.iter().any(|wanted| wanted.group == group)
    }
}

/// The input, and what came of it.
#[derive(Default)]
struct Entered {
    draft: Draft,
    /// The group and the roles that are chosen and not added yet.
    group: String,
    roles: Vec<String>,
    q: String,
    trouble: Option<String>,
    asks_first: bool,
}

impl Entered {
    fn read(form: &Form) -> Self {
        Self {
            draft: Draft::read(form),
            group: form.text("group").to_owned(),
            roles: form.texts("role").map(str::to_owned).collect(),
            q: form.text("q").to_owned(),
            ..Self::default()
        }
    }
}

/// Shows the mappings.
pub(super) async fn get(visit: Visit) -> Result<Response, Detour> {
    let entered = Entered::read(&visit.query);
    show(&visit, StatusCode::OK, entered).await
}

/// Changes the draft, or saves it.
pub(super) async fn post(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Integrations, MAPPING).await?;
    if !administrator.shell.may(&mapping::SET.permission) {
        administrator.actor.demand(&mapping::SET)?;
    }
    let mut entered = Entered::read(&form);
    let (step, group) = form.text("do").split_once(':').unwrap_or((form.text("do"), ""));
    match step {
        "add" => add(&mut entered),
        "remove" => remove(&visit, &mut entered, group).await?,
        "undo" => entered.draft.forget(group),
        "save" => {
            let organization = &visit.organization()?.name;
            let wanted = entered.draft.0.clone();
            let saved = mapping::set_all(&visit.product, &administrator.actor, organization, wanted).await;
            match saved {
                Ok(foreseen) => {
                    let sentence = format!("The mappings were saved. {}", foreseen.sentence());
                    return Ok(visit.done(MAPPING, &sentence));
                }
                Err(fault) if fault.kind() == Kind::Stale => entered.asks_first = true,
                Err(fault) => entered.trouble = Some(trouble(&visit, fault)?),
            }
        }
        _ => {}
    }
    let status = match entered.trouble.is_some() || entered.asks_first {
        true => StatusCode::UNPROCESSABLE_ENTITY,
        false => StatusCode::OK,
    };
    show(&visit, status, entered).await
}

/// Returns the sentence of a fault that the page can say: the draft must not be lost because of it.
fn trouble(visit: &Visit, fault: Fault) -> Result<String, Detour> {
    match fault.kind() {
        Kind::Forbidden | Kind::NotFound => Ok(fault.to_string()),
        _ => visit.trouble(fault, MAPPING),
    }
}

fn add(entered: &mut Entered) {
    if entered.group.is_empty() || entered.roles.is_empty() {
        let text = "Choose a group and at least one role, then add them to the list.";
        entered.trouble = Some(text.to_owned());
        return;
    }
    let group = std::mem::take(&mut entered.group);
    let roles = std::mem::take(&mut entered.roles);
    entered.draft.put(Wanted { group, roles });
    entered.q.clear();
}

/// Takes a row out: one that is only in the draft is forgotten, one that is saved is to be removed.
async fn remove(visit: &Visit, entered: &mut Entered, group: &str) -> Result<(), Detour> {
    let is_new = entered.draft.has(group) && !is_mapped(visit, group).await?;
    entered.draft.forget(group);
    if !is_new {
        entered.draft.put(Wanted {
            group: group.to_owned(),
            roles: Vec::new(),
        });
    }
    Ok(())
}

async fn is_mapped(visit: &Visit, group: &str) -> Result<bool, Detour> {
    let administrator = visit.administrator(Section::Integrations, MAPPING).await?;
    let organization = &visit.organization()?.name;
    let wanted = vec![Wanted {
        group: group.to_owned(),
        roles: Vec::new(),
    }];
    let foreseen = mapping::preview_all(&visit.product, &administrator.actor, organization, wanted).await?;
    Ok(foreseen.groups.iter().any(|one| !one.before.is_empty()))
}

async fn show(visit: &Visit, status: StatusCode, entered: Entered) -> Result<Response, Detour> {
    let opened = panel::open(visit, Tab::Mapping, MAPPING).await?;
    if opened.shown.organization.settings.groups == Groups::Mirror {
        return mirror(visit, &opened).await;
    }
    let page = mappings(visit, &opened, entered).await?;
    Ok(opened.administrator.answer(status, &page))
}

async fn mappings(visit: &Visit, opened: &Opened, mut entered: Entered) -> Result<Mappings, Detour> {
    let (product, actor) = (&visit.product, &opened.administrator.actor);
    let organization = &opened.shown.organization.name;
    let behind = behind(&visit.query);
    let page = Page {
        behind: behind.clone(),
        size: ROWS + 1,
        ..Page::default()
    };
    let mut listed = mapping::page(product, actor, organization, page).await?;
    let next = cut(&mut listed, |one| {
        let group = &one.mapping.group;
        (group.name.clone(), group.row)
    });
    let foreseen = match mapping::preview_all(product, actor, organization, entered.draft.0.clone()).await {
        Ok(foreseen) => foreseen,
        // A group or role of the draft is gone: it begins anew.
        Err(fault) if matches!(fault.kind(), Kind::NotFound | Kind::Conflict | Kind::Invalid) => {
            entered.trouble.get_or_insert(fault.to_string());
            entered.draft = Draft::default();
            mapping::preview_all(product, actor, organization, Vec::new()).await?
        }
        Err(fault) => return Err(fault.into()),
    };
    let may_edit = [&mapping::SET, &group::LIST, &role::LIST]
        .iter()
        .all(|action| opened.shell.may(&action.permission));
    let editor = match may_edit && opened.shown.groups > 0 {
        true => Some(editor(visit, opened, &entered, &foreseen).await?),
        false => None,
    };
    let gone = alert::lost_mappings(product, actor, organization).await?;
    let escalates = |role: &&Role| role.permissions.has(&Permission::ORGANIZATION_WRITE);
    let escalating = foreseen.changes.iter().map(|(role, _)| role).filter(escalates);
    Ok(Mappings {
        rows: rows(&listed, &foreseen, opened.now),
        draft: entered.draft.written(),
        effects: effects(&foreseen, &opened.frame),
        summary: foreseen.sentence(),
        escalating: escalating.map(|role| role.name.clone()).collect(),
        gone: gone.into_iter().map(|gone| Gone::of(gone, opened)).collect(),
        is_stale: may_edit && actor.demand(&mapping::SET).is_err(),
        called_within: guide::called(opened.shown.organization.settings.idp),
        has_groups: opened.shown.groups > 0,
        trouble: entered.trouble,
        asks_first: entered.asks_first,
        editor,
        next: next.map(|page| opened.frame.path(&page)),
        first: behind.as_ref().map(|_| opened.frame.path(MAPPING)),
        frame: opened.frame.clone(),
        shell: opened.shell.clone(),
        list: opened.list.clone(),
        panel: opened.panel.clone(),
    })
}

/// Returns the name and the key of the last group of the page before.
fn behind(query: &Form) -> Option<(String, i64)> {
    let row = query.text("row").parse().ok()?;
    Some((query.text("behind").to_owned(), row))
}

/// Cuts the first one of the next page off, and returns the path of that page, if there is one.
fn cut<T>(listed: &mut Vec<T>, key: impl Fn(&T) -> (String, i64)) -> Option<String> {
    let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
    if listed.len() <= most {
        return None;
    }
    listed.truncate(most);
    let (name, row) = listed.last().map(key)?;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("behind", &name)
        .append_pair("row", &row.to_string())
        .finish();
    Some(format!("{MAPPING}?{query}"))
}

fn rows(listed: &[Listed], foreseen: &Foreseen, now: Timestamp) -> Vec<Row> {
    let names = |roles: &[Role]| roles.iter().map(|role| role.name.clone()).collect::<Vec<_>>();
    let at = |(by, at): (String, Timestamp)| (by, moment::ago(now, at));
    let drafted = foreseen.groups.iter().map(|one| {
        let (roles, state) = match (one.before.is_empty(), one.after.is_empty()) {
            (_, true) => (names(&one.before), State::Removed),
            (true, false) => (names(&one.after), State::New),
            (false, false) => (names(&one.after), State::Changed),
        };
        Row {
            mapped: one.mapped.clone().map(at),
            ..Row::of(&one.group, roles, one.members, state)
        }
    });
    let is_drafted = |listed: &Listed| {
        let id = &listed.mapping.group.id;
        foreseen.groups.iter().any(|one| one.group.id == *id)
    };
    let saved = listed.iter().filter(|listed| !is_drafted(listed));
    let saved = saved.map(|Listed { mapping, people }| Row {
        mapped: Some(at((mapping.by.clone(), mapping.at))),
        ..Row::of(&mapping.group, names(&mapping.roles), *people, State::Saved)
    });
    let mut rows: Vec<Row> = drafted.chain(saved).collect();
    let all: Vec<String> = rows.iter().map(|row| row.name.to_lowercase()).collect();
    for row in &mut rows {
        let name = row.name.to_lowercase();
        if all.iter().filter(|other| **other == name).count() < 2 {
            row.external_id = None;
        } else if row.external_id.is_none() {
            row.external_id = Some(row.id.clone());
        }
    }
    rows
}

impl Row {
    fn of(group: &ProvisionedGroup, roles: Vec<String>, people: u64, state: State) -> Self {
        Self {
            id: group.id.clone(),
            name: group.name.clone(),
            external_id: group.external_id.clone(),
            roles,
            people: match people {
                1 => "1 person".to_owned(),
                people => format!("{} people", counted(people, mapping::COUNTED)),
            },
            mapped: None,
            state,
        }
    }
}

fn effects(foreseen: &Foreseen, frame: &Frame) -> Vec<Effect> {
    let effect = |people: &People, class, sign: &str, role: &Role| {
        let person = |named: &Named| {
            let path = frame.path(&format!("users/{}", named.id));
            (named.name.clone(), path)
        };
        Some(Effect {
            sentence: people.sentence(class, role)?,
            class,
            sign: format!("{sign}{}", people.count),
            first: people.first.iter().map(person).collect(),
            others: people.others(),
        })
    };
    let of = |(role, moved): &(Role, Moved)| {
        [
            effect(&moved.gain, "gain", "+", role),
            effect(&moved.lose, "lose", "−", role),
        ]
    };
    foreseen.changes.iter().flat_map(of).flatten().collect()
}

/// Returns the sentences that name the people who gain and lose a role.
fn named(changes: &[(Role, Moved)]) -> Vec<String> {
    let sentence = |people: &People, verb: &str, role: &Role| {
        let names: Vec<_> = people.first.iter().map(|named| named.name.as_str()).collect();
        let others = match people.others() {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        (!names.is_empty()).then(|| format!("{} is {verb} by {}{others}.", role.name, names.join(", ")))
    };
    let of = |(role, moved): &(Role, Moved)| {
        [
            sentence(&moved.gain, "gained", role),
            sentence(&moved.lose, "lost", role),
        ]
    };
    changes.iter().flat_map(of).flatten().collect()
}

async fn editor(
    visit: &Visit,
    opened: &Opened,
    entered: &Entered,
    foreseen: &Foreseen,
) -> Result<Editor, Detour> {
    let (product, actor) = (&visit.product, &opened.administrator.actor);
    let organization = &opened.shown.organization.name;
    let shown = group::Shown {
        page: Page {
            prefix: entered.q.trim().to_owned(),
            size: OPTIONS + 1,
            ..Page::default()
        },
        unmapped: true,
    };
    let mut groups = group::list(product, actor, organization, shown).await?;
    let most = usize::try_from(OPTIONS).unwrap_or(usize::MAX);
    let is_searched = groups.len() > most || !entered.q.is_empty();
    groups.truncate(most);
    // Groups of the draft are not there to be chosen, but for groups that it takes roles from.
    groups.retain(|group| !entered.draft.has(&group.id));
    let freed = foreseen
        .groups
        .iter()
        .filter(|one| one.after.is_empty() && !one.before.is_empty());
    groups.extend(freed.map(|one| one.group.clone()));
    groups.sort_by_key(|group| (group.name.to_lowercase(), group.row));
    let roles = role::list(product, actor, organization, Page::default()).await?;
    Ok(Editor {
        groups: choices(&groups, &entered.group),
        roles: roles
            .into_iter()
            .filter(|role| role.mirrors.is_none())
            .map(|role| RoleChoice {
                is_chosen: entered.roles.contains(&role.id.to_string()),
                id: role.id.to_string(),
                name: role.name,
                description: role.description,
            })
            .collect(),
        q: entered.q.clone(),
        is_searched,
    })
}

/// Names groups so that two of one name are told apart by the provider's id.
fn choices(groups: &[ProvisionedGroup], chosen: &str) -> Vec<Choice> {
    let choice = |group: &ProvisionedGroup| {
        let name = group.name.to_lowercase();
        let is_alone = groups
            .iter()
            .filter(|other| other.name.to_lowercase() == name)
            .count()
            < 2;
        Choice {
            id: group.id.clone(),
            text: match is_alone {
                true => group.name.clone(),
                false => format!(
                    "{} ({})",
                    group.name,
                    group.external_id.as_deref().unwrap_or(&group.id)
                ),
            },
            is_chosen: group.id == chosen,
        }
    };
    groups.iter().map(choice).collect()
}

impl Gone {
    fn of(gone: Restorable, opened: &Opened) -> Self {
        Self {
            id: gone.lost.id,
            name: gone.lost.name,
            roles: gone.roles,
            people: some(gone.lost.members, "person", "people"),
            lost: moment::ago(opened.now, gone.lost.lost).text,
            successor: gone.successor.map(|(group, _)| group.name),
        }
    }
}

async fn mirror(visit: &Visit, opened: &Opened) -> Result<Response, Detour> {
    let settings = &opened.shown.organization.settings;
    let behind = behind(&visit.query);
    let mut page = Mirror {
        frame: opened.frame.clone(),
        shell: opened.shell.clone(),
        list: opened.list.clone(),
        panel: opened.panel.clone(),
        called: guide::called_first(settings.idp),
        called_within: guide::called(settings.idp),
        roles: Vec::new(),
        next: None,
        first: behind.as_ref().map(|_| opened.frame.path(MAPPING)),
    };
    let (product, actor) = (&visit.product, &opened.administrator.actor);
    let asked = Page {
        behind,
        size: ROWS + 1,
        ..Page::default()
    };
    let mut found = role::list(product, actor, &opened.shown.organization.name, asked).await?;
    found.retain(|role| role.mirrors.is_some());
    let next = cut(&mut found, |role| {
        (role.name.clone(), role.mirrors.unwrap_or_default())
    });
    page.next = next.map(|page| opened.frame.path(&page));
    page.roles = found
        .into_iter()
        .map(|role| Mirrored {
            id: role.id.to_string(),
            needs_permissions: role.needs_permissions(),
            permissions: some(
                u64::try_from(role.permissions.iter().count()).unwrap_or_default(),
                "permission",
                "permissions",
            ),
            since: moment::day(role.created),
            name: role.name,
        })
        .collect();
    Ok(opened.administrator.answer(StatusCode::OK, &page))
}

fn param(params: &RawPathParams) -> Result<String, Problem> {
    let found = params.iter().find(|(name, _)| *name == "group");
    found.map(|(_, value)| value.to_owned()).ok_or(Problem::NotFound)
}

/// Asks before the mappings of a deleted group are given to the one that has come in its place.
pub(super) async fn get_restore(visit: Visit, params: RawPathParams) -> Result<Response, Detour> {
    let lost = param(&params)?;
    let page = format!("{MAPPING}/restore/{lost}");
    let administrator = visit.administrator(Section::Integrations, &page).await?;
    let demanded = administrator.actor.demand(&mapping::SET);
    demanded.map_err(|fault| visit.detour(fault.into(), &page))?;
    let organization = &visit.organization()?.name;
    let preview =
        alert::preview_restore(&visit.product, &administrator.actor, organization, &lost, None).await?;
    let roles: Vec<_> = preview.after.iter().map(|role| role.name.as_str()).collect();
    let asked = Confirm {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        question: format!("Restore the mapping of {}?", preview.group.name),
        consequences: [
            format!(
                "The group {} is mapped to {}.",
                preview.group.name,
                roles.join(" and ")
            ),
            preview.sentence(),
        ]
        .into_iter()
        .chain(named(&preview.changes))
        .collect(),
        step: "Restore the mapping".to_owned(),
        typed: None,
        hidden: Vec::new(),
        action: page,
        back: MAPPING.to_owned(),
        trouble: None,
    };
    Ok(administrator.answer(StatusCode::OK, &asked))
}

/// Gives the mappings of a deleted group to the one that has come in its place.
pub(super) async fn post_restore(visit: Visit, params: RawPathParams) -> Result<Response, Detour> {
    let lost = param(&params)?;
    let page = format!("{MAPPING}/restore/{lost}");
    let administrator = visit.administrator(Section::Integrations, &page).await?;
    let organization = &visit.organization()?.name;
    let restored = alert::restore(&visit.product, &administrator.actor, organization, &lost, None).await;
    match restored {
        Ok(preview) => {
            let sentence = format!("The mapping was restored. {}", preview.sentence());
            Ok(visit.done(MAPPING, &sentence))
        }
        Err(fault) => Err(visit.detour(fault.into(), &page)),
    }
}
