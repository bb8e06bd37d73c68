//! The tables of attributes, schemas and resource types, and where the rest of the code finds them.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::tokens::{access, item_of};
use crate::ir::{Field, Given, Kind, Name, SchemaInfo, Struct};

/// Writes whatever does not depend on parameters of the struct, as constants beside the implementations. A constant
/// cannot depend on parameters: where there are some, it is part of the implementations instead.
pub(super) fn constants(input: &Struct) -> Option<TokenStream> {
    if !input.generics.params.is_empty() {
        return None;
    }
    let table = expression(input);
    let resource_type = match &input.kind {
        Kind::Resource { schema, endpoint } => {
            let literal = resource_type_literal(schema, endpoint, &quote!(__TABLE));
            Some(quote!(const __TYPE: &'static __s::ResourceType = #literal;))
        }
        _ => None,
    };
    Some(quote! {
        const __TABLE: &'static [__s::Attribute] = #table;
        #resource_type
    })
}

/// Returns the table, where it is defined for the implementation.
pub(super) fn table(input: &Struct) -> TokenStream {
    if input.generics.params.is_empty() {
        quote!(__TABLE)
    } else {
        expression(input)
    }
}

/// Writes a constant expression of the type `&'static [Attribute]`.
fn expression(input: &Struct) -> TokenStream {
    let entries = input.fields.iter().map(entry);
    let own = quote!(&[#(#entries),*]);
    match &input.flatten {
        None => own,
        Some((_, ty)) => {
            let more = item_of(ty, "ExtensionSet", "ATTRIBUTES");
            quote!(const { const { &__s::Joined::new(#own, #more) }.attributes() })
        }
    }
}

fn entry(field: &Field) -> TokenStream {
    let shape = access(field, "SHAPE");
    let name = match &field.name {
        Name::Text(name, _) => name,
        Name::Extension(ty) => {
            let schema = item_of(ty, "ScimExtension", "SCHEMA");
            return quote!(__s::extension(#schema, #shape));
        }
    };
    let shape = overridden(field, shape);
    let mut members = Vec::new();
    let options = &field.options;
    if !field.description.is_empty() {
        let description = &field.description;
        members.push(quote!(description: #description));
    }
    if let Some(fold) = &options.fold {
        let fold = format_ident!("{}", fold.value);
        members.push(quote!(fold: __s::Some(__s::Fold::#fold)));
    }
    if let Some(format) = &options.format {
        let format = format_ident!("{}", format.value);
        members.push(quote!(format: __s::Some(__s::Format::#format)));
    }
    let marks = [
        ("indexed", options.indexed.is_some()),
        ("key", options.key.is_some()),
        ("edges", options.edges.is_some()),
        ("transient", options.transient.is_some()),
    ];
    for (mark, _) in marks.into_iter().filter(|(_, set)| *set) {
        let mark = format_ident!("{mark}");
        members.push(quote!(#mark: true));
    }
    if field.common {
        members.push(quote!(role: __s::Role::Common));
    }
    let new = quote!(__s::Attribute::new(#name, #shape));
    if members.is_empty() {
        new
    } else {
        quote!(__s::Attribute { #(#members,)* ..#new })
    }
}

/// Returns the shape of the type with the field's own characteristics.
fn overridden(field: &Field, shape: TokenStream) -> TokenStream {
    let options = &field.options;
    let mut members = Vec::new();
    if let Some(required) = options.required {
        members.push(quote!(required: #required));
    }
    if let Some(Given { value, .. }) = &options.case_exact {
        members.push(quote!(case_exact: #value));
    }
    if field.common && field.ident == "meta" {
        // Of the common attributes, this one has no type that could say it.
        members.push(quote!(mutability: __s::Mutability::ReadOnly));
    }
    if let Some(Given { value, .. }) = &options.mutability {
        let value = format_ident!("{value}");
        members.push(quote!(mutability: __s::Mutability::#value));
    }
    let write_only = matches!(
        &options.mutability,
        Some(Given {
            value: "WriteOnly",
            ..
        })
    );
    let returned = options
        .returned
        .as_ref()
        .map(|given| given.value)
        .or(write_only.then_some("Never"));
    if let Some(value) = returned {
        let value = format_ident!("{value}");
        members.push(quote!(returned: __s::Returned::#value));
    }
    if let Some(Given { value, .. }) = &options.unique {
        let value = format_ident!("{value}");
        members.push(quote!(uniqueness: __s::Uniqueness::#value));
    }
    if let Some(Given { value, .. }) = &options.canonical {
        members.push(quote!(canonical_values: &[#(#value),*]));
    }
    if let Some(Given { value, .. }) = &options.reference_types {
        members.push(quote!(reference_types: &[#(#value),*]));
    }
    if members.is_empty() {
        shape
    } else {
        quote!(__s::Shape { #(#members,)* ..#shape })
    }
}

pub(super) fn schema_literal(schema: &SchemaInfo, attributes: &TokenStream) -> TokenStream {
    let SchemaInfo {
        id,
        name,
        description,
    } = schema;
    quote!(__s::Schema { id: #id, name: #name, description: #description, attributes: #attributes })
}

pub(super) fn resource_type_literal(
    schema: &SchemaInfo,
    endpoint: &str,
    attributes: &TokenStream,
) -> TokenStream {
    let literal = schema_literal(schema, attributes);
    let SchemaInfo {
        name, description, ..
    } = schema;
    quote! {
        &__s::ResourceType {
            name: #name,
            description: #description,
            endpoint: #endpoint,
            schema: &#literal,
        }
    }
}

/// Returns the resource type within the generated code.
pub(super) fn resource_type(input: &Struct) -> TokenStream {
    match input.generics.params.is_empty() {
        true => quote!(__TYPE),
        false => quote!(<Self as __s::ScimResource>::RESOURCE_TYPE),
    }
}

/// Returns the place of the table of a struct.
pub(super) fn attributes(input: &Struct) -> TokenStream {
    if input.generics.params.is_empty() {
        return quote!(__TABLE);
    }
    match input.kind {
        Kind::Resource { .. } => quote!(<Self as __s::ScimResource>::RESOURCE_TYPE.schema.attributes),
        Kind::Extension { .. } | Kind::Complex => quote!(<Self as __s::ScimValue>::SHAPE.sub_attributes),
        Kind::ExtensionSet => quote!(<Self as __s::ExtensionSet>::ATTRIBUTES),
    }
}
