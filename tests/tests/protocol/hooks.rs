//! The application's hooks: rules before a write and events after it, over every store.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use scim::Error;
use scim::resources::{Group, Member, Password, User};
use scim::service::Protocol;
use scim::store::documents::DocumentStore;
use scim::store::{Cause, EdgeChange, Event, Hooks, Memory, MovedEdges, Store, Transition, Write, submit};
use serde_json::{Value, json};

use crate::{GROUP, Peer, user};

type Told = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The events that have been heard so far.
struct Heard<R>(Arc<Mutex<Vec<Arc<Event<R>>>>>);

impl<R> Heard<R> {
    fn new() -> Self {
        Self(Arc::default())
    }

    /// Makes a listener that hears of events: it waits first.
    fn hear(&self) -> impl Fn(Arc<()>, Arc<Event<R>>) -> Told + use<R>
    where
        R: Send + Sync + 'static,
    {
        let heard = Arc::clone(&self.0);
        move |_, event| {
            let heard = Arc::clone(&heard);
            Box::pin(async move {
                tokio::task::yield_now().await;
                heard.lock().unwrap().push(event);
            })
        }
    }

    fn take(&self) -> Vec<Arc<Event<R>>> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn one(&self) -> Arc<Event<R>> {
        let mut events = self.take();
        assert_eq!(events.len(), 1);
        events.remove(0)
    }
}

fn memory() -> Arc<Memory> {
    Arc::new(Memory::new().link(Group::paths().members(), User::paths().groups()))
}

fn sqlite() -> DocumentStore {
    let store = DocumentStore::in_memory()
        .unwrap()
        .resource::<User>()
        .resource::<Group>();
    store
        .link(Group::paths().members(), User::paths().groups())
        .build()
        .unwrap()
}

fn peer<S>(store: S, hooks: Hooks<()>) -> Peer
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let builder = Protocol::builder()
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store);
    Peer {
        protocol: builder.hooks(hooks).build().unwrap(),
    }
}

/// Creates a resource, and says which id it got.
async fn create(peer: &Peer, target: &str, body: &Value) -> String {
    peer.post(target, body).await.expect(201).id()
}

/// Runs a check over each store.
macro_rules! over_each_store {
    ($($check:ident)*) => {
        mod in_memory { $(#[tokio::test] async fn $check() { super::$check(super::memory()).await; })* }
        mod in_sqlite { $(#[tokio::test] async fn $check() { super::$check(super::sqlite()).await; })* }
    };
}

over_each_store! {
    a_rule_refuses_every_kind_of_write
    a_rule_amends_what_is_written
    a_rule_sees_edges_as_they_were_asked_for
    a_rule_sees_what_is_handed_on
    a_rule_that_sets_edges_is_a_fault
    an_event_follows_every_change
    no_event_follows_what_changes_nothing_or_is_refused
    an_event_counts_edges_by_attribute
    an_event_says_that_another_was_deleted
    an_event_names_the_tolerances_that_were_needed
    hooks_work_without_a_service
}

async fn a_rule_refuses_every_kind_of_write<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let hooks = Hooks::new().before_write::<User>(|(), proposed| {
        let frozen = |user: Option<&User>| user.is_some_and(|user| user.title.as_deref() == Some("frozen"));
        match frozen(proposed.before()) {
            true => Err(Error::invalid_value("is frozen").at("title")),
            false => Ok(()),
        }
    });
    let peer = peer(store, hooks);
    let mut frozen = user("babs");
    frozen["title"] = "frozen".into();
    let created = peer.post("/Users", &frozen).await;
    let path = format!("/Users/{}", created.id());
    let replaced = peer.put(&path, &user("babs")).await;
    let patched = peer
        .patch(&path, &json!([{"op": "remove", "path": "title"}]))
        .await;
    let deleted = peer.delete(&path).await;
    for refused in [replaced, patched, deleted] {
        assert_eq!(refused.status, 400);
        let detail = refused.json()["detail"].to_string();
        assert!(
            detail.contains("title") && detail.contains("is frozen"),
            "{detail}"
        );
    }
    let shown = peer.get(&path).await.json();
    assert_eq!(shown["title"], "frozen");
    assert_eq!(shown["meta"]["version"], "W/\"1\"");
}

async fn a_rule_amends_what_is_written<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let hooks = Hooks::new()
        .before_write::<User>(|(), proposed| {
            if let Some(user) = proposed.after_mut() {
                user.nick_name = Some(user.user_name.to_uppercase());
            }
            Ok(())
        })
        // Rules are asked in their order.
        .before_write::<User>(|(), proposed| {
            if let Some(user) = proposed.after_mut() {
                user.title = user.nick_name.clone();
            }
            Ok(())
        });
    let peer = peer(store, hooks);
    let created = peer.post("/Users", &user("babs")).await;
    let path = format!("/Users/{}", created.id());
    assert_eq!(
        (&created.json()["nickName"], &created.json()["title"]),
        (&"BABS".into(), &"BABS".into())
    );
    let replaced = peer.put(&path, &user("bob")).await.json();
    assert_eq!(replaced["title"], "BOB");
    let rename = json!([{"op": "replace", "path": "userName", "value": "ann"}]);
    assert_eq!(peer.patch(&path, &rename).await.status, 200);
    let shown = peer.get(&path).await.json();
    assert_eq!(
        (&shown["title"], &shown["meta"]["version"]),
        (&"ANN".into(), &"W/\"3\"".into())
    );
    // A change that a rule undoes is not a change.
    let undone = json!([{"op": "replace", "path": "title", "value": "Guide"}]);
    assert_eq!(
        peer.patch(&path, &undone).await.json()["meta"]["version"],
        "W/\"3\""
    );
}

async fn a_rule_sees_edges_as_they_were_asked_for<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let hooks = Hooks::new().before_write::<Group>(|(), proposed| {
        assert!(
            proposed
                .after()
                .is_none_or(|group| group.members.loaded().is_none())
        );
        assert!(
            proposed
                .before()
                .is_none_or(|group| group.members.loaded().is_none())
        );
        let asked = proposed.edges().iter().map(|edit| match &edit.change {
            EdgeChange::Add(edges) => edges.len(),
            _ => 0,
        });
        match asked.sum::<usize>() > 1 {
            true => Err(Error::invalid_value("may grow by one at a time").at("members")),
            false => Ok(()),
        }
    });
    let peer = peer(store, hooks);
    let (a, b) = (
        create(&peer, "/Users", &user("a")).await,
        create(&peer, "/Users", &user("b")).await,
    );
    let group = create(
        &peer,
        "/Groups",
        &json!({"schemas": [GROUP], "displayName": "Guides"}),
    )
    .await;
    let path = format!("/Groups/{group}");
    let add = |ids: &[&String]| {
        let values: Vec<_> = ids.iter().map(|id| json!({"value": id})).collect();
        json!([{"op": "add", "path": "members", "value": values}])
    };
    assert_eq!(peer.patch(&path, &add(&[&a, &b])).await.status, 400);
    assert_eq!(peer.patch(&path, &add(&[&a])).await.status, 200);
    assert_eq!(peer.patch(&path, &add(&[&b])).await.status, 200);
    assert_eq!(
        peer.get(&path).await.json()["members"].as_array().unwrap().len(),
        2
    );
    // An operation that reaches into an edge has them all loaded, but not for the rule.
    let inside =
        json!([{"op": "replace", "path": format!("members[value eq \"{a}\"].display"), "value": "x"}]);
    assert!(peer.patch(&path, &inside).await.status.as_u16() < 500);
}

async fn a_rule_sees_what_is_handed_on<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let hooks = Hooks::new().before_write::<User>(|(), proposed| {
        let Some(user) = proposed.after() else {
            return Ok(());
        };
        match &user.password {
            Some(password) if password.expose().len() < 8 => {
                Err(Error::invalid_value("must have eight characters").at("password"))
            }
            _ => Ok(()),
        }
    });
    let heard = Heard::<User>::new();
    let peer = peer(store, hooks.after_commit(heard.hear()));
    let mut babs = user("babs");
    babs["password"] = "short".into();
    assert_eq!(peer.post("/Users", &babs).await.status, 400);
    babs["password"] = "long enough".into();
    let id = create(&peer, "/Users", &babs).await;
    assert_eq!(heard.one().after().unwrap().password, None);
    let set = json!([{"op": "replace", "path": "password", "value": "short"}]);
    assert_eq!(peer.patch(&format!("/Users/{id}"), &set).await.status, 400);
    let set = json!([{"op": "replace", "path": "password", "value": "another one"}]);
    assert_eq!(peer.patch(&format!("/Users/{id}"), &set).await.status, 200);
    assert_eq!(heard.one().after().unwrap().password, None::<Password>);
}

async fn a_rule_that_sets_edges_is_a_fault<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let hooks = Hooks::new().before_write::<Group>(|(), proposed| {
        if let Some(group) = proposed.after_mut() {
            group.members = vec![Member::user("1")].into();
        }
        Ok(())
    });
    let peer = peer(store, hooks);
    let refused = peer
        .post("/Groups", &json!({"schemas": [GROUP], "displayName": "Guides"}))
        .await;
    assert_eq!(refused.status, 500);
    let cause = refused.outcome.problem.unwrap().cause.unwrap();
    assert!(cause.contains("edges"), "{cause}");
}

async fn an_event_follows_every_change<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let heard = Heard::<User>::new();
    let peer = peer(store, Hooks::new().after_commit(heard.hear()));
    let id = create(&peer, "/Users", &user("babs")).await;
    let event = heard.one();
    assert!(
        matches!(event.transition, Transition::Created { .. }),
        "{event:?}"
    );
    let after = event.after().unwrap();
    assert_eq!(
        (&*event.id, event.version.as_str(), &*after.user_name),
        (&*id, "1", "babs")
    );
    assert_eq!(after.id.as_str(), id);

    let path = format!("/Users/{id}");
    let title = json!([{"op": "add", "path": "title", "value": "Guide"}]);
    let titles = |event: &Event<User>| {
        let of = |user: Option<&User>| user.unwrap().title.clone();
        (
            of(event.before()),
            of(event.after()),
            event.version.as_str().to_owned(),
        )
    };
    assert_eq!(peer.patch(&path, &title).await.status, 200);
    assert_eq!(titles(&heard.one()), (None, Some("Guide".into()), "2".into()));
    assert_eq!(peer.put(&path, &user("babs")).await.status, 200);
    assert_eq!(titles(&heard.one()), (Some("Guide".into()), None, "3".into()));

    assert_eq!(peer.delete(&path).await.status, 204);
    let event = heard.one();
    assert!(
        matches!(event.transition, Transition::Deleted { .. }),
        "{event:?}"
    );
    let before = event.before().unwrap();
    assert_eq!((&*before.user_name, &*event.id), ("babs", &*id));
    assert!(event.edges.is_empty());
}

async fn no_event_follows_what_changes_nothing_or_is_refused<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let heard = Heard::<User>::new();
    let hooks = Hooks::new().after_commit(heard.hear());
    let hooks = hooks.before_write::<User>(|(), proposed| match proposed.after() {
        Some(user) if user.user_name == "root" => Err(Error::invalid_value("is reserved").at("userName")),
        _ => Ok(()),
    });
    let peer = peer(store, hooks);
    let id = create(&peer, "/Users", &user("babs")).await;
    _ = heard.one();
    let path = format!("/Users/{id}");
    assert_eq!(peer.put(&path, &user("babs")).await.status, 200);
    let same = json!([{"op": "replace", "path": "userName", "value": "babs"}]);
    assert_eq!(peer.patch(&path, &same).await.status, 200);
    assert_eq!(peer.post("/Users", &user("root")).await.status, 400);
    assert_eq!(peer.put(&path, &user("root")).await.status, 400);
    // The rule lets it pass, and the store does not.
    assert_eq!(peer.post("/Users", &user("BABS")).await.status, 409);
    assert_eq!(peer.delete("/Users/nobody").await.status, 404);
    assert_eq!(heard.take(), []);
}

async fn an_event_counts_edges_by_attribute<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let heard = Heard::<Group>::new();
    let peer = peer(store, Hooks::new().after_commit(heard.hear()));
    let (a, b) = (
        create(&peer, "/Users", &user("a")).await,
        create(&peer, "/Users", &user("b")).await,
    );
    let ids = |ids: &[&String]| ids.iter().map(|id| id.to_string()).collect::<Vec<_>>();
    let moved = |added: &[&String], removed: &[&String]| {
        vec![MovedEdges {
            attribute: "members",
            added: added.len() as u64,
            removed: removed.len() as u64,
            added_ids: ids(added),
            removed_ids: ids(removed),
        }]
    };
    let group = |members: &[&String]| {
        let members: Vec<_> = members.iter().map(|id| json!({"value": id})).collect();
        json!({"schemas": [GROUP], "displayName": "Guides", "members": members})
    };
    let path = format!("/Groups/{}", create(&peer, "/Groups", &group(&[&a])).await);
    assert_eq!(heard.one().edges, moved(&[&a], &[]));
    assert_eq!(peer.put(&path, &group(&[&b])).await.status, 200);
    assert_eq!(heard.one().edges, moved(&[&b], &[&a]));
    let add = json!([{"op": "add", "path": "members", "value": [{"value": a}, {"value": b}]}]);
    assert_eq!(peer.patch(&path, &add).await.status, 200);
    let event = heard.one();
    assert_eq!(event.edges, moved(&[&a], &[]));
    let (before, after) = (event.before().unwrap(), event.after().unwrap());
    assert_eq!(
        (&*before.display_name, &*after.display_name),
        ("Guides", "Guides")
    );
    assert!(before.members.loaded().is_none() && after.members.loaded().is_none());
    assert_ne!(before.meta.version, after.meta.version);
    assert_eq!(peer.patch(&path, &add).await.status, 200);
    assert_eq!(heard.take(), []);
    assert_eq!(peer.delete(&path).await.status, 204);
    let mut gone = heard.one().edges.clone();
    gone[0].removed_ids.sort();
    let mut members = vec![a, b];
    members.sort();
    assert_eq!(gone, [MovedEdges::gone("members", 2, members)]);
}

/// Deletes a person, whom a group loses as a member: the group has changed, and whoever hears of groups hears so.
async fn an_event_says_that_another_was_deleted<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let heard = Heard::<Group>::new();
    let peer = peer(store, Hooks::new().after_commit(heard.hear()));
    let id = create(&peer, "/Users", &user("babs")).await;
    let group = json!({"schemas": [GROUP], "displayName": "Guides", "members": [{"value": id}]});
    let guides = create(&peer, "/Groups", &group).await;
    heard.take();
    peer.delete(&format!("/Users/{id}")).await.expect(204);
    let event = heard.one();
    assert_eq!(event.id, guides);
    assert_eq!(event.version.entity_tag(), "W/\"2\"");
    let cause = Cause::Deletion {
        resource_type: "User",
        id: id.clone(),
    };
    assert_eq!(event.cause, cause);
    assert_eq!(event.edges.len(), 1, "{:?}", event.edges);
    let members = &event.edges[0];
    assert_eq!(
        (members.attribute, members.added, members.removed),
        ("members", 0, 1)
    );
    assert_eq!(members.removed_ids, [id]);
    let names = [event.before(), event.after()].map(|group| group.unwrap().display_name.clone());
    assert_eq!(names, ["Guides", "Guides"]);
}

/// Checks that the application hears of it if a provider writes `"True"`.
async fn an_event_names_the_tolerances_that_were_needed<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let heard = Heard::<User>::new();
    let peer = peer(store, Hooks::new().after_commit(heard.hear()));
    let id = create(&peer, "/Users", &user("babs")).await;
    assert_eq!(heard.one().tolerances, []);
    let operations = json!([{"op": "Replace", "path": "active", "value": "False"}]);
    peer.patch(&format!("/Users/{id}"), &operations).await;
    let event = heard.one();
    assert!(
        event
            .tolerances
            .iter()
            .any(|fired| fired.subject.contains("active")),
        "{:?}",
        event.tolerances
    );
}

async fn hooks_work_without_a_service<S>(store: S)
where
    S: Store<User, ()> + Store<Group, ()> + Clone,
{
    let heard = Heard::<User>::new();
    let hooks = Hooks::new()
        .after_commit(heard.hear())
        .before_write::<User>(|(), proposed| {
            let mut user = proposed.after_mut();
            user.iter_mut().for_each(|user| user.active = Some(true));
            Ok(())
        });
    let write = Write::create(&().into(), "2819", User::new("babs")).hooks(&hooks);
    submit(&store, write).await.unwrap();
    assert_eq!(heard.one().after().unwrap().active, Some(true));
}

/// An event of a large change names as many as it may, and counts them all.
#[tokio::test]
async fn an_event_names_a_bounded_number_of_edges() {
    let ids: Vec<_> = (0..20_000).map(|number| number.to_string()).collect();
    let moved = MovedEdges::new("members", ids.iter().map(String::as_str), std::iter::empty());
    assert_eq!(
        (moved.added, moved.added_ids.len()),
        (20_000, scim::store::MOST_EDGES_NAMED)
    );
    assert_eq!((moved.removed, moved.removed_ids.len()), (0, 0));
}

/// Anything that is wrong with hooks is found at the start.
#[tokio::test]
async fn hooks_for_a_type_that_is_not_served_are_refused() {
    let hooks = Hooks::<()>::new().before_write::<Group>(|(), _| Ok(()));
    let builder = Protocol::builder()
        .resource::<User, _>(Memory::new().single_tenant())
        .hooks(hooks);
    let error = builder.build().err().unwrap().to_string();
    assert!(error.contains("Group"), "{error}");
}
