//! The set-up link of the first start.

use askama::Template;

use super::frame::Frame;
use super::passwords::Passwords;

#[derive(Debug, Template)]
#[template(path = "first-run.html")]
pub(super) struct FirstRun {
    pub(super) frame: Frame,
    /// What was typed before.
    pub(super) email: String,
    pub(super) email_error: Option<String>,
    pub(super) passwords: Passwords,
    pub(super) is_without_public_url: bool,
}
