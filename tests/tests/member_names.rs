//! The service says what a member is called (`members.display`): the sub-attribute is `readOnly` (RFC 7643 section 7),
//! and is treated as such everywhere.

#![allow(
    clippy::indexing_slicing,
    reason = "indexing a `serde_json::Value` gives `Null` for what is not there"
)]

use scim_tests::protocol::{Kept, Peer};
use scim_tests::vectors::{Exchange, Policy};
use scim_tests::{Failure, check};
use serde_json::{Value, json};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A group with one member, who is called Ann.
struct Setting {
    peer: Peer,
    user: String,
    group: String,
}

impl Setting {
    /// Makes a setting in every store and under every policy.
    fn all() -> Result<Vec<Self>, Failure> {
        let mut settings = Vec::new();
        for policy in [Policy::Strict, Policy::Tolerant] {
            for kept in [Kept::InMemory, Kept::InSqlite] {
                settings.push(Self::new(Peer::new(kept, policy)?)?);
            }
        }
        Ok(settings)
    }

    fn new(mut peer: Peer) -> Result<Self, Failure> {
        let user = json!({"schemas": [USER], "userName": "ann", "displayName": "Ann"});
        let user = created(&mut peer, "/Users", &user)?;
        let group = json!({"schemas": [GROUP], "displayName": "Cooks", "members": [{"value": user, "display": "Bob"}]});
        let group = format!("/Groups/{}", created(&mut peer, "/Groups", &group)?);
        Ok(Self { peer, user, group })
    }

    fn patch(&mut self, operation: &Value) -> Result<(u16, Value), Failure> {
        let body = json!({"schemas": [PATCH_OP], "Operations": [operation]});
        let answer = self.peer.exchange("PATCH", &self.group, Some(&body))?;
        Ok((answer.status, answer.body))
    }

    /// Checks that the group has its one member, under the member's own name.
    fn check(&mut self, after: &str) -> Result<(), Failure> {
        let group = self.peer.exchange("GET", &self.group, None)?.expect(200, after)?;
        let members = &group["members"];
        check(
            members.as_array().is_some_and(|members| members.len() == 1)
                && members[0]["value"] == *self.user
                && members[0]["display"] == "Ann",
            || format!("after {after}: {group}"),
        )
    }
}

fn created(peer: &mut Peer, endpoint: &str, resource: &Value) -> Result<String, Failure> {
    let made = peer
        .exchange("POST", endpoint, Some(resource))?
        .expect(201, endpoint)?;
    let id = made["id"].as_str();
    id.map(str::to_owned)
        .ok_or_else(|| Failure::new(format!("no id in {made}")))
}

/// S-7-03, A-08: within a value it is ignored.
#[test]
fn a_name_within_a_member_is_ignored() -> Result<(), Failure> {
    for mut setting in Setting::all()? {
        setting.check("POST")?;
        let member = json!({"value": setting.user, "display": "Bob"});
        let group = json!({"schemas": [GROUP], "displayName": "Cooks", "members": [member]});
        setting
            .peer
            .exchange("PUT", &setting.group, Some(&group))?
            .expect(200, "PUT")?;
        setting.check("PUT")?;
        let selected = format!("members[value eq \"{}\"]", setting.user);
        for operation in [
            json!({"op": "add", "path": "members", "value": [member]}),
            json!({"op": "replace", "path": "members", "value": [member]}),
            json!({"op": "add", "value": {"members": [member]}}),
            json!({"op": "replace", "value": {"members": [member]}}),
            json!({"op": "replace", "path": selected, "value": member}),
        ] {
            let (status, body) = setting.patch(&operation)?;
            check(status == 200, || format!("{operation}: {status} {body}"))?;
            setting.check(&operation.to_string())?;
        }
    }
    Ok(())
}

/// RFC 7644 section 3.5.2: a path to it is refused.
#[test]
fn a_path_to_the_name_of_a_member_is_refused() -> Result<(), Failure> {
    for mut setting in Setting::all()? {
        let selected = format!("members[value eq \"{}\"].display", setting.user);
        for path in [
            selected.as_str(),
            "members.display",
            "members[value eq \"nobody\"].display",
        ] {
            for op in ["add", "replace", "remove"] {
                let mut operation = json!({"op": op, "path": path});
                if op != "remove" {
                    operation["value"] = "Bob".into();
                }
                let (status, body) = setting.patch(&operation)?;
                check(status == 400 && body["scimType"] == "mutability", || {
                    format!("{operation}: {status} {body}")
                })?;
                setting.check(&operation.to_string())?;
            }
        }
    }
    Ok(())
}

#[test]
fn the_schema_says_that_the_name_is_read_only() -> Result<(), Failure> {
    for mut setting in Setting::all()? {
        let schema = setting
            .peer
            .exchange("GET", &format!("/Schemas/{GROUP}"), None)?
            .expect(200, "schema")?;
        let attributes = schema["attributes"].as_array().into_iter().flatten();
        let members =
            attributes.flat_map(|attribute| attribute["subAttributes"].as_array().into_iter().flatten());
        let named: Vec<_> = members.filter(|sub| sub["name"] == "display").collect();
        check(named.len() == 1 && named[0]["mutability"] == "readOnly", || {
            schema.to_string()
        })?;
    }
    Ok(())
}
