//! The code that the derives write. It is small: constant data, and calls of functions that are compiled once.

mod decode;
mod enumeration;
mod paths;
mod record;
mod schema;
mod table;
mod tokens;

use proc_macro2::TokenStream;
use quote::quote;

pub(crate) use enumeration::enumeration;

use crate::ir::{Kind, Struct};

/// Returns all that is written for a struct.
pub(crate) fn structure(input: &Struct) -> TokenStream {
    let root = &input.root;
    let (paths, impl_paths) = paths::generate(input);
    let constants = table::constants(input);
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
            #constants
            #checks
            #record
            #kind
            #impl_paths
        };
    }
}
