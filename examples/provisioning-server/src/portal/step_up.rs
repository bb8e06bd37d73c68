//! The confirmation that it is still the same person, before something that matters.

use askama::Template;

use super::frame::Frame;

/// By what somebody can confirm it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// A code of their application, or a recovery code.
    Code,
    /// Their password, because they have no second factor.
    Password,
    /// Another sign-in at their identity provider.
    SingleSignOn,
}

#[derive(Debug, Template)]
#[template(path = "step-up.html")]
pub(super) struct StepUp {
    pub(super) frame: Frame,
    pub(super) by: By,
    pub(super) name: String,
    pub(super) trouble: Option<String>,
}
