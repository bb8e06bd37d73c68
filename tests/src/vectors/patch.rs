//! The PATCH vectors.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::compare::difference;
use super::{Answer, Exchange, ExpectedError, Policy, Report};
use crate::{Failure, fixtures};

/// `vectors/patch.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatchVectors {
    /// The version of the format.
    pub format: u32,
    /// The meaning of the members.
    pub about: String,
    /// The vectors.
    pub vectors: Vec<PatchVector>,
}

/// One PATCH request with its outcome.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PatchVector {
    /// The identifier.
    pub id: String,
    /// The kind of rule.
    pub category: String,
    /// The resource type: `User` or `Group`.
    pub resource_type: String,
    /// The resource before the request.
    pub before: Value,
    /// The operations, unless `body` is given.
    pub operations: Option<Value>,
    /// The whole request body, where it is not a well-formed PATCH.
    #[serde(default)]
    pub body: Option<Value>,
    /// The resource after the request.
    #[serde(default)]
    pub after: Option<Value>,
    /// The error it is refused with; the resource is unchanged then.
    #[serde(default)]
    pub error: Option<ExpectedError>,
    /// A second outcome that is right too.
    #[serde(default, rename = "accept_also")]
    pub accept_also: Option<Alternative>,
    /// The rule it stands for.
    pub source: String,
    /// Whether it makes sense over HTTP.
    pub http: bool,
    /// The only policy it holds under.
    #[serde(default)]
    pub policy: Option<Policy>,
    /// Whether another outcome can be defended: reported, never deciding.
    #[serde(default)]
    pub debatable: bool,
    /// Why it is debatable.
    #[serde(default)]
    pub why: Option<String>,
    /// A remark.
    #[serde(default)]
    pub note: Option<String>,
}

/// A second right outcome of a vector.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alternative {
    /// The error it may be refused with.
    #[serde(default)]
    pub error: Option<ExpectedError>,
    /// The resource that may come out.
    #[serde(default)]
    pub after: Option<Value>,
}

/// The ids that stand for the placeholders of the vectors.
#[derive(Debug, Clone, Default)]
pub struct Ids(BTreeMap<String, String>);

impl Ids {
    /// Takes these as the ids of `{{u1}}`, `{{u2}}` and so on.
    pub fn of_users<'a>(ids: impl IntoIterator<Item = &'a str>) -> Self {
        let named = ids
            .into_iter()
            .enumerate()
            .map(|(index, id)| (format!("{{{{u{}}}}}", index + 1), id.to_owned()));
        Self(named.collect())
    }

    /// Returns the same with the id of `{{self}}`.
    #[must_use]
    pub fn with_self(&self, id: &str) -> Self {
        let mut ids = self.clone();
        ids.0.insert("{{self}}".to_owned(), id.to_owned());
        ids
    }

    /// Returns a value with every placeholder replaced.
    pub fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self
                .0
                .iter()
                .fold(text.clone(), |text, (name, id)| text.replace(name, id))
                .into(),
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| (name.clone(), self.fill(value)))
                .collect(),
            other => other.clone(),
        }
    }
}

impl PatchVectors {
    /// Reads the fixture.
    pub fn load() -> Result<Self, Failure> {
        fixtures::read("vectors/patch.json")
    }
}

impl PatchVector {
    /// Returns whether the vector says anything about this policy.
    pub fn holds_under(&self, policy: Policy) -> bool {
        self.policy.is_none_or(|only| only == policy)
    }

    /// Returns the request body, placeholders unfilled.
    pub fn request(&self) -> Value {
        self.body.clone().unwrap_or_else(|| {
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": self.operations})
        })
    }

    fn run(&self, peer: &mut impl Exchange, users: &Ids) -> Result<Option<String>, Failure> {
        let endpoint = format!("/{}s", self.resource_type);
        let made = peer
            .exchange("POST", &endpoint, Some(&users.fill(&self.before)))?
            .expect(201, "creating `before`")?;
        let id = made["id"]
            .as_str()
            .ok_or_else(|| Failure::new("`before` was created without id"))?;
        let resource = format!("{endpoint}/{id}");
        let ids = users.with_self(id);
        let before = peer
            .exchange("GET", &resource, None)?
            .expect(200, "reading `before`")?;
        let answer = peer.exchange("PATCH", &resource, Some(&ids.fill(&self.request())))?;
        let after = peer
            .exchange("GET", &resource, None)?
            .expect(200, "reading what came out")?;
        let fault = self.fault(&ids, &before, &answer, &after);
        peer.exchange("DELETE", &resource, None)?
            .expect(204, "removing the resource")?;
        Ok(fault)
    }

    /// Says what is wrong with the outcome, if anything.
    pub fn fault(&self, ids: &Ids, before: &Value, answer: &Answer, after: &Value) -> Option<String> {
        let wanted = (self.after.as_ref(), self.error.as_ref());
        let fault = outcome_fault(wanted, ids, before, answer, after)?;
        let also = self
            .accept_also
            .as_ref()
            .map(|also| (also.after.as_ref(), also.error.as_ref()));
        if also.is_some_and(|also| outcome_fault(also, ids, before, answer, after).is_none()) {
            return None;
        }
        Some(fault)
    }
}

fn outcome_fault(
    (wanted, error): (Option<&Value>, Option<&ExpectedError>),
    ids: &Ids,
    before: &Value,
    answer: &Answer,
    after: &Value,
) -> Option<String> {
    if let Some(error) = error {
        let changed = (before != after).then(|| format!("refused, and yet changed from {before} to {after}"));
        return answer.differs_from(error).or(changed);
    }
    let wanted = ids.fill(wanted?);
    match answer.status {
        200 => difference(&wanted, &answer.body).map(|difference| format!("in the answer: {difference}")),
        204 => None,
        status => Some(format!("wanted success, got {status} {}", answer.body)),
    }
    .or_else(|| difference(&wanted, after))
}

/// Creates three users for the placeholders, then for each vector of the policy its resource, applies the request,
/// reads the resource back and removes it.
pub fn run(peer: &mut impl Exchange, policy: Policy) -> Result<Report, Failure> {
    let fixture = PatchVectors::load()?;
    let mut users = Vec::new();
    for name in [
        "vector-u1@example.com",
        "vector-u2@example.com",
        "vector-u3@example.com",
    ] {
        let user = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
        let made = peer.exchange("POST", "/Users", Some(&user))?.expect(201, name)?;
        users.push(
            made["id"]
                .as_str()
                .ok_or_else(|| Failure::new(format!("{name} was created without id")))?
                .to_owned(),
        );
    }
    let ids = Ids::of_users(users.iter().map(String::as_str));
    let mut report = Report::default();
    for vector in fixture
        .vectors
        .iter()
        .filter(|vector| vector.http && vector.holds_under(policy))
    {
        let fault = vector
            .run(peer, &ids)
            .map_err(|failure| failure.during(&vector.id))?;
        let fault = fault.map(|fault| format!("{fault}\n    request: {}", vector.request()));
        report.add(vector.debatable, &vector.id, &vector.source, fault);
    }
    for id in &users {
        peer.exchange("DELETE", &format!("/Users/{id}"), None)?
            .expect(204, "removing a user")?;
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_expects_exactly_one_outcome() {
        for vector in &PatchVectors::load().unwrap().vectors {
            assert_ne!(vector.after.is_some(), vector.error.is_some(), "{}", vector.id);
            assert_ne!(
                vector.operations.is_some(),
                vector.body.is_some(),
                "{}",
                vector.id
            );
        }
    }

    #[test]
    fn a_refused_request_must_leave_the_resource_as_it_was() {
        let error = ExpectedError {
            status: 400,
            scim_type: super::super::OneOrMany::One("noTarget".to_owned()),
        };
        let answer = Answer {
            status: 400,
            body: json!({"scimType": "noTarget"}),
        };
        let fault = |after: Value| {
            outcome_fault(
                (None, Some(&error)),
                &Ids::default(),
                &json!({"a": 1}),
                &answer,
                &after,
            )
        };
        assert_eq!(fault(json!({"a": 1})), None);
        assert!(fault(json!({"a": 2})).is_some_and(|fault| fault.contains("yet changed")));
    }

    #[test]
    fn placeholders_are_filled_everywhere() {
        let ids = Ids::of_users(["1", "2"]).with_self("3");
        let filled = ids.fill(
            &json!({"path": "members[value eq \"{{u2}}\"]", "value": [{"value": "{{u1}}"}, "{{self}}"]}),
        );
        assert_eq!(
            filled,
            json!({"path": "members[value eq \"2\"]", "value": [{"value": "1"}, "3"]})
        );
    }
}
