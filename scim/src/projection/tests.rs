//! The laws of projection, on generated resources of one table that has every kind of attribute.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::error::{Error, Result};
use crate::path::AttrPath;
use crate::record::Record;
use crate::schema::{Attribute, ResourceType, Returned, Role, Schema, Shape, Type};
use crate::value::{Change, Cx, Edit, Multi, ScimValue, View};

const fn leaf(name: &'static str, kind: Type, returned: Returned) -> Attribute {
    let mut shape = Shape::new(kind).optional();
    shape.returned = returned;
    Attribute::new(name, shape)
}

const fn text(name: &'static str, returned: Returned) -> Attribute {
    leaf(name, Type::String, returned)
}

const fn complex(name: &'static str, returned: Returned, subs: &'static [Attribute]) -> Attribute {
    let mut shape = Shape::complex(subs).optional();
    shape.returned = returned;
    Attribute::new(name, shape)
}

const fn many(mut attribute: Attribute) -> Attribute {
    attribute.shape.multi_valued = true;
    attribute
}

const fn edges(attribute: Attribute) -> Attribute {
    let mut attribute = many(attribute);
    attribute.edges = true;
    attribute
}

const fn transient(mut attribute: Attribute) -> Attribute {
    attribute.transient = true;
    attribute
}

use Returned::{Always, Default as ByDefault, Never, Request};

const AUDIT: Schema = Schema {
    id: "urn:example:schemas:Audit",
    name: "Audit",
    description: "",
    attributes: &[
        text("floor", ByDefault),
        text("seal", Always),
        text("note", Request),
        complex(
            "officer",
            ByDefault,
            &[text("value", ByDefault), text("phone", ByDefault)],
        ),
        complex(
            "origin",
            Always,
            &[text("site", ByDefault), text("trail", Request)],
        ),
    ],
};

const fn extension(schema: &'static Schema) -> Attribute {
    let mut attribute = Attribute::new(schema.id, Shape::complex(schema.attributes).optional());
    attribute.role = Role::Extension(schema);
    attribute
}

const HOLDER: &[Attribute] = &[
    text("name", ByDefault),
    text("code", Request),
    text("tag", Always),
    text("mail", Never),
    leaf("$ref", Type::Reference, ByDefault),
];

static BADGE: ResourceType = ResourceType {
    name: "Badge",
    description: "",
    endpoint: "/Badges",
    schema: &Schema {
        id: "urn:example:schemas:Badge",
        name: "Badge",
        description: "",
        attributes: &[
            text("id", Always),
            text("serial", ByDefault),
            text("pin", Never),
            transient(text("password", Never)),
            text("token", Request),
            many(text("zones", ByDefault)),
            leaf("level", Type::Decimal, ByDefault),
            leaf("uses", Type::Integer, ByDefault),
            leaf("active", Type::Boolean, ByDefault),
            leaf("photo", Type::Binary, ByDefault),
            complex("holder", ByDefault, HOLDER),
            many(complex("doors", ByDefault, HOLDER)),
            complex("card", Always, &[text("kind", ByDefault), text("chip", Request)]),
            edges(complex(
                "members",
                ByDefault,
                &[text("value", ByDefault), leaf("$ref", Type::Reference, ByDefault)],
            )),
            extension(&AUDIT),
        ],
    },
};

/// A value of any attribute.
#[derive(Debug, Clone)]
enum Any {
    Absent,
    Text(String),
    Relative(String),
    Decimal(f64),
    Int(i64),
    Bool(bool),
    Bytes(Vec<u8>),
    Complex(Thing),
    Many(Values),
}

#[derive(Clone)]
struct Thing {
    table: &'static [Attribute],
    values: Vec<Any>,
}

impl std::fmt::Debug for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.table.iter().map(|attribute| attribute.name);
        f.debug_map().entries(names.zip(&self.values)).finish()
    }
}

#[derive(Debug, Clone)]
struct Values(Vec<Any>);

impl Any {
    fn view(&self) -> View<'_> {
        match self {
            Self::Absent => View::Absent,
            Self::Text(text) => View::text(text),
            Self::Relative(path) => View::Relative(path.into()),
            Self::Decimal(value) => View::Decimal(*value),
            Self::Int(value) => View::Int(*value),
            Self::Bool(value) => View::Bool(*value),
            Self::Bytes(bytes) => View::Binary(bytes.into()),
            Self::Complex(thing) => View::Complex(thing),
            Self::Many(values) => View::Multi(values),
        }
    }
}

impl Multi for Values {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        self.0.iter().try_for_each(|value| visit(value.view()))
    }
}

impl Record for Thing {
    fn attributes(&self) -> &'static [Attribute] {
        self.table
    }

    fn view(&self, index: usize) -> View<'_> {
        self.values.get(index).map_or(View::Absent, Any::view)
    }

    fn apply(&mut self, _: usize, _: Edit<'_>, _: &mut Cx<'_>) -> Result<Change> {
        Err(Error::internal("generated resources are only looked at"))
    }
}

fn any_text() -> BoxedStrategy<String> {
    prop_oneof![".{0,6}", "[\u{0}-\u{20}\"\\\\]{0,4}", Just("\u{1}".to_owned())].boxed()
}

fn any_single(attribute: &'static Attribute) -> BoxedStrategy<Any> {
    match attribute.shape.kind {
        Type::Reference => prop_oneof![
            "(Users|Groups)/[a-z0-9\"]{1,4}".prop_map(Any::Relative),
            any_text().prop_map(Any::Text),
        ]
        .boxed(),
        // serde_json, which reads the documents here, is exact for short decimals only.
        Type::Decimal => prop_oneof![
            any::<i32>().prop_map(|quarters| Any::Decimal(f64::from(quarters) / 4.0)),
            Just(Any::Decimal(f64::INFINITY)),
        ]
        .boxed(),
        Type::Integer => any::<i64>().prop_map(Any::Int).boxed(),
        Type::Boolean => any::<bool>().prop_map(Any::Bool).boxed(),
        Type::Binary => any::<Vec<u8>>().prop_map(Any::Bytes).boxed(),
        Type::Complex => any_thing(attribute.shape.sub_attributes)
            .prop_map(Any::Complex)
            .boxed(),
        Type::String | Type::DateTime => any_text().prop_map(Any::Text).boxed(),
    }
}

fn any_thing(table: &'static [Attribute]) -> BoxedStrategy<Thing> {
    let values: Vec<_> = table
        .iter()
        .map(|attribute| {
            let single = any_single(attribute);
            let value = if attribute.shape.multi_valued {
                prop::collection::vec(single, 0..3)
                    .prop_map(|values| Any::Many(Values(values)))
                    .boxed()
            } else {
                single
            };
            prop_oneof![1 => Just(Any::Absent), 3 => value].boxed()
        })
        .collect();
    values.prop_map(move |values| Thing { table, values }).boxed()
}

fn any_badge() -> BoxedStrategy<Thing> {
    any_thing(BADGE.schema.attributes)
}

/// Every name a client could write, with the characteristics along its path.
static NAMES: LazyLock<Vec<(String, Vec<&'static Attribute>)>> = LazyLock::new(|| {
    fn walk(
        prefix: &str,
        along: &[&'static Attribute],
        table: &'static [Attribute],
        names: &mut Vec<(String, Vec<&'static Attribute>)>,
    ) {
        for attribute in table {
            let name = format!("{prefix}{}", attribute.name);
            let along = [along, &[attribute]].concat();
            let joint = if attribute.is_extension() { ":" } else { "." };
            walk(
                &format!("{name}{joint}"),
                &along,
                attribute.shape.sub_attributes,
                names,
            );
            names.push((name, along));
        }
    }
    let mut names = Vec::new();
    walk("", &[], BADGE.schema.attributes, &mut names);
    names
});

fn some_names() -> BoxedStrategy<Vec<String>> {
    let known = prop::sample::select(NAMES.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
    let name =
        (known, any::<bool>()).prop_map(|(name, upper)| if upper { name.to_uppercase() } else { name });
    let name = prop_oneof![8 => name, 1 => Just("unknown".to_owned()), 1 => Just("x[y".to_owned())];
    prop::collection::vec(name, 1..4).boxed()
}

const NONE: &[&str] = &[];

fn only(names: &[String]) -> Projection {
    Projection::parse(&BADGE, names, NONE, false).unwrap()
}

fn except(names: &[String]) -> Projection {
    Projection::parse(&BADGE, NONE, names, false).unwrap()
}

fn written(badge: &Thing, projection: &Projection, base: Base<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    write_resource(&mut out, badge, projection, base);
    out
}

fn shown(badge: &Thing, projection: &Projection) -> Value {
    serde_json::from_slice(&written(badge, projection, Base::Url("https://example.com/v2"))).unwrap()
}

/// Returns the names of all leaves in a document, as clients write them.
fn leaves(document: &Value) -> Vec<String> {
    fn walk(prefix: &str, value: &Value, names: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let joint = match prefix {
                        "" => "",
                        urn if urn == AUDIT.id => ":",
                        _ => ".",
                    };
                    walk(&format!("{prefix}{joint}{name}"), value, names);
                }
            }
            Value::Array(elements) => elements.iter().for_each(|element| walk(prefix, element, names)),
            _ => names.push(prefix.to_owned()),
        }
    }
    let mut names = Vec::new();
    walk("", document, &mut names);
    names.retain(|name| name != "schemas");
    names.sort_unstable();
    names.dedup();
    names
}

fn along(name: &str) -> &'static [&'static Attribute] {
    let entry = NAMES.iter().find(|(known, _)| known == name);
    &entry.unwrap_or_else(|| panic!("{name} is no attribute")).1
}

/// Returns whether `name` is `within` or lies in it.
fn is_in(name: &str, within: &str) -> bool {
    let (name, within) = (name.to_lowercase(), within.to_lowercase());
    name.strip_prefix(&within)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':']))
}

/// Returns the attributes along a path without the extension, which has no `returned` of its own.
fn returned_along(name: &str) -> Vec<Returned> {
    let along = along(name).iter().filter(|attribute| !attribute.is_extension());
    along.map(|attribute| attribute.shape.returned).collect()
}

fn is_default(returned: Returned) -> bool {
    matches!(returned, Always | ByDefault)
}

/// Applies RFC 7644 section 3.9 to one leaf, by names.
fn leaf_is_shown_by_attributes(name: &str, chosen: &[String]) -> bool {
    let returned = returned_along(name);
    let top_always = returned.first() == Some(&Always);
    let last = *returned.last().unwrap();
    let by_itself = chosen.iter().any(|choice| choice.eq_ignore_ascii_case(name));
    let parent = name
        .rsplit_once('.')
        .filter(|_| returned.len() == 2)
        .map(|(parent, _)| parent);
    let by_parent = chosen.iter().any(|choice| is_in(name, choice)) && is_default(last);
    let parent_by_parent = parent.is_none_or(|parent| {
        let first = *returned.first().unwrap();
        let named = chosen.iter().any(|choice| is_in(choice, parent));
        first != Never && (named || is_default(first))
    });
    if returned.contains(&Never) {
        return false;
    }
    if by_itself || (by_parent && parent_by_parent) {
        return true;
    }
    match parent {
        None => last == Always,
        Some(parent) => {
            let parent_named = chosen
                .iter()
                .any(|choice| is_in(choice, parent) || is_in(parent, choice));
            let parent_shown = top_always || (parent_named && parent_by_parent);
            let narrowed = chosen.iter().any(|choice| is_in(choice, parent));
            parent_shown && (last == Always || (top_always && !narrowed && last == ByDefault))
        }
    }
}

proptest! {
    /// S-2.5-02, S-7-07 to S-7-09: what comes back is what went in, and nothing else.
    #[test]
    fn everything_written_reads_back_as_it_was(badge in any_badge()) {
        fn value_of(any: &Any) -> Option<Value> {
            Some(match any {
                Any::Absent => return None,
                Any::Text(text) => text.as_str().into(),
                Any::Relative(path) => format!("https://example.com/v2/{path}").into(),
                Any::Decimal(value) => serde_json::Number::from_f64(*value)?.into(),
                Any::Int(value) => (*value).into(),
                Any::Bool(value) => (*value).into(),
                Any::Bytes(bytes) => {
                    use base64::Engine;
                    base64::engine::general_purpose::STANDARD.encode(bytes).into()
                }
                Any::Complex(thing) => Value::Object(members_of(thing)?),
                Any::Many(values) => {
                    let values: Vec<_> = values.0.iter().filter_map(value_of).collect();
                    (!values.is_empty()).then(|| values.into())?
                }
            })
        }
        fn members_of(thing: &Thing) -> Option<serde_json::Map<String, Value>> {
            let pairs = thing.table.iter().zip(&thing.values);
            let members: serde_json::Map<_, _> =
                pairs.filter_map(|(attribute, any)| Some((attribute.name.to_owned(), value_of(any)?))).collect();
            (!members.is_empty()).then_some(members)
        }
        let mut document = shown(&badge, &Projection::everything(&BADGE));
        document.as_object_mut().unwrap().remove("schemas");
        prop_assert_eq!(document, Value::Object(members_of(&badge).unwrap_or_default()));
    }

    /// S-7-08: no request shows what is never returned.
    #[test]
    fn nothing_shows_what_is_never_returned(badge in any_badge(), names in some_names()) {
        for projection in [Projection::default_of(&BADGE), only(&names), except(&names)] {
            for name in leaves(&shown(&badge, &projection)) {
                prop_assert!(!returned_along(&name).contains(&Never), "{name}");
            }
        }
    }

    /// P-3.9-01, P-3.9-05, P-3.9-06, P-3.9-07, A-52, A-53.
    #[test]
    fn attributes_shows_what_is_always_returned_and_what_is_named(badge in any_badge(), names in some_names()) {
        let everything = leaves(&shown(&badge, &Projection::everything(&BADGE)));
        let want: Vec<_> =
            everything.into_iter().filter(|name| leaf_is_shown_by_attributes(name, &names)).collect();
        prop_assert_eq!(leaves(&shown(&badge, &only(&names))), want, "{:?}", names);
    }

    /// P-3.9-02, P-3.4.2.5-02: the default without what is named, but never without what is always returned.
    #[test]
    fn excluded_attributes_are_missing_from_the_default_and_nothing_else_is(badge in any_badge(), names in some_names()) {
        let always_along = |name: &str| returned_along(name).iter().all(|returned| *returned == Always);
        let excludes = |name: &str, excluded: &String| {
            let top = along(name).iter().filter(|attribute| !attribute.is_extension());
            let is_top = along(excluded_name(excluded)).iter().filter(|a| !a.is_extension()).count() <= 1;
            let top_is_always = top.clone().next().unwrap().shape.returned == Always;
            is_in(name, excluded) && !(is_top && top_is_always)
        };
        fn excluded_name(excluded: &str) -> &'static str {
            NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(excluded)).map_or("id", |(name, _)| name)
        }
        let default = leaves(&shown(&badge, &Projection::default_of(&BADGE)));
        let sub_always = |name: &str| returned_along(name).last() == Some(&Always);
        let want: Vec<_> = default
            .into_iter()
            .filter(|name| {
                let whole = names.iter().any(|excluded| {
                    excludes(name, excluded) && !name.eq_ignore_ascii_case(excluded)
                });
                let itself = names.iter().any(|excluded| {
                    excludes(name, excluded) && name.eq_ignore_ascii_case(excluded)
                });
                always_along(name) || !(whole || (itself && !sub_always(name)))
            })
            .collect();
        prop_assert_eq!(leaves(&shown(&badge, &except(&names))), want, "{:?}", names);
    }

    /// `includes` says what the writer does.
    #[test]
    fn what_is_written_is_included(badge in any_badge(), names in some_names()) {
        for projection in [Projection::default_of(&BADGE), only(&names), except(&names)] {
            for name in leaves(&shown(&badge, &projection)) {
                let path = AttrPath::resolve(&name.parse().unwrap(), BADGE.schema).unwrap();
                prop_assert!(projection.includes(path), "{name}");
            }
        }
    }

    /// A document with holes is the same document.
    #[test]
    fn holes_are_filled_with_the_base_url(badge in any_badge(), base in prop_oneof![Just("https://x.example/a\"b/"), Just("http://h")]) {
        let projection = Projection::everything(&BADGE);
        let stored = written(&badge, &projection, Base::Hole);
        for base in [Base::Url(base), Base::Relative, Base::Hole] {
            let mut filled = Vec::new();
            fill_holes(&stored, base, &mut filled);
            prop_assert_eq!(filled, written(&badge, &projection, base));
        }
        let holes = stored.iter().filter(|byte| **byte == 1).count();
        prop_assert_eq!(holes, count_relative(&Any::Complex(badge)));
    }

    /// The two stored documents hold everything but edges and transient attributes, and the first shows the default.
    #[test]
    fn stored_documents_are_the_whole_state(badge in any_badge()) {
        let (visible, hidden) = (Projection::stored_visible(&BADGE, &[]), Projection::stored_hidden(&BADGE, &[]));
        let kept = |table: &'static [Attribute], mut thing: Thing| {
            for (attribute, value) in table.iter().zip(&mut thing.values) {
                if attribute.edges || attribute.transient {
                    *value = Any::Absent;
                }
            }
            thing
        };
        let kept = kept(BADGE.schema.attributes, badge.clone());
        prop_assert_eq!(shown(&badge, &visible), shown(&kept, &Projection::default_of(&BADGE)));
        let parse = |bytes: &[u8]| crate::value::JsonBuf::parse(bytes, &crate::Limits::default()).unwrap();
        let relative = |projection| parse(&written(&badge, projection, Base::Relative));
        let (first, second) = (relative(&visible), relative(&hidden));
        let whole: Value = serde_json::from_str(join_stored(first.as_json(), second.as_json()).text()).unwrap();
        let want = written(&kept, &Projection::everything(&BADGE), Base::Relative);
        prop_assert_eq!(whole, serde_json::from_slice::<Value>(&want).unwrap());
    }

    /// Values that a store keeps as rows are spliced into the stored document.
    #[test]
    fn a_stored_document_is_completed_with_its_edges(badge in any_badge()) {
        const MEMBERS: usize = 13;
        let default = Projection::default_of(&BADGE);
        let mut plain = badge.clone();
        let members = std::mem::replace(&mut plain.values[MEMBERS], Any::Absent);
        let stored = written(&badge, &Projection::stored_visible(&BADGE, &[]), Base::Hole);
        let mut out = Vec::new();
        open_document(&stored, Base::Url("https://example.com/v2"), &mut out);
        let mut values = Vec::new();
        if let Any::Many(members) = &members {
            for member in &members.0 {
                let mut value = Vec::new();
                let path = AttrPath::ROOT.push(MEMBERS as u16);
                if write_value(&mut value, &member.view(), &default, path, Base::Url("https://example.com/v2")) {
                    values.push(String::from_utf8(value).unwrap());
                } else {
                    prop_assert!(value.is_empty());
                }
            }
        }
        if !values.is_empty() {
            push_name(&mut out, "members");
            out.extend_from_slice(format!("[{}]", values.join(",")).as_bytes());
        }
        close_document(&mut out);
        prop_assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), shown(&badge, &default));
    }
}

fn count_relative(any: &Any) -> usize {
    match any {
        Any::Relative(_) => 1,
        Any::Complex(thing) => thing.values.iter().map(count_relative).sum(),
        Any::Many(values) => values.0.iter().map(count_relative).sum(),
        _ => 0,
    }
}

fn badge() -> Thing {
    let text = |text: &str| Any::Text(text.to_owned());
    let holder = Thing {
        table: HOLDER,
        values: vec![
            text("Ann"),
            text("c"),
            text("t"),
            text("m"),
            Any::Relative("Users/1".into()),
        ],
    };
    let audit = Thing {
        table: AUDIT.attributes,
        values: vec![text("2"), text("wax"), text("n")],
    };
    Thing {
        table: BADGE.schema.attributes,
        values: vec![
            text("1"),
            text("S"),
            text("0000"),
            text("pw"),
            text("T"),
            Any::Many(Values(vec![text("a"), text("b")])),
            Any::Decimal(1.0),
            Any::Int(7),
            Any::Bool(false),
            Any::Absent,
            Any::Complex(holder),
            Any::Absent,
            Any::Absent,
            Any::Absent,
            Any::Complex(audit),
        ],
    }
}

/// Returns the document as text, without `schemas` and the extension.
fn text_of(projection: &Projection) -> String {
    let document = String::from_utf8(written(&badge(), projection, Base::Url("http://h/v2/"))).unwrap();
    let schemas = r#""schemas":["urn:example:schemas:Badge","urn:example:schemas:Audit"],"#;
    document.replacen(schemas, "", 1)
}

fn path(name: &str) -> AttrPath {
    AttrPath::resolve(&name.parse().unwrap(), BADGE.schema).unwrap()
}

#[test]
fn the_default_is_in_table_order_after_schemas() {
    let projection = Projection::default_of(&BADGE);
    assert_eq!(
        text_of(&projection),
        concat!(
            r#"{"id":"1","serial":"S","zones":["a","b"],"level":1.0,"uses":7,"active":false,"#,
            r#""holder":{"name":"Ann","tag":"t","$ref":"http://h/v2/Users/1"},"#,
            r#""urn:example:schemas:Audit":{"floor":"2","seal":"wax"}}"#
        )
    );
    assert!(projection.is_default() && projection.fits_stored(&[]));
}

#[test]
fn attributes_keeps_the_schemas_of_the_resource_and_what_is_always_returned() {
    let always = r#""urn:example:schemas:Audit":{"seal":"wax"}}"#;
    let only = |name: &str| text_of(&only(&[name.to_owned()]));
    assert_eq!(only("unknown"), format!(r#"{{"id":"1",{always}"#));
    assert_eq!(only("pin,password"), format!(r#"{{"id":"1",{always}"#));
    assert_eq!(
        only("TOKEN , serial"),
        format!(r#"{{"id":"1","serial":"S","token":"T",{always}"#)
    );
    assert_eq!(
        only("holder.Name"),
        format!(r#"{{"id":"1","holder":{{"name":"Ann","tag":"t"}},{always}"#)
    );
    assert_eq!(
        only("holder,holder.code"),
        format!(
            r#"{{"id":"1","holder":{{"name":"Ann","code":"c","tag":"t","$ref":"http://h/v2/Users/1"}},{always}"#
        )
    );
    let audit = r#"{"id":"1","urn:example:schemas:Audit":{"floor":"2","seal":"wax"}}"#;
    assert_eq!(only("URN:example:schemas:audit"), audit);
    assert_eq!(only("urn:example:schemas:Audit:floor"), audit);
    assert_eq!(
        only("urn:example:schemas:Badge:serial"),
        format!(r#"{{"id":"1","serial":"S",{always}"#)
    );
    assert!(only("urn:example:schemas:Badge").contains(r#""holder":{"name":"Ann","tag":"t""#));
    assert!(!only("urn:example:schemas:Badge").contains("floor"));
}

/// P-3.4.2.5-02: what is always returned of an extension survives its exclusion, without the parts that are excluded
/// themselves.
#[test]
fn an_excluded_extension_keeps_what_is_always_returned_of_it() {
    let mut badge = badge();
    let site = ["site", "trail"].map(|text| Any::Text(text.to_owned())).to_vec();
    if let Any::Complex(audit) = &mut badge.values[14] {
        let table = AUDIT.attributes[4].shape.sub_attributes;
        audit
            .values
            .extend([Any::Absent, Any::Complex(Thing { table, values: site })]);
    }
    let audit = |names: &str| shown(&badge, &except(&[names.to_owned()]))[AUDIT.id].clone();
    assert_eq!(
        audit(AUDIT.id),
        serde_json::json!({"seal": "wax", "origin": {"site": "site"}})
    );
    let parts = format!("{0},{0}:origin.site", AUDIT.id);
    assert_eq!(audit(&parts), serde_json::json!({"seal": "wax"}));
}

#[test]
fn excluding_members_still_fits_the_stored_document() {
    let projection = except(&["Members".to_owned()]);
    assert!(!projection.includes(path("members")) && !projection.includes(path("members.value")));
    assert!(projection.fits_stored(&[]) && !projection.is_default());
    assert!(!except(&["serial".to_owned()]).fits_stored(&[]));
    assert!(except(&["id,schemas,unknown".to_owned()]).is_default());
    assert!(except(&["id,schemas".to_owned()]).includes(AttrPath::SCHEMAS));
}

/// P-3.9-03, A-22.
#[test]
fn both_parameters_exclude_each_other_unless_the_policy_lets_attributes_win() {
    let error = Projection::parse(&BADGE, &["serial"], &["uses"], false).unwrap_err();
    assert_eq!(
        (error.status().as_u16(), error.scim_type()),
        (400, Some(crate::ScimType::InvalidValue))
    );
    let both = Projection::parse(&BADGE, &["serial"], &["serial"], true).unwrap();
    assert!(both.includes(path("serial")) && !both.includes(path("uses")));
    assert!(
        Projection::parse(&BADGE, &[""], &[" , "], false)
            .unwrap()
            .is_default()
    );
}

/// S-7-10, A-51.
#[test]
fn what_the_request_set_is_shown_unless_the_client_has_chosen_or_excluded_it() {
    let set = [path("token"), path("holder.code"), path("serial")];
    let asserted = Projection::default_of(&BADGE).with_asserted(&set);
    let document = text_of(&asserted);
    assert!(
        document.contains(r#""token":"T""#) && document.contains(r#""code":"c""#),
        "{document}"
    );
    assert!(
        !document.contains(r#""note""#) && !document.contains("0000"),
        "{document}"
    );
    assert!(
        !except(&["token".to_owned()])
            .with_asserted(&set)
            .includes(path("token"))
    );
    assert!(
        !only(&["serial".to_owned()])
            .with_asserted(&set)
            .includes(path("token"))
    );
    assert!(
        Projection::default_of(&BADGE)
            .with_asserted(&[path("serial"), AttrPath::ROOT])
            .is_default()
    );
}

#[test]
fn a_control_character_in_a_value_is_no_hole() {
    let mut badge = badge();
    badge.values[1] = Any::Text("\u{1}".into());
    let stored = written(&badge, &Projection::default_of(&BADGE), Base::Hole);
    let document = String::from_utf8(stored).unwrap();
    assert!(document.contains(r#""serial":"\u0001""#), "{document}");
    assert_eq!(
        document.matches('\u{1}').count(),
        1,
        "only the reference has a hole: {document}"
    );
}

#[test]
fn edges_that_are_not_loaded_print_nothing() {
    let mut out = Vec::new();
    let members = crate::value::Edges::<String>::NotLoaded;
    let path = AttrPath::ROOT.push(13);
    assert!(!write_value(
        &mut out,
        &members.view(),
        &Projection::default_of(&BADGE),
        path,
        Base::Relative
    ));
    assert!(out.is_empty());
}

#[test]
fn a_resource_without_hidden_values_has_an_empty_hidden_document() {
    let nothing = Thing {
        table: BADGE.schema.attributes,
        values: Vec::new(),
    };
    let hidden = Projection::stored_hidden(&BADGE, &[]);
    assert_eq!(written(&nothing, &hidden, Base::Hole), b"{}");
    assert!(!hidden.is_empty());
    static PLAIN: ResourceType = ResourceType {
        name: "Plain",
        description: "",
        endpoint: "/Plain",
        schema: &Schema {
            id: "urn:example:schemas:Plain",
            name: "Plain",
            description: "",
            attributes: &[text("id", Always), transient(text("password", Never))],
        },
    };
    assert!(Projection::stored_hidden(&PLAIN, &[]).is_empty());
    let empty = crate::value::JsonBuf::parse(b"{}", &crate::Limits::default()).unwrap();
    let visible = crate::value::JsonBuf::parse(br#"{"id":"1"}"#, &crate::Limits::default()).unwrap();
    assert_eq!(
        join_stored(visible.as_json(), empty.as_json()).text(),
        r#"{"id":"1"}"#
    );
}

/// A store can hold more apart than edges: what it derives, as the groups of a user.
#[test]
fn what_a_store_holds_apart_is_in_no_document() {
    let apart = [path("zones"), path("token")];
    let visible = written(&badge(), &Projection::stored_visible(&BADGE, &apart), Base::Hole);
    assert!(!String::from_utf8(visible).unwrap().contains("zones"));
    let hidden = written(&badge(), &Projection::stored_hidden(&BADGE, &apart), Base::Hole);
    assert!(!String::from_utf8(hidden).unwrap().contains("token"));
    let projection = except(&["zones".to_owned()]);
    assert!(projection.fits_stored(&apart) && !projection.fits_stored(&[]));
}

mod with_derived_resources {
    use super::*;
    use crate::Limits;
    use crate::record::ScimResource;
    use crate::resources::{Group, User};
    use crate::value::{Intent, JsonBuf, Strict};

    const USER: &str = r#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
        "id": "2819c223", "externalId": "701984", "userName": "bjensen", "active": true,
        "name": {"formatted": "Ms. Barbara J Jensen \u0001", "familyName": "Jensen"},
        "emails": [{"value": "bjensen@example.com", "type": "work", "primary": true}, {"value": "babs@jensen.org"}],
        "profileUrl": "https://login.example.com/bjensen",
        "groups": [{"value": "e9e30dba", "$ref": "Groups/e9e30dba", "display": "Tour Guides"}],
        "x509Certificates": [{"value": "3q2+7w=="}],
        "meta": {"resourceType": "User", "created": "2010-01-23T04:56:22Z", "lastModified": "2011-05-13T04:42:34.123Z",
                 "location": "Users/2819c223", "version": "W/\"1\""},
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "701984",
            "manager": {"value": "26118915", "$ref": "Users/26118915", "displayName": "John Smith"}}
    }"#;
    const GROUP: &str = r#"{
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "e9e30dba", "displayName": "Tour Guides",
        "members": [{"value": "2819c223", "$ref": "Users/2819c223", "display": "Babs Jensen", "type": "User"}],
        "meta": {"resourceType": "Group", "location": "Groups/e9e30dba"}
    }"#;

    fn decoded<R: ScimResource>(text: &[u8]) -> R {
        let limits = Limits::default();
        let json = JsonBuf::parse(text, &limits).unwrap();
        R::decode(json.as_json(), &mut Cx::new(Intent::Stored, &Strict, &limits)).unwrap()
    }

    fn survives<R: ScimResource>(text: &str) {
        let resource: R = decoded(text.as_bytes());
        let mut out = Vec::new();
        write_resource(
            &mut out,
            &resource,
            &Projection::everything(R::RESOURCE_TYPE),
            Base::Relative,
        );
        assert_eq!(decoded::<R>(&out), resource);
        let (was, is): (Value, Value) = (
            serde_json::from_str(text).unwrap(),
            serde_json::from_slice(&out).unwrap(),
        );
        assert_eq!(is, was);
    }

    /// A store reads again all that it has written, in the letters of the wire.
    #[test]
    fn a_user_and_a_group_survive_their_documents() {
        survives::<User>(USER);
        survives::<Group>(GROUP);
    }

    /// RFC 7643 section 2.3.7: clients get URLs that they can follow.
    #[test]
    fn references_are_complete_urls_in_an_answer() {
        let group: Group = decoded(GROUP.as_bytes());
        let mut out = Vec::new();
        let shown = Projection::parse(
            Group::RESOURCE_TYPE,
            &["members.$ref", "meta.location"],
            NONE,
            false,
        )
        .unwrap();
        write_resource(&mut out, &group, &shown, Base::Url("https://example.com/v2"));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            concat!(
                r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"e9e30dba","#,
                r#""meta":{"location":"https://example.com/v2/Groups/e9e30dba"},"#,
                r#""members":[{"$ref":"https://example.com/v2/Users/2819c223"}]}"#
            )
        );
    }

    /// RFC 7643 section 3.3: under a projection, `schemas` still tells of the extension that the resource has.
    #[test]
    fn schemas_depend_on_the_resource_and_not_on_what_is_shown() {
        let user: User = decoded(USER.as_bytes());
        let mut out = Vec::new();
        let shown = Projection::parse(User::RESOURCE_TYPE, &["userName"], NONE, false).unwrap();
        write_resource(&mut out, &user, &shown, Base::Relative);
        let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let core = User::RESOURCE_TYPE.schema.id;
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!(r#"{{"schemas":["{core}","{enterprise}"],"id":"2819c223","userName":"bjensen"}}"#)
        );
    }

    /// S-7-06, S-7-08: a password is in no document, neither a client's nor a store's.
    #[test]
    fn a_password_is_neither_shown_nor_kept() {
        let mut user: User = decoded(USER.as_bytes());
        user.password = Some(crate::resources::Password::new("t1meMa$heen"));
        let kind = User::RESOURCE_TYPE;
        let asked = Projection::parse(kind, &["password,userName"], NONE, false).unwrap();
        let (visible, hidden) = (
            Projection::stored_visible(kind, &[]),
            Projection::stored_hidden(kind, &[]),
        );
        for projection in [Projection::default_of(kind), asked, visible, hidden] {
            let mut out = Vec::new();
            write_resource(&mut out, &user, &projection, Base::Relative);
            assert!(
                !String::from_utf8(out).unwrap().contains("t1me"),
                "{projection:?}"
            );
        }
    }
}
