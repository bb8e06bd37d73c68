//! Random names, so that two runs against one server do not meet.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// Returns 64 random bits, from the keys the standard library draws for its hash maps.
pub fn bits() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Returns eight random hexadecimal digits.
pub fn hex8() -> String {
    format!("{:08x}", bits() & 0xffff_ffff)
}

/// Returns a random UUID (version 4) in its usual spelling.
pub fn uuid() -> String {
    let (high, low) = (bits(), bits());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_version_4_the_rfc_variant_and_is_new_each_time() {
        let shape =
            regex_lite::Regex::new("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$");
        let first = uuid();
        assert!(shape.unwrap().is_match(&first), "{first}");
        assert_ne!(first, uuid());
    }
}
