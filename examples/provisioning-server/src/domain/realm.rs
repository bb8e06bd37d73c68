//! The places where people sign in: each organization, and the instance itself.

use std::fmt::{self, Display, Formatter};

use uuid::Uuid;

use super::organization::{Name, Organization};

/// The realm of somebody who signs in.
#[derive(Debug, Clone)]
pub(crate) enum Realm {
    /// An organization, to which its people belong.
    Organization(Box<Organization>),
    /// The instance, to which its owners belong, who are in no organization.
    Instance,
}

/// A realm by its name, where it need not be known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RealmName {
    Organization(Name),
    Instance,
}

impl From<&Name> for RealmName {
    fn from(organization: &Name) -> Self {
        Self::Organization(organization.clone())
    }
}

impl From<Option<Name>> for RealmName {
    fn from(organization: Option<Name>) -> Self {
        organization.map_or(Self::Instance, Self::Organization)
    }
}

impl From<&Realm> for RealmName {
    fn from(realm: &Realm) -> Self {
        match realm {
            Realm::Organization(organization) => Self::Organization(organization.name.clone()),
            Realm::Instance => Self::Instance,
        }
    }
}

/// The name as files and documents have it.
impl Display for RealmName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(name) => Display::fmt(name, f),
            Self::Instance => f.write_str("instance"),
        }
    }
}

impl Realm {
    /// Returns the id under which credentials are kept: the one of the organization, or the nil UUID.
    pub(crate) fn id(&self) -> Uuid {
        match self {
            Self::Organization(organization) => organization.id,
            Self::Instance => Uuid::nil(),
        }
    }

    /// Returns the beginning of the path of its pages.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Organization(organization) => format!("/o/{}", organization.name),
            Self::Instance => "/instance".to_owned(),
        }
    }
}
