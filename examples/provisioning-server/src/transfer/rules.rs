//! What an organization demands of people and groups holds of those who are imported, too.

use std::sync::Arc;

use scim::ScimResource;
use scim::resources::Group;
use scim::schema::ResourceType;
use scim::store::sqlite::{Joined, Transaction};
use scim::store::{Happened, HasTenant};

use crate::domain::organization::Organization;
use crate::domain::user::User;
use crate::scim_api::rules;

/// The context of an import: whose people and groups they become.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    pub(super) organization: Arc<Organization>,
    tenant: Arc<str>,
}

impl Destination {
    pub(super) fn new(organization: &Organization) -> Self {
        Self {
            tenant: organization.id.to_string().into(),
            organization: Arc::new(organization.clone()),
        }
    }
}

impl HasTenant for Destination {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}

/// Joins everything that is imported.
#[derive(Debug)]
pub(super) struct Rules;

impl Joined<Destination> for Rules {
    fn written(
        &self,
        tx: &Transaction<'_>,
        cx: &Destination,
        resource_type: &'static ResourceType,
        id: &str,
        happened: &Happened<'_>,
    ) -> scim::Result<()> {
        if resource_type.name == User::RESOURCE_TYPE.name {
            rules::check_user(&cx.organization, happened)
        } else if resource_type.name == Group::RESOURCE_TYPE.name {
            rules::check_group(tx, &cx.organization, id, happened)
        } else {
            Ok(())
        }
    }
}
