//! The client against the service: in this process, and over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what fails here fails the test"
)]

use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;

use futures_util::TryStreamExt;
use scim::client::{Client, Exchange, over_http, unchanged};
use scim::patch::Patch;
use scim::resources::{Email, Group, Member, Password, User};
use scim::service::{NoContext, ScimService};
use scim::store::{Memory, Precondition, Version};

fn service() -> ScimService<()> {
    let store = Arc::new(Memory::new().link(Group::paths().members(), User::paths().groups()));
    ScimService::builder(NoContext)
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store)
        .build()
        .unwrap()
}

/// Goes through the life of a user and a group, from beginning to end.
async fn works(client: &Client<impl Exchange>) {
    let mut user = User::new("bjensen");
    user.password = Some(Password::new("t1meMa$heen"));
    user.emails
        .push(Email::new("bjensen@example.com").with_kind("work").primary());
    let user = client.create(&user).await.unwrap();
    assert_eq!(user.password, None);
    let id = user.id.as_str();

    let read: User = client.get(id).await.unwrap();
    assert_eq!(read, user);
    let version = Version::of_entity_tag(user.meta.version.as_deref().unwrap());
    // A user shows groups, which change without the version: the service never takes such an answer for known.
    let known = client.get_if_changed(id, &version).await.unwrap();
    assert_eq!(known, Some(user.clone()));

    let patch = Patch::<User>::builder().replace(User::paths().title(), "Tour Guide");
    client.patch(id, &patch, &unchanged(&user)).await.unwrap();
    let error = client.patch(id, &patch, &unchanged(&user)).await.unwrap_err();
    assert!(error.is_stale(), "{error}");

    let mut read = client
        .get_if_changed::<User>(id, &version)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(read.title.as_deref(), Some("Tour Guide"));
    read.display_name = Some("Babs + \"B\"".into());
    let read = client.replace(&read, &unchanged(&read)).await.unwrap();

    let mut group = Group::new("Guides");
    group.members = vec![Member::user(id)].into();
    let group = client.create(&group).await.unwrap();
    let slim: Group = client
        .get_partly(group.id.as_str(), &[], &[&Group::paths().members()])
        .await
        .unwrap();
    assert_eq!(slim.members.loaded(), Some(&[][..]));

    let name = User::paths().display_name().eq("Babs + \"B\"");
    let found = client
        .list::<User>()
        .filter(name.clone())
        .first()
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.id, found.groups.len()), (read.id, 1));
    assert_eq!(
        client
            .list::<User>()
            .filter(name)
            .by_post()
            .total()
            .await
            .unwrap(),
        1
    );

    let error = client.create(&User::new("BJENSEN")).await.unwrap_err();
    assert!(
        error.is_conflict() && error.scim_type() == Some(scim::ScimType::Uniqueness),
        "{error}"
    );
    let error = client
        .list::<User>()
        .filter_text("userName xx 5")
        .all()
        .await
        .unwrap_err();
    assert_eq!(error.scim_type(), Some(scim::ScimType::InvalidFilter));

    client.delete::<User>(id, &Precondition::None).await.unwrap();
    assert!(client.get::<User>(id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn the_client_and_the_service_understand_each_other_in_one_process() {
    works(&Client::new(service(), "http://id.example.com").unwrap()).await;
}

#[tokio::test]
async fn the_client_and_the_service_understand_each_other_over_http() {
    let app = scim_axum::mount("/scim/v2", service());
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let base = format!("http://{}/scim/v2", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, app).await });
    works(&over_http(&base).unwrap()).await;
    server.abort();
}

#[tokio::test]
async fn pages_hold_everybody_once() {
    let client = Client::new(service(), "http://id.example.com").unwrap();
    for number in 0..25 {
        client
            .create(&User::new(format!("user{number:02}")))
            .await
            .unwrap();
    }
    let mut pages = client
        .list::<User>()
        .sort_by(User::paths().user_name())
        .descending()
        .only(User::paths().user_name())
        .page_size(10)
        .pages();
    let mut names = Vec::new();
    while let Some(user) = pages.next().await.unwrap() {
        names.push(user.user_name);
    }
    let want: Vec<_> = (0..25).rev().map(|number| format!("user{number:02}")).collect();
    assert_eq!(names, want);

    let people = client
        .list::<User>()
        .sort_by(User::paths().user_name())
        .descending()
        .page_size(4)
        .stream();
    let streamed: Vec<String> = pin!(people)
        .map_ok(|user| user.user_name)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(streamed, want);
}

#[tokio::test]
async fn a_stream_of_resources_ends_with_the_first_error() {
    let client = Client::new(service(), "http://id.example.com").unwrap();
    let mut people = pin!(client.list::<User>().filter_text("userName xx 5").stream());
    let error = people.try_next().await.unwrap_err();
    assert_eq!(error.scim_type(), Some(scim::ScimType::InvalidFilter));
    assert!(people.try_next().await.unwrap().is_none());
}
