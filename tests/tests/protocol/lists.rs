//! Lists and searches: RFC 7644 sections 3.4.2 and 3.4.3.

use scim::Limits;
use serde_json::{Value, json};

use crate::{LIST, Peer, SEARCH, USER, builder};

/// Returns the values of an attribute, down a list.
fn column(list: &Value, name: &str) -> Vec<String> {
    let rows = list["Resources"].as_array().unwrap();
    rows.iter()
        .map(|row| row[name].as_str().unwrap_or("-").to_owned())
        .collect()
}

async fn peer_with(names: &[&str]) -> Peer {
    let peer = Peer::tolerant();
    for name in names {
        peer.user(name).await;
    }
    peer
}

/// RFC 7644 section 3.4.2: an empty list is a list.
#[tokio::test]
async fn nothing_found_is_200() {
    let peer = Peer::tolerant();
    let nothing =
        json!({"schemas": [LIST], "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []});
    for target in [
        "/Users",
        "/Users/?startIndex=1&count=2",
        "/",
        "/Users?filter=userName+eq+%22x%22",
    ] {
        let list = peer.get(target).await.expect(200);
        assert_eq!(list.json(), nothing, "{target}");
        assert_eq!(list.outcome.total, Some(0));
    }
}

/// RFC 7644 section 3.4.2.4.
#[tokio::test]
async fn pages() {
    let peer = peer_with(&["a", "b", "c", "d", "e"]).await;
    for (query, start, names) in [
        ("", 1, &["a", "b", "c", "d", "e"][..]),
        ("startIndex=2&count=2", 2, &["b", "c"]),
        ("startIndex=5&count=2", 5, &["e"]),
        ("startIndex=0&count=1", 1, &["a"]),
        ("startIndex=-7&count=1", 1, &["a"]),
        ("startIndex=9", 9, &[]),
        ("count=0", 1, &[]),
        ("count=-1", 1, &[]),
        ("startIndex=9223372036854775807", i64::MAX, &[]),
        ("startIndex=9223372036854775808&count=1", i64::MAX, &[]),
        (
            "startIndex=99999999999999999999&count=99999999999999999999",
            i64::MAX,
            &[],
        ),
        ("startIndex=99999999999999999999&sortBy=userName", i64::MAX, &[]),
    ] {
        let root = peer.get(&format!("/?{query}")).await.expect(200).json();
        assert_eq!(
            (&root["startIndex"], &root["totalResults"]),
            (&json!(start), &json!(5))
        );
        let list = peer.get(&format!("/Users?{query}")).await.expect(200).json();
        assert_eq!(
            (&list["totalResults"], &list["itemsPerPage"]),
            (&json!(5), &json!(names.len())),
            "{query}"
        );
        assert_eq!(column(&list, "userName"), names, "{query}");
        // Also beyond the end, as a number that a signed reader of 64 bits understands.
        assert_eq!(list["startIndex"], start, "{query}");
    }
    for query in ["count=abc", "startIndex=1.5", "sortBy=userName&sortOrder=up"] {
        peer.get(&format!("/Users?{query}"))
            .await
            .refused(400, "invalidValue");
    }
}

/// RFC 7644 section 3.4.2.4: the service caps a page.
#[tokio::test]
async fn no_page_is_longer_than_the_limit() {
    let limits = Limits {
        page_size: 2,
        page_size_max: 3,
        ..Limits::default()
    };
    let peer = Peer::of(builder().limits(limits));
    for name in ["a", "b", "c", "d"] {
        peer.user(name).await;
    }
    for (target, length) in [("/Users", 2), ("/Users?count=1000000000", 3), ("/?count=9", 3)] {
        let list = peer.get(target).await.expect(200).json();
        assert_eq!(
            (&list["itemsPerPage"], &list["totalResults"]),
            (&json!(length), &json!(4)),
            "{target}"
        );
    }
    let config = peer.get("/ServiceProviderConfig").await.json();
    assert_eq!(config["filter"]["maxResults"], 3);
}

/// RFC 7644 section 3.4.2.2; the matrix of operators is in the vectors.
#[tokio::test]
async fn filters() {
    let peer = peer_with(&["ann", "bob"]).await;
    for filter in [
        "userName%20eq%20%22ANN%22",
        "userName+eq+%22ann%22",
        "USERNAME+Eq+%22ann%22+and+id+pr",
    ] {
        let list = peer
            .get(&format!("/Users?filter={filter}"))
            .await
            .expect(200)
            .json();
        assert_eq!(column(&list, "userName"), ["ann"], "{filter}");
    }
    for filter in [
        "userName",
        "userName+eq+ann",
        "nothing+pr",
        "active+gt+true",
        "(",
        "userName+eq+%22%FF%22",
    ] {
        let answer = peer.get(&format!("/Users?filter={filter}")).await.expect(400);
        let kind = answer.json()["scimType"].as_str().unwrap_or_default().to_owned();
        assert!(
            ["invalidFilter", "invalidValue"].contains(&kind.as_str()),
            "{filter}: {kind}"
        );
    }
}

/// RFC 7644 section 3.4.2.3.
#[tokio::test]
async fn sorting() {
    let peer = peer_with(&["bob", "Ann", "carl"]).await;
    for (query, names) in [
        ("sortBy=userName", ["Ann", "bob", "carl"]),
        ("sortBy=USERNAME&sortOrder=descending", ["carl", "bob", "Ann"]),
        ("sortBy=nothing", ["bob", "Ann", "carl"]),
    ] {
        let list = peer.get(&format!("/Users?{query}")).await.expect(200).json();
        assert_eq!(column(&list, "userName"), names, "{query}");
    }
    peer.get("/Users?sortBy=name").await.refused(400, "invalidPath");
    Peer::strict()
        .get("/Users?sortBy=nothing")
        .await
        .refused(400, "invalidPath");
}

/// RFC 7644 section 3.4.3.
#[tokio::test]
async fn a_search_by_post_is_a_query() {
    let peer = peer_with(&["ann", "bob", "bert"]).await;
    let search = json!({
        "schemas": [SEARCH], "filter": "userName sw \"b\"", "sortBy": "userName", "sortOrder": "descending",
        "attributes": ["userName"], "startIndex": 1, "count": 1,
    });
    let list = peer.post("/Users/.search", &search).await.expect(200).json();
    let id = list["Resources"][0]["id"].clone();
    assert_eq!(
        list,
        json!({"schemas": [LIST], "totalResults": 2, "startIndex": 1, "itemsPerPage": 1,
            "Resources": [{"schemas": [USER], "id": id, "userName": "bob"}]})
    );
    let query = "/Users?filter=userName%20sw%20%22b%22&sortBy=userName&sortOrder=descending&attributes=userName&count=1";
    assert_eq!(peer.get(query).await.expect(200).json(), list);
    for (change, kind) in [
        (json!({"schemas": []}), ""),
        (json!({"filter": "("}), "invalidFilter"),
        (json!({"count": "many"}), "invalidValue"),
        (json!({"sortBy": "name"}), "invalidPath"),
    ] {
        let mut search = search.clone();
        search
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        match kind {
            "" => {
                peer.post("/Users/.search", &search).await.expect(200);
                Peer::strict()
                    .post("/Users/.search", &search)
                    .await
                    .refused(400, "invalidSyntax");
            }
            kind => _ = peer.post("/Users/.search", &search).await.refused(400, kind),
        }
    }
}

/// P-3.4.3-02, P-3.4.3-06: what a POST and a PATCH forgive in their envelopes and numbers, a search forgives.
#[tokio::test]
async fn a_search_is_as_tolerant_as_a_post() {
    let peer = peer_with(&["ann", "bob"]).await;
    for (search, tolerance) in [
        (json!({}), "missing-schemas"),
        (json!({"schemas": SEARCH}), "single-values-without-array"),
        (json!({"schemas": [USER]}), "missing-schemas"),
        (json!({"schemas": null}), "missing-schemas"),
        (
            json!({"schemas": [SEARCH], "startIndex": "1", "count": "2"}),
            "numeric-strings",
        ),
        (json!({"schemas": [SEARCH], "count": 2.0}), "exact-integers"),
        (
            json!({"schemas": [SEARCH], "attributes": "userName"}),
            "single-values-without-array",
        ),
    ] {
        for target in ["/Users/.search", "/.search"] {
            let answer = peer.post(target, &search).await.expect(200);
            assert_eq!(column(&answer.json(), "userName"), ["ann", "bob"], "{search}");
            let fired = &answer.outcome.fired;
            assert!(
                fired.iter().any(|fired| fired.tolerance == tolerance),
                "{search}: {fired:?}"
            );
            Peer::strict().post(target, &search).await.expect(400);
        }
    }
}

/// P-3.4.2.2-04, P-3.4.2.3-06, P-3.4.3-05: what is there and says nothing is broken, under every policy.
#[tokio::test]
async fn broken_expressions_are_refused() {
    for peer in [Peer::tolerant(), Peer::strict()] {
        for (name, text, kind) in [
            ("filter", "", "invalidFilter"),
            ("filter", "  ", "invalidFilter"),
            ("filter", "userName", "invalidFilter"),
            ("sortOrder", "", "invalidValue"),
            ("sortOrder", "up", "invalidValue"),
            ("sortBy", "", "invalidPath"),
            ("sortBy", "user name", "invalidPath"),
            ("sortBy", "name.", "invalidPath"),
            ("sortBy", ".name", "invalidPath"),
            ("sortBy", "1st", "invalidPath"),
            ("sortBy", "a.b.c", "invalidPath"),
            ("sortBy", "emails[type eq \"work\"].value", "invalidPath"),
            ("sortBy", "userName,name", "invalidPath"),
        ] {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            for endpoint in ["/Users", "/"] {
                let query = format!("{endpoint}?{name}={encoded}");
                peer.get(&query).await.refused(400, kind);
            }
            for target in ["/Users/.search", "/.search"] {
                let search = json!({"schemas": [SEARCH], name: text});
                peer.post(target, &search).await.refused(400, kind);
            }
        }
        // RFC 7643 section 2.5: null is not there.
        let search = json!({"schemas": [SEARCH], "filter": null, "sortBy": null, "sortOrder": null});
        peer.post("/Users/.search", &search).await.expect(200);
    }
}

/// P-3.4.2.2-17: what is outside the grammar is read by tolerances that are reported, and by nothing else.
#[tokio::test]
async fn filters_outside_the_grammar() {
    for (filter, tolerance) in [
        ("userName+eq%22ann%22", "missing-spaces"),
        (
            "emails%5Btype+eq+%22work%22%5D.value+eq+%22a%40b%22",
            "value-path-comparisons",
        ),
    ] {
        let target = format!("/Users?filter={filter}");
        let answer = Peer::tolerant().get(&target).await.expect(200);
        let fired = &answer.outcome.fired;
        assert_eq!(fired.len(), 1, "{fired:?}");
        assert_eq!(
            (fired[0].tolerance, fired[0].subject.as_str()),
            (tolerance, "filter")
        );
        Peer::strict().get(&target).await.refused(400, "invalidFilter");
    }
}

/// RFC 7644 section 3.4.2.1: from the root, all types are searched.
#[tokio::test]
async fn a_search_from_the_root_finds_resources_of_all_types() {
    let peer = peer_with(&["ann", "bob"]).await;
    peer.group("Animals", &[]).await;
    peer.group("bakers", &[]).await;
    let all = peer.get("/").await.expect(200).json();
    assert_eq!(all["totalResults"], 4);
    assert_eq!(column(&all, "userName"), ["ann", "bob", "-", "-"]);
    for (query, names) in [
        (
            "filter=meta.resourceType+eq+%22Group%22",
            &["Animals", "bakers"][..],
        ),
        ("filter=displayName+sw+%22ani%22", &["Animals"]),
        ("filter=userName+eq+%22ann%22", &["-"]),
        ("filter=not+(userName+pr)", &["Animals", "bakers"]),
        ("startIndex=2&count=2", &["-", "Animals"]),
        ("startIndex=4&count=5", &["bakers"]),
        ("startIndex=5", &[]),
    ] {
        let list = peer.get(&format!("/?{query}")).await.expect(200).json();
        assert_eq!(column(&list, "displayName"), names, "{query}");
        assert_eq!(list["itemsPerPage"], names.len(), "{query}");
    }
    let search = json!({"schemas": [SEARCH], "filter": "displayName pr or userName pr", "count": 0});
    let counted = peer.post("/.search", &search).await.expect(200).json();
    assert_eq!(
        (&counted["totalResults"], &counted["Resources"]),
        (&json!(4), &json!([]))
    );
}

/// RFC 7644 section 3.4.2.3 across types: one order, and pages out of it.
#[tokio::test]
async fn a_sorted_search_from_the_root_merges_the_types() {
    let peer = Peer::tolerant();
    for (name, display) in [("u1", "delta"), ("u2", "Alpha")] {
        let user = json!({"schemas": [USER], "userName": name, "displayName": display});
        peer.post("/Users", &user).await.expect(201);
    }
    for name in ["charlie", "bravo"] {
        peer.group(name, &[]).await;
    }
    let sorted = ["Alpha", "bravo", "charlie", "delta"];
    let all = peer.get("/?sortBy=displayName").await.expect(200).json();
    assert_eq!(column(&all, "displayName"), sorted);
    for start in 1..=4 {
        let page = peer
            .get(&format!("/?sortBy=displayName&startIndex={start}&count=1"))
            .await
            .expect(200)
            .json();
        assert_eq!(column(&page, "displayName"), [sorted[start - 1]]);
        assert_eq!(page["totalResults"], 4);
    }
    let reversed = peer
        .get("/?sortBy=displayName&sortOrder=descending&count=2")
        .await
        .expect(200)
        .json();
    assert_eq!(column(&reversed, "displayName"), ["delta", "charlie"]);
    // Of userName, groups have no value: they come last, and first when it is turned round.
    let partly = peer.get("/?sortBy=userName").await.expect(200).json();
    assert_eq!(column(&partly, "userName"), ["u1", "u2", "-", "-"]);
    let partly = peer
        .get("/?sortBy=userName&sortOrder=descending")
        .await
        .expect(200)
        .json();
    assert_eq!(column(&partly, "userName"), ["-", "-", "u2", "u1"]);
    Peer::strict()
        .get("/?sortBy=nothing")
        .await
        .refused(400, "invalidPath");
}

/// RFC 7644 section 3.9 on lists, and what Entra asks of groups.
#[tokio::test]
async fn lists_show_what_was_asked_for() {
    let peer = peer_with(&["ann"]).await;
    let ann = peer.get("/Users").await.json()["Resources"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    peer.group("Guides", &[&format!("/Users/{ann}")]).await;
    let groups = peer
        .get("/Groups?excludedAttributes=members&filter=displayName+eq+%22guides%22")
        .await
        .expect(200);
    let group = groups.json()["Resources"][0].clone();
    assert!(
        group.get("members").is_none() && group["displayName"] == "Guides",
        "{group}"
    );
    let groups = peer.get("/Groups").await.expect(200).json();
    let member = &groups["Resources"][0]["members"][0];
    assert_eq!(member["$ref"], format!("http://localhost/Users/{ann}"));
    let users = peer.get("/Users").await.expect(200).json();
    assert_eq!(users["Resources"][0]["groups"][0]["display"], "Guides");
}
