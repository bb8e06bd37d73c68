//! The mark of a database that is a demonstration's own.

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};

use super::{Product, organizations};
use crate::domain::fault::{Fault, Result};

/// The value of the mark until everything is made.
const BEGUN: &str = "begun";

/// The value from then on.
const MADE: &str = "made";

const MARK: &str = "SELECT value FROM instance WHERE key = 'demo'";

impl Product {
    /// Marks the database as a demonstration's own. Answers whether everything is made already.
    ///
    /// # Errors
    /// It holds anything else, or the database fails.
    pub(crate) async fn claim_for_demo(&self) -> Result<bool> {
        self.write(|tx| {
            let mark = tx.query_one(MARK, &[], |row| Ok(row.text(0)? == MADE))?;
            match mark {
                Some(is_made) => Ok(Ok(is_made)),
                None if is_used(tx)? => Ok(Err(Fault::conflict(
                    "The database holds something that is not a demonstration: name another one with --database, or \
                     leave the flag out, and the demonstration has a database of its own.",
                ))),
                None => {
                    for (key, value) in [("demo", BEGUN), ("started", &*Timestamp::now().as_microsecond().to_string())] {
                        tx.execute("INSERT INTO instance(key, value) VALUES (?1, ?2)", &[key.into(), value.into()])?;
                    }
                    Ok(Ok(false))
                }
            }
        })
        .await
    }

    /// Notes that everything is made.
    pub(crate) async fn note_demo_made(&self) -> Result<()> {
        self.note("demo", MADE.to_owned()).await
    }
}

/// Returns whether the database is a demonstration's own.
pub(crate) fn is_demonstration(reader: &Reader<'_>) -> scim::Result<bool> {
    Ok(reader.query_one(MARK, &[], |_| Ok(()))?.is_some())
}

/// Returns whether a server has run on the database, or an organization was made in it.
fn is_used(tx: &Transaction<'_>) -> scim::Result<bool> {
    let started = tx.query_one("SELECT 1 FROM instance WHERE key = 'started'", &[], |_| Ok(()))?;
    Ok(started.is_some() || !organizations::all(tx)?.is_empty())
}
