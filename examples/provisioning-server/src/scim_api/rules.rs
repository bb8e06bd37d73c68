//! What an organization demands of people and groups, checked in the transaction that changes them.

use scim::fold::fold;
use scim::store::Happened;
use scim::store::sqlite::Transaction;
use scim::{Error, Result};

use crate::database::attribute::text;
use crate::database::group_names;
use crate::domain::email::is_email;
use crate::domain::organization::Organization;
use crate::domain::settings::{Switch, UserNames};

/// Refuses a user who does not fit the settings of the organization. A user who was there before is left alone.
pub(crate) fn check_user(organization: &Organization, happened: &Happened<'_>) -> Result<()> {
    let (before, after) = match happened {
        Happened::Created { after, .. } => (None, *after),
        Happened::Changed { before, after, .. } => (text(*before, "userName"), *after),
        Happened::Deleted { .. } => return Ok(()),
    };
    let name = text(after, "userName").unwrap_or_default();
    if organization.settings.username == UserNames::Any || before.as_ref() == Some(&name) || is_email(&name) {
        return Ok(());
    }
    Err(Error::invalid_value(format!(
        "must be an e-mail address in this organization, but is {name:?}: map userPrincipalName or mail to it at the \
         identity provider"
    ))
    .at("userName"))
}

/// Keeps track of the names of groups, and refuses one that is taken where they must be unique.
pub(crate) fn check_group(
    tx: &Transaction<'_>,
    organization: &Organization,
    id: &str,
    happened: &Happened<'_>,
) -> Result<()> {
    let (before, after) = match happened {
        Happened::Created { after, .. } => (None, text(*after, "displayName")),
        Happened::Changed { before, after, .. } => {
            (text(*before, "displayName"), text(*after, "displayName"))
        }
        Happened::Deleted { before } => (text(*before, "displayName"), None),
    };
    // White space at the ends of a name does not make it another name.
    let folded = |name: &Option<String>| name.as_deref().map(|name| fold(name.trim()).into_owned());
    let (old, new) = (folded(&before), folded(&after));
    if old == new {
        return Ok(());
    }
    if let Some(old) = old {
        group_names::remove(tx, organization.id, &old, id)?;
    }
    let Some(new) = new else { return Ok(()) };
    let is_taken = organization.settings.unique_group_names == Switch::On
        && group_names::is_taken(tx, organization.id, &new)?;
    if is_taken {
        let name = after.unwrap_or_default();
        return Err(Error::uniqueness(format!(
            "is taken: the organization has a group {name:?} already, and its groups have different names"
        ))
        .at("displayName"));
    }
    group_names::insert(tx, organization.id, &new, id)
}
