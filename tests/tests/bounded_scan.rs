//! A filter that no index serves visits as many rows as the budget allows, and none is answered in part. One test alone
//! in its process, because the counter of decoded documents belongs to the process.

use std::sync::Arc;

use scim::filter::{Filter, Resolve, ResolvedFilter};
use scim::projection::Projection;
use scim::resources::User;
use scim::store::documents::DocumentStore;
use scim::store::{Query, Store, Write};
use scim::value::json::parse_count;
use scim::{ScimResource, ScimType};

#[tokio::test]
async fn a_scan_ends_at_its_budget_with_too_many() {
    let store: DocumentStore = DocumentStore::in_memory()
        .unwrap()
        .resource::<User>()
        .build()
        .unwrap();
    let cx = Arc::new(());
    for n in 0..300 {
        let user = User {
            title: Some("Guide".into()),
            ..User::new(format!("user{n}"))
        };
        let write = Write::create(&cx, &n.to_string(), user);
        store.write(write).await.unwrap();
    }
    let filter: Filter = r#"title co "uid""#.parse().unwrap();
    let filter = ResolvedFilter::resolve(&filter, User::RESOURCE_TYPE.schema, Resolve::default()).unwrap();
    let want = Projection::default_of(User::RESOURCE_TYPE);

    let mut query = Query::<User>::all(10).matching(filter);
    query.scanned_rows = 100;
    let before = parse_count();
    let error = store.list(&cx, &query, &want).await.unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::TooMany));
    let decoded = parse_count() - before;
    assert!(decoded <= 101, "{decoded} rows were decoded for a budget of 100");

    query.scanned_rows = 300;
    let page = store.list(&cx, &query, &want).await.unwrap();
    assert_eq!((page.total, page.items.len()), (300, 10));
}
