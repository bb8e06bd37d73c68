//! The differences between database engines.

/// The differences between database engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// SQLite: parameters are `?1`, `?2` and so on.
    Sqlite,
    /// PostgreSQL: parameters are `$1`, `$2` and so on. Text columns must compare by code point: declare them with
    /// `COLLATE "C"`, or say so in the expression.
    Postgres,
}

impl Dialect {
    /// Returns the text that stands for a parameter, counted from 1.
    pub(super) fn placeholder(self, number: usize) -> String {
        match self {
            Self::Sqlite => format!("?{number}"),
            Self::Postgres => format!("${number}"),
        }
    }
}
