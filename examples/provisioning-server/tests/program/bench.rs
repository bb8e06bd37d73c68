//! A server with the organization "acme", its identity provider, and its administrator at the command line.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Answer, Place, Server};

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

pub struct Bench {
    pub server: Server,
    pub token: String,
    pub place: Place,
}

impl Bench {
    /// Makes one with these settings, as flags of `org create`.
    pub fn new(settings: &[&str]) -> Self {
        Self::serving(settings, &[])
    }

    /// Makes the same, of a server with these flags.
    pub fn serving(settings: &[&str], flags: &[&str]) -> Self {
        let place = Place::new();
        let created = place.json(&[&["org", "create", "acme"], settings].concat());
        Self {
            server: place.serve(flags),
            token: created["token"].as_str().unwrap().to_owned(),
            place,
        }
    }

    /// Makes one of a server that runs, with a new token.
    pub fn of(place: Place, server: Server) -> Self {
        let made = place.json(&["token", "rotate", "acme"]);
        Self {
            server,
            token: made["token"].as_str().unwrap().to_owned(),
            place,
        }
    }

    /// Makes one on a database that is there already.
    pub fn on(place: Place, token: String) -> Self {
        Self {
            server: place.serve(&[]),
            token,
            place,
        }
    }

    /// Ends the server, so that everything is written.
    pub fn end(self) -> Place {
        self.server.terminate();
        self.place
    }

    /// Returns the document that a command prints for a script.
    pub fn run(&self, arguments: &[&str]) -> Value {
        self.place.json(arguments)
    }

    /// Returns the sentence with which a command refuses.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let (code, said) = self.place.refusal(arguments);
        assert_eq!(code, 1, "{said}");
        said["detail"].as_str().unwrap().to_owned()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &Value::Null)
    }

    pub fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.server.acme(&self.token, method, path, body)
    }

    pub fn delete(&self, path: &str) {
        assert_eq!(self.send("DELETE", path, &Value::Null).status, 204);
    }

    pub fn patch(&self, path: &str, operations: &Value) -> Answer {
        let message = json!({ "schemas": [PATCH], "Operations": operations });
        self.send("PATCH", path, &message)
    }

    /// Creates whatever the body says, and answers with the id.
    pub fn make(&self, path: &str, body: &Value) -> String {
        let created = self.send("POST", path, body);
        assert_eq!(created.status, 201, "{}", created.text);
        id(&created)
    }

    /// Creates a person and answers with the id.
    pub fn user(&self, name: &str) -> String {
        self.user_with(name, &json!({}))
    }

    /// Creates a person in the same way, with an id of the provider's.
    pub fn hire(&self, name: &str) -> String {
        self.user_with(name, &json!({ "externalId": format!("x-{name}") }))
    }

    /// Creates a person in the same way, with further attributes.
    pub fn user_with(&self, name: &str, attributes: &Value) -> String {
        let mut body = json!({ "schemas": [USER], "userName": name });
        let body_map = body.as_object_mut().unwrap();
        body_map.extend(attributes.as_object().unwrap().clone());
        self.make("/Users", &body)
    }

    /// Creates a group and answers with the id.
    pub fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "schemas": [GROUP], "displayName": name, "members": members });
        self.make("/Groups", &body)
    }

    /// Adds a person to a group.
    pub fn join(&self, group: &str, user: &str) {
        let add = json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]);
        let answer = self.patch(&format!("/Groups/{group}"), &add);
        assert!((200..300).contains(&answer.status), "{}", answer.text);
    }

    /// Takes a person out of a group.
    pub fn leave(&self, group: &str, user: &str) {
        let remove = json!([{ "op": "remove", "path": format!("members[value eq \"{user}\"]") }]);
        let answer = self.patch(&format!("/Groups/{group}"), &remove);
        assert!((200..300).contains(&answer.status), "{}", answer.text);
    }

    /// Makes a manual account that has a permission.
    pub fn administrator(&self, name: &str, permission: &str) {
        self.run(&["user", "create", "acme", name]);
        self.run(&["user", "grant", "acme", name, "--permission", permission]);
    }

    /// Waits for a mail of this kind to somebody, and returns the path of the link in it.
    pub fn mailed(&self, kind: &str, recipient: &str) -> String {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            if let Some(link) = self.link_in_mail(kind, recipient) {
                return link;
            }
            assert!(Instant::now() < until, "no {kind} has come");
            sleep(Duration::from_millis(50));
        }
    }

    fn link_in_mail(&self, kind: &str, recipient: &str) -> Option<String> {
        let listed = self.run(&["mail", "list", "acme"]);
        let mut mails = listed["mails"].as_array().unwrap().iter();
        let mail = mails.find(|mail| {
            mail["kind"] == kind && mail["recipient"] == recipient && mail["has_link"] == true
        })?;
        let shown = self.run(&["mail", "show", "acme", mail["id"].as_str().unwrap(), "--link"]);
        let text = shown["text"].as_str().unwrap();
        let link = &text[text.find("/o/acme/link/").unwrap()..];
        Some(link.split_whitespace().next().unwrap().to_owned())
    }

    /// Checks that everything that is kept belongs together.
    pub fn is_sound(&self) {
        let checked = self.run(&["check"]);
        assert_eq!(checked["sound"], true, "{checked:#}");
    }
}

/// Returns the id in an answer.
pub fn id(answer: &Answer) -> String {
    answer.body["id"].as_str().unwrap().to_owned()
}

/// Returns the texts in a list.
pub fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect()
}
