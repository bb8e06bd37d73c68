//! The rules of an organization for people and groups, whether a provider sends them or a file is imported: both are given
//! [`hooks`] and [`in_transaction`], and there are no other rules.

use scim::resources::Group;
use scim::store::documents::Builder;
use scim::store::{Hooks, Proposed};
use scim::{Error, Result};
use uuid::Uuid;

use super::{groups, people};
use crate::domain::email::is_email;
use crate::domain::organization::Organization;
use crate::domain::settings::UserNames;
use crate::domain::user::User;

/// A context that says whose people and groups are written.
pub(crate) trait OfOrganization: Send + Sync + 'static {
    fn organization(&self) -> &Organization;

    /// Returns the sequence of the request that writes, if it is one.
    fn request(&self) -> Option<Uuid> {
        None
    }
}

/// Gives a store the rules that need statements, and what follows a change in the product's own tables.
pub(crate) fn in_transaction<C: OfOrganization>(store: Builder<C>) -> Builder<C> {
    store
        .in_transaction::<User>(people::follow)
        .in_transaction::<Group>(groups::follow)
}

/// Returns the rules that need no statements.
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
