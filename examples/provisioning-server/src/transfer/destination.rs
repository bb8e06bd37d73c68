//! Whose people and groups those in a file become.

use std::sync::Arc;

use scim::store::HasTenant;

use crate::domain::organization::Organization;
use crate::scim_api::rules::OfOrganization;

/// The context of an import.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    organization: Arc<Organization>,
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

impl OfOrganization for Destination {
    fn organization(&self) -> &Organization {
        &self.organization
    }
}

impl HasTenant for Destination {
    fn tenant(&self) -> &str {
        &self.tenant
    }
}
