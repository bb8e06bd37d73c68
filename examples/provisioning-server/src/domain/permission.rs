//! Permissions: a fixed catalogue of what can be done here, and free-form ones of the product behind.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use super::fault::{Fault, Result};
use super::keyword::{Keyword, keywords};

/// The beginning of every free-form permission.
const APPLICATION: &str = "app:";
/// The longest permission, in bytes.
const LENGTH_MAX: usize = 128;

keywords! {
    /// A part of the product that a permission opens.
    Area {
        /// People and their accounts.
        Users = "users",
        /// Groups, whether they are provisioned or kept in the portal.
        Groups = "groups",
        /// The mapping of groups to roles.
        Mappings = "mappings",
        /// Tokens of providers and of products behind.
        Tokens = "tokens",
        /// The integration with the identity provider.
        Integrations = "integrations",
        /// Login settings and SAML.
        Login = "login",
        /// The history of requests.
        History = "history",
        /// The bodies of requests that the history keeps.
        HistoryBodies = "history-bodies",
        /// The audit log.
        Audit = "audit",
        /// Webhooks.
        Webhooks = "webhooks",
        /// Roles and what they permit.
        Roles = "roles",
        /// The organization itself.
        Organization = "organization",
    }
}

impl Area {
    /// Returns whether writing here can give somebody more than they have.
    const fn escalates(self) -> bool {
        match self {
            Self::Organization
            | Self::Roles
            | Self::Mappings
            | Self::Tokens
            | Self::Integrations
            | Self::Login
            | Self::Users
            | Self::Webhooks => true,
            Self::Groups | Self::History | Self::HistoryBodies | Self::Audit => false,
        }
    }
}

keywords! {
    /// The rights in an area.
    Right {
        /// To see.
        Read = "read",
        /// To see and change.
        Write = "write",
    }
}

/// One permission. The order is the one in which people see them: the catalogue, then free-form ones by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Permission {
    /// A permission of this server.
    Catalogue(Area, Right),
    /// A permission of the product behind, which alone knows what it means.
    Application(Application),
}

/// The name of a free-form permission, with `app:`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Application(Box<str>);

/// Declares a constant for each permission of the catalogue that actions ask for.
macro_rules! catalogue {
    ($($read:ident $write:ident $area:ident,)*) => {
        impl Permission {
            $(
                #[doc = concat!("To read in the area ", stringify!($area), ".")]
                pub(crate) const $read: Self = Self::Catalogue(Area::$area, Right::Read);
                #[doc = concat!("To write in the area ", stringify!($area), ".")]
                pub(crate) const $write: Self = Self::Catalogue(Area::$area, Right::Write);
            )*

            /// Every permission of the catalogue, in order.
            pub(crate) const CATALOGUE: &'static [Self] = &[$(Self::$read, Self::$write,)*];
        }
    };
}
catalogue! {
    USERS_READ USERS_WRITE Users,
    GROUPS_READ GROUPS_WRITE Groups,
    MAPPINGS_READ MAPPINGS_WRITE Mappings,
    TOKENS_READ TOKENS_WRITE Tokens,
    INTEGRATIONS_READ INTEGRATIONS_WRITE Integrations,
    LOGIN_READ LOGIN_WRITE Login,
    HISTORY_READ HISTORY_WRITE History,
    HISTORY_BODIES_READ HISTORY_BODIES_WRITE HistoryBodies,
    AUDIT_READ AUDIT_WRITE Audit,
    WEBHOOKS_READ WEBHOOKS_WRITE Webhooks,
    ROLES_READ ROLES_WRITE Roles,
    ORGANIZATION_READ ORGANIZATION_WRITE Organization,
}

impl Permission {
    /// Reads a permission such as `users:write` or `app:reports.view`.
    ///
    /// # Errors
    /// The text is neither in the catalogue nor a free-form permission.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if let Some(name) = text.strip_prefix(APPLICATION) {
            return application(text, name);
        }
        let found = text.split_once(':').and_then(|(area, right)| {
            Some(Self::Catalogue(Area::from_word(area)?, Right::from_word(right)?))
        });
        found.ok_or_else(|| {
            let areas: Vec<&str> = Area::ALL.iter().map(|area| area.word()).collect();
            Fault::invalid(format!(
                "{text:?} is not a valid permission; expected an area and a right, such as users:read or users:write, \
                 with one of the areas {}, or a permission of your application, such as app:reports.view.",
                areas.join(", ")
            ))
        })
    }

    /// Returns whether whoever has it can give somebody more than they have.
    pub(crate) fn escalates(&self) -> bool {
        matches!(self, Self::Catalogue(area, Right::Write) if area.escalates())
    }

    /// Returns whether whoever has this permission has the other one too: to write implies to read.
    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Catalogue(own, Right::Write), Self::Catalogue(asked, _)) => own == asked,
            _ => self == other,
        }
    }
}

fn application(text: &str, name: &str) -> Result<Permission> {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'/')
    };
    if !name.is_empty() && text.len() <= LENGTH_MAX && name.bytes().all(allowed) {
        return Ok(Permission::Application(Application(text.into())));
    }
    Err(Fault::invalid(format!(
        "{text:?} is not a valid permission of an application; expected \"app:\" and one or more of the characters a-z, \
         0-9, \"-\", \".\", \"_\", \":\" and \"/\", {LENGTH_MAX} altogether at most."
    )))
}

impl Display for Permission {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalogue(area, right) => write!(f, "{}:{}", area.word(), right.word()),
            Self::Application(Application(text)) => f.write_str(text),
        }
    }
}

impl serde::Serialize for Permission {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Permission {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A set of permissions. To have one to write is to have the one to read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Permissions(BTreeSet<Permission>);

impl Permissions {
    /// No permission.
    pub(crate) const NONE: Self = Self(BTreeSet::new());

    /// Returns every permission of the catalogue.
    pub(crate) fn catalogue() -> Self {
        Permission::CATALOGUE.iter().cloned().collect()
    }

    /// Returns whether a permission stands in the set, or is implied by one that does.
    pub(crate) fn has(&self, permission: &Permission) -> bool {
        self.0.iter().any(|own| own.implies(permission))
    }

    /// Returns whether whoever has these has all the others.
    pub(crate) fn covers(&self, others: &Self) -> bool {
        others.iter().all(|other| self.has(other))
    }

    /// Returns those of the others that are not had here.
    pub(crate) fn lacking(&self, others: &Self) -> Self {
        others.iter().filter(|other| !self.has(other)).cloned().collect()
    }

    /// Returns both sets together.
    #[must_use]
    pub(crate) fn union(mut self, others: &Self) -> Self {
        self.extend(others.iter().cloned());
        self
    }

    /// Adds a permission; `false` if it stood in the set before.
    pub(crate) fn insert(&mut self, permission: Permission) -> bool {
        self.0.insert(permission)
    }

    /// Takes a permission out; `false` if it did not stand in the set.
    pub(crate) fn remove(&mut self, permission: &Permission) -> bool {
        self.0.remove(permission)
    }

    /// Whether it stands in the set itself.
    #[cfg(test)]
    pub(crate) fn contains(&self, permission: &Permission) -> bool {
        self.0.contains(permission)
    }

    /// Returns the permissions in the order in which people see them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.0.iter()
    }

    /// Returns the same, with each permission to read that one to write implies.
    #[must_use]
    pub(crate) fn with_implied(mut self) -> Self {
        let implied = self.0.iter().filter_map(|permission| match permission {
            Permission::Catalogue(area, Right::Write) => Some(Permission::Catalogue(*area, Right::Read)),
            _ => None,
        });
        let implied: Vec<_> = implied.collect();
        self.0.extend(implied);
        self
    }

    /// Returns whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns how many stand in the set.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether one of them can give somebody more than they have.
    pub(crate) fn escalate(&self) -> bool {
        self.iter().any(Permission::escalates)
    }
}

impl Extend<Permission> for Permissions {
    fn extend<I: IntoIterator<Item = Permission>>(&mut self, permissions: I) {
        self.0.extend(permissions);
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self(permissions.into_iter().collect())
    }
}

impl IntoIterator for Permissions {
    type Item = Permission;
    type IntoIter = std::collections::btree_set::IntoIter<Permission>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Display for Permissions {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for permission in self.iter() {
            write!(f, "{between}{permission}")?;
            between = ", ";
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Draws any permission, a few free-form ones among them.
    pub(crate) fn permission() -> impl Strategy<Value = Permission> {
        prop_oneof![
            4 => proptest::sample::select(Permission::CATALOGUE),
            1 => "app:[a-c]".prop_map(|text| Permission::parse(&text).unwrap()),
        ]
    }

    /// Draws any few permissions.
    pub(crate) fn permissions() -> impl Strategy<Value = Permissions> {
        proptest::collection::vec(permission(), 0..6).prop_map(Permissions::from_iter)
    }

    /// Feature row 86: the catalogue is every area, each to read and to write.
    #[test]
    fn the_catalogue_has_every_area_to_read_and_to_write() {
        let all = Area::ALL
            .iter()
            .flat_map(|area| Right::ALL.iter().map(|right| (*area, *right)));
        let all: Vec<Permission> = all
            .map(|(area, right)| Permission::Catalogue(area, right))
            .collect();
        assert_eq!(Permission::CATALOGUE, all);
        let words: Vec<&str> = Area::ALL.iter().map(|area| area.word()).collect();
        assert_eq!(
            words.join(" "),
            "users groups mappings tokens integrations login history history-bodies audit webhooks roles organization"
        );
    }

    /// Feature row 87: which permissions escalate.
    #[test]
    fn what_escalates_is_to_write_in_eight_areas() {
        let escalating: Permissions = Permission::CATALOGUE
            .iter()
            .filter(|permission| permission.escalates())
            .cloned()
            .collect();
        assert_eq!(
            escalating.to_string(),
            "users:write, mappings:write, tokens:write, integrations:write, login:write, webhooks:write, roles:write, \
             organization:write"
        );
        assert!(!Permission::parse("app:organization:write").unwrap().escalates());
    }

    /// Feature row 86: what is not a permission is refused with what to write instead.
    #[test]
    fn what_is_not_a_permission_is_refused_with_advice() {
        for bad in [
            "",
            "users",
            "users:",
            ":read",
            "users:delete",
            "Users:read",
            "people:read",
            "application:x",
        ] {
            let fault = Permission::parse(bad).unwrap_err().to_string();
            assert!(
                fault.contains("is not a valid permission; expected"),
                "{bad}: {fault}"
            );
            assert!(fault.contains("history-bodies"), "{fault}");
        }
        let long = format!("app:{}", "a".repeat(125));
        for bad in ["app:", "app:A", "app:a b", "app:ä", "app:a\n", &long] {
            let fault = Permission::parse(bad).unwrap_err().to_string();
            assert!(fault.contains("permission of an application"), "{bad}: {fault}");
        }
        assert!(Permission::parse(&long[..128]).is_ok());
    }

    proptest! {
        /// Feature row 86: what is shown is what is read, and nothing else is.
        #[test]
        fn a_permission_reads_as_it_is_shown(own in permission(), text in "\\PC{0,40}") {
            prop_assert_eq!(&Permission::parse(&own.to_string()).unwrap(), &own);
            let json = serde_json::to_string(&own).unwrap();
            prop_assert_eq!(serde_json::from_str::<Permission>(&json).unwrap(), own);
            if let Ok(read) = Permission::parse(&text) {
                prop_assert_eq!(read.to_string(), text);
            }
        }

        /// Feature row 87: `covers` is an order in which a union is the least upper bound.
        #[test]
        fn covering_is_an_order_with_unions(a in permissions(), b in permissions(), c in permissions()) {
            prop_assert!(a.covers(&a) && a.covers(&Permissions::NONE));
            prop_assert!(!(a.covers(&b) && b.covers(&c)) || a.covers(&c));
            let both = a.clone().union(&b);
            prop_assert!(both.covers(&a) && both.covers(&b));
            prop_assert_eq!(c.covers(&both), c.covers(&a) && c.covers(&b));
            prop_assert_eq!(a.lacking(&b).is_empty(), a.covers(&b));
            prop_assert!(a.clone().union(&a.lacking(&b)).covers(&b));
        }

        /// Feature row 86: to write implies to read, and nothing else implies anything.
        #[test]
        fn only_to_write_implies_another(own in permission(), asked in permission()) {
            let set = Permissions::from_iter([own.clone()]);
            let implied = match (&own, &asked) {
                (Permission::Catalogue(a, Right::Write), Permission::Catalogue(b, Right::Read)) => a == b,
                _ => own == asked,
            };
            prop_assert_eq!(set.has(&asked), implied);
        }
    }
}
