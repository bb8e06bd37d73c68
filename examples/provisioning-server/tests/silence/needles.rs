//! The texts that must not be found, taken from what was sent.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::AhoCorasick;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::program::recorder::Message;

/// Stands in every personal value that a request made by hand holds.
pub(crate) const PERSONAL: &str = "zqx";

/// Stands in every password of such a request.
pub(crate) const PASSWORD: &str = "zqxpw";

/// Members of a message whose values are words of the protocol.
const PROTOCOL: [&str; 6] = ["schemas", "op", "type", "resourceType", "meta", "$ref"];

/// Words of the protocol that providers use as values, too: a role, and a path.
const PUBLIC: [&str; 2] = ["User", ".search"];

/// The contents of requests.
#[derive(Debug, Default)]
pub(crate) struct Needles {
    /// Tokens, good ones and wrong ones, and the hashes of them.
    pub(crate) tokens: BTreeSet<String>,
    pub(crate) passwords: BTreeSet<String>,
    /// Everything else that could name a person or a group.
    pub(crate) personal: BTreeSet<String>,
}

impl Needles {
    /// Collects what requests held, and tokens that were made.
    pub(crate) fn of(requests: &[Message], tokens: &[String]) -> Self {
        let mut needles = Self::default();
        needles.personal.insert(PERSONAL.to_owned());
        needles.passwords.insert(PASSWORD.to_owned());
        tokens.iter().for_each(|token| needles.token(token));
        for request in requests {
            needles.request(request);
        }
        needles
    }

    fn request(&mut self, request: &Message) {
        if let Some(value) = request.header("authorization") {
            self.token(value.split_whitespace().last().unwrap_or_default());
        }
        if let Some(address) = request.header("x-forwarded-for") {
            self.personal(address);
        }
        let (path, query) = request.target().split_once('?').unwrap_or((request.target(), ""));
        // /scim/{organization}/v2/{endpoint}/{id}
        path.split('/').skip(5).for_each(|id| self.personal(&decoded(id)));
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if name == "filter" {
                self.personal(value);
                self.quoted(&decoded(value));
            }
        }
        if let Some(body) = request.json() {
            self.value(&body);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.personal(text),
            Value::Array(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(members) => {
                for (name, value) in members {
                    match (name.as_str(), value) {
                        ("path" | "filter", Value::String(text)) => self.quoted(text),
                        ("password", Value::String(text)) => _ = self.passwords.insert(text.clone()),
                        (name, _) if PROTOCOL.contains(&name) => {}
                        _ => self.value(value),
                    }
                }
            }
            _ => {}
        }
    }

    /// Adds what stands between quotes in a filter or path.
    fn quoted(&mut self, text: &str) {
        let mut rest = text;
        while let Some(begin) = rest.find('"') {
            let mut literals = serde_json::Deserializer::from_str(&rest[begin..]).into_iter::<String>();
            let literal = literals.next();
            if let Some(Ok(text)) = &literal {
                self.personal(text);
            }
            rest = &rest[begin + literals.byte_offset().max(1)..];
        }
    }

    fn personal(&mut self, text: &str) {
        // "True" is how Entra writes a boolean; a short number is found in every time.
        let says_nothing = text.len() < 2
            || PUBLIC.contains(&text)
            || text.eq_ignore_ascii_case("true")
            || text.eq_ignore_ascii_case("false")
            || (text.len() < 6 && text.bytes().all(|byte| byte.is_ascii_digit()));
        if !says_nothing {
            self.personal.insert(text.to_owned());
            if let Some((_, domain)) = text.split_once('@') {
                self.personal.insert(format!("@{domain}"));
            }
        }
    }

    fn token(&mut self, text: &str) {
        if text.len() < 8 {
            return;
        }
        let hash: String = Sha256::digest(text)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        // The text with which every token of ours begins may be shown.
        let digits = text.strip_prefix("scimp_").unwrap_or(text);
        self.tokens.extend([digits.to_owned(), hash]);
    }
}

/// Returns a text without percent-encoding.
fn decoded(text: &str) -> String {
    let pair = format!("x={text}");
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    pairs
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// Looks for many texts at once, in any case, as they are and as JSON and Rust write them.
pub(crate) struct Search {
    needles: Vec<String>,
    /// For each pattern of the automaton, the number of the needle.
    of_pattern: Vec<usize>,
    automaton: AhoCorasick,
}

impl Search {
    pub(crate) fn of<'n>(needles: impl IntoIterator<Item = &'n String>) -> Self {
        let needles: Vec<String> = needles.into_iter().cloned().collect();
        let mut patterns = BTreeMap::new();
        for (number, needle) in needles.iter().enumerate() {
            let json = Value::from(needle.as_str()).to_string();
            let rust = format!("{needle:?}");
            for written in [needle.as_str(), inner(&json), inner(&rust)] {
                patterns.insert(written.to_owned(), number);
            }
        }
        let (patterns, of_pattern): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&patterns)
            .unwrap();
        Self {
            needles,
            of_pattern,
            automaton,
        }
    }

    pub(crate) fn needles(&self) -> &[String] {
        &self.needles
    }

    /// Returns what is found, each with where it was first.
    pub(crate) fn found(&self, text: &str) -> BTreeMap<&str, usize> {
        let mut found = BTreeMap::new();
        for place in self.automaton.find_overlapping_iter(text) {
            let needle = self.needles[self.of_pattern[place.pattern().as_usize()]].as_str();
            if place.len() > 4 || is_word(text, place.start(), place.end()) {
                found.entry(needle).or_insert(place.start());
            }
        }
        found
    }
}

/// Returns whether a text is a word of its own: a short one is only a name if it is.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    ![before, after].into_iter().flatten().any(char::is_alphanumeric)
}

/// Returns what stands between the quotes.
fn inner(quoted: &str) -> &str {
    &quoted[1..quoted.len() - 1]
}
