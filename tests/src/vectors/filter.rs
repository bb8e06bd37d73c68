//! The filter vectors.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Exchange, ExpectedError, Report};
use crate::http::percent_encode;
use crate::{Failure, fixtures};

/// `vectors/filter.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterVectors {
    /// The version of the format.
    pub format: u32,
    /// The meaning of the members.
    pub about: String,
    /// The people that the filters select from.
    pub users: Vec<Person>,
    /// The vectors.
    pub vectors: Vec<FilterVector>,
}

/// A person and the key by which the vectors name them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The key.
    pub key: String,
    /// The User resource to create.
    pub resource: Value,
}

/// One filter with its meaning.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterVector {
    /// The identifier.
    pub id: String,
    /// The filter.
    pub filter: String,
    /// Whether it is a filter that has to be accepted.
    pub valid: bool,
    /// The rule it stands for.
    pub source: String,
    /// The kind of rule.
    pub category: String,
    /// Whether it makes sense over HTTP; else it is for the parser alone.
    pub http: bool,
    /// The syntax tree, for the parser.
    #[serde(default)]
    pub ast: Option<Value>,
    /// The keys of the people it selects.
    #[serde(default)]
    pub matches: Option<BTreeSet<String>>,
    /// The error it is refused with.
    #[serde(default)]
    pub error: Option<ExpectedError>,
    /// Whether the grammar allows it, if it is refused.
    #[serde(default)]
    pub grammar_ok: Option<bool>,
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

impl FilterVectors {
    /// Reads the fixture.
    pub fn load() -> Result<Self, Failure> {
        fixtures::read("vectors/filter.json")
    }
}

/// Creates the people, asks every filter by GET and by POST `.search`, and removes the people again.
///
/// The organization must hold nobody else. Each vector counts once, for both ways of asking.
pub fn run(peer: &mut impl Exchange) -> Result<Report, Failure> {
    let fixture = FilterVectors::load()?;
    let mut keys = BTreeMap::new();
    for person in &fixture.users {
        let made = peer
            .exchange("POST", "/Users", Some(&person.resource))?
            .expect(201, &person.key)?;
        let id = made["id"]
            .as_str()
            .ok_or_else(|| Failure::new(format!("{} was created without id", person.key)))?;
        keys.insert(id.to_owned(), person.key.clone());
    }
    let mut report = Report::default();
    for vector in fixture.vectors.iter().filter(|vector| vector.http) {
        let by_get = peer.exchange(
            "GET",
            &format!("/Users?filter={}&count=100", percent_encode(&vector.filter)),
            None,
        )?;
        let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": vector.filter, "count": 100});
        let by_search = peer.exchange("POST", "/Users/.search", Some(&search))?;
        let fault = [("GET", by_get), ("POST .search", by_search)]
            .iter()
            .find_map(|(way, answer)| vector.fault(answer, &keys).map(|fault| format!("{way}: {fault}")));
        report.add(vector.debatable, &vector.id, &vector.filter, fault);
    }
    for id in keys.keys() {
        peer.exchange("DELETE", &format!("/Users/{id}"), None)?
            .expect(204, "removing a person")?;
    }
    Ok(report)
}

impl FilterVector {
    /// Says what is wrong with an answer, if anything; `keys` gives the key of each id.
    fn fault(&self, answer: &Answer, keys: &BTreeMap<String, String>) -> Option<String> {
        if let Some(error) = &self.error {
            return answer.differs_from(error);
        }
        if answer.status != 200 {
            return Some(format!(
                "wanted {:?}, got {} {}",
                self.matches, answer.status, answer.body
            ));
        }
        let resources = answer.body["Resources"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let ids = resources
            .iter()
            .map(|resource| resource["id"].as_str().unwrap_or_default());
        let found: BTreeSet<String> = ids
            .map(|id| keys.get(id).map_or(id, String::as_str).to_owned())
            .collect();
        if self.matches.as_ref() != Some(&found) || found.len() != resources.len() {
            return Some(format!(
                "wanted {:?}, got {found:?} in {} resources",
                self.matches,
                resources.len()
            ));
        }
        let total = &answer.body["totalResults"];
        (*total != json!(found.len())).then(|| format!("totalResults is {total} for {} matches", found.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vector_expects_exactly_one_outcome() {
        let fixture = FilterVectors::load().unwrap();
        let people: BTreeSet<_> = fixture.users.iter().map(|person| person.key.clone()).collect();
        for vector in &fixture.vectors {
            assert_eq!(vector.valid, vector.error.is_none(), "{}", vector.id);
            assert!(
                !vector.http || !vector.valid || vector.matches.is_some(),
                "{}",
                vector.id
            );
            assert!(
                vector.matches.iter().all(|matches| matches.is_subset(&people)),
                "{}",
                vector.id
            );
        }
    }
}
