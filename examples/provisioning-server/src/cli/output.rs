//! The output of a command: sentences for people, one JSON document for scripts.

use std::io::{self, IsTerminal, Write};

use clap::builder::StyledStr;
use serde::Serialize;
use serde_json::json;

use crate::domain::fault::Fault;
use crate::domain::redact;

/// How a command prints.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    /// Makes an output for scripts if `json`, else for people.
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Returns whether a script reads it.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Prints the result of a command: the document, or what `people` makes of it.
    pub(crate) fn result<T: Serialize>(self, document: &T, people: impl FnOnce(&T) -> String) {
        let text = if self.json {
            serde_json::to_string_pretty(document).unwrap_or_default()
        } else {
            people(document)
        };
        // Whoever closed standard output does not want to read it.
        _ = writeln!(io::stdout().lock(), "{}", text.trim_end());
    }

    /// Prints a result of which a script that reads no JSON wants one line, as in `TOKEN=$(… token
    /// create ORG)`: where standard output is not a terminal, it is just that.
    pub(crate) fn one_line<T: Serialize>(
        self,
        document: &T,
        line: impl FnOnce(&T) -> &str,
        people: impl FnOnce(&T) -> String,
    ) {
        if self.json || io::stdout().is_terminal() {
            return self.result(document, people);
        }
        _ = writeln!(io::stdout().lock(), "{}", line(document));
    }

    /// Says on standard error what went wrong.
    pub(crate) fn fault(self, fault: &Fault) {
        let detail = redact::typed(&fault.with_causes());
        let text = if self.json {
            json!({ "error": fault.kind().as_str(), "detail": detail }).to_string()
        } else {
            format!("error: {detail}")
        };
        _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Prints a warning on standard error, if there is one, after the result of the command.
    pub(crate) fn warn(self, text: Option<&str>) {
        let Some(text) = text else { return };
        let text = if self.json {
            json!({ "warning": text }).to_string()
        } else {
            format!("warning: {text}")
        };
        _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Says on standard error that a command was not understood. The typed text is repeated, but for secrets: what a
    /// command prints is kept in places that nobody thinks of.
    pub(crate) fn usage(self, text: &StyledStr) {
        let shown = if !self.json && io::stderr().is_terminal() {
            redact::typed(&text.ansi().to_string())
        } else {
            redact::typed(&text.to_string())
        };
        let shown = shown.trim();
        let shown = if self.json {
            let detail = shown.trim_start_matches("error: ");
            json!({ "error": "usage", "detail": detail }).to_string()
        } else {
            shown.to_owned()
        };
        _ = writeln!(io::stderr().lock(), "{shown}");
    }
}
