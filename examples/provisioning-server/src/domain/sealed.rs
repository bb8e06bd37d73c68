//! Secrets at rest: the keys that seal them, and the form that they have in the database.
//!
//! A sealed value is the id of its key (8 bytes), a nonce (24 bytes), and what XChaCha20-Poly1305 makes of the secret (its
//! length and 16 bytes). Table, column and row are authenticated with it, so that a value which was moved elsewhere does
//! not open.

use std::fmt::{self, Display, Formatter};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use jiff::Timestamp;

use super::fault::{Fault, Result};

/// The bytes of the id of a key.
const ID: usize = 8;
/// The bytes of a nonce.
pub(crate) const NONCE: usize = 24;
/// The bytes of a key and its id.
pub(crate) const RANDOM: usize = ID + SECRET;
const SECRET: usize = 32;

/// The text with which every value is authenticated, so that a key is of no use for anything else.
const DOMAIN: &[u8] = b"provisioning-server sealed value";

/// The comment above the keys in a key file.
const HEAD: &str = "# The keys that seal secrets in the database, the oldest first; the last one seals. Without this file they are lost.\n\
                    # Keep a copy of it, and not beside the backups of the database.\n";

/// The id of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyId([u8; ID]);

impl KeyId {
    /// Returns the id of the key by which a value was sealed; none of what is too short to be one.
    pub(crate) fn of(sealed: &[u8]) -> Option<Self> {
        sealed.first_chunk().copied().map(Self)
    }

    /// Returns the bytes in front of each value that the key has sealed.
    pub(crate) fn as_bytes(&self) -> &[u8; ID] {
        &self.0
    }
}

impl Display for KeyId {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// A key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) made: Timestamp,
    secret: [u8; SECRET],
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl Key {
    /// Makes a key of random bytes.
    pub(crate) fn from_random(random: [u8; RANDOM], made: Timestamp) -> Self {
        let (mut id, mut secret) = ([0; ID], [0; SECRET]);
        let (front, rest) = random.split_at(ID);
        id.copy_from_slice(front);
        secret.copy_from_slice(rest);
        Self {
            id: KeyId(id),
            made,
            secret,
        }
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.secret.into())
    }

    /// Reads a line of a key file.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let key = Self {
            id: KeyId(unhex(words.next()?)?),
            made: words.next()?.parse().ok()?,
            secret: unhex(words.next()?)?,
        };
        words.next().is_none().then_some(key)
    }
}

/// A column whose values are sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) table: &'static str,
    /// The columns of the primary key: blobs.
    pub(crate) key: &'static [&'static str],
    pub(crate) name: &'static str,
}

impl Column {
    /// Returns what the values of a row are authenticated with. Lengths stand before texts, so that no two places have the
    /// same.
    fn place(&self, row: &[&[u8]]) -> Vec<u8> {
        let mut place = DOMAIN.to_vec();
        let names = [self.table.as_bytes(), self.name.as_bytes()];
        for part in names.iter().chain(row) {
            place.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            place.extend_from_slice(part);
        }
        place
    }
}

/// The keys of an instance, the oldest first. There is one, or while secrets are sealed anew, there are several; the last
/// one seals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyRing {
    older: Vec<Key>,
    newest: Key,
}

impl KeyRing {
    /// Begins a ring.
    pub(crate) fn new(key: Key) -> Self {
        Self {
            older: Vec::new(),
            newest: key,
        }
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// Invalid if it is not one. The error repeats nothing of it.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |number: usize| {
            Fault::invalid(format!(
                "line {number} is not a valid key; expected the id of the key, the time when it was made, and the key, as \
                 they were written"
            ))
        };
        let mut keys = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            if !line.trim().is_empty() && !line.starts_with('#') {
                keys.push(Key::parse(line).ok_or_else(|| wrong(number))?);
            }
        }
        let newest = keys.pop().ok_or_else(|| Fault::invalid("it holds no key"))?;
        Ok(Self { older: keys, newest })
    }

    /// Returns the text of the key file.
    pub(crate) fn text(&self) -> String {
        let line = |key: &Key| format!("{} {} {}\n", key.id, key.made, hex(&key.secret));
        HEAD.to_owned() + &self.iter().map(line).collect::<String>()
    }

    /// Returns the keys, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Key> {
        self.older.iter().chain([&self.newest])
    }

    /// Returns the key that seals.
    pub(crate) fn newest(&self) -> &Key {
        &self.newest
    }

    /// Returns whether secrets may still be sealed by an older key.
    pub(crate) fn is_in_rotation(&self) -> bool {
        !self.older.is_empty()
    }

    /// Returns the ring with a key that seals from now on.
    #[must_use]
    pub(crate) fn with(&self, key: Key) -> Self {
        Self {
            older: self.iter().cloned().collect(),
            newest: key,
        }
    }

    /// Returns the ring with nothing but the key that seals.
    #[must_use]
    pub(crate) fn newest_alone(&self) -> Self {
        Self::new(self.newest.clone())
    }

    /// Returns the key with an id.
    pub(crate) fn find(&self, id: KeyId) -> Option<&Key> {
        self.iter().find(|key| key.id == id)
    }

    /// Seals a secret for one column of one row. The nonce is random: none may be used twice with a key.
    ///
    /// # Errors
    /// The secret is larger than the cipher allows: 256 GiB.
    pub(crate) fn seal(
        &self,
        column: &Column,
        row: &[&[u8]],
        nonce: [u8; NONCE],
        secret: &[u8],
    ) -> Result<Vec<u8>> {
        let payload = Payload {
            msg: secret,
            aad: &column.place(row),
        };
        let sealed = self.newest.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Fault::invalid("The secret is too large to be sealed."))?;
        Ok([self.newest.id.as_bytes(), &nonce[..], &sealed].concat())
    }

    /// Opens what was sealed for this column of this row.
    ///
    /// # Errors
    /// Conflict if the ring does not have the key, or the value is not as it was sealed, or was sealed for another place.
    pub(crate) fn open(&self, column: &Column, row: &[&[u8]], sealed: &[u8]) -> Result<Vec<u8>> {
        let Column { table, name, .. } = column;
        let key = KeyId::of(sealed).and_then(|id| self.find(id)).ok_or_else(|| {
            Fault::conflict(format!(
                "A sealed value of {table}.{name} was sealed by a key that the key file does not hold."
            ))
        })?;
        let opened = split(sealed).and_then(|(nonce, text)| {
            let payload = Payload {
                msg: text,
                aad: &column.place(row),
            };
            key.cipher().decrypt(&XNonce::from(nonce), payload).ok()
        });
        opened.ok_or_else(|| {
            Fault::conflict(format!(
                "A sealed value of {table}.{name} is not as it was sealed, or belongs to another row."
            ))
        })
    }
}

/// Returns the nonce of a sealed value, and what the cipher has made of the secret.
fn split(sealed: &[u8]) -> Option<([u8; NONCE], &[u8])> {
    let behind = sealed.get(ID..)?;
    let (nonce, text) = behind.split_first_chunk()?;
    Some((*nonce, text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_hex = text.len() == 2 * N && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut bytes = [0; N];
    for (number, byte) in bytes.iter_mut().enumerate().filter(|_| is_hex) {
        *byte = u8::from_str_radix(text.get(2 * number..2 * number + 2)?, 16).ok()?;
    }
    is_hex.then_some(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    pub(crate) const COLUMN: Column = Column {
        table: "thing",
        key: &["org", "id"],
        name: "secret",
    };

    pub(crate) fn key() -> impl Strategy<Value = Key> {
        (vec(any::<u8>(), RANDOM), 0_i64..4_000_000_000).prop_map(|(random, second)| {
            let made = Timestamp::from_second(second).unwrap();
            Key::from_random(random.try_into().unwrap(), made)
        })
    }

    fn ring() -> impl Strategy<Value = KeyRing> {
        vec(key(), 1..4).prop_map(|keys| {
            let mut keys = keys.into_iter();
            let first = KeyRing::new(keys.next().unwrap());
            keys.fold(first, |ring, key| ring.with(key))
        })
    }

    proptest! {
        /// Feature row 94: what was sealed opens in its place with its key, also once another key seals.
        #[test]
        fn what_was_sealed_opens_in_its_place(
            ring in ring(), later in key(), row in vec(vec(any::<u8>(), 0..20), 0..3), nonce: [u8; NONCE],
            secret in vec(any::<u8>(), 0..80),
        ) {
            let row: Vec<&[u8]> = row.iter().map(Vec::as_slice).collect();
            let sealed = ring.seal(&COLUMN, &row, nonce, &secret).unwrap();
            prop_assert_eq!(KeyId::of(&sealed), Some(ring.newest().id));
            prop_assert_eq!(&ring.open(&COLUMN, &row, &sealed).unwrap(), &secret);
            prop_assert_eq!(ring.with(later.clone()).open(&COLUMN, &row, &sealed).unwrap(), secret);
            prop_assert!(KeyRing::new(later).open(&COLUMN, &row, &sealed).is_err());
        }

        /// Feature row 94: another key under the same id, another place, and any bit that was changed are refused.
        #[test]
        fn what_was_changed_or_moved_does_not_open(
            ring in ring(), secret in vec(any::<u8>(), 0..80), nonce: [u8; NONCE], row in vec(vec(any::<u8>(), 0..20), 1..3),
            other in vec(vec(any::<u8>(), 0..20), 1..3), place: Index, bit in 0_u8..8, cut: Index,
        ) {
            prop_assume!(row != other);
            let parts = |row: &'_ [Vec<u8>]| -> Vec<Vec<u8>> { row.to_vec() };
            let (row, other) = (parts(&row), parts(&other));
            let row: Vec<&[u8]> = row.iter().map(Vec::as_slice).collect();
            let other: Vec<&[u8]> = other.iter().map(Vec::as_slice).collect();
            let sealed = ring.seal(&COLUMN, &row, nonce, &secret).unwrap();
            prop_assert!(ring.open(&COLUMN, &other, &sealed).is_err());
            for moved in [Column { table: "things", ..COLUMN }, Column { name: "secrets", ..COLUMN }] {
                prop_assert!(ring.open(&moved, &row, &sealed).is_err());
            }
            let mut flipped = sealed.clone();
            flipped[place.index(sealed.len())] ^= 1 << bit;
            prop_assert!(ring.open(&COLUMN, &row, &flipped).is_err());
            prop_assert!(ring.open(&COLUMN, &row, &sealed[..cut.index(sealed.len())]).is_err());
            let impostor = Key { secret: [7; SECRET], ..ring.newest().clone() };
            prop_assert!(KeyRing::new(impostor).open(&COLUMN, &row, &sealed).is_err());
        }

        /// Feature row 94: a key file reads as it was written.
        #[test]
        fn a_key_file_reads_as_it_was_written(ring in ring()) {
            prop_assert_eq!(KeyRing::parse(&ring.text()).unwrap(), ring);
        }

        /// Feature row 94: whatever stands in a key file is read or refused, and not repeated.
        #[test]
        fn what_is_not_a_key_file_is_refused(text in "\\PC{0,60}") {
            let fault = KeyRing::parse(&format!("{text}🔑")).err().map(|fault| fault.to_string());
            prop_assert!(fault.is_none_or(|fault| !fault.contains('🔑')));
        }
    }

    /// Feature row 94: a key is not shown by accident.
    #[test]
    fn the_debug_form_of_a_key_hides_it() {
        let key = Key::from_random([0xab; RANDOM], Timestamp::UNIX_EPOCH);
        let shown = format!("{key:?} {:?}", KeyRing::new(key.clone()));
        assert!(!shown.contains(&hex(&[0xab; 12])), "{shown}");
        assert!(
            !shown.contains("171, 171, 171, 171, 171, 171, 171, 171, 171"),
            "{shown}"
        );
    }

    /// Feature row 94: a file without keys, and lines that are not keys, are refused with the number of the line.
    #[test]
    fn a_wrong_line_is_named() {
        let good = KeyRing::new(Key::from_random([1; RANDOM], Timestamp::UNIX_EPOCH)).text();
        assert!(
            KeyRing::parse("# nothing\n")
                .unwrap_err()
                .to_string()
                .contains("no key")
        );
        for bad in [
            "x",
            "00 1970-01-01T00:00:00Z 00",
            &format!("{} more", good.lines().last().unwrap()),
        ] {
            let fault = KeyRing::parse(&format!("{good}{bad}\n")).unwrap_err().to_string();
            assert!(fault.contains("line 4 is not a valid key"), "{fault}");
        }
    }
}
