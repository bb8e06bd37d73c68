//! Filters written in Rust: `User::paths().active().eq(true)`.

use std::fmt::{self, Debug, Display, Formatter};
use std::marker::PhantomData;
use std::ops::Not;

use super::{Filter, Literal, Number, Operator, Resolve, ResolvedFilter};
use crate::error::Result;
use crate::path::{AttrPath, AttributeName, MultiPath, Path, PathNode};
use crate::record::ScimResource;
use crate::schema::{Attribute, Type};
use crate::value::{Binary, ExternalId, Reference, ResourceId, Scalar, ScimValue, View};

/// A filter over resources (or elements) of type `R`, made from typed paths. It is the same tree as a parsed one.
///
/// ```
/// use scim::ScimResource;
/// use scim::value::{Meta, ResourceId};
///
/// #[derive(Debug, Clone, PartialEq, ScimResource)]
/// #[scim(schema = "urn:example:2.0:Room", endpoint = "/Rooms")]
/// struct Room {
///     id: ResourceId,
///     meta: Meta,
///     name: String,
///     seats: i64,
/// }
///
/// let rooms = Room::paths();
/// let filter = rooms.name().starts_with("A").and(rooms.seats().ge(12));
/// assert_eq!(filter.to_string(), r#"name sw "A" and seats ge 12"#);
/// ```
///
/// Whatever does not fit the type of an attribute is not a filter:
///
/// ```compile_fail,E0277
/// # use scim::ScimResource;
/// # use scim::value::{Meta, ResourceId};
/// # #[derive(Debug, Clone, PartialEq, ScimResource)]
/// # #[scim(schema = "urn:example:2.0:Room", endpoint = "/Rooms")]
/// # struct Room {
/// #     id: ResourceId,
/// #     meta: Meta,
/// #     open: bool,
/// # }
/// Room::paths().open().eq("yes");
/// ```
///
/// ```compile_fail,E0080
/// # use scim::ScimResource;
/// # use scim::value::{Meta, ResourceId};
/// # #[derive(Debug, Clone, PartialEq, ScimResource)]
/// # #[scim(schema = "urn:example:2.0:Room", endpoint = "/Rooms")]
/// # struct Room {
/// #     id: ResourceId,
/// #     meta: Meta,
/// #     open: bool,
/// # }
/// Room::paths().open().gt(false);
/// ```
#[must_use]
pub struct TypedFilter<R> {
    filter: Filter,
    owner: PhantomData<fn() -> R>,
}

impl<R> TypedFilter<R> {
    fn new(filter: Filter) -> Self {
        Self {
            filter,
            owner: PhantomData,
        }
    }

    /// Requires that both match.
    pub fn and(self, other: Self) -> Self {
        Self::new(self.filter.and(other.filter))
    }

    /// Requires that one of the two matches.
    pub fn or(self, other: Self) -> Self {
        Self::new(self.filter.or(other.filter))
    }

    /// Requires that it does not match; `!filter` says the same.
    pub fn negate(self) -> Self {
        Self::new(self.filter.negate())
    }

    /// Returns the tree.
    pub fn as_filter(&self) -> &Filter {
        &self.filter
    }
}

impl<R: ScimResource> TypedFilter<R> {
    /// Returns the filter, ready to be evaluated. It is compared to resources as they are kept: a reference to a
    /// resource of the service is its path, without base URL.
    ///
    /// # Errors
    /// 400 `invalidFilter` for an attribute that is never returned.
    pub fn resolve(&self) -> Result<ResolvedFilter> {
        ResolvedFilter::resolve(&self.filter, R::RESOURCE_TYPE.schema, Resolve::default())
    }
}

impl<R> Not for TypedFilter<R> {
    type Output = Self;

    fn not(self) -> Self {
        self.negate()
    }
}

impl<R> From<TypedFilter<R>> for Filter {
    fn from(typed: TypedFilter<R>) -> Self {
        typed.filter
    }
}

impl<R> Clone for TypedFilter<R> {
    fn clone(&self) -> Self {
        Self::new(self.filter.clone())
    }
}

impl<R> PartialEq for TypedFilter<R> {
    fn eq(&self, other: &Self) -> bool {
        self.filter == other.filter
    }
}

impl<R> Debug for TypedFilter<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.filter, f)
    }
}

impl<R> Display for TypedFilter<R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.filter, f)
    }
}

/// A scalar that a client sees as text: it can be compared to a `&str`, and in part.
///
/// `#[derive(ScimEnum)]` implements it; for a scalar of one's own, an empty `impl` says that its
/// [`TYPE`](Scalar::TYPE) is `String` or `Reference`.
#[diagnostic::on_unimplemented(message = "an attribute of type `{Self}` is not text")]
pub trait Text: Scalar {}

impl Text for String {}
impl Text for Reference {}
impl Text for ResourceId {}
impl Text for ExternalId {}

/// A value that an attribute of type `T` can be compared to: a `T`, and for [`Text`] a `&str`.
#[diagnostic::on_unimplemented(
    message = "an attribute of type `{T}` cannot be compared to `{Self}`",
    label = "not a `{T}`"
)]
pub trait ComparableTo<T> {
    /// Returns the value as it stands in a filter.
    fn literal(&self) -> Literal;
}

impl<T: Scalar> ComparableTo<T> for T {
    fn literal(&self) -> Literal {
        literal(&self.view())
    }
}

impl<T: Scalar> ComparableTo<T> for &T {
    fn literal(&self) -> Literal {
        literal(&T::view(self))
    }
}

impl<T: Text> ComparableTo<T> for &str {
    fn literal(&self) -> Literal {
        Literal::from(*self)
    }
}

fn literal(view: &View<'_>) -> Literal {
    match view {
        View::Str(text) | View::Relative(text) => Literal::from(text.as_ref()),
        View::Bool(value) => Literal::Bool(*value),
        View::Int(value) => Literal::from(*value),
        // No filter can say "not a number". Its name matches no number, as it does not itself.
        View::Decimal(value) => {
            Number::from_f64(*value).map_or_else(|| value.to_string().into(), Literal::from)
        }
        View::Time(value) => Literal::String(value.to_string()),
        View::Binary(bytes) => Literal::String(Binary::new(bytes.as_ref()).to_string()),
        _ => Literal::Null,
    }
}

/// Returns the name of what a path leads to. The root of an element that has no sub-attributes is called `value`.
fn name(path: AttrPath, root: &'static [Attribute]) -> AttributeName {
    path.name(root).unwrap_or_else(|| AttributeName::new("value"))
}

impl<R, T> Path<R, T> {
    /// Makes the filter `pr`: the attribute has a value.
    pub fn is_present(&self) -> TypedFilter<R> {
        TypedFilter::new(Filter::Present(name(self.path(), self.root())))
    }

    fn compare(&self, operator: Operator, literal: Literal) -> TypedFilter<R> {
        TypedFilter::new(Filter::compare(name(self.path(), self.root()), operator, literal))
    }
}

macro_rules! comparisons {
    ($($(#[$doc:meta])* $name:ident $operator:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self, operand: impl ComparableTo<T>) -> TypedFilter<R> {
                self.compare(Operator::$operator, operand.literal())
            }
        )*
    };
}

macro_rules! orderings {
    ($($(#[$doc:meta])* $name:ident $operator:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// Booleans and binary data have no order: to compare them does not compile.
            pub fn $name(&self, operand: impl ComparableTo<T>) -> TypedFilter<R> {
                const { assert!(has_order(T::TYPE), "booleans and binary data have no order (RFC 7644 section 3.4.2.2)") };
                self.compare(Operator::$operator, operand.literal())
            }
        )*
    };
}

macro_rules! searches {
    ($($(#[$doc:meta])* $name:ident $operator:ident;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self, text: impl AsRef<str>) -> TypedFilter<R> {
                self.compare(Operator::$operator, Literal::from(text.as_ref()))
            }
        )*
    };
}

const fn has_order(kind: Type) -> bool {
    !matches!(kind, Type::Boolean | Type::Binary)
}

impl<R, T: Scalar> Path<R, T> {
    comparisons! {
        /// Makes the filter `eq`: the value, or one of the values, is this one.
        eq Eq;
        /// Makes the filter `ne`: no value is this one; also true of an attribute without value.
        ne Ne;
    }

    orderings! {
        /// Makes the filter `gt`: greater, later, or behind in the order of code points.
        gt Gt;
        /// Makes the filter `ge`: greater, later or behind in the order of code points, or equal.
        ge Ge;
        /// Makes the filter `lt`: less, earlier, or before in the order of code points.
        lt Lt;
        /// Makes the filter `le`: less, earlier or before in the order of code points, or equal.
        le Le;
    }
}

impl<R, T: Text> Path<R, T> {
    searches! {
        /// Makes the filter `co`: the value contains this text.
        contains Co;
        /// Makes the filter `sw`: the value starts with this text.
        starts_with Sw;
        /// Makes the filter `ew`: the value ends with this text.
        ends_with Ew;
    }
}

impl<R, T, N> MultiPath<R, T, N> {
    /// Makes the filter `pr`: the attribute has a value.
    pub fn is_present(&self) -> TypedFilter<R> {
        TypedFilter::new(Filter::Present(name(self.path(), self.root())))
    }
}

impl<R, T: ScimValue, N> MultiPath<R, T, N> {
    /// Makes the filter `attribute[…]`: one value satisfies all the conditions, which are about its own attributes.
    pub fn any(&self, conditions: impl FnOnce(T::Paths<T>) -> TypedFilter<T>) -> TypedFilter<R> {
        let element = <T::Paths<T> as PathNode>::at(AttrPath::ROOT, T::SHAPE.sub_attributes);
        let conditions = conditions(element).filter;
        TypedFilter::new(Filter::value_path(name(self.path(), self.root()), conditions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{DateTime, Meta};
    use crate::{ScimComplex, ScimEnum, ScimExtension, ScimResource};

    #[derive(Debug, Clone, PartialEq, ScimResource)]
    #[scim(schema = "urn:example:2.0:Badge", endpoint = "/Badges")]
    struct Badge {
        id: ResourceId,
        external_id: Option<ExternalId>,
        meta: Meta,
        label: Option<String>,
        active: bool,
        floor: Option<i32>,
        weight: Option<f64>,
        photo: Option<Binary>,
        owner: Option<Reference>,
        state: Option<State>,
        zones: Vec<String>,
        doors: Vec<Door>,
        #[scim(extension)]
        audit: Option<Audit>,
    }

    #[derive(Debug, Clone, PartialEq, ScimEnum)]
    enum State {
        Valid,
        Lost,
    }

    #[derive(Debug, Clone, PartialEq, ScimComplex)]
    struct Door {
        value: String,
        open: Option<bool>,
    }

    #[derive(Debug, Clone, PartialEq, Default, ScimExtension)]
    #[scim(schema = "urn:example:2.0:Audit")]
    struct Audit {
        auditor: Option<String>,
    }

    #[track_caller]
    fn same(typed: TypedFilter<Badge>, text: &str) {
        let parsed: Filter = text.parse().unwrap();
        assert_eq!(typed.as_filter(), &parsed);
        assert_eq!(typed.to_string(), text);
        assert!(typed.resolve().is_ok(), "{text}");
        assert_eq!(Filter::from(typed), parsed);
    }

    #[test]
    fn a_typed_filter_is_the_tree_of_its_text() {
        let badges = Badge::paths();
        let (client, owner) = (ExternalId::new("x"), Reference::resource("/Users", "1"));
        same(badges.id().eq("7"), r#"id eq "7""#);
        same(badges.external_id().ne(&client), r#"externalId ne "x""#);
        same(badges.label().contains("a\"b"), r#"label co "a\"b""#);
        same(badges.label().eq(String::from("x")), r#"label eq "x""#);
        same(badges.label().starts_with("x").negate(), r#"not (label sw "x")"#);
        same(!badges.label().ends_with("x"), r#"not (label ew "x")"#);
        same(badges.label().gt("x"), r#"label gt "x""#);
        same(badges.active().eq(true), "active eq true");
        same(badges.floor().lt(-3), "floor lt -3");
        same(badges.weight().le(1.5), "weight le 1.5");
        same(badges.photo().eq(Binary::new(*b"abc")), r#"photo eq "YWJj""#);
        same(
            badges.owner().eq("https://example.com/v2/Users/1"),
            r#"owner eq "https://example.com/v2/Users/1""#,
        );
        same(badges.owner().eq(&owner), r#"owner eq "Users/1""#);
        same(badges.state().eq(State::Lost), r#"state eq "lost""#);
        same(badges.state().eq("Valid"), r#"state eq "Valid""#);
        same(badges.zones().eq("north"), r#"zones eq "north""#);
        same(badges.zones().is_present(), "zones pr");
        same(badges.doors().is_present(), "doors pr");
        same(badges.doors().open().eq(false), "doors.open eq false");
        same(
            badges.audit().auditor().is_present(),
            "urn:example:2.0:Audit:auditor pr",
        );
        let moment = DateTime::parse("2026-01-31T08:00:00Z").unwrap();
        same(
            badges.meta().last_modified().ge(moment),
            r#"meta.lastModified ge "2026-01-31T08:00:00Z""#,
        );
    }

    #[test]
    fn conditions_on_one_element_stand_in_brackets() {
        let badges = Badge::paths();
        let doors = badges
            .doors()
            .any(|door| door.value().eq("main").and(door.open().eq(true)));
        same(
            badges.zones().any(|zone| zone.starts_with("n")).or(doors),
            r#"zones[value sw "n"] or doors[value eq "main" and open eq true]"#,
        );
    }

    #[test]
    fn a_typed_filter_evaluates() {
        let badge = Badge {
            id: ResourceId::new("7"),
            external_id: None,
            meta: Meta::default(),
            label: Some("Blue".to_owned()),
            active: true,
            floor: Some(2),
            weight: None,
            photo: None,
            owner: Some(Reference::resource("Users", "1")),
            state: Some(State::Valid),
            zones: vec!["north".to_owned()],
            doors: vec![Door {
                value: "main".to_owned(),
                open: Some(true),
            }],
            audit: None,
        };
        let badges = Badge::paths();
        let filter = badges
            .label()
            .eq("BLUE")
            .and(badges.floor().ge(2))
            .and(badges.owner().eq(Reference::resource("Users", "1")))
            .and(
                badges
                    .doors()
                    .any(|door| door.value().eq("Main").and(door.open().eq(true))),
            );
        assert!(filter.resolve().unwrap().matches(&badge));
        assert!(
            !filter
                .and(badges.active().ne(true))
                .resolve()
                .unwrap()
                .matches(&badge)
        );
    }

    /// A number that JSON cannot say must not become `null`, which matches what has no value.
    #[test]
    fn what_is_no_number_is_refused() {
        assert!(Badge::paths().weight().eq(f64::NAN).resolve().is_err());
    }
}
