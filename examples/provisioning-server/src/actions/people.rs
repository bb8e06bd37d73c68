//! People as pages show them: lists with roles and states, and whatever belongs to one person beside the account.

use std::sync::Arc;

use http_body_util::BodyExt;
use jiff::Timestamp;
use scim::projection::{Base, Projection, fill_holes};
use scim::store::{Answer, Document, Precondition, Store};
use scim::{Error, ScimResource};
use uuid::Uuid;

use super::account::{LIST, find_living};
use super::act::{View, look};
use super::conflict::in_the_way;
use crate::database::accounts::Shown;
use crate::database::effective::Members;
use crate::database::page::Page;
use crate::database::{
    Product, Stop, accounts, adoptions, connection, failed, held, local_groups, roles, search,
};
use crate::domain::account::{Account, AccountState, ManagedBy};
use crate::domain::actor::Actor;
use crate::domain::adoption::Adoption;
use crate::domain::conflict::Conflict;
use crate::domain::fault::Result;
use crate::domain::identity::{Field, Identity};
use crate::domain::local_group::LocalGroup;
use crate::domain::organization::Name;
use crate::domain::role::{Role, RoleId};
use crate::domain::settings::{Assignment, Groups};
use crate::domain::user::User;

/// The most people that are counted.
pub(crate) const COUNTED: u32 = 10_000;

/// The most local groups, and the most roles, that are offered to choose from.
const OFFERED: u32 = 200;

/// One person of a list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) account: Account,
    /// The names of the roles that the person has as soon as they can sign in.
    pub(crate) roles: Vec<String>,
    /// Whether the person can do anything then, by a role or by a permission of their own.
    pub(crate) has_anything: bool,
    /// Whether an invitation waits for an answer.
    pub(crate) is_invited: bool,
}

/// How many people there are of each kind, each number up to [`COUNTED`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) all: u64,
    pub(crate) active: u64,
    pub(crate) disabled: u64,
    pub(crate) manual: u64,
    pub(crate) suspended: u64,
    /// Of the newest people.
    pub(crate) unassigned: u64,
}

/// A page of a list of people.
#[derive(Debug, Clone)]
pub(crate) struct People {
    pub(crate) people: Vec<Listed>,
    /// Whether others follow.
    pub(crate) has_more: bool,
    /// How many the list shows on all pages.
    pub(crate) count: u64,
    /// Whether there are at least so many, and nobody has counted further.
    pub(crate) is_least: bool,
    /// Whether only the first page of those who were found can be shown.
    pub(crate) is_cut: bool,
    pub(crate) counts: Counts,
    /// The first roles by name that people can have, and the one that was asked for.
    pub(crate) roles: Vec<(RoleId, String)>,
    /// When the identity provider came last.
    pub(crate) synchronised: Option<Timestamp>,
}

/// Returns people in the order of their names.
pub(crate) async fn list(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    shown: Shown,
    page: Page<Uuid>,
) -> Result<People> {
    look(product, actor, &LIST, organization, move |view| {
        Ok(found(view, shown, &page)?)
    })
    .await
}

/// Returns a page as somebody looks at it.
pub(super) fn found(view: &View<'_>, shown: Shown, page: &Page<Uuid>) -> scim::Result<People> {
    let reader = view.reader;
    let members = Members::of(reader, view.organization)?;
    let found = search::people(reader, &members, shown, page, COUNTED)?;
    Ok(People {
        people: listed(view, &members, found.accounts)?,
        has_more: found.has_more,
        count: found.count,
        is_least: found.is_least,
        is_cut: found.is_cut,
        counts: counts(view, &members)?,
        roles: roles_to_choose(view, shown.role)?,
        synchronised: synchronised(view)?,
    })
}

/// Returns the roles by which people can be listed: too many mirrored ones are not offered, but for the one that was asked for.
fn roles_to_choose(view: &View<'_>, asked: Option<RoleId>) -> scim::Result<Vec<(RoleId, String)>> {
    let (reader, organization) = (view.reader, view.organization.id);
    let is_mirrored = view.organization.settings.groups == Groups::Mirror;
    let mut found = roles::names(reader, organization, is_mirrored, OFFERED)?;
    let missing = asked.filter(|asked| !found.iter().any(|(id, _)| id == asked));
    if let Some(id) = missing {
        found.extend(roles::by_id(reader, organization, id)?.map(|role| (id, role.name)));
    }
    Ok(found)
}

fn listed(view: &View<'_>, members: &Members<'_>, found: Vec<Account>) -> scim::Result<Vec<Listed>> {
    let (reader, organization) = (view.reader, view.organization.id);
    let ids: Vec<_> = found.iter().map(|account| account.id).collect();
    let mut roles = held::roles(reader, members, &ids)?;
    let names = held::role_names(reader, organization, &roles.values().flatten().copied().collect())?;
    let with_permissions = held::with_permissions(reader, organization, &ids)?;
    let invited = held::invited(reader, organization, &ids, Timestamp::now())?;
    let listed = found.into_iter().map(|account| {
        let roles = roles.remove(&account.id).unwrap_or_default();
        let roles: Vec<_> = roles.iter().filter_map(|role| names.get(role)).collect();
        let mut called: Vec<_> = roles.iter().map(|role| role.name.clone()).collect();
        called.sort();
        Listed {
            roles: called,
            has_anything: with_permissions.contains(&account.id) || roles.iter().any(|role| role.permits),
            is_invited: invited.contains(&account.id),
            account,
        }
    });
    Ok(listed.collect())
}

fn counts(view: &View<'_>, members: &Members<'_>) -> scim::Result<Counts> {
    let count = |shown| accounts::count(view.reader, members, shown, COUNTED);
    let all = Shown::default();
    let in_state = |state| Shown {
        state: Some(state),
        ..all
    };
    Ok(Counts {
        all: count(all)?,
        active: count(in_state(AccountState::Active))?,
        disabled: count(in_state(AccountState::Disabled))?,
        manual: count(Shown {
            managed_by: Some(ManagedBy::Hand),
            ..all
        })?,
        suspended: count(Shown {
            suspended: true,
            ..all
        })?,
        unassigned: accounts::count_unassigned(view.reader, members, COUNTED)?,
    })
}

/// Returns when the identity provider came last.
pub(super) fn synchronised(view: &View<'_>) -> scim::Result<Option<Timestamp>> {
    Ok(connection::find(view.reader, view.organization.id)?.map(|(_, last)| last))
}

/// The surroundings of an account, beside what it may do: everything that can be chosen for it, and what is confirmed.
#[derive(Debug, Clone)]
pub(crate) struct Around {
    /// The roles that administrators have made.
    pub(crate) roles: Vec<Role>,
    /// The first groups that are kept here; none where they have no effect.
    pub(crate) local_groups: Vec<LocalGroup>,
    /// The adoption that is confirmed for the account and has not happened.
    pub(crate) adoption: Option<Adoption>,
    /// The request of the provider that was refused because of a manual account, if one was lately.
    pub(crate) refused: Option<Conflict>,
    /// When the identity provider came last.
    pub(crate) synchronised: Option<Timestamp>,
}

/// Returns the surroundings of an account.
pub(crate) async fn around(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    account: &Account,
) -> Result<Around> {
    let account = account.clone();
    look(product, actor, &LIST, organization, move |view| {
        let (reader, id) = (view.reader, view.organization.id);
        let adoption = adoptions::find(reader, id, &account.name)?;
        let now = Timestamp::now();
        Ok(Around {
            roles: roles::list(reader, id)?,
            local_groups: groups_to_join(view)?,
            refused: match account.managed_by {
                ManagedBy::Hand => in_the_way(view, account.id)?,
                ManagedBy::Scim => None,
            },
            adoption: adoption.filter(|adoption| adoption.account == account.id && now < adoption.until),
            synchronised: synchronised(view)?,
        })
    })
    .await
}

/// The most people who are offered to choose from.
const CALLED: u32 = 50;

/// Returns the first people who are called so, by name, and whether there are others; nobody for the empty text.
pub(crate) async fn called(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    text: &str,
) -> Result<(Vec<Account>, bool)> {
    let text = text.to_owned();
    look(product, actor, &LIST, organization, move |view| {
        Ok(find_called(view, &text)?)
    })
    .await
}

fn find_called(view: &View<'_>, text: &str) -> scim::Result<(Vec<Account>, bool)> {
    if text.is_empty() {
        return Ok((Vec::new(), false));
    }
    let page = Page {
        prefix: text.to_owned(),
        behind: None,
        size: CALLED,
    };
    let members = Members::of(view.reader, view.organization)?;
    let found = search::people(view.reader, &members, Shown::default(), &page, COUNTED)?;
    Ok((found.accounts, found.has_more || found.is_cut))
}

/// The people whom a text may mean.
#[derive(Debug, Clone)]
pub(crate) enum Meant {
    /// The one who has the name or the id, or who alone is called so.
    One(Account),
    /// The first of several who are called so.
    Several(Vec<Account>),
    Nobody,
}

/// Returns the people whom a text means: an id or a whole name, or else the beginning of what somebody is called.
pub(crate) async fn meant(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    text: &str,
) -> Result<Meant> {
    let text = text.trim().to_owned();
    look(product, actor, &LIST, organization, move |view| {
        match find_living(view, &text) {
            Ok(account) => return Ok(Meant::One(account)),
            Err(Stop::Refused(_)) => {}
            Err(failed) => return Err(failed),
        }
        let (mut found, has_more) = find_called(view, &text)?;
        Ok(match (found.len(), has_more) {
            (0, _) => Meant::Nobody,
            (1, false) => found.pop().map_or(Meant::Nobody, Meant::One),
            _ => Meant::Several(found),
        })
    })
    .await
}

/// Returns the first groups that are kept here; none where they have no effect.
pub(crate) async fn joinable(
    product: &Product,
    actor: &Actor,
    organization: &Name,
) -> Result<Vec<LocalGroup>> {
    look(product, actor, &LIST, organization, |view| {
        Ok(groups_to_join(view)?)
    })
    .await
}

fn groups_to_join(view: &View<'_>) -> scim::Result<Vec<LocalGroup>> {
    let page = Page {
        size: OFFERED,
        ..Page::default()
    };
    match view.organization.settings.assignment {
        Assignment::LocalGroups => local_groups::page(view.reader, view.organization.id, &page),
        Assignment::MappedOnly => Ok(Vec::new()),
    }
}

/// Returns what the identity provider says of a person, in the order in which people read it: the fields that have a value.
pub(crate) async fn identity(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    scim_id: &str,
) -> Result<Vec<(Field, String)>> {
    let tenant = look(product, actor, &LIST, organization, |view| {
        Ok::<_, Stop>(view.organization.id.to_string())
    })
    .await?;
    let store = product.store()?;
    let want = Projection::parse(User::RESOURCE_TYPE, &[] as &[&str], &["groups"], false).map_err(failed)?;
    let found =
        Store::<User, String>::get(store, &Arc::new(tenant), scim_id, &want, &Precondition::None).await;
    let identity = match found {
        Ok(Answer::Rendered(rendered)) => {
            let stored = whole(rendered.document).await.map_err(failed)?;
            let mut document = Vec::new();
            fill_holes(&stored, Base::Relative, &mut document);
            Identity::read(&document)
        }
        Ok(Answer::Typed(_) | Answer::NotModified(_)) => Identity::default(),
        // The person was deleted a moment ago.
        Err(error) if error.status() == http::StatusCode::NOT_FOUND => Identity::default(),
        Err(error) => return Err(failed(error)),
    };
    Ok(identity.fields())
}

async fn whole(document: Document) -> scim::Result<Vec<u8>> {
    match document {
        Document::Whole(bytes) => Ok(bytes.to_vec()),
        Document::Parts(parts) => {
            let collected = parts.collect().await.map_err(Error::internal)?;
            Ok(collected.to_bytes().to_vec())
        }
    }
}
