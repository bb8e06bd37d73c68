//! References to resources of the service itself: RFC 7643 sections 2.3.7 and 2.4.
//!
//! Clients see them as complete URLs. Filters compare what clients see, and what clients send back is not a change.

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, Full};
use scim::client::{Client, unchanged};
use scim::policy::Policy;
use scim::resources::{Group, User};
use scim::service::{Builder, NoContext, Plain, Protocol, Request, ScimService};
use scim::store::documents::DocumentStore;
use scim::store::{Memory, Store};
use scim::value::{Edges, Meta, Reference, ResourceId};
use scim::{ScimComplex, ScimExtension, ScimResource};
use serde_json::{Value, json};

use crate::{Answer, ENTERPRISE, GROUP, PATCH_OP, USER, id_in, user};

const DOOR: &str = "urn:example:2.0:Door";
const AUDIT: &str = "urn:example:2.0:Audit";

/// A resource that refers to others in every way there is.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:2.0:Door", endpoint = "/Doors")]
struct Door {
    id: ResourceId,
    meta: Meta,
    name: String,
    #[scim(reference_types("User"))]
    owner: Option<Reference>,
    #[scim(reference_types("User", "Group", "external"))]
    keepers: Vec<Reference>,
    ways: Vec<Way>,
    /// A page about the door.
    manual: Option<Reference>,
    #[scim(extension)]
    audit: Option<Audit>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Way {
    #[scim(reference_types("Door"))]
    value: Option<Reference>,
    #[scim(rename = "type")]
    kind: Option<String>,
}

#[derive(Debug, Clone, PartialEq, ScimExtension)]
#[scim(schema = "urn:example:2.0:Audit")]
struct Audit {
    #[scim(reference_types("User"))]
    auditor: Option<Reference>,
}

fn sqlite() -> Arc<DocumentStore> {
    let store = DocumentStore::in_memory().unwrap();
    let store = store.resource::<User>().resource::<Group>().resource::<Door>();
    let store = store.link(Group::paths().members(), User::paths().groups());
    Arc::new(store.build().unwrap())
}

fn over<S>(store: Arc<S>) -> Builder<(), Plain>
where
    Arc<S>: Store<User, ()> + Store<Group, ()> + Store<Door, ()>,
{
    Protocol::builder()
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store.clone())
        .resource::<Door, _>(store)
}

/// A service as clients reach it: below which URL, and with which version in front of the path.
struct Site {
    protocol: Protocol<()>,
    origin: &'static str,
    version: &'static str,
}

const SITES: [(&str, &str); 3] = [
    ("https://id.example.com", ""),
    ("https://id.example.com/scim/acme", "/v2"),
    ("http://localhost:8080/scim/v2", ""),
];

impl Site {
    fn base(&self) -> String {
        format!("{}{}", self.origin, self.version)
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let mut request = Request::new(method, &format!("{}{path}", self.version));
        self.origin.clone_into(&mut request.base_url);
        if let Some(body) = body {
            request = request.with_body(body.to_string());
        }
        Answer::of(self.protocol.handle(&().into(), request).await).await
    }

    async fn get(&self, path: &str) -> Value {
        self.send(Method::GET, path, None).await.expect(200).json()
    }

    /// Creates a resource and returns its path.
    async fn create(&self, endpoint: &str, body: &Value) -> String {
        let created = self.send(Method::POST, endpoint, Some(body)).await.expect(201);
        format!("{endpoint}/{}", created.id())
    }

    async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    async fn patch(&self, path: &str, operations: &Value) -> Answer {
        let body = json!({"schemas": [PATCH_OP], "Operations": operations});
        self.send(Method::PATCH, path, Some(&body)).await
    }

    /// Returns the paths of the resources below `endpoint` that a filter finds.
    async fn found(&self, endpoint: &str, filter: &str) -> Vec<String> {
        let query = query_of(filter);
        let answer = self
            .send(Method::GET, &format!("{endpoint}?count=100&filter={query}"), None)
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{filter}: {:?}", answer.json());
        let list = answer.json();
        let rows = list["Resources"].as_array().unwrap();
        rows.iter()
            .map(|row| format!("{endpoint}/{}", row["id"].as_str().unwrap()))
            .collect()
    }
}

/// Returns a filter as it stands in a query.
fn query_of(filter: &str) -> String {
    filter.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Makes both stores, below every kind of base URL.
fn sites(policy: &Policy) -> Vec<Site> {
    let mut sites = Vec::new();
    for (origin, version) in SITES {
        for builder in [over(crate::store()), over(sqlite())] {
            sites.push(Site {
                protocol: builder.policy(policy.clone()).build().unwrap(),
                origin,
                version,
            });
        }
    }
    sites
}

/// People, groups and doors that refer to each other and to elsewhere.
struct Town {
    people: Vec<String>,
    groups: Vec<String>,
    doors: Vec<String>,
}

async fn town(site: &Site) -> Town {
    let base = site.base();
    let mut people = Vec::new();
    for name in ["ann", "bob", "cat"] {
        people.push(site.create("/Users", &user(name)).await);
    }
    let at = |path: &str| format!("{base}{path}");
    for (name, manager) in [
        ("dan", Some(at(&people[0]))),
        ("eve", Some(format!("Users/{}", id_in(&people[1])))),
        ("fay", Some("https://elsewhere.example.com/v2/Users/1".to_owned())),
        ("gil", None),
    ] {
        let mut body = user(name);
        if let Some(manager) = manager {
            body["schemas"] = json!([USER, ENTERPRISE]);
            body[ENTERPRISE] = json!({"manager": {"value": "1", "$ref": manager}});
        }
        people.push(site.create("/Users", &body).await);
    }
    let mut groups = Vec::new();
    for (name, members) in [("g", &people[..2]), ("h", &people[1..4]), ("empty", &[])] {
        let members: Vec<_> = members
            .iter()
            .map(|path| json!({"value": id_in(path), "$ref": at(path)}))
            .collect();
        let body = json!({"schemas": [GROUP], "displayName": name, "members": members});
        groups.push(site.create("/Groups", &body).await);
    }
    let mut doors = Vec::new();
    for body in [
        json!({"name": "front", "owner": at(&people[0]), "keepers": [at(&people[1]), at(&groups[0])]}),
        json!({"name": "back", "owner": at(&people[2]), "manual": "https://id.example.com/doors/back",
               "keepers": ["https://elsewhere.example.com/Users/1", at(&people[2])]}),
        json!({"name": "side", "ways": [{"value": at("/Doors/1"), "type": "in"}, {"value": "Doors/2"}],
               AUDIT: {"auditor": at(&people[1])}}),
        json!({"name": "none"}),
    ] {
        let mut body = body;
        body["schemas"] = match body[AUDIT].is_null() {
            true => json!([DOOR]),
            false => json!([DOOR, AUDIT]),
        };
        doors.push(site.create("/Doors", &body).await);
    }
    Town {
        people,
        groups,
        doors,
    }
}

/// Every attribute that refers to something, by the endpoint of its resources.
const REFERENCES: [(&str, &str); 10] = [
    ("/Users", "meta.location"),
    ("/Users", "groups.$ref"),
    (
        "/Users",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref",
    ),
    ("/Groups", "meta.location"),
    ("/Groups", "members.$ref"),
    ("/Doors", "owner"),
    ("/Doors", "keepers"),
    ("/Doors", "ways.value"),
    ("/Doors", "manual"),
    ("/Doors", "urn:example:2.0:Audit:auditor"),
];

/// Returns what a client sees of an attribute in a document.
fn seen(document: &Value, attribute: &str) -> Vec<String> {
    let (scope, path) = match attribute.rsplit_once(':') {
        Some((urn, path)) => (&document[urn], path),
        None => (document, attribute),
    };
    let mut values = vec![scope];
    for name in path.split('.') {
        values = values
            .into_iter()
            .flat_map(|value| match value {
                Value::Array(elements) => elements.iter().map(|element| &element[name]).collect(),
                value => vec![&value[name]],
            })
            .collect();
    }
    values
        .into_iter()
        .flat_map(|value| match value {
            Value::Array(elements) => elements.iter().filter_map(Value::as_str).collect(),
            value => Vec::from_iter(value.as_str()),
        })
        .map(str::to_owned)
        .collect()
}

/// Applies RFC 7644 table 3 to the text that is seen.
fn holds(values: &[String], operator: &str, operand: &str) -> bool {
    let any = |test: &dyn Fn(&str) -> bool| values.iter().any(|value| test(value));
    match operator {
        "eq" => any(&|value| value == operand),
        "ne" => !any(&|value| value == operand),
        "co" => any(&|value| value.contains(operand)),
        "sw" => any(&|value| value.starts_with(operand)),
        "ew" => any(&|value| value.ends_with(operand)),
        "gt" => any(&|value| value > operand),
        "ge" => any(&|value| value >= operand),
        "lt" => any(&|value| value < operand),
        _ => any(&|value| value <= operand),
    }
}

/// Returns every part of the values and of the base that a client might ask for, and its neighbours.
fn operands(base: &str, values: &[String]) -> Vec<String> {
    let mut operands = vec![String::new(), "U".to_owned(), "~".to_owned(), "s/".to_owned()];
    let some = values.iter().step_by(values.len().div_ceil(3));
    for text in some.map(String::as_str).chain([base]) {
        let slashes = text.match_indices('/').map(|(at, _)| at);
        for at in slashes.chain([text.len() / 2, text.len() - 1]) {
            operands.extend([at, at + 1].map(|end| text[..end].to_owned()));
            operands.extend([at, at + 1].map(|start| text[start..].to_owned()));
        }
        operands.extend([text.to_owned(), format!("{text}0"), format!("x{text}")]);
    }
    operands.push(format!("{base}/Users/0"));
    operands.push(format!("{base}/Users/~"));
    operands.push(format!("{base}/"));
    operands.sort();
    operands.dedup();
    operands
}

/// P-3.4.2.2-05 to -11 (RFC 7644 section 3.4.2.2): what a client sees is what is compared, in every operator, wherever
/// the reference comes from.
#[tokio::test]
async fn the_url_that_a_client_sees_is_compared() {
    // Each store once: the operands are many.
    for site in sites(&Policy::tolerant()).into_iter().step_by(3) {
        let town = town(&site).await;
        for (endpoint, attribute) in REFERENCES {
            let paths = match endpoint {
                "/Users" => &town.people,
                "/Groups" => &town.groups,
                _ => &town.doors,
            };
            let mut documents = Vec::new();
            for path in paths {
                documents.push((path.clone(), seen(&site.get(path).await, attribute)));
            }
            let values: Vec<_> = documents.iter().flat_map(|(_, values)| values.clone()).collect();
            assert!(!values.is_empty(), "{attribute} is not tried");
            for operand in operands(&site.base(), &values) {
                for operator in ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"] {
                    // A relative reference that stands for a whole one is resolved first: see below.
                    let whole = !matches!(operator, "co" | "sw" | "ew");
                    if whole && operand.contains('/') && !operand.contains("://") {
                        continue;
                    }
                    let filter = format!("{attribute} {operator} \"{operand}\"");
                    let expected: Vec<_> = documents
                        .iter()
                        .filter(|(_, values)| holds(values, operator, &operand))
                        .map(|(path, _)| path.clone())
                        .collect();
                    let found = site.found(endpoint, &filter).await;
                    assert_eq!(found, expected, "{filter} below {}", site.base());
                }
            }
        }
    }
}

/// S-2.4-06 (RFC 7643 section 2.4): the version segment does not count, and S-2.3.7-02: a relative reference is one to
/// below the base.
#[tokio::test]
async fn the_version_segment_does_not_matter() {
    for site in sites(&Policy::strict()) {
        let town = town(&site).await;
        let (endpoint, id) = ("Users", id_in(&town.people[1]));
        let root = site.base().trim_end_matches("/v2").to_owned();
        let below_host = root
            .split('/')
            .skip(3)
            .fold(String::new(), |path, segment| format!("{path}/{segment}"));
        let mut operands = vec![
            format!("{root}/{endpoint}/{id}"),
            format!("{root}/v2/{endpoint}/{id}"),
            format!("{root}/v2.0/{endpoint}/{id}"),
            format!("{root}/v1/{endpoint}/{id}"),
            format!("{endpoint}/{id}"),
            format!("{below_host}/{endpoint}/{id}"),
            format!("{below_host}/v2/{endpoint}/{id}"),
        ];
        operands.push(root.replacen("id.example", "ID.Example", 1) + &format!("/{endpoint}/{id}"));
        for operand in &operands {
            for (endpoint, attribute, found) in [
                ("/Users", "meta.location", vec![&town.people[1]]),
                (
                    "/Users",
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref",
                    vec![&town.people[4]],
                ),
                ("/Groups", "members.$ref", vec![&town.groups[0], &town.groups[1]]),
                ("/Doors", "keepers", vec![&town.doors[0]]),
                ("/Doors", "urn:example:2.0:Audit:auditor", vec![&town.doors[2]]),
            ] {
                let filter = format!("{attribute} eq \"{operand}\"");
                let found: Vec<_> = found.into_iter().cloned().collect();
                assert_eq!(site.found(endpoint, &filter).await, found, "{filter}");
                for (operator, holds) in [("ge", true), ("le", true), ("ne", false)] {
                    let filter = format!("{attribute} {operator} \"{operand}\"");
                    let others = site.found(endpoint, &filter).await;
                    assert_eq!(found.iter().all(|path| others.contains(path)), holds, "{filter}");
                }
            }
        }
        for elsewhere in [
            format!("https://elsewhere.example.com/v2/{endpoint}/{id}"),
            format!("{root}/x/{endpoint}/{id}"),
            format!("{root}/vx/{endpoint}/{id}"),
            format!("{root}/users/{id}"),
            format!("{root}{endpoint}/{id}"),
            id.to_owned(),
        ] {
            let filter = format!("meta.location eq \"{elsewhere}\"");
            assert!(site.found("/Users", &filter).await.is_empty(), "{filter}");
        }
    }
}

/// RFC 7644 section 3.5.1: PUT of exactly what GET shows changes nothing, and freezes no base URL into a value.
#[tokio::test]
async fn what_get_shows_put_takes_as_no_change() {
    for policy in [Policy::tolerant(), Policy::strict()] {
        for mut site in sites(&policy) {
            let town = town(&site).await;
            let all = [&town.people, &town.groups, &town.doors];
            for path in all.into_iter().flatten() {
                let shown = site.get(path).await;
                let answer = site.put(path, &shown).await.expect(200);
                assert!(!answer.outcome.changed, "{shown:#}");
                assert_eq!(answer.json(), shown, "{}", policy.name());
            }
            let (before, path) = (site.base(), town.people[3].clone());
            // Another name for the same service: nothing in a value remembers the first.
            (site.origin, site.version) = ("https://other.example.com/scim", "/v2");
            for path in all.into_iter().flatten() {
                let shown = site.get(path).await.to_string();
                let remembered = shown.contains(&format!("{before}/Users/")) || shown.contains("/v2/v2");
                assert!(!remembered, "{shown}");
            }
            let manager = site.get(&path).await[ENTERPRISE]["manager"]["$ref"].clone();
            assert_eq!(manager, format!("{}{}", site.base(), town.people[0]));
        }
    }
}

/// A resource whose edges nothing mirrors.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:2.0:Squad", endpoint = "/Squads")]
struct Squad {
    id: ResourceId,
    meta: Meta,
    #[scim(edges)]
    crew: Edges<Seat>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Seat {
    #[scim(key, case_exact)]
    value: String,
    #[scim(rename = "$ref", reference_types("User"))]
    reference: Option<Reference>,
}

/// The same of edges that a store keeps as they were sent, because no link says what they lead to.
#[tokio::test]
async fn an_edge_without_a_link_keeps_its_reference() {
    let store = Arc::new(Memory::new());
    let builder = Protocol::builder()
        .resource::<User, _>(store.clone())
        .resource::<Squad, _>(store);
    let mut site = Site {
        protocol: builder.build().unwrap(),
        origin: "https://id.example.com/scim",
        version: "/v2",
    };
    let crew = json!([{"value": "1", "$ref": "https://id.example.com/scim/v2/Users/1"}]);
    let body = json!({"schemas": ["urn:example:2.0:Squad"], "crew": crew});
    let path = site.create("/Squads", &body).await;
    site.origin = "https://other.example.com";
    let shown = site.get(&path).await;
    let place = "https://other.example.com/v2/Users/1";
    assert_eq!(shown["crew"][0]["$ref"], place);
    assert!(!site.put(&path, &shown).await.expect(200).outcome.changed);
    for (operator, operand) in [
        ("eq", place),
        ("sw", "https://other.example.com/v2/U"),
        ("ew", "/v2/Users/1"),
    ] {
        let filter = format!("crew.$ref {operator} \"{operand}\"");
        assert_eq!(site.found("/Squads", &filter).await, [path.as_str()], "{filter}");
    }
}

/// RFC 7643 section 2.3.7: the place of a resource of somebody else is theirs, whatever it looks like.
#[tokio::test]
async fn the_url_of_another_host_stays_as_it_is() {
    for site in sites(&Policy::tolerant()) {
        for owner in [
            "https://elsewhere.example.com/v2/Users/1",
            "https://id.example.com.evil.example/Users/1",
            "https://id.example.com:8443/Users/1",
            "mailto:owner@example.com",
            "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        ] {
            let body = json!({"schemas": [DOOR], "name": "x", "owner": owner, "manual": owner});
            let path = site.create("/Doors", &body).await;
            let shown = site.get(&path).await;
            assert_eq!(
                (&shown["owner"], &shown["manual"]),
                (&json!(owner), &json!(owner))
            );
            assert!(!site.put(&path, &shown).await.expect(200).outcome.changed);
        }
        // The page about a door is not a resource, wherever it is: another host shows the same page.
        let page = format!("{}/Pages/door", site.base());
        let body = json!({"schemas": [DOOR], "name": "x", "manual": page});
        let path = site.create("/Doors", &body).await;
        let mut request = Request::get(&path);
        request.base_url = "https://other.example.com".to_owned();
        let shown = Answer::of(site.protocol.handle(&().into(), request).await)
            .await
            .json();
        assert_eq!(shown["manual"], page);
    }
}

/// RFC 7644 section 3.5.2: the same holds for the values of a PATCH and for the filters in its paths.
#[tokio::test]
async fn a_patch_names_references_as_they_are_shown() {
    for policy in [Policy::tolerant(), Policy::strict()] {
        for mut site in sites(&policy) {
            let town = town(&site).await;
            (site.origin, site.version) = ("https://other.example.com/scim", "/v2");
            let at = |path: &str| format!("{}{path}", site.base());
            let manager = format!("{ENTERPRISE}:manager.$ref");
            for (path, operation) in [
                (
                    &town.people[3],
                    json!({"op": "replace", "path": manager, "value": at(&town.people[0])}),
                ),
                (
                    &town.doors[0],
                    json!({"op": "replace", "path": "owner", "value": at(&town.people[0])}),
                ),
                (
                    &town.doors[0],
                    json!({"op": "add", "path": "keepers", "value": [at(&town.groups[0])]}),
                ),
                (
                    &town.doors[0],
                    json!({"op": "add", "value": {"owner": at(&town.people[0])}}),
                ),
                (
                    &town.doors[2],
                    json!({"op": "add", "path": "ways", "value": [{"value": at("/Doors/1"), "type": "in"}]}),
                ),
                (
                    &town.doors[2],
                    json!({"op": "add", "value": {AUDIT: {"auditor": at(&town.people[1])}}}),
                ),
                (
                    &town.groups[0],
                    json!({"op": "add", "path": "members",
                    "value": [{"value": id_in(&town.people[0]), "$ref": at(&town.people[0])}]}),
                ),
            ] {
                let answer = site.patch(path, &json!([operation])).await.expect(200);
                assert!(!answer.outcome.changed, "{operation}");
            }
            for (path, selector, list, left) in [
                (
                    &town.doors[0],
                    format!("keepers[value eq \"{}\"]", at(&town.groups[0])),
                    "keepers",
                    1,
                ),
                (
                    &town.doors[2],
                    format!("ways[value ew \"{}\"]", "/Doors/1"),
                    "ways",
                    1,
                ),
                (
                    &town.groups[0],
                    format!("members[$ref eq \"{}\"]", at(&town.people[0])),
                    "members",
                    1,
                ),
                (
                    &town.groups[1],
                    format!("members[$ref sw \"{}/\"]", at("/Groups")),
                    "members",
                    3,
                ),
            ] {
                let operation = json!({"op": "remove", "path": selector});
                let answer = site.patch(path, &json!([operation])).await.expect(200).json();
                assert_eq!(answer[list].as_array().unwrap().len(), left, "{operation}");
            }
        }
    }
}

/// Behind a public URL the service is still reached by the URL of the request: both are its own.
#[tokio::test]
async fn the_public_url_and_the_url_of_the_request_are_one() {
    let store = crate::store();
    let service = ScimService::builder(NoContext)
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store)
        .public_url("https://public.example.com")
        .mount("/scim/v2")
        .build()
        .unwrap();
    let send = async |method: &str, path: &str, body: Value| -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("/scim/v2{path}"))
            .header("host", "inside:8080")
            .header("content-type", "application/scim+json")
            .body(Full::new(Bytes::from(body.to_string())))
            .unwrap();
        let response = service.respond(request).await;
        assert!(response.status().is_success(), "{response:?}");
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
    };
    let ann = send("POST", "/Users", user("ann")).await;
    let id = ann["id"].as_str().unwrap();
    for reference in [
        format!("https://public.example.com/scim/v2/Users/{id}"),
        format!("http://inside:8080/scim/v2/Users/{id}"),
        format!("http://inside:8080/scim/Users/{id}"),
    ] {
        let mut body = user(&reference);
        body["schemas"] = json!([USER, ENTERPRISE]);
        body[ENTERPRISE] = json!({"manager": {"$ref": reference}});
        let created = send("POST", "/Users", body).await;
        let shown = format!("https://public.example.com/scim/v2/Users/{id}");
        assert_eq!(created[ENTERPRISE]["manager"]["$ref"], shown);
        let filter = query_of(&format!("meta.location eq \"{reference}\""));
        let found = send("GET", &format!("/Users?filter={filter}"), json!(null)).await;
        assert_eq!(found["totalResults"], 1, "{reference}");
    }
}

/// The client of the library sends back what it has read.
#[tokio::test]
async fn the_client_changes_nothing_by_reading_and_writing() {
    for base in ["", "/scim/v2", "http://id.example.com/scim/v2"] {
        let store = crate::store();
        let mount = base.trim_start_matches("http://id.example.com");
        let service = ScimService::builder(NoContext)
            .resource::<User, _>(store.clone())
            .resource::<Group, _>(store.clone())
            .resource::<Door, _>(store)
            .mount(mount)
            .build()
            .unwrap();
        let client = Client::new(service, base).unwrap();
        let owner = client.create(&User::new("ann")).await.unwrap();
        let place = Reference::resource("Users", owner.id.as_str());
        let door = Door {
            id: ResourceId::default(),
            meta: Meta::default(),
            name: "front".to_owned(),
            owner: Some(place.clone()),
            keepers: vec![place.clone()],
            ways: vec![Way {
                value: Some(Reference::resource("Doors", "1")),
                kind: None,
            }],
            manual: None,
            audit: Some(Audit {
                auditor: Some(place.clone()),
            }),
        };
        let created = client.create(&door).await.unwrap();
        let read: Door = client.get(created.id.as_str()).await.unwrap();
        assert_eq!(read, created);
        if base.contains("://") {
            assert_eq!(
                read.owner,
                Some(place.clone()),
                "a place below the base is one again"
            );
        }
        let replaced = client.replace(&read, &unchanged(&read)).await.unwrap();
        assert_eq!(replaced.meta.version, read.meta.version, "{base}");
        let found = client.list::<Door>().filter(Door::paths().owner().eq(&place));
        assert_eq!(found.total().await.unwrap(), 1, "{base}");
    }
}
