//! Sign-in with a password, and the end of it.

use askama::Template;

use super::destination::Destination;
use super::frame::Frame;
use super::sign_in_name::Called;

#[derive(Debug, Template)]
#[template(path = "sign-in.html")]
pub(super) struct SignIn {
    pub(super) frame: Frame,
    pub(super) called: Called,
    pub(super) destination: Destination,
    pub(super) has_single_sign_on: bool,
    /// What was typed before.
    pub(super) name: String,
    pub(super) trouble: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "sign-out.html")]
pub(super) struct SignOut {
    pub(super) frame: Frame,
}

#[derive(Debug, Template)]
#[template(path = "signed-out.html")]
pub(super) struct SignedOut {
    pub(super) frame: Frame,
}
