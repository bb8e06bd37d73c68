//! Derived structs: their tables, how they are shown, read and changed.
#![allow(missing_docs, clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::sync::LazyLock;

use scim::path::AttrPath;
use scim::schema::{Attribute, Mutability, Returned, Role, Type, Uniqueness};
use scim::value::{
    Action, Change, Cx, Edit, ExternalId, Extra, Handler, Intent, Json, JsonBuf, Meta, Op, ResourceId,
    Scalar, Strict, View,
};
use scim::{Limits, Record, Result, ScimComplex, ScimEnum, ScimExtension, ScimResource, ScimType, ScimValue};

/// A badge
/// that opens doors.
///
/// This paragraph is for programmers.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:scim:schemas:2.0:Badge", endpoint = "/Badges")]
pub struct Badge {
    pub id: ResourceId,
    #[scim(indexed)]
    pub external_id: Option<ExternalId>,
    pub meta: Meta,
    /// Number printed on the badge.
    #[scim(unique = "server", case_exact, indexed)]
    pub serial_number: String,
    pub zones: Vec<String>,
    pub holder: Option<Holder>,
    pub state: State,
    #[scim(with = "Rot13", mutability = "writeOnly")]
    pub pin: Option<Pin>,
    #[scim(with = "Rot13", rename = "oldPINs", returned = "request")]
    pub old_pins: Vec<Pin>,
    #[scim(mutability = "readOnly")]
    pub uses: u32,
    #[scim(extension)]
    pub audit: Option<AuditInfo>,
    #[scim(extra)]
    pub other: Extra,
    #[scim(skip)]
    pub cached: Option<std::time::Duration>,
}

/// The person who carries the badge.
#[derive(Debug, Clone, PartialEq, ScimComplex)]
pub struct Holder {
    /// The id of the holder.
    #[scim(key, mutability = "immutable")]
    pub value: String,
    #[scim(rename = "$ref", reference_types("User", "external"))]
    pub reference: Option<scim::value::Reference>,
    #[scim(canonical("person", "robot"))]
    pub r#type: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimEnum)]
pub enum State {
    Active,
    #[scim(rename = "locked-out")]
    LockedOut,
    InTransit,
}

#[derive(Debug, Clone, PartialEq, ScimEnum)]
pub enum Colour {
    Red,
    #[scim(other)]
    Other(String),
}

/// The facts that auditors want to know.
#[derive(Debug, Clone, PartialEq, ScimExtension)]
#[scim(schema = "urn:example:scim:schemas:2.0:Audit")]
pub struct AuditInfo {
    #[scim(required)]
    pub auditor: Option<String>,
    pub holder: Option<Holder>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Pin(String);

pub struct Rot13;

fn rot13(text: &str) -> String {
    let turn = |byte: u8, first: u8| char::from((byte - first + 13) % 26 + first);
    text.chars()
        .map(|c| match u8::try_from(c) {
            Ok(byte @ b'a'..=b'z') => turn(byte, b'a'),
            _ => c,
        })
        .collect()
}

impl Handler<Pin> for Rot13 {
    const SHAPE: scim::schema::Shape = <String as ScimValue>::SHAPE;

    type Paths<R: 'static> = scim::path::Path<R, String>;

    fn view(value: &Pin) -> View<'_> {
        View::Str(rot13(&value.0).into())
    }

    fn decode(json: Json<'_>, _: &mut Cx<'_>) -> Result<Pin> {
        String::parse(json).map(|text| Pin(rot13(&text)))
    }

    fn apply(value: &mut Pin, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        edit.set(value, |json| Self::decode(json, cx))
    }
}

static LIMITS: LazyLock<Limits> = LazyLock::new(Limits::default);

fn cx(intent: Intent) -> Cx<'static> {
    Cx::new(intent, &Strict, &LIMITS)
}

fn decode_as<R: ScimResource>(intent: Intent, body: &str) -> Result<R> {
    let body = JsonBuf::parse(body.as_bytes(), &LIMITS).unwrap();
    R::decode(body.as_json(), &mut cx(intent))
}

fn decode<R: ScimResource>(body: &str) -> Result<R> {
    decode_as(Intent::Create, body)
}

const BADGE: &str = "urn:example:scim:schemas:2.0:Badge";
const AUDIT: &str = "urn:example:scim:schemas:2.0:Audit";

/// Decodes a badge with the given members behind those that are required.
fn badge(members: &str) -> Result<Badge> {
    let comma = if members.is_empty() { "" } else { "," };
    decode(&format!(
        r#"{{"schemas":["{BADGE}","{AUDIT}"],"serialNumber":"7","state":"active"{comma}{members}}}"#
    ))
}

fn attribute<R: ScimResource>(name: &str) -> &'static Attribute {
    scim::schema::position(R::RESOURCE_TYPE.schema.attributes, name)
        .unwrap()
        .1
}

/// Applies an edit of the attribute at `path` to the badge.
fn edit(badge: &mut Badge, path: AttrPath, op: Op, value: &str) -> Result<Change> {
    let value = (!value.is_empty()).then(|| JsonBuf::parse(value.as_bytes(), &LIMITS).unwrap());
    let edit = Edit {
        action: match (op, value.as_ref().map(JsonBuf::as_json)) {
            (Op::Add, Some(value)) => Action::Add(value),
            (Op::Replace, Some(value)) => Action::Replace(value),
            (Op::Remove, Some(value)) => Action::RemoveNamed(value),
            (_, None) => Action::Remove,
        },
        select: None,
        rest: path.steps(),
    };
    scim::record::apply_to_record(badge, edit, &mut cx(Intent::Patch))
}

#[test]
fn the_container_names_schema_endpoint_and_description() {
    let resource_type = Badge::RESOURCE_TYPE;
    assert_eq!(resource_type.name, "Badge");
    assert_eq!(resource_type.endpoint, "/Badges");
    assert_eq!(resource_type.schema.id, BADGE);
    assert_eq!(
        resource_type.description, "A badge that opens doors.",
        "the first paragraph of the documentation"
    );
    let thing = ThingWith::<Two>::RESOURCE_TYPE;
    assert_eq!(
        (thing.name, thing.endpoint),
        ("Thing", "/Things"),
        "the endpoint is the name in the plural"
    );
}

#[test]
fn names_are_camel_case_unless_renamed() {
    let names: Vec<_> = Badge::RESOURCE_TYPE
        .schema
        .attributes
        .iter()
        .map(|a| a.name)
        .collect();
    assert_eq!(
        names,
        [
            "id",
            "externalId",
            "meta",
            "serialNumber",
            "zones",
            "holder",
            "state",
            "pin",
            "oldPINs",
            "uses",
            AUDIT
        ]
    );
    let holder: Vec<_> = attribute::<Badge>("holder")
        .shape
        .sub_attributes
        .iter()
        .map(|a| a.name)
        .collect();
    assert_eq!(holder, ["value", "$ref", "type"]);
}

/// RFC 7643 section 7: the type decides, the field overrides.
#[test]
fn characteristics_come_from_type_and_field() {
    let serial = attribute::<Badge>("serialNumber");
    assert_eq!(serial.shape.kind, Type::String);
    assert!(serial.shape.required && serial.shape.case_exact && serial.indexed);
    assert_eq!(serial.shape.uniqueness, Uniqueness::Server);
    assert_eq!(serial.description, "Number printed on the badge.");

    let zones = attribute::<Badge>("zones").shape;
    assert!(zones.multi_valued && !zones.required && !zones.case_exact);

    let state = attribute::<Badge>("state").shape;
    assert_eq!(state.canonical_values, ["active", "locked-out", "inTransit"]);
    assert!(state.required);

    let pin = attribute::<Badge>("pin").shape;
    assert_eq!(
        (pin.mutability, pin.returned),
        (Mutability::WriteOnly, Returned::Never)
    );
    assert!(!pin.required);

    let old = attribute::<Badge>("oldPINs").shape;
    assert!(old.multi_valued);
    assert_eq!(old.returned, Returned::Request);

    let holder = attribute::<Badge>("holder").shape;
    assert_eq!(holder.kind, Type::Complex);
    let [value, reference, kind] = holder.sub_attributes else {
        panic!("{holder:?}")
    };
    assert!(value.key && value.shape.required);
    assert_eq!(value.shape.mutability, Mutability::Immutable);
    assert_eq!(reference.shape.reference_types, ["User", "external"]);
    assert_eq!(kind.shape.canonical_values, ["person", "robot"]);
}

#[test]
fn common_attributes_and_extensions_have_their_roles() {
    for name in ["id", "externalId", "meta"] {
        assert!(matches!(attribute::<Badge>(name).role, Role::Common), "{name}");
    }
    assert!(attribute::<Badge>("externalId").indexed);
    let audit = attribute::<Badge>(AUDIT);
    let Role::Extension(schema) = audit.role else {
        panic!("{audit:?}")
    };
    assert_eq!((schema.id, schema.name), (AUDIT, "AuditInfo"));
    assert_eq!(audit.description, "The facts that auditors want to know.");
    let auditor = &audit.shape.sub_attributes[0];
    assert!(
        auditor.shape.required,
        "an optional field can be a required attribute"
    );
}

#[test]
fn a_body_becomes_a_struct() {
    let badge = badge(&format!(
        r#""zones":["lab","roof"],"holder":{{"value":"u1","$ref":"https://example.com/u1","type":"robot"}},"STATE2":1,
        "externalId":"x","pin":"nop","oldPINs":["n","o"],"{AUDIT}":{{"auditor":"eve"}}"#
    ))
    .unwrap();
    assert_eq!(badge.serial_number, "7");
    assert_eq!(badge.zones, ["lab", "roof"]);
    assert_eq!(badge.state, State::Active);
    assert_eq!(badge.external_id, Some(ExternalId::new("x")));
    assert_eq!(
        badge.holder.as_ref().and_then(|h| h.r#type.as_deref()),
        Some("robot")
    );
    assert_eq!(
        badge.pin,
        Some(Pin("abc".to_owned())),
        "the handler reads the bare type below Option"
    );
    assert_eq!(
        badge.old_pins,
        [Pin("a".to_owned()), Pin("b".to_owned())],
        "and below Vec"
    );
    assert_eq!(
        badge.audit,
        Some(AuditInfo {
            auditor: Some("eve".to_owned()),
            holder: None
        })
    );
    assert_eq!(
        badge.other.get("state2").and_then(Json::as_i64),
        Some(1),
        "what no schema knows is kept"
    );
    assert_eq!(ScimResource::extra(&badge), Some(&badge.other));
    assert_eq!(badge.cached, None, "a skipped field has its default");
}

/// RFC 7643 section 2.1.
#[test]
fn names_ignore_case() {
    let badge = badge(r#""ZONES":["lab"],"Holder":{"VALUE":"u1"}"#).unwrap();
    assert_eq!(badge.zones, ["lab"]);
    assert_eq!(badge.holder.unwrap().value, "u1");
}

/// RFC 7643 section 2.2: what a client sends for a read-only attribute is ignored; what a store kept is not.
#[test]
fn read_only_attributes_are_read_from_stores_only() {
    assert_eq!(badge(r#""uses":5,"id":"mine""#).unwrap().uses, 0);
    let stored: Badge = decode_as(
        Intent::Stored,
        r#"{"id":"1","uses":5,"serialNumber":"7","state":"inTransit"}"#,
    )
    .unwrap();
    assert_eq!(stored.uses, 5);
    assert_eq!(stored.id(), &ResourceId::new("1"));
}

#[test]
fn faults_name_attribute_and_rule() {
    let detail = |members: &str| badge(members).unwrap_err().to_string();
    assert_eq!(
        detail(r#""holder":{"value":3}"#),
        "Attribute holder.value must be a string, but is the number 3."
    );
    assert_eq!(
        detail(r#""holder":{}"#),
        "Attribute holder.value is required, but missing or empty."
    );
    assert_eq!(
        detail(r#""zones":["a",true]"#),
        "Attribute zones[1] must be a string, but is true."
    );
    assert_eq!(
        detail(r#""oldPINs":["a",4]"#),
        "Attribute oldPINs[1] must be a string, but is the number 4."
    );
    assert_eq!(
        detail(&format!(
            r#""{AUDIT}":{{"holder":{{"value":"u","type":false}},"auditor":"eve"}}"#
        )),
        format!("Attribute {AUDIT}:holder.type must be a string, but is false.")
    );
    assert_eq!(
        detail(&format!(r#""{AUDIT}":{{}}"#)),
        format!("Attribute {AUDIT}:auditor is required, but missing or empty.")
    );
    let missing = decode::<Badge>(&format!(r#"{{"schemas":["{BADGE}"],"state":"active"}}"#)).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "Attribute serialNumber is required, but missing or empty."
    );
    assert_eq!(missing.scim_type(), Some(ScimType::InvalidValue));
}

#[test]
fn a_struct_is_shown_by_index() {
    let badge = badge(r#""zones":["lab"],"holder":{"value":"u1"},"pin":"nop","oldPINs":["n"]"#).unwrap();
    let view = |name: &str| badge.view(scim::schema::position(badge.attributes(), name).unwrap().0);
    assert!(view("serialNumber").same(&View::text("7")));
    assert!(view("state").same(&View::text("active")));
    assert!(view("holder").sub("VALUE").same(&View::text("u1")));
    assert!(view("pin").same(&View::text("nop")), "as the handler shows it");
    let mut old = Vec::new();
    _ = view("oldPINs").values().unwrap().try_for_each(&mut |value| {
        old.push(value.same(&View::text("n")));
        ControlFlow::Continue(())
    });
    assert_eq!(old, [true]);
    assert!(!view(AUDIT).is_present());
    assert!(
        !badge.view(badge.attributes().len()).is_present(),
        "nothing behind the table"
    );
}

#[test]
fn edits_reach_the_fields_by_path() {
    let paths = Badge::paths();
    let mut it = badge("").unwrap();
    assert!(
        edit(&mut it, paths.serial_number().path(), Op::Replace, r#""8""#)
            .unwrap()
            .is_done()
    );
    assert_eq!(it.serial_number, "8");
    assert!(
        !edit(&mut it, paths.serial_number().path(), Op::Replace, r#""8""#)
            .unwrap()
            .is_done()
    );

    assert!(
        edit(&mut it, paths.holder().value().path(), Op::Add, r#""u1""#)
            .unwrap()
            .is_done()
    );
    assert_eq!(
        it.holder.as_ref().map(|holder| holder.value.as_str()),
        Some("u1"),
        "the value is made on the way"
    );
    let error = edit(&mut it, paths.holder().value().path(), Op::Replace, r#""u2""#).unwrap_err();
    assert_eq!(
        error.scim_type(),
        Some(ScimType::Mutability),
        "immutable: {error}"
    );

    assert!(
        edit(&mut it, paths.audit().auditor().path(), Op::Add, r#""eve""#)
            .unwrap()
            .is_done()
    );
    assert_eq!(
        it.audit.as_ref().and_then(|audit| audit.auditor.as_deref()),
        Some("eve")
    );

    assert!(
        edit(&mut it, paths.pin().path(), Op::Replace, r#""nop""#)
            .unwrap()
            .is_done()
    );
    assert_eq!(it.pin, Some(Pin("abc".to_owned())));
    assert!(
        edit(&mut it, paths.old_pins().path(), Op::Add, r#"["n"]"#)
            .unwrap()
            .is_done()
    );
    assert_eq!(it.old_pins, [Pin("a".to_owned())]);

    let error = edit(&mut it, paths.uses().path(), Op::Replace, "1").unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::Mutability), "readOnly: {error}");
    let error = edit(&mut it, paths.serial_number().path(), Op::Remove, "").unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::Mutability), "required: {error}");
    let error = edit(&mut it, paths.state().path(), Op::Replace, r#""gone""#).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Attribute state must be one of active, locked-out, inTransit, but is \"gone\"."
    );
}

#[test]
fn typed_paths_lead_to_the_attributes_they_are_named_after() {
    let paths = Badge::paths();
    let table = Badge::RESOURCE_TYPE.schema.attributes;
    let name = |path: AttrPath| {
        path.attributes(table)
            .map(|a| a.name)
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(name(paths.serial_number().path()), "serialNumber");
    assert_eq!(name(paths.zones().path()), "zones");
    assert_eq!(name(paths.holder().r#type().path()), "holder type");
    assert_eq!(name(paths.meta().created().path()), "meta created");
    assert_eq!(
        name(paths.audit().holder().reference().path()),
        format!("{AUDIT} holder $ref")
    );
    assert_eq!(name(paths.old_pins().path()), "oldPINs");
}

/// RFC 7643 section 7: canonical values.
#[test]
fn an_enum_is_read_in_any_case_and_shown_in_its_own() {
    let read = |text: &str| State::parse(JsonBuf::string(text).as_json());
    assert_eq!(read("LOCKED-OUT").unwrap(), State::LockedOut);
    assert_eq!(read("intransit").unwrap(), State::InTransit);
    assert!(Scalar::view(&State::InTransit).same(&View::text("inTransit")));
    assert_eq!(
        read("gone").unwrap_err().at("state").to_string(),
        "Attribute state must be one of active, locked-out, inTransit, but is \"gone\"."
    );
    assert!(State::parse(Json::TRUE).unwrap_err().to_string().contains("true"));
}

#[test]
fn an_open_enum_keeps_unknown_values_to_the_letter() {
    let read = |text: &str| Colour::parse(JsonBuf::string(text).as_json()).unwrap();
    assert_eq!(read("RED"), Colour::Red);
    assert_eq!(read("Mauve"), Colour::Other("Mauve".to_owned()));
    assert!(Scalar::view(&read("Mauve")).same(&View::text("Mauve")));
    assert_eq!(<Colour as Scalar>::CANONICAL_VALUES, ["red"]);
    assert!(Colour::parse(Json::TRUE).is_err());
}

/// A resource with type parameters: an attribute's type, and a set of extensions.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:Thing", name = "Thing")]
pub struct ThingWith<E, T = String> {
    pub id: ResourceId,
    pub meta: Meta,
    pub generic: Option<T>,
    #[scim(flatten)]
    pub extensions: E,
    pub pair: Vec<Pair<T>>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
pub struct Pair<R> {
    #[scim(with = "Twice")]
    pub left: Option<R>,
    pub right: Option<R>,
}

/// Hands a value through, for any type that has an attribute's value.
pub struct Twice;

impl<T: ScimValue> Handler<T> for Twice {
    const SHAPE: scim::schema::Shape = T::SHAPE;

    type Paths<R: 'static> = T::Paths<R>;

    fn view(value: &T) -> View<'_> {
        value.view()
    }

    fn decode(json: Json<'_>, cx: &mut Cx<'_>) -> Result<T> {
        T::decode(json, cx)
    }

    fn apply(value: &mut T, edit: Edit<'_>, cx: &mut Cx<'_>) -> Result<Change> {
        value.apply(edit, cx)
    }
}

#[derive(Debug, Clone, PartialEq, Default, ScimComplex)]
pub struct Two {
    #[scim(extension)]
    pub audit: Option<AuditInfo>,
    #[scim(extension)]
    pub more: Option<MoreInfo>,
}

#[derive(Debug, Clone, PartialEq, ScimExtension)]
#[scim(schema = "urn:example:More", name = "More", description = "More of it.")]
pub struct MoreInfo {
    pub count: Option<i32>,
}

type Thing = ThingWith<Two>;

#[test]
fn flattened_extensions_stand_behind_the_own_attributes() {
    let names: Vec<_> = Thing::RESOURCE_TYPE
        .schema
        .attributes
        .iter()
        .map(|a| a.name)
        .collect();
    assert_eq!(
        names,
        ["id", "meta", "generic", "pair", AUDIT, "urn:example:More"]
    );
    let extensions: Vec<_> = Thing::RESOURCE_TYPE
        .schema
        .extensions()
        .map(|(_, schema)| schema.name)
        .collect();
    assert_eq!(extensions, ["AuditInfo", "More"]);
}

#[test]
fn flattened_extensions_are_read_shown_changed_and_named() {
    let body = r#"{"schemas":["urn:example:Thing","urn:example:More"],"generic":"g",
        "pair":[{"left":"l","right":"r"}],"URN:example:more":{"count":4}}"#;
    let mut thing: Thing = decode(body).unwrap();
    assert_eq!(thing.extensions.more, Some(MoreInfo { count: Some(4) }));
    assert_eq!(
        thing.pair,
        [Pair {
            left: Some("l".to_owned()),
            right: Some("r".to_owned())
        }]
    );
    assert!(thing.view(5).sub("count").same(&View::Int(4)));
    assert!(!thing.view(4).is_present());

    let path = Thing::paths().extensions().more().count().path();
    assert_eq!(path.steps(), [5, 0]);
    let value = JsonBuf::integer(5);
    let edit = Edit {
        action: Action::Replace(value.as_json()),
        select: None,
        rest: path.steps(),
    };
    let change = scim::record::apply_to_record(&mut thing, edit, &mut cx(Intent::Patch)).unwrap();
    assert!(change.is_done());
    assert_eq!(thing.extensions.more, Some(MoreInfo { count: Some(5) }));

    let used: Vec<_> = scim::record::extensions_in_use(&thing)
        .map(|schema| schema.id)
        .collect();
    assert_eq!(used, ["urn:example:More"]);

    let error = decode::<Thing>(&body.replace("4", "\"four\"")).unwrap_err();
    assert_eq!(error.attribute().as_deref(), Some("urn:example:More:count"));
}

#[test]
fn a_type_parameter_can_be_any_value() {
    let thing: ThingWith<scim::resources::NoExtensions, bool> =
        decode(r#"{"schemas":["urn:example:Thing"],"generic":true}"#).unwrap();
    assert_eq!(thing.generic, Some(true));
    let path = ThingWith::<scim::resources::NoExtensions, bool>::paths()
        .pair()
        .left()
        .path();
    assert_eq!(path.steps(), [3, 0]);
}

/// The crate under another name, as where it is renamed in `Cargo.toml` or re-exported.
mod renamed {
    pub(crate) mod again {
        pub(crate) use ::scim as other_name;
    }

    #[derive(Debug, Clone, PartialEq, scim::ScimComplex)]
    #[scim(crate = "again::other_name")]
    pub(crate) struct Part {
        pub(crate) value: Option<Kind>,
    }

    #[derive(Debug, Clone, PartialEq, scim::ScimEnum)]
    #[scim(crate = "crate::renamed::again::other_name")]
    pub(crate) enum Kind {
        Small,
    }
}

#[test]
fn the_crate_can_have_another_name() {
    assert_eq!(
        <renamed::Part as ScimValue>::SHAPE.sub_attributes[0]
            .shape
            .canonical_values,
        ["small"]
    );
    assert!(
        ScimValue::view(&renamed::Part {
            value: Some(renamed::Kind::Small)
        })
        .is_present()
    );
}
