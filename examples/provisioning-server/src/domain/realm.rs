//! The places where people sign in: each organization, and the instance itself.

use uuid::Uuid;

use super::organization::Organization;

/// The realm of somebody who signs in.
#[derive(Debug, Clone)]
pub(crate) enum Realm {
    /// An organization, to which its people belong.
    Organization(Box<Organization>),
    /// The instance, to which its owners belong, who are in no organization.
    Instance,
}

impl Realm {
    /// The id under which credentials are kept: the one of the organization, or the nil UUID.
    pub(crate) fn id(&self) -> Uuid {
        match self {
            Self::Organization(organization) => organization.id,
            Self::Instance => Uuid::nil(),
        }
    }

    /// The beginning of the path of its pages.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Organization(organization) => format!("/o/{}", organization.name),
            Self::Instance => "/instance".to_owned(),
        }
    }
}
