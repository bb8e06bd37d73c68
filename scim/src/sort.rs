//! Sorting (RFC 7644 section 3.4.2.3).

use std::cmp::Ordering;
use std::fmt::{self, Display, Formatter};
use std::ops::ControlFlow;
use std::str::FromStr;
use std::sync::Arc;

use crate::error::{Error, Result, quoted};
use crate::filter::Numeric;
use crate::fold::Fold;
use crate::path::{AttrPath, AttributeName};
use crate::record::Record;
use crate::schema::{Attribute, Mutability, Returned, Schema, Type, position};
use crate::value::{DateTime, View};

/// The direction of `sortOrder`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SortOrder {
    /// Smallest first, resources without value last.
    #[default]
    Ascending,
    /// Greatest first, resources without value before them.
    Descending,
}

impl SortOrder {
    /// Returns the keyword.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ascending => "ascending",
            Self::Descending => "descending",
        }
    }
}

impl Display for SortOrder {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SortOrder {
    type Err = Error;

    /// Reads the keyword in any case; anything else is 400 `invalidValue`.
    fn from_str(text: &str) -> Result<Self> {
        [Self::Ascending, Self::Descending]
            .into_iter()
            .find(|order| order.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| {
                Error::invalid_value(format!(
                    "sortOrder must be ascending or descending, but is {}",
                    quoted(text)
                ))
            })
    }
}

/// By what the resources of one schema are sorted.
///
/// Resources whose keys are equal are in no order yet: a store breaks the tie by `id`, or pages would overlap.
///
/// ```
/// use scim::ScimResource;
/// use scim::sort::{Sort, SortOrder};
/// use scim::value::{Meta, ResourceId};
///
/// #[derive(Debug, Clone, PartialEq, ScimResource)]
/// #[scim(schema = "urn:example:2.0:Room", endpoint = "/Rooms")]
/// struct Room {
///     id: ResourceId,
///     meta: Meta,
///     name: String,
/// }
///
/// let room = |name: &str| Room { id: ResourceId::default(), meta: Meta::default(), name: name.to_owned() };
/// let sort = Sort::resolve(&"NAME".parse()?, SortOrder::Ascending, Room::RESOURCE_TYPE.schema)?;
/// assert!(sort.compare(&sort.key(&room("attic")), &sort.key(&room("Basement"))).is_lt());
/// # Ok::<(), scim::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sort {
    path: AttrPath,
    attribute: &'static Attribute,
    order: SortOrder,
    unassigned_is_false: bool,
    /// The URL that clients see in front of references to the service, with a slash at the end.
    base: Option<Arc<str>>,
}

impl Sort {
    /// Resolves `sortBy` against the schema of the resources. Of a complex multi-valued attribute, `value` is meant.
    ///
    /// # Errors
    /// 400 `invalidPath` for a name that the schema does not know, a complex attribute without the sub-attribute to
    /// sort by, and an attribute that is never returned.
    pub fn resolve(sort_by: &AttributeName, order: SortOrder, schema: &'static Schema) -> Result<Self> {
        let refuse = |why: &str| {
            Err(Error::invalid_path(format!(
                "sortBy: {} {why}",
                quoted(&sort_by.to_string())
            )))
        };
        let Some(mut path) = AttrPath::resolve(sort_by, schema) else {
            return refuse(&format!("is no attribute of {} and its extensions", schema.name));
        };
        let mut way: Vec<_> = path.attributes(schema.attributes).collect();
        let Some(mut attribute) = way.last().copied() else {
            return refuse("is no attribute to sort by");
        };
        if attribute.is_complex() {
            let value = attribute
                .sub_attribute("value")
                .filter(|(_, value)| attribute.shape.multi_valued && !value.is_complex());
            let Some((index, value)) = value else {
                return refuse("is complex: name one of its sub-attributes");
            };
            path = path.push(u16::try_from(index).unwrap_or(u16::MAX));
            way.push(value);
            attribute = value;
        }
        if way.iter().any(|attribute| is_secret(attribute)) {
            return refuse("is never returned, and so cannot be sorted by");
        }
        let of_many = way
            .iter()
            .nth_back(1)
            .is_some_and(|owner| owner.shape.multi_valued);
        Ok(Self {
            path,
            attribute,
            order,
            unassigned_is_false: of_many
                && attribute.name.eq_ignore_ascii_case("primary")
                && attribute.shape.kind == Type::Boolean,
            base: None,
        })
    }

    /// Returns the same order for clients that see references to the service below this base URL. Without one, they are sorted by
    /// their paths, such as `Users/2819`.
    #[must_use]
    pub fn with_base_url(mut self, base_url: &str) -> Self {
        if self.attribute.shape.kind == Type::Reference {
            self.base = Some(format!("{}/", base_url.trim_end_matches('/')).into());
        }
        self
    }

    /// Returns the attribute, as indices.
    #[must_use]
    pub fn path(&self) -> AttrPath {
        self.path
    }

    /// Returns the attribute.
    #[must_use]
    pub fn attribute(&self) -> &'static Attribute {
        self.attribute
    }

    /// Returns the direction.
    #[must_use]
    pub fn order(&self) -> SortOrder {
        self.order
    }

    /// Returns whether the greatest comes first.
    #[must_use]
    pub fn is_descending(&self) -> bool {
        self.order == SortOrder::Descending
    }

    /// Returns the key of a resource. `record` must have the table that the sort was resolved against.
    #[must_use]
    pub fn key(&self, record: &dyn Record) -> SortKey {
        self.key_within(&View::Complex(record), 0)
    }

    /// Returns the key of a resource of which no more is known than the value that stands `depth` steps along the path.
    pub(crate) fn key_within(&self, value: &View<'_>, depth: usize) -> SortKey {
        let mut key = SortKey::Missing;
        let steps = self.path.steps().get(depth..).unwrap_or_default();
        at(value, steps, &mut |value| {
            key = match self.key_of(value) {
                SortKey::Missing if self.unassigned_is_false => SortKey::Bool(false),
                key => key,
            };
        });
        key
    }

    fn key_of(&self, value: &View<'_>) -> SortKey {
        let fold = self.attribute.fold();
        match (value, &self.base) {
            (View::Relative(path), Some(base)) => SortKey::Text(fold.key(&format!("{base}{path}")).into()),
            _ => SortKey::of(value, fold),
        }
    }

    /// Returns how two keys stand to each other in the direction of the sort.
    #[must_use]
    pub fn compare(&self, left: &SortKey, right: &SortKey) -> Ordering {
        self.order.compare(left, right)
    }
}

impl SortOrder {
    /// Returns how two keys stand to each other in this direction. The keys may be those of resources of several types.
    #[must_use]
    pub fn compare(self, left: &SortKey, right: &SortKey) -> Ordering {
        match self {
            Self::Ascending => left.cmp(right),
            Self::Descending => right.cmp(left),
        }
    }
}

fn is_secret(attribute: &Attribute) -> bool {
    attribute.shape.returned == Returned::Never || attribute.shape.mutability == Mutability::WriteOnly
}

/// Shows the value at the end of the steps; of a multi-valued attribute on the way the primary value counts, or else
/// the first.
fn at(value: &View<'_>, steps: &[u16], found: &mut dyn FnMut(&View<'_>)) {
    if let Some(values) = value.values() {
        let mut primary = false;
        _ = values.try_for_each(&mut |element| {
            primary = element.is_primary();
            if primary || !may_be_primary(&element) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        _ = values.try_for_each(&mut |element| {
            if (primary && !element.is_primary()) || is_void(&element) {
                return ControlFlow::Continue(());
            }
            at(&element, steps, found);
            ControlFlow::Break(())
        });
        return;
    }
    match (steps, value.record()) {
        ([], _) => found(value),
        ([step, rest @ ..], Some(record)) => at(&record.view(usize::from(*step)), rest, found),
        _ => {}
    }
}

/// Returns whether elements of this kind can be preferred to each other: if not, the first need not be compared to a million.
fn may_be_primary(element: &View<'_>) -> bool {
    element
        .record()
        .is_some_and(|record| position(record.attributes(), "primary").is_some())
}

/// Returns whether a set of sub-attributes has none at all, so that no document shows it.
fn is_void(element: &View<'_>) -> bool {
    element.record().is_some_and(|record| {
        (0..record.attributes().len()).all(|index| matches!(record.view(index), View::Absent))
    })
}

/// The key that a resource is sorted by: its order is the ascending one.
///
/// Text is its comparison key, in the order of code points and of no locale. Keys of different types, which a search
/// over several resource types can meet, are in the order of the variants.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    /// A boolean: false first.
    Bool(bool),
    /// A number.
    Number(Numeric),
    /// An instant.
    Time(DateTime),
    /// The comparison key of a text.
    Text(Box<str>),
    /// Bytes.
    Binary(Box<[u8]>),
    /// The attribute has no value.
    Missing,
}

impl SortKey {
    fn of(value: &View<'_>, fold: Fold) -> Self {
        match value {
            View::Bool(value) => Self::Bool(*value),
            View::Int(value) => Self::Number(Numeric::Integer(*value)),
            View::Decimal(value) => Self::Number(Numeric::Decimal(*value)),
            View::Time(value) => Self::Time(*value),
            View::Str(text) | View::Relative(text) => Self::Text(fold.key(text).into()),
            View::Binary(bytes) => Self::Binary(bytes.as_ref().into()),
            _ => Self::Missing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ScimType;
    use crate::filter::sample::{NAME, PERSON_SCHEMA, Row, Value, email, person, time};

    fn sort(by: &str, order: SortOrder) -> Sort {
        Sort::resolve(&by.parse().unwrap(), order, &PERSON_SCHEMA).unwrap()
    }

    /// Returns the ids in the order of the sort.
    fn sorted(by: &str, order: SortOrder, people: &[Row]) -> Vec<usize> {
        let sort = sort(by, order);
        let keys: Vec<_> = people.iter().map(|person| sort.key(person)).collect();
        let mut ids: Vec<_> = (0..people.len()).collect();
        ids.sort_by(|a, b| sort.compare(&keys[*a], &keys[*b]));
        ids
    }

    /// P-3.4.2.3-02, -05, -07.
    #[test]
    fn text_is_sorted_without_regard_to_case_and_what_is_missing_comes_last() {
        let people = [
            person().with("userName", "bob"),
            person(),
            person().with("userName", "Älva"),
            person().with("userName", "Anna"),
            person().with("userName", "Zoe"),
        ];
        assert_eq!(sorted("userName", SortOrder::Ascending, &people), [3, 0, 4, 2, 1]);
        assert_eq!(
            sorted("userName", SortOrder::Descending, &people),
            [1, 2, 4, 0, 3]
        );
        let exact = [person().with("externalId", "a"), person().with("externalId", "B")];
        assert_eq!(sorted("externalId", SortOrder::Ascending, &exact), [1, 0]);
    }

    #[test]
    fn other_types_are_sorted_by_value() {
        let ages = [9, 10, -1].map(|age| person().with("age", age));
        assert_eq!(sorted("age", SortOrder::Ascending, &ages), [2, 0, 1]);
        let flags = [person().with("active", true), person().with("active", false)];
        assert_eq!(sorted("active", SortOrder::Ascending, &flags), [1, 0]);
        let table = PERSON_SCHEMA.attributes[2].shape.sub_attributes;
        let times = [
            "2011-05-13T04:42:34+02:00",
            "2011-05-13T04:42:33Z",
            "2011-05-13T02:42:33Z",
        ]
        .map(|text| person().with("meta", Row::new(table).with("lastModified", time(text))));
        assert_eq!(
            sorted("meta.lastModified", SortOrder::Ascending, &times),
            [2, 0, 1]
        );
        let scores = [1.5, 0.5].map(|score| person().with("score", Value::Decimal(score)));
        assert_eq!(sorted("score", SortOrder::Descending, &scores), [0, 1]);
    }

    /// P-3.4.2.3-03: RFC 7644 section 3.4.2.3.
    #[test]
    fn the_primary_value_counts_and_else_the_first() {
        let people = [
            person().with(
                "emails",
                vec![email("a@x", "work"), email("z@x", "home").with("primary", true)],
            ),
            person().with("emails", vec![email("m@x", "work"), email("b@x", "home")]),
            person().with("emails", vec![email("p@x", "work").with("primary", false)]),
        ];
        for by in ["emails", "emails.value"] {
            assert_eq!(sorted(by, SortOrder::Ascending, &people), [1, 2, 0], "{by}");
        }
        let zones = [
            person().with("zones", vec!["b", "a"]),
            person().with("zones", vec!["a", "c"]),
        ];
        assert_eq!(sorted("zones", SortOrder::Ascending, &zones), [1, 0]);
    }

    /// A-24: RFC 7643 section 2.4.
    #[test]
    fn an_absent_primary_is_false() {
        let people = [
            person().with("emails", vec![email("a@x", "work").with("primary", true)]),
            person(),
            person().with("emails", vec![email("a@x", "work")]),
        ];
        assert_eq!(sorted("emails.primary", SortOrder::Ascending, &people), [2, 0, 1]);
    }

    /// The URL that a client sees is what is sorted: a reference to the service begins with its base.
    #[test]
    fn references_are_sorted_as_they_are_seen() {
        let people = [
            person().with("manager", Value::Relative("Users/2".to_owned())),
            person().with("manager", "https://b.example.com/Users/0"),
            person(),
            person().with("manager", Value::Relative("Users/1".to_owned())),
            person().with("manager", "https://d.example.com/Users/0"),
        ];
        let sort = sort("manager", SortOrder::Ascending).with_base_url("https://c.example.com/v2/");
        let mut ids: Vec<_> = (0..people.len()).collect();
        ids.sort_by(|a, b| sort.compare(&sort.key(&people[*a]), &sort.key(&people[*b])));
        assert_eq!(ids, [1, 3, 0, 4, 2]);
    }

    /// P-3.4.2.3-04, A-18.
    #[test]
    fn sort_by_must_name_one_returned_value() {
        let refused = |by: &str, detail: &str| {
            let error =
                Sort::resolve(&by.parse().unwrap(), SortOrder::Ascending, &PERSON_SCHEMA).expect_err(by);
            assert_eq!(
                (error.scim_type(), error.to_string().as_str()),
                (Some(ScimType::InvalidPath), detail)
            );
        };
        refused(
            "name",
            "sortBy: \"name\" is complex: name one of its sub-attributes.",
        );
        refused(
            "badges",
            "sortBy: \"badges\" is complex: name one of its sub-attributes.",
        );
        refused(
            "shoe",
            "sortBy: \"shoe\" is no attribute of Person and its extensions.",
        );
        refused(
            "password",
            "sortBy: \"password\" is never returned, and so cannot be sorted by.",
        );
        refused("schemas", "sortBy: \"schemas\" is no attribute to sort by.");
        let family = person().with("name", Row::new(NAME).with("familyName", "Berg"));
        assert_eq!(
            sort("name.familyName", SortOrder::Ascending).key(&family),
            SortKey::Text("berg".into())
        );
    }

    /// P-3.4.2.3-06.
    #[test]
    fn sort_order_is_one_of_two_words() {
        assert_eq!("Descending".parse::<SortOrder>().unwrap(), SortOrder::Descending);
        let error = "down".parse::<SortOrder>().unwrap_err();
        assert_eq!(error.scim_type(), Some(ScimType::InvalidValue));
        assert_eq!(
            error.to_string(),
            "sortOrder must be ascending or descending, but is \"down\"."
        );
    }
}
