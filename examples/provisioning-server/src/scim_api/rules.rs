//! The rules of an organization for people and groups, whether a provider sends them or a file is imported: both are given
//! [`hooks`] and [`in_transaction`], and there are no other rules.

use scim::resources::Group;
use scim::store::database::Transaction;
use scim::store::documents::Builder;
use scim::store::{Event, Hooks, Proposed};
use scim::{Error, Result};

use crate::database::group_names;
use crate::domain::email::is_email;
use crate::domain::organization::Organization;
use crate::domain::settings::{Switch, UserNames};
use crate::domain::user::User;

/// A context that says whose people and groups are written.
pub(crate) trait OfOrganization: Send + Sync + 'static {
    fn organization(&self) -> &Organization;
}

/// Gives a store the rules that need statements.
pub(crate) fn in_transaction<C: OfOrganization>(store: Builder<C>) -> Builder<C> {
    store.in_transaction::<Group>(keep_group_names)
}

/// The rules that need no statements.
pub(crate) fn hooks<C: OfOrganization>() -> Hooks<C> {
    Hooks::new().before_write::<User>(|cx: &C, proposed| check_user_name(cx.organization(), proposed))
}

/// Refuses a user name that does not fit the settings of the organization. One that was there before is left alone.
fn check_user_name(organization: &Organization, proposed: &Proposed<'_, User>) -> Result<()> {
    let Some(after) = proposed.after() else {
        return Ok(());
    };
    let name = &after.user_name;
    let is_kept = proposed.before().is_some_and(|before| before.user_name == *name);
    if organization.settings.username == UserNames::Any || is_kept || is_email(name) {
        return Ok(());
    }
    Err(Error::invalid_value(format!(
        "must be an e-mail address in this organization, but is {name:?}: map userPrincipalName or mail to it at the \
         identity provider"
    ))
    .at("userName"))
}

/// Keeps track of the names of groups, and refuses one that is taken where they must be unique.
fn keep_group_names<C: OfOrganization>(tx: &Transaction<'_>, cx: &C, event: &Event<Group>) -> Result<()> {
    let organization = cx.organization();
    let key = |group: Option<&Group>| group.map(|group| group_names::key(&group.display_name));
    let (old, new) = (key(event.before()), key(event.after()));
    if old == new {
        return Ok(());
    }
    if let Some(old) = old {
        group_names::remove(tx, organization.id, &old, &event.id)?;
    }
    let Some(new) = new else { return Ok(()) };
    let is_taken = organization.settings.unique_group_names == Switch::On
        && group_names::is_taken(tx, organization.id, &new)?;
    if is_taken {
        let name = event.after().map_or("", |group| group.display_name.as_str());
        return Err(Error::uniqueness(format!(
            "is taken: the organization has a group {name:?} already, and its groups have different names"
        ))
        .at("displayName"));
    }
    group_names::insert(tx, organization.id, &new, &event.id)
}
