//! The end of an integration: its groups are removed, and its people become what was chosen.
//!
//! Nobody writes over SCIM any more: the source has ended before. Each group and person is a transaction of its own, so
//! that whatever is left is whole, and is gone on with.

use jiff::Timestamp;
use scim::resources::Group;
use scim::store::database::Transaction;
use scim::store::{Event, Transition, Write};
use serde_json::json;
use uuid::Uuid;

use super::of_product::{OfProduct, PAGE, store, write_all};
use crate::database::page::Page;
use crate::database::{
    Product, accounts, adoptions, bindings, conflict, event, grants, groups, local_groups, mappings,
    organizations, roles, sign_in_names, sources, waiting,
};
use crate::domain::account::{Account, AccountState};
use crate::domain::event::{EventKind, EventRow};
use crate::domain::fault::Result;
use crate::domain::grant::Holder;
use crate::domain::integration::Attached;
use crate::domain::user::User;
use crate::scim_api::rules::OfOrganization as _;

/// Conflicts that one transaction resolves.
const CONFLICTS: u32 = 500;

/// Returns the organizations where it has begun and is not done.
pub(super) async fn begun(product: &Product) -> Result<Vec<Uuid>> {
    let ending = product.read(sources::all_ending).await?;
    Ok(ending.into_iter().map(|ending| ending.organization).collect())
}

/// Goes on until it is done, if it has begun. `watch` is told of how many groups and people.
pub(super) async fn leave(product: &Product, organization: Uuid, mut watch: impl FnMut(u64)) -> Result<()> {
    let begun = product
        .read(move |reader| {
            let ending = sources::ending(reader, organization)?;
            Ok(ending.zip(organizations::by_id(reader, organization)?))
        })
        .await?;
    let Some((ending, found)) = begun else {
        return Ok(());
    };
    let cx = OfProduct::new(found, ending.attached);
    let store = store(product, |store| {
        store
            .in_transaction::<User>(follow_person)
            .in_transaction::<Group>(follow_group)
    })?;
    let mut done = 0;
    let mut page = Page {
        size: PAGE,
        ..Page::default()
    };
    loop {
        let asked = page.clone();
        let found = product
            .read(move |reader| groups::list(reader, organization, &asked))
            .await?;
        let Some(last) = found.last() else { break };
        page.behind = Some((last.name.clone(), last.row));
        done += u64::try_from(found.len()).unwrap_or(0);
        write_all::<Group>(&store, found.iter().map(|group| Write::delete(&cx, &group.id))).await?;
        watch(done);
    }
    let mut behind = Uuid::nil();
    loop {
        let found = product
            .read(move |reader| accounts::bound(reader, organization, behind, PAGE))
            .await?;
        let Some((last, _)) = found.last() else { break };
        behind = *last;
        done += u64::try_from(found.len()).unwrap_or(0);
        write_all::<User>(&store, found.iter().map(|(_, id)| Write::delete(&cx, id))).await?;
        watch(done);
    }
    while product
        .write(move |tx| Ok(Ok(conflict::end_of_provider(tx, organization, CONFLICTS)?)))
        .await?
        == u64::from(CONFLICTS)
    {}
    product
        .transact(move |tx| {
            mappings::forget_lost(tx, organization)?;
            adoptions::remove_all(tx, organization)?;
            Ok(sources::cleared(tx, &ending, Timestamp::now())?)
        })
        .await
}

/// Makes of an account what was chosen, in the transaction that removes its person.
fn follow_person(tx: &Transaction<'_>, cx: &OfProduct, event: &Event<User>) -> scim::Result<()> {
    let (organization, now) = (cx.organization().id, Timestamp::now());
    let Transition::Deleted { .. } = event.transition else {
        return Ok(());
    };
    let Some(before) = accounts::by_scim_id(tx, organization, &event.id)? else {
        return Ok(());
    };
    let after = before.left_behind(cx.attached, now);
    accounts::update(tx, organization, &before, &after)?;
    waiting::settle(tx, organization, &after)?;
    bindings::end(tx, organization, &event.id, now)?;
    grants::take_roles(tx, organization, Holder::Account(before.id))?;
    if cx.attached == Attached::DisableAll {
        sign_in_names::release(tx, organization, &before.name, before.id)?;
        local_groups::leave_all(tx, organization, before.id)?;
    }
    event::insert(tx, organization, now, told(&event.id, &before, &after))
}

/// Returns the event that tells others what became of a person.
fn told(id: &str, before: &Account, after: &Account) -> Option<EventRow> {
    let is_disabled = before.state == AccountState::Active && after.state != AccountState::Active;
    let kind = match (is_disabled, before.managed_by == after.managed_by) {
        (true, _) => EventKind::UserDeactivated,
        (false, false) => EventKind::UserUpdated,
        (false, true) => return None,
    };
    Some(EventRow {
        kind,
        subject_type: "user".into(),
        subject: id.to_owned(),
        people: 1,
        data: json!({ "name": before.name, "account": before.id, "cause": "integration.deleted" }),
    })
}

/// Removes what is kept beside a group, in the transaction that removes the group.
fn follow_group(tx: &Transaction<'_>, cx: &OfProduct, event: &Event<Group>) -> scim::Result<()> {
    let organization = cx.organization().id;
    let Transition::Deleted { .. } = event.transition else {
        return Ok(());
    };
    let Some(group) = groups::by_id(tx, organization, &event.id)? else {
        return Ok(());
    };
    mappings::remove_group(tx, organization, group.row)?;
    if let Some(role) = roles::mirroring(tx, organization, group.row)? {
        grants::take_role_from_all(tx, organization, role.id)?;
        roles::remove(tx, organization, role.id)?;
    }
    groups::remove(tx, organization, group.row)?;
    let row = EventRow {
        kind: EventKind::GroupRemoved,
        subject_type: "group".into(),
        subject: event.id.clone(),
        people: event.edges.iter().map(|edges| edges.removed).sum(),
        data: json!({ "name": group.name, "cause": "integration.deleted" }),
    };
    event::insert(tx, organization, Timestamp::now(), [row])
}
