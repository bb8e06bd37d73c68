//! The demands on a store for one type of resource: resources of it, a change, and what the store supports.

use std::fmt::{self, Debug, Formatter};
use std::sync::Arc;

use serde_json::Value;

use super::attributes::{Leaf, leaves};
use crate::limits::Limits;
use crate::policy::Kept;
use crate::record::{ExtensionSet, ScimResource};
use crate::resources::{Email, GroupWith, Name, UserWith};
use crate::value::{Cx, ExternalId, Intent, Strict};

type Make<R> = dyn Fn(usize) -> R + Send + Sync;
type Change<R> = dyn Fn(&mut R, usize) + Send + Sync;

/// Resources of one type to try a store with, a change of them, and what the store supports of the type: everything,
/// unless it says otherwise. Nothing else is asked for.
///
/// Which attributes are unique, case-exact, transient or read-only follows from the schema.
///
/// ```
/// use scim::ScimResource;
/// use scim::testkit::contract::Sample;
/// use scim::value::{Meta, ResourceId};
///
/// #[derive(Debug, Clone, PartialEq, ScimResource)]
/// #[scim(schema = "urn:example:scim:schemas:2.0:Badge", endpoint = "/Badges")]
/// struct Badge {
///     id: ResourceId,
///     meta: Meta,
///     #[scim(unique = "server", case_exact)]
///     serial_number: String,
///     zones: Vec<String>,
/// }
///
/// let badges = Sample::new(
///     |n| Badge {
///         id: ResourceId::default(),
///         meta: Meta::default(),
///         serial_number: format!("B-{n}"),
///         zones: vec!["lobby".into()],
///     },
///     |badge, n| badge.zones = vec!["lobby".into(), format!("floor {n}")],
/// );
/// let no_scans = badges.without_sorting().filtered_by(&["serialNumber"]);
/// ```
pub struct Sample<R> {
    make: Arc<Make<R>>,
    change: Arc<Change<R>>,
    kept: Option<Kept>,
    single: Vec<String>,
    filters: Names,
    sorting: Names,
    pub(super) times: bool,
}

/// Attributes by which a store can find or sort.
#[derive(Debug, Clone)]
enum Names {
    All,
    These(Vec<String>),
}

impl Names {
    fn of(names: &[&str]) -> Self {
        Self::These(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// Returns whether an attribute is among them, by its own name or as one of a complex attribute.
    fn has(&self, name: &str) -> bool {
        let whole = name.rsplit_once('.').map_or(name, |(whole, _)| whole);
        let is_it = |known: &String| known.eq_ignore_ascii_case(name) || known.eq_ignore_ascii_case(whole);
        match self {
            Self::All => true,
            Self::These(names) => names.iter().any(is_it),
        }
    }

    fn is_none(&self) -> bool {
        matches!(self, Self::These(names) if names.is_empty())
    }
}

impl<R> Clone for Sample<R> {
    fn clone(&self) -> Self {
        Self {
            make: Arc::clone(&self.make),
            change: Arc::clone(&self.change),
            kept: self.kept.clone(),
            single: self.single.clone(),
            filters: self.filters.clone(),
            sorting: self.sorting.clone(),
            times: self.times,
        }
    }
}

impl<R: ScimResource> Debug for Sample<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Sample of {}", R::RESOURCE_TYPE.name)
    }
}

impl<R: ScimResource> Sample<R> {
    /// Makes a sample. `make` makes the n-th valid resource, of which no two share a value that must be unique. `change` makes
    /// the n-th change of one: it sets attributes that need not be unique to values that depend on `n`. Neither sets edges, or
    /// what is handed on and not kept.
    #[must_use]
    pub fn new(
        make: impl Fn(usize) -> R + Send + Sync + 'static,
        change: impl Fn(&mut R, usize) + Send + Sync + 'static,
    ) -> Self {
        Self {
            make: Arc::new(make),
            change: Arc::new(change),
            kept: None,
            single: Vec::new(),
            filters: Names::All,
            sorting: Names::All,
            times: true,
        }
    }

    /// Returns the same sample with more in each resource, such as an extension of the application's own. Values
    /// that must be
    /// unique depend on `n`.
    ///
    /// ```
    /// use scim::resources::{EnterpriseUser, User};
    /// use scim::testkit::contract::Sample;
    ///
    /// let users = Sample::<User>::users().also(|user, n| {
    ///     let employee_number = Some(n.to_string());
    ///     user.extensions.enterprise = Some(EnterpriseUser { employee_number, ..EnterpriseUser::default() });
    /// });
    /// ```
    #[must_use]
    pub fn also(mut self, more: impl Fn(&mut R, usize) + Send + Sync + 'static) -> Self {
        let make = self.make;
        self.make = Arc::new(move |n| {
            let mut resource = make(n);
            more(&mut resource, n);
            resource
        });
        self
    }

    /// Returns the same sample for a store that keeps these attributes only, such as one over a table with a few
    /// columns. It is given
    /// what a service with [`Policy::keeping`](crate::policy::Policy::keeping) gives it, and judged by what it
    /// keeps. An
    /// attribute of edges that the store keeps is among them.
    #[must_use]
    pub fn keeping(mut self, kept: Kept) -> Self {
        self.kept = Some(kept);
        self
    }

    /// Returns the same sample for a store that keeps one value of each of these multi-valued attributes, such as
    /// one e-mail address.
    #[must_use]
    pub fn with_one_value_of(mut self, names: &[&str]) -> Self {
        self.single = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Returns the same sample for a store that filters by these attributes only (and `id`).
    #[must_use]
    pub fn filtered_by(mut self, names: &[&str]) -> Self {
        self.filters = Names::of(names);
        self
    }

    /// Returns the same sample for a store that knows no filters: a service over it says so in its configuration
    /// (RFC 7643 section 5).
    #[must_use]
    pub fn without_filters(self) -> Self {
        self.filtered_by(&[])
    }

    /// Returns the same sample for a store that sorts by these attributes only.
    #[must_use]
    pub fn sorted_by(mut self, names: &[&str]) -> Self {
        self.sorting = Names::of(names);
        self
    }

    /// Returns the same sample for a store that does not sort: a service over it says so in its configuration (RFC
    /// 7643 section 5).
    #[must_use]
    pub fn without_sorting(self) -> Self {
        self.sorted_by(&[])
    }

    /// Returns the same sample for a store that does not keep when a resource was created and changed.
    #[must_use]
    pub fn without_times(mut self) -> Self {
        self.times = false;
        self
    }

    pub(super) fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }

    /// Returns the n-th resource, as far as it is kept.
    pub(super) fn of(&self, n: usize) -> R {
        self.stripped((self.make)(n))
    }

    /// Returns a resource after the n-th change, as far as it is kept.
    pub(super) fn changed(&self, resource: &R, n: usize) -> R {
        let mut changed = resource.clone();
        (self.change)(&mut changed, n);
        self.stripped(changed)
    }

    /// Returns what is kept of a resource.
    pub(super) fn stripped(&self, mut resource: R) -> R {
        if let Some(kept) = &self.kept {
            let limits = Limits::default();
            let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
            // Reading what is stored refuses nothing; an attribute handler that does leaves the value, and is seen.
            _ = kept.strip(&mut resource, &mut cx);
        }
        resource
    }

    /// Returns the attributes that the store is judged by.
    pub(super) fn leaves(&self) -> Vec<Leaf> {
        leaves::<R>(self.kept())
    }

    pub(super) fn unique(&self) -> Vec<Leaf> {
        let mut leaves = self.leaves();
        leaves.retain(Leaf::is_unique);
        leaves
    }

    /// Returns the multi-valued attributes of which the store keeps as many values as there are.
    pub(super) fn lists(&self) -> Vec<Leaf> {
        let mut leaves = self.leaves();
        leaves.retain(|leaf| {
            let is_single = self
                .single
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&leaf.name));
            leaf.is_list() && leaf.is_changeable() && !is_single
        });
        leaves
    }

    /// Returns whether the store filters by anything.
    pub(super) fn filters(&self) -> bool {
        !self.filters.is_none()
    }

    pub(super) fn filters_by(&self, name: &str) -> bool {
        self.filters.has(name)
    }

    pub(super) fn sorts(&self) -> bool {
        !self.sorting.is_none()
    }

    pub(super) fn sorts_by(&self, name: &str) -> bool {
        self.sorting.has(name)
    }

    /// Returns the operations of a PATCH that make `after` of `before`, one an attribute.
    pub(super) fn operations(&self, before: &R, after: &R) -> Vec<Value> {
        let leaves = self.leaves().into_iter();
        let changed = leaves.filter_map(|leaf| {
            let (was, is) = (leaf.of(before), leaf.of(after));
            (was != is).then(|| leaf.operation(is.as_ref()))
        });
        changed.collect()
    }

    /// Returns the n-th change of a resource as a PATCH.
    pub(super) fn patch(&self, resource: &R, n: usize) -> Value {
        self.operations(resource, &self.changed(resource, n)).into()
    }
}

impl<E: ExtensionSet> Sample<UserWith<E>> {
    /// Makes a sample of people with a name, an e-mail address and a title, who change all of these and can be disabled.
    #[must_use]
    pub fn users() -> Self {
        let make = |n: usize| UserWith {
            external_id: Some(ExternalId::new(format!("Ext-{n}"))),
            name: Some(Name {
                given_name: Some("Barbara".to_owned()),
                family_name: Some(format!("Jensen \"{n}\" \u{1f30d}")),
                ..Name::default()
            }),
            active: Some(true),
            title: Some(
                ["Tour Guide", "Chief", "guide"]
                    .get(n % 3)
                    .copied()
                    .unwrap_or_default()
                    .to_owned(),
            ),
            emails: vec![
                Email::new(format!("bjensen{n}@example.com"))
                    .with_kind("work")
                    .primary(),
            ],
            ..UserWith::new(format!("BJensen{n}@example.com"))
        };
        let change = |user: &mut UserWith<E>, n: usize| {
            let name = user.name.get_or_insert_default();
            name.given_name = Some(format!("Given {n}"));
            name.family_name = Some(format!("Family {n}"));
            user.display_name = Some(format!("Babs {n}"));
            user.nick_name = Some(format!("Nick {n}"));
            user.title = Some(format!("Title {n}"));
            user.active = Some(n.is_multiple_of(2));
            user.emails = vec![
                Email::new(format!("changed{n}@example.com"))
                    .with_kind("work")
                    .primary(),
            ];
        };
        Self::new(make, change)
    }
}

impl<E: ExtensionSet> Sample<GroupWith<E>> {
    /// Makes a sample of groups, which change their name.
    #[must_use]
    pub fn groups() -> Self {
        let make = |n: usize| GroupWith {
            external_id: Some(ExternalId::new(format!("Ext-{n}"))),
            ..GroupWith::new(format!("Tour Guides {n}"))
        };
        Self::new(make, |group, n| group.display_name = format!("Chiefs {n}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complex_attribute_stands_for_its_sub_attributes() {
        let names = Names::of(&["userName", "emails", "name.givenName"]);
        for name in ["username", "emails.value", "emails", "name.givenName"] {
            assert!(names.has(name), "{name}");
        }
        for name in [
            "title",
            "name.familyName",
            "name",
            "urn:example:2.0:User:userName",
        ] {
            assert!(!names.has(name), "{name}");
        }
        assert!(Names::All.has("title") && !Names::of(&[]).has("title"));
    }
}
