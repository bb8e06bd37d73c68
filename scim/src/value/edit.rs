//! One step of a PATCH, on its way from the resource to the value it changes.

use crate::error::{Error, Result};
use crate::schema::Attribute;
use crate::value::{Json, JsonBuf, View};

/// What a PATCH operation does (RFC 7644 section 3.5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Adds values, or sets what is not set.
    Add,
    /// Sets values.
    Replace,
    /// Takes values away.
    Remove,
}

impl Op {
    /// The keyword of the operation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Replace => "replace",
            Self::Remove => "remove",
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
    /// Whether anything changed.
    #[must_use]
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done)
    }

    /// Either changed.
    pub const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, Self::None) => Self::None,
            _ => Self::Done,
        }
    }

    /// `Done` if `changed`.
    pub const fn when(changed: bool) -> Self {
        if changed { Self::Done } else { Self::None }
    }
}

/// Picks elements of a multi-valued attribute: the filter in `emails[type eq "work"]`.
pub trait Select: Send + Sync {
    /// Whether the element is meant.
    fn matches(&self, element: &View<'_>) -> bool;

    /// The sub-attributes an element must have to be meant, if the filter is made of `eq` and `and` alone: what a
    /// missing element is created from. Each is an index into the element's table and a value.
    fn template(&self) -> Option<Vec<(u16, JsonBuf)>>;
}

/// An operation addressed to the value at hand.
///
/// `rest` is the way that is still to go; `select` picks elements where the way meets a multi-valued attribute.
#[derive(Clone, Copy)]
pub struct Edit<'a> {
    /// What to do.
    pub op: Op,
    /// Which elements, once the way meets a multi-valued attribute.
    pub select: Option<&'a dyn Select>,
    /// The steps below the value at hand.
    pub rest: &'a [u16],
    /// The operand; `None` where the client sent none.
    pub value: Option<Json<'a>>,
}

impl<'a> Edit<'a> {
    /// An edit of the whole value at hand.
    #[must_use]
    pub const fn whole(op: Op, value: Option<Json<'a>>) -> Self {
        Self {
            op,
            select: None,
            rest: &[],
            value,
        }
    }

    /// Whether the edit means the whole value at hand, not a part of it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.select.is_none() && self.rest.is_empty()
    }

    /// Whether the edit takes the whole value away: a remove, or `null` (RFC 7643 section 2.5).
    #[must_use]
    pub fn clears(&self) -> bool {
        self.is_whole()
            && (self.op == Op::Remove || (self.op == Op::Replace && self.value.is_some_and(Json::is_null)))
    }

    /// The operand.
    ///
    /// # Errors
    /// 400 `invalidValue` if there is none.
    pub fn operand(&self) -> Result<Json<'a>> {
        self.value
            .ok_or_else(|| Error::invalid_value("needs a value in this operation"))
    }

    /// Sets a value that has no parts.
    ///
    /// # Errors
    /// 400 `invalidPath` if the edit means a part, 400 `mutability` if it takes the value away, and what `decode`
    /// returns.
    pub fn set<T: PartialEq>(
        &self,
        target: &mut T,
        decode: impl FnOnce(Json<'a>) -> Result<T>,
    ) -> Result<Change> {
        if !self.is_whole() {
            return Err(Error::invalid_path("has no sub-attributes"));
        }
        if self.op == Op::Remove || self.value.is_some_and(Json::is_null) {
            return Err(Error::mutability("is required and cannot be removed"));
        }
        let new = decode(self.operand()?)?;
        let change = Change::when(new != *target);
        *target = new;
        Ok(change)
    }

    /// The document from which a value that is not there yet is made, so that the edit then holds: the way that is
    /// still to go and the `eq` terms of the filter become members.
    ///
    /// # Errors
    /// 400 `noTarget` if the filter is not made of `eq` and `and`; 400 `invalidValue` without an operand.
    pub fn materialise(&self, sub_attributes: &'static [Attribute]) -> Result<JsonBuf> {
        let operand = self.operand()?;
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
                // What the operation says itself stands last and so wins.
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
        .materialise(attribute.shape.sub_attributes)?;
        members.push((attribute.name, inner));
        Ok(JsonBuf::object(pairs(&members)))
    }
}

fn pairs<'m>(members: &'m [(&'static str, JsonBuf)]) -> impl Iterator<Item = (String, Json<'m>)> {
    members
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.as_json()))
}
