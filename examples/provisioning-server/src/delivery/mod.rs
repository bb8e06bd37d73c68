//! What is sent to others, behind what has happened.

pub(crate) mod mail;
