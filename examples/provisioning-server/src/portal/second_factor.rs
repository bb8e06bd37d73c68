//! The second factor: asked for, set up, and its recovery codes.

use askama::Template;

use super::frame::Frame;
use super::qr::Picture;

#[derive(Debug, Template)]
#[template(path = "second-factor.html")]
pub(super) struct SecondFactor {
    pub(super) frame: Frame,
    pub(super) trouble: Option<String>,
    /// Whether it was tried with a recovery code.
    pub(super) is_with_recovery_code: bool,
}

#[derive(Debug, Template)]
#[template(path = "second-factor-set-up.html")]
pub(super) struct SetUp {
    pub(super) frame: Frame,
    pub(super) trouble: Option<String>,
    pub(super) picture: Picture,
    /// The secret as it is typed.
    pub(super) key: String,
    /// Whether nobody signs in here without one.
    pub(super) is_required: bool,
}

#[derive(Debug, Template)]
#[template(path = "recovery-codes.html")]
pub(super) struct RecoveryCodes {
    pub(super) frame: Frame,
    pub(super) codes: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "new-recovery-codes.html")]
pub(super) struct NewRecoveryCodes {
    pub(super) frame: Frame,
    /// The sentence on how many are left.
    pub(super) left: String,
}
