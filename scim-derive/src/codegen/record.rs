//! `Record` and `ScimValue`: showing and changing attributes by index.

use proc_macro2::TokenStream;
use quote::quote;

use super::table::{attributes, table};
use super::tokens::{access, bounded};
use super::{decode, paths};
use crate::ir::Struct;

pub(super) fn generate(input: &Struct) -> TokenStream {
    let ident = &input.ident;
    let generics = bounded(input);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let attributes = attributes(input);
    let arms = |method: &str, arguments: &TokenStream, reference: &TokenStream| -> TokenStream {
        let arm = |(index, field): (usize, &crate::ir::Field)| {
            let (call, ident) = (access(field, method), &field.ident);
            quote!(#index => #call(#reference self.#ident #arguments),)
        };
        input.fields.iter().enumerate().map(arm).collect()
    };
    let views = arms("view", &quote!(), &quote!(&));
    let applies = arms("apply", &quote!(, edit, cx), &quote!(&mut));
    let own = input.fields.len();
    let (view_rest, apply_rest) = match &input.flatten {
        Some((field, _)) => (
            quote!(__s::Record::view(&self.#field, index.wrapping_sub(#own))),
            quote!(__s::Record::apply(&mut self.#field, index.wrapping_sub(#own), edit, cx)),
        ),
        None => (
            quote!(__s::View::Absent),
            quote!({
                _ = (edit, cx);
                __s::Ok(__s::Change::None)
            }),
        ),
    };
    quote! {
        #[automatically_derived]
        impl #impl_generics __s::Record for #ident #ty_generics #clause {
            fn attributes(&self) -> &'static [__s::Attribute] {
                #attributes
            }

            fn view(&self, index: usize) -> __s::View<'_> {
                match index {
                    #views
                    _ => #view_rest,
                }
            }

            fn apply(&mut self, index: usize, edit: __s::Edit<'_>, cx: &mut __s::Cx<'_>) -> __s::Result<__s::Change> {
                match index {
                    #applies
                    _ => #apply_rest,
                }
            }
        }
    }
}

pub(super) fn value(input: &Struct) -> TokenStream {
    let ident = &input.ident;
    let generics = bounded(input);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let table = table(input);
    let decode = decode::value(input);
    let paths = paths::type_of(input, &quote!(__R));
    quote! {
        #[automatically_derived]
        impl #impl_generics __s::ScimValue for #ident #ty_generics #clause {
            const SHAPE: __s::Shape = __s::Shape::complex(#table);

            type Paths<__R: 'static> = #paths;

            fn view(&self) -> __s::View<'_> {
                __s::View::Complex(self)
            }

            fn decode(json: __s::Json<'_>, cx: &mut __s::Cx<'_>) -> __s::Result<Self> {
                #decode
            }

            fn apply(&mut self, edit: __s::Edit<'_>, cx: &mut __s::Cx<'_>) -> __s::Result<__s::Change> {
                __s::apply_to_record(self, edit, cx)
            }
        }
    }
}
