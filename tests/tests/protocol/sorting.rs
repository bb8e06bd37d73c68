//! Sorting: RFC 7644 section 3.4.2.3, attribute by attribute.

use std::collections::BTreeMap;
use std::sync::Arc;

use scim::policy::Policy;
use scim::resources::{Group, User};
use scim::schema::{Attribute, Mutability, Returned, Role, Schema, Type};
use scim::service::{Protocol, Request};
use scim::store::documents::DocumentStore;
use scim::store::{Memory, Store};
use scim::value::{Binary, DateTime, Edges, ExternalId, Meta, Reference, ResourceId};
use scim::{Limits, ScimComplex, ScimExtension, ScimResource};
use serde_json::{Map, Value, json};

use crate::Answer;

/// A resource with attributes of every type, single and many.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:2.0:Desk", endpoint = "/Desks")]
struct Desk {
    id: ResourceId,
    external_id: Option<ExternalId>,
    meta: Meta,
    label: Option<String>,
    #[scim(case_exact)]
    serial: Option<String>,
    #[scim(indexed)]
    floor: Option<i64>,
    height: Option<f64>,
    free: Option<bool>,
    bought: Option<DateTime>,
    seal: Option<Binary>,
    #[scim(reference_types("User", "external"))]
    owner: Option<Reference>,
    words: Vec<String>,
    numbers: Vec<i64>,
    places: Vec<Reference>,
    drawer: Option<Drawer>,
    drawers: Vec<Drawer>,
    /// Values without `value`.
    plugs: Vec<Plug>,
    #[scim(edges)]
    crew: Edges<Seat>,
    #[scim(extension)]
    audit: Option<Audit>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Drawer {
    value: Option<i64>,
    #[scim(rename = "type")]
    kind: Option<String>,
    primary: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Plug {
    volts: Option<f64>,
    earthed: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Seat {
    #[scim(key, case_exact)]
    value: String,
    #[scim(rename = "$ref", reference_types("User"))]
    reference: Option<Reference>,
    display: Option<String>,
    #[scim(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimExtension)]
#[scim(schema = "urn:example:2.0:Audit")]
struct Audit {
    auditor: Option<String>,
    marks: Vec<String>,
}

const ENDPOINTS: [(&str, &Schema); 3] = [
    ("/Users", User::RESOURCE_TYPE.schema),
    ("/Groups", Group::RESOURCE_TYPE.schema),
    ("/Desks", Desk::RESOURCE_TYPE.schema),
];

struct Office(Protocol<()>);

impl Office {
    fn over<S>(store: Arc<S>, policy: &Policy, limits: Limits) -> Self
    where
        Arc<S>: Store<User, ()> + Store<Group, ()> + Store<Desk, ()>,
    {
        let builder = Protocol::builder()
            .resource::<User, _>(store.clone())
            .resource::<Group, _>(store.clone())
            .resource::<Desk, _>(store)
            .policy(policy.clone())
            .limits(limits);
        Self(builder.build().unwrap())
    }

    /// Makes the same service over each store.
    fn both(policy: &Policy, limits: &Limits) -> [Self; 2] {
        let (edges, derived) = (Group::paths().members(), User::paths().groups());
        let memory = Memory::new().link(edges, derived);
        let sqlite = DocumentStore::in_memory().unwrap();
        let sqlite = sqlite.resource::<User>().resource::<Group>().resource::<Desk>();
        let sqlite = sqlite.link(edges, derived).build().unwrap();
        [
            Self::over(Arc::new(memory), policy, limits.clone()),
            Self::over(Arc::new(sqlite), policy, limits.clone()),
        ]
    }

    async fn get(&self, target: &str) -> Answer {
        let mut request = Request::get(target);
        request.base_url = "https://id.example.com/scim/v2".to_owned();
        Answer::of(self.0.handle(&().into(), request).await).await
    }

    async fn post(&self, endpoint: &str, body: &Value) -> String {
        let request = Request::new(http::Method::POST, endpoint).with_body(body.to_string());
        Answer::of(self.0.handle(&().into(), request).await)
            .await
            .expect(201)
            .id()
    }

    async fn list(&self, target: &str) -> Vec<Value> {
        let list = self.get(target).await.expect(200).json();
        list["Resources"].as_array().unwrap().clone()
    }

    /// Makes both services with people, groups of them and desks, of which each attribute is set here and there.
    async fn furnished(policy: &Policy) -> [Self; 2] {
        let offices = Self::both(policy, &Limits::default());
        for office in &offices {
            let mut dice = Dice(7);
            let mut people = Vec::new();
            for number in 0..20 {
                let mut body = dice.resource(User::RESOURCE_TYPE.schema, &people);
                body["userName"] = json!(format!("{}{}", dice.pick(&["b", "A", "c"]), (number * 7) % 20));
                people.push(office.post("/Users", &body).await);
            }
            for _ in 0..9 {
                let body = dice.resource(Group::RESOURCE_TYPE.schema, &people);
                office.post("/Groups", &body).await;
            }
            for _ in 0..16 {
                let body = dice.resource(Desk::RESOURCE_TYPE.schema, &people);
                office.post("/Desks", &body).await;
            }
        }
        offices
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        from[self.below(from.len())]
    }

    fn resource(&mut self, schema: &'static Schema, people: &[String]) -> Value {
        let mut body = self.record(schema.attributes, people);
        let extensions = schema.extensions().map(|(_, extension)| extension.id);
        let used = extensions.filter(|urn| body.contains_key(*urn));
        let urns: Vec<_> = [schema.id].into_iter().chain(used).collect();
        body.insert("schemas".to_owned(), json!(urns));
        Value::Object(body)
    }

    fn record(&mut self, table: &'static [Attribute], people: &[String]) -> Map<String, Value> {
        let mut body = Map::new();
        for attribute in table {
            let shape = &attribute.shape;
            let silent = shape.mutability == Mutability::ReadOnly || shape.returned == Returned::Never;
            // A value that only a certificate can be is not tried.
            let skipped = silent || attribute.name == "x509Certificates";
            if skipped || (!shape.required && self.below(3) == 0) {
                continue;
            }
            if !shape.multi_valued {
                let value = self.value(attribute, people);
                body.insert(attribute.name.to_owned(), value);
                continue;
            }
            let mut values: Vec<Value> = (0..self.below(4))
                .map(|_| self.value(attribute, people))
                .collect();
            let mut seen = Vec::new();
            values.retain(|value| {
                let new = !seen.contains(&value["value"]) || value["value"].is_null();
                seen.push(value["value"].clone());
                new
            });
            let mut primary = false;
            for value in values.iter_mut().filter_map(Value::as_object_mut) {
                if value.get("primary") == Some(&json!(true)) && std::mem::replace(&mut primary, true) {
                    value.insert("primary".to_owned(), json!(false));
                }
            }
            body.insert(attribute.name.to_owned(), json!(values));
        }
        body
    }

    fn value(&mut self, attribute: &'static Attribute, people: &[String]) -> Value {
        if attribute.edges {
            return json!({"value": self.pick(&Vec::from_iter(people.iter().map(String::as_str)))});
        }
        let canonical = attribute.shape.canonical_values;
        match attribute.shape.kind {
            Type::String => json!(match attribute.name {
                "preferredLanguage" | "locale" => self.pick(&["en-US", "de-DE", "fr-FR"]),
                "timezone" => self.pick(&["Europe/Berlin", "America/New_York"]),
                "country" => self.pick(&["DE", "US", "FR"]),
                "value" | "display" if self.below(2) == 0 =>
                    self.pick(&["+49 1", "x@example.com", "X@example.org"]),
                _ if !canonical.is_empty() => self.pick(canonical),
                _ => self.pick(&["a", "B", "b", "Ab", "aB ", "z", "Z1", "0", "10", "9"]),
            }),
            Type::Boolean => json!(self.below(2) == 0),
            Type::Integer => json!([-3, 0, 9, 10, 100][self.below(5)]),
            Type::Decimal => json!([-0.5, 0.0, 1.5, 10.25][self.below(4)]),
            Type::DateTime => json!(self.pick(&[
                "2026-01-31T08:00:00Z",
                "2026-01-31T09:30:00+02:00",
                "2025-12-31T23:59:59Z"
            ])),
            Type::Binary => json!(self.pick(&["AAAA", "//79", "AA==", "YWJj"])),
            Type::Reference if self.below(2) == 0 && !people.is_empty() => {
                let id = self.pick(&Vec::from_iter(people.iter().map(String::as_str)));
                json!(format!("http://localhost/Users/{id}"))
            }
            Type::Reference => {
                json!(self.pick(&["https://a.example.com/x", "https://z.example.com/x", "urn:a:b"]))
            }
            Type::Complex => Value::Object(self.record(attribute.shape.sub_attributes, people)),
        }
    }
}

/// Lists what `sortBy` can name: the name, the attributes on the way, and the one at its end.
fn sortable(schema: &'static Schema) -> Vec<(String, Vec<&'static Attribute>)> {
    fn walk(
        prefix: &str,
        above: &[&'static Attribute],
        table: &'static [Attribute],
        names: &mut Vec<(String, Vec<&'static Attribute>)>,
    ) {
        for attribute in table {
            if attribute.shape.returned == Returned::Never {
                continue;
            }
            let name = format!("{prefix}{}", attribute.name);
            let way = [above, &[attribute]].concat();
            match attribute.role {
                Role::Extension(_) => walk(&format!("{name}:"), &way, attribute.shape.sub_attributes, names),
                _ if attribute.shape.kind == Type::Complex => {
                    walk(&format!("{name}."), &way, attribute.shape.sub_attributes, names);
                    if let Some((_, value)) = attribute
                        .sub_attribute("value")
                        .filter(|_| attribute.shape.multi_valued)
                    {
                        names.push((name, [&way[..], &[value]].concat()));
                    }
                }
                _ => names.push((name, way)),
            }
        }
    }
    let mut names = Vec::new();
    walk("", &[], schema.attributes, &mut names);
    names
}

/// A key whose order is that of the sort; `None` for no value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Bool(bool),
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// Returns what a document is sorted by: of many values the primary one, or else the first.
fn key(document: &Value, way: &[&Attribute]) -> Option<Key> {
    let mut value = document;
    for attribute in way {
        value = &value[attribute.name];
        if let Value::Array(elements) = value {
            let primary = elements.iter().find(|element| element["primary"] == true);
            value = primary.or(elements.first())?;
        }
    }
    let attribute = way.last()?;
    let missing_is_false = attribute.name == "primary" && document[way[0].name].is_array();
    Some(match (attribute.shape.kind, value) {
        (Type::Boolean, Value::Null) if missing_is_false => Key::Bool(false),
        (_, Value::Null) => return None,
        (Type::Boolean, value) => Key::Bool(value.as_bool()?),
        (Type::Integer | Type::Decimal, value) => Key::Number((value.as_f64()? * 100.0) as i64),
        (Type::DateTime, value) => Key::Number(value.as_str()?.parse::<DateTime>().ok()?.as_unix_micros()),
        (Type::Binary, value) => Key::Bytes(Binary::parse(value.as_str()?).ok()?.into_bytes()),
        (_, value) if attribute.shape.case_exact => Key::Text(value.as_str()?.to_owned()),
        (_, value) => Key::Text(value.as_str()?.to_lowercase()),
    })
}

/// Returns the ids in the order of their keys: those without a key come last, or first if the greatest come first.
fn in_order(rows: &[(String, Option<Key>)], descending: bool) -> Vec<&str> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by(|(_, left), (_, right)| {
        let order = (left.is_none(), left).cmp(&(right.is_none(), right));
        if descending { order.reverse() } else { order }
    });
    rows.into_iter().map(|(id, _)| id.as_str()).collect()
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

const ORDERS: [(&str, bool); 2] = [("", false), ("&sortOrder=descending", true)];

/// P-3.4.2.3-02, -03, -05, -07 and -08 (RFC 7644 section 3.4.2.3): whatever `sortBy` can name is sorted by.
#[tokio::test]
async fn every_attribute_is_sorted_by() {
    for policy in [Policy::tolerant(), Policy::strict()] {
        for office in Office::furnished(&policy).await {
            let mut tried = BTreeMap::new();
            for (endpoint, schema) in ENDPOINTS {
                let documents = office.list(endpoint).await;
                for (name, way) in sortable(schema) {
                    let rows: Vec<_> = documents
                        .iter()
                        .map(|document| (document["id"].as_str().unwrap().to_owned(), key(document, &way)))
                        .collect();
                    let mut keys: Vec<_> = rows.iter().map(|(_, key)| key).collect();
                    keys.sort();
                    keys.dedup();
                    tried.insert(format!("{endpoint} {name}"), keys.len());
                    for (order, descending) in ORDERS {
                        let expected = in_order(&rows, descending);
                        let target = format!("{endpoint}?sortBy={name}{order}&attributes=id");
                        let found = office.list(&target).await;
                        assert_eq!(ids(&found), expected, "{target}");
                    }
                    // A page is cut out of the whole order, also below a filter.
                    let pages = [1, 9, 17].map(|start| {
                        format!("{endpoint}?sortBy={name}&startIndex={start}&count=8&filter=id+pr")
                    });
                    let mut paged = Vec::new();
                    for page in &pages {
                        paged.extend(office.list(page).await);
                    }
                    assert_eq!(ids(&paged), in_order(&rows, false), "{}", pages[0]);
                }
            }
            // If all resources have one key, or none, any order would do.
            let alike: Vec<_> = tried
                .iter()
                .filter(|(_, keys)| **keys < 2)
                .map(|(name, _)| name)
                .collect();
            let by_nature = [
                "meta.resourceType",
                "meta.version",
                "x509Certificates",
                "manager.displayName",
                "crew.",
            ];
            assert!(
                alike
                    .iter()
                    .all(|name| by_nature.iter().any(|known| name.contains(known))),
                "{alike:?}"
            );
        }
    }
}

/// P-3.4.2.3-04 and A-18: a name that stands for nothing that has an order is refused.
#[tokio::test]
async fn what_has_no_order_is_refused() {
    for policy in [Policy::tolerant(), Policy::strict()] {
        for office in Office::both(&policy, &Limits::default()) {
            for target in [
                "/Users?sortBy=name",
                "/Users?sortBy=addresses",
                "/Users?sortBy=meta",
                "/Users?sortBy=password",
                "/Users?sortBy=schemas",
                "/Desks?sortBy=plugs",
                "/Desks?sortBy=urn:example:2.0:Audit",
                "/Desks?sortBy=drawer",
            ] {
                office.get(target).await.refused(400, "invalidPath");
            }
        }
    }
}

/// The same order over all types: RFC 7644 sections 3.4.2.1 and 3.4.2.3. A type that does not know the attribute has no
/// value of it.
#[tokio::test]
async fn root_searches_are_sorted_by_every_attribute() {
    for office in Office::furnished(&Policy::tolerant()).await {
        let mut documents = Vec::new();
        for (endpoint, schema) in ENDPOINTS {
            let rows = office.list(endpoint).await;
            documents.extend(rows.into_iter().map(|row| (schema, row)));
        }
        let mut names: Vec<_> = ENDPOINTS
            .iter()
            .flat_map(|(_, schema)| sortable(schema))
            .collect();
        names.retain(|(_, way)| !way.iter().any(|attribute| attribute.is_extension()));
        names.dedup_by_key(|(name, _)| name.clone());
        for (name, _) in names {
            let rows: Vec<_> = documents
                .iter()
                .map(|(schema, document)| {
                    let known = sortable(schema).into_iter().find(|(known, _)| *known == name);
                    let key = known.and_then(|(_, way)| key(document, &way));
                    (document["id"].as_str().unwrap().to_owned(), key)
                })
                .collect();
            for (order, descending) in ORDERS {
                let target = format!("/?sortBy={name}{order}&count=100&attributes=id");
                let found = office.list(&target).await;
                assert_eq!(ids(&found), in_order(&rows, descending), "{target}");
            }
        }
    }
}

/// an order that would have to look at too many resources is refused, never given by halves.
#[tokio::test]
async fn an_order_beyond_the_budget_is_refused() {
    let limits = Limits {
        scanned_rows: 3,
        ..Limits::default()
    };
    for office in Office::both(&Policy::tolerant(), &limits) {
        let mut people = Vec::new();
        for number in 0..4 {
            let user = json!({"schemas": [User::RESOURCE_TYPE.schema.id], "userName": format!("u{number}")});
            people.push(office.post("/Users", &user).await);
            let group = json!({"schemas": [Group::RESOURCE_TYPE.schema.id], "displayName": "g", "members": [{"value": people[0]}]});
            office.post("/Groups", &group).await;
        }
        for target in [
            "/Users?sortBy=groups.display",
            "/Groups?sortBy=members",
            "/Groups?sortBy=members.display",
        ] {
            let answer = office.get(target).await.refused(400, "tooMany").json();
            let detail = answer["detail"].as_str().unwrap();
            assert!(
                detail.contains("more than 3 resources") && detail.contains("order"),
                "{detail}"
            );
        }
        assert_eq!(office.list("/Users?sortBy=userName").await.len(), 4);
        let narrowed = format!("/Users?sortBy=groups&filter=id+eq+%22{}%22", people[1]);
        assert_eq!(office.list(&narrowed).await.len(), 1);
    }
}
