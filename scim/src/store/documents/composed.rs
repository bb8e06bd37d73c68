//! Statements that are composed at run time.

use crate::store::database::{Param, Value};

/// SQL with its parameters in the order in which they stand in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) params: Vec<Value>,
}

impl Sql {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            params: Vec::new(),
        }
    }

    pub(super) fn with(mut self, param: impl Into<Value>) -> Self {
        self.params.push(param.into());
        self
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn append(&mut self, other: Self) {
        self.text.push_str(&other.text);
        self.params.extend(other.params);
    }

    pub(super) fn bound(&self) -> Vec<Param<'_>> {
        self.params.iter().map(Value::as_param).collect()
    }
}
