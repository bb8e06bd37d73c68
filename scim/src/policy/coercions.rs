//! How values are bent to the shape of their attribute.

use crate::schema::{Shape, Type, position};
use crate::value::{Json, JsonBuf};

/// `"True"` becomes `true`.
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

/// `"{\"value\": …}"`, or an object whose `value` is such a string, becomes the object. Entra's `id` is no sub-attribute
/// of ours, and its `displayName` is our `display`.
pub(super) fn json_in_string(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    if want.kind != Type::Complex || want.multi_valued {
        return None;
    }
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

/// `[x]` becomes `x`, and `[]` nothing.
pub(super) fn single_element_array(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    let fits = matches!(want.kind, Type::Complex | Type::Boolean);
    if want.multi_valued || !fits || !json.is_array() {
        return None;
    }
    let mut elements = json.elements();
    let only = elements.next()?;
    match elements.next() {
        None if want.kind == Type::Boolean => boolean_string(only, want).or(Some(only.into())),
        None => bare_value(only, want).or(Some(only.into())),
        Some(_) => None,
    }
}

/// `x` becomes `[x]`.
pub(super) fn value_without_array(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    (want.multi_valued && !json.is_array() && !json.is_null()).then(|| JsonBuf::array([json]))
}

/// `"26118915"` becomes `{"value": "26118915"}`.
pub(super) fn bare_value(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    let (_, value) = position(want.sub_attributes, "value").filter(|_| !want.multi_valued)?;
    let text = json.as_str()?;
    (want.kind == Type::Complex && !text.is_empty()).then(|| JsonBuf::object([(value.name, json)]))
}

/// `1.0` and `1e2` become `1` and `100`.
pub(super) fn exact_integer(json: Json<'_>, want: &Shape) -> Option<JsonBuf> {
    if want.kind != Type::Integer || want.multi_valued || json.as_i64().is_some() {
        return None;
    }
    json.as_exact_i64().map(JsonBuf::integer)
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

    #[test]
    fn a_list_of_one_becomes_its_element() {
        assert_eq!(
            made(single_element_array, r#"[{"value":"7"}]"#, &COMPLEX).as_deref(),
            Some(r#"{"value":"7"}"#)
        );
        assert_eq!(
            made(single_element_array, r#"["7"]"#, &COMPLEX).as_deref(),
            Some(r#"{"value":"7"}"#)
        );
        assert_eq!(
            made(single_element_array, r#"[{"value":"7"},{"value":"8"}]"#, &COMPLEX),
            None
        );
        assert_eq!(
            made(single_element_array, r#"["True"]"#, &Shape::new(Type::Boolean)).as_deref(),
            Some("true")
        );
        assert_eq!(
            made(single_element_array, r#"["a"]"#, &Shape::new(Type::String)),
            None
        );
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
    }

    #[test]
    fn integral_numbers_become_integers() {
        let want = Shape::new(Type::Integer);
        assert_eq!(made(exact_integer, "1e2", &want).as_deref(), Some("100"));
        assert_eq!(made(exact_integer, "1.5", &want), None);
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
