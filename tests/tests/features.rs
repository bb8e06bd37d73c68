//! `docs/features.md` lists the tests that there are: what it says of a feature is what the sources say.

use std::collections::BTreeSet;
use std::fs;

use scim_tests::features::{Results, Sources, committed, document, sections, without_results, workspace};
use scim_tests::{Failure, check};

/// Whoever reads the document reads of every test, and of none that is gone.
#[test]
fn the_committed_list_has_the_tests_of_the_sources() -> Result<(), Failure> {
    let tests = Sources::read(workspace())?.tests;
    let wanted = without_results(&document(&sections()?, &tests, &Results::default()));
    let found = without_results(&fs::read_to_string(committed())?);
    let known: BTreeSet<_> = found.lines().collect();
    let missing: Vec<_> = wanted.lines().filter(|line| !known.contains(line)).collect();
    check(wanted == found, || {
        format!("docs/features.md is not up to date; tests/run writes it. Expected: {missing:#?}")
    })
}

/// A number in a comment is that of a row, and stands at a test that a runner can tell from all others.
#[test]
fn every_row_that_is_named_exists() -> Result<(), Failure> {
    let sources = Sources::read(workspace())?;
    check(sources.strays.is_empty(), || {
        format!("rows are named by tests only, but also by {:?}", sources.strays)
    })?;
    let sections = sections()?;
    let rows: Vec<_> = sections.iter().flat_map(|section| &section.rows).collect();
    let numbers: BTreeSet<_> = rows.iter().map(|row| row.number.as_str()).collect();
    check(numbers.len() == rows.len(), || {
        "two rows have one number".to_owned()
    })?;
    let mut names = BTreeSet::new();
    for test in &sources.tests {
        for row in &test.rows {
            check(numbers.contains(row.as_str()), || {
                format!(
                    "{} in {} names row {row}, which does not exist",
                    test.path, test.file
                )
            })?;
        }
        check(names.insert((&test.binary, &test.path)), || {
            format!(
                "two tests are named {} in programs named {}",
                test.path, test.binary
            )
        })?;
    }
    Ok(())
}

/// The list is that of the product: 1 to 115, and four that were added in between.
#[test]
fn no_row_is_missing() -> Result<(), Failure> {
    let sections = sections()?;
    let mut numbers: BTreeSet<_> = sections
        .iter()
        .flat_map(|section| &section.rows)
        .map(|row| row.number.clone())
        .collect();
    for number in (1..=115)
        .map(|number| number.to_string())
        .chain(["19b", "23b", "32b", "62b"].map(str::to_owned))
    {
        check(numbers.remove(&number), || format!("row {number} is missing"))?;
    }
    check(numbers.is_empty(), || {
        format!("nobody knows the rows {numbers:?}")
    })
}
