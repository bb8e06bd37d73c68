//! The data types of RFC 7643 section 2.3 that are strings with a format, and integers: one table of texts, held to in
//! every place where a value comes in, under both policies, in memory and in SQLite.

#![allow(
    clippy::indexing_slicing,
    reason = "indexing a `serde_json::Value` gives `Null` for what is not there"
)]
#![allow(
    clippy::unwrap_used,
    reason = "the helpers of these tests are tests, too: they end where something fails"
)]

use std::sync::Arc;

use http::Method;
use scim::policy::{self, Policy};
use scim::service::{Builder, Plain, Protocol, Request};
use scim::store::Memory;
use scim::store::documents::DocumentStore;
use scim::value::{Binary, DateTime, Meta, Reference, ResourceId};
use scim::{ScimComplex, ScimResource};
use serde_json::{Value, json};

const SAMPLE: &str = "urn:example:scim:schemas:2.0:Sample";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The certificate of the example in RFC 7643 section 8.2, as JSON.
const CERTIFICATE: &str = include_str!("../fixtures/certificate.json");

/// One attribute of each type and shape, and an index where a store can have one.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:scim:schemas:2.0:Sample", endpoint = "/Samples")]
struct Sample {
    id: ResourceId,
    meta: Meta,
    #[scim(indexed)]
    time: Option<DateTime>,
    times: Vec<DateTime>,
    binary: Option<Binary>,
    binaries: Vec<Binary>,
    uri: Option<Reference>,
    uris: Vec<Reference>,
    #[scim(format = "certificate")]
    certificate: Option<Binary>,
    #[scim(format = "certificate")]
    certificates: Vec<Binary>,
    #[scim(indexed)]
    integer: Option<i64>,
    integers: Vec<i64>,
    parts: Vec<Part>,
    whole: Option<Part>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Part {
    value: Option<String>,
    time: Option<DateTime>,
    binary: Option<Binary>,
    uri: Option<Reference>,
    #[scim(format = "certificate")]
    certificate: Option<Binary>,
    integer: Option<i64>,
}

/// A type, by the names of its attributes.
struct Type {
    single: &'static str,
    multiple: &'static str,
    /// A value as it is sent, and as it is shown.
    good: &'static [(&'static str, &'static str)],
    /// Values that are refused under both policies.
    bad: &'static [&'static str],
    /// Values that are taken under `tolerant` alone, and how they are shown then.
    tolerated: &'static [(&'static str, &'static str)],
    /// Whether a filter that compares to a bad value is refused: not so where part of a text is compared, too.
    filtered: bool,
}

const TYPES: [Type; 5] = [
    // S-2.3.5: RFC 7643 section 2.3.5, XML Schema 1.1 part 2 section 3.3.7.
    Type {
        single: "time",
        multiple: "times",
        good: &[
            (r#""2020-02-28T24:00:00Z""#, r#""2020-02-29T00:00:00Z""#),
            (r#""12345-01-31T08:00:00.25Z""#, r#""12345-01-31T08:00:00.25Z""#),
            (r#""-0044-03-15T12:00:00+01:00""#, r#""-0044-03-15T11:00:00Z""#),
            (r#""0000-01-01T00:00:00""#, r#""0000-01-01T00:00:00Z""#),
        ],
        bad: &[
            r#""2020-01-01t00:00:00Z""#,
            r#""2020-01-01T00:00:00z""#,
            r#""2020-01-01""#,
            r#""2020-01-01T24:00:01Z""#,
            r#""012345-01-01T00:00:00Z""#,
            r#""999999-01-01T00:00:00Z""#,
            "5",
        ],
        tolerated: &[],
        filtered: true,
    },
    // S-2.3.6: RFC 7643 section 2.3.6, RFC 4648 section 4.
    Type {
        single: "binary",
        multiple: "binaries",
        good: &[(r#""+/8=""#, r#""+/8=""#), (r#""+/8""#, r#""+/8=""#)],
        bad: &[
            r#""-_8=""#,
            r#""-_8""#,
            r#""AQ\nID""#,
            r#""AQID ""#,
            r#""A""#,
            r#""@@""#,
            "5",
        ],
        tolerated: &[],
        filtered: true,
    },
    // S-2.3.7, S-4.1.1-03: RFC 7643 section 2.3.7, RFC 3986 section 3.2.
    Type {
        single: "uri",
        multiple: "uris",
        good: &[
            (r#""http://[::1]:8080/A""#, r#""http://[::1]:8080/A""#),
            (
                r#""HTTPS://Example.COM:443/%7Ea""#,
                r#""HTTPS://Example.COM:443/%7Ea""#,
            ),
            (r#""urn:example:a""#, r#""urn:example:a""#),
        ],
        bad: &[
            r#""http://[::1""#,
            r#""http://example.com:port/""#,
            r#""https:///path""#,
            r#""//a@b@c/""#,
            r#""::not a uri::""#,
            "true",
        ],
        tolerated: &[],
        filtered: false,
    },
    // S-4.1.2-09: RFC 7643 section 4.1.2.
    Type {
        single: "certificate",
        multiple: "certificates",
        good: &[(CERTIFICATE, CERTIFICATE)],
        bad: &[r#""-_8=""#],
        tolerated: &[(r#""AQID""#, r#""AQID""#), (r#""MAMCAQc""#, r#""MAMCAQc=""#)],
        filtered: true,
    },
    // S-2.3.4, A-09: RFC 7643 section 2.3.4.
    Type {
        single: "integer",
        multiple: "integers",
        good: &[("7", "7"), ("-9223372036854775808", "-9223372036854775808")],
        bad: &["1.5", "1e-1", "9223372036854775808", r#""7x""#],
        tolerated: &[("1.0", "1"), ("1.5e1", "15"), ("-2E2", "-200")],
        filtered: false,
    },
];

impl Type {
    fn values(&self, policy: &Policy) -> (Vec<(&'static str, &'static str)>, Vec<&'static str>) {
        let (mut good, mut bad) = (self.good.to_vec(), self.bad.to_vec());
        if policy.name() == "strict" {
            bad.extend(self.tolerated.iter().map(|(sent, _)| *sent));
        } else {
            good.extend(self.tolerated);
        }
        (good, bad)
    }
}

struct Peer {
    protocol: Protocol<()>,
    policy: Policy,
}

struct Answer {
    status: u16,
    body: Value,
}

impl Peer {
    fn all() -> Vec<Self> {
        let mut peers = Vec::new();
        for policy in [Policy::strict(), Policy::tolerant()] {
            let sqlite: DocumentStore = DocumentStore::in_memory()
                .unwrap()
                .resource::<Sample>()
                .build()
                .unwrap();
            for protocol in [
                Protocol::builder().resource::<Sample, _>(Arc::new(Memory::new())),
                Protocol::builder().resource::<Sample, _>(sqlite),
            ] {
                peers.push(Self::new(protocol, &policy));
            }
        }
        peers
    }

    fn new(protocol: Builder<(), Plain>, policy: &Policy) -> Self {
        Self {
            protocol: protocol.policy(policy.clone()).build().unwrap(),
            policy: policy.clone(),
        }
    }

    async fn send(&self, method: Method, target: &str, body: &str) -> Answer {
        let request = Request::new(method, target).with_body(body.to_owned());
        let answer = self.protocol.handle(&().into(), request).await;
        let status = answer.status.as_u16();
        let bytes = answer.body.into_bytes().await.unwrap();
        Answer {
            status,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }

    async fn create(&self, rest: &str) -> Answer {
        let body = format!(r#"{{"schemas":["{SAMPLE}"]{rest}}}"#);
        self.send(Method::POST, "/Samples", &body).await
    }

    async fn find(&self, filter: &str) -> Answer {
        let search = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": filter,
        });
        self.send(Method::POST, "/Samples/.search", &search.to_string())
            .await
    }

    /// Returns the attribute `time` of a list, in its order.
    async fn times(&self, query: &str) -> Vec<Value> {
        let list = self.send(Method::GET, &format!("/Samples?{query}"), "").await;
        let resources = list.body["Resources"].as_array().cloned().unwrap_or_default();
        resources
            .into_iter()
            .map(|resource| resource["time"].clone())
            .collect()
    }

    async fn times_where(&self, filter: &str) -> Vec<Value> {
        let filter: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
        self.times(&format!("sortBy=time&filter={filter}")).await
    }
}

/// A way for a value to come into a resource, and where it is found then.
struct Way {
    name: &'static str,
    method: Method,
    /// The body that is sent; `@single`, `@multiple` and `@value` are replaced.
    body: &'static str,
    shown: &'static str,
}

fn ways() -> Vec<Way> {
    let way = |name, method, body, shown| Way {
        name,
        method,
        body,
        shown,
    };
    let (put, patch) = (&Method::PUT, &Method::PATCH);
    let mut ways = vec![
        way("single", put.clone(), r#""@single":@value"#, "/@single"),
        way("multiple", put.clone(), r#""@multiple":[@value]"#, "/@multiple"),
        way(
            "in an element",
            put.clone(),
            r#""parts":[{"value":"a","@single":@value}]"#,
            "/parts/0/@single",
        ),
        way(
            "in a complex value",
            put.clone(),
            r#""whole":{"value":"a","@single":@value}"#,
            "/whole/@single",
        ),
    ];
    for (name, operation, shown) in [
        (
            "with a path",
            r#""op":"add","path":"@single","value":@value"#,
            "/@single",
        ),
        (
            "with a path of many",
            r#""op":"add","path":"@multiple","value":[@value]"#,
            "/@multiple",
        ),
        (
            "without a path",
            r#""op":"replace","value":{"@single":@value}"#,
            "/@single",
        ),
        (
            "of a sub-attribute",
            r#""op":"replace","path":"whole.@single","value":@value"#,
            "/whole/@single",
        ),
        (
            "of an element",
            r#""op":"replace","path":"parts[value eq \"p\"].@single","value":@value"#,
            "/parts/0/@single",
        ),
        (
            "of elements",
            r#""op":"replace","path":"parts","value":[{"value":"a","@single":@value}]"#,
            "/parts/0/@single",
        ),
    ] {
        ways.push(way(name, patch.clone(), operation, shown));
    }
    ways
}

impl Way {
    fn body(&self, of: &Type, value: &str) -> String {
        let filled = self.fill(self.body, of).replace("@value", value);
        if self.method == Method::PATCH {
            format!(r#"{{"schemas":["{PATCH_OP}"],"Operations":[{{{filled}}}]}}"#)
        } else {
            format!(r#"{{"schemas":["{SAMPLE}"],{filled}}}"#)
        }
    }

    /// Returns whether the value is where it belongs; in a list it may stand behind others.
    fn finds(&self, of: &Type, document: &Value, value: &Value) -> bool {
        match document.pointer(&self.fill(self.shown, of)) {
            Some(Value::Array(values)) => values.contains(value),
            found => found == Some(value),
        }
    }

    fn fill(&self, text: &str, of: &Type) -> String {
        text.replace("@single", of.single)
            .replace("@multiple", of.multiple)
    }
}

#[tokio::test]
async fn a_format_is_the_same_in_every_place_under_every_policy() {
    for peer in Peer::all() {
        for of in &TYPES {
            let (good, bad) = of.values(&peer.policy);
            for way in ways() {
                let made = peer
                    .create(r#","parts":[{"value":"p"}],"whole":{"value":"w"}"#)
                    .await;
                let target = format!("/Samples/{}", made.body["id"].as_str().unwrap());
                for value in &bad {
                    let before = peer.send(Method::GET, &target, "").await.body;
                    let body = way.body(of, value);
                    let refused = peer.send(way.method.clone(), &target, &body).await;
                    let context = format!("{} {}: {body}: {}", peer.policy.name(), way.name, refused.body);
                    assert_eq!(refused.status, 400, "{context}");
                    assert_eq!(refused.body["scimType"], "invalidValue", "{context}");
                    assert_eq!(
                        peer.send(Method::GET, &target, "").await.body,
                        before,
                        "{context}"
                    );
                    if way.method == Method::PUT {
                        let refused = peer.send(Method::POST, "/Samples", &body).await;
                        assert_eq!(refused.status, 400, "{context}");
                    }
                }
                for (sent, shown) in &good {
                    let body = way.body(of, sent);
                    let answer = peer.send(way.method.clone(), &target, &body).await;
                    let context = format!("{} {}: {body}: {}", peer.policy.name(), way.name, answer.body);
                    assert_eq!(answer.status, 200, "{context}");
                    let shown: Value = serde_json::from_str(shown).unwrap();
                    let read = peer.send(Method::GET, &target, "").await.body;
                    for document in [&answer.body, &read] {
                        assert!(way.finds(of, document, &shown), "{context}: {document}");
                    }
                }
            }
        }
    }
}

/// S-4.1.2-09: certificates are looked at as soon as a policy does not free them, whatever else it tolerates.
#[tokio::test]
async fn a_tolerant_policy_can_ask_for_certificates() {
    let policy = Policy::tolerant().without(&policy::FREE_CERTIFICATES);
    let peer = Peer::new(
        Protocol::builder().resource::<Sample, _>(Arc::new(Memory::new())),
        &policy,
    );
    let made = peer.create(&format!(r#","certificate":{CERTIFICATE}"#)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let refused = peer
        .create(r#","parts":[{"value":"a"},{"value":"b","certificate":"AQID"}]"#)
        .await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert_eq!(
        refused.body["detail"],
        "Attribute parts[1].certificate is not a valid certificate: it is not a DER sequence; expected the base64 of \
         exactly one X.509 certificate in DER."
    );
}

/// Operands of filters are of the type of their attribute: RFC 7644 section 3.4.2.2.
#[tokio::test]
async fn a_filter_takes_the_texts_that_the_attribute_takes() {
    for peer in Peer::all() {
        for of in &TYPES {
            for (sent, _) in of.good {
                let made = peer
                    .create(&format!(r#","{}":{sent},"{}":[{sent}]"#, of.single, of.multiple))
                    .await;
                for attribute in [of.single, of.multiple] {
                    let found = peer.find(&format!("{attribute} eq {}", sent.trim())).await;
                    assert_eq!(found.status, 200, "{attribute} eq {sent}: {}", found.body);
                    let ids: Vec<_> = found.body["Resources"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|one| &one["id"])
                        .collect();
                    assert!(
                        ids.contains(&&made.body["id"]),
                        "{attribute} eq {sent}: {}",
                        found.body
                    );
                }
            }
            for bad in of.bad.iter().filter(|_| of.filtered) {
                for filter in [
                    format!("{} eq {bad}", of.single),
                    format!("parts[{} ne {bad}]", of.single),
                ] {
                    let refused = peer.find(&filter).await;
                    assert_eq!(refused.status, 400, "{filter}: {}", refused.body);
                    assert_eq!(
                        refused.body["scimType"], "invalidFilter",
                        "{filter}: {}",
                        refused.body
                    );
                }
            }
        }
    }
}

/// S-2.3.5-02, A-27: times of all years are in one order, in filters and in sorted lists.
#[tokio::test]
async fn times_are_in_the_order_of_their_instants() {
    let times = [
        "-290000-01-01T00:00:00Z",
        "-12345-06-01T00:00:00Z",
        "-0044-03-15T12:00:00Z",
        "0000-12-31T24:00:00Z",
        "1969-12-31T23:59:59.999999998Z",
        "1969-12-31T23:59:59.999999999Z",
        "2020-01-01T00:30:00+01:00",
        "2020-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z",
        "290000-01-01T00:00:00Z",
    ];
    for peer in Peer::all() {
        let mut shown = Vec::new();
        // In another order than the right one, all the same: 7 and 11 have no common divisor.
        for place in (0..times.len()).map(|n| n * 7 % times.len()) {
            let made = peer.create(&format!(r#","time":"{}""#, times[place])).await;
            shown.push((place, made.body["time"].clone()));
        }
        shown.sort_by_key(|(place, _)| *place);
        let shown: Vec<_> = shown.into_iter().map(|(_, time)| time).collect();
        assert_eq!(peer.times("sortBy=time").await, shown);
        for (place, time) in times.iter().enumerate() {
            let (before, at_least) = shown.split_at(place);
            assert_eq!(
                peer.times_where(&format!("time lt \"{time}\"")).await,
                before,
                "lt {time}"
            );
            assert_eq!(
                peer.times_where(&format!("time ge \"{time}\"")).await,
                at_least,
                "ge {time}"
            );
            assert_eq!(
                peer.times_where(&format!("time le \"{time}\"")).await,
                &shown[..=place],
                "le {time}"
            );
            assert_eq!(
                peer.times_where(&format!("time gt \"{time}\"")).await,
                &shown[place + 1..],
                "gt {time}"
            );
            assert_eq!(
                peer.times_where(&format!("time eq \"{time}\"")).await,
                [shown[place].clone()],
                "eq {time}"
            );
        }
    }
}
