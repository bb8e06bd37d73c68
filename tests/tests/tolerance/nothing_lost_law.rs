//! The law for PATCH, over generated operations.

use proptest::prelude::*;
use scim::policy::Policy;
use serde_json::{Value, json};

use crate::peer::{Peer, TYPES};
use crate::resource::{List, lists};

/// An operation, and what it names: the words of the law.
#[derive(Debug, Clone)]
struct Asked {
    op: &'static str,
    /// The element that the brackets of the path name by its type, if the path has brackets.
    selected: Option<usize>,
    /// A sub-attribute behind the path.
    sub: Option<&'static str>,
    value: Said,
}

#[derive(Debug, Clone)]
enum Said {
    Absent,
    /// These of the values that are there, as they were sent.
    Held(Vec<usize>),
    /// Something else.
    Other(Value),
}

const TYPE_NAMES: [&str; 3] = ["work", "home", "other"];

fn asked() -> impl Strategy<Value = Asked> {
    let value = prop_oneof![
        2 => Just(Said::Absent),
        3 => prop::collection::vec(0..3usize, 1..3).prop_map(Said::Held),
        4 => prop::sample::select(vec![
            json!(null), json!([]), json!(""), json!({}), json!([null]), json!([{}]), json!([{"unknown": 1}]),
            json!([{"value": null}]), json!([{"type": "work"}]), json!([{"value": "nobody"}]), json!("nobody"),
            json!({"value": "nobody"}), json!([{"type": "home", "street": "nowhere"}]), json!({"0": {"value": "x"}}),
            json!(5), json!(true), json!("[]"), json!("[{\"value\":\"nobody\"}]"), json!(["nobody"]),
        ]).prop_map(Said::Other),
    ];
    let sub = prop::option::weighted(
        0.3,
        prop::sample::select(vec!["value", "type", "display", "street"]),
    );
    let op = prop::sample::select(vec!["add", "remove", "replace", "Remove"]);
    (op, prop::option::weighted(0.4, 0..3usize), sub, value).prop_map(|(op, selected, sub, value)| Asked {
        op,
        selected,
        sub,
        value,
    })
}

impl Asked {
    fn operation(&self, list: &List, held: &[Value]) -> Value {
        let mut path = list.path.clone();
        if let Some(index) = self.selected {
            path.push_str(&format!("[type eq \"{}\"]", TYPE_NAMES[index]));
        }
        if let Some(sub) = self.sub {
            path.push('.');
            path.push_str(sub);
        }
        let mut operation = json!({"op": self.op, "path": path});
        match &self.value {
            Said::Absent => {}
            Said::Held(indices) => {
                operation["value"] = indices.iter().map(|index| held[*index].clone()).collect();
            }
            Said::Other(value) => operation["value"] = value.clone(),
        }
        operation
    }

    /// Returns whether the operation names the element at `index`, and so may take it away or change it.
    /// `silent` are the members that say nothing of an element by themselves.
    fn names(&self, index: usize, silent: &[&str]) -> bool {
        if let Some(selected) = self.selected {
            return selected == index;
        }
        if self.sub.is_some() {
            // A sub-attribute of every element.
            return true;
        }
        match (&self.value, self.op) {
            (Said::Held(indices), "remove" | "Remove") => indices.contains(&index),
            (Said::Absent, _) | (Said::Other(Value::Null), _) => self.op != "add",
            (Said::Other(_), "remove" | "Remove") => false,
            // A whole new list, if anything is left of it.
            (Said::Held(_), "replace") => true,
            (Said::Other(value), "replace") => !is_emptied(value, silent),
            _ => false,
        }
    }
}

fn is_emptied(value: &Value, silent: &[&str]) -> bool {
    let says_nothing = |element: &Value| match element {
        Value::Null => true,
        Value::Object(members) => members
            .iter()
            .all(|(name, value)| silent.contains(&name.as_str()) || value.is_null()),
        _ => false,
    };
    value
        .as_array()
        .is_some_and(|elements| !elements.is_empty() && elements.iter().all(says_nothing))
}

/// Returns an element without what a service adds and takes away by itself.
fn bare(element: &Value) -> Value {
    let mut element = element.clone();
    if let Some(members) = element.as_object_mut() {
        members.remove("primary");
    }
    element
}

fn holds(
    peer: &Peer,
    list: &List,
    resource: usize,
    asked: &Asked,
    silent: &[&str],
) -> Result<(), TestCaseError> {
    let (target, sent, before) = peer.make(TYPES[resource]);
    let held = list.of(&sent).as_array().unwrap().clone();
    let operation = asked.operation(list, &held);
    let (status, answer) = peer.patch(&target, &operation);
    prop_assert!(
        [200, 204, 400].contains(&status),
        "{}: {} {}",
        operation,
        status,
        answer
    );
    let after = peer.get(&target);
    let kept: Vec<Value> = list
        .of(&after)
        .as_array()
        .into_iter()
        .flatten()
        .map(bare)
        .collect();
    for (index, element) in list.of(&before).as_array().unwrap().iter().enumerate() {
        prop_assert!(
            kept.contains(&bare(element)) || (status != 400 && asked.names(index, silent)),
            "{}: {} took {}, which it does not name: {}",
            peer.name,
            operation,
            element,
            list.of(&after)
        );
    }
    for other in lists(TYPES[resource])
        .iter()
        .filter(|other| other.path != list.path)
    {
        prop_assert_eq!(
            other.of(&after),
            other.of(&before),
            "{}: {}",
            peer.name,
            operation
        );
    }
    Ok(())
}

/// Runs the law for every list with the same operation.
fn everywhere(peers: &[Peer], asked: &Asked, silent: &[&str]) -> Result<(), TestCaseError> {
    for peer in peers {
        for (resource, resource_type) in TYPES.into_iter().enumerate() {
            for list in lists(resource_type) {
                holds(peer, &list, resource, asked, silent)?;
            }
        }
    }
    Ok(())
}

fn run(policy: fn() -> Policy, silent: &[&str], cases: u32) {
    let peers = [Peer::in_memory(policy()), Peer::in_sqlite(policy())];
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&asked(), |asked| everywhere(&peers, &asked, silent))
        .unwrap();
}

#[test]
fn whatever_is_gone_was_named_under_the_tolerant_policy() {
    run(Policy::tolerant, &["unknown", "type"], 120);
}

#[test]
fn whatever_is_gone_was_named_under_the_strict_policy() {
    // By the RFC, an element that has a type alone is an element as any other.
    run(Policy::strict, &["unknown"], 60);
}
