//! The first page after sign-in.

use askama::Template;

use super::frame::Frame;
use super::person::Person;

#[derive(Debug, Template)]
#[template(path = "home.html")]
pub(super) struct Home {
    pub(super) frame: Frame,
    pub(super) person: Person,
    pub(super) permissions: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "no-access.html")]
pub(super) struct NoAccess {
    pub(super) frame: Frame,
    pub(super) person: Person,
    /// Whether an identity provider looks after the account.
    pub(super) is_provisioned: bool,
    /// The groups that the provider has put them into, in words.
    pub(super) groups: String,
}
