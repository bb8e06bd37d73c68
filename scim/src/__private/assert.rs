//! The checks that the derives can only do with the types at hand. The compiler evaluates these functions; a failure is
//! an error of the build at the place that is at fault.
#![allow(clippy::panic, clippy::indexing_slicing)]

use crate::schema::{Attribute, Format, Shape, Type};

/// Checks that the attribute has no sub-attributes.
///
/// # Panics
/// If it has.
#[track_caller]
pub const fn assert_leaf(shape: &Shape, message: &str) {
    if matches!(shape.kind, Type::Complex) {
        panic!("{}", message);
    }
}

/// Checks that the attribute holds text.
///
/// # Panics
/// If it does not.
#[track_caller]
pub const fn assert_text(shape: &Shape, message: &str) {
    if !matches!(shape.kind, Type::String | Type::Reference) {
        panic!("{}", message);
    }
}

/// Checks that the attribute holds a reference.
///
/// # Panics
/// If it does not.
#[track_caller]
pub const fn assert_reference(shape: &Shape, message: &str) {
    if !matches!(shape.kind, Type::Reference) {
        panic!("{}", message);
    }
}

/// Checks that the attribute is of the data type that has the format.
///
/// # Panics
/// If it is of another.
#[track_caller]
pub const fn assert_format(shape: &Shape, format: Format, message: &str) {
    let fits = match format.kind() {
        Type::String => matches!(shape.kind, Type::String),
        _ => matches!(shape.kind, Type::Binary),
    };
    if !fits {
        panic!("{}", message);
    }
}

/// Checks that the values have a sub-attribute that tells them apart.
///
/// # Panics
/// If they have none.
#[track_caller]
pub const fn assert_keyed(shape: &Shape, message: &str) {
    let mut index = 0;
    while index < shape.sub_attributes.len() {
        if shape.sub_attributes[index].key {
            return;
        }
        index += 1;
    }
    panic!("{}", message);
}

/// Checks that no two entries of a table have the same name.
///
/// # Panics
/// If two have.
#[track_caller]
pub const fn assert_distinct(attributes: &[Attribute]) {
    let mut left = 0;
    while left < attributes.len() {
        let mut right = left + 1;
        while right < attributes.len() {
            if attributes[left].name.eq_ignore_ascii_case(attributes[right].name) {
                let mut text = [0; 512];
                let said = "two attributes or extensions have one name, which stands for one of them only: ";
                panic!("{}", joined(&mut text, said, attributes[left].name));
            }
            right += 1;
        }
        left += 1;
    }
}

/// Returns the two texts, one behind the other, as far as there is space: a panic of a constant cannot format.
const fn joined<'a>(space: &'a mut [u8], first: &'a str, second: &str) -> &'a str {
    let (head, tail) = (first.as_bytes(), second.as_bytes());
    let mut length = 0;
    while length < space.len() && length < head.len() + tail.len() {
        space[length] = match length < head.len() {
            true => head[length],
            false => tail[length - head.len()],
        };
        length += 1;
    }
    match std::str::from_utf8(space.split_at(length).0) {
        Ok(text) => text,
        Err(_) => first,
    }
}
