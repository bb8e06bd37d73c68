//! Whether the product's own tables say of each person and group what the resource says.

use scim::Result;
use scim::resources::Group;
use scim::store::database::Reader;
use scim::store::documents::{Inspected, row_of};
use uuid::Uuid;

use crate::database::{accounts, bindings, groups};
use crate::domain::account::{AccountState, Person};
use crate::domain::user::User;

/// Says what is wrong about a person's account, if anything is.
pub(super) fn person(
    reader: &Reader<'_>,
    organization: Uuid,
    user: &User,
    resource: &Inspected<'_>,
) -> Result<Option<&'static str>> {
    let Some(account) = accounts::by_scim_id(reader, organization, resource.id)? else {
        return Ok(Some("it has no account"));
    };
    let person = Person::of(user);
    let external_id = user.external_id.as_ref().map(|id| id.as_str().to_owned());
    let bound = bindings::of_account(reader, organization, account.id)?;
    let is_known = bound
        .iter()
        .any(|binding| binding.scim_id == resource.id && binding.external_id == external_id);
    Ok(
        if account.row != row_of::<User>(reader, resource.tenant, resource.id)? {
            Some("its account is that of another resource")
        } else if (&account.name, &account.display, &account.address)
            != (&person.name, &person.display, &person.address)
        {
            Some("its account has another name or address")
        } else if (person.active != Some(false)) != (account.state == AccountState::Active) {
            Some("its account is not in the same state")
        } else if !is_known {
            Some("its account has another identifier of the provider")
        } else {
            None
        },
    )
}

/// Says what is wrong about what is kept of a group, if anything is.
pub(super) fn group(
    reader: &Reader<'_>,
    organization: Uuid,
    group: &Group,
    resource: &Inspected<'_>,
) -> Result<Option<&'static str>> {
    let Some(known) = groups::by_id(reader, organization, resource.id)? else {
        return Ok(Some("it is not among the groups that can be mapped"));
    };
    let external_id = group.external_id.as_ref().map(|id| id.as_str());
    Ok(
        if Some(known.row) != row_of::<Group>(reader, resource.tenant, resource.id)? {
            Some("what is kept of it is that of another resource")
        } else if known.name != group.display_name || known.external_id.as_deref() != external_id {
            Some("it is kept under another name or identifier of the provider")
        } else {
            None
        },
    )
}
