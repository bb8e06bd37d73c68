//! The question before a step that cannot be taken back, or that others feel.

use askama::Template;

use super::frame::Frame;
use super::shell::{Section, Shell};

/// A page that asks before a step.
#[derive(Debug, Clone, Template)]
#[template(path = "confirm.html")]
pub(super) struct Confirm {
    pub(super) frame: Frame,
    pub(super) shell: Shell,
    /// The question, which names the thing: "Delete the role Auditor?"
    pub(super) question: String,
    /// The consequences, a paragraph each: who loses what, when, and what is kept.
    pub(super) consequences: Vec<String>,
    /// The step, as the button says it: "Delete the role".
    pub(super) step: String,
    /// The text that is typed to confirm a grave step, if it is one.
    pub(super) typed: Option<String>,
    /// Names and values that are sent along.
    pub(super) hidden: Vec<(&'static str, String)>,
    /// The page to which the form is sent, and the one that is gone back to: both of the realm.
    pub(super) action: String,
    pub(super) back: String,
    /// Why it was not done, if it was tried.
    pub(super) trouble: Option<String>,
}

/// The field of the text that is typed to confirm.
pub(super) const TYPED: &str = "typed";
