//! Messages to others, sent behind what has happened.

pub(crate) mod mail;
