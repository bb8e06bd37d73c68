//! A read with the default projection hands out stored bytes. One test alone in its process, because the counter of
//! JSON parses belongs to the process.

use std::sync::Arc;

use scim::ScimResource;
use scim::projection::Projection;
use scim::resources::{Group, Member, User};
use scim::store::documents::DocumentStore;
use scim::store::{Precondition, Query, Store, Write};
use scim::value::json::parse_count;

#[tokio::test]
async fn a_plain_read_parses_no_json() {
    let store: DocumentStore = DocumentStore::in_memory()
        .unwrap()
        .resource::<User>()
        .resource::<Group>()
        .link(Group::paths().members(), User::paths().groups())
        .build()
        .unwrap();
    let cx = Arc::new(());
    let user = store
        .write(Write::create(&cx, "1", User::new("bjensen")))
        .await
        .unwrap();
    let mut group = Group::new("Guides");
    group.members = vec![Member::new(&user.id)].into();
    let group = store.write(Write::create(&cx, "2", group)).await.unwrap();

    let before = parse_count();
    let want = Projection::default_of(User::RESOURCE_TYPE);
    let none = Precondition::None;
    _ = Store::<User, ()>::get(&store, &cx, &user.id, &want, &none)
        .await
        .unwrap();
    _ = store.list(&cx, &Query::<User>::all(10), &want).await.unwrap();
    let want = Projection::default_of(Group::RESOURCE_TYPE);
    _ = Store::<Group, ()>::get(&store, &cx, &group.id, &want, &none)
        .await
        .unwrap();
    let excluded = Projection::parse(Group::RESOURCE_TYPE, &[] as &[&str], &["members"], false).unwrap();
    _ = Store::<Group, ()>::get(&store, &cx, &group.id, &excluded, &none)
        .await
        .unwrap();
    assert_eq!(parse_count(), before);

    let chosen = Projection::parse(User::RESOURCE_TYPE, &["userName"], &[] as &[&str], false).unwrap();
    _ = Store::<User, ()>::get(&store, &cx, &user.id, &chosen, &none)
        .await
        .unwrap();
    assert!(parse_count() > before, "what has to be decoded is counted");
}
