//! Values of parameters and columns.

/// A value of a parameter, or of a column of a row that is read.
#[derive(Debug, Clone, PartialEq)]
pub enum SqlValue {
    /// No value.
    Null,
    /// Text.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// A boolean; SQLite keeps it as 1 or 0.
    Bool(bool),
    /// Bytes.
    Binary(Vec<u8>),
}
