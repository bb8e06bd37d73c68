//! Which attributes are shown.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::path::{AttrPath, AttributeName};
use crate::schema::{Attribute, Mutability, ResourceType, Returned};

/// Which attributes of a resource an answer shows: worked out once per request, cheap to clone.
///
/// ```
/// # use scim::schema::{Attribute, ResourceType, Schema, Shape, Type};
/// # static BADGE: ResourceType = ResourceType {
/// #     name: "Badge", description: "", endpoint: "/Badges",
/// #     schema: &Schema {
/// #         id: "urn:example:Badge", name: "Badge", description: "",
/// #         attributes: &[Attribute::new("serial", Shape::new(Type::String)), Attribute::new("zone", Shape::new(Type::String))],
/// #     },
/// # };
/// use scim::path::AttrPath;
/// use scim::projection::Projection;
///
/// let shown = Projection::parse(&BADGE, &["SERIAL,unknown"], &[] as &[&str], false)?;
/// assert!(shown.includes(AttrPath::ROOT.push(0)) && !shown.includes(AttrPath::ROOT.push(1)));
/// assert!(Projection::default_of(&BADGE).is_default() && !shown.is_default());
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Projection {
    resource_type: &'static ResourceType,
    /// One entry per attribute of the table; `None` stands for the default.
    shows: Option<Arc<[Show]>>,
    /// The attributes that the client has excluded; `None` if it has chosen.
    excluded: Option<Arc<[AttrPath]>>,
    /// Whether the document begins with `schemas`.
    pub(super) schemas: bool,
}

/// The part of one attribute that is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Show {
    /// Nothing.
    No,
    /// The attribute, with the sub-attributes that are shown by default.
    Yes,
    /// One entry per sub-attribute.
    Part(Box<[Show]>),
}

impl Show {
    /// Returns the sub-attributes that are shown, where `None` within stands for the default; `None` if nothing is.
    pub(super) fn parts(&self) -> Option<Option<&[Self]>> {
        match self {
            Self::No => None,
            Self::Yes => Some(None),
            Self::Part(parts) => Some(Some(parts)),
        }
    }
}

/// The verdict of a rule on one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is not shown.
    Hide,
    /// It is shown as by default.
    Default,
    /// It is shown; if it is complex, the rule decides of each sub-attribute.
    Open,
}

impl Projection {
    /// Makes the default: everything that is returned `always` or by `default`.
    #[must_use]
    pub fn default_of(resource_type: &'static ResourceType) -> Self {
        Self {
            resource_type,
            shows: None,
            excluded: Some(Arc::from([])),
            schemas: true,
        }
    }

    /// Makes the projection that `attributes` and `excludedAttributes` leave to show (RFC 7644 section 3.9).
    ///
    /// Each item may itself be a list separated by commas. Names that the resource type does not know are ignored, and
    /// so are requests for what is never returned. A complex attribute stands for its sub-attributes, the URN of an
    /// extension for the extension, the URN of the resource's own schema for all that is in no extension.
    ///
    /// # Errors
    /// 400 `invalidValue` if both are given, unless `both_allowed`: then `attributes` decides.
    pub fn parse(
        resource_type: &'static ResourceType,
        attributes: &[impl AsRef<str>],
        excluded: &[impl AsRef<str>],
        both_allowed: bool,
    ) -> Result<Self> {
        let (chooses, excludes) = (has_names(attributes), has_names(excluded));
        if chooses && excludes && !both_allowed {
            return Err(Error::invalid_value(
                "attributes and excludedAttributes exclude each other: give one of them.",
            ));
        }
        if chooses {
            Ok(Self::only(resource_type, &resolve(resource_type, attributes)))
        } else if excludes {
            Ok(Self::except(resource_type, resolve(resource_type, excluded), &[]))
        } else {
            Ok(Self::default_of(resource_type))
        }
    }

    /// Shows also what is returned on `request` and was set by this very request, at these paths (RFC 7643 section 7).
    /// The list of the client decides if it has named the attributes that it wants.
    #[must_use]
    pub fn with_asserted(self, paths: &[AttrPath]) -> Self {
        match &self.excluded {
            Some(excluded) if !paths.is_empty() => Self::except(self.resource_type, excluded.to_vec(), paths),
            _ => self,
        }
    }

    /// Shows every attribute, also what is never returned: the whole state of a resource, for no client's eyes.
    #[must_use]
    pub fn everything(resource_type: &'static ResourceType) -> Self {
        Self::by(resource_type, None, &|_, _| Verdict::Open)
    }

    /// Shows everything that a client may assign and so sends, also such as no answer shows, for instance a password.
    #[must_use]
    pub fn assignable(resource_type: &'static ResourceType) -> Self {
        Self::by(
            resource_type,
            None,
            &|attribute, _| match attribute.shape.mutability {
                Mutability::ReadOnly => Verdict::Hide,
                Mutability::ReadWrite | Mutability::Immutable | Mutability::WriteOnly => Verdict::Open,
            },
        )
    }

    /// Returns the resource type.
    #[must_use]
    pub fn resource_type(&self) -> &'static ResourceType {
        self.resource_type
    }

    /// Returns whether the attribute at `path` is shown, or anything of it. Anything that is not shown need not be read from a
    /// database.
    #[must_use]
    pub fn includes(&self, path: AttrPath) -> bool {
        if path == AttrPath::SCHEMAS {
            return self.schemas;
        }
        self.at(path).is_some()
    }

    /// Returns the sub-attributes at `path` that are shown, where `None` within stands for the default; `None` if nothing is.
    pub(super) fn at(&self, path: AttrPath) -> Option<Option<&[Show]>> {
        let mut table = self.resource_type.schema.attributes;
        let mut shows = self.shows();
        for step in path.steps() {
            let index = usize::from(*step);
            let attribute = table.get(index)?;
            shows = show_at(shows, index, attribute).parts()?;
            table = attribute.shape.sub_attributes;
        }
        Some(shows)
    }

    /// Returns whether this is what is shown by default.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.shows.is_none() && self.schemas
    }

    /// Returns whether a document of [`stored_visible`](Self::stored_visible) shows exactly this, beside the edges and what the
    /// store holds `apart`.
    #[must_use]
    pub fn fits_stored(&self, apart: &[AttrPath]) -> bool {
        let mut table = (0..u16::MAX).zip(self.resource_type.schema.attributes);
        self.schemas
            && table.all(|(step, attribute)| {
                let is_apart = attribute.edges || apart.contains(&AttrPath::ROOT.push(step));
                is_apart || *show_at(self.shows(), step.into(), attribute) == *default_show(attribute)
            })
    }

    /// Returns whether no attribute at all is shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let table = self.resource_type.schema.attributes;
        !self.schemas
            && table
                .iter()
                .enumerate()
                .all(|(index, attribute)| *show_at(self.shows(), index, attribute) == Show::No)
    }

    pub(super) fn shows(&self) -> Option<&[Show]> {
        self.shows.as_deref()
    }

    /// Shows only `chosen`, and what is always shown.
    fn only(resource_type: &'static ResourceType, chosen: &[AttrPath]) -> Self {
        Self::by(resource_type, None, &|attribute, path| {
            let returned = attribute.shape.returned;
            let by_itself = chosen.contains(&path);
            let with_its_parent = matches!(returned, Returned::Always | Returned::Default)
                && chosen.iter().any(|name| path.starts_with(*name));
            if returned == Returned::Never {
                Verdict::Hide
            } else if by_itself || with_its_parent || attribute.is_extension() || leads_to(path, chosen) {
                Verdict::Open
            } else if returned == Returned::Always {
                Verdict::Default
            } else {
                Verdict::Hide
            }
        })
    }

    /// Shows the default without `excluded`, and with what is returned on request and was `asserted`.
    fn except(
        resource_type: &'static ResourceType,
        mut excluded: Vec<AttrPath>,
        asserted: &[AttrPath],
    ) -> Self {
        // Nothing can exclude what is always returned.
        excluded.retain(|path| returned_at(*path, resource_type) != Some(Returned::Always));
        let is_asserted = |path: AttrPath| {
            let mut asserted = asserted.iter().filter(|set| !set.is_root());
            asserted.any(|set| path.starts_with(*set) || set.starts_with(path))
        };
        let table = resource_type.schema.attributes;
        let rule = |attribute: &Attribute, path: AttrPath| {
            // Whoever excludes a whole does not reach into what is always returned of it.
            let is_excluded = excluded.iter().any(|name| {
                let mut below = path.attributes(table).skip(name.steps().len());
                path.starts_with(*name) && !below.any(|inner| inner.shape.returned == Returned::Always)
            });
            match attribute.shape.returned {
                Returned::Never => Verdict::Hide,
                Returned::Always => Verdict::Open,
                Returned::Request if is_excluded || !is_asserted(path) => Verdict::Hide,
                Returned::Default if is_excluded && !attribute.is_extension() => Verdict::Hide,
                Returned::Default | Returned::Request => Verdict::Open,
            }
        };
        Self::by(resource_type, Some(excluded.clone().into()), &rule)
    }

    /// Shows the attributes that a rule shows.
    pub(super) fn by(
        resource_type: &'static ResourceType,
        excluded: Option<Arc<[AttrPath]>>,
        rule: &dyn Fn(&Attribute, AttrPath) -> Verdict,
    ) -> Self {
        let table = resource_type.schema.attributes;
        let shows = compile(table, AttrPath::ROOT, rule);
        Self {
            resource_type,
            shows: (!is_default(&shows, table)).then(|| shows.into()),
            excluded,
            schemas: true,
        }
    }
}

/// Returns what is shown of the attribute at `index`; `shows` is the table's list, or `None` for the default.
pub(super) fn show_at<'s>(shows: Option<&'s [Show]>, index: usize, attribute: &Attribute) -> &'s Show {
    match shows {
        Some(shows) => shows.get(index).unwrap_or(&Show::No),
        None => default_show(attribute),
    }
}

fn default_show(attribute: &Attribute) -> &'static Show {
    match attribute.shape.returned {
        Returned::Always | Returned::Default => &Show::Yes,
        Returned::Never | Returned::Request => &Show::No,
    }
}

fn is_default(shows: &[Show], table: &[Attribute]) -> bool {
    let mut pairs = shows.iter().zip(table);
    pairs.all(|(show, attribute)| show == default_show(attribute))
}

fn compile(
    table: &'static [Attribute],
    parent: AttrPath,
    rule: &dyn Fn(&Attribute, AttrPath) -> Verdict,
) -> Vec<Show> {
    let paths = (0..u16::MAX).map(|index| parent.push(index));
    let shows = table.iter().zip(paths).map(|(attribute, path)| {
        let subs = attribute.shape.sub_attributes;
        match rule(attribute, path) {
            Verdict::Hide => Show::No,
            Verdict::Open if !subs.is_empty() => {
                let parts = compile(subs, path, rule);
                if is_default(&parts, subs) {
                    Show::Yes
                } else if parts.iter().all(|part| *part == Show::No) {
                    Show::No
                } else {
                    Show::Part(parts.into())
                }
            }
            Verdict::Open | Verdict::Default => Show::Yes,
        }
    });
    shows.collect()
}

fn returned_at(path: AttrPath, resource_type: &'static ResourceType) -> Option<Returned> {
    let attribute = path.attribute(resource_type.schema.attributes)?;
    Some(attribute.shape.returned)
}

/// Returns whether one of `names` lies within `path`.
fn leads_to(path: AttrPath, names: &[AttrPath]) -> bool {
    names.iter().any(|name| name.starts_with(path))
}

fn names(lists: &[impl AsRef<str>]) -> impl Iterator<Item = &str> {
    lists
        .iter()
        .flat_map(|list| list.as_ref().split(','))
        .map(str::trim)
        .filter(|name| !name.is_empty())
}

fn has_names(lists: &[impl AsRef<str>]) -> bool {
    names(lists).next().is_some()
}

fn resolve(resource_type: &'static ResourceType, lists: &[impl AsRef<str>]) -> Vec<AttrPath> {
    let schema = resource_type.schema;
    let mut paths: Vec<_> = names(lists)
        .filter_map(|name| AttrPath::resolve(&name.parse::<AttributeName>().ok()?, schema))
        .filter(|path| *path != AttrPath::SCHEMAS)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    if paths.contains(&AttrPath::ROOT) {
        let own = (0..u16::MAX)
            .zip(schema.attributes)
            .filter(|(_, attribute)| !attribute.is_extension() && *default_show(attribute) == Show::Yes);
        paths.retain(|path| !path.is_root());
        paths.extend(own.map(|(index, _)| AttrPath::ROOT.push(index)));
    }
    paths
}
