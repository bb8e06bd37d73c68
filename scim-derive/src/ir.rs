//! The meaning of an input, once it is known to make sense.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, GenericParam, Generics, Ident, LitStr, PathArguments, Type, Visibility};

/// Which derive was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Derive {
    Resource,
    Complex,
    Extension,
}

/// The kind of thing that the struct becomes.
pub(crate) enum Kind {
    Resource {
        schema: SchemaInfo,
        endpoint: String,
    },
    Extension {
        schema: SchemaInfo,
    },
    Complex,
    /// A struct that has nothing but extensions.
    ExtensionSet,
}

/// The description that a schema gives of itself.
pub(crate) struct SchemaInfo {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
}

/// A struct with one of the three derives.
pub(crate) struct Struct {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) generics: Generics,
    pub(crate) root: TokenStream,
    pub(crate) kind: Kind,
    /// The fields that are attributes, in the order of the table.
    pub(crate) fields: Vec<Field>,
    /// The field whose extensions are appended to the table.
    pub(crate) flatten: Option<(Ident, Type)>,
    /// The field that keeps what no schema knows.
    pub(crate) extra: Option<Ident>,
    /// Fields that are not attributes.
    pub(crate) skipped: Vec<Ident>,
}

/// A field that is an attribute.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) name: Name,
    pub(crate) description: String,
    /// Whether it is `id`, `externalId` or `meta`.
    pub(crate) common: bool,
    pub(crate) options: Options,
}

/// The name of an attribute.
pub(crate) enum Name {
    Text(String, Span),
    /// The URN of the extension that this type is.
    Extension(Box<Type>),
}

/// A characteristic with the place where it is given.
pub(crate) struct Given<T> {
    pub(crate) key: Ident,
    pub(crate) value: T,
}

/// The content of `#[scim(…)]` on a field.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) keys: Vec<Ident>,
    pub(crate) rename: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
    pub(crate) case_exact: Option<Given<bool>>,
    pub(crate) mutability: Option<Given<&'static str>>,
    pub(crate) returned: Option<Given<&'static str>>,
    pub(crate) unique: Option<Given<&'static str>>,
    pub(crate) required: Option<bool>,
    pub(crate) canonical: Option<Given<Vec<LitStr>>>,
    pub(crate) reference_types: Option<Given<Vec<LitStr>>>,
    pub(crate) with: Option<Type>,
    pub(crate) fold: Option<Given<&'static str>>,
    pub(crate) format: Option<Given<&'static str>>,
    pub(crate) indexed: Option<Ident>,
    pub(crate) key: Option<Ident>,
    pub(crate) edges: Option<Ident>,
    pub(crate) transient: Option<Ident>,
    pub(crate) extension: Option<Ident>,
    pub(crate) extra: Option<Ident>,
    pub(crate) flatten: Option<Ident>,
    pub(crate) skip: Option<Ident>,
}

impl Options {
    /// Returns the mark that makes the field something other than an attribute with characteristics.
    pub(crate) fn special(&self) -> Option<&Ident> {
        let marks = [&self.extension, &self.extra, &self.flatten, &self.skip];
        marks.into_iter().find_map(Option::as_ref)
    }

    pub(crate) fn is_read_only(&self) -> bool {
        matches!(
            &self.mutability,
            Some(Given {
                value: "ReadOnly",
                ..
            })
        )
    }
}

/// The content of `#[scim(…)]` on a struct or an enum.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) schema: Option<LitStr>,
    pub(crate) name: Option<LitStr>,
    pub(crate) endpoint: Option<LitStr>,
    pub(crate) description: Option<LitStr>,
    pub(crate) root: Option<syn::Path>,
}

impl Struct {
    /// Returns the names of the type parameters.
    pub(crate) fn type_params(&self) -> Vec<&Ident> {
        self.generics.type_params().map(|param| &param.ident).collect()
    }

    /// Returns whether a type depends on a type parameter or a constant parameter.
    pub(crate) fn is_generic(&self, ty: &impl ToTokens) -> bool {
        let params: Vec<&Ident> = self
            .generics
            .params
            .iter()
            .filter_map(|param| match param {
                GenericParam::Type(param) => Some(&param.ident),
                GenericParam::Const(param) => Some(&param.ident),
                GenericParam::Lifetime(_) => None,
            })
            .collect();
        !params.is_empty() && mentions(ty.to_token_stream(), &params)
    }
}

fn mentions(tokens: TokenStream, names: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => names.contains(&&ident) || ident == "Self",
        TokenTree::Group(group) => mentions(group.stream(), names),
        _ => false,
    })
}

/// A field as it is written.
pub(crate) struct RawField {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) docs: String,
    pub(crate) options: Options,
}

/// Returns whether a field of a resource is one of the attributes that every resource has (RFC 7643 section 3.1).
pub(crate) fn is_common(ident: &Ident) -> bool {
    ["id", "external_id", "meta"].iter().any(|name| ident == name)
}

/// Returns `T` of `Option<T>`, if the type is written so.
pub(crate) fn inside<'t>(ty: &'t Type, wrapper: &str) -> Option<&'t Type> {
    let segment = last_segment(ty)?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    let mut arguments = arguments.args.iter();
    match (arguments.next(), arguments.next()) {
        (Some(GenericArgument::Type(inner)), None) if segment.ident == wrapper => Some(inner),
        _ => None,
    }
}

pub(crate) fn last_segment(ty: &Type) -> Option<&syn::PathSegment> {
    match ty {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        Type::Group(group) => last_segment(&group.elem),
        Type::Paren(paren) => last_segment(&paren.elem),
        _ => None,
    }
}

/// An enum of canonical values.
pub(crate) struct Enumeration {
    pub(crate) ident: Ident,
    pub(crate) root: TokenStream,
    /// Variant and keyword.
    pub(crate) variants: Vec<(Ident, LitStr)>,
    /// The variant for every other text.
    pub(crate) other: Option<Ident>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_are_seen_by_their_last_segment() {
        let ty: Type = syn::parse_quote!(std::option::Option<Vec<String>>);
        let inner = inside(&ty, "Option").unwrap();
        assert!(inside(inner, "Vec").is_some());
        assert!(inside(&ty, "Vec").is_none());
    }
}
