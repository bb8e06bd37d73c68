//! Microsoft Entra ID: cycles of many changes, one PATCH operation per attribute, and quarantine.

use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};

use super::changes::{Change, MANAGER, changes, explain, path};
use super::console::Console;
use super::directory::{Group, Key, Person};
use super::flatten::flatten;
use super::job::{Job, Trouble};
use super::ledger::{Ledger, Member, Roster, Team};
use super::provider::{
    ENTERPRISE, GROUP, Provider, Quarantine, USER, headers, literal, plus, remove_by_value, search_target,
};
use super::report::Fault;
use super::transport::Transport;

/// How Entra writes a PATCH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Capital operations, booleans as text, members removed by value: what is sent unless the tenant URL says
    /// otherwise.
    Default,
    /// The dialect that the flag `aadOptscim062020` in the tenant URL makes of it.
    Compliant,
    /// The dialect of the flag `AzureAdScimPatch2017` in the tenant URL: as by default, and every value in a list of
    /// objects, also where the attribute has one simple value.
    Patch2017,
}

/// Which attributes an administrator has mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mapping {
    /// Those that are mapped unless somebody changes it.
    Default,
    /// userName and the two names alone. Without `active` there is no way to deactivate: whoever leaves is deleted.
    ThreeAttributes,
}

pub(super) struct Entra {
    style: Style,
    mapping: Mapping,
}

impl Entra {
    pub(super) fn by_default() -> Self {
        Self {
            style: Style::Default,
            mapping: Mapping::Default,
        }
    }

    /// Uses the default mapping with standard PATCH.
    pub(super) fn compliant() -> Self {
        Self {
            style: Style::Compliant,
            mapping: Mapping::Default,
        }
    }

    /// Uses the default mapping with the PATCH of 2017.
    pub(super) fn of_2017() -> Self {
        Self {
            style: Style::Patch2017,
            mapping: Mapping::Default,
        }
    }

    pub(super) fn three_attributes() -> Self {
        Self {
            style: Style::Default,
            mapping: Mapping::ThreeAttributes,
        }
    }
}

const HEADERS: &[(&str, &str)] = &[
    ("accept", "application/scim+json"),
    ("content-type", "application/scim+json; charset=utf-8"),
];

/// More than 40 % failures from 5,000 on, or more than 40,000.
const QUARANTINE: Quarantine = Quarantine {
    percent: 40,
    least: 5_000,
    most: 40_000,
};

fn group_search(name: &str) -> String {
    let filter = plus(&format!("displayName eq {}", literal(name)));
    format!("/Groups?excludedAttributes=members&filter={filter}")
}

fn user(person: &Person, ledger: &Ledger) -> Value {
    let mut enterprise = json!({"department": person.department, "employeeNumber": person.employee_number()});
    let manager = person.manager.and_then(|manager| ledger.accounts.get(&manager));
    if let (Some(manager), Some(enterprise)) = (manager, enterprise.as_object_mut()) {
        // The body's form of a manager is as unsettled as the documentation: both have been seen.
        let value = if person.key.is_multiple_of(2) {
            json!(manager)
        } else {
            json!({"value": manager})
        };
        enterprise.insert("manager".into(), value);
    }
    let mut body = json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": person.external_id(),
        "userName": person.login,
        "active": person.active,
        "displayName": person.display(),
        "emails": [{"primary": true, "type": "work", "value": person.login}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": person.display(), "familyName": person.family, "givenName": person.given},
        "title": person.title,
        "preferredLanguage": null,
        "roles": person.role.iter().map(|role| json!({"primary": "True", "value": role})).collect::<Value>(),
        ENTERPRISE: enterprise,
    });
    if let Some(body) = body.as_object_mut() {
        let mut list = |name: &str, value: Value| _ = body.insert(name.into(), json!([value]));
        if let Some(mobile) = &person.mobile {
            list("phoneNumbers", json!({"type": "mobile", "value": mobile}));
        }
        if let Some(city) = &person.city {
            list(
                "addresses",
                json!({"type": "work", "locality": city, "formatted": format!("1 Way, {city}")}),
            );
        }
    }
    body
}

fn three_attributes(person: &Person) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": person.login,
        "meta": {"resourceType": "User"},
        "name": {"familyName": person.family, "givenName": person.given},
    })
}

/// Returns the body of a group. Its second schema is one that nobody else knows.
fn group(group: &Group) -> Value {
    json!({
        "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId": group.external_id(),
        "displayName": group.name,
        "meta": {"resourceType": "Group"},
    })
}

/// Returns a group without the schema that only Entra knows, or a person whose manager is an object.
fn simplified(body: &Value) -> Option<(Fault, Value)> {
    let mut simple = body.clone();
    if let Some(manager) = simple
        .get_mut(ENTERPRISE)
        .and_then(|enterprise| enterprise.get_mut("manager"))
    {
        let id = manager.as_str()?.to_owned();
        *manager = json!({"value": id});
        return Some((Fault::ManagerRefused, simple));
    }
    if body.get("userName").is_some() {
        return None;
    }
    simple.as_object_mut()?.insert("schemas".into(), json!([GROUP]));
    Some((Fault::UnknownSchemaRefused, simple))
}

/// Looks for somebody or something that cannot exist; anything but an empty list means that this is no SCIM server.
async fn look_for_nobody<T: Transport>(
    job: &mut Job<'_, T>,
    path: &str,
    attribute: &str,
) -> Result<(), Trouble> {
    let answer = job.insist(Method::GET, path, None).await;
    if let Err(trouble) = &answer
        && trouble.status() == Some(404)
    {
        job.report.fault(Fault::EmptySearchRefused, trouble.describe());
    }
    let list = answer?.body;
    if let Some(found) = job.resources(path, &list)?.first() {
        let found = found.get(attribute).unwrap_or(&Value::Null).to_string();
        job.report
            .fault(Fault::WrongMatch, format!("GET {path} returned {found}"));
    }
    Ok(())
}

impl Style {
    fn word(self, word: &'static str) -> String {
        match self {
            Self::Compliant => word.to_ascii_lowercase(),
            Self::Default | Self::Patch2017 => word.to_owned(),
        }
    }

    fn value(self, value: &Value) -> Value {
        let value = match (self, value) {
            (Self::Default | Self::Patch2017, Value::Bool(true)) => json!("True"),
            (Self::Default | Self::Patch2017, Value::Bool(false)) => json!("False"),
            _ => value.clone(),
        };
        match self {
            Self::Default | Self::Compliant => value,
            Self::Patch2017 => json!([{"$ref": null, "value": value}]),
        }
    }

    /// Makes the operation of a change. Add and Replace are both seen for attributes that have no value yet.
    fn operation<T: Transport>(self, job: &mut Job<'_, T>, change: &Change) -> Value {
        let adds = change.is_new && job.random.chance(500);
        let op = self.word(if adds { "Add" } else { "Replace" });
        match &change.value {
            Some(value) => json!({"op": op, "path": path(&change.name), "value": self.value(value)}),
            // Either way has been seen to take a manager away; in 2017's form, only this one.
            None if self == Self::Patch2017 || job.random.chance(500) => {
                json!({"op": self.word("Remove"), "path": path(&change.name)})
            }
            None => json!({"op": op, "path": path(&change.name), "value": ""}),
        }
    }

    fn operations<T: Transport>(self, job: &mut Job<'_, T>, changes: &[Change]) -> Vec<Value> {
        let has_filter = |change: &&Change| change.name.contains('[');
        let is_plain = |change: &&Change| !change.name.contains('[') && change.value.is_some();
        if self != Self::Compliant {
            return changes.iter().map(|change| self.operation(job, change)).collect();
        }
        // With the flag, everything without a filter goes into one operation without a path, under dotted names and
        // names with URNs. References keep an operation of their own.
        let by_path =
            |change: &&Change| has_filter(change) || !is_plain(change) || change.name.starts_with(MANAGER);
        let mut operations: Vec<_> = changes
            .iter()
            .filter(by_path)
            .map(|change| self.operation(job, change))
            .collect();
        let rest: Map<_, _> = changes
            .iter()
            .filter(|change| !by_path(change))
            .filter_map(|change| Some((change.name.clone(), change.value.clone()?)))
            .collect();
        if !rest.is_empty() {
            operations.push(json!({"op": "replace", "value": rest}));
        }
        operations
    }

    async fn update<T: Transport>(
        self,
        job: &mut Job<'_, T>,
        id: &str,
        wanted: &Value,
    ) -> Result<(), Trouble> {
        let path = format!("/Users/{id}");
        let held = flatten(&job.get(&path).await?);
        let changes = changes(&held, &flatten(wanted));
        if changes.is_empty() {
            return Ok(());
        }
        for change in changes.iter().filter(|change| change.is_new_element) {
            job.ledger
                .made_by_path
                .insert((id.to_owned(), change.name.clone()));
        }
        let operations = self.operations(job, &changes);
        match job.patch(&path, operations.clone()).await {
            Err(Trouble::Refused(refusal)) if refusal.status == 400 => {
                explain(job, &path, &changes, operations, &refusal).await;
                Err(Trouble::Refused(refusal))
            }
            answer => answer,
        }
    }

    /// Pushes a group. It is looked at without its members, which are therefore never repaired.
    async fn push<T: Transport>(
        self,
        job: &mut Job<'_, T>,
        group: &Group,
        team: &Team,
        roster: &Roster,
    ) -> Result<(), Trouble> {
        let path = format!("/Groups/{}", team.id);
        let held = job.get(&format!("{path}?excludedAttributes=members")).await?;
        if held.get("members").is_some() {
            job.report.fault(
                Fault::ExcludedShown,
                format!("GET {path}?excludedAttributes=members"),
            );
        }
        if held.get("displayName").and_then(Value::as_str) != Some(group.name.as_str()) {
            let name = json!({"op": self.word("Replace"), "path": "displayName", "value": self.value(&json!(group.name))});
            job.patch(&path, vec![name]).await?;
        }
        job.ledger.doubt(group.key, roster);
        for members in roster.add.chunks(MEMBERS_AT_ONCE) {
            let ids = members.iter().map(|member| member.id.as_str());
            let add = json!({"op": self.word("Add"), "path": "members", "value": self.references(ids)});
            job.patch(&path, vec![add]).await?;
        }
        for members in roster.remove.chunks(MEMBERS_AT_ONCE) {
            match self {
                Self::Default | Self::Patch2017 => {
                    remove_by_value(job, &team.id, self.removal(members)).await?;
                }
                Self::Compliant => job.patch(&path, removals(members)).await?,
            }
        }
        job.ledger.confirm(group.key, roster);
        Ok(())
    }

    fn references<'a>(self, ids: impl Iterator<Item = &'a str>) -> Value {
        ids.map(|id| match self {
            Self::Default | Self::Patch2017 => json!({"$ref": null, "value": id}),
            Self::Compliant => json!({"value": id}),
        })
        .collect()
    }

    fn removal(self, members: &[(Key, String)]) -> Value {
        let ids = members.iter().map(|(_, id)| id.as_str());
        json!({"op": self.word("Remove"), "path": "members", "value": self.references(ids)})
    }

    /// Provisions on demand: takes up to five members of a group, whether they are there already or not.
    async fn on_demand<T: Transport>(self, job: &mut Job<'_, T>, team: &Team) -> Result<bool, Trouble> {
        let ids: Vec<_> = team.members.values().take(5).map(String::as_str).collect();
        if ids.is_empty() {
            return Ok(false);
        }
        let add = json!({
            "op": self.word("Add"), "path": "members", "value": self.references(ids.into_iter()),
        });
        let path = format!("/Groups/{}", team.id);
        job.patch(&path, vec![add]).await.map(|()| true)
    }
}

const MEMBERS_AT_ONCE: usize = 20;

fn removals(members: &[(Key, String)]) -> Vec<Value> {
    let path = |id: &str| format!("members[value eq {}]", literal(id));
    members
        .iter()
        .map(|(_, id)| json!({"op": "remove", "path": path(id)}))
        .collect()
}

impl Provider for Entra {
    fn name(&self) -> &'static str {
        match (self.style, self.mapping) {
            (Style::Default, Mapping::Default) => "Entra ID",
            (Style::Compliant, _) => "Entra ID with aadOptscim062020",
            (Style::Patch2017, _) => "Entra ID with AzureAdScimPatch2017",
            (Style::Default, Mapping::ThreeAttributes) => "Entra ID with three attributes",
        }
    }

    fn console(&self) -> Console {
        Console {
            test: "Provisioning > Admin Credentials > Test Connection",
            failures: "Monitor > Provisioning logs, status Failure",
            retry: "each is tried again in the next cycles, ever more seldom",
        }
    }

    fn headers(&self) -> HeaderMap {
        headers(HEADERS)
    }

    /// Says how many changes are provisioned together: about every 40 minutes, everything that has changed since.
    fn batch(&self) -> usize {
        40
    }

    fn quarantine(&self) -> Option<Quarantine> {
        Some(QUARANTINE)
    }

    fn user_search(&self, login: &str) -> String {
        search_target("/Users", "userName", login, plus)
    }

    fn group_search(&self, name: &str) -> String {
        group_search(name)
    }

    fn is_assigned(&self, person: &Person) -> bool {
        self.mapping == Mapping::Default || person.active
    }

    fn user(&self, person: &Person, ledger: &Ledger) -> Value {
        match self.mapping {
            Mapping::Default => user(person, ledger),
            Mapping::ThreeAttributes => three_attributes(person),
        }
    }

    fn group(&self, of: &Group) -> Value {
        group(of)
    }

    fn simplified(&self, body: &Value) -> Option<(Fault, Value)> {
        simplified(body)
    }

    async fn connect<T: Transport>(&mut self, job: &mut Job<'_, T>) -> Result<(), Trouble> {
        let guid = job.guid();
        look_for_nobody(job, &self.user_search(&guid), "userName").await?;
        look_for_nobody(job, &group_search(&guid), "displayName").await
    }

    async fn update<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        id: &str,
        person: &Person,
        _: Option<Value>,
    ) -> Result<(), Trouble> {
        let wanted = self.user(person, &job.ledger);
        self.style.update(job, id, &wanted).await
    }

    async fn push<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        group: &Group,
        team: &Team,
        roster: &Roster,
    ) -> Result<(), Trouble> {
        self.style.push(job, group, team, roster).await
    }

    async fn on_demand<T: Transport>(
        &self,
        job: &mut Job<'_, T>,
        team: &Team,
        _: &[Member],
    ) -> Result<bool, Trouble> {
        // The flag in the tenant URL does nothing here.
        Style::Default.on_demand(job, team).await
    }
}
