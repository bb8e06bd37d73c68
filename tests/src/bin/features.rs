//! Writes `docs/features.md` after a test run: `features --junit FILE` or `features --libtest FILE`.

use std::fs;

use scim_tests::Failure;
use scim_tests::features::{Results, Sources, committed, document, sections, workspace};

fn main() -> Result<(), Failure> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--junit", file] => write(file, Results::of_junit),
        ["--libtest", file] => write(file, Results::of_libtest),
        _ => Err(Failure::new(
            "expected --junit FILE, as cargo-nextest writes it, or --libtest FILE, as cargo test prints it",
        )),
    }
}

fn write(file: &str, read: fn(&str) -> Results) -> Result<(), Failure> {
    let text = fs::read(file).map_err(|e| Failure::from(e).during(file))?;
    let results = read(&String::from_utf8_lossy(&text));
    if results.is_empty() {
        return Err(Failure::new(format!("{file} holds the result of no test")));
    }
    let tests = Sources::read(workspace())?.tests;
    let path = committed();
    fs::create_dir_all(path.parent().unwrap_or(&path))?;
    fs::write(&path, document(&sections()?, &tests, &results))
        .map_err(|e| Failure::from(e).during(path.display()))
}
