//! The English of comments and documents, as far as it shows in the first words: the documentation of a function begins with
//! a verb in the third person, and no sentence opens with a question word.

use std::fs;
use std::path::{Path, PathBuf};

use scim_tests::features::workspace;
use scim_tests::{Failure, check};

/// Folders of which nothing is ours.
const FOREIGN: [&str; 5] = ["target", "node_modules", ".git", ".venv", "fixtures"];
/// The requirements of the server are quoted in it as they were written.
const QUOTED: &str = "docs/features.md";
/// Words that no sentence opens with.
const QUESTIONS: [&str; 3] = ["What", "Who", "Where"];
/// Words that end like a verb in the third person.
const NO_VERBS: [&str; 6] = ["Always", "As", "Its", "This", "Thus", "Unless"];

/// Lines of text that belong together, without the marks of the comment.
#[derive(Debug)]
struct Block<'t> {
    /// The number of its first line.
    first: usize,
    lines: Vec<&'t str>,
    /// The code behind it, from the first line that is not an attribute.
    item: &'t str,
    is_documentation: bool,
    is_of_test: bool,
}

/// Returns every file below a folder with one of these extensions.
fn files(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or_default();
        if path.is_dir() {
            if !FOREIGN.contains(&name) {
                found.append(&mut files(&path, extensions)?);
            }
        } else if extensions.contains(&extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Returns the mark with which a line of a comment begins, and the rest of the line.
fn comment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let mark = ["///", "//!", "//"]
        .into_iter()
        .find(|mark| line.starts_with(mark))?;
    let rest = line.strip_prefix(mark)?;
    (rest.is_empty() || rest.starts_with(' ')).then_some((mark, rest.trim()))
}

/// Returns the comments of a source.
fn comments(source: &str) -> Vec<Block<'_>> {
    let lines: Vec<&str> = source.lines().collect();
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut open = None;
    for (number, line) in lines.iter().enumerate() {
        match comment(line) {
            Some((mark, text)) => match (open == Some(mark), blocks.last_mut()) {
                (true, Some(block)) => block.lines.push(text),
                _ => {
                    let code = lines.iter().skip(number).map(|line| line.trim());
                    let mut code = code.skip_while(|line| comment(line).is_some());
                    let is_attribute = |line: &&str| line.starts_with("#[");
                    let attributes: Vec<_> = code.by_ref().take_while(is_attribute).collect();
                    let behind = number + attributes.len();
                    let code = lines.iter().skip(behind).map(|line| line.trim());
                    let mut code = code.skip_while(|line| comment(line).is_some() || is_attribute(line));
                    blocks.push(Block {
                        first: number + 1,
                        lines: vec![text],
                        item: code.next().unwrap_or_default(),
                        is_documentation: mark == "///",
                        is_of_test: attributes.iter().any(|it| it.contains("test")),
                    });
                    open = Some(mark);
                }
            },
            None => open = None,
        }
    }
    blocks
}

/// Returns a document as one block.
fn document(text: &str) -> Block<'_> {
    Block {
        first: 1,
        lines: text.lines().map(str::trim).collect(),
        item: "",
        is_documentation: false,
        is_of_test: false,
    }
}

/// Returns the text of a line behind the mark of a list, a heading or a table.
fn behind_mark(line: &str) -> &str {
    let numbered = line.trim_start_matches(|it: char| it.is_ascii_digit());
    let marks = ["- ", "* ", "| ", "# ", "## ", "### "];
    let unmarked = marks.into_iter().find_map(|mark| line.strip_prefix(mark));
    unmarked.or_else(|| numbered.strip_prefix(". ")).unwrap_or(line)
}

/// Returns the first word of each sentence with the number of its line. Code is not a sentence.
fn openings<'t>(block: &Block<'t>) -> Vec<(usize, &'t str)> {
    let ends = |text: &str| {
        let text = text.trim_end_matches(['"', '`', ')', '*', '_', ' ']);
        text.is_empty() || text.ends_with(['.', '!', '?', ':', '|'])
    };
    let ends_word = |it: char| !it.is_alphanumeric() && it != '-';
    let word = |text: &'t str| text.split(ends_word).next().unwrap_or_default();
    let (mut found, mut is_code, mut is_ended) = (Vec::new(), false, true);
    for (number, line) in block.lines.iter().enumerate() {
        let number = block.first + number;
        if line.starts_with("```") {
            is_code = !is_code;
            is_ended = true;
            continue;
        }
        if is_code {
            continue;
        }
        let text = behind_mark(line);
        if is_ended || text != *line {
            found.push((number, word(text)));
        }
        let inner = text.match_indices(' ').filter(|(at, _)| {
            let before = text.get(..*at).unwrap_or_default();
            ends(before) && !before.ends_with(':')
        });
        found.extend(inner.map(|(at, _)| (number, word(text.get(at + 1..).unwrap_or_default()))));
        is_ended = ends(line);
    }
    found
}

/// Returns whether a line of code begins a function.
fn begins_function(item: &str) -> bool {
    let mut words = item.split_whitespace();
    let is_modifier = |word: &&str| word.starts_with("pub") || ["const", "async", "in"].contains(word);
    let is_rest_of_modifier = |word: &&str| word.ends_with(')') && !word.contains('(');
    words.find(|word| !is_modifier(word) && !is_rest_of_modifier(word)) == Some("fn")
}

/// Returns whether a word may be a verb in the third person.
fn is_verb(word: &str) -> bool {
    word.starts_with(|it: char| it.is_ascii_uppercase()) && word.ends_with('s') && !NO_VERBS.contains(&word)
}

/// Returns the places of a block that a reader stumbles over.
fn faults(block: &Block<'_>) -> Vec<String> {
    let openings = openings(block);
    let questions = openings.iter().filter(|(_, word)| QUESTIONS.contains(word));
    let mut faults: Vec<_> = questions
        .map(|(line, word)| format!("{line}: a sentence opens with {word}"))
        .collect();
    let first = openings.first().map(|(_, word)| *word).unwrap_or_default();
    // The beginning of one that goes on behind a blank line is made by a macro.
    let goes_on = block.lines.first().is_some_and(|line| line.is_empty());
    let is_of_function = block.is_documentation && !block.is_of_test && begins_function(block.item);
    if is_of_function && !goes_on && !is_verb(first) {
        faults.push(format!(
            "{}: the documentation of a function begins with {first:?} and not with a verb in the third person",
            block.first
        ));
    }
    faults
}

/// Bug: half of the functions were described by what they are, and sentences began with what they should end with.
#[test]
fn functions_are_described_by_verbs_and_sentences_say_their_subject() -> Result<(), Failure> {
    let mut found = Vec::new();
    for path in files(workspace(), &["rs", "md"])? {
        let name = path
            .strip_prefix(workspace())
            .unwrap_or(&path)
            .display()
            .to_string();
        let text = fs::read_to_string(&path)?;
        let blocks = match name.ends_with(".rs") {
            true => comments(&text),
            false if name == QUOTED => Vec::new(),
            false => vec![document(&text)],
        };
        let faults = blocks.iter().flat_map(faults);
        found.extend(faults.map(|fault| format!("{name}:{fault}")));
    }
    check(found.is_empty(), || {
        format!("{} places:\n{}", found.len(), found.join("\n"))
    })
}

/// The check finds each kind of fault, and nothing in what is well said.
#[test]
fn a_fault_is_found_wherever_it_stands() {
    // This file is looked at, too: no line of the sample begins as a comment does.
    let source = "%! Where it begins.
%% The number of rows. Who counts them?
#[must_use]
pub(in crate::store) async fn rows() {}

%% Counts the rows.
%%
%% ```
%% % What is in code is code.
%% ```
%% A sentence. \"Where\" is quoted, and what follows is where it was.
const fn counted() {}

%% A test says what must hold.
#[test]
fn tested() {}

% - What is listed
let x = 1; % What stands behind code is not looked at.
";
    let source = source
        .replace("%%", "///")
        .replace("%!", "//!")
        .replace('%', "//");
    let found: Vec<_> = comments(&source).iter().flat_map(faults).collect();
    let starts: Vec<_> = found.iter().filter_map(|fault| fault.split(' ').next()).collect();
    assert_eq!(starts, ["1:", "2:", "2:", "18:"], "{found:#?}");
    let document = document("# What it is\n\nGood. Who knows?\n| Where | it stands |\n    What\n");
    assert_eq!(faults(&document).len(), 4, "{:#?}", faults(&document));
}
