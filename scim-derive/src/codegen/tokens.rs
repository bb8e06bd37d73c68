//! Pieces of code that all parts are made of.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Ident, Type, parse_quote};

use crate::ir::{Field, Kind, Name, Struct, inside};

/// Writes an item of the trait through which a field is handled, `ScimValue` or that of its handler:
/// `<T as ScimValue>::view`.
///
/// The whole path has the span of the type (or handler), from its first token to its last: the compiler says of an
/// unfit type once, and there, what it would else say wherever the type is used.
pub(super) fn access(field: &Field, item: &str) -> TokenStream {
    let ty = &field.ty;
    match &field.options.with {
        Some(handler) => {
            let handler_span = handler.span();
            let lifted = lifted(handler, ty, handler_span);
            // the tokens of the field's type are elsewhere: errors are about the handler
            let ty = respanned(ty.to_token_stream(), handler_span);
            let item = Ident::new(item, handler_span);
            quote_spanned!(handler_span=> <#lifted as __s::Handler<#ty>>::#item)
        }
        None => item_of(ty, "ScimValue", item),
    }
}

/// Writes `<T as __s::Trait>::item` with the span of `T`.
pub(super) fn item_of(ty: &Type, of: &str, item: &str) -> TokenStream {
    let (first, last) = ends(ty);
    let (of, item) = (Ident::new(of, first), Ident::new(item, last));
    let open = quote_spanned!(first=> <);
    let rest = quote_spanned!(last=> as __s::#of>::#item);
    quote!(#open #ty #rest)
}

/// Returns the spans of the first and the last token of a type.
fn ends(ty: &Type) -> (Span, Span) {
    let mut tokens = ty.to_token_stream().into_iter();
    let first = tokens.next().map_or_else(Span::call_site, |token| token.span());
    (first, tokens.last().map_or(first, |token| token.span()))
}

fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let respan = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), respanned(group.stream(), span)).into();
        }
        token.set_span(span);
        token
    };
    tokens.into_iter().map(respan).collect()
}

/// Returns a handler of `T`, lifted over the `Option` and `Vec` that are written around `T`.
pub(super) fn lifted(handler: &Type, ty: &Type, span: Span) -> TokenStream {
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

/// Returns the name of an attribute as an expression.
pub(super) fn name(field: &Field) -> TokenStream {
    match &field.name {
        Name::Text(text, _) => quote!(#text),
        Name::Extension(ty) => {
            let schema = item_of(ty, "ScimExtension", "SCHEMA");
            quote!(#schema.id)
        }
    }
}

/// Returns the generics with the bounds that the generated code needs.
pub(super) fn bounded(input: &Struct) -> Generics {
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
                let handler = lifted(handler, ty, handler.span());
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
