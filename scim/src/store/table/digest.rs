//! Versions of rows that keep none.

use super::shown::Ends;
use crate::projection::{Base, Projection, write_resource};
use crate::record::Record;
use crate::schema::ResourceType;
use crate::store::Version;
use crate::value::JsonBuf;

/// Computes the digest of a resource and its edges, in whatever order they come: the same content has the same version.
pub(super) fn digest(resource_type: &'static ResourceType, record: &dyn Record, edges: &[Ends]) -> Version {
    let mut content = Vec::new();
    let projection = Projection::stored_rest(resource_type, &[]);
    write_resource(&mut content, record, &projection, Base::Relative);
    for edges in edges {
        let mut values: Vec<_> = edges
            .ends
            .iter()
            .map(|end| (end.id.as_str(), end.rest.as_ref().map(JsonBuf::text)))
            .collect();
        values.sort_unstable();
        for (id, rest) in values {
            // No text of JSON has these bytes.
            content.push(0);
            content.extend_from_slice(id.as_bytes());
            content.push(1);
            content.extend_from_slice(rest.unwrap_or_default().as_bytes());
        }
        content.push(2);
    }
    Version::new(format!("{:032x}", fnv_1a(&content)))
}

/// Computes the FNV-1a hash of 128 bits. It tells the states of one resource apart, and is not a secret.
fn fnv_1a(bytes: &[u8]) -> u128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    bytes
        .iter()
        .fold(BASIS, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published values of the algorithm: what was an entity tag yesterday is one tomorrow.
    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(fnv_1a(b""), 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d);
        assert_eq!(fnv_1a(b"a"), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
    }
}
