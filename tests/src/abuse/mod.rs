//! One organization that does its worst, and another one that must not notice.

mod attacks;
mod bystander;

pub use attacks::{ATTACKS, Attack, FLOOD, Statuses, attacker, prepare};
pub use bystander::{Bystander, Waits};

/// The flags of the organizations.
pub const FLAGS: [&str; 4] = ["--idp", "other", "--username", "any"];
