//! Drives a real browser, by the script `tests/browser/browser.mjs`.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A browser that ends with the test.
pub struct Browser {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// Returns the folder of the scripts.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser")
}

impl Browser {
    /// Starts a browser without cookies, in which pages may run their scripts.
    pub fn open() -> Self {
        let folder = folder();
        let chromium = std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
        for needed in [folder.join("node_modules/playwright-core"), chromium.into()] {
            assert!(
                needed.exists(),
                "{} is missing: install it with `tests/run --prepare`",
                needed.display()
            );
        }
        let started = Command::new("node")
            .arg(folder.join("browser.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        assert!(
            started.is_ok(),
            "node is missing: install it with `tests/run --prepare`"
        );
        let mut child = started.unwrap();
        let mut browser = Self {
            commands: child.stdin.take().unwrap(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        };
        browser.anew(true);
        browser
    }

    pub(super) fn ask(&mut self, command: &Value) -> Value {
        writeln!(self.commands, "{command}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).unwrap();
        assert!(answer["error"].is_null(), "{command}: {}", answer["error"]);
        answer["value"].clone()
    }

    /// Begins anew, without cookies and cache.
    pub fn anew(&mut self, javascript: bool) {
        self.ask(&json!({ "do": "open", "javascript": javascript }));
    }

    /// Delays the styles of each page until it is read, and its scripts until it is drawn. [`anew`](Self::anew) ends that.
    pub fn hold(&mut self) {
        self.ask(&json!({ "do": "hold" }));
    }

    /// Opens a page.
    pub fn goto(&mut self, url: &str) {
        self.ask(&json!({ "do": "goto", "url": url }));
    }

    /// Writes into the field with this label.
    pub fn fill(&mut self, label: &str, text: &str) {
        self.ask(&json!({ "do": "fill", "label": label, "text": text }));
    }

    /// Ticks the box with this label.
    pub fn tick(&mut self, label: &str) {
        self.ask(&json!({ "do": "tick", "label": label }));
    }

    /// Chooses a file with this content, a character a byte, in the field with this label.
    pub fn upload(&mut self, label: &str, name: &str, text: &str) {
        self.ask(&json!({ "do": "upload", "label": label, "name": name, "text": text }));
    }

    /// Chooses the option with this text in the list with this label.
    pub fn choose(&mut self, label: &str, option: &str) {
        self.ask(&json!({ "do": "choose", "label": label, "option": option }));
    }

    /// Writes into the field with this label letter by letter, as somebody types.
    pub fn type_into(&mut self, label: &str, text: &str) {
        self.ask(&json!({ "do": "type", "label": label, "text": text }));
    }

    /// Presses a key.
    pub fn key(&mut self, key: &str) {
        self.ask(&json!({ "do": "key", "key": key }));
    }

    /// Goes back to the page before.
    pub fn back(&mut self) {
        self.ask(&json!({ "do": "back" }));
    }

    /// Waits until the part of the page that the selector finds says this.
    pub fn wait(&mut self, of: &str, text: &str) {
        self.ask(&json!({ "do": "wait", "of": of, "text": text }));
    }

    /// Returns how many parts of the page the selector finds.
    pub fn count(&mut self, of: &str) -> u64 {
        self.ask(&json!({ "do": "count", "of": of })).as_u64().unwrap()
    }

    /// Clicks the part of the page that the selector finds, which has no name, such as the head of a disclosure.
    pub fn click(&mut self, of: &str) {
        self.ask(&json!({ "do": "click", "of": of }));
    }

    /// Presses the button, or follows the link, with this name, in the part of the page that the selector finds.
    pub fn press_in(&mut self, within: &str, name: &str) {
        self.ask(&json!({ "do": "press", "name": name, "within": within }));
    }

    /// Presses the button, or follows the link, with this name.
    pub fn press(&mut self, name: &str) {
        self.ask(&json!({ "do": "press", "name": name }));
    }

    /// Returns the text of the part of the page that the selector finds.
    pub fn text(&mut self, of: &str) -> String {
        let text = self.ask(&json!({ "do": "text", "of": of }));
        text.as_str().unwrap().to_owned()
    }

    /// Returns the main heading.
    pub fn heading(&mut self) -> String {
        self.text("h1")
    }

    /// Returns the path of the page.
    pub fn path(&mut self) -> String {
        let url = self.ask(&json!({ "do": "url" }));
        let (_, rest) = url.as_str().unwrap().split_once("://").unwrap();
        rest[rest.find('/').unwrap()..].to_owned()
    }

    /// Returns the text that was copied last.
    pub fn clipboard(&mut self) -> String {
        let text = self.ask(&json!({ "do": "clipboard" }));
        text.as_str().unwrap().to_owned()
    }

    /// Checks that no page since the beginning has done what no page may do: the console is silent, and nothing was
    /// loaded from another origin.
    pub fn is_quiet(&mut self) {
        let broken = self.ask(&json!({ "do": "broken" }));
        assert_eq!(broken, json!([]), "{broken:#}");
    }

    /// Makes the window so many pixels wide.
    pub fn resize(&mut self, width: u32) {
        self.ask(&json!({ "do": "resize", "width": width }));
    }

    /// Returns what has moved by itself since the page was opened, its live parts renewed once.
    pub fn moved(&mut self) -> Vec<String> {
        let moved = self.ask(&json!({ "do": "moved" }));
        serde_json::from_value(moved).unwrap()
    }

    /// Holds the page to what all pages promise: no finding of axe-core in light and dark, narrow and wide, nothing wider
    /// than the screen, nothing that moves by itself, a silent console, no other origin, and few bytes. Its name is that of the pictures that are kept
    /// where `SCREENSHOTS` names a folder.
    pub fn inspect(&mut self, name: &str) {
        let broken = self.ask(&json!({ "do": "inspect", "name": name }));
        assert_eq!(broken, json!([]), "{name}: {broken:#}");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
