//! Organizations: their making, their settings and their end.

use std::collections::BTreeSet;

use jiff::Timestamp;
use scim::store::database::Reader;
use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::act::{Act, Subject, View, carry_out, carry_out_in, look};
use super::token::{self, demand_power_of_provider};
use super::{connection, converting, erasing, event_row, integration};
use crate::database::effective::Members;
use crate::database::page;
use crate::database::saml::provider;
use crate::database::{
    Product, Stop, accounts, entries, groups, living, organizations, power, roles, tokens,
};
use crate::domain::actor::{Action, Actor};
use crate::domain::connection::ConnectionState;
use crate::domain::entry::Whom;
use crate::domain::escalation::Needs;
use crate::domain::event::EventKind;
use crate::domain::fault::{Fault, Result};
use crate::domain::integration::Step;
use crate::domain::keyword::Keyword as _;
use crate::domain::naming;
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::Permission;
use crate::domain::saml::provider::Standing as SamlStanding;
use crate::domain::secret::{Secret, SecretKind};
use crate::domain::settings::{Attributes, Changes, FirstLogin, Settings};
use crate::domain::settings_change::{self, Consequences, Part};
use crate::domain::token::{Purpose, Token};

/// Shows organizations and their settings.
pub(crate) static LIST: Action = Action {
    name: "organization.list",
    permission: Permission::ORGANIZATION_READ,
    fresh: false,
};

/// Makes an organization. The operator alone may.
pub(crate) static CREATE: Action = Action {
    name: "organization.create",
    permission: Permission::ORGANIZATION_WRITE,
    fresh: true,
};

/// Changes what the organization is called, and settings that are its own.
pub(crate) static SET: Action = Action {
    name: "organization.set",
    permission: Permission::ORGANIZATION_WRITE,
    fresh: false,
};

/// Changes settings about what the identity provider sends.
pub(crate) static SET_INTEGRATION: Action = Action {
    name: "integration.set",
    permission: Permission::INTEGRATIONS_WRITE,
    fresh: false,
};

/// Changes settings about how people sign in.
pub(crate) static SET_LOGIN: Action = Action {
    name: "login.set",
    permission: Permission::LOGIN_WRITE,
    fresh: true,
};

/// Removes an organization with everything but its history.
pub(crate) static DELETE: Action = Action {
    name: "organization.delete",
    permission: Permission::ORGANIZATION_WRITE,
    fresh: true,
};

/// A new organization.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) name: Name,
    pub(crate) display: Option<String>,
    /// The settings that differ from the default ones.
    pub(crate) settings: Changes,
    pub(crate) beginning: Beginning,
}

/// How the integration of a new organization begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// Enabled at once, with its first token.
    WithToken,
    /// Enabled at once; its first token is made later.
    Enabled,
    /// Absent: it is set up step by step.
    Absent,
}

/// A part of the list of all organizations, as those who stand above them see it.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) organizations: Vec<Standing>,
    /// How many there are in all.
    pub(crate) count: u64,
    /// Whether others follow behind these.
    pub(crate) has_more: bool,
    /// Those that were deleted, and are still being cleared.
    pub(crate) ending: Vec<Clearing>,
}

/// An organization, and how it stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) organization: Organization,
    pub(crate) has_token: bool,
    /// People of the identity provider.
    pub(crate) people: u64,
    pub(crate) groups: u64,
    pub(crate) connection: ConnectionState,
    pub(crate) last_request: Option<Timestamp>,
}

/// A deleted organization that is still being cleared.
#[derive(Debug, Clone)]
pub(crate) struct Clearing {
    pub(crate) display: String,
    /// The people and groups that are left.
    pub(crate) left: u64,
}

/// The changes that are asked for of an organization.
#[derive(Debug, Clone, Default)]
pub(crate) struct Change {
    pub(crate) settings: Changes,
    pub(crate) display: Option<String>,
    /// Whether everybody whom the identity provider has sent gets the first sign-in of the settings, too.
    pub(crate) for_all: bool,
    /// The name of the organization, as whoever changes it has typed it to confirm what cannot be undone or keeps
    /// people out.
    pub(crate) typed: Option<String>,
}

impl Change {
    /// Returns whether nothing is to change.
    pub(crate) fn is_empty(&self) -> bool {
        self.settings.is_empty() && self.display.is_none() && !self.for_all
    }
}

/// The effect of a change of an organization.
#[derive(Debug, Clone)]
pub(crate) struct Preview {
    before: Organization,
    pub(crate) after: Organization,
    pub(crate) consequences: Consequences,
    /// How many people have any role before and after it.
    pub(crate) people_with_roles: (u64, u64),
    /// The roles that others have after it than before, in the order of their names: those that are not mirrors first.
    pub(crate) roles: Vec<MovedRole>,
}

/// A role that more or fewer people have after a change of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct MovedRole {
    pub(crate) role: String,
    pub(crate) before: u64,
    pub(crate) after: u64,
}

/// How many groups are looked at for the roles that mirror them: of the others it is only said how many people have any
/// role.
const MIRRORS: u32 = 1_000;

/// An organization that was changed.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) organization: Organization,
    pub(crate) consequences: Consequences,
    /// The token that the first save has made where that is the order of the set-up: to be shown this once.
    pub(crate) secret: Option<Secret>,
}

/// An organization that was deleted, and what went with it.
#[derive(Debug)]
pub(crate) struct Deleted {
    pub(crate) organization: Organization,
    pub(crate) people: u64,
    pub(crate) groups: u64,
}

/// Returns the organizations that an actor can have to do with, by name.
pub(crate) async fn list(product: &Product, actor: &Actor) -> Result<Vec<Organization>> {
    actor.demand(&LIST)?;
    let mut found = product.organizations().await?;
    found.retain(|organization| actor.knows(organization.id));
    Ok(found)
}

/// How many organizations a page of the list has.
const PAGE: usize = 25;

/// Up to how many requests of each organization are counted, to say whether too many fail.
const COUNTED: u32 = 1_000;

/// Returns a page of the organizations whose names have a text in them, behind one of them.
///
/// # Errors
/// The actor does not stand above organizations, or the database fails.
pub(crate) async fn page(
    product: &Product,
    actor: &Actor,
    asked: &str,
    behind: Option<&Name>,
) -> Result<Page> {
    actor.demand_instance(false)?;
    let asked = naming::key(asked);
    let behind = behind.map_or_else(String::new, |name| name.as_str().to_owned());
    let (mut found, count, ending) = product
        .look(move |reader| {
            Ok((
                organizations::list(reader, &asked, &behind, PAGE + 1)?,
                organizations::count(reader)?,
                organizations::ending(reader)?,
            ))
        })
        .await?;
    let has_more = found.len() > PAGE;
    found.truncate(PAGE);
    let mut organizations = Vec::new();
    for organization in found {
        organizations.push(standing(product, organization).await?);
    }
    let mut clearing = Vec::new();
    for (id, display) in ending {
        let (people, groups) = product.counts(&id.to_string()).await?;
        let left = people.saturating_add(groups);
        clearing.push(Clearing { display, left });
    }
    Ok(Page {
        organizations,
        count,
        has_more,
        ending: clearing,
    })
}

/// Returns how one organization stands, to somebody who stands above all.
///
/// # Errors
/// The actor does not, the organization does not exist, or the database fails.
pub(crate) async fn stand(product: &Product, actor: &Actor, organization: &Name) -> Result<Standing> {
    actor.demand_instance(false)?;
    standing(product, show(product, actor, organization).await?).await
}

async fn standing(product: &Product, organization: Organization) -> Result<Standing> {
    let id = organization.id;
    let (people, groups) = product.counts(&id.to_string()).await?;
    let now = Timestamp::now();
    let asked = organization.clone();
    let facts = product
        .look(move |reader| {
            let tokens = tokens::all(reader, id)?;
            Ok(connection::facts(reader, &asked, &tokens, now, COUNTED)?)
        })
        .await?;
    Ok(Standing {
        organization,
        has_token: facts.has_token,
        people,
        groups,
        connection: ConnectionState::of(&facts, now),
        last_request: facts.last,
    })
}

/// Returns how many owners there are whom no identity provider can take away.
pub(crate) async fn count_owners(product: &Product, actor: &Actor, organization: &Name) -> Result<u64> {
    look(product, actor, &LIST, organization, |view| {
        let members = Members::of(view.reader, view.organization)?;
        Ok(members.count_manual(view.reader, &Permission::ORGANIZATION_WRITE)?)
    })
    .await
}

/// Returns one organization.
pub(crate) async fn show(product: &Product, actor: &Actor, organization: &Name) -> Result<Organization> {
    look(product, actor, &LIST, organization, |view| {
        Ok(view.organization.clone())
    })
    .await
}

/// Makes an organization, enabled at once. Answers with its first token, to be shown this once, if it has one.
pub(crate) async fn create(product: &Product, actor: &Actor, draft: Draft) -> Result<Option<Secret>> {
    actor.demand(&CREATE)?;
    if !actor.is_of_instance() {
        return Err(Fault::forbidden(
            "Only owners of the instance and the operator at the command line make organizations: ask one of them.",
        ));
    }
    let usual = Settings::default();
    settings_change::demand_usable(&draft.settings, &usual, SamlStanding::NotConfigured)?;
    let settings = draft.settings.apply(&usual);
    settings_change::demand_consistent(&settings)?;
    let now = Timestamp::now();
    let mut organization = Organization::new(Uuid::now_v7(), draft.name, draft.display, settings, now)?;
    if draft.beginning == Beginning::Absent {
        organization.source = None;
    }
    let secret = (draft.beginning == Beginning::WithToken)
        .then(|| Secret::generate(SecretKind::Token))
        .transpose()?;
    let token = secret
        .as_ref()
        .map(|secret| Token::new(Uuid::now_v7(), secret, Purpose::Scim, now, None));
    carry_out_in(
        product,
        actor,
        &CREATE,
        move |tx, _| {
            organizations::create(tx, &organization, token.as_ref())?;
            Ok(organization.clone())
        },
        |act| Ok(act.audit(&subject(act.organization), described(act.organization))?),
    )
    .await?;
    Ok(secret)
}

/// Returns what a change would do, if it can be made.
pub(crate) async fn preview(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    change: Change,
) -> Result<Preview> {
    let asked = change.clone();
    let usable = look(product, actor, may_set(actor)?, organization, move |view| {
        demand_usable(view.reader, view.organization, &asked)
    });
    usable.await?;
    foresee(product, actor, organization, change).await
}

async fn foresee(product: &Product, actor: &Actor, organization: &Name, change: Change) -> Result<Preview> {
    look(product, actor, may_set(actor)?, organization, move |view| {
        let after = changed(view.organization, &change);
        let before = &view.organization.settings;
        let mut living = living::of(view.reader, view.organization, &after.settings, Timestamp::now())?;
        if change.for_all {
            let by = after.settings.first_login;
            living.converted = entries::count_otherwise(view.reader, view.organization.id, by)?;
        }
        let consequences = Consequences::of(before, &after.settings, living)?;
        let with_roles = |organization| Members::of(view.reader, organization)?.count_with_roles(view.reader);
        let people_with_roles = match consequences.previewed.is_empty() {
            true => (0, 0),
            false => (with_roles(view.organization)?, with_roles(&after)?),
        };
        let roles = match consequences.previewed.is_empty() {
            true => Vec::new(),
            false => moved_roles(view, &after)?,
        };
        Ok(Preview {
            before: view.organization.clone(),
            after,
            consequences,
            people_with_roles,
            roles,
        })
    })
    .await
}

/// Returns the roles that more or fewer people have if the organization is like `after`.
fn moved_roles(view: &View<'_>, after: &Organization) -> scim::Result<Vec<MovedRole>> {
    let (reader, before) = (view.reader, view.organization);
    let groups = page::Page {
        size: MIRRORS,
        ..page::Page::default()
    };
    let mut all = roles::list(reader, before.id)?;
    all.extend(roles::list_mirrored(reader, before.id, &groups)?);
    let (was, is) = (Members::of(reader, before)?, Members::of(reader, after)?);
    let mut moved = Vec::new();
    for role in all {
        let counts = (
            was.count_holding(reader, role.id)?,
            is.count_holding(reader, role.id)?,
        );
        if counts.0 != counts.1 {
            moved.push(MovedRole {
                role: role.name,
                before: counts.0,
                after: counts.1,
            });
        }
    }
    Ok(moved)
}

/// Changes settings. Attributes that are not kept any more are erased before it returns; `watch` is told of how many people.
pub(crate) async fn set(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    change: Change,
    watch: impl FnMut(u64),
) -> Result<Set> {
    // Everything that exists is counted beside the writer: it may be much.
    let Preview {
        before, consequences, ..
    } = preview(product, actor, organization, change.clone()).await?;
    consequences.demand_typed(organization, change.typed.as_deref())?;
    let secret = Secret::generate(SecretKind::Token)?;
    let (id, made) = (Uuid::now_v7(), secret.clone());
    let (organization, has_token) = carry_out(product, actor, may_set(actor)?, organization, move |act| {
        demand_unchanged(act.organization, &before)?;
        let after = changed(act.organization, &change);
        write(act, &after)?;
        convert(act, &after, change.for_all)?;
        demand_usable(act.tx, act.organization, &change)?;
        // The display name of an organization has no part in its set-up.
        let makes_token = !change.settings.is_empty() && save(act, &after, id, &made)?;
        let after = organizations::by_id(act.tx, after.id)?.unwrap_or(after);
        Ok((after, makes_token))
    })
    .await?;
    erasing::erase(product, organization.id, watch).await?;
    converting::convert(product, organization.id).await?;
    Ok(Set {
        organization,
        consequences,
        secret: Some(secret).filter(|_| has_token),
    })
}

/// Takes the step of the set-up that saved settings are, and makes the token that comes of it, if one does.
fn save(act: &Act<'_>, after: &Organization, id: Uuid, made: &Secret) -> Result<bool, Stop> {
    let all = tokens::all(act.tx, after.id)?;
    let saved = integration::take(act, &all, after.settings.set_up, Step::Save)?;
    if saved.makes_token {
        demand_power_of_provider(act, "A credential of the identity provider")?;
        let token = Token::new(id, made, Purpose::Scim, act.now, None);
        token::insert(act, &token)?;
        act.audit_of(
            &token::CREATE,
            &token::subject(&token, &id.to_string()),
            token::detail(&token, &[]),
        )?;
    }
    Ok(saved.makes_token)
}

/// Removes an organization with its people and groups; its history stays. Whoever is not the operator types its name
/// first. It returns when nothing else is left.
pub(crate) async fn delete(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    typed: Option<&str>,
) -> Result<Deleted> {
    let deleted = end(product, actor, organization, typed).await?;
    clear(product, &deleted).await?;
    Ok(deleted)
}

/// Removes what a deleted organization has left: people, groups, and everything that they had.
///
/// # Errors
/// The database fails. The next start goes on with it.
pub(crate) async fn clear(product: &Product, deleted: &Deleted) -> Result<()> {
    product.purge(deleted.organization.id, Timestamp::now()).await
}

/// Ends an organization: its URL, tokens and sessions are of no use any more. Whatever it has is still to be cleared.
pub(crate) async fn end(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    typed: Option<&str>,
) -> Result<Deleted> {
    actor.demand(&DELETE)?;
    if !actor.is_operator() && typed != Some(organization.as_str()) {
        return Err(Fault::conflict(format!(
            "The organization, its people and its groups are removed, which cannot be undone: confirm it with the name of \
             the organization, {:?}.",
            organization.as_str()
        )));
    }
    carry_out(product, actor, &DELETE, organization, |act| {
        let id = act.organization.id;
        let deleted = Deleted {
            organization: act.organization.clone(),
            people: accounts::count_all(act.tx, id)?,
            groups: groups::count(act.tx, id)?,
        };
        organizations::delete(act.tx, id, act.now)?;
        let detail = json!({ "people": deleted.people, "groups": deleted.groups });
        act.audit(&subject(act.organization), detail)?;
        Ok(deleted)
    })
    .await
}

/// Returns the first of the actions that change settings which the actor may carry out. The others are asked of them where a
/// setting needs one.
fn may_set(actor: &Actor) -> Result<&'static Action> {
    let ours = [&SET, &SET_INTEGRATION, &SET_LOGIN];
    let has = |action: &&&'static Action| actor.is_operator() || actor.permissions.has(&action.permission);
    ours.iter().find(has).copied().ok_or_else(|| {
        Fault::forbidden(format!(
            "This needs the permission {}, {} or {}, depending on the setting, of which you have none: ask an \
             administrator who has it.",
            SET.permission, SET_INTEGRATION.permission, SET_LOGIN.permission
        ))
    })
}

fn changed(before: &Organization, change: &Change) -> Organization {
    Organization {
        settings: change.settings.apply(&before.settings),
        display: change.display.clone().unwrap_or_else(|| before.display.clone()),
        ..before.clone()
    }
}

/// Begins to give everybody the first sign-in of the settings; a change that is for new people alone ends what has begun.
fn convert(act: &Act<'_>, after: &Organization, for_all: bool) -> Result<(), Stop> {
    let by = after.settings.first_login;
    if !for_all {
        if by != act.organization.settings.first_login {
            organizations::begin_converting(act.tx, after.id, false)?;
        }
        return Ok(());
    }
    act.actor.demand(&SET_LOGIN)?;
    demand_power_of_provider(act, "A change of how people sign in")?;
    let detail = json!({ "first-login": by.word(), "for": Whom::All.word() });
    act.audit_of(&SET_LOGIN, &subject(after), detail)?;
    Ok(organizations::begin_converting(act.tx, after.id, true)?)
}

/// Checks that what is chosen can be used with the identity provider that there is.
fn demand_usable(reader: &Reader<'_>, organization: &Organization, change: &Change) -> Result<(), Stop> {
    let provider = provider::find(reader, organization.id)?;
    let standing = SamlStanding::of(provider.as_ref());
    let after = change.settings.apply(&organization.settings);
    if change.for_all && after.first_login == FirstLogin::Saml && !standing.is_in_force(&after) {
        return Err(Fault::conflict(
            "Everybody would be kept out: people can sign in by SAML alone once single sign-on is allowed, and a trial \
             sign-in has succeeded.",
        )
        .into());
    }
    Ok(settings_change::demand_usable(
        &change.settings,
        &organization.settings,
        standing,
    )?)
}

/// Checks that nobody has changed the organization since it was looked at.
fn demand_unchanged(now: &Organization, seen: &Organization) -> Result<()> {
    if now.settings == seen.settings {
        return Ok(());
    }
    Err(Fault::conflict(
        "Somebody else has changed the settings meanwhile: look at them, and repeat what is still to be changed.",
    ))
}

/// Writes what has changed, with an audit row for each part of the settings.
fn write(act: &Act<'_>, after: &Organization) -> Result<(), Stop> {
    let before = act.organization;
    let changed = settings_change::changed(&before.settings, &after.settings);
    let mut parts: BTreeSet<Part> = changed.iter().map(|changed| changed.part).collect();
    if after.display != before.display {
        parts.insert(Part::Organization);
    }
    if parts.is_empty() {
        return Ok(());
    }
    for part in &parts {
        act.actor.demand(action_of(*part))?;
    }
    demand_power(act, &after.settings)?;
    let mut names = Vec::new();
    for part in parts {
        let action = action_of(part);
        let mut detail = Map::new();
        if part == Part::Organization && after.display != before.display {
            detail.insert("display".to_owned(), pair(&before.display, &after.display));
        }
        for changed in changed.iter().filter(|changed| changed.part == part) {
            detail.insert(changed.name.to_owned(), pair(&changed.before, &changed.after));
        }
        names.extend(detail.keys().cloned());
        act.audit_of(action, &subject(after), Value::Object(detail))?;
    }
    organizations::update(act.tx, after)?;
    match (before.settings.attributes, after.settings.attributes) {
        (Attributes::All, Attributes::Mapped) => organizations::begin_erasing(act.tx, after.id)?,
        (Attributes::Mapped, Attributes::All) => organizations::erased_up_to(act.tx, after.id, None)?,
        _ => {}
    }
    let data = json!({ "changed": names });
    act.tell(event_row(
        EventKind::OrganizationChanged,
        &subject(after),
        0,
        data,
    ))?;
    Ok(())
}

/// Checks that the actor does not come to more by new settings than they have.
fn demand_power(act: &Act<'_>, after: &Settings) -> Result<(), Stop> {
    if act.actor.is_of_instance() {
        return Ok(());
    }
    let (before, id) = (&act.organization.settings, act.organization.id);
    if settings_change::changed(before, after)
        .iter()
        .any(|changed| changed.part == Part::Login)
    {
        demand_power_of_provider(act, "A change of how people sign in")?;
    }
    if before.groups != after.groups {
        let needs = Needs::of_mapping(power::of_groups(act.tx, id)?);
        needs.demand(act.actor, "A change of what groups become")?;
    }
    if before.assignment != after.assignment {
        let needs = Needs::of_mapping(power::of_local_groups(act.tx, id)?);
        needs.demand(
            act.actor,
            "A change of whether groups that are kept here give roles",
        )?;
    }
    Ok(())
}

const fn action_of(part: Part) -> &'static Action {
    match part {
        Part::Organization => &SET,
        Part::Integration => &SET_INTEGRATION,
        Part::Login => &SET_LOGIN,
    }
}

fn pair(before: &str, after: &str) -> Value {
    json!({ "before": before, "after": after })
}

pub(super) fn subject(organization: &Organization) -> Subject<'_> {
    Subject {
        kind: "organization",
        id: organization.id.to_string().into(),
        name: organization.name.as_str(),
    }
}

fn described(organization: &Organization) -> Value {
    let settings = organization.settings.entries();
    let settings: Map<_, _> = settings
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    json!({ "display": organization.display, "settings": settings })
}
