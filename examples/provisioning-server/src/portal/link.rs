//! Links that were sent by mail.

use askama::Template;

use super::frame::Frame;
use super::passwords::Passwords;

#[derive(Debug, Template)]
#[template(path = "invitation.html")]
pub(super) struct Invitation {
    pub(super) frame: Frame,
    pub(super) display: String,
    pub(super) name: String,
    pub(super) expires: String,
    pub(super) passwords: Passwords,
}

#[derive(Debug, Template)]
#[template(path = "reset-link.html")]
pub(super) struct ResetLink {
    pub(super) frame: Frame,
    pub(super) name: String,
    pub(super) expires: String,
    /// Whether its use removes the second factor, too.
    pub(super) removes_factor: bool,
    pub(super) passwords: Passwords,
}

#[derive(Debug, Template)]
#[template(path = "link-over.html")]
pub(super) struct LinkOver {
    pub(super) frame: Frame,
}
