//! A client made with SCIM-SDK, as the plugins of Keycloak are: the RFCs, but for the value of a PATCH with a path, which
//! is a list even where the attribute has one simple value.

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::changes::{Change, changes, element, explain, path};
use super::console::Console;
use super::directory::{Group, Person};
use super::flatten::flatten;
use super::job::{Job, Trouble};
use super::ledger::{Ledger, Roster, Team};
use super::provider::{ENTERPRISE, GROUP, Provider, USER, headers, literal, percent, search_target};
use super::transport::Transport;

pub(super) struct ScimSdk;

/// Makes an operation with its value in a list of one.
fn set(path: &str, value: &Value) -> Value {
    json!({"op": "replace", "path": path, "value": [value]})
}

/// Makes one operation for each change. Elements that the server does not hold are added whole.
fn operations(changes: &[Change], wanted: &Value) -> Vec<Value> {
    let mut operations = Vec::new();
    for change in changes {
        let added = change.is_new_element.then(|| addition(change, wanted)).flatten();
        let operation = match (added, &change.value) {
            (Some(added), _) => added,
            (None, Some(value)) => set(&path(&change.name), value),
            (None, None) => json!({"op": "remove", "path": path(&change.name)}),
        };
        if !operations.contains(&operation) {
            operations.push(operation);
        }
    }
    operations
}

/// Adds the element that a change leads into.
fn addition(change: &Change, wanted: &Value) -> Option<Value> {
    let (list, kind) = element(&change.name)?.trim_end_matches(']').split_once('[')?;
    let mut elements = wanted.get(list)?.as_array()?.iter();
    let whole = elements.find(|element| element.get("type").and_then(Value::as_str) == Some(kind))?;
    Some(json!({"op": "add", "path": list, "value": [whole]}))
}

impl Provider for ScimSdk {
    fn name(&self) -> &'static str {
        "SCIM-SDK"
    }

    fn console(&self) -> Console {
        Console {
            test: "the test of the connection in the application",
            failures: "the log of the application",
            retry: "each is tried again when the person or the group changes",
        }
    }

    fn headers(&self) -> HeaderMap {
        headers(&[
            ("accept", "application/scim+json"),
            ("content-type", "application/scim+json"),
        ])
    }

    fn user_search(&self, login: &str) -> String {
        search_target("/Users", "userName", login, percent)
    }

    fn group_search(&self, name: &str) -> String {
        search_target("/Groups", "displayName", name, percent)
    }

    fn user(&self, person: &Person, ledger: &Ledger) -> Value {
        let manager = person.manager.and_then(|manager| ledger.accounts.get(&manager));
        let of = |kind: &str, name: &str, value: &str| json!({"type": kind, name: value});
        json!({
            "schemas": [USER, ENTERPRISE],
            "externalId": person.external_id(),
            "userName": person.login,
            "active": person.active,
            "displayName": person.display(),
            "title": person.title,
            "name": {"givenName": person.given, "familyName": person.family},
            "emails": [{"value": person.login, "type": "work", "primary": true}],
            "phoneNumbers": person.mobile.iter().map(|mobile| of("mobile", "value", mobile)).collect::<Value>(),
            "addresses": person.city.iter().map(|city| of("work", "locality", city)).collect::<Value>(),
            ENTERPRISE: {
                "department": person.department,
                "employeeNumber": person.employee_number(),
                "manager": manager.map(|manager| json!({"value": manager})),
            },
        })
    }

    fn group(&self, group: &Group) -> Value {
        json!({"schemas": [GROUP], "externalId": group.external_id(), "displayName": group.name})
    }

    /// Reads what the server can do, and looks for somebody who is not there.
    async fn connect<T: Transport>(&mut self, job: &mut Job<'_, T>) -> Result<(), Trouble> {
        let path = "/ServiceProviderConfig";
        let config = job.insist(Method::GET, path, None).await?.body;
        if config.pointer("/patch/supported") != Some(&json!(true)) {
            return Err(Trouble::Strange(format!(
                "{path} does not say that PATCH is supported"
            )));
        }
        let path = self.user_search(&job.guid());
        let list = job.insist(Method::GET, &path, None).await?.body;
        job.resources(&path, &list).map(|_| ())
    }

    async fn update<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        id: &str,
        person: &Person,
        _: Option<Value>,
    ) -> Result<(), Trouble> {
        let path = format!("/Users/{id}");
        let wanted = self.user(person, &job.ledger);
        let held = flatten(&job.get(&path).await?);
        let changes = changes(&held, &flatten(&wanted));
        if changes.is_empty() {
            return Ok(());
        }
        let operations = operations(&changes, &wanted);
        match job.patch(&path, operations.clone()).await {
            Err(Trouble::Refused(refusal)) if refusal.status == 400 => {
                explain(job, &path, &changes, operations, &refusal).await;
                Err(Trouble::Refused(refusal))
            }
            answer => answer,
        }
    }

    async fn push<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        group: &Group,
        team: &Team,
        roster: &Roster,
    ) -> Result<(), Trouble> {
        let path = format!("/Groups/{}", team.id);
        if team.name.as_deref() != Some(group.name.as_str()) {
            job.ledger.confirm_name(group.key, None);
            job.patch(&path, vec![set("displayName", &json!(group.name))])
                .await?;
            job.ledger.confirm_name(group.key, Some(&group.name));
        }
        if roster.is_settled() {
            return Ok(());
        }
        job.ledger.doubt(group.key, roster);
        let mut operations = Vec::new();
        if !roster.add.is_empty() {
            let values: Value = roster
                .add
                .iter()
                .map(|member| json!({"value": member.id}))
                .collect();
            operations.push(json!({"op": "add", "path": "members", "value": values}));
        }
        for (_, id) in &roster.remove {
            operations.push(json!({"op": "remove", "path": format!("members[value eq {}]", literal(id))}));
        }
        if !operations.is_empty() {
            job.patch(&path, operations).await?;
        }
        job.ledger.confirm(group.key, roster);
        Ok(())
    }
}
