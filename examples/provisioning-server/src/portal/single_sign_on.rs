//! Sign-in at an organization's identity provider.

use askama::Template;

use super::frame::Frame;

#[derive(Debug, Template)]
#[template(path = "saml-error.html")]
pub(super) struct SamlError {
    pub(super) frame: Frame,
    /// By which an administrator finds the reason.
    pub(super) reference: String,
}
