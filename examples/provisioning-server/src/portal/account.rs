//! One's own account: password, second factor, sessions.

use askama::Template;

use super::frame::Frame;
use super::passwords::Passwords;
use super::person::Person;

/// A session as its person sees it.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) browser: String,
    pub(super) place: String,
    pub(super) is_this: bool,
}

#[derive(Debug, Template)]
#[template(path = "account.html")]
pub(super) struct Account {
    pub(super) frame: Frame,
    pub(super) person: Person,
    pub(super) trouble: Option<String>,
    /// When the password was changed; none where there is no password.
    pub(super) password: Option<String>,
    /// When the application was set up.
    pub(super) application: Option<String>,
    /// How many recovery codes are left, in words.
    pub(super) codes: String,
    pub(super) is_required: bool,
    pub(super) sessions: Vec<Session>,
}

#[derive(Debug, Template)]
#[template(path = "password.html")]
pub(super) struct Password {
    pub(super) frame: Frame,
    pub(super) name: String,
    /// Whether the password until now was another.
    pub(super) is_wrong: bool,
    pub(super) passwords: Passwords,
}
