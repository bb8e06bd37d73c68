//! The keys by which secrets are sealed, as a process holds them, and whether they are those of the database.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};

use super::{Product, key_file, sealed_columns};
use crate::domain::fault::{Fault, Result};
use crate::domain::sealed::{Column, Key, KeyId, KeyRing};
use crate::domain::secret::random;

/// The proof of a key. It is not a secret, and is not sealed anew: each key has its own.
const PROOF: Column = Column {
    table: "sealing_key",
    key: &["id"],
    name: "proof",
};

/// The keys of an instance. A clone is another handle of the same.
#[derive(Debug, Clone)]
pub(crate) struct Keys(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    file: PathBuf,
    /// As they were read last.
    known: Mutex<Option<Arc<KeyRing>>>,
}

impl Keys {
    /// Takes the keys of a file, which is read when they are needed.
    pub(super) fn of_file(file: PathBuf) -> Self {
        Self(Arc::new(Shared {
            file,
            known: Mutex::new(None),
        }))
    }

    /// Returns the key file.
    pub(crate) fn file(&self) -> &Path {
        &self.0.file
    }

    /// Seals a secret for a column of a row, whose primary key it is given, in the transaction that writes it.
    ///
    /// The key file is read for each, within the transaction: so nothing is sealed by a key that is on its way out. A
    /// rotation adds its key before its transactions begin, and looks once more before it takes the old one away.
    ///
    /// # Errors
    /// Internal if the key file cannot be read, or the column is not one that a rotation knows.
    pub(crate) fn seal(
        &self,
        _: &Transaction<'_>,
        column: &Column,
        row: &[&[u8]],
        secret: &[u8],
    ) -> scim::Result<Vec<u8>> {
        if !sealed_columns::ALL.contains(column) {
            return Err(scim::Error::internal(format!(
                "{}.{} is not in the list of sealed columns",
                column.table, column.name
            )));
        }
        let ring = self.read().map_err(scim::Error::internal)?;
        seal(&ring, column, row, secret)
    }

    /// Opens what was sealed for this column of this row.
    ///
    /// # Errors
    /// Internal if its key is not in the key file, or it was changed or moved.
    pub(crate) fn open(&self, column: &Column, row: &[&[u8]], sealed: &[u8]) -> scim::Result<Vec<u8>> {
        let known = self.known();
        let has_key = |ring: &KeyRing| KeyId::of(sealed).is_some_and(|id| ring.find(id).is_some());
        let ring = match known.filter(|ring| has_key(ring)) {
            Some(ring) => ring,
            // Another process may have added a key since.
            None => self.read().map_err(scim::Error::internal)?,
        };
        ring.open(column, row, sealed).map_err(scim::Error::internal)
    }

    fn known(&self) -> Option<Arc<KeyRing>> {
        self.0
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn know(&self, ring: KeyRing) -> Arc<KeyRing> {
        let ring = Arc::new(ring);
        *self.0.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&ring));
        ring
    }

    /// Reads the key file.
    pub(super) fn read(&self) -> Result<Arc<KeyRing>> {
        let missing = || {
            Fault::conflict(format!(
                "The key file {} is missing: put it back, or name the place where it is with --key-file.",
                self.file().display()
            ))
        };
        Ok(self.know(key_file::read(self.file())?.ok_or_else(missing)?))
    }

    /// Writes the key file anew.
    pub(super) fn replace(&self, ring: KeyRing) -> Result<Arc<KeyRing>> {
        key_file::replace(self.file(), &ring)?;
        Ok(self.know(ring))
    }
}

/// Makes a key from the random source of the system.
///
/// # Errors
/// The system has none.
pub(super) fn generate() -> Result<Key> {
    Ok(Key::from_random(
        random()?,
        Timestamp::now()
            .round(jiff::Unit::Second)
            .unwrap_or(Timestamp::UNIX_EPOCH),
    ))
}

/// Seals by the newest key of a ring.
pub(super) fn seal(ring: &KeyRing, column: &Column, row: &[&[u8]], secret: &[u8]) -> scim::Result<Vec<u8>> {
    let nonce = random().map_err(scim::Error::internal)?;
    ring.seal(column, row, nonce, secret)
        .map_err(scim::Error::internal)
}

/// A key that the database knows, with its proof.
#[derive(Debug, Clone)]
struct Proven {
    id: Vec<u8>,
    proof: Vec<u8>,
}

fn proven(reader: &Reader<'_>) -> scim::Result<Vec<Proven>> {
    reader.query_all("SELECT id, proof FROM sealing_key", &[], |row| {
        Ok(Proven {
            id: row.blob(0)?.to_owned(),
            proof: row.blob(1)?.to_owned(),
        })
    })
}

/// Notes that values may be sealed by the newest key of a ring.
pub(super) fn prove(tx: &Transaction<'_>, ring: &KeyRing) -> scim::Result<()> {
    let key = ring.newest();
    let id = key.id.as_bytes();
    tx.execute(
        "INSERT INTO sealing_key (id, made, proof) VALUES (?1, ?2, ?3) ON CONFLICT (id) DO NOTHING",
        &[
            id.into(),
            key.made.as_microsecond().into(),
            (&seal(ring, &PROOF, &[id], &[])?[..]).into(),
        ],
    )?;
    Ok(())
}

/// Notes that nothing is sealed by any key but the newest of a ring.
pub(super) fn forget_older(tx: &Transaction<'_>, ring: &KeyRing) -> scim::Result<()> {
    let newest = ring.newest().id;
    tx.execute(
        "DELETE FROM sealing_key WHERE id <> ?1",
        &[newest.as_bytes().into()],
    )?;
    Ok(())
}

/// The state of the keys of a database.
enum Verdict {
    /// They are those of the file.
    Right,
    /// The newest of the file has not sealed anything yet.
    Unproven,
    Wrong(Fault),
}

/// Compares the keys of the file with those of the database.
fn judge(file: &Path, ring: &KeyRing, known: &[Proven]) -> Verdict {
    for key in known {
        let name = KeyId::of(&key.id).map(|id| id.to_string()).unwrap_or_default();
        let is_held = KeyId::of(&key.id).is_some_and(|id| ring.find(id).is_some());
        let opened = ring.open(&PROOF, &[&key.id], &key.proof);
        let wrong = match (is_held, opened) {
            (true, Ok(_)) => continue,
            (true, Err(_)) => "holds another key under the id",
            (false, _) => "does not hold the key",
        };
        return Verdict::Wrong(Fault::conflict(format!(
            "The key file {} {wrong} {name}, by which secrets in the database are sealed: put the file that belongs to \
             this database there, or name it with --key-file.",
            file.display()
        )));
    }
    match known.iter().any(|key| key.id == ring.newest().id.as_bytes()) {
        true => Verdict::Right,
        false => Verdict::Unproven,
    }
}

impl Product {
    /// Returns the keys by which secrets are sealed.
    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Checks that the key file is that of the database, or makes one where nothing is sealed yet.
    ///
    /// # Errors
    /// Secrets are sealed, and the key file is missing, open to others, or not the right one.
    pub(super) async fn unlock(&self) -> Result<()> {
        let keys = &self.keys;
        let Some(ring) = key_file::read(keys.file())? else {
            return self.begin_keys().await;
        };
        let known = self.read(proven).await?;
        if matches!(judge(keys.file(), &ring, &known), Verdict::Right) {
            keys.know(ring);
            return Ok(());
        }
        // While a rotation is under way, the file and a snapshot may be of different moments. No rotation goes on beside
        // this transaction.
        let keys = keys.clone();
        self.write(move |tx| {
            let ring = match keys.read() {
                Ok(ring) => ring,
                Err(fault) => return Ok(Err(fault)),
            };
            match judge(keys.file(), &ring, &proven(tx)?) {
                Verdict::Right => Ok(Ok(())),
                Verdict::Unproven => prove(tx, &ring).map(Ok),
                Verdict::Wrong(fault) => Ok(Err(fault)),
            }
        })
        .await
    }

    /// Makes the key file of a database in which nothing is sealed.
    async fn begin_keys(&self) -> Result<()> {
        let keys = self.keys.clone();
        self.write(move |tx| {
            let is_needed = sealed_columns::is_any(tx)?;
            let begun = match (is_needed, key_file::read(keys.file())) {
                (_, Ok(Some(_))) => Ok(()),
                (true, Ok(None)) => Err(Fault::conflict(format!(
                    "The key file {} is missing, and secrets in the database are sealed by its keys: put it back, or name \
                     the place where it is with --key-file.",
                    keys.file().display()
                ))),
                (false, Ok(None)) => {
                    generate().and_then(|key| key_file::create(keys.file(), &KeyRing::new(key)))
                }
                (_, Err(fault)) => Err(fault),
            };
            match begun.and_then(|()| keys.read()) {
                Ok(ring) if is_needed => match judge(keys.file(), &ring, &proven(tx)?) {
                    Verdict::Wrong(fault) => Ok(Err(fault)),
                    Verdict::Right | Verdict::Unproven => prove(tx, &ring).map(Ok),
                },
                Ok(ring) => {
                    prove(tx, &ring)?;
                    forget_older(tx, &ring).map(Ok)
                }
                Err(fault) => Ok(Err(fault)),
            }
        })
        .await
    }
}
