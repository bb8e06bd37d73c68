//! How values are coerced to the shape of their attribute.

use crate::schema::{Shape, Type, position};
use crate::value::json::Kind;
use crate::value::{Json, JsonBuf};

/// Turns `[x]`, `[{"value": x}]` and `{"value": x}` into `x`; for a complex attribute, turns `[{…}]` into the object.
///
/// One step, and never text into text: a string is a string, whatever it looks like.
pub(super) fn unwrapped(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    if want.multi_valued {
        return None;
    }
    let only = match json.is_array() {
        true => only_element(json)?,
        false => json,
    };
    let inner = match only.is_object() && want.kind != Type::Complex {
        true => only.get("value")?,
        false => only,
    };
    let is_wrapped = json.is_array() || inner.text() != json.text();
    (is_wrapped && !inner.is_array() && (want.kind == Type::Complex || !inner.is_object()))
        .then(|| inner.into())
}

fn only_element(json: Json<'_>) -> Option<Json<'_>> {
    let mut elements = json.elements();
    let only = elements.next()?;
    elements.next().is_none().then_some(only)
}

/// Turns `{"1": x, "2": y}` into `[x, y]`.
pub(super) fn numbered_object(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    let is_number = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    let mut members = json.members().peekable();
    if !want.multi_valued || members.peek().is_none() || !members.all(|(name, _)| is_number(&name)) {
        return None;
    }
    Some(JsonBuf::array(json.members().map(|(_, value)| value)))
}

/// Turns `"True"` into `true`.
pub(super) fn boolean_string(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    if want.kind != Type::Boolean || want.multi_valued {
        return None;
    }
    let text = json.as_str()?;
    match text.trim() {
        text if text.eq_ignore_ascii_case("true") => Some(Json::TRUE.into()),
        text if text.eq_ignore_ascii_case("false") => Some(Json::FALSE.into()),
        _ => None,
    }
}

/// Turns `4711` into `"4711"`.
pub(super) fn number_as_text(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    let text = json.text();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (want.kind == Type::String && !want.multi_valued && is_integer).then(|| JsonBuf::string(text))
}

/// Turns JSON text into what it says, where the attribute does not hold strings: a complex value, or a list of them.
pub(super) fn json_in_string(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    match want.kind {
        Type::Complex if want.multi_valued => list_in_string(json),
        Type::Complex => complex_in_string(json, want),
        _ => None,
    }
}

fn list_in_string(json: Json<'_>) -> Option<JsonBuf> {
    let text = json.as_str()?;
    text.trim_start()
        .starts_with('[')
        .then(|| JsonBuf::parse(text.as_bytes(), &crate::Limits::default()).ok())?
}

/// Turns `"{\"value\": …}"`, or an object whose `value` is such a string, into the object. Entra's `id` is not a
/// sub-attribute of ours, and its `displayName` is our `display`.
fn complex_in_string(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    let text = json.as_str().or_else(|| json.get("value")?.as_str())?;
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let inner = JsonBuf::parse(text.as_bytes(), &crate::Limits::default()).ok()?;
    let outer = json
        .members()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("value"));
    let members = outer
        .chain(inner.as_json().members())
        .filter_map(|(name, value)| {
            let name = if name.eq_ignore_ascii_case("displayName") {
                "display".into()
            } else {
                name
            };
            position(want.sub_attributes, &name).map(|_| (name, value))
        });
    Some(JsonBuf::object(members.collect::<Vec<_>>()))
}

/// Turns `x` into `[x]`.
pub(super) fn value_without_array(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    (want.multi_valued && !json.is_array() && !json.is_null()).then(|| JsonBuf::array([json]))
}

/// Turns `"26118915"` into `{"value": "26118915"}`.
pub(super) fn bare_value(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    let (_, value) = position(want.sub_attributes, "value").filter(|_| !want.multi_valued)?;
    let text = json.as_str()?;
    (want.kind == Type::Complex && !text.is_empty()).then(|| JsonBuf::object([(value.name, json)]))
}

/// Turns `1.0` and `1e2` into `1` and `100`.
pub(super) fn exact_integer(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    if want.kind != Type::Integer || want.multi_valued || json.as_i64().is_some() {
        return None;
    }
    json.as_exact_i64().map(JsonBuf::integer)
}

/// Turns `"10"` into `10`.
pub(super) fn numeric_string(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    if !matches!(want.kind, Type::Integer | Type::Decimal) || want.multi_valued {
        return None;
    }
    let text = json.as_str()?;
    let number = JsonBuf::parse(text.trim().as_bytes(), &crate::Limits::default()).ok()?;
    if number.as_json().kind() != Kind::Number {
        return None;
    }
    match want.kind {
        Type::Integer => exact_integer(number.as_json(), want).or(Some(number)),
        _ => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Attribute;

    const MANAGER: &[Attribute] = &[
        Attribute::new("value", Shape::new(Type::String)),
        Attribute::new("display", Shape::new(Type::String).optional()),
    ];
    const COMPLEX: Shape = Shape::complex(MANAGER);

    fn made(coercion: super::super::tolerance::Coercion, text: &str, want: &Shape) -> Option<String> {
        let json = JsonBuf::parse(text.as_bytes(), &crate::Limits::default()).unwrap();
        coercion(json.as_json(), want).map(|json| json.to_string())
    }

    #[test]
    fn strings_become_booleans_where_a_boolean_is_wanted() {
        let want = Shape::new(Type::Boolean);
        assert_eq!(made(boolean_string, r#""True""#, &want).as_deref(), Some("true"));
        assert_eq!(
            made(boolean_string, r#""FALSE""#, &want).as_deref(),
            Some("false")
        );
        assert_eq!(made(boolean_string, r#""yes""#, &want), None);
        assert_eq!(made(boolean_string, r#""True""#, &Shape::new(Type::String)), None);
    }

    #[test]
    fn a_bare_string_becomes_the_value_of_a_complex_attribute() {
        assert_eq!(
            made(bare_value, r#""7""#, &COMPLEX).as_deref(),
            Some(r#"{"value":"7"}"#)
        );
        assert_eq!(made(bare_value, r#""""#, &COMPLEX), None);
        assert_eq!(made(bare_value, "7", &COMPLEX), None);
    }

    /// One step, whatever the type; never text into text.
    #[test]
    fn one_value_in_a_wrapping_is_unwrapped() {
        let text = Shape::new(Type::String);
        for wrapped in [
            r#"["x"]"#,
            r#"[{"value":"x"}]"#,
            r#"{"value":"x"}"#,
            r#"[{"$ref":null,"value":"x"}]"#,
        ] {
            assert_eq!(
                made(unwrapped, wrapped, &text).as_deref(),
                Some(r#""x""#),
                "{wrapped}"
            );
        }
        for other in [
            r#""x""#,
            r#""[\"x\"]""#,
            r#"["x","y"]"#,
            "[]",
            "[[1]]",
            r#"[{"name":"x"}]"#,
            "{}",
            "7",
        ] {
            assert_eq!(made(unwrapped, other, &text), None, "{other}");
        }
        assert_eq!(
            made(unwrapped, r#"[{"value":"7"}]"#, &COMPLEX).as_deref(),
            Some(r#"{"value":"7"}"#)
        );
        assert_eq!(made(unwrapped, r#"["7"]"#, &COMPLEX).as_deref(), Some(r#""7""#));
        assert_eq!(made(unwrapped, r#"{"value":"7"}"#, &COMPLEX), None);
        assert_eq!(
            made(unwrapped, r#"[{"value":"7"},{"value":"8"}]"#, &COMPLEX),
            None
        );
        assert_eq!(
            made(unwrapped, "[true]", &Shape::new(Type::Boolean)).as_deref(),
            Some("true")
        );
    }

    #[test]
    fn an_object_with_numbers_for_keys_is_a_list() {
        let want = COMPLEX.multiple();
        assert_eq!(
            made(numbered_object, r#"{"1":{"value":"7"},"0":{"value":"8"}}"#, &want).as_deref(),
            Some(r#"[{"value":"7"},{"value":"8"}]"#)
        );
        assert_eq!(made(numbered_object, r#"{"value":"7","0":1}"#, &want), None);
        assert_eq!(made(numbered_object, "{}", &want), None);
        assert_eq!(made(numbered_object, r#"{"0":"x"}"#, &COMPLEX), None);
    }

    #[test]
    fn integers_become_their_digits_where_text_is_meant() {
        let want = Shape::new(Type::String);
        assert_eq!(
            made(number_as_text, "-4711", &want).as_deref(),
            Some(r#""-4711""#)
        );
        for other in ["1.5", "1e3", "true", r#""7""#] {
            assert_eq!(made(number_as_text, other, &want), None, "{other}");
        }
        assert_eq!(made(number_as_text, "7", &Shape::new(Type::Reference)), None);
    }

    #[test]
    fn json_text_in_a_string_is_read_and_entra_names_are_translated() {
        let role = r#"{"value":"{\"id\":\"1\",\"value\":\"Admin\",\"displayName\":\"The Admin\"}"}"#;
        assert_eq!(
            made(json_in_string, role, &COMPLEX).as_deref(),
            Some(r#"{"value":"Admin","display":"The Admin"}"#)
        );
        assert_eq!(made(json_in_string, r#"{"value":"{ not json"}"#, &COMPLEX), None);
        assert_eq!(made(json_in_string, r#"{"value":"plain"}"#, &COMPLEX), None);
        assert_eq!(
            made(json_in_string, r#""[{\"value\":\"7\"}]""#, &COMPLEX.multiple()).as_deref(),
            Some(r#"[{"value":"7"}]"#)
        );
        assert_eq!(made(json_in_string, r#""7""#, &Shape::new(Type::Integer)), None);
        let text = Shape::new(Type::String);
        assert_eq!(made(json_in_string, r#""[\"x\"]""#, &text), None);
        assert_eq!(made(json_in_string, r#""[\"x\"]""#, &text.multiple()), None);
    }

    #[test]
    fn integral_numbers_become_integers() {
        let want = Shape::new(Type::Integer);
        assert_eq!(made(exact_integer, "1e2", &want).as_deref(), Some("100"));
        assert_eq!(made(exact_integer, "1.5", &want), None);
    }

    /// K9 of the rules for real clients: a number is a number in quotes, too.
    #[test]
    fn digits_become_numbers() {
        let integer = Shape::new(Type::Integer);
        let decimal = Shape::new(Type::Decimal);
        for (text, want, expected) in [
            (r#""10""#, &integer, Some("10")),
            (r#"" -3 ""#, &integer, Some("-3")),
            (r#""1e2""#, &integer, Some("100")),
            (r#""1.5""#, &decimal, Some("1.5")),
            (
                r#""99999999999999999999""#,
                &integer,
                Some("99999999999999999999"),
            ),
            (r#""""#, &integer, None),
            (r#""ten""#, &integer, None),
            (r#""0x10""#, &integer, None),
            (r#""true""#, &integer, None),
            (r#""[1]""#, &integer, None),
            ("true", &integer, None),
        ] {
            assert_eq!(made(numeric_string, text, want).as_deref(), expected, "{text}");
        }
        assert_eq!(made(numeric_string, r#""10""#, &Shape::new(Type::String)), None);
        assert_eq!(made(numeric_string, r#""10""#, &integer.multiple()), None);
    }

    #[test]
    fn a_single_value_becomes_a_list_where_a_list_is_wanted() {
        assert_eq!(
            made(value_without_array, r#"{"value":"7"}"#, &COMPLEX.multiple()).as_deref(),
            Some(r#"[{"value":"7"}]"#)
        );
        assert_eq!(made(value_without_array, "[]", &COMPLEX.multiple()), None);
    }
}
