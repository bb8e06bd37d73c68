//! How clients say that an attribute has no value, and what they mean by it: the one table.
//!
//! RFC 7643 section 2.5 knows two ways: `null`, and the empty list of a multi-valued attribute. Clients know more, and
//! the same text means different things in different places: an empty list that replaces the members of a group
//! empties the group, and in a `remove` it names nobody.

use crate::schema::Shape;
use crate::value::Json;

/// A JSON value that can stand for "no value".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoValue {
    /// `null`
    Null,
    /// `""`
    EmptyText,
    /// `[]`
    EmptyList,
    /// `{}`
    EmptyObject,
}

/// The position of a value in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// A member of a body or of a complex value in one: POST and PUT.
    Body,
    /// An element of a list.
    Element,
    /// The operand of a PATCH `add`.
    Add,
    /// The operand of a PATCH `replace`.
    Replace,
    /// The operand of a PATCH `remove`, which the RFC does not know.
    Remove,
}

/// The meaning of a JSON value in its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Meaning {
    /// It is a value, to be read as the attribute's type has it.
    Value,
    /// The attribute, as a whole, has no value any more.
    Unassigned,
    /// It names nothing: what is there stays.
    Nothing,
}

impl NoValue {
    /// Every spelling.
    pub const ALL: [Self; 4] = [Self::Null, Self::EmptyText, Self::EmptyList, Self::EmptyObject];

    /// Returns the spelling that `json` is; `None` if it is a value.
    #[must_use]
    pub fn of(json: Json<'_>) -> Option<Self> {
        match json.text() {
            "null" => Some(Self::Null),
            "\"\"" => Some(Self::EmptyText),
            text if text.starts_with('[') && json.elements().next().is_none() => Some(Self::EmptyList),
            text if text.starts_with('{') && json.members().next().is_none() => Some(Self::EmptyObject),
            _ => None,
        }
    }

    /// Returns the meaning in a position for an attribute that is multi-valued or not, where `tolerant` says whether the
    /// policy reads more spellings than the RFC.
    #[must_use]
    pub const fn meaning(self, position: Position, multi_valued: bool, tolerant: bool) -> Meaning {
        use Meaning::{Nothing, Unassigned, Value};
        match (position, self) {
            // RFC 7643 section 2.5: `null` is not a value, and so is the empty list of a multi-valued attribute.
            (Position::Body | Position::Replace, Self::Null) => Unassigned,
            (Position::Body | Position::Replace, Self::EmptyList) if multi_valued => Unassigned,
            (Position::Body | Position::Replace, _) if tolerant => Unassigned,
            // A list keeps the values it has when none is added; a single value is set to none.
            (Position::Add, Self::Null) if multi_valued || !tolerant => Nothing,
            (Position::Add, Self::EmptyList) if multi_valued => Nothing,
            (Position::Add, _) if tolerant => {
                if multi_valued {
                    Nothing
                } else {
                    Unassigned
                }
            }
            (Position::Element, _) if tolerant => Nothing,
            // `null` is how a client serialises an operand that it does not have; anything else names nothing.
            (Position::Remove, Self::Null) => Unassigned,
            (Position::Remove, _) => Nothing,
            (Position::Body | Position::Replace | Position::Add | Position::Element, _) => Value,
        }
    }
}

/// Returns whether a list, as the value of a single-valued attribute, had elements of which none says anything:
/// `[null]`, `[{}]`, `[{"value": ""}]`, `[{"unknown": 1}]`. It names nothing, and so it cannot mean "take the value away".
pub(crate) fn is_emptied_wrapping(json: Json<'_>, want: &Shape) -> bool {
    if want.multi_valued || !json.is_array() {
        return false;
    }
    let mut elements = json.elements().peekable();
    elements.peek().is_some() && elements.all(|element| !says_something(element, want))
}

fn says_something(element: Json<'_>, want: &Shape) -> bool {
    if NoValue::of(element).is_some() {
        return false;
    }
    if !element.is_object() {
        return true;
    }
    if want.sub_attributes.is_empty() {
        return element
            .get("value")
            .is_none_or(|value| NoValue::of(value).is_none());
    }
    has_known_value(element, want)
}

/// Returns whether an object has a member that the table knows, with a value.
pub(crate) fn has_known_value(object: Json<'_>, want: &Shape) -> bool {
    object.members().any(|(name, value)| {
        crate::schema::position(want.sub_attributes, &name).is_some() && NoValue::of(value).is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::JsonBuf;

    fn json(text: &str) -> JsonBuf {
        JsonBuf::parse(text.as_bytes(), &crate::Limits::default()).unwrap()
    }

    #[test]
    fn each_spelling_is_recognised_however_it_is_spaced() {
        for (text, spelling) in [
            ("null", NoValue::Null),
            ("\"\"", NoValue::EmptyText),
            ("[]", NoValue::EmptyList),
            ("[ \n ]", NoValue::EmptyList),
            ("{}", NoValue::EmptyObject),
            ("{ }", NoValue::EmptyObject),
        ] {
            assert_eq!(NoValue::of(json(text).as_json()), Some(spelling), "{text}");
        }
        for text in ["0", "false", "\" \"", "[null]", "{\"a\":null}", "\"[]\""] {
            assert_eq!(NoValue::of(json(text).as_json()), None, "{text}");
        }
    }

    /// RFC 7643 section 2.5, and its tolerant reading: place × spelling, for single values and lists.
    #[test]
    fn the_table() {
        use Meaning::{Nothing as N, Unassigned as U, Value as V};
        // null, "", [], {}: single strict, single tolerant, multi-valued strict, multi-valued tolerant.
        let table = [
            (
                Position::Body,
                [U, V, V, V],
                [U, U, U, U],
                [U, V, U, V],
                [U, U, U, U],
            ),
            (
                Position::Element,
                [V, V, V, V],
                [N, N, N, N],
                [V, V, V, V],
                [N, N, N, N],
            ),
            (
                Position::Add,
                [N, V, V, V],
                [U, U, U, U],
                [N, V, N, V],
                [N, N, N, N],
            ),
            (
                Position::Replace,
                [U, V, V, V],
                [U, U, U, U],
                [U, V, U, V],
                [U, U, U, U],
            ),
            (
                Position::Remove,
                [U, N, N, N],
                [U, N, N, N],
                [U, N, N, N],
                [U, N, N, N],
            ),
        ];
        for (position, single, single_tolerant, multi, multi_tolerant) in table {
            for (multi_valued, tolerant, expected) in [
                (false, false, single),
                (false, true, single_tolerant),
                (true, false, multi),
                (true, true, multi_tolerant),
            ] {
                let found = NoValue::ALL.map(|spelling| spelling.meaning(position, multi_valued, tolerant));
                assert_eq!(
                    found, expected,
                    "{position:?}, multi-valued {multi_valued}, tolerant {tolerant}"
                );
            }
        }
    }

    /// A `remove` never reads an empty value as "everything": only an operand that is absent or `null` does.
    #[test]
    fn an_emptied_value_never_means_all() {
        for spelling in NoValue::ALL {
            for (multi_valued, tolerant) in [(false, false), (false, true), (true, false), (true, true)] {
                let meaning = spelling.meaning(Position::Remove, multi_valued, tolerant);
                assert_eq!(meaning == Meaning::Unassigned, spelling == NoValue::Null);
            }
        }
    }
}
