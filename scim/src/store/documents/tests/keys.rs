//! A type of an application's own, with every way to be indexed and unique, and what is not shown by default.

use super::*;
use crate::record::ScimResource;
use crate::store::database::Transaction;
use crate::store::{Cause, Event, MovedEdges, Transition};
use crate::value::{Extra, Meta, ResourceId};
use crate::{Error, ScimComplex, ScimType};

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:scim:schemas:2.0:Badge", endpoint = "/Badges")]
pub(super) struct Badge {
    id: ResourceId,
    meta: Meta,
    #[scim(unique = "global", case_exact)]
    pub(super) serial: String,
    #[scim(indexed)]
    floor: Option<i64>,
    #[scim(indexed)]
    weight: Option<f64>,
    #[scim(indexed)]
    issued: Option<DateTime>,
    #[scim(unique = "server")]
    nick: Option<String>,
    #[scim(indexed)]
    zones: Vec<String>,
    pub(super) doors: Vec<Door>,
    holder: Option<Holder>,
    #[scim(returned = "never")]
    pub(super) pin: Option<String>,
    #[scim(returned = "request")]
    pub(super) note: Option<String>,
    #[scim(extra)]
    pub(super) other: Extra,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
pub(super) struct Door {
    #[scim(unique = "server")]
    pub(super) value: String,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
pub(super) struct Holder {
    #[scim(indexed)]
    name: Option<String>,
}

pub(super) fn badge(serial: &str) -> Badge {
    Badge {
        id: ResourceId::default(),
        meta: Meta::default(),
        serial: serial.to_owned(),
        floor: None,
        weight: None,
        issued: None,
        nick: None,
        zones: Vec::new(),
        doors: Vec::new(),
        holder: None,
        pin: None,
        note: None,
        other: Extra::default(),
    }
}

pub(super) fn badges() -> Bench {
    let store = DocumentStore::in_memory()
        .unwrap()
        .resource::<Badge>()
        .build()
        .unwrap();
    Bench {
        runtime: runtime(),
        store,
        hands: Hands::default(),
        tenant: Arc::new(ACME.to_owned()),
    }
}

impl Bench {
    fn serials(&self, filter: &str) -> Vec<String> {
        let (_, items) = self
            .query(&all::<Badge>().matching(filter_of::<Badge>(filter)))
            .unwrap();
        items
            .iter()
            .map(|item| item["serial"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn every_type_of_attribute_is_found_by_its_key() {
    let bench = badges();
    let time = |text: &str| Some(DateTime::parse(text).unwrap());
    for badge in [
        Badge {
            floor: Some(-2),
            weight: Some(1.5),
            issued: time("2020-01-01T00:00:00.0000001Z"),
            zones: vec!["North".into(), "South".into()],
            holder: Some(Holder {
                name: Some("Babs".into()),
            }),
            ..badge("a")
        },
        Badge {
            floor: Some(10),
            weight: Some(-3.0),
            issued: time("2020-01-01T00:00:00.0000002Z"),
            zones: vec!["south".into()],
            ..badge("b")
        },
        badge("A"),
    ] {
        bench.create(badge).unwrap();
    }
    for (filter, expected) in [
        ("serial eq \"a\"", &["a"] as &[&str]),
        ("floor ge -2", &["a", "b"]),
        ("floor gt 9.5", &["b"]),
        ("floor eq 10.0", &["b"]),
        ("floor lt 9", &["a"]),
        ("weight le 1.5", &["a", "b"]),
        ("weight lt 0", &["b"]),
        ("issued eq \"2020-01-01T00:00:00.0000001Z\"", &["a"]),
        ("issued gt \"2020-01-01T00:00:00.0000001Z\"", &["b"]),
        ("issued lt \"2020-01-01T00:00:00.0000002Z\"", &["a"]),
        ("zones eq \"SOUTH\"", &["a", "b"]),
        ("zones eq \"north\" and zones eq \"south\"", &["a"]),
        ("holder.name eq \"babs\"", &["a"]),
        ("floor pr", &["a", "b"]),
        ("not (zones pr)", &["A"]),
    ] {
        assert_eq!(bench.serials(filter), expected, "{filter}");
    }
}

#[test]
fn uniqueness_holds_in_the_tenant_or_everywhere() {
    let bench = badges();
    let first = Badge {
        nick: Some("Key".into()),
        doors: vec![Door { value: "d1".into() }],
        ..badge("1")
    };
    let id = id_of(&bench.create(first.clone()).unwrap());
    let globex = Arc::new("globex".to_owned());
    let conflict = |attribute: &str, badge: Badge, tenant: &Arc<String>| {
        let error = bench.create_for(tenant, badge).unwrap_err();
        assert_eq!(error.scim_type(), Some(ScimType::Uniqueness));
        assert!(
            error.to_string().starts_with(&format!("Attribute {attribute} ")),
            "{error}"
        );
    };
    conflict("serial", badge("1"), &globex);
    conflict(
        "nick",
        Badge {
            nick: Some("KEY".into()),
            ..badge("2")
        },
        &bench.tenant,
    );
    conflict(
        "doors",
        Badge {
            doors: vec![Door { value: "D1".into() }],
            ..badge("3")
        },
        &bench.tenant,
    );
    bench
        .create_for(
            &globex,
            Badge {
                serial: "4".into(),
                ..first.clone()
            },
        )
        .unwrap();
    bench
        .replace(
            &id,
            Badge {
                doors: vec![Door { value: "d2".into() }],
                ..first
            },
        )
        .unwrap();
    bench
        .create(Badge {
            doors: vec![Door { value: "d1".into() }],
            ..badge("5")
        })
        .unwrap();
    bench.delete::<Badge>(&id).unwrap();
    bench.create_for(&globex, badge("1")).unwrap();
}

#[test]
fn a_rewrite_keeps_what_is_not_shown() {
    let bench = badges();
    let mut made = Badge {
        pin: Some("1234".into()),
        note: Some("left-handed".into()),
        ..badge("1")
    };
    made.other
        .insert("custom \"x\"", crate::value::JsonBuf::string("kept").as_json());
    let id = id_of(&bench.create(made).unwrap());
    let shown = bench.shown::<Badge>(&id, "");
    assert!(shown.get("pin").is_none() && shown.get("note").is_none() && shown.get("custom \"x\"").is_none());
    assert_eq!(bench.shown::<Badge>(&id, "note")["note"], "left-handed");
    bench
        .patch::<Badge>(&id, r#"[{"op":"replace","path":"floor","value":3}]"#)
        .unwrap();
    let after = bench.state::<Badge>(&id);
    assert_eq!(
        (after.pin.as_deref(), after.note.as_deref(), after.floor),
        (Some("1234"), Some("left-handed"), Some(3))
    );
    let hidden = bench.store.database().blocking_read(|reader| {
        reader.query_one("/* sqlite */ SELECT hidden FROM scim_resource", &[], |row| {
            Ok(String::from_utf8_lossy(row.blob(0)?).into_owned())
        })
    });
    let hidden = hidden.unwrap().unwrap();
    assert!(hidden.contains(r#""custom \"x\"":"kept""#), "{hidden}");
    assert!(
        bench
            .patch::<Badge>(&id, r#"[{"op":"replace","path":"pin","value":"9"}]"#)
            .unwrap()
    );
    assert_eq!(bench.version::<Badge>(&id), "3");
}

/// Writes what a diary says of a change.
fn noted<R: ScimResource>(
    tx: &Transaction<'_>,
    cx: &str,
    event: &Event<R>,
    name: fn(&R) -> Option<&str>,
) -> Result<()> {
    let name = |state: Option<&R>| state.and_then(name).unwrap_or("nobody").to_owned();
    let (before, after) = (name(event.before()), name(event.after()));
    let moved = |count: fn(&MovedEdges) -> u64| event.edges.iter().map(count).sum::<u64>();
    let what = match event.transition {
        Transition::Created { .. } => format!("created {after}"),
        Transition::Changed { .. } => {
            let (added, removed) = (moved(|edges| edges.added), moved(|edges| edges.removed));
            format!("changed {before} to {after}, +{added} -{removed}")
        }
        Transition::Deleted { .. } => format!("deleted {before}"),
    };
    if what.contains("forbidden") {
        return Err(Error::invalid_value("is forbidden").at("displayName"));
    }
    let cause = match &event.cause {
        Cause::Write => String::new(),
        Cause::Deletion { resource_type, .. } => format!(" for a {resource_type}"),
    };
    let line = format!("{cx} {} {what}{cause}", R::RESOURCE_TYPE.name);
    tx.execute("INSERT INTO diary(line) VALUES (?1)", &[(&line).into()])
        .map(drop)
}

/// An application has statements of its own in the transaction of a write.
#[test]
fn statements_in_the_transaction_follow_every_write_that_changes_something() {
    let database = Database::in_memory(Options::default()).unwrap();
    database
        .blocking_write(|tx| tx.execute_batch("CREATE TABLE diary(line TEXT) STRICT"))
        .unwrap();
    let store = with_types(DocumentStore::on(database))
        .in_transaction::<User>(|tx, cx, event| noted(tx, cx, event, |user| user.display_name.as_deref()))
        .in_transaction::<Group>(|tx, cx, event| noted(tx, cx, event, |group| Some(&group.display_name)))
        .build()
        .unwrap();
    let bench = Bench {
        runtime: runtime(),
        store,
        hands: Hands::default(),
        tenant: Arc::new(ACME.to_owned()),
    };
    let named = |name: &str| User {
        display_name: Some(name.into()),
        ..User::new(name)
    };
    let user = id_of(&bench.create(named("babs")).unwrap());
    let group = bench.group("Guides", &[]);
    bench.patch::<Group>(&group, &add(&user)).unwrap();
    bench.patch::<Group>(&group, &add(&user)).unwrap();
    let rename = |name: &str| format!(r#"[{{"op":"replace","path":"displayName","value":"{name}"}}]"#);
    bench.patch::<Group>(&group, &rename("Drivers")).unwrap();
    assert_eq!(
        bench
            .patch::<Group>(&group, &rename("forbidden"))
            .unwrap_err()
            .status(),
        400
    );
    assert_eq!(
        bench.state::<Group>(&group).display_name,
        "Drivers",
        "an error undoes the write"
    );
    assert!(bench.create(Group::new("forbidden")).is_err());
    assert_eq!(bench.count::<Group>(), 1);
    bench.delete::<User>(&user).unwrap();
    let lines = bench.store.database().blocking_read(|reader| {
        reader.query_all("SELECT line FROM diary ORDER BY rowid", &[], |row| {
            row.text(0).map(str::to_owned)
        })
    });
    let expected = [
        "acme User created babs",
        "acme Group created Guides",
        "acme Group changed Guides to Guides, +1 -0",
        "acme Group changed Guides to Drivers, +0 -0",
        "acme Group changed Drivers to Drivers, +0 -1 for a User",
        "acme User deleted babs",
    ];
    assert_eq!(lines.unwrap(), expected);
}
