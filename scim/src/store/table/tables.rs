//! Transactions over somebody's connection.

use std::error::Error as StdError;
use std::fmt::{self, Debug, Formatter};
use std::future::Future;

use crate::error::Error;
use crate::path::AttrPath;

/// The reason for which a unit of work begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// It reads. All of it should see one state: `REPEATABLE READ`, or a plain `BEGIN` of SQLite.
    Read,
    /// It reads, and writes what it has read: `BEGIN IMMEDIATE` of SQLite, or a plain `BEGIN` of PostgreSQL, where
    /// [`Rows::find`](super::Rows::find) locks the row.
    Write,
}

/// The tables of an application, as far as they can be read and written in transactions. `C` is the application's own
/// context of a request.
///
/// Beyond the signatures, these must hold:
///
/// * Others see all that a unit has written after [`commit`](Self::commit), and nothing of it if it is dropped.
/// * Two units that write one resource do not overlap from [`Rows::find`](super::Rows::find) to the end: the row is
///   locked, or the database is, or it refuses one of the two with an error for which [`refusal`](Self::refusal) says
///   [`Refusal::Again`].
/// * A unit reaches the rows of its tenant alone.
pub trait Tables<C>: Send + Sync + 'static {
    /// A transaction with whatever it needs: owned, so that it may wait and change threads. One that is dropped rolls
    /// back.
    type Unit: Send + 'static;

    /// Begins a transaction for a tenant: the one that the [`Table`](super::Table) has found in the context, the empty
    /// name where there is only one.
    ///
    /// # Errors
    /// Those of the driver, or a [`scim::Error`](Error), which the client is shown as it is.
    fn begin(
        &self,
        cx: &C,
        tenant: &str,
        purpose: Purpose,
    ) -> impl Future<Output = Result<Self::Unit, Failure>> + Send;

    /// Commits a transaction, also one that has only read.
    ///
    /// # Errors
    /// Those of the driver. Nothing may have been written then.
    fn commit(&self, unit: Self::Unit) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Says what an error of the driver means: which constraint was hit, or that the transaction may run again. It is
    /// asked of the error, and then of its [sources](StdError::source). By default, every error is a fault of the service.
    fn refusal(&self, error: &(dyn StdError + 'static)) -> Refusal {
        _ = error;
        Refusal::Other
    }
}

/// The meaning of an error of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// A unique constraint: another resource has this attribute's value. 409 `uniqueness`.
    Taken(AttrPath),
    /// A foreign key: an edge leads to nothing. 400 `invalidValue`.
    Missing,
    /// Another transaction was in the way (SQLSTATE 40001 and 40P01, `SQLITE_BUSY`): the write is tried again.
    Again,
    /// Anything else. 500, and the client is told nothing of it.
    Other,
}

impl Refusal {
    /// Says that another resource has the value of this attribute: `Refusal::taken(User::paths().user_name())`.
    #[must_use]
    pub fn taken(attribute: impl Into<AttrPath>) -> Self {
        Self::Taken(attribute.into())
    }
}

/// The failure of a statement, or a refusal by the application: whatever error there is, so that `?` makes it of every
/// driver's. It is not itself an [`Error`](StdError).
///
/// A [`scim::Error`](Error) inside is answered as it is.
///
/// ```
/// use scim::store::table::Failure;
///
/// fn parsed(text: &str) -> Result<i64, Failure> {
///     Ok(text.parse::<i64>()?)
/// }
/// assert!(parsed("12").is_ok() && parsed("twelve").is_err());
/// ```
pub struct Failure(Box<dyn StdError + Send + Sync>);

impl<E: StdError + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl Debug for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

impl Failure {
    /// Makes an error for the client of it: the application's own, or by what it means to the tables. `taken` makes the
    /// error about a value that another resource has.
    pub(super) fn into_error<C, T: Tables<C>>(
        self,
        tables: &T,
        taken: impl FnOnce(AttrPath) -> Error,
    ) -> Error {
        let inner = match self.0.downcast::<Error>() {
            Ok(error) => return *error,
            Err(inner) => inner,
        };
        let mut refusal = Refusal::Other;
        let mut cause: Option<&(dyn StdError + 'static)> = Some(&*inner);
        while let Some(error) = cause.filter(|_| refusal == Refusal::Other) {
            refusal = tables.refusal(error);
            cause = error.source();
        }
        match refusal {
            Refusal::Taken(path) => taken(path).with_source(inner),
            Refusal::Missing => {
                Error::invalid_value("An edge leads to a resource that does not exist.").with_source(inner)
            }
            Refusal::Again => Error::conflict().with_source(inner),
            Refusal::Other => Error::internal(inner),
        }
    }
}
