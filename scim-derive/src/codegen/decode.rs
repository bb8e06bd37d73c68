//! Decoding: a slot per field, filled by the engine's walk over the body, then the struct.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::table::{attributes, resource_type};
use super::tokens::{access, item_of, name};
use crate::ir::{Field, Struct, inside};

/// Writes the body of `ScimValue::decode`.
pub(super) fn value(input: &Struct) -> TokenStream {
    let attributes = attributes(input);
    body(
        input,
        |place| quote!(__s::decode_record(json, #attributes, cx, #place)),
    )
}

/// Writes the body of `ScimResource::decode`.
pub(super) fn resource(input: &Struct) -> TokenStream {
    let extra = match &input.extra {
        Some(_) => quote!(__s::Some(&mut extra)),
        None => quote!(__s::None),
    };
    let resource_type = resource_type(input);
    body(
        input,
        |place| quote!(__s::decode_resource(json, #resource_type, cx, #extra, #place)),
    )
}

fn body(input: &Struct, call: impl FnOnce(TokenStream) -> TokenStream) -> TokenStream {
    let slots = input
        .fields
        .iter()
        .enumerate()
        .map(|(index, field)| Slot::new(index, field));
    let slots: Vec<Slot<'_>> = slots.collect();
    let declarations = slots.iter().map(Slot::declaration);
    let arms = slots.iter().map(Slot::arm);
    let values = slots.iter().map(Slot::value);
    let own = input.fields.len();
    let rest = match &input.flatten {
        Some((_, ty)) => {
            let decode_at = item_of(ty, "ExtensionSet", "decode_at");
            quote!(#decode_at(&mut flat, index.wrapping_sub(#own), json, cx))
        }
        None => quote!(__s::Ok(())),
    };
    let flat = input.flatten.iter().map(|(_, ty)| {
        let default = item_of(ty, "Default", "default");
        quote!(let mut flat = #default();)
    });
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
        &mut |index, json, cx| match index {
            #(#arms)*
            _ => #rest,
        }
    });
    quote! {
        #(#declarations)*
        #(#flat)*
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

/// The local variable of a field while it is decoded.
struct Slot<'f> {
    index: usize,
    local: Ident,
    field: &'f Field,
    start: Start,
}

/// The value of a field before the walk. Fewer `?` behind the walk make the function cheaper to compile.
enum Start {
    /// Nothing, as the type is written.
    Default,
    /// The value of an unassigned attribute, else the default of the type: a read-only attribute, which the service
    /// sets.
    ReadOnly,
    /// Nothing at all: the walk brings a value, or the type has one for unassigned attributes.
    Required,
}

impl<'f> Slot<'f> {
    fn new(index: usize, field: &'f Field) -> Self {
        let optional = ["Option", "Vec", "Edges"]
            .iter()
            .any(|wrapper| inside(&field.ty, wrapper).is_some());
        let start = if optional || field.common {
            Start::Default
        } else if field.options.is_read_only() {
            Start::ReadOnly
        } else {
            Start::Required
        };
        Self {
            index,
            local: format_ident!("__field{index}"),
            field,
            start,
        }
    }

    fn declaration(&self) -> TokenStream {
        let (local, ty) = (&self.local, &self.field.ty);
        match self.start {
            Start::Default => quote!(let mut #local: #ty = __s::Default::default();),
            Start::ReadOnly => {
                let absent = access(self.field, "absent");
                let span = self.field.ty.span();
                let initial = quote_spanned!(span=> __s::initial);
                quote!(let mut #local: #ty = #initial(#absent);)
            }
            Start::Required => quote!(let mut #local: __s::Option<#ty> = __s::None;),
        }
    }

    fn arm(&self) -> TokenStream {
        let (index, local, decode) = (self.index, &self.local, access(self.field, "decode"));
        match self.start {
            Start::Required => quote!(#index => __s::put_some(&mut #local, #decode(json, cx)),),
            Start::Default | Start::ReadOnly => quote!(#index => __s::put(&mut #local, #decode(json, cx)),),
        }
    }

    fn value(&self) -> TokenStream {
        let (ident, local) = (&self.field.ident, &self.local);
        match self.start {
            Start::Required => {
                let (absent, name) = (access(self.field, "absent"), name(self.field));
                quote!(#ident: __s::or_absent(#local, #absent, #name)?,)
            }
            Start::Default | Start::ReadOnly => quote!(#ident: #local,),
        }
    }
}
