//! The text format of Prometheus.

use std::fmt::{Display, Write};

/// A page in the text format of Prometheus. Writing to a string cannot fail.
#[derive(Debug, Default)]
pub(super) struct Page(pub(super) String);

impl Page {
    /// Writes a family of one sample without labels.
    pub(super) fn one(&mut self, name: &str, kind: &str, help: &str, value: impl Display) {
        self.describe(name, kind, help);
        self.sample(name, value);
    }

    /// Begins a family.
    pub(super) fn describe(&mut self, name: &str, kind: &str, help: &str) {
        _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Writes a sample of the family that was begun last.
    pub(super) fn sample(&mut self, name: impl Display, value: impl Display) {
        _ = writeln!(self.0, "{name} {value}");
    }
}
