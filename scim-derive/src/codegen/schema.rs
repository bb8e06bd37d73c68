//! The code in which a struct describes itself: resource, extension, set of extensions; and what only the types tell.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::LitStr;
use syn::spanned::Spanned;

use super::table::{attributes, resource_type_literal, schema_literal, table};
use super::tokens::{access, bounded};
use super::{decode, paths};
use crate::check::bare;
use crate::ir::{Field, Given, Kind, Name, SchemaInfo, Struct, last_segment};

pub(super) fn resource(input: &Struct, schema: &SchemaInfo, endpoint: &str) -> TokenStream {
    let ident = &input.ident;
    let generics = bounded(input);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let resource_type = match input.generics.params.is_empty() {
        true => quote!(__TYPE),
        false => resource_type_literal(schema, endpoint, &table(input)),
    };
    let decode = decode::resource(input);
    let extra = input.extra.as_ref().map(|extra| {
        quote! {
            fn extra(&self) -> __s::Option<&__s::Extra> {
                __s::Some(&self.#extra)
            }
        }
    });
    let edges = edges(input);
    quote! {
        #[automatically_derived]
        impl #impl_generics __s::ScimResource for #ident #ty_generics #clause {
            const RESOURCE_TYPE: &'static __s::ResourceType = #resource_type;

            fn decode(json: __s::Json<'_>, cx: &mut __s::Cx<'_>) -> __s::Result<Self> {
                #decode
            }

            fn id(&self) -> &__s::ResourceId {
                &self.id
            }

            fn id_mut(&mut self) -> &mut __s::ResourceId {
                &mut self.id
            }

            fn meta(&self) -> &__s::Meta {
                &self.meta
            }

            fn meta_mut(&mut self) -> &mut __s::Meta {
                &mut self.meta
            }

            #extra

            #edges
        }
    }
}

/// Writes how the values of attributes marked `edges` are read apart from their resource.
fn edges(input: &Struct) -> Option<TokenStream> {
    let fields = input.fields.iter().enumerate();
    let arms: Vec<_> = fields
        .filter(|(_, field)| field.options.edges.is_some())
        .map(|(index, field)| {
            let ty = &field.ty;
            quote!(#index => __s::edges::<#ty>(json, cx),)
        })
        .collect();
    (!arms.is_empty()).then(|| {
        quote! {
            fn decode_edges(
                index: usize,
                json: __s::Json<'_>,
                cx: &mut __s::Cx<'_>,
            ) -> __s::Result<__s::Option<__s::Box<dyn __s::Multi>>> {
                match index {
                    #(#arms)*
                    _ => { _ = (json, cx); __s::Ok(__s::None) }
                }
            }
        }
    })
}

pub(super) fn extension(input: &Struct, schema: &SchemaInfo) -> TokenStream {
    let ident = &input.ident;
    let generics = bounded(input);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let literal = schema_literal(schema, &attributes(input));
    quote! {
        #[automatically_derived]
        impl #impl_generics __s::ScimExtension for #ident #ty_generics #clause {
            const SCHEMA: &'static __s::Schema = &#literal;
        }
    }
}

pub(super) fn extension_set(input: &Struct) -> TokenStream {
    let ident = &input.ident;
    let generics = bounded(input);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let table = table(input);
    let paths = paths::type_of(input, &quote!(__R));
    let arms = input.fields.iter().enumerate().map(|(index, field)| {
        let (decode, ident) = (access(field, "decode"), &field.ident);
        quote!(#index => __s::put(&mut self.#ident, #decode(json, cx)),)
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics __s::ExtensionSet for #ident #ty_generics #clause {
            const ATTRIBUTES: &'static [__s::Attribute] = #table;

            type Paths<__R: 'static> = #paths;

            fn decode_at(&mut self, index: usize, json: __s::Json<'_>, cx: &mut __s::Cx<'_>) -> __s::Result<()> {
                match index {
                    #(#arms)*
                    _ => { _ = (json, cx); __s::Ok(()) }
                }
            }
        }
    }
}

/// Assertions about what only the types tell, evaluated when the struct is compiled.
pub(super) fn checks(input: &Struct) -> TokenStream {
    let fields = input.fields.iter().filter(|field| !input.is_generic(&field.ty));
    let fields = fields.filter(|field| matches!(field.name, Name::Text(..)));
    let mut checks: TokenStream = fields.map(|field| field_checks(input, field)).collect();
    let extensions = input
        .fields
        .iter()
        .filter(|field| matches!(field.name, Name::Extension(_)))
        .count();
    if input.generics.params.is_empty() && (extensions > 1 || input.flatten.is_some()) {
        let ident = &input.ident;
        let span = Span::mixed_site().located_at(ident.span());
        checks.extend(quote_spanned!(span=> const _: () = __s::assert_distinct(__TABLE);));
    }
    checks
}

fn field_checks(input: &Struct, field: &Field) -> TokenStream {
    let options = &field.options;
    let shape = access(field, "SHAPE");
    let assert = |span: Span, function: &str, message: &str| {
        let function = format_ident!("{function}");
        let message = LitStr::new(message, Span::call_site());
        let span = Span::mixed_site().located_at(span);
        quote_spanned!(span=> const _: () = __s::#function(&#shape, #message);)
    };
    let is = |names: &[&str]| {
        options.with.is_none()
            && last_segment(bare(&field.ty))
                .is_some_and(|segment| names.iter().any(|name| segment.ident == name))
    };
    let mut out = TokenStream::new();
    let complex = "is not for a complex attribute: give it to a sub-attribute";
    let leaves = [
        options
            .unique
            .as_ref()
            .map(|given| (&given.key, given.value != "None")),
        options.indexed.as_ref().map(|key| (key, true)),
        options.key.as_ref().map(|key| (key, true)),
    ];
    for (key, _) in leaves
        .into_iter()
        .flatten()
        .filter(|(_, set)| *set && !is(LEAVES))
    {
        out.extend(assert(key.span(), "assert_leaf", &format!("`{key}` {complex}")));
    }
    let texts = [
        options.case_exact.as_ref().map(|given| &given.key),
        options.canonical.as_ref().map(|given| &given.key),
        options.fold.as_ref().map(|given| &given.key),
    ];
    for key in texts.into_iter().flatten().filter(|_| !is(TEXTS)) {
        let message = format!("`{key}` is for an attribute of the type string or reference");
        out.extend(assert(key.span(), "assert_text", &message));
    }
    if let Some(given) = options.reference_types.as_ref().filter(|_| !is(&["Reference"])) {
        let message = "`reference_types` is for an attribute of the type reference";
        out.extend(assert(given.key.span(), "assert_reference", message));
    }
    if let Some(Given { key, value }) = &options.format {
        let of = if *value == "Certificate" {
            "binary"
        } else {
            "string"
        };
        let message = format!("this format is for an attribute of the type {of}");
        let format = format_ident!("{value}");
        let span = Span::mixed_site().located_at(key.span());
        out.extend(
            quote_spanned!(span=> const _: () = __s::assert_format(&#shape, __s::Format::#format, #message);),
        );
    }
    if matches!(input.kind, Kind::Complex) && !is(LEAVES) {
        let message = "a complex attribute has no complex sub-attributes (RFC 7643 section 2.3.8); if this is a schema \
                       extension in a set of extensions, mark the field with `#[scim(extension)]`";
        out.extend(assert(field.ty.span(), "assert_leaf", message));
    }
    if options.edges.is_some() {
        let message =
            "the values of an attribute with `edges` are told apart by a sub-attribute marked `#[scim(key)]`";
        out.extend(assert(field.ty.span(), "assert_keyed", message));
    }
    out
}

/// Types that are known to be leaves without looking them up: a check less to compile.
const LEAVES: &[&str] = &[
    "String",
    "bool",
    "i8",
    "i16",
    "i32",
    "i64",
    "u8",
    "u16",
    "u32",
    "f64",
    "DateTime",
    "Binary",
    "Reference",
];
const TEXTS: &[&str] = &["String", "Reference", "ExternalId"];
