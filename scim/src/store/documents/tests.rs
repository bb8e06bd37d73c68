//! The promises of the document store beyond the contract of all stores, each checked by a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::runtime::{Builder as RuntimeBuilder, Runtime};

use crate::Result;
use crate::ScimResource;
use crate::filter::{Filter, Resolve, ResolvedFilter};
use crate::limits::Limits;
use crate::patch::Patch;
use crate::policy::Policy;
use crate::projection::{Base, Projection, fill_holes};
use crate::resources::{Email, Group, Member, User};
use crate::store::database::{Database, Options};
use crate::store::documents::{Builder, DocumentStore};
use crate::store::{
    Answer, Clock, Document, Environment, IdSource, Precondition, Query, Rendered, Reply, Store, Stored,
    TimeOrderedIds, Write, Written, load, submit,
};
use crate::value::DateTime;

mod bounded;
mod carrying_over;
mod check;
mod edges;
mod evolving;
mod file;
mod filters;
mod keys;
mod lists;
mod pages;
mod seam;
mod transfer;
mod writes;

/// One tenant.
const ACME: &str = "acme";

/// A clock that stands still until it is told.
#[derive(Clone, Default)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn set(&self, seconds: i64) {
        self.0.store(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> DateTime {
        DateTime::from_unix_micros(self.0.load(Ordering::SeqCst))
    }
}

struct Bench {
    runtime: Runtime,
    store: DocumentStore<String>,
    hands: Hands,
    tenant: Arc<String>,
}

fn with_types(builder: Builder<String>) -> Builder<String> {
    builder
        .resource::<User>()
        .resource::<Group>()
        .link(Group::paths().members(), User::paths().groups())
}

fn runtime() -> Runtime {
    RuntimeBuilder::new_current_thread().build().unwrap()
}

fn bench() -> Bench {
    bench_on(
        Database::in_memory(Options {
            portable: true,
            ..Options::default()
        })
        .unwrap(),
    )
}

fn bench_on(database: Database) -> Bench {
    let hands = Hands::default();
    hands.set(1_000);
    let environment = Environment {
        clock: Arc::new(hands.clone()),
        ..Environment::default()
    };
    let store = with_types(DocumentStore::on(database))
        .environment(environment)
        .build()
        .unwrap();
    Bench {
        runtime: runtime(),
        store,
        hands,
        tenant: Arc::new(ACME.to_owned()),
    }
}

impl Bench {
    fn block<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn write<R: ScimResource>(&self, write: Write<R, String>) -> Result<Written<R>> {
        self.block(submit(&self.store, write))
    }

    fn create<R: ScimResource>(&self, resource: R) -> Result<Stored<R>> {
        self.create_for(&self.tenant, resource)
    }

    fn create_for<R: ScimResource>(&self, tenant: &Arc<String>, resource: R) -> Result<Stored<R>> {
        let id = TimeOrderedIds.next_id();
        self.write(Write::create(tenant, &id, resource))?;
        self.block(load(&self.store, tenant, &id)).map(Option::unwrap)
    }

    fn user(&self, name: &str) -> String {
        id_of(&self.create(User::new(name)).unwrap())
    }

    fn group(&self, name: &str, members: &[&str]) -> String {
        let mut group = Group::new(name);
        group.members = members
            .iter()
            .map(|id| Member::new(*id))
            .collect::<Vec<_>>()
            .into();
        id_of(&self.create(group).unwrap())
    }

    fn load<R: ScimResource>(&self, id: &str) -> Option<Stored<R>> {
        self.block(load(&self.store, &self.tenant, id)).unwrap()
    }

    fn state<R: ScimResource>(&self, id: &str) -> R {
        self.load::<R>(id).unwrap().resource
    }

    fn version<R: ScimResource>(&self, id: &str) -> String {
        self.load::<R>(id).unwrap().version.to_string()
    }

    fn replace<R: ScimResource>(&self, id: &str, resource: R) -> Result<Stored<R>> {
        self.write(Write::replace(&self.tenant, id, resource))?;
        Ok(self.load(id).unwrap())
    }

    fn delete<R: ScimResource>(&self, id: &str) -> Result<()> {
        self.write(Write::<R, _>::delete(&self.tenant, id)).map(drop)
    }

    fn patch<R: ScimResource>(&self, id: &str, operations: &str) -> Result<bool> {
        let reply = Reply {
            want: Projection::default_of(R::RESOURCE_TYPE),
            most_edges: Some(100),
        };
        let patch = Write::patch(&self.tenant, id, &patch_of::<R>(operations))?;
        self.write(patch.answered(reply)).map(|written| written.changed)
    }

    fn answer<R: ScimResource>(
        &self,
        id: &str,
        want: &Projection,
        precondition: &Precondition,
    ) -> Result<Answer<R>> {
        self.block(self.store.get(&self.tenant, id, want, precondition))
    }

    /// Returns the document as a client sees it.
    fn shown<R: ScimResource>(&self, id: &str, attributes: &str) -> serde_json::Value {
        let want = only::<R>(attributes);
        let answer = self.answer::<R>(id, &want, &Precondition::None).unwrap();
        serde_json::from_slice(&self.body(answer)).unwrap()
    }

    fn body<R>(&self, answer: Answer<R>) -> Vec<u8> {
        let Answer::Rendered(rendered) = answer else {
            panic!("not rendered")
        };
        let bytes = match rendered.document {
            Document::Whole(bytes) => bytes,
            Document::Parts(body) => self
                .block(http_body_util::BodyExt::collect(body))
                .unwrap()
                .to_bytes(),
        };
        let mut out = Vec::new();
        fill_holes(&bytes, Base::Url("https://example.com/v2"), &mut out);
        out
    }

    fn query<R: ScimResource>(&self, query: &Query<R>) -> Result<(u64, Vec<serde_json::Value>)> {
        let want = Projection::default_of(R::RESOURCE_TYPE);
        let page = self.block(self.store.list(&self.tenant, query, &want))?;
        let items = page.items.into_iter().map(|item| self.body(item.answer));
        Ok((
            page.total,
            items.map(|body| serde_json::from_slice(&body).unwrap()).collect(),
        ))
    }

    /// Returns the names of those that match, in order.
    fn found<R: ScimResource>(&self, filter: &str) -> Vec<String> {
        let (total, items) = self.query(&all::<R>().matching(filter_of::<R>(filter))).unwrap();
        assert_eq!(total, items.len() as u64, "{filter}");
        names(&items)
    }

    fn count<R: ScimResource>(&self) -> u64 {
        self.block(self.store.count::<R>(&self.tenant)).unwrap()
    }
}

fn names(items: &[serde_json::Value]) -> Vec<String> {
    let name = |item: &serde_json::Value| {
        item.get("userName")
            .or(item.get("displayName"))
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    items.iter().map(name).collect()
}

fn id_of<R: ScimResource>(stored: &Stored<R>) -> String {
    stored.resource.id().as_str().to_owned()
}

fn all<R: ScimResource>() -> Query<R> {
    Query::all(1_000)
}

fn filter_of<R: ScimResource>(text: &str) -> ResolvedFilter {
    let filter = Filter::parse(text, &Limits::default()).unwrap();
    ResolvedFilter::resolve(&filter, R::RESOURCE_TYPE.schema, Resolve::default()).unwrap()
}

fn patch_of<R: ScimResource>(operations: &str) -> Patch<R> {
    let body = format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":{operations}}}"#
    );
    Patch::parse(body.as_bytes(), &Policy::tolerant(), &Limits::default()).unwrap()
}

/// Makes a projection of these attributes; the default if there are none.
fn only<R: ScimResource>(attributes: &str) -> Projection {
    Projection::parse(R::RESOURCE_TYPE, &[attributes], &[] as &[&str], false).unwrap()
}

fn without<R: ScimResource>(attributes: &str) -> Projection {
    Projection::parse(R::RESOURCE_TYPE, &[] as &[&str], &[attributes], false).unwrap()
}

fn add(id: &str) -> String {
    format!(r#"[{{"op":"add","path":"members","value":[{{"value":"{id}"}}]}}]"#)
}

fn email(address: &str, kind: &str) -> Email {
    Email::new(address).with_kind(kind)
}
