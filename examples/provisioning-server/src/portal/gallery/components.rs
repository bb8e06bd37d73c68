//! The page of components, held to the style sheet: no part of the design is without use, and none is without a sample.

use std::collections::BTreeSet;
use std::fs::{read_dir, read_to_string};
use std::path::Path;

use askama::Template;

use super::{halden, hold_to_promises, sample};
use crate::portal::components::Components;

const STYLE: &str = include_str!("../assets/portal.css");

/// The parts without a sample: those that cover or replace a whole page, of which other samples are made, the other of two
/// parts of the bar, and distances.
const WITHOUT_SAMPLE: [&str; 7] = ["gate", "mt-l", "mt-s", "org-name", "panel", "panel-fill", "scrim"];

/// The parts of a picture, whose classes a template makes of their numbers.
const NUMBERED: [&str; 3] = ["c1", "c2", "c3"];

type Words = BTreeSet<String>;

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '-'
}

/// Returns a text without the parts between these.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut parts = text.split(begin);
    let mut rest = parts.next().unwrap().to_owned();
    for part in parts {
        rest.push_str(part.split_once(end).unwrap().1);
    }
    rest
}

/// Returns the classes that the style sheet names.
fn of_style() -> Words {
    let style = without(STYLE, "/*", "*/");
    let names = style.split('.').skip(1).map(|rest| {
        let end = rest.find(|letter| !is_of_name(letter)).unwrap_or(rest.len());
        &rest[..end]
    });
    names
        .filter(|name| name.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .map(str::to_owned)
        .collect()
}

/// Returns the classes in the markup of a page or a template.
fn of_markup(text: &str) -> Words {
    let bare = without(&without(text, "{{", "}}"), "{%", "%}");
    let attributes = bare
        .split("class=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    attributes
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect()
}

/// Returns the classes that a template hands to icons.
fn of_icons(text: &str) -> Words {
    let calls = text
        .split("icons::")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    calls
        .flat_map(|(call, _)| call.split('"').skip(1).step_by(2))
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect()
}

/// Returns the texts in a source that are words of their own.
fn of_source(text: &str) -> Words {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn visit(folder: &Path, see: &mut dyn FnMut(&Path, &str)) {
    for entry in read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if !path.ends_with("gallery") && !path.ends_with("assets") => visit(&path, see),
            false => see(&path, &read_to_string(&path).unwrap()),
            true => {}
        }
    }
}

/// Returns the classes that pages use, but for the page of components.
fn used() -> Words {
    let mut used = Words::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/portal");
    visit(&root, &mut |path, text| {
        let name = path.file_stem().unwrap();
        match path.extension().and_then(|end| end.to_str()) {
            _ if name == "components" => {}
            Some("html") => {
                used.extend(of_markup(text));
                used.extend(of_icons(text));
            }
            Some("rs") => used.extend(of_source(text)),
            _ => {}
        }
    });
    used
}

fn set(names: &[&str]) -> Words {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Guards against a design that nobody sees: each class of the style sheet is used by a page, and shown on the page of
/// components.
#[test]
fn each_class_is_used_and_shown() {
    let style = of_style();
    assert!(style.len() > 120, "{style:?}");
    let used = used();
    let is_useless = |name: &&String| {
        !name.starts_with("show-") && !used.contains(*name) && !NUMBERED.contains(&name.as_str())
    };
    let useless: Words = style.iter().filter(is_useless).cloned().collect();
    assert!(useless.is_empty(), "without use: {useless:?}");
    let page = Components::new(halden()).render().unwrap();
    let hidden: Words = style.difference(&of_markup(&page)).cloned().collect();
    assert_eq!(hidden, set(&WITHOUT_SAMPLE), "without a sample");
}

/// The same of icons.
#[test]
fn each_icon_is_used_and_shown() {
    let icons = include_str!("../templates/icons.html");
    let shown = include_str!("../templates/components.html");
    let mut others = String::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/portal/templates");
    visit(&root, &mut |path, text| {
        if !path.ends_with("components.html") {
            others.push_str(text);
        }
    });
    for name in icons
        .split("{% macro ")
        .skip(1)
        .map(|rest| rest.split('(').next().unwrap())
    {
        let call = format!("icons::{name}(");
        assert!(others.contains(&call), "no page uses the icon {name}");
        assert!(
            name == "brand" || shown.contains(&call),
            "the icon {name} is not shown"
        );
    }
}

/// Guards against parts that only look right alone: what all pages promise, of every component in every state.
#[tokio::test]
async fn components_keep_what_all_pages_promise() {
    hold_to_promises(vec![sample("components", &Components::new(halden()))]).await;
}
