//! `ScimEnum`: a string with canonical values.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ir::Enumeration;

/// Returns all that is written for an enum.
pub(crate) fn enumeration(input: &Enumeration) -> TokenStream {
    let Enumeration {
        ident,
        root,
        variants,
        other,
    } = input;
    let (names, texts): (Vec<_>, Vec<_>) = variants.iter().map(|(name, text)| (name, text)).unzip();
    let indices = 0..variants.len();
    let view_other = other.iter().map(|other| quote!(Self::#other(text) => text,));
    let unknown = match other {
        Some(other) => quote!(__s::other_keyword(json).map(Self::#other)),
        None => quote!(__s::Err(__s::unknown_keyword(
            json,
            <Self as __s::Scalar>::CANONICAL_VALUES
        ))),
    };
    quote! {
        #[allow(clippy::all, clippy::pedantic, clippy::nursery, unused_qualifications)]
        const _: () = {
            use #root::__private as __s;

            #[automatically_derived]
            impl __s::Text for #ident {}

            #[automatically_derived]
            impl __s::Scalar for #ident {
                const TYPE: __s::Type = __s::Type::String;

                const CANONICAL_VALUES: &'static [&'static str] = &[#(#texts),*];

                fn view(&self) -> __s::View<'_> {
                    __s::View::text(match self {
                        #(Self::#names => #texts,)*
                        #(#view_other)*
                    })
                }

                fn parse(json: __s::Json<'_>) -> __s::Result<Self> {
                    match __s::keyword(json, <Self as __s::Scalar>::CANONICAL_VALUES) {
                        #(__s::Some(#indices) => __s::Ok(Self::#names),)*
                        _ => #unknown,
                    }
                }
            }
        };
    }
}
