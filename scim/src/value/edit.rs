//! One step of a PATCH, on its way from the resource to the value it changes.

use crate::error::{Error, Result};
use crate::schema::Attribute;
use crate::value::{Json, JsonBuf, View};

/// The keyword of a PATCH operation (RFC 7644 section 3.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Adds values, or sets what is not set.
    Add,
    /// Sets values.
    Replace,
    /// Removes values.
    Remove,
}

impl Op {
    /// Returns the keyword of the operation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
        }
    }
}

/// The action of a PATCH operation on the value it is addressed to, with its operand.
///
/// "Everything" and "what this value names" are different variants: however little is left of an operand once names
/// that no schema knows are omitted, [`RemoveNamed`](Self::RemoveNamed) never becomes [`Remove`](Self::Remove).
#[derive(Clone, Copy)]
pub enum Action<'a> {
    /// Adds the operand's values, or sets what is not set.
    Add(Json<'a>),
    /// Sets the operand's values.
    Replace(Json<'a>),
    /// Removes everything that the path leads to.
    Remove,
    /// Removes what the operand names and nothing else; an operand that names nothing removes nothing.
    RemoveNamed(Json<'a>),
}

impl<'a> Action<'a> {
    /// Returns the keyword of the operation.
    #[must_use]
    pub const fn op(self) -> Op {
        match self {
            Self::Add(_) => Op::Add,
            Self::Replace(_) => Op::Replace,
            Self::Remove | Self::RemoveNamed(_) => Op::Remove,
        }
    }

    /// Returns the operand, if the operation has one.
    #[must_use]
    pub const fn operand(self) -> Option<Json<'a>> {
        match self {
            Self::Add(json) | Self::Replace(json) | Self::RemoveNamed(json) => Some(json),
            Self::Remove => None,
        }
    }

    /// Returns whether it removes, all or part.
    #[must_use]
    pub const fn removes(self) -> bool {
        matches!(self.op(), Op::Remove)
    }

    /// Returns the same action with another operand.
    #[must_use]
    pub(crate) const fn with_operand<'b>(self, json: Json<'b>) -> Action<'b> {
        match self {
            Self::Add(_) => Action::Add(json),
            Self::Replace(_) => Action::Replace(json),
            Self::RemoveNamed(_) => Action::RemoveNamed(json),
            Self::Remove => Action::Remove,
        }
    }
}

/// Whether an edit changed anything. A PATCH that changes nothing leaves version and time alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub enum Change {
    /// The value is what it was.
    #[default]
    None,
    /// The value is another.
    Done,
}

impl Change {
    /// Returns whether anything changed.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done)
    }

    /// Says whether either changed.
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, Self::None) => Self::None,
            _ => Self::Done,
        }
    }

    /// Returns `Done` if `changed`.
    pub const fn when(changed: bool) -> Self {
        if changed { Self::Done } else { Self::None }
    }
}

/// Picks elements of a multi-valued attribute: the filter in `emails[type eq "work"]`.
pub trait Select: Send + Sync {
    /// Returns whether the element is meant.
    fn matches(&self, element: &View<'_>) -> bool;

    /// Says how many comparisons it makes of an element at most: what a look at one costs.
    fn terms(&self) -> usize {
        1
    }

    /// Returns the sub-attributes an element must have to be meant, if the filter is made of `eq` and `and` alone: what a
    /// missing element is created from. Each is an index into the element's table and a value.
    fn template(&self) -> Option<Vec<(u16, JsonBuf)>>;
}

/// An operation addressed to the value at hand.
///
/// `rest` is the way that is still to go; `select` picks elements where the way meets a multi-valued attribute.
#[derive(Clone, Copy)]
pub struct Edit<'a> {
    /// The action.
    pub action: Action<'a>,
    /// Which elements, once the way meets a multi-valued attribute.
    pub select: Option<&'a dyn Select>,
    /// The steps below the value at hand.
    pub rest: &'a [u16],
}

impl<'a> Edit<'a> {
    /// Makes an edit of the whole value at hand.
    #[must_use]
    pub const fn whole(action: Action<'a>) -> Self {
        Self {
            action,
            select: None,
            rest: &[],
        }
    }

    /// Returns whether the edit means the whole value at hand, not a part of it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.select.is_none() && self.rest.is_empty()
    }

    /// Returns whether the edit removes the whole value at hand.
    #[must_use]
    pub fn clears(&self) -> bool {
        self.is_whole() && matches!(self.action, Action::Remove)
    }

    /// Sets a value that has no parts.
    ///
    /// # Errors
    /// 400 `invalidPath` if the edit means a part, 400 `mutability` if it removes the value, and what `decode`
    /// returns.
    pub fn set<T: PartialEq>(
        &self,
        target: &mut T,
        decode: impl FnOnce(Json<'a>) -> Result<T>,
    ) -> Result<Change> {
        if !self.is_whole() {
            return Err(Error::invalid_path("has no sub-attributes"));
        }
        let (Action::Add(operand) | Action::Replace(operand)) = self.action else {
            return Err(Error::mutability("is required and cannot be removed"));
        };
        let new = decode(operand)?;
        let change = Change::when(new != *target);
        *target = new;
        Ok(change)
    }

    /// Makes the document from which a value that is not there yet is made, so that the edit then holds: the way that is
    /// still to go and the `eq` terms of the filter become members. `operand` is that of the action.
    ///
    /// # Errors
    /// 400 `noTarget` if the filter is not made of `eq` and `and`.
    pub fn materialise(&self, operand: Json<'_>, sub_attributes: &'static [Attribute]) -> Result<JsonBuf> {
        let mut members: Vec<(&'static str, JsonBuf)> = Vec::new();
        if let Some(select) = self.select {
            let template = select.template().ok_or_else(|| {
                Error::no_target(
                    "has no element that the filter selects, and the filter does not say how to make one",
                )
            })?;
            for (index, value) in template {
                if let Some(attribute) = sub_attributes.get(usize::from(index)) {
                    members.push((attribute.name, value));
                }
            }
        }
        let [step, rest @ ..] = self.rest else {
            return Ok(match members.is_empty() {
                true => operand.into(),
                // Whatever the operation says itself stands last and so wins.
                false => JsonBuf::object(
                    pairs(&members).chain(operand.members().map(|(n, v)| (n.into_owned(), v))),
                ),
            });
        };
        let attribute = sub_attributes
            .get(usize::from(*step))
            .ok_or_else(|| Error::invalid_path("has no such sub-attribute"))?;
        let inner = Edit {
            select: None,
            rest,
            ..*self
        }
        .materialise(operand, attribute.shape.sub_attributes)?;
        members.push((attribute.name, inner));
        Ok(JsonBuf::object(pairs(&members)))
    }
}

fn pairs<'m>(members: &'m [(&'static str, JsonBuf)]) -> impl Iterator<Item = (String, Json<'m>)> {
    members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_json()))
}
