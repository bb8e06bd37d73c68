//! How tests ended, as the test runners write it.

use std::collections::BTreeMap;

use super::Test;

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed,
    /// The runner left it out.
    Ignored,
}

/// The outcomes of a run, by program and path.
#[derive(Debug, Default)]
pub struct Results(BTreeMap<(String, String), Outcome>);

impl Results {
    /// Reads what cargo-nextest writes: JUnit's XML.
    #[must_use]
    pub fn of_junit(text: &str) -> Self {
        let cases = text.split("<testcase ").skip(1);
        Self(cases.filter_map(case).collect())
    }

    /// Reads what `cargo test` prints.
    #[must_use]
    pub fn of_libtest(text: &str) -> Self {
        let mut results = BTreeMap::new();
        let mut binary = String::new();
        for line in text.lines() {
            if let Some(name) = program(line) {
                binary = name;
            } else if let Some((path, outcome)) = line
                .strip_prefix("test ")
                .and_then(|rest| rest.rsplit_once(" ... "))
            {
                let outcome = match outcome {
                    "ok" => Outcome::Passed,
                    outcome if outcome.starts_with("ignored") => Outcome::Ignored,
                    _ => Outcome::Failed,
                };
                results.insert((binary.clone(), path.to_owned()), outcome);
            }
        }
        Self(results)
    }

    /// Returns how a test ended, if it was run.
    #[must_use]
    pub fn of(&self, test: &Test) -> Option<Outcome> {
        self.0.get(&(test.binary.clone(), test.path.clone())).copied()
    }

    /// Returns whether no test has an outcome.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Parses one case: its attributes, and everything until its end.
fn case(text: &str) -> Option<((String, String), Outcome)> {
    let (head, rest) = text.split_once('>')?;
    let inside = if head.ends_with('/') {
        ""
    } else {
        rest.split_once("</testcase>").map_or(rest, |(inside, _)| inside)
    };
    let outcome = if inside.contains("<failure") || inside.contains("<error") {
        Outcome::Failed
    } else if inside.contains("<skipped") {
        Outcome::Ignored
    } else {
        Outcome::Passed
    };
    // `package`, `package::integration_test` or `package::bin/program`.
    let class = attribute(head, "classname")?;
    let binary = class.rsplit([':', '/']).next()?.replace('-', "_");
    Some(((binary, attribute(head, "name")?.to_owned()), outcome))
}

fn attribute<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let head = head.strip_prefix(&format!("{name}=\"")).or_else(|| {
        let (_, rest) = head.split_once(&format!(" {name}=\""))?;
        Some(rest)
    })?;
    head.split('"').next()
}

/// Returns `accounts` of `Running tests/accounts.rs (target/debug/deps/accounts-0123456789abcdef)`.
fn program(line: &str) -> Option<String> {
    let (_, place) = line.trim_start().strip_prefix("Running ")?.rsplit_once('(')?;
    let file = place.strip_suffix(')')?.rsplit(['/', '\\']).next()?;
    let (name, _) = file.rsplit_once('-')?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(results: &Results, binary: &str, path: &str) -> Option<Outcome> {
        results.0.get(&(binary.to_owned(), path.to_owned())).copied()
    }

    #[test]
    fn outcomes_of_nextest_are_read() {
        let results = Results::of_junit(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="4" failures="1">
    <testsuite name="a::b" tests="2">
        <testcase name="one" classname="a-b::accounts" time="0.1">
        </testcase>
        <testcase name="m::tests::two" classname="a-b::bin/a-b" time="0.1">
            <failure type="test failure">&lt;testcase</failure>
            <system-out>text</system-out>
        </testcase>
        <testcase name="three" classname="a-b" time="0.1"/>
        <testcase name="four" classname="a-b" time="0.1"><skipped/></testcase>
    </testsuite>
</testsuites>"#,
        );
        assert_eq!(outcome(&results, "accounts", "one"), Some(Outcome::Passed));
        assert_eq!(outcome(&results, "a_b", "m::tests::two"), Some(Outcome::Failed));
        assert_eq!(outcome(&results, "a_b", "three"), Some(Outcome::Passed));
        assert_eq!(outcome(&results, "a_b", "four"), Some(Outcome::Ignored));
        assert_eq!(outcome(&results, "a_b", "five"), None);
    }

    #[test]
    fn outcomes_of_cargo_test_are_read() {
        let results = Results::of_libtest(
            "     Running unittests src/main.rs (target/debug/deps/a_b-0123456789abcdef)\n\nrunning 2 tests\n\
             test m::tests::one ... ok\ntest m::tests::two - should panic ... FAILED\n\
             \x20    Running tests/accounts.rs (target/debug/deps/accounts-fedcba9876543210)\n\
             test one ... ignored, why\n",
        );
        assert_eq!(outcome(&results, "a_b", "m::tests::one"), Some(Outcome::Passed));
        assert_eq!(
            outcome(&results, "a_b", "m::tests::two - should panic"),
            Some(Outcome::Failed)
        );
        assert_eq!(outcome(&results, "accounts", "one"), Some(Outcome::Ignored));
    }
}
