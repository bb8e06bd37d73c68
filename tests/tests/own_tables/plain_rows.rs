//! Rows that no SQL is behind: everything is evaluated by the library, and the content is the version.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use http::Method;
use scim::ScimResource;
use scim::service::{Protocol, Request};
use scim::sql::{SqlFilter, Window};
use scim::store::Version;
use scim::store::table::{Failure, Purpose, Refusal, Row, Rows, Table, Tables};
use scim::value::{Meta, ResourceId};
use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:2.0:Room", endpoint = "/Rooms")]
struct Room {
    id: ResourceId,
    meta: Meta,
    name: String,
    seats: Option<i64>,
}

/// Rooms in a map. A unit works on a copy, and puts it back if nobody else has.
#[derive(Default, Clone)]
struct House {
    rooms: Arc<Mutex<State>>,
    /// How often the next commits fail as a serialization conflict does.
    conflicts: Arc<Mutex<u32>>,
    /// How often the next updates find that the version has moved.
    moved: Arc<Mutex<u32>>,
}

#[derive(Default, Clone)]
struct State {
    rooms: BTreeMap<u64, Room>,
    last: u64,
}

#[derive(Debug)]
struct Conflict;

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("could not serialize access")
    }
}

impl std::error::Error for Conflict {}

impl Tables<()> for House {
    type Unit = State;

    async fn begin(&self, _: &(), _: &str, _: Purpose) -> Result<State, Failure> {
        Ok(self.rooms.lock().unwrap().clone())
    }

    async fn commit(&self, unit: State) -> Result<(), Failure> {
        tokio::task::yield_now().await;
        let mut conflicts = self.conflicts.lock().unwrap();
        if *conflicts > 0 {
            *conflicts -= 1;
            return Err(Conflict.into());
        }
        *self.rooms.lock().unwrap() = unit;
        Ok(())
    }

    fn refusal(&self, error: &(dyn std::error::Error + 'static)) -> Refusal {
        match error.is::<Conflict>() {
            true => Refusal::Again,
            false => Refusal::Other,
        }
    }
}

impl Rows<Room, ()> for House {
    async fn find(&self, unit: &mut State, id: &str, _: Purpose) -> Result<Option<Row<Room>>, Failure> {
        let Ok(number) = id.parse() else { return Ok(None) };
        Ok(unit
            .rooms
            .get(&number)
            .map(|room| Row::new(number.to_string(), room.clone())))
    }

    async fn insert(&self, unit: &mut State, row: &Row<Room>) -> Result<String, Failure> {
        unit.last += 1;
        unit.rooms.insert(unit.last, row.resource.clone());
        Ok(unit.last.to_string())
    }

    async fn update(&self, unit: &mut State, row: &Row<Room>, _: &Version) -> Result<bool, Failure> {
        let mut moved = self.moved.lock().unwrap();
        if *moved > 0 {
            *moved -= 1;
            return Ok(false);
        }
        Ok(unit.rooms.insert(row.id.parse()?, row.resource.clone()).is_some())
    }

    async fn remove(&self, unit: &mut State, id: &str, _: &Version) -> Result<bool, Failure> {
        Ok(unit.rooms.remove(&id.parse()?).is_some())
    }

    async fn count(&self, unit: &mut State, condition: Option<&SqlFilter>) -> Result<u64, Failure> {
        assert_eq!(condition, None, "there are no columns");
        Ok(unit.rooms.len() as u64)
    }

    async fn select(&self, unit: &mut State, window: &Window<'_>) -> Result<Vec<Row<Room>>, Failure> {
        assert!(
            window.condition.is_none() && window.order.is_none(),
            "there are no columns"
        );
        let rooms = unit
            .rooms
            .iter()
            .skip(usize::try_from(window.offset)?)
            .take(window.count);
        Ok(rooms
            .map(|(number, room)| Row::new(number.to_string(), room.clone()))
            .collect())
    }
}

struct Peer {
    house: House,
    protocol: Protocol<()>,
}

impl Peer {
    fn new() -> Self {
        let house = House::default();
        let table = Table::new(house.clone()).resource::<Room>();
        let protocol = Protocol::builder().resource::<Room, _>(table).build().unwrap();
        Self { house, protocol }
    }

    async fn ask(&self, method: Method, target: &str, body: Value, if_match: Option<&str>) -> (u16, Value) {
        let mut request = Request::new(method, target);
        if !body.is_null() {
            request = request.with_body(body.to_string());
        }
        if let Some(tag) = if_match {
            request.headers.insert("if-match", tag.parse().unwrap());
        }
        let response = self.protocol.handle(&Arc::new(()), request).await;
        let status = response.status.as_u16();
        let body = response.body.into_bytes().await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn room(&self, name: &str, seats: i64) -> Value {
        let room = json!({"schemas": ["urn:example:2.0:Room"], "name": name, "seats": seats});
        let (status, room) = self.ask(Method::POST, "/Rooms", room, None).await;
        assert_eq!(status, 201, "{room}");
        room
    }

    async fn names(&self, query: &str) -> Vec<String> {
        let (status, list) = self
            .ask(Method::GET, &format!("/Rooms?{query}"), Value::Null, None)
            .await;
        assert_eq!(status, 200, "{list}");
        let rooms = list["Resources"].as_array().into_iter().flatten();
        rooms
            .map(|room| room["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// RFC 7644 section 3.14: without a column for it, the content is the version. It comes back with the content, and a
/// write that expects another is refused.
#[tokio::test]
async fn the_content_is_the_version() {
    let peer = Peer::new();
    let room = peer.room("Attic", 4).await;
    assert!(room["meta"].get("created").is_none(), "{room}");
    let first = room["meta"]["version"].as_str().unwrap().to_owned();
    let path = format!("/Rooms/{}", room["id"].as_str().unwrap());
    let body = |seats: i64| json!({"schemas": ["urn:example:2.0:Room"], "name": "Attic", "seats": seats});
    let (status, other) = peer.ask(Method::PUT, &path, body(5), Some(&first)).await;
    assert_eq!(status, 200, "{other}");
    assert_ne!(other["meta"]["version"], json!(first));
    assert_eq!(peer.ask(Method::PUT, &path, body(6), Some(&first)).await.0, 412);
    let (_, back) = peer.ask(Method::PUT, &path, body(4), None).await;
    assert_eq!(back["meta"]["version"], json!(first));
}

/// Without columns, filters and orders are the library's, and the pages those of any store.
#[tokio::test]
async fn the_library_filters_and_sorts() {
    let peer = Peer::new();
    for (name, seats) in [("Cellar", 9), ("attic", 4), ("Hall", 80), ("Bath", 1)] {
        peer.room(name, seats).await;
    }
    assert_eq!(peer.names("").await, ["Cellar", "attic", "Hall", "Bath"]);
    assert_eq!(
        peer.names("sortBy=name").await,
        ["attic", "Bath", "Cellar", "Hall"]
    );
    assert_eq!(
        peer.names("sortBy=seats&sortOrder=descending&count=2").await,
        ["Hall", "Cellar"]
    );
    assert_eq!(
        peer.names("filter=seats%20gt%203&startIndex=2").await,
        ["attic", "Hall"]
    );
    assert_eq!(peer.names("filter=name%20eq%20%22ATTIC%22").await, ["attic"]);
    assert_eq!(peer.names("filter=id%20eq%20%223%22").await, ["Hall"]);
    assert_eq!(peer.names("filter=id%20eq%20%2203%22").await, [""; 0]);
    assert_eq!(peer.ask(Method::GET, "/Rooms/03", Value::Null, None).await.0, 404);
}

/// A serialization conflict is not an error of the client's: the write runs again, and if it will not end, the answer is 503.
#[tokio::test]
async fn a_conflict_is_tried_again() {
    let peer = Peer::new();
    *peer.house.conflicts.lock().unwrap() = 3;
    peer.room("Attic", 4).await;
    assert_eq!(peer.names("").await, ["Attic"], "it was made once");
    *peer.house.conflicts.lock().unwrap() = 1_000;
    let room = json!({"schemas": ["urn:example:2.0:Room"], "name": "Hall"});
    assert_eq!(peer.ask(Method::POST, "/Rooms", room, None).await.0, 503);
}

/// RFC 7644 section 3.14: where the version has moved under a write, it is decided again on what is there now.
#[tokio::test]
async fn a_version_that_has_moved_is_read_again() {
    let peer = Peer::new();
    let room = peer.room("Attic", 4).await;
    let path = format!("/Rooms/{}", room["id"].as_str().unwrap());
    let body = json!({"schemas": ["urn:example:2.0:Room"], "name": "Loft"});
    *peer.house.moved.lock().unwrap() = 2;
    let (status, replaced) = peer.ask(Method::PUT, &path, body, None).await;
    assert_eq!((status, &replaced["name"]), (200, &json!("Loft")), "{replaced}");
    assert_eq!(*peer.house.moved.lock().unwrap(), 0);
}
