//! Reading text eight bytes at a time, for JSON and for the literals of filters.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Returns how many bytes come before the first that a JSON string may not hold as it is (RFC 8259 section 7): a quote, a
/// backslash or a control character.
#[inline]
pub(crate) fn plain_length(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut length = 0;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return length + (special.trailing_zeros() / 8) as usize;
        }
        length += 8;
        rest = after;
    }
    let tail = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
    length + tail.unwrap_or(rest.len())
}

/// Returns the highest bit of each byte that is special. Bits after the first may be wrong: the subtractions carry upwards.
const fn special_bytes(word: u64) -> u64 {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let zero_quote = quote.wrapping_sub(ONES) & !quote;
    let zero_backslash = backslash.wrapping_sub(ONES) & !backslash;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (zero_quote | zero_backslash | control) & HIGHS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the bytes and wherever the words begin, the answer is that of the plain definition.
        #[test]
        fn the_first_special_byte_is_found(
            bytes in prop::collection::vec(
                prop_oneof![3 => any::<u8>(), 5 => b' '..=b'~', 1 => Just(b'"'), 1 => Just(b'\\'), 1 => 0x1e_u8..=0x21],
                0..40,
            ),
        ) {
            let expected = bytes.iter().position(|byte| *byte < 0x20 || *byte == b'"' || *byte == b'\\');
            prop_assert_eq!(plain_length(&bytes), expected.unwrap_or(bytes.len()));
        }

        #[test]
        fn plain_bytes_are_passed(before in 0_usize..30, byte in any::<u8>()) {
            let mut bytes = vec![b'a'; before];
            bytes.push(byte);
            let special = byte < 0x20 || byte == b'"' || byte == b'\\';
            prop_assert_eq!(plain_length(&bytes), before + usize::from(!special));
        }
    }
}
