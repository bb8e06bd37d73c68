//! A look at one attribute: no JSON, and mostly no allocation.

use std::borrow::Cow;
use std::fmt::Write;
use std::ops::ControlFlow;

use crate::fold::Fold;
use crate::schema::position;
use crate::value::{Binary, DateTime, Json, JsonBuf, Record};

/// The content of an attribute at the moment. Every read goes through views: filters, sorting, projection, serialisation.
#[derive(Default)]
#[non_exhaustive]
pub enum View<'a> {
    /// The attribute is unassigned (RFC 7643 section 2.5).
    #[default]
    Absent,
    /// Text; also a reference that is a complete URI.
    Str(Cow<'a, str>),
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A decimal.
    Decimal(f64),
    /// A point in time.
    Time(DateTime),
    /// Bytes, shown as base64.
    Binary(Cow<'a, [u8]>),
    /// A reference relative to the service's base URL, such as `Users/2819`.
    Relative(Cow<'a, str>),
    /// A set of sub-attributes.
    Complex(&'a dyn Record),
    /// A set of sub-attributes that a handler has computed.
    Owned(Box<dyn Record + 'a>),
    /// The values of a multi-valued attribute.
    Multi(&'a dyn Multi),
    /// The values of a multi-valued attribute that a handler shows.
    OwnedMulti(Box<dyn Multi + 'a>),
}

/// The values of a multi-valued attribute, walked in order.
pub trait Multi: Send + Sync {
    /// Returns how many values there are.
    fn len(&self) -> usize;

    /// Returns whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows the values one by one, until `visit` breaks.
    fn try_for_each(&self, visit: &mut dyn FnMut(View<'_>) -> ControlFlow<()>) -> ControlFlow<()>;

    /// Shows the value at a position, if there is one. Unless the type finds it faster, the values before it are walked over:
    /// then two lists are compared in a time that grows with the square of their length.
    fn show_at(&self, position: usize, show: &mut dyn FnMut(View<'_>)) {
        let mut index = 0;
        _ = self.try_for_each(&mut |value| {
            if index == position {
                show(value);
            }
            index += 1;
            break_if(index > position)
        });
    }
}

impl<'a> View<'a> {
    /// Makes a view of borrowed text.
    #[must_use]
    pub fn text(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }

    /// Returns the record behind a complex value.
    #[must_use]
    pub fn record(&self) -> Option<&dyn Record> {
        match self {
            Self::Complex(record) => Some(*record),
            Self::Owned(record) => Some(&**record),
            _ => None,
        }
    }

    /// Returns the values behind a multi-valued attribute.
    #[must_use]
    pub fn values(&self) -> Option<&dyn Multi> {
        match self {
            Self::Multi(values) => Some(*values),
            Self::OwnedMulti(values) => Some(&**values),
            _ => None,
        }
    }

    /// Returns whether the attribute is assigned in the sense of the operator `pr`: an empty string, an empty list and a
    /// complex value without any assigned sub-attribute are not (RFC 7644 table 3).
    #[must_use]
    pub fn is_present(&self) -> bool {
        match self {
            Self::Absent => false,
            Self::Str(text) | Self::Relative(text) => !text.is_empty(),
            Self::Binary(bytes) => !bytes.is_empty(),
            Self::Multi(_) | Self::OwnedMulti(_) => self.values().is_some_and(|values| {
                values
                    .try_for_each(&mut |value| break_if(value.is_present()))
                    .is_break()
            }),
            Self::Complex(_) | Self::Owned(_) => self.record().is_some_and(has_content),
            Self::Bool(_) | Self::Int(_) | Self::Decimal(_) | Self::Time(_) => true,
        }
    }

    /// Returns the sub-attribute `name` of a complex value; absent in every other case.
    #[must_use]
    pub fn sub(&self, name: &str) -> View<'_> {
        self.record()
            .and_then(|record| position(record.attributes(), name).map(|(index, _)| record.view(index)))
            .unwrap_or_default()
    }

    /// Returns whether a complex value says `primary: true` (RFC 7643 section 2.4).
    #[must_use]
    pub fn is_primary(&self) -> bool {
        matches!(self.sub("primary"), View::Bool(true))
    }

    /// Returns how many steps it takes to look at the value: one for each part, and more for long ones.
    pub(crate) fn steps(&self) -> usize {
        /// Bytes that are looked at in a step.
        const AT_ONCE: usize = 64;
        match self {
            Self::Absent => 0,
            Self::Str(text) | Self::Relative(text) => 1 + text.len() / AT_ONCE,
            Self::Binary(bytes) => 1 + bytes.len() / AT_ONCE,
            Self::Bool(_) | Self::Int(_) | Self::Decimal(_) | Self::Time(_) => 1,
            Self::Complex(_) | Self::Owned(_) => self.record().map_or(0, |record| {
                let all = 0..record.attributes().len();
                all.fold(1, |sum, index| sum + record.view(index).steps())
            }),
            Self::Multi(_) | Self::OwnedMulti(_) => {
                let mut sum = 1;
                _ = self.values().map(|values| {
                    values.try_for_each(&mut |value| {
                        sum += value.steps();
                        ControlFlow::Continue(())
                    })
                });
                sum
            }
        }
    }

    /// Returns whether two views show the same value. Text is compared to the letter: a change of case is a change.
    #[must_use]
    pub fn same(&self, other: &View<'_>) -> bool {
        match (self, other) {
            (Self::Absent, View::Absent) => true,
            (Self::Str(a), View::Str(b)) | (Self::Relative(a), View::Relative(b)) => a == b,
            (Self::Bool(a), View::Bool(b)) => a == b,
            (Self::Int(a), View::Int(b)) => a == b,
            (Self::Decimal(a), View::Decimal(b)) => a.total_cmp(b).is_eq(),
            (Self::Time(a), View::Time(b)) => a == b,
            (Self::Binary(a), View::Binary(b)) => a == b,
            _ => match (self.record(), other.record(), self.values(), other.values()) {
                (Some(a), Some(b), ..) => same_record(a, b),
                (.., Some(a), Some(b)) => a.len() == b.len() && same_values(a, b),
                _ => false,
            },
        }
    }

    /// Returns the comparison key of a value, by which equal values are found among many; `None` for what has no value.
    ///
    /// Two values of an attribute have one key if they are equal by the rules of the attribute and of its
    /// sub-attributes. `fold` is the rule of the attribute itself, for text. An unassigned `primary` is false (RFC 7643
    /// section 2.4).
    #[must_use]
    pub fn key(&self, fold: Fold) -> Option<String> {
        match self {
            Self::Absent => None,
            Self::Str(text) => Some(fold.key(text).into_owned()),
            // No text of a reference begins so: a place in the service is not what a text of the same letters means.
            Self::Relative(path) => Some(format!("\u{1}{}", fold.key(path))),
            Self::Bool(value) => Some(value.to_string()),
            Self::Int(value) => Some(value.to_string()),
            // The two zeros are one number.
            Self::Decimal(value) => Some((value + 0.0).to_string()),
            Self::Time(value) => Some(value.to_string()),
            Self::Binary(bytes) => Some(Binary::new(bytes.as_ref()).to_string()),
            Self::Complex(record) => key_of_record(*record),
            Self::Owned(record) => key_of_record(&**record),
            Self::Multi(values) => key_of_values(*values, fold),
            Self::OwnedMulti(values) => key_of_values(&**values, fold),
        }
    }
}

/// Joins the keys of all sub-attributes, each behind its place in the table.
fn key_of_record(record: &dyn Record) -> Option<String> {
    let mut key = String::new();
    for (index, attribute) in record.attributes().iter().enumerate() {
        let view = record.view(index);
        let is_unassigned =
            matches!(view, View::Bool(false)) && attribute.name.eq_ignore_ascii_case("primary");
        if let Some(part) = view.key(attribute.fold()).filter(|_| !is_unassigned) {
            push_part(&mut key, index, &part);
        }
    }
    (!key.is_empty()).then_some(key)
}

/// Joins the keys of all values, in order.
fn key_of_values(values: &dyn Multi, fold: Fold) -> Option<String> {
    let mut key = String::new();
    let mut position = 0;
    _ = values.try_for_each(&mut |value| {
        if let Some(part) = value.key(fold) {
            push_part(&mut key, position, &part);
            position += 1;
        }
        ControlFlow::Continue(())
    });
    (!key.is_empty()).then_some(key)
}

/// Appends a part with its length, so that no text can be taken for the end of a part.
fn push_part(key: &mut String, place: usize, part: &str) {
    // Writing to a String cannot fail.
    _ = write!(key, "{place}:{}:{part}", part.len());
}

impl View<'_> {
    /// Returns the value as JSON, with all its sub-attributes and with references as they are kept: for state, not for
    /// clients.
    #[must_use]
    pub fn to_json(&self) -> JsonBuf {
        if let Some(record) = self.record() {
            let members = record
                .attributes()
                .iter()
                .enumerate()
                .map(|(index, sub)| (sub.name, record.view(index)));
            let members = members
                .filter(|(_, view)| view.is_present())
                .map(|(name, view)| (name, view.to_json()));
            let members: Vec<_> = members.collect();
            return JsonBuf::object(members.iter().map(|(name, value)| (name, value.as_json())));
        }
        if let Some(values) = self.values() {
            let mut elements = Vec::with_capacity(values.len());
            _ = values.try_for_each(&mut |value| {
                elements.push(value.to_json());
                ControlFlow::Continue(())
            });
            return JsonBuf::array(elements.iter().map(JsonBuf::as_json));
        }
        match self {
            Self::Str(text) | Self::Relative(text) => JsonBuf::string(text),
            Self::Bool(value) => (if *value { Json::TRUE } else { Json::FALSE }).into(),
            Self::Int(value) => JsonBuf::integer(*value),
            Self::Decimal(value) => JsonBuf::number(*value),
            Self::Time(value) => JsonBuf::string(&value.to_string()),
            Self::Binary(bytes) => JsonBuf::string(&Binary::new(bytes.to_vec()).to_string()),
            _ => Json::NULL.into(),
        }
    }
}

/// Returns whether a record has any assigned attribute.
pub(crate) fn has_content(record: &dyn Record) -> bool {
    (0..record.attributes().len()).any(|index| record.view(index).is_present())
}

fn same_record(a: &dyn Record, b: &dyn Record) -> bool {
    (0..a.attributes().len()).all(|index| a.view(index).same(&b.view(index)))
}

/// Compares lists of equal length position by position.
fn same_values(a: &dyn Multi, b: &dyn Multi) -> bool {
    let mut position = 0;
    a.try_for_each(&mut |left| {
        let mut is_equal = false;
        b.show_at(position, &mut |right| is_equal = left.same(&right));
        position += 1;
        break_if(!is_equal)
    })
    .is_continue()
}

/// Ends a walk when `done`.
pub(crate) const fn break_if(done: bool) -> ControlFlow<()> {
    if done {
        ControlFlow::Break(())
    } else {
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;
    use crate::filter::sample::{Row, Value, time};
    use crate::schema::{Attribute, Shape, Type};

    const fn leaf(name: &'static str, kind: Type) -> Attribute {
        Attribute::new(name, Shape::new(kind).optional())
    }

    const fn exact(mut attribute: Attribute) -> Attribute {
        attribute.shape.case_exact = true;
        attribute
    }

    static TABLE: &[Attribute] = &[
        leaf("text", Type::String),
        exact(leaf("code", Type::String)),
        leaf("primary", Type::Boolean),
        leaf("flag", Type::Boolean),
        leaf("count", Type::Integer),
        leaf("size", Type::Decimal),
        leaf("time", Type::DateTime),
        leaf("bytes", Type::Binary),
        leaf("place", Type::Reference),
        Attribute::new("tags", Shape::new(Type::String).multiple()),
        Attribute::new("inner", Shape::complex(INNER).optional()),
    ];
    static INNER: &[Attribute] = &[leaf("a", Type::String), leaf("b", Type::String)];

    fn bytes(text: &str) -> Value {
        Value::Binary(Binary::parse(text).unwrap())
    }

    fn inner(a: &str, b: Value) -> Value {
        Value::Complex(Row::new(INNER).with("a", a).with("b", b))
    }

    /// Returns the values of the attribute `name`: in one class stand the ways to write one value.
    fn classes(name: &str) -> Vec<Vec<Value>> {
        let texts = |classes: &[&[&str]]| {
            let classes = classes.iter();
            classes
                .map(|class| class.iter().map(|text| Value::from(*text)).collect())
                .collect()
        };
        let mut classes: Vec<Vec<Value>> = match name {
            "text" => texts(&[
                &[""],
                &["a", "A"],
                &["ab", "aB"],
                &["\u{e9}", "e\u{301}", "\u{c9}"],
                &["0:1:a"],
                &["a1:1:a"],
            ]),
            "code" => texts(&[&["a"], &["A"], &["\u{e9}", "e\u{301}"], &["\u{c9}"]]),
            "primary" => vec![vec![Value::Bool(true)]],
            "flag" => vec![vec![Value::Bool(true)], vec![Value::Bool(false)]],
            "count" => vec![vec![Value::Int(1)], vec![Value::Int(-1)], vec![Value::Int(11)]],
            "size" => vec![
                vec![Value::Decimal(0.0), Value::Decimal(-0.0)],
                vec![Value::Decimal(1.5)],
            ],
            "time" => vec![
                vec![time("2026-01-31T08:00:00Z"), time("2026-01-31T09:00:00.0+01:00")],
                vec![time("2026-01-31T08:00:00.5Z")],
            ],
            "bytes" => vec![vec![bytes("")], vec![bytes("AA==")], vec![bytes("AAA=")]],
            "place" => vec![
                vec![Value::Relative("Users/1".to_owned())],
                vec![Value::from("Users/1")],
                vec![Value::from("users/1")],
            ],
            "tags" => vec![
                vec![vec!["a", "b"].into(), vec!["A", "B"].into()],
                vec![vec!["ab"].into()],
                vec![vec!["b", "a"].into()],
            ],
            _ => vec![
                vec![inner("a", Value::Absent), inner("A", Value::Absent)],
                vec![inner("a", "a".into())],
                vec![Value::Complex(Row::new(INNER).with("b", "a"))],
            ],
        };
        let mut absent = vec![Value::Absent];
        match name {
            "primary" => absent.push(Value::Bool(false)),
            "tags" => absent.push(Value::Many(Vec::new())),
            "inner" => absent.push(Value::Complex(Row::new(INNER))),
            _ => {}
        }
        classes.push(absent);
        classes
    }

    /// Makes an element, and returns it with the class of each of its values.
    fn element(choices: &[(Index, Index)]) -> (Row, Vec<usize>) {
        let mut row = Row::new(TABLE);
        let mut chosen = Vec::new();
        for (attribute, (class, spelling)) in TABLE.iter().zip(choices) {
            let classes = classes(attribute.name);
            let class = class.index(classes.len());
            row = row.with(attribute.name, spelling.get(&classes[class]).clone());
            chosen.push(class);
        }
        (row, chosen)
    }

    fn choices() -> impl Strategy<Value = Vec<(Index, Index)>> {
        prop::collection::vec(any::<(Index, Index)>(), TABLE.len())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        /// RFC 7643 section 2.4: elements are equal if all that they say is, by the rule of each attribute.
        #[test]
        fn equal_elements_have_one_key_and_others_have_not(
            left in choices(),
            right in choices(),
            differs in prop::collection::vec(any::<bool>(), TABLE.len()),
        ) {
            // Mostly alike: the same value, written in another way.
            let right: Vec<_> = left.iter().zip(&right).zip(differs)
                .map(|((left, right), differs)| if differs { *right } else { (left.0, right.1) })
                .collect();
            let ((left, left_classes), (right, right_classes)) = (element(&left), element(&right));
            let keys = [&left, &right].map(|row| View::Complex(row).key(Fold::CaseInsensitive));
            prop_assert_eq!(keys[0] == keys[1], left_classes == right_classes, "{:?} {:?}", left, right);
        }
    }

    /// S-2.4-08 (RFC 7643 section 2.4): every kind of value has a key, and equal values have the same.
    #[test]
    fn every_kind_of_value_has_a_key() {
        for attribute in TABLE {
            let classes = classes(attribute.name);
            let key = |value: &Value| {
                let row = Row::new(TABLE).with(attribute.name, value.clone());
                let index = position(TABLE, attribute.name).unwrap().0;
                row.view(index).key(attribute.fold())
            };
            let (absent, assigned) = classes.split_last().unwrap();
            for value in absent {
                let is_bare = !matches!(value, Value::Bool(_));
                assert!(!is_bare || key(value).is_none(), "{}: {value:?}", attribute.name);
            }
            let mut known = Vec::new();
            for class in assigned {
                let keys: Vec<_> = class.iter().map(key).collect();
                assert!(
                    keys.iter().all(|key| key.is_some() && *key == keys[0]),
                    "{class:?}: {keys:?}"
                );
                assert!(!known.contains(&keys[0]), "{class:?}: {keys:?}");
                known.push(keys[0].clone());
            }
        }
        assert_eq!(View::Complex(&Row::new(TABLE)).key(Fold::Exact), None);
    }

    thread_local! {
        static VIEWED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
    }

    /// A number that counts how often it is looked at.
    #[derive(PartialEq)]
    struct Viewed(i64);

    impl crate::value::Scalar for Viewed {
        const TYPE: Type = Type::Integer;

        fn view(&self) -> View<'_> {
            VIEWED.set(VIEWED.get() + 1);
            View::Int(self.0)
        }

        fn parse(_: Json<'_>) -> crate::Result<Self> {
            Ok(Self(0))
        }
    }

    /// A change of a person with thousands of addresses held up every other write: two lists are compared by looking at
    /// each of their values once.
    #[test]
    fn lists_are_compared_in_linear_time() {
        let looks = |count: i64| {
            let list = || (0..count).map(Viewed).collect::<Vec<_>>();
            let (one, other) = (list(), list());
            let edges = [list(), list()].map(crate::value::Edges::Loaded);
            VIEWED.set(0);
            assert!(View::Multi(&one).same(&View::Multi(&other)));
            let of_lists = VIEWED.get();
            assert!(View::Multi(&edges[0]).same(&View::Multi(&edges[1])));
            (of_lists, VIEWED.get() - of_lists)
        };
        assert_eq!(looks(100), (200, 200));
        assert_eq!(looks(1_000), (2_000, 2_000));
    }
}
