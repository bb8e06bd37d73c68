//! Holds the sentences that pages can show to the words of pages: none names a command, a flag, or a setting as the
//! command line calls it.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};

use super::CommandLine;
use crate::domain::fault::{Fault, Remedy};
use crate::domain::settings::Settings;

/// The modules whose sentences reach pages.
const MODULES: [&str; 8] = [
    "actions", "database", "delivery", "domain", "fetch", "history", "login", "portal",
];

/// The files below these modules that speak to the operator alone: what they refuse ends a command or a start, or goes to the
/// log.
const OF_THE_OPERATOR: [&str; 10] = [
    "database/address.rs",
    "database/backup.rs",
    "database/demonstration.rs",
    "database/key_file.rs",
    "database/keys.rs",
    "database/lock.rs",
    "database/rotation.rs",
    "delivery/mail/mod.rs",
    "delivery/mail/settings.rs",
    "domain/export_file.rs",
];

/// A text in a source, and the code before it.
struct Literal {
    text: String,
    before: String,
}

/// Returns the texts of a source, without those of its tests.
fn literals(source: &str) -> Vec<Literal> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap();
    let letters: Vec<char> = source.chars().collect();
    let (mut found, mut code, mut at) = (Vec::new(), String::new(), 0);
    while at < letters.len() {
        match (letters[at], letters.get(at + 1)) {
            ('/', Some('/')) => at = skipped(&letters, at, '\n'),
            ('\'', Some('\\')) => at = skipped(&letters, at + 3, '\''),
            ('\'', Some('"')) => at += 2,
            ('"', _) => {
                let (text, end) = literal(&letters, at + 1);
                found.push(Literal {
                    text,
                    before: code.trim_end().to_owned(),
                });
                code.push('_');
                at = end;
            }
            (letter, _) => code.push(letter),
        }
        at += 1;
    }
    found
}

fn skipped(letters: &[char], from: usize, until: char) -> usize {
    let rest = letters.get(from..).unwrap_or_default();
    from + rest
        .iter()
        .position(|letter| *letter == until)
        .unwrap_or(rest.len())
}

/// Reads a text up to its closing quote, which it returns the place of.
fn literal(letters: &[char], mut at: usize) -> (String, usize) {
    let mut text = String::new();
    while letters[at] != '"' {
        if letters[at] == '\\' {
            at += 1;
            match letters[at] {
                '\n' => {
                    while letters[at + 1].is_whitespace() {
                        at += 1;
                    }
                }
                escaped => text.push(escaped),
            }
        } else {
            text.push(letters[at]);
        }
        at += 1;
    }
    (text, at)
}

/// Finds the beginnings by which a text names a command or a flag.
fn names(command: &Command, path: &str, found: &mut Vec<String>) {
    found.extend(
        command
            .get_arguments()
            .filter_map(|arg| Some(format!("--{}", arg.get_long()?))),
    );
    for sub in command.get_subcommands() {
        let path = format!("{path}{}", sub.get_name());
        match sub.has_subcommands() {
            true => names(sub, &format!("{path} "), found),
            false => {
                names(sub, &path, found);
                for end in ["\"", " ", "`"] {
                    found.extend([format!("\"{path}{end}"), format!("`{path}{end}")]);
                }
            }
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match path.is_dir() {
            true if name != "tests" && name != "gallery" => sources(&path, found),
            false if name.ends_with(".rs") && name != "tests.rs" => found.push(path),
            _ => {}
        }
    }
}

/// Returns whether a text names a command or a flag where a page can show it.
fn is_misplaced(literal: &Literal, names: &[String]) -> bool {
    let is_command = literal.before.ends_with("command:");
    !is_command && names.iter().any(|name| literal.text.contains(name))
}

/// Returns the beginnings by which a text names a command, a flag, or a setting as the command line calls it.
fn all_names() -> Vec<String> {
    let mut found = Vec::new();
    names(&CommandLine::command(), "", &mut found);
    for (setting, _) in Settings::default().entries() {
        found.extend([format!("set \"{setting}\""), format!("setting {setting}")]);
    }
    found
}

/// Guards against refusals that told people in front of a page to type a flag: what can reach a page names no command and no
/// flag, but in the remedy of the command line.
#[test]
fn no_sentence_that_reaches_a_page_names_a_command_or_a_flag() {
    let names = all_names();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    for module in MODULES {
        sources(&root.join(module), &mut files);
    }
    let is_of_the_operator = |path: &PathBuf| OF_THE_OPERATOR.iter().any(|file| *path == root.join(file));
    let (operators, files): (Vec<_>, Vec<_>) = files.into_iter().partition(is_of_the_operator);
    assert_eq!(operators.len(), OF_THE_OPERATOR.len(), "{operators:?}");
    let mut remedies = 0;
    let mut misplaced = Vec::new();
    for file in files {
        for literal in literals(&std::fs::read_to_string(&file).unwrap()) {
            remedies += usize::from(literal.before.ends_with("command:"));
            if is_misplaced(&literal, &names) {
                misplaced.push(format!("{}: {}", file.display(), literal.text));
            }
        }
    }
    assert!(misplaced.is_empty(), "{misplaced:#?}");
    assert!(remedies > 20, "{remedies} remedies were found");
}

/// The same: the reader of sources finds what it looks for, and leaves alone what no page shows.
#[test]
fn a_misplaced_command_is_found() {
    let source = r#"
        // "token create" in a comment
        fn f() { let quote = '"'; Fault::conflict("Make one with \"token create\" \
            first."); g('\'', Remedy { page: "generate one.", command: "give --expires." }) }
        const LATE: &str = "Give \
            --expires.";
        "#;
    let (names, found) = (all_names(), literals(source));
    let misplaced = found.iter().map(|literal| is_misplaced(literal, &names));
    assert_eq!(misplaced.collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(found[0].text, "Make one with \"token create\" first.");
}

/// The same: each face says its own remedy.
#[test]
fn a_remedy_is_said_by_each_face_in_its_own_words() {
    let fault = Fault::conflict("There is no token to rotate").mended_by(Remedy {
        page: "generate one.",
        command: "make one with \"token create\".",
    });
    assert_eq!(fault.to_string(), "There is no token to rotate: generate one.");
    assert_eq!(
        fault.with_causes(),
        "There is no token to rotate: make one with \"token create\"."
    );
}
