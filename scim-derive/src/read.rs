//! From the syntax of an input to what it means: every mistake is noted, and as much is read as can be.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Ident, LitStr};

use crate::attr::{self, Errors, Item};
use crate::check;
use crate::ir::{
    Container, Derive, Enumeration, Field, Given, Kind, Name, Options, RawField, SchemaInfo, Struct, inside,
    is_common,
};

const MUTABILITY: &[(&str, &str)] = &[
    ("readWrite", "ReadWrite"),
    ("readOnly", "ReadOnly"),
    ("immutable", "Immutable"),
    ("writeOnly", "WriteOnly"),
];
const RETURNED: &[(&str, &str)] = &[
    ("default", "Default"),
    ("always", "Always"),
    ("never", "Never"),
    ("request", "Request"),
];
const UNIQUE: &[(&str, &str)] = &[("none", "None"), ("server", "Server"), ("global", "Global")];
const FOLD: &[(&str, &str)] = &[
    ("exact", "Exact"),
    ("case_insensitive", "CaseInsensitive"),
    ("user_name", "UserName"),
];
const FORMAT: &[(&str, &str)] = &[
    ("country", "Country"),
    ("language_tag", "LanguageTag"),
    ("time_zone", "TimeZone"),
    ("certificate", "Certificate"),
];
const FIELD_KEYS: &str = "rename, description, required, case_exact, mutability, returned, unique, canonical, \
    reference_types, with, fold, format, indexed, key, edges, transient, extension, extra, flatten, skip";

impl Options {
    fn new(items: Vec<Item>, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for item in items {
            options.keys.push(item.key.clone());
            options.read(item, errors);
        }
        options
    }

    fn read(&mut self, item: Item, errors: &mut Errors) {
        let key = item.key.clone();
        match attr::canonical(&key).as_str() {
            "rename" => self.rename = item.text(errors),
            "description" => self.description = item.text(errors),
            "case_exact" => self.case_exact = given(key, item.switch(errors)),
            "mutability" => self.mutability = given(key, item.one_of(MUTABILITY, errors)),
            "returned" => self.returned = given(key, item.one_of(RETURNED, errors)),
            "unique" => self.unique = given(key, item.one_of(UNIQUE, errors)),
            "required" => self.required = item.switch(errors),
            "canonical" => self.canonical = given(key, item.texts(errors)),
            "reference_types" => self.reference_types = given(key, item.texts(errors)),
            "with" => self.with = item.code("the path of a handler", errors),
            "fold" => self.fold = given(key, item.one_of(FOLD, errors)),
            "format" => self.format = given(key, item.one_of(FORMAT, errors)),
            _ => self.read_mark(item, errors),
        }
    }

    fn read_mark(&mut self, item: Item, errors: &mut Errors) {
        let key = item.key.clone();
        let place = match key.to_string().as_str() {
            "indexed" => &mut self.indexed,
            "key" => &mut self.key,
            "edges" => &mut self.edges,
            "transient" => &mut self.transient,
            "extension" => &mut self.extension,
            "extra" => &mut self.extra,
            "flatten" => &mut self.flatten,
            "skip" => &mut self.skip,
            _ => {
                errors.push(
                    &key,
                    format!("`{key}` says nothing about a field: use {FIELD_KEYS}"),
                );
                return;
            }
        };
        *place = Some(key);
        item.flag(errors);
    }
}

fn given<T>(key: Ident, value: Option<T>) -> Option<Given<T>> {
    value.map(|value| Given { key, value })
}

impl Container {
    fn new(items: Vec<Item>, allowed: &[&str], what: &str, errors: &mut Errors) -> Self {
        let mut container = Self::default();
        for item in items {
            let key = attr::canonical(&item.key);
            match key.as_str() {
                key if !allowed.contains(&key) => errors.push(
                    &item.key,
                    format!("`{key}` says nothing about {what}: use {}", allowed.join(", ")),
                ),
                "schema" => container.schema = item.text(errors),
                "name" => container.name = item.text(errors),
                "endpoint" => container.endpoint = item.text(errors),
                "description" => container.description = item.text(errors),
                _ => container.root = item.code("the path of a crate", errors),
            }
        }
        container
    }

    fn root(&self) -> TokenStream {
        self.root
            .as_ref()
            .map_or_else(|| quote!(::scim), ToTokens::to_token_stream)
    }
}

impl Struct {
    /// Reads a struct. `None` or noted errors: nothing can be made of it.
    pub(crate) fn new(input: DeriveInput, derive: Derive, errors: &mut Errors) -> Option<Self> {
        let (allowed, what): (&[&str], _) = match derive {
            Derive::Resource => (
                &["schema", "endpoint", "name", "description", "crate"],
                "a resource",
            ),
            Derive::Extension => (&["schema", "name", "description", "crate"], "an extension"),
            Derive::Complex => (&["crate"], "a complex attribute"),
        };
        let container = Container::new(attr::items(&input.attrs, errors), allowed, what, errors);
        let Data::Struct(data) = &input.data else {
            errors.push(
                &input.ident,
                "expected a struct: for an enum of canonical values, derive `ScimEnum`",
            );
            return None;
        };
        let Fields::Named(fields) = &data.fields else {
            errors.push(
                &input.ident,
                "expected a struct with named fields: for a newtype, implement `scim::Scalar`",
            );
            return None;
        };
        check::generics(&input.generics, errors);
        let raw: Vec<RawField> = fields
            .named
            .iter()
            .filter_map(|field| RawField::new(field, errors))
            .collect();
        let is_set = derive == Derive::Complex && raw.iter().all(|field| field.options.extension.is_some());
        check::fields(&input.ident, &raw, derive, is_set, errors);
        let kind = Kind::new(derive, is_set, &input, &container, errors);
        let mut out = Self {
            root: container.root(),
            ident: input.ident,
            vis: input.vis,
            generics: input.generics,
            kind,
            fields: Vec::new(),
            flatten: None,
            extra: None,
            skipped: Vec::new(),
        };
        for field in raw {
            out.place(field, derive);
        }
        check::names(&out, derive, errors);
        Some(out)
    }

    fn place(&mut self, field: RawField, derive: Derive) {
        let RawField {
            ident,
            ty,
            docs,
            options,
        } = field;
        if options.flatten.is_some() {
            self.flatten = Some((ident, ty));
        } else if options.extra.is_some() {
            self.extra = Some(ident);
        } else if options.skip.is_some() {
            self.skipped.push(ident);
        } else {
            let name = if options.extension.is_some() {
                Name::Extension(Box::new(inside(&ty, "Option").unwrap_or(&ty).clone()))
            } else if let Some(text) = &options.rename {
                Name::Text(text.value(), text.span())
            } else {
                Name::Text(camel_case(&ident.unraw().to_string()), ident.span())
            };
            self.fields.push(Field {
                common: derive == Derive::Resource && is_common(&ident),
                description: options.description.as_ref().map_or(docs, LitStr::value),
                ident,
                ty,
                name,
                options,
            });
        }
    }
}

impl Kind {
    fn new(
        derive: Derive,
        is_set: bool,
        input: &DeriveInput,
        container: &Container,
        errors: &mut Errors,
    ) -> Self {
        if derive == Derive::Complex {
            return if is_set { Self::ExtensionSet } else { Self::Complex };
        }
        let name = container
            .name
            .as_ref()
            .map_or_else(|| input.ident.unraw().to_string(), LitStr::value);
        let schema = SchemaInfo {
            id: check::schema(container, &input.ident, errors),
            description: container
                .description
                .as_ref()
                .map_or_else(|| attr::docs(&input.attrs), LitStr::value),
            name,
        };
        if derive == Derive::Extension {
            return Self::Extension { schema };
        }
        let endpoint = check::endpoint(container, &schema.name, &input.ident, errors);
        Self::Resource { schema, endpoint }
    }
}

impl RawField {
    fn new(field: &syn::Field, errors: &mut Errors) -> Option<Self> {
        Some(Self {
            ident: field.ident.clone()?,
            ty: field.ty.clone(),
            docs: attr::docs(&field.attrs),
            options: Options::new(attr::items(&field.attrs, errors), errors),
        })
    }
}

/// Spells a name as SCIM does: `family_name` becomes `familyName`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut characters = word.chars();
        out.extend(characters.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(characters.as_str());
    }
    out
}

impl Enumeration {
    /// Reads an enum. `None` or noted errors: nothing can be made of it.
    pub(crate) fn new(input: &DeriveInput, errors: &mut Errors) -> Option<Self> {
        let items = attr::items(&input.attrs, errors);
        let container = Container::new(items, &["crate"], "an enum of canonical values", errors);
        let Data::Enum(data) = &input.data else {
            errors.push(
                &input.ident,
                "expected an enum: for a struct, derive `ScimComplex`",
            );
            return None;
        };
        if !input.generics.params.is_empty() {
            errors.push(&input.generics, "an enum of canonical values has no parameters");
        }
        let mut out = Self {
            root: container.root(),
            ident: input.ident.clone(),
            variants: Vec::new(),
            other: None,
        };
        for variant in &data.variants {
            out.read(variant, errors);
        }
        if out.variants.is_empty() {
            errors.push(
                &input.ident,
                "an enum of canonical values needs a variant without fields",
            );
        }
        let names: Vec<_> = out
            .variants
            .iter()
            .map(|(_, text)| (text.value(), text.span()))
            .collect();
        check::clashes(&names, "canonical value", errors);
        Some(out)
    }

    fn read(&mut self, variant: &syn::Variant, errors: &mut Errors) {
        let ident = &variant.ident;
        let (mut other, mut rename) = (false, None);
        for item in attr::items(&variant.attrs, errors) {
            match item.key.to_string().as_str() {
                "rename" => rename = item.text(errors),
                "other" => {
                    other = true;
                    item.flag(errors);
                }
                key => errors.push(
                    &item.key,
                    format!("`{key}` says nothing about a variant: use rename, other"),
                ),
            }
        }
        if other {
            if !check::holds_one_value(variant) {
                errors.push(
                    ident,
                    format!("a variant for other values holds the text: `{ident}(String)`"),
                );
            }
            if self.other.replace(ident.clone()).is_some() {
                errors.push(ident, "there is a variant for other values already");
            }
            return;
        }
        if !matches!(variant.fields, Fields::Unit) {
            errors.push(
                &variant.fields,
                format!("a canonical value holds no data; mark `{ident}` with `#[scim(other)]` to keep unknown text in it"),
            );
        }
        let text =
            rename.unwrap_or_else(|| LitStr::new(&lower_first(&ident.unraw().to_string()), ident.span()));
        if text.value().is_empty() {
            errors.push_at(text.span(), "a canonical value is not empty");
        }
        self.variants.push((ident.clone(), text));
    }
}

fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_spelled_in_camel_case() {
        for (field, name) in [
            ("user_name", "userName"),
            ("x509_certificates", "x509Certificates"),
            ("active", "active"),
            ("type_", "type"),
            ("phone__numbers", "phoneNumbers"),
        ] {
            assert_eq!(camel_case(field), name);
        }
    }
}
