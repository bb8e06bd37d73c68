//! Runs the example as its reader would, twice on one file.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::net::TcpListener;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use serde_json::json;
use tests::http::Client;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

fn start(file: &std::path::Path) -> (Running, Client) {
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let child = Command::new(env!("CARGO_BIN_EXE_minimal"))
        .arg(&address)
        .arg(file)
        .spawn()
        .unwrap();
    let running = Running(child);
    let mut client = Client::new(&format!("http://{address}/scim/v2")).unwrap();
    for _ in 0..200 {
        if client.get("/ServiceProviderConfig").is_ok() {
            return (running, client);
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("the example does not answer on {address}");
}

#[test]
fn a_badge_is_kept_found_changed_and_unique() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("badges.sqlite");
    let (running, mut client) = start(&file);

    let badge =
        json!({"schemas": ["urn:example:scim:schemas:2.0:Badge"], "serialNumber": "A-7", "zones": ["lab"]});
    let created = client
        .json("POST", "/Badges", &badge)
        .unwrap()
        .expect(201)
        .unwrap()
        .json()
        .unwrap();
    client
        .json("POST", "/Badges", &badge)
        .unwrap()
        .expect(409)
        .unwrap();
    drop(running);

    let (_running, mut client) = start(&file);
    let found = client
        .get("/Badges?filter=serialNumber%20eq%20%22A-7%22")
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(found.json().unwrap()["totalResults"], 1);
    let patch = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "zones", "value": ["roof"]}],
    });
    let target = format!("/Badges/{}", created["id"].as_str().unwrap());
    let changed = client
        .json("PATCH", &target, &patch)
        .unwrap()
        .expect(200)
        .unwrap()
        .json()
        .unwrap();
    assert_eq!(changed["zones"], json!(["lab", "roof"]));
}
