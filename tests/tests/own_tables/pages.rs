//! Lists: bounded pages, and filters of which SQL says all, a part, or nothing.

use std::sync::Arc;
use std::time::Duration;

use scim::filter::{Filter, Resolve, ResolvedFilter};
use scim::limits::Limits;
use scim::projection::Projection;
use scim::resources::{Group, User};
use scim::store::{Answer, Budget, Document, Query, Store};
use scim::testkit::Tenant;
use scim::{ScimResource, ScimType};

use crate::directory::Directory;
use crate::peer::Peer;

fn query<R: ScimResource>(filter: &str) -> Query<R> {
    let filter = Filter::parse(filter, &Limits::default()).unwrap();
    Query::all(100)
        .matching(ResolvedFilter::resolve(&filter, R::RESOURCE_TYPE.schema, Resolve::default()).unwrap())
}

async fn found(peer: &Peer, query: &Query<User>) -> scim::Result<u64> {
    let cx = Arc::new(Tenant::new("acme"));
    let want = Projection::default_of(User::RESOURCE_TYPE);
    Ok(Store::<User, Tenant>::list(&peer.table, &cx, query, &want)
        .await?
        .total)
}

/// RFC 7644 section 3.4.2.4: a page of large groups is cut before it takes more than 16 MiB, and goes on behind.
#[tokio::test]
async fn a_page_of_large_groups_is_bounded() {
    const MEMBERS: usize = 40_000;
    const GROUPS: usize = 8;
    let peer = Peer::new();
    peer.table
        .tables()
        .behind(|connection| fill(connection, MEMBERS, GROUPS));
    let cx = Arc::new(Tenant::new("acme"));
    let want = Projection::default_of(Group::RESOURCE_TYPE);
    let (mut seen, mut pages) = (0, 0);
    while seen < GROUPS {
        let mut query = Query::<Group>::all(GROUPS);
        query.start_index = seen as u64 + 1;
        let page = Store::<Group, Tenant>::list(&peer.table, &cx, &query, &want)
            .await
            .unwrap();
        assert_eq!(page.total, GROUPS as u64);
        assert!(!page.items.is_empty());
        let length: usize = page.items.iter().map(|item| length(&item.answer)).sum();
        assert!(length <= 16 << 20, "a page of {length} bytes");
        seen += page.items.len();
        pages += 1;
    }
    assert!(pages > 1, "all on one page");
}

fn fill(connection: &rusqlite::Connection, members: usize, groups: usize) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {members})
         INSERT INTO people (org, login, login_key, version, created, modified, more)
         SELECT 'acme', 'u' || n, 'u' || n, 1, 0, 0, '{{}}' FROM n;
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {groups})
         INSERT INTO teams (org, name, name_key, version, created, modified, more)
         SELECT 'acme', 'g' || n, 'g' || n, 1, 0, 0, '{{}}' FROM n;
         INSERT INTO team_members (team, person) SELECT teams.id, people.id FROM teams, people;"
    ))
}

fn length<R>(answer: &Answer<R>) -> usize {
    match answer {
        Answer::Rendered(rendered) => match &rendered.document {
            Document::Whole(bytes) => bytes.len(),
            Document::Parts(_) => panic!("in parts"),
        },
        _ => panic!("not rendered"),
    }
}

/// RFC 7644 section 3.4.2.2: what SQL cannot say is evaluated here, and what it can is left to it.
#[tokio::test]
async fn filters_that_sql_cannot_say_are_right_and_within_the_budget() {
    let peer = Peer::new();
    let mut ids = Vec::new();
    for n in 0..30 {
        ids.push(peer.user(&format!("user{n:02}")).await);
    }
    let title = serde_json::json!([{"op": "add", "path": "title", "value": "Guide"}]);
    for id in &ids[..20] {
        peer.patch(&format!("/Users/{id}"), title.clone()).await;
    }
    for (filter, total) in [
        ("title eq \"guide\"", 20),
        ("not (title pr)", 10),
        ("userName sw \"user1\" and title co \"uid\"", 10),
        ("userName sw \"user2\" or title pr", 30),
        ("id eq \"p7\" and title pr", 1),
        ("id eq \"p27\" and title pr", 0),
        ("id sw \"p1\"", 11),
        ("id ne \"p7\"", 29),
    ] {
        assert_eq!(found(&peer, &query(filter)).await.unwrap(), total, "{filter}");
    }
    for (filter, budget, fits) in [
        ("title eq \"guide\"", 29, false),
        ("title eq \"guide\"", 30, true),
        // SQL narrows it to ten.
        ("userName sw \"user1\" and title co \"uid\"", 10, true),
        ("userName sw \"user1\" and title co \"uid\"", 9, false),
        // The id leads to it.
        ("id eq \"p7\" and title pr", 1, true),
        ("userName sw \"user\"", 1, true),
    ] {
        let mut query = query(filter);
        query.scanned_rows = budget;
        match found(&peer, &query).await {
            Ok(_) => assert!(fits, "{filter} within {budget}"),
            Err(error) => {
                assert!(!fits, "{filter} within {budget}: {error}");
                assert_eq!(error.scim_type(), Some(ScimType::TooMany));
            }
        }
    }
}

/// RFC 7644 section 3.4.2.2: what the evaluator does is charged to the budget of the query, too.
#[tokio::test]
async fn a_search_is_bounded_by_its_budget() {
    let peer = Peer::new();
    for n in 0..3 {
        peer.user(&format!("u{n}")).await;
    }
    for (steps, fits) in [(20, true), (3, false)] {
        let mut query = query("title co \"a\" or title co \"b\"");
        query.budget = Budget::new(steps, Duration::MAX);
        match found(&peer, &query).await {
            Ok(_) => assert!(fits, "within {steps} steps"),
            Err(error) => assert!(!fits && error.limit() == Some("search_steps"), "{error}"),
        }
    }
}

/// RFC 7644 section 3.4.2.2: edges are found where they are kept, from both ends, without a walk over all rows.
#[tokio::test]
async fn edges_are_found_from_both_ends() {
    let peer = Peer::new();
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(peer.user(&format!("u{n}")).await);
    }
    let group = peer.group("Guides", &ids[1..3]).await;
    let mut query = query(&format!("groups.value eq \"{group}\""));
    query.scanned_rows = 1;
    assert_eq!(found(&peer, &query).await.unwrap(), 2);
    let groups = peer
        .get(&format!("/Groups?filter=members.value%20eq%20%22{}%22", ids[1]))
        .await;
    assert_eq!(groups["Resources"][0]["id"], group);
    let none = peer
        .get(&format!("/Groups?filter=members.value%20eq%20%22{}%22", ids[4]))
        .await;
    assert_eq!(none["totalResults"], 0);
}

/// A tenant is in every statement: what one keeps, no other sees, whatever the shape of the question.
#[tokio::test]
async fn no_statement_about_rows_forgets_the_tenant() {
    let peer = Peer::new();
    let babs = peer.user("babs").await;
    let group = peer.group("Guides", std::slice::from_ref(&babs)).await;
    let statements = peer
        .statements(async {
            for target in [
                format!("/Users/{babs}"),
                "/Users?filter=userName%20eq%20%22babs%22%20or%20active%20pr".to_owned(),
                "/Users?filter=title%20pr".to_owned(),
                "/Users?sortBy=displayName".to_owned(),
                format!("/Groups?filter=members.value%20eq%20%22{babs}%22"),
            ] {
                peer.get(&target).await;
            }
            let rename = serde_json::json!([{"op": "replace", "path": "displayName", "value": "Chiefs"}]);
            peer.patch(&format!("/Groups/{group}"), rename).await;
        })
        .await;
    // Edges are named by rows that were found.
    let about_rows = |text: &&String| !text.starts_with("SELECT count(*) FROM team_");
    assert!(statements.len() > 8);
    for text in statements.iter().filter(about_rows) {
        assert!(text.contains("org = ?"), "{text}");
    }
}

/// Two contexts of a store never share, also where the tenant is found by a closure.
#[tokio::test]
async fn a_closure_finds_the_tenant() {
    use scim::store::table::Table;
    use scim::store::{Stored, Write, load};

    type Context = (Option<String>, bool);
    let table = Table::new(Directory::in_memory())
        .resource::<User>()
        .on_threads(1)
        .tenant_by(|cx: &Context| cx.0.as_deref().map(Into::into));
    let cx = |name: Option<&str>| Arc::new((name.map(str::to_owned), true));
    for name in ["acme", "globex"] {
        let write = Write::create(&cx(Some(name)), "unused", User::new("babs"));
        table.write(write).await.unwrap();
    }
    let of = |name| load::<User, _, _>(&table, Box::leak(Box::new(cx(Some(name)))), "p1");
    let seen: [Option<Stored<User>>; 2] = [of("acme").await.unwrap(), of("globex").await.unwrap()];
    assert!(seen[0].is_some() && seen[1].is_none());
    for nobody in [None, Some("")] {
        let refused = table
            .write(Write::create(&cx(nobody), "unused", User::new("babs")))
            .await;
        assert_eq!(refused.unwrap_err().status(), 404);
    }
}
