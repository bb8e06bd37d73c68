//! `docs/security.md` names tests that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use scim_tests::features::workspace;
use scim_tests::{Failure, check};

/// Finds the names of all functions in the sources below a folder.
fn functions(folder: &Path, found: &mut BTreeSet<String>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            functions(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let source = fs::read_to_string(&path)?;
            let lines = source.lines().map(str::trim_start);
            let named =
                lines.filter_map(|line| line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn "));
            found.extend(named.filter_map(|rest| rest.split('(').next()).map(str::to_owned));
        }
    }
    Ok(())
}

/// Every decision about sign-in has a test, and the document names no test that is gone.
#[test]
fn every_decision_names_a_test() -> Result<(), Failure> {
    let mut known = BTreeSet::new();
    functions(&workspace().join("examples/provisioning-server"), &mut known)?;
    let document = fs::read_to_string(workspace().join("docs/security.md"))?;
    let rows = document
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| item"));
    let mut named = 0;
    for row in rows {
        let cell = row
            .trim_end_matches(" |")
            .rsplit(" | ")
            .next()
            .unwrap_or_default();
        for name in cell.split('`').skip(1).step_by(2) {
            named += 1;
            check(known.contains(name), || format!("no test is named {name}: {row}"))?;
        }
        check(cell.contains('`') || cell == "—", || {
            format!("no test is named: {row}")
        })?;
    }
    check(named > 40, || format!("only {named} tests are named"))
}
