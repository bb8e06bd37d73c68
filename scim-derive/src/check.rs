//! The checks that need only a look at the input. The generated code checks whatever only the types tell.

use proc_macro2::Span;
use syn::{Fields, GenericParam, Generics, Ident, LitStr, Type};

use crate::attr::Errors;
use crate::ir::{Container, Derive, Given, Name, Options, RawField, Struct, inside, is_common, last_segment};

/// Checks the generic parameters: a derived type owns what it holds.
pub(crate) fn generics(generics: &Generics, errors: &mut Errors) {
    for param in &generics.params {
        if let GenericParam::Lifetime(lifetime) = param {
            errors.push(
                lifetime,
                "a SCIM type owns its values: it cannot have a lifetime parameter",
            );
        }
    }
}

/// Returns the URN of the schema.
pub(crate) fn schema(container: &Container, ident: &Ident, errors: &mut Errors) -> String {
    let Some(schema) = &container.schema else {
        errors.push(ident, "the schema is missing: `#[scim(schema = \"urn:…\")]`");
        return String::new();
    };
    let urn = schema.value();
    if !is_urn(&urn) {
        errors.push(
            schema,
            format!(
                "`{urn}` is not a URN: expected `urn:`, a namespace of two letters or more, `:` and a name, as in \
                 `urn:example:scim:schemas:2.0:Badge`"
            ),
        );
    }
    urn
}

/// Returns whether a text is a URN: `urn:` namespace `:` specific part (RFC 8141 section 2).
fn is_urn(text: &str) -> bool {
    let mut parts = text.splitn(3, ':');
    let (scheme, namespace, specific) = (parts.next(), parts.next(), parts.next());
    let is_namespace = |text: &str| {
        text.len() > 1
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn"))
        && namespace.is_some_and(is_namespace)
        && specific.is_some_and(|text| {
            !text.is_empty()
                && !text.ends_with(':')
                && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
        })
}

/// Returns the endpoint: given, or the name in the plural.
pub(crate) fn endpoint(container: &Container, name: &str, ident: &Ident, errors: &mut Errors) -> String {
    let (endpoint, span) = match &container.endpoint {
        Some(text) => (text.value(), text.span()),
        None => (
            format!("/{name}s"),
            container.name.as_ref().map_or(ident.span(), LitStr::span),
        ),
    };
    let segment = endpoint.strip_prefix('/').unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    if segment.is_empty() || !segment.bytes().all(plain) {
        errors.push_at(
            span,
            format!("`{endpoint}` is no endpoint: it is a slash and one path segment of letters, digits and `-._~`"),
        );
    }
    endpoint
}

/// Checks every field by itself.
pub(crate) fn fields(ident: &Ident, fields: &[RawField], derive: Derive, is_set: bool, errors: &mut Errors) {
    for field in fields {
        types(ident, field, errors);
        marks(field, derive, is_set, errors);
        characteristics(&field.options, errors);
        if derive == Derive::Resource && is_common(&field.ident) {
            common(field, errors);
        }
    }
    at_most_one(fields, |options| options.extra.as_ref(), errors);
    at_most_one(fields, |options| options.flatten.as_ref(), errors);
    if derive == Derive::Resource {
        for (name, ty) in [("id", "ResourceId"), ("meta", "Meta")] {
            if !fields.iter().any(|field| field.ident == name) {
                errors.push(
                    ident,
                    format!(
                        "a resource has a field `{name}: {ty}` (RFC 7643 section 3.1; `scim::value::{ty}`)"
                    ),
                );
            }
        }
    }
}

fn at_most_one(fields: &[RawField], mark: impl Fn(&Options) -> Option<&Ident>, errors: &mut Errors) {
    for second in fields.iter().filter_map(|field| mark(&field.options)).skip(1) {
        errors.push(second, format!("there is a field with `{second}` already"));
    }
}

/// Refuses types of which the text already says that they do not work.
fn types(ident: &Ident, field: &RawField, errors: &mut Errors) {
    if field.options.skip.is_some() || field.options.extra.is_some() {
        return;
    }
    if let Type::Reference(_) = &field.ty {
        errors.push(
            &field.ty,
            "a SCIM type owns its values: use `String` or another owned type",
        );
    }
    let bare = bare(&field.ty);
    if field.options.with.is_none() && inside(bare, "Box").is_some() {
        errors.push(
            bare,
            "`Box` cannot be an attribute: `Box<T>` counts as foreign wherever it is used, so that `ScimValue` cannot be \
             implemented for it. Use the type without `Box`, or name a handler with `#[scim(with = \"…\")]`",
        );
        return;
    }
    let itself = last_segment(bare).is_some_and(|segment| segment.ident == *ident || segment.ident == "Self");
    if itself
        && field.options.with.is_none()
        && matches!(bare, Type::Path(path) if path.path.segments.len() == 1)
    {
        errors.push(
            bare,
            format!(
                "`{ident}` contains itself, but the table of a struct's attributes is finite: an attribute cannot have \
                 sub-attributes of the type it belongs to (RFC 7643 section 2.3.8)"
            ),
        );
    }
}

/// Returns the type without `Option`, `Vec` and `Edges` around it.
pub(crate) fn bare(ty: &Type) -> &Type {
    ["Option", "Vec", "Edges"]
        .iter()
        .find_map(|wrapper| inside(ty, wrapper))
        .map_or(ty, bare)
}

/// Checks the marks that make a field something special, and whether they are possible there.
fn marks(field: &RawField, derive: Derive, is_set: bool, errors: &mut Errors) {
    let options = &field.options;
    if let Some(special) = options.special() {
        for key in options.keys.iter().filter(|key| *key != special) {
            errors.push(key, format!("`{key}` cannot be combined with `{special}`"));
        }
    }
    if let Some(mark) = options
        .extension
        .as_ref()
        .filter(|_| derive != Derive::Resource && !is_set)
    {
        errors.push(
            mark,
            "an extension extends a resource: put it into a struct with `ScimResource`, or into one with `ScimComplex` \
             that has extensions only and is flattened into a resource",
        );
    }
    for mark in [&options.extra, &options.flatten]
        .into_iter()
        .flatten()
        .filter(|_| derive != Derive::Resource)
    {
        errors.push(
            mark,
            format!("`{mark}` is for the fields of a struct with `ScimResource`"),
        );
    }
    if let Some(mark) = options.key.as_ref().filter(|_| derive != Derive::Complex) {
        errors.push(
            mark,
            "`key` tells the values of a multi-valued attribute apart: it is for the fields of a struct with `ScimComplex`",
        );
    }
    edges(field, derive, errors);
    if let Some(mark) = &options.transient
        && inside(&field.ty, "Option").is_none()
    {
        errors.push(
            mark,
            "a transient attribute is not there when the resource is read again: use `Option<…>`",
        );
    }
    let is_extra = inside_or_is(&field.ty, "Extra");
    if let Some(mark) = options.extra.as_ref().filter(|_| !is_extra) {
        errors.push(mark, "`extra` is for a field of the type `scim::value::Extra`");
    }
}

fn inside_or_is(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

fn edges(field: &RawField, derive: Derive, errors: &mut Errors) {
    let is_edges = inside(&field.ty, "Edges").is_some();
    match &field.options.edges {
        Some(mark) if derive != Derive::Resource => {
            errors.push(mark, "`edges` is for the fields of a struct with `ScimResource`");
        }
        Some(mark) if !is_edges => {
            errors.push(mark, "`edges` is for a field of the type `scim::value::Edges<…>`");
        }
        Some(mark) if field.options.with.is_some() => {
            errors.push(mark, "`edges` cannot be combined with `with`");
        }
        None if is_edges && field.options.special().is_none() => {
            errors.push(
                &field.ty,
                "a field of the type `Edges<…>` is marked with `#[scim(edges)]`",
            );
        }
        _ => {}
    }
}

/// Characteristics that contradict each other.
fn characteristics(options: &Options, errors: &mut Errors) {
    if let (
        Some(Given {
            value: "WriteOnly", ..
        }),
        Some(returned),
    ) = (&options.mutability, &options.returned)
        && returned.value != "Never"
    {
        errors.push(
            &returned.key,
            "a writeOnly attribute is never returned (RFC 7643 section 7)",
        );
    }
    if let (Some(Given { value: true, key }), Some(fold)) = (&options.case_exact, &options.fold)
        && fold.value != "Exact"
    {
        errors.push(key, "`case_exact` contradicts `fold`");
    }
    if let (Some(required), Some(_)) = (options.required, &options.transient)
        && required
        && let Some(mark) = &options.transient
    {
        errors.push(
            mark,
            "a transient attribute is not there when the resource is read again: it cannot be `required`",
        );
    }
    if let Some(canonical) = &options.canonical {
        let values: Vec<_> = canonical
            .value
            .iter()
            .map(|text| (text.value(), text.span()))
            .collect();
        clashes(&values, "canonical value", errors);
    }
}

/// Checks that `id`, `externalId` and `meta` are what the RFC says they are.
fn common(field: &RawField, errors: &mut Errors) {
    let name = field.ident.to_string();
    let (want, ty) = match name.as_str() {
        "id" => ("ResourceId", Some(&field.ty)),
        "meta" => ("Meta", Some(&field.ty)),
        _ => ("Option<ExternalId>", inside(&field.ty, "Option")),
    };
    let last = want.trim_start_matches("Option<").trim_end_matches('>');
    if !ty.is_some_and(|ty| inside_or_is(ty, last)) {
        errors.push(
            &field.ty,
            format!("the field `{name}` is a `{want}` (of `scim::value`)"),
        );
    }
    let allowed: &[&str] = match name.as_str() {
        "external_id" => &["description", "indexed", "unique", "uniqueness"],
        _ => &["description"],
    };
    for key in field
        .options
        .keys
        .iter()
        .filter(|key| !allowed.iter().any(|allowed| *key == allowed))
    {
        errors.push(
            key,
            format!("`{name}` is defined by RFC 7643 section 3.1: `{key}` cannot change it"),
        );
    }
}

/// Checks the names of the attributes.
pub(crate) fn names(input: &Struct, derive: Derive, errors: &mut Errors) {
    let mut names = Vec::new();
    for field in &input.fields {
        let Name::Text(name, span) = &field.name else {
            continue;
        };
        names.push((name.clone(), *span));
        if !is_name(name) {
            errors.push_at(
                *span,
                format!("`{name}` is no attribute name: a letter, then letters, digits, `-` and `_` (RFC 7643 section 2.1)"),
            );
        }
        let reserved = ["schemas", "id", "externalId", "meta"]
            .iter()
            .find(|word| word.eq_ignore_ascii_case(name));
        if let Some(word) = reserved
            && derive == Derive::Resource
            && !field.common
        {
            errors.push_at(
                *span,
                format!("`{word}` is an attribute of every resource (RFC 7643 section 3.1)"),
            );
        }
    }
    clashes(&names, "attribute", errors);
}

/// Returns whether a text is an `ATTRNAME` of RFC 7643 section 2.1, or `$ref`.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    name.eq_ignore_ascii_case("$ref")
        || first && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Reports names that are the same, case apart: each is pointed at.
pub(crate) fn clashes(names: &[(String, Span)], what: &str, errors: &mut Errors) {
    for (index, (name, span)) in names.iter().enumerate() {
        let same = |other: &&(String, Span)| other.0.eq_ignore_ascii_case(name);
        let twin = names
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != index)
            .map(|(_, other)| other)
            .find(same);
        if let Some((twin, _)) = twin {
            errors.push_at(
                *span,
                format!("the {what}s `{name}` and `{twin}` are the same: case does not count"),
            );
        }
    }
}

/// Returns whether a variant is `Name(T)`.
pub(crate) fn holds_one_value(variant: &syn::Variant) -> bool {
    matches!(&variant.fields, Fields::Unnamed(fields) if fields.unnamed.len() == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7643 section 2.1.
    #[test]
    fn attribute_names_are_letters_digits_hyphens_and_underscores() {
        for name in ["userName", "x509Certificates", "a-b_c", "$ref", "$REF"] {
            assert!(is_name(name), "{name} is refused");
        }
        for name in ["", "2nd", "$id", "a.b", "a:b", "größe", "-a", "a b"] {
            assert!(!is_name(name), "{name} is accepted");
        }
    }

    /// RFC 8141 section 2.
    #[test]
    fn schemas_are_urns() {
        for urn in [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "URN:example:a",
            "urn:my-company:x/y",
        ] {
            assert!(is_urn(urn), "{urn} is refused");
        }
        for urn in [
            "",
            "urn:",
            "urn:example",
            "urn:example:",
            "urn:e:a",
            "https://example.com",
            "urn:example:a b",
            "urn:example:a:",
        ] {
            assert!(!is_urn(urn), "{urn} is accepted");
        }
    }
}
