//! `#[scim(…)]` as it is written: keys with their values, and the faults found on the way.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitBool, LitStr, Meta, Token};

/// The faults of one input. All are reported at once, each where it is.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    pub(crate) fn push(&mut self, at: impl ToTokens, message: impl Display) {
        self.0.push(syn::Error::new_spanned(at, message));
    }

    pub(crate) fn push_at(&mut self, span: Span, message: impl Display) {
        self.0.push(syn::Error::new(span, message));
    }

    pub(crate) fn into_compile_errors(self) -> Option<TokenStream> {
        if self.0.is_empty() {
            return None;
        }
        Some(self.0.iter().map(syn::Error::to_compile_error).collect())
    }
}

/// One `key`, `key = value` or `key(…)`.
pub(crate) struct Item {
    pub(crate) key: Ident,
    value: Value,
}

enum Value {
    Flag,
    Text(LitStr),
    Bool(LitBool),
    Texts(Vec<LitStr>),
    Other(Span),
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let value = if input.peek(syn::token::Paren) {
            let list;
            syn::parenthesized!(list in input);
            let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&list)?;
            Value::Texts(texts.into_iter().collect())
        } else if input.parse::<Option<Token![=]>>()?.is_some() {
            Value::from(input.parse::<Expr>()?)
        } else {
            Value::Flag
        };
        Ok(Self { key, value })
    }
}

impl From<Expr> for Value {
    fn from(expr: Expr) -> Self {
        let span = expr.span();
        match expr {
            // A value that a `macro_rules!` hands on, such as a `$urn:literal`.
            Expr::Group(group) => Self::from(*group.expr),
            Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) => Self::Text(text),
            Expr::Lit(ExprLit {
                lit: Lit::Bool(value),
                ..
            }) => Self::Bool(value),
            Expr::Array(array) => {
                let texts = array.elems.iter().map(|element| match element {
                    Expr::Lit(ExprLit {
                        lit: Lit::Str(text), ..
                    }) => Some(text.clone()),
                    _ => None,
                });
                texts
                    .collect::<Option<Vec<_>>>()
                    .map_or(Self::Other(span), Self::Texts)
            }
            _ => Self::Other(span),
        }
    }
}

impl Item {
    fn value_span(&self) -> Span {
        match &self.value {
            Value::Flag => self.key.span(),
            Value::Text(text) => text.span(),
            Value::Bool(value) => value.span(),
            Value::Texts(texts) => texts.first().map_or(self.key.span(), LitStr::span),
            Value::Other(span) => *span,
        }
    }

    /// Returns the value of `key = "text"`.
    pub(crate) fn text(self, errors: &mut Errors) -> Option<LitStr> {
        if let Value::Text(text) = self.value {
            return Some(text);
        }
        let key = &self.key;
        errors.push_at(self.value_span(), format!("expected text: `{key} = \"…\"`"));
        None
    }

    /// Returns whether the flag is set: `key`, `key = true` or `key = false`.
    pub(crate) fn switch(self, errors: &mut Errors) -> Option<bool> {
        match &self.value {
            Value::Flag => Some(true),
            Value::Bool(value) => Some(value.value),
            _ => {
                let key = &self.key;
                errors.push_at(
                    self.value_span(),
                    format!("expected `{key}`, or `{key} = true` or `false`"),
                );
                None
            }
        }
    }

    /// Notes a fault if the item has a value.
    pub(crate) fn flag(self, errors: &mut Errors) {
        if !matches!(self.value, Value::Flag) {
            let key = &self.key;
            errors.push_at(self.value_span(), format!("`{key}` takes no value"));
        }
    }

    /// Returns the values of `key = ["a", "b"]` or `key("a", "b")`.
    pub(crate) fn texts(self, errors: &mut Errors) -> Option<Vec<LitStr>> {
        let span = self.value_span();
        match self.value {
            Value::Texts(texts) if !texts.is_empty() => Some(texts),
            _ => {
                let key = &self.key;
                errors.push_at(span, format!("expected a list of texts: `{key}(\"a\", \"b\")`"));
                None
            }
        }
    }

    /// Reads one of the given words; the result is the name of the variant that stands for it.
    pub(crate) fn one_of(self, words: &[(&str, &'static str)], errors: &mut Errors) -> Option<&'static str> {
        let key = self.key.clone();
        let known: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let known = known.join(", ");
        let span = self.value_span();
        let Value::Text(text) = self.value else {
            errors.push_at(span, format!("expected `{key} = \"…\"` with one of {known}"));
            return None;
        };
        let value = text.value();
        let found = words.iter().find(|(word, _)| *word == value);
        if found.is_none() {
            errors.push(&text, format!("`{value}` is not a value of `{key}`: use {known}"));
        }
        found.map(|(_, variant)| *variant)
    }

    /// Parses code in text: `with = "path::Handler"`.
    pub(crate) fn code<T: Parse>(self, what: &str, errors: &mut Errors) -> Option<T> {
        let text = self.text(errors)?;
        match text.parse() {
            Ok(code) => Some(code),
            Err(_) => {
                errors.push(&text, format!("`{}` is not {what}", text.value()));
                None
            }
        }
    }
}

/// Returns every `#[scim(…)]` of an input, without the items that are given twice.
pub(crate) fn items(attributes: &[Attribute], errors: &mut Errors) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for attribute in attributes.iter().filter(|a| a.path().is_ident("scim")) {
        let Meta::List(list) = &attribute.meta else {
            errors.push(attribute, "expected `#[scim(…)]`");
            continue;
        };
        let parsed = list.parse_args_with(|input: ParseStream<'_>| Ok(parse_items(input, errors)));
        for item in parsed.unwrap_or_default() {
            if items
                .iter()
                .any(|known| canonical(&known.key) == canonical(&item.key))
            {
                errors.push(&item.key, format!("`{}` is given twice", item.key));
            } else {
                items.push(item);
            }
        }
    }
    items
}

/// Reads on behind a fault, so that the ones after it are found too.
fn parse_items(input: ParseStream<'_>, errors: &mut Errors) -> Vec<Item> {
    let mut items = Vec::new();
    while !input.is_empty() {
        match input.parse() {
            Ok(item) => items.push(item),
            Err(error) => errors.0.push(error),
        }
        if !input.is_empty() && !input.peek(Token![,]) {
            errors.0.push(input.error("expected `,`"));
            while !input.is_empty() && !input.peek(Token![,]) {
                _ = input.parse::<TokenTree>();
            }
        }
        _ = input.parse::<Option<Token![,]>>();
    }
    items
}

/// Returns the key by the name this crate knows it under.
pub(crate) fn canonical(key: &Ident) -> String {
    match key.unraw().to_string().as_str() {
        "uniqueness" => "unique".to_owned(),
        "canonical_values" => "canonical".to_owned(),
        key => key.to_owned(),
    }
}

/// Returns the first paragraph of the documentation, on one line: what a schema gives as `description`.
pub(crate) fn docs(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let Meta::NameValue(meta) = &attribute.meta
            && meta.path.is_ident("doc")
            && let Expr::Lit(ExprLit {
                lit: Lit::Str(text), ..
            }) = &meta.value
        {
            lines.extend(text.value().lines().map(|line| line.trim().to_owned()));
            if text.value().is_empty() {
                lines.push(String::new());
            }
        }
    }
    let paragraph = lines
        .into_iter()
        .skip_while(String::is_empty)
        .take_while(|line| !line.is_empty());
    paragraph.collect::<Vec<_>>().join(" ")
}
