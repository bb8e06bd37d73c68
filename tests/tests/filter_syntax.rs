//! The syntax half of the filter and PATCH vectors: what parses, into which tree, and what is refused.

use scim::filter::{Filter, Literal, PathExpression};
use scim::path::AttributeName;
use scim::{Limits, ScimType};
use serde_json::{Value, json};

const FILTERS: &str = include_str!("../fixtures/vectors/filter.json");
const PATCHES: &str = include_str!("../fixtures/vectors/patch.json");

/// Debatable texts outside the letter of the grammar that we read nevertheless: several spaces, tabs, spaces inside
/// brackets, and literals in any case.
const TOLERATED: [&str; 4] = [
    "userName  eq  \"minimal\"",
    "userName\teq\t\"x\"",
    "emails[ type eq \"work\" ]",
    "active eq True",
];

#[derive(serde::Deserialize)]
struct File {
    vectors: Vec<Value>,
}

fn vectors(file: &str) -> serde_json::Result<Vec<Value>> {
    serde_json::from_str(file).map(|file: File| file.vectors)
}

fn name(name: &AttributeName) -> Value {
    json!({ "uri": name.urn, "attr": name.name, "sub": name.sub })
}

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => json!(value),
        Literal::Number(number) => json!(number.as_f64()),
        Literal::String(text) => json!(text),
    }
}

/// Returns a filter in the notation of the vectors.
fn tree(filter: &Filter) -> Value {
    let all = |filters: &[Filter]| filters.iter().map(tree).collect::<Vec<_>>();
    match filter {
        Filter::And(filters) => json!({ "op": "and", "args": all(filters) }),
        Filter::Or(filters) => json!({ "op": "or", "args": all(filters) }),
        Filter::Not(inner) => json!({ "op": "not", "arg": tree(inner) }),
        Filter::Present(attribute) => json!({ "op": "pr", "path": name(attribute) }),
        Filter::Compare(comparison) => json!({
            "op": comparison.operator.as_str(),
            "path": name(&comparison.attribute),
            "value": value(&comparison.value),
        }),
        Filter::ValuePath(path) => json!({
            "op": "valuePath",
            "path": name(&path.attribute),
            "filter": tree(&path.filter),
        }),
    }
}

/// Numbers are compared by value: `42` and `42.0` are one number in JSON.
fn with_floats(tree: &Value) -> Value {
    match tree {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(with_floats).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), with_floats(value)))
            .collect(),
        other => other.clone(),
    }
}

#[test]
fn every_filter_vector_parses_into_its_tree_or_is_refused() {
    let mut failures = Vec::new();
    let (mut trees, mut refused) = (0, 0);
    for vector in vectors(FILTERS).unwrap() {
        let text = vector["filter"].as_str().unwrap_or_default();
        let well_formed = vector["grammar_ok"] == json!(true) || vector["valid"] == json!(true);
        match Filter::parse(text, &Limits::default()) {
            Ok(filter) if !well_formed && !TOLERATED.contains(&text) => {
                failures.push(format!("{text}: read as {filter}"));
            }
            Ok(filter) => {
                if let Some(expected) = vector.get("ast") {
                    trees += 1;
                    if tree(&filter) != with_floats(expected) {
                        failures.push(format!("{text}: read as {filter}"));
                    }
                }
                if filter.to_string().parse::<Filter>().ok().as_ref() != Some(&filter) {
                    failures.push(format!("{text}: {filter} does not parse back"));
                }
            }
            Err(error) if well_formed || TOLERATED.contains(&text) => {
                failures.push(format!("{text}: {error}"));
            }
            Err(error) => {
                refused += 1;
                if error.status() != 400 || error.scim_type() != Some(ScimType::InvalidFilter) {
                    failures.push(format!("{text}: refused with {error:?}"));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(
        trees > 90 && refused > 40,
        "{trees} trees, {refused} refusals: vectors are missing"
    );
}

#[test]
fn every_path_that_a_patch_vector_applies_parses_and_prints_what_parses_back() {
    let mut failures = Vec::new();
    let mut read = 0;
    for vector in vectors(PATCHES).unwrap() {
        let operations = vector["operations"].as_array().cloned().unwrap_or_default();
        for text in operations
            .iter()
            .filter_map(|operation| operation["path"].as_str())
        {
            if vector.get("error").is_some() {
                continue;
            }
            read += 1;
            match PathExpression::parse(text, &Limits::default()) {
                Ok(path) if path.to_string().parse::<PathExpression>().ok().as_ref() == Some(&path) => {}
                Ok(path) => failures.push(format!("{text}: {path} does not parse back")),
                Err(error) => failures.push(format!("{text}: {error}")),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(read > 50, "{read} paths: vectors are missing");
}

#[test]
fn malformed_paths_of_the_patch_vectors_are_refused_by_their_syntax() {
    let broken_path = [
        "",
        "name givenName",
        "emails..value",
        "\"userName\"",
        "/nickName",
        ".userName",
    ]
    .into_iter()
    .chain(["name.given.x", "emails[type eq \"work\"]]", "$.userName"])
    .map(|text| (text, ScimType::InvalidPath));
    let broken_filter = [("emails[type eq \"work\"", ScimType::InvalidFilter)];
    for (text, scim_type) in broken_path.chain(broken_filter) {
        let error = PathExpression::parse(text, &Limits::default()).err();
        assert_eq!(
            error.and_then(|error| error.scim_type()),
            Some(scim_type),
            "{text}"
        );
    }
}
