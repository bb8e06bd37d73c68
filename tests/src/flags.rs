//! The command lines of benchmarks: pairs of a flag and its value.

use std::env;

use crate::Failure;

/// Hands each flag of the command line with its value to `set`, which says with `None` that it does not understand them.
///
/// # Errors
/// A flag is not understood, or has no value: with `usage`.
pub fn read(usage: &str, mut set: impl FnMut(&str, String) -> Option<()>) -> Result<(), Failure> {
    let mut arguments = env::args().skip(1);
    while let Some(flag) = arguments.next() {
        // `cargo bench` adds this one.
        if flag == "--bench" {
            continue;
        }
        arguments
            .next()
            .and_then(|value| set(&flag, value))
            .ok_or_else(|| Failure::new(format!("{flag} is not understood. {usage}")))?;
    }
    Ok(())
}
