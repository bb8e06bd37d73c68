//! The document: one table a section.

use std::fmt::Write as _;

use super::{Outcome, Results, Section, Test};

const HEAD: &str = "# Features\n\n\
    What the provisioning server is to do, the tests that guard it, and how they ended. `tests/run` writes this file: the \
    rows are those of `tests/fixtures/features.toml`, and a test names the rows that it guards in its comment. A row \
    without a test is not built yet; a row with tests is built as far as these go.\n";

/// Returns the document.
#[must_use]
pub fn document(sections: &[Section], tests: &[Test], results: &Results) -> String {
    let mut text = HEAD.to_owned();
    let rows = sections.iter().flat_map(|section| &section.rows);
    let count = rows.clone().count();
    let guarded = rows
        .filter(|row| guards(tests, &row.number).next().is_some())
        .count();
    _ = writeln!(text, "\n{guarded} of {count} rows have tests.");
    for section in sections {
        _ = writeln!(
            text,
            "\n## {}\n\n| row | what it is | tests | result |\n|---|---|---|---|",
            section.title
        );
        for row in &section.rows {
            let guards: Vec<_> = guards(tests, &row.number).collect();
            let (number, title) = (&row.number, &row.title);
            _ = writeln!(
                text,
                "| {number} | {title} | {} | {} |",
                list(&guards),
                result(&guards, results)
            );
        }
    }
    text
}

fn guards<'t>(tests: &'t [Test], number: &str) -> impl Iterator<Item = &'t Test> {
    tests
        .iter()
        .filter(move |test| test.rows.iter().any(|row| row == number))
}

/// Lists the tests, by file.
fn list(tests: &[&Test]) -> String {
    let mut files: Vec<(&str, Vec<&str>)> = Vec::new();
    for test in tests {
        let name = test.path.rsplit("::").next().unwrap_or(&test.path);
        match files.last_mut() {
            Some((file, names)) if *file == test.file => names.push(name),
            _ => files.push((&test.file, vec![name])),
        }
    }
    let of_file = |(file, names): &(&str, Vec<&str>)| {
        let short = file.strip_prefix("examples/provisioning-server/").unwrap_or(file);
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("[{short}](../{file}): {}", names.join(", "))
    };
    files.iter().map(of_file).collect::<Vec<_>>().join("<br>")
}

fn result(tests: &[&Test], results: &Results) -> String {
    if tests.is_empty() {
        return "not built yet".to_owned();
    }
    let count = |wanted| tests.iter().filter(|test| results.of(test) == wanted).count();
    let parts = [
        (count(Some(Outcome::Passed)), "passed"),
        (count(Some(Outcome::Failed)), "**failed**"),
        (count(Some(Outcome::Ignored)), "ignored"),
        (count(None), "not run"),
    ];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    parts
        .map(|(count, word)| format!("{count} {word}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Returns a document without the last cell of each row: what stays the same however the tests end.
#[must_use]
pub fn without_results(document: &str) -> String {
    let line = |line: &str| match line.strip_suffix(" |").and_then(|row| row.rsplit_once(" | ")) {
        Some((row, _)) if line.starts_with("| ") => format!("{row}\n"),
        _ => format!("{line}\n"),
    };
    document.lines().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Row;
    use super::*;

    /// A row shows its tests by file and how they ended, and one without tests says so.
    #[test]
    fn a_row_shows_its_tests_and_how_they_ended() {
        let row = |number: &str| Row::from((number.to_owned(), format!("Title {number}.")));
        let sections = [Section {
            title: "People".to_owned(),
            rows: vec![row("1"), row("1b")],
        }];
        let test = |path: &str, file: &str| Test {
            binary: "b".to_owned(),
            path: path.to_owned(),
            file: file.to_owned(),
            rows: vec!["1".to_owned()],
        };
        let tests = [test("m::one", "a.rs"), test("two", "a.rs"), test("three", "b.rs")];
        let results = Results::of_libtest("Running x (deps/b-1)\ntest m::one ... ok\ntest two ... FAILED\n");
        let text = document(&sections, &tests, &results);
        let wanted = "| 1 | Title 1. | [a.rs](../a.rs): `one`, `two`<br>[b.rs](../b.rs): `three` \
                      | 1 passed, 1 **failed**, 1 not run |\n| 1b | Title 1b. |  | not built yet |\n";
        assert!(text.contains(wanted), "{text}");
        assert!(text.contains("1 of 2 rows have tests."), "{text}");
        let other = document(&sections, &tests, &Results::default());
        assert_ne!(text, other);
        assert_eq!(without_results(&text), without_results(&other));
        let fewer = document(&sections, &tests[..2], &results);
        assert_ne!(without_results(&text), without_results(&fewer));
    }
}
