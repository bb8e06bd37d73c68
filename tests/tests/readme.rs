//! Whatever README quotes of an example stands there, letter by letter: the examples are compiled and tested, README is not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

use std::fs;
use std::path::Path;

/// A section of README, and the files that its Rust is taken from.
const QUOTES: [(&str, &[&str]); 2] = [
    ("### One struct", &["examples/minimal/src/main.rs"]),
    (
        "### SCIM in your app",
        &[
            "examples/scim-in-your-app/src/main.rs",
            "examples/scim-in-your-app/src/tests.rs",
        ],
    ),
];

fn read(file: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    fs::read_to_string(root.join(file)).unwrap()
}

/// Returns the lines without their indentation and without comments between them.
fn bare(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.starts_with("// ") && !line.starts_with("#!["));
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the paragraphs of all blocks of Rust in a text.
fn quotes(section: &str) -> Vec<String> {
    let blocks = section.split("```rust\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    blocks.flat_map(|block| block.split("\n\n").map(bare)).collect()
}

#[test]
fn what_is_quoted_stands_in_an_example() {
    let readme = read("README.md");
    for (heading, files) in QUOTES {
        let (_, section) = readme.split_once(&format!("\n{heading}\n")).unwrap();
        let section = section.split("\n### ").next().unwrap();
        let sources: Vec<_> = files.iter().map(|file| bare(&read(file))).collect();
        let quotes = quotes(section);
        assert!(!quotes.is_empty(), "{heading} quotes nothing");
        for quote in quotes {
            let quote = quote.trim();
            let stands = sources.iter().any(|source| source.contains(quote));
            assert!(
                stands,
                "{heading} quotes of {files:?} what does not stand there:\n{quote}"
            );
        }
    }
}

/// Links in README lead to files of the repository or to headings of README.
#[test]
fn links_lead_somewhere() {
    let readme = read("README.md");
    let anchor = |heading: &str| {
        heading
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .replace(' ', "-")
    };
    let anchors: Vec<_> = readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(anchor)
        .collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for link in readme
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
    {
        let leads = match link.strip_prefix('#') {
            Some(heading) => anchors.iter().any(|anchor| anchor == heading),
            None => link.starts_with("https://") || root.join(link).exists(),
        };
        assert!(leads, "README links to {link}, which is not there");
    }
}
