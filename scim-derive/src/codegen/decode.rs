//! Decoding: a slot per field, filled by the engine's walk over the body, then the struct.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{access, at, name, record, slot};
use crate::ir::{Field, Struct, inside};

/// The body of `ScimValue::decode`.
pub(super) fn value(input: &Struct) -> TokenStream {
    let attributes = record::attributes(input);
    body(
        input,
        |place| quote!(__s::decode_record(json, #attributes, cx, #place)),
    )
}

/// The body of `ScimResource::decode`.
pub(super) fn resource(input: &Struct) -> TokenStream {
    let extra = match &input.extra {
        Some(_) => quote!(__s::Some(&mut extra)),
        None => quote!(__s::None),
    };
    body(
        input,
        |place| quote!(__s::decode_resource(json, <Self as __s::ScimResource>::RESOURCE_TYPE, cx, #extra, #place)),
    )
}

fn body(input: &Struct, call: impl FnOnce(TokenStream) -> TokenStream) -> TokenStream {
    let slots = input.fields.iter().enumerate().map(|(index, field)| {
        let (slot, ty) = (slot(index), &field.ty);
        quote!(let mut #slot: __s::Option<#ty> = __s::None;)
    });
    let arms = input.fields.iter().enumerate().map(|(index, field)| {
        let (slot, access) = (slot(index), access(field));
        let decode = quote_spanned!(at(field.ty.span())=> #access::decode);
        quote!(#index => #slot = __s::Some(#decode(json, cx)?),)
    });
    let values = input.fields.iter().enumerate().map(|(index, field)| {
        let (ident, value) = (&field.ident, finished(index, field));
        quote!(#ident: #value,)
    });
    let own = input.fields.len();
    let flat = input
        .flatten
        .as_ref()
        .map(|(_, ty)| quote!(let mut flat: #ty = __s::Default::default();));
    let rest = match &input.flatten {
        Some(_) => quote!(__s::ExtensionSet::decode_at(&mut flat, index.wrapping_sub(#own), json, cx)?),
        None => quote!({}),
    };
    let flat_value = input.flatten.iter().map(|(ident, _)| quote!(#ident: flat,));
    let extra = input
        .extra
        .iter()
        .map(|_| quote!(let mut extra: __s::Extra = __s::Default::default();));
    let extra_value = input.extra.iter().map(|ident| quote!(#ident: extra,));
    let skipped = input
        .skipped
        .iter()
        .map(|ident| quote!(#ident: __s::Default::default(),));
    let call = call(quote! {
        &mut |index, json, cx| {
            match index {
                #(#arms)*
                _ => #rest,
            }
            __s::Ok(())
        }
    });
    quote! {
        #(#slots)*
        #flat
        #(#extra)*
        #call?;
        __s::Ok(Self {
            #(#values)*
            #(#flat_value)*
            #(#extra_value)*
            #(#skipped)*
        })
    }
}

/// The value of a field after the walk: a read-only attribute that has none gets the default of its type, for the
/// service to replace.
fn finished(index: usize, field: &Field) -> TokenStream {
    let (slot, access) = (slot(index), access(field));
    let span = at(field.ty.span());
    let absent = quote_spanned!(span=> #access::absent);
    let optional = ["Option", "Vec"]
        .iter()
        .any(|wrapper| inside(&field.ty, wrapper).is_some());
    if field.options.is_read_only() && !optional {
        return quote_spanned!(span=> __s::or_default(#slot, #absent));
    }
    let name = name(field);
    quote!(__s::or_absent(#slot, #absent, #name)?)
}
