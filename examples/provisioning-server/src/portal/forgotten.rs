//! The forgotten password.

use askama::Template;

use super::frame::Frame;
use super::sign_in_name::Called;

#[derive(Debug, Template)]
#[template(path = "forgotten-password.html")]
pub(super) struct Forgotten {
    pub(super) frame: Frame,
    pub(super) called: Called,
}

#[derive(Debug, Template)]
#[template(path = "forgotten-password-sent.html")]
pub(super) struct Sent {
    pub(super) frame: Frame,
    /// As it was typed.
    pub(super) name: String,
}
