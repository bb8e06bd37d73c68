//! The code that the derives write. It is small: constant data, and calls of functions that are compiled once.

mod decode;
mod enumeration;
mod paths;
mod record;
mod schema;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Ident, Type, parse_quote};

pub(crate) use enumeration::enumeration;

use crate::ir::{Field, Kind, Name, Struct, inside};

/// All that is written for a struct.
pub(crate) fn structure(input: &Struct) -> TokenStream {
    let root = &input.root;
    let (paths, impl_paths) = paths::generate(input);
    let checks = schema::checks(input);
    let record = record::generate(input);
    let kind = match &input.kind {
        Kind::Resource { schema, endpoint } => schema::resource(input, schema, endpoint),
        Kind::Extension { schema } => {
            let (value, extension) = (record::value(input), schema::extension(input, schema));
            quote!(#value #extension)
        }
        Kind::Complex => record::value(input),
        Kind::ExtensionSet => schema::extension_set(input),
    };
    quote! {
        #paths
        #[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications, private_interfaces, private_bounds)]
        const _: () = {
            use #root::__private as __s;
            #checks
            #record
            #kind
            #impl_paths
        };
    }
}

/// A place for errors about `span`, that resolves names and lints as generated code.
fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

/// The trait through which a field is handled: `<T as ScimValue>`, or that of its handler.
fn access(field: &Field) -> TokenStream {
    let ty = &field.ty;
    match &field.options.with {
        Some(handler) => {
            let span = at(handler.span());
            let handler = lifted(handler, ty, span);
            quote_spanned!(span=> <#handler as __s::Handler<#ty>>)
        }
        None => quote_spanned!(at(ty.span())=> <#ty as __s::ScimValue>),
    }
}

/// A handler of `T`, lifted over the `Option` and `Vec` that are written around `T`.
fn lifted(handler: &Type, ty: &Type, span: Span) -> TokenStream {
    if let Some(inner) = inside(ty, "Option") {
        let inner = lifted(handler, inner, span);
        quote_spanned!(span=> __s::Optional<#inner>)
    } else if let Some(inner) = inside(ty, "Vec") {
        let inner = lifted(handler, inner, span);
        quote_spanned!(span=> __s::Multiple<#inner>)
    } else {
        quote_spanned!(span=> #handler)
    }
}

/// The name of an attribute as an expression.
fn name(field: &Field) -> TokenStream {
    match &field.name {
        Name::Text(text, _) => quote!(#text),
        Name::Extension(ty) => quote_spanned!(at(ty.span())=> <#ty as __s::ScimExtension>::SCHEMA.id),
    }
}

/// The local variable of a field while it is decoded.
fn slot(index: usize) -> Ident {
    format_ident!("__field{index}")
}

/// The generics with the bounds that the generated code needs.
fn bounded(input: &Struct) -> Generics {
    let mut generics = input.generics.clone();
    let params: Vec<Ident> = input.type_params().into_iter().cloned().collect();
    if params.is_empty() {
        return generics;
    }
    let clause = generics.make_where_clause();
    for param in params {
        clause
            .predicates
            .push(parse_quote!(#param: __s::Send + __s::Sync + 'static));
        if matches!(input.kind, Kind::Resource { .. } | Kind::ExtensionSet) {
            clause
                .predicates
                .push(parse_quote!(#param: __s::Debug + __s::Clone + __s::PartialEq));
        }
    }
    for field in input.fields.iter().filter(|field| input.is_generic(&field.ty)) {
        let ty = &field.ty;
        match (&field.options.with, &field.name) {
            (Some(handler), _) => {
                let handler = lifted(handler, ty, at(handler.span()));
                clause.predicates.push(parse_quote!(#handler: __s::Handler<#ty>));
            }
            (None, Name::Extension(extension)) => clause
                .predicates
                .push(parse_quote!(#extension: __s::ScimExtension)),
            (None, Name::Text(..)) => clause.predicates.push(parse_quote!(#ty: __s::ScimValue)),
        }
    }
    if let Some((_, ty)) = &input.flatten
        && input.is_generic(ty)
    {
        clause.predicates.push(parse_quote!(#ty: __s::ExtensionSet));
    }
    generics
}
