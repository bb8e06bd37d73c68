//! Derive macros of the `scim` crate, which re-exports them and explains them; nobody depends on this crate directly.
//!
//! Each derive runs in three steps: `attr` reads `#[scim(…)]`, `ir` and `check` make of the input what the struct
//! means and gather every fault, `codegen` writes the code. The code names nothing but `scim::__private`.

mod attr;
mod check;
mod codegen;
mod ir;
mod read;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

use crate::attr::Errors;

#[allow(missing_docs)] // `scim` documents the macros where it re-exports them
#[proc_macro_derive(ScimResource, attributes(scim))]
pub fn scim_resource(input: TokenStream) -> TokenStream {
    expand_struct(input, ir::Derive::Resource)
}

#[allow(missing_docs)]
#[proc_macro_derive(ScimComplex, attributes(scim))]
pub fn scim_complex(input: TokenStream) -> TokenStream {
    expand_struct(input, ir::Derive::Complex)
}

#[allow(missing_docs)]
#[proc_macro_derive(ScimExtension, attributes(scim))]
pub fn scim_extension(input: TokenStream) -> TokenStream {
    expand_struct(input, ir::Derive::Extension)
}

#[allow(missing_docs)]
#[proc_macro_derive(ScimEnum, attributes(scim))]
pub fn scim_enum(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let mut errors = Errors::default();
    let input = ir::Enumeration::new(&input, &mut errors);
    match (errors.into_compile_errors(), input) {
        (None, Some(input)) => codegen::enumeration(&input).into(),
        (errors, _) => errors.unwrap_or_default().into(),
    }
}

fn expand_struct(input: TokenStream, derive: ir::Derive) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let mut errors = Errors::default();
    let input = ir::Struct::new(input, derive, &mut errors);
    match (errors.into_compile_errors(), input) {
        (None, Some(input)) => codegen::structure(&input).into(),
        (errors, _) => errors.unwrap_or_default().into(),
    }
}
