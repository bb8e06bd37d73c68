//! Typed paths: a type per struct, with a method per field.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{GenericParam, Generics, Ident, parse_quote};

use super::table::attributes;
use super::tokens::{access, bounded, item_of};
use crate::ir::{Field, Kind, Name, Struct};

/// Returns the declaration, which stands beside the struct, and the implementations, which stand in the block.
pub(super) fn generate(input: &Struct) -> (TokenStream, TokenStream) {
    (declaration(input), implementations(input))
}

fn ident(input: &Struct) -> Ident {
    format_ident!("{}Paths", input.ident.unraw(), span = input.ident.span())
}

/// Returns the type of the paths of `input` in a resource `owner`.
pub(super) fn type_of(input: &Struct, owner: &TokenStream) -> TokenStream {
    let ident = ident(input);
    let params = input.generics.params.iter().filter_map(|param| match param {
        GenericParam::Type(param) => Some(&param.ident),
        GenericParam::Const(param) => Some(&param.ident),
        GenericParam::Lifetime(_) => None,
    });
    quote!(#ident<#owner #(, #params)*>)
}

/// Returns the parameters of the type of paths, without bounds and defaults: the owner, then those of the struct.
fn parameters(input: &Struct) -> Generics {
    let mut generics = Generics::default();
    let owner = owner(input);
    generics.params.push(parse_quote!(#owner));
    for param in &input.generics.params {
        match param {
            GenericParam::Type(param) => {
                let ident = &param.ident;
                generics.params.push(parse_quote!(#ident));
            }
            GenericParam::Const(param) => {
                let (ident, ty) = (&param.ident, &param.ty);
                generics.params.push(parse_quote!(const #ident: #ty));
            }
            GenericParam::Lifetime(_) => {}
        }
    }
    generics
}

/// Returns `R`, unless the struct has a parameter of this name.
fn owner(input: &Struct) -> Ident {
    let taken = input.type_params().iter().any(|param| *param == "R");
    format_ident!("{}", if taken { "Owner" } else { "R" })
}

fn declaration(input: &Struct) -> TokenStream {
    let (vis, root, ident) = (&input.vis, &input.root, ident(input));
    let params = parameters(input);
    let owner = owner(input);
    let mut types = vec![quote!(#owner)];
    types.extend(input.type_params().iter().map(|param| quote!(#param)));
    let doc = match input.kind {
        Kind::Resource { .. } => format!(
            "Typed paths to the attributes of [`{}`], for filters and projections.",
            input.ident
        ),
        _ => format!(
            "Typed paths to the attributes of [`{}`] in a resource `{owner}`.",
            input.ident
        ),
    };
    quote! {
        #[doc = #doc]
        #vis struct #ident #params (#root::__private::Node<(#(#types,)*)>);
    }
}

fn implementations(input: &Struct) -> TokenStream {
    let (vis, ident, owner) = (&input.vis, ident(input), owner(input));
    let params = parameters(input);
    let (impl_generics, ty_generics, _) = params.split_for_impl();
    let methods = input
        .fields
        .iter()
        .enumerate()
        .map(|(index, field)| method(input, index, field, &owner));
    let flattened = input.flatten.as_ref().map(|(field, ty)| {
        let offset = input.fields.len();
        let paths = owned(&item_of(ty, "ExtensionSet", "Paths"), &owner);
        quote! {
            /// The schema extensions.
            #[must_use]
            #vis fn #field(&self) -> #paths {
                self.0.flattened(#offset)
            }
        }
    });
    let mut bounds = bounded(input);
    bounds.params.insert(0, parse_quote!(#owner: 'static));
    let (impl_bounded, _, clause) = bounds.split_for_impl();
    let start = start(input);
    let flattened_node = matches!(input.kind, Kind::ExtensionSet).then(|| {
        quote! {
            fn flattened(path: __s::AttrPath, root: &'static [__s::Attribute], offset: u16) -> Self {
                Self(__s::Node::new(path, root, offset))
            }
        }
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics __s::Clone for #ident #ty_generics {
            fn clone(&self) -> Self {
                *self
            }
        }

        #[automatically_derived]
        impl #impl_generics __s::Copy for #ident #ty_generics {}

        #[automatically_derived]
        impl #impl_generics __s::PathNode for #ident #ty_generics {
            fn at(path: __s::AttrPath, root: &'static [__s::Attribute]) -> Self {
                Self(__s::Node::new(path, root, 0))
            }

            #flattened_node
        }

        #[allow(dead_code)]
        impl #impl_bounded #ident #ty_generics #clause {
            #(#methods)*
            #flattened
        }

        #start
    }
}

fn method(input: &Struct, index: usize, field: &Field, owner: &Ident) -> TokenStream {
    let (vis, ident) = (&input.vis, &field.ident);
    let paths = owned(&access(field, "Paths"), owner);
    let doc = match &field.name {
        Name::Text(name, _) => format!("`{name}`"),
        Name::Extension(_) => "The schema extension.".to_owned(),
    };
    quote! {
        #[doc = #doc]
        #[must_use]
        #vis fn #ident(&self) -> #paths {
            self.0.child(#index)
        }
    }
}

/// Writes `…::Paths<R>`, all with one span: the compiler drops what it has said already.
fn owned(paths: &TokenStream, owner: &Ident) -> TokenStream {
    let last = paths.clone().into_iter().last();
    let span = last.map_or_else(Span::call_site, |token| token.span());
    let owner = Ident::new(&owner.to_string(), span);
    let arguments = quote_spanned!(span=> <#owner>);
    quote!(#paths #arguments)
}

/// Writes `User::paths()`.
fn start(input: &Struct) -> Option<TokenStream> {
    if !matches!(input.kind, Kind::Resource { .. }) {
        return None;
    }
    let (vis, ident) = (&input.vis, &input.ident);
    let bounds = bounded(input);
    let (impl_generics, ty_generics, clause) = bounds.split_for_impl();
    let (paths, attributes) = (type_of(input, &quote!(Self)), attributes(input));
    Some(quote! {
        #[allow(dead_code)]
        impl #impl_generics #ident #ty_generics #clause {
            /// Typed paths to the attributes, for filters and projections.
            #[must_use]
            #vis fn paths() -> #paths {
                __s::PathNode::at(__s::AttrPath::ROOT, #attributes)
            }
        }
    })
}
