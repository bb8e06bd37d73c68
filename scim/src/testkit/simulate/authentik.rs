//! authentik: writes first and asks after a conflict, and reads members back to repair them.

use std::collections::BTreeSet;

use http::{HeaderMap, Method};
use serde_json::{Value, json};

use super::console::Console;
use super::directory::{Group, Person};
use super::job::{Job, Trouble};
use super::ledger::{Ledger, Roster, Team};
use super::provider::{GROUP, Provider, USER, headers, plus, remove_by_value, search_target};
use super::transport::Transport;

#[derive(Default)]
pub(super) struct Authentik {
    /// Operations in one request at most, from the server's `bulk.maxOperations`; 0 stands for no limit.
    chunk: usize,
}

impl Authentik {
    fn body(group: &Group) -> Value {
        json!({"schemas": [GROUP], "externalId": group.external_id(), "displayName": group.name})
    }

    async fn send_chunked<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        path: &str,
        operations: &[Value],
    ) -> Result<(), Trouble> {
        let size = if self.chunk == 0 {
            operations.len()
        } else {
            self.chunk
        };
        for chunk in operations.chunks(size.max(1)) {
            job.patch(path, chunk.to_vec()).await?;
        }
        Ok(())
    }
}

impl Provider for Authentik {
    fn name(&self) -> &'static str {
        "authentik"
    }

    fn console(&self) -> Console {
        Console {
            test: "Providers > SCIM > Sync status",
            failures: "Providers > SCIM > Sync status, messages of the last run",
            retry: "each is tried again in the hourly sync",
        }
    }

    fn headers(&self) -> HeaderMap {
        headers(&[
            ("user-agent", "goauthentik.io/2025.10"),
            ("accept", "application/scim+json"),
            ("content-type", "application/scim+json"),
        ])
    }

    fn user_search(&self, login: &str) -> String {
        search_target("/Users", "userName", login, plus)
    }

    fn group_search(&self, name: &str) -> String {
        search_target("/Groups", "displayName", name, plus)
    }

    fn creates_first(&self) -> bool {
        true
    }

    fn user(&self, person: &Person, _: &Ledger) -> Value {
        json!({
            "schemas": [USER],
            "active": person.active,
            "emails": [{"primary": true, "type": "other", "value": person.login}],
            "externalId": person.external_id(),
            "name": {"familyName": person.family, "formatted": person.display(), "givenName": person.given},
            "displayName": person.display(),
            "userName": person.login,
            "photos": [],
            "locale": "en-US",
        })
    }

    fn group(&self, group: &Group) -> Value {
        Self::body(group)
    }

    /// Tests the connection. The way in which the server is spoken to depends on its abilities.
    async fn connect<T: Transport>(&mut self, job: &mut Job<'_, T>) -> Result<(), Trouble> {
        let path = "/ServiceProviderConfig";
        let config = job.insist(Method::GET, path, None).await?.body;
        let supported = |name: &str| {
            config
                .pointer(&format!("/{name}/supported"))
                .and_then(Value::as_bool)
        };
        if supported("patch") != Some(true) {
            return Err(Trouble::Strange(format!(
                "{path} does not say that PATCH is supported"
            )));
        }
        let most = config
            .pointer("/bulk/maxOperations")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        self.chunk = usize::try_from(most).unwrap_or(0);
        let path = "/Users?startIndex=1";
        let list = job.insist(Method::GET, path, None).await?.body;
        job.resources(path, &list).map(|_| ())
    }

    async fn update<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        id: &str,
        person: &Person,
        _: Option<Value>,
    ) -> Result<(), Trouble> {
        let mut body = self.user(person, &job.ledger);
        if let Some(body) = body.as_object_mut() {
            body.insert("id".into(), json!(id));
        }
        job.put(&format!("/Users/{id}"), &body).await.map(|_| ())
    }

    /// Pushes a group. Its own attributes come without a path, with `path: null` as the serializer leaves it; members one
    /// operation each; removals by value. Then the group is read, and what is not as it should be is repaired.
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
            let mut value = Self::body(group);
            if let Some(value) = value.as_object_mut() {
                value.insert("id".into(), json!(team.id));
            }
            job.patch(
                &path,
                vec![json!({"op": "replace", "path": null, "value": value})],
            )
            .await?;
            job.ledger.confirm_name(group.key, Some(&group.name));
        }
        job.ledger.doubt(group.key, roster);
        let removal = |values: Value| json!({"op": "remove", "path": "members", "value": values});
        let add = |id: &str| json!({"op": "add", "path": "members", "value": [{"value": id}]});
        let adds: Vec<_> = roster.add.iter().map(|member| add(&member.id)).collect();
        self.send_chunked(job, &path, &adds).await?;
        if !roster.remove.is_empty() {
            let values: Value = roster.remove.iter().map(|(_, id)| json!({"value": id})).collect();
            remove_by_value(job, &team.id, removal(values)).await?;
        }
        let held = job.get(&path).await?;
        let held: BTreeSet<&str> = held
            .get("members")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|member| member.get("value")?.as_str())
            .collect();
        let wanted: BTreeSet<&str> = roster.all.iter().map(|member| member.id.as_str()).collect();
        let missing: Vec<_> = wanted.difference(&held).map(|id| add(id)).collect();
        self.send_chunked(job, &path, &missing).await?;
        let surplus: Value = held.difference(&wanted).map(|id| json!({"value": id})).collect();
        if surplus.as_array().is_some_and(|surplus| !surplus.is_empty()) {
            remove_by_value(job, &team.id, removal(surplus)).await?;
        }
        job.ledger.confirm(group.key, roster);
        Ok(())
    }
}
