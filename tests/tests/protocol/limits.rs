//! The limits: each has its error, and lets pass what is just at it, whatever the store; and no kind of write takes more
//! than twice the steps for twice as much.

use std::sync::Arc;

use http::Method;
use scim::limits::{Limit, Limits};
use scim::resources::{Group, User};
use scim::service::{Protocol, Request};
use scim::store::documents::DocumentStore;
use scim::store::{Memory, Store};
use serde_json::{Value, json};

use crate::{Answer, GROUP, PATCH_OP, Peer, USER, id_in, user};

/// Stores whose data outlives the services over them.
struct Ground {
    memory: Arc<Memory>,
    sqlite: Arc<DocumentStore<()>>,
}

impl Ground {
    fn new() -> Self {
        let (edges, derived) = (Group::paths().members(), User::paths().groups());
        let sqlite = DocumentStore::in_memory().unwrap();
        let sqlite = sqlite.resource::<User>().resource::<Group>().link(edges, derived);
        Self {
            memory: Arc::new(Memory::new().link(edges, derived)),
            sqlite: Arc::new(sqlite.build().unwrap()),
        }
    }

    fn over<S>(store: Arc<S>, limits: &Limits) -> Peer
    where
        Arc<S>: Store<User, ()> + Store<Group, ()>,
    {
        let builder = Protocol::builder()
            .resource::<User, _>(store.clone())
            .resource::<Group, _>(store);
        Peer::of(builder.limits(limits.clone()))
    }

    /// Makes a service over each store.
    fn peers(&self, limits: &Limits) -> [Peer; 2] {
        [self.memory(limits), Self::over(self.sqlite.clone(), limits)]
    }

    fn memory(&self, limits: &Limits) -> Peer {
        Self::over(self.memory.clone(), limits)
    }
}

fn with(limit: &Limit, value: u64) -> Limits {
    let mut limits = Limits::default();
    limit.set(&mut limits, value);
    limits
}

/// How a limit is tested.
enum Case {
    /// The request has exactly this many of what the limit counts: one less is refused with this status and type.
    Refused(Box<Request>, u64, u16, &'static str),
    /// The list shows so many resources at the first value, and so many at the second.
    Cut(&'static str, [(u64, u64); 2]),
    /// The amount differs from store to store, or is time: the tests beside the code that charges it have it.
    BesideTheCode,
}

fn request(method: Method, target: &str, body: &Value) -> Request {
    Request::new(method, target).with_body(body.to_string())
}

fn patch(path: &str, operations: &Value) -> Request {
    request(
        Method::PATCH,
        path,
        &json!({"schemas": [PATCH_OP], "Operations": operations}),
    )
}

fn replace(path: &str, attribute: &str, value: &Value) -> Request {
    patch(
        path,
        &json!([{"op": "replace", "path": attribute, "value": value}]),
    )
}

fn emails(count: usize) -> Value {
    (0..count)
        .map(|n| json!({"value": format!("{n}@example.com"), "type": "work"}))
        .collect()
}

fn search(query: &str) -> Request {
    Request::get(&format!("/Users?{query}"))
}

fn filter(text: &str) -> Request {
    search(&format!("filter={}", text.replace(' ', "%20")))
}

/// Returns the test of a limit; `path` is that of one of three users, who have no titles.
fn case(name: &str, path: &str) -> Option<Case> {
    let refused =
        |request, amount, status, scim_type| Case::Refused(Box::new(request), amount, status, scim_type);
    let title = |length| replace(path, "title", &json!("x".repeat(length)));
    let named = |name: &str| json!({"schemas": [GROUP], "displayName": name});
    let exactly = |body: Value, length: usize| (body, length as u64);
    Some(match name {
        "body" => {
            let body = json!({"schemas": [USER], "userName": "body", "title": "x".repeat(200)});
            let (body, length) = exactly(body.clone(), body.to_string().len());
            refused(request(Method::POST, "/Users", &body), length, 413, "")
        }
        "large_body" => {
            let body = named(&"x".repeat(200));
            let (body, length) = exactly(body.clone(), body.to_string().len());
            refused(request(Method::POST, "/Groups", &body), length, 413, "")
        }
        "json_depth" => {
            let deep = |depth| (0..depth).fold(json!(1), |inner, _| json!([inner]));
            let body = json!({"schemas": [USER], "userName": "deep", "unknown": deep(20)});
            refused(request(Method::POST, "/Users", &body), 21, 400, "invalidSyntax")
        }
        "filter_bytes" => refused(filter("title eq \"abcd\""), 15, 400, "invalidFilter"),
        "filter_depth" => refused(filter("((((title pr))))"), 4, 400, "invalidFilter"),
        "filter_nodes" => refused(
            filter("title pr or title pr or title pr"),
            5,
            400,
            "invalidFilter",
        ),
        "query_bytes" => refused(search("count=1&x=abcdefgh"), 18, 414, ""),
        "patch_operations" => {
            let operation = json!({"op": "replace", "path": "title", "value": "x"});
            refused(patch(path, &vec![operation; 7].into()), 7, 413, "")
        }
        "patch_terms" => {
            let operation = json!({"op": "remove", "path": "emails[type eq \"x\"]"});
            refused(patch(path, &vec![operation; 7].into()), 7, 413, "")
        }
        // Each operation is a step, and the second looks at the value of the first.
        "patch_steps" => {
            let operation = json!({"op": "replace", "path": "nickName", "value": "x"});
            refused(patch(path, &vec![operation; 9].into()), 9, 413, "")
        }
        "operation_values" => refused(replace(path, "emails", &emails(6)), 6, 400, "invalidValue"),
        "values" => refused(replace(path, "emails", &emails(5)), 5, 400, "invalidValue"),
        "string_bytes" => refused(title(70), 70, 400, "invalidValue"),
        "name_bytes" => refused(
            request(Method::POST, "/Groups", &named(&"n".repeat(80))),
            80,
            400,
            "invalidValue",
        ),
        "reference_bytes" => {
            let url = format!("https://example.com/{}", "x".repeat(80));
            refused(replace(path, "profileUrl", &json!(url)), 100, 400, "invalidValue")
        }
        "binary_bytes" => {
            let certificates = json!([{"value": "AAAA".repeat(20)}]);
            refused(
                replace(path, "x509Certificates", &certificates),
                60,
                400,
                "invalidValue",
            )
        }
        // How many bytes there are, the error says.
        "resource_bytes" => refused(title(3_000), u64::MAX, 413, ""),
        "scanned_rows" => refused(filter("title co \"x\""), 3, 400, "tooMany"),
        "answer_bytes" => Case::Cut("/Users", [(1 << 20, 3), (1, 1)]),
        "page_size" => Case::Cut("/Users", [(3, 3), (2, 2)]),
        "page_size_max" => Case::Cut("/Users?count=50", [(3, 3), (2, 2)]),
        "search_steps" | "search_time" | "body_time" | "body_rate" | "discarded_body" | "bodies"
        | "tenant_bodies" => Case::BesideTheCode,
        _ => return None,
    })
}

/// RFC 7644 sections 3.4.2.1, 3.7.4 and 3.12, issue 9: every row of the table of limits is tested here, at the limit and
/// beyond it, over both stores; the error says which limit it is, and what is allowed.
#[tokio::test]
async fn each_limit_has_its_error_and_lets_pass_what_is_at_it() {
    for limit in Limits::table() {
        let name = limit.name();
        let ground = Ground::new();
        let mut paths = Vec::new();
        for peer in ground.peers(&Limits::default()) {
            peer.user("second").await;
            peer.user("third").await;
            paths.push(peer.user("first").await);
        }
        for (store, path) in paths.iter().enumerate() {
            let peer = |value| ground.peers(&with(limit, value)).into_iter().nth(store).unwrap();
            match case(name, path).unwrap_or_else(|| panic!("the limit {name} has no test")) {
                Case::BesideTheCode => {}
                Case::Cut(target, values) => {
                    for (value, shown) in values {
                        let list = peer(value).get(target).await.expect(200).json();
                        assert_eq!(list["totalResults"], 3, "{name}");
                        assert_eq!(list["itemsPerPage"], shown, "{name} of {value}");
                    }
                }
                Case::Refused(request, mut amount, status, scim_type) => {
                    if amount == u64::MAX {
                        let refused = peer(1).send((*request).clone()).await.refused(status, scim_type);
                        amount = number_behind(&refused.json(), "has ");
                    }
                    let refused = peer(amount - 1).send((*request).clone()).await;
                    let detail = refused.refused(status, scim_type).json()["detail"].to_string();
                    assert!(detail.contains(name), "{name}: {detail}");
                    assert!(detail.contains(&(amount - 1).to_string()), "{name}: {detail}");
                    passes(&peer(amount).send(*request).await);
                }
            }
        }
    }
}

#[track_caller]
fn passes(answer: &Answer) {
    assert!(answer.status.is_success(), "{:?}", answer.json());
}

fn number_behind(error: &Value, word: &str) -> u64 {
    let detail = error["detail"].as_str().unwrap();
    let behind = detail.split(word).nth(1).unwrap();
    let digits: String = behind.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// Issue 9: what grew before there was a limit can be read, found, replaced by what was read, made smaller and deleted;
/// it cannot grow.
#[tokio::test]
async fn what_is_too_large_already_can_be_repaired() {
    let ground = Ground::new();
    let narrow = Limits {
        string_bytes: 50,
        name_bytes: 50,
        reference_bytes: 50,
        binary_bytes: 50,
        values: 3,
        resource_bytes: 300,
        ..Limits::default()
    };
    let large = |filler: &str, addresses: usize| {
        json!({
            "schemas": [USER], "userName": "large", "displayName": filler, "title": filler,
            "profileUrl": format!("https://example.com/{filler}"),
            "x509Certificates": [{"value": "AAAA".repeat(30)}],
            "emails": emails(addresses),
        })
    };
    let peers = ground
        .peers(&Limits::default())
        .into_iter()
        .zip(ground.peers(&narrow));
    for (wide, narrow) in peers {
        let made = wide.post("/Users", &large(&"x".repeat(60), 5)).await.expect(201);
        let path = format!("/Users/{}", made.id());
        narrow
            .post("/Users", &large(&"x".repeat(60), 5))
            .await
            .expect(400);
        let mut read = narrow.get(&path).await.expect(200).json();
        narrow
            .get("/Users?filter=title%20sw%20%22xx%22")
            .await
            .expect(200);
        read["title"] = json!("z".repeat(60));
        narrow.put(&path, &read).await.expect(200);
        for (attribute, value) in [
            ("title", json!("y".repeat(61))),
            ("displayName", json!("y".repeat(61))),
            (
                "profileUrl",
                json!(format!("https://example.com/{}", "y".repeat(61))),
            ),
            ("x509Certificates", json!([{"value": "AAAA".repeat(31)}])),
            ("emails", emails(6)),
        ] {
            let grown = narrow.send(replace(&path, attribute, &value)).await;
            grown.refused(400, "invalidValue");
            let mut sent = read.clone();
            sent[attribute] = value;
            narrow.put(&path, &sent).await.refused(400, "invalidValue");
        }
        // As long, another one.
        narrow
            .send(replace(&path, "title", &json!("z".repeat(60))))
            .await
            .expect(200);
        // The whole may not grow, either, though each part is short.
        let grown = narrow.send(replace(&path, "locale", &json!("en-GB"))).await;
        assert_eq!(grown.refused(413, "").json()["status"], "413");
        narrow
            .send(replace(&path, "emails", &emails(4)))
            .await
            .expect(200);
        narrow
            .send(replace(&path, "title", &json!("short")))
            .await
            .expect(200);
        narrow
            .send(replace(&path, "title", &json!("y".repeat(51))))
            .await
            .refused(400, "invalidValue");
        narrow.delete(&path).await.expect(204);
    }
}

/// Issue 9: a PATCH cannot multiply a long value by the elements that its filter selects.
#[tokio::test]
async fn a_value_is_not_written_to_more_elements_than_a_resource_may_hold() {
    let ground = Ground::new();
    let limits = Limits {
        resource_bytes: 20_000,
        large_body: 20_000,
        ..Limits::default()
    };
    for peer in ground.peers(&limits) {
        let mut many = user("many");
        many["emails"] = emails(100);
        let path = format!("/Users/{}", peer.post("/Users", &many).await.expect(201).id());
        let display = |length: usize| {
            replace(
                &path,
                "emails[type eq \"work\"].display",
                &json!("x".repeat(length)),
            )
        };
        let refused = peer.send(display(1_000)).await.refused(413, "");
        assert!(
            refused.json()["detail"]
                .as_str()
                .unwrap()
                .contains("resource_bytes")
        );
        peer.send(display(10)).await.expect(200);
    }
}

/// Issue 9, F2: a hundred filters over the members of a large group are refused before they are through, with what to
/// do, and by each store.
#[tokio::test]
async fn filters_over_many_members_end_with_the_steps() {
    let ground = Ground::new();
    let limits = Limits {
        patch_steps: 20_000,
        ..Limits::default()
    };
    for peer in ground.peers(&limits) {
        let mut members = Vec::new();
        for n in 0..200 {
            members.push(peer.user(&format!("u{n}")).await);
        }
        let names: Vec<_> = members.iter().map(String::as_str).collect();
        let group = peer.group("Everybody", &names).await;
        let select = |filter: &str, count: usize| {
            let operation = json!({"op": "remove", "path": format!("members[{filter}]")});
            patch(&group, &vec![operation; count].into())
        };
        let refused = peer.send(select("display co \"x\"", 100)).await.refused(413, "");
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.contains("patch_steps") && detail.contains("fewer operations"),
            "{detail}"
        );
        let terms = vec!["display co \"x\""; 200].join(" or ");
        peer.send(select(&terms, 1)).await.refused(413, "");
        passes(&peer.send(select("display co \"x\"", 5)).await);
        // Whatever is named costs what it is, however large the group.
        let named: Value = members
            .iter()
            .map(|path| json!({"op": "remove", "path": format!("members[value eq \"{}\"]", id_in(path))}))
            .collect();
        passes(&peer.send(patch(&group, &named)).await);
    }
}

/// Every kind of write, about a person with `count` addresses or a group of as many members.
const WRITES: [&str; 11] = [
    "POST of a person",
    "PUT of a person",
    "PATCH of another attribute",
    "PATCH that adds an address",
    "PATCH that adds many addresses",
    "PATCH that removes listed addresses",
    "PATCH of the sub-attribute of one address",
    "PATCH of selected addresses",
    "PUT of a group",
    "PATCH that removes selected members",
    "PATCH that removes a named member",
];

/// Returns the request, once everything that it needs is there.
async fn prepared(peer: &Peer, kind: &str, members: &[String]) -> Request {
    let count = members.len();
    if kind.contains("group") || kind.contains("member") {
        let names: Vec<_> = members.iter().map(String::as_str).collect();
        let path = peer.group("Everybody", &names).await;
        let remove = |filter: &str| {
            patch(
                &path,
                &json!([{"op": "remove", "path": format!("members[{filter}]")}]),
            )
        };
        return match kind {
            "PATCH that removes selected members" => remove("display co \"x\""),
            "PATCH that removes a named member" => remove(&format!("value eq \"{}\"", id_in(names[0]))),
            _ => {
                let half: Vec<_> = names.iter().skip(count / 2).collect();
                let half: Value = half.iter().map(|path| json!({"value": id_in(path)})).collect();
                let body = json!({"schemas": [GROUP], "displayName": "Half", "members": half});
                request(Method::PUT, &path, &body)
            }
        };
    }
    let body = json!({"schemas": [USER], "userName": "many", "emails": emails(count)});
    if kind.starts_with("POST") {
        return request(Method::POST, "/Users", &body);
    }
    let path = format!("/Users/{}", peer.post("/Users", &body).await.expect(201).id());
    let operation =
        |op: &str, to: &str, value: &Value| patch(&path, &json!([{"op": op, "path": to, "value": value}]));
    let one = json!([{"value": "new@example.com", "type": "home", "primary": true}]);
    match kind {
        "PATCH of another attribute" => operation("replace", "title", &json!("x")),
        "PATCH that adds an address" => operation("add", "emails", &one),
        "PATCH that adds many addresses" => operation("add", "emails", &emails(count * 2)),
        "PATCH that removes listed addresses" => operation("remove", "emails", &emails(count / 2)),
        "PATCH of the sub-attribute of one address" => operation(
            "replace",
            "emails[value eq \"1@example.com\"].display",
            &json!("x"),
        ),
        "PATCH of selected addresses" => operation(
            "replace",
            "emails[value co \"1\" and type eq \"work\"].display",
            &json!("x"),
        ),
        _ => {
            let half = json!({"schemas": [USER], "userName": "many", "emails": emails(count / 2)});
            request(Method::PUT, &path, &half)
        }
    }
}

/// Finds the fewest steps with which a write passes.
async fn steps_needed(kind: &str, ground: &Ground, members: &[String]) -> usize {
    let (mut fails, mut passes) = (0, 100_000);
    while fails + 1 < passes {
        let steps = usize::midpoint(fails, passes);
        let wide = ground.memory(&Limits::default());
        let narrow = ground.memory(&Limits {
            patch_steps: steps,
            ..Limits::default()
        });
        let request = prepared(&wide, kind, members).await;
        let answer = narrow.send(request).await;
        match answer.status.as_u16() {
            413 => fails = steps,
            _ => {
                assert!(answer.status.is_success(), "{kind}: {:?}", answer.json());
                passes = steps;
            }
        }
        for made in ["/Users?filter=userName%20eq%20%22many%22", "/Groups"] {
            let list = wide.get(made).await.expect(200).json();
            for found in list["Resources"].as_array().unwrap() {
                let endpoint = made.split('?').next().unwrap();
                let id = found["id"].as_str().unwrap();
                wide.delete(&format!("{endpoint}/{id}")).await.expect(204);
            }
        }
    }
    passes
}

/// Issue 9: nothing grows faster than linear in what was sent and what is touched: steps, counted at two sizes for every
/// kind of write.
#[tokio::test]
async fn twice_as_much_takes_at_most_twice_the_steps() {
    let ground = Ground::new();
    let wide = ground.memory(&Limits::default());
    let mut members = Vec::new();
    for n in 0..80 {
        members.push(wide.user(&format!("u{n}")).await);
    }
    for kind in WRITES {
        let small = steps_needed(kind, &ground, &members[..40]).await;
        let large = steps_needed(kind, &ground, &members).await;
        assert!(
            large <= 2 * small + 2,
            "{kind}: {small} steps, and {large} for twice as much"
        );
        let grows = kind != "PATCH of another attribute" && !kind.contains("named");
        assert_eq!(large > small, grows, "{kind}: {small} and {large} steps");
    }
}
