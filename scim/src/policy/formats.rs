//! Formats that the RFC prescribes and providers break.

use crate::error::{Error, Result};
use crate::fold::{Fold, check_user_name};
use crate::record::Record;
use crate::schema::{Attribute, Mutability, Type};
use crate::value::View;
use crate::value::view::break_if;

/// Checks a record: required text is never blank, and where `all` is set, every format (RFC 7643 section 4.1).
pub(super) fn check(record: &dyn Record, all: bool) -> Result<()> {
    for (index, attribute) in record.attributes().iter().enumerate() {
        if !is_checked(attribute, all) {
            continue;
        }
        check_view(&record.view(index), attribute, all).map_err(|error| error.at(attribute.name))?;
    }
    Ok(())
}

/// Whether there can be anything to check of an attribute: the values of most need not be looked at. What the service
/// sets itself is its own affair.
fn is_checked(attribute: &Attribute, all: bool) -> bool {
    let checked = match attribute.shape.kind {
        Type::String => attribute.shape.required || (all && has_format(attribute)),
        kind => kind == Type::Complex,
    };
    checked && !attribute.edges && attribute.shape.mutability != Mutability::ReadOnly
}

fn has_format(attribute: &Attribute) -> bool {
    attribute.fold() == Fold::UserName || matches!(attribute.name, "country" | "locale" | "timezone")
}

fn check_view(view: &View<'_>, attribute: &Attribute, all: bool) -> Result<()> {
    if let Some(record) = view.record() {
        return check(record, all);
    }
    if let Some(values) = view.values() {
        let mut result = Ok(());
        let mut index = 0;
        _ = values.try_for_each(&mut |value| {
            result = check_view(&value, attribute, all).map_err(|error| error.at_index(index));
            index += 1;
            break_if(result.is_err())
        });
        return result;
    }
    match view {
        View::Str(text) if attribute.shape.kind == Type::String => check_text(text, attribute, all),
        _ => Ok(()),
    }
}

fn check_text(text: &str, attribute: &Attribute, all: bool) -> Result<()> {
    if attribute.shape.required && text.trim().is_empty() {
        return Err(Error::invalid_value("is required, but blank"));
    }
    if !all {
        return Ok(());
    }
    if attribute.fold() == Fold::UserName {
        return check_user_name(text);
    }
    match attribute.name {
        "country" if text.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_uppercase()) => Err(
            Error::invalid_value("must be a country code of two capital letters (ISO 3166-1), such as DE"),
        ),
        "locale" if !is_language_tag(text) => {
            Err(Error::invalid_value("must be a language tag, such as en-US"))
        }
        "timezone" if !is_time_zone(text) => Err(Error::invalid_value(
            "must be a name of the IANA time zone database, such as Europe/Berlin",
        )),
        _ => Ok(()),
    }
}

/// RFC 5646 in its outline, with the underscore that RFC 7643 section 4.1.1 admits.
fn is_language_tag(text: &str) -> bool {
    let mut subtags = text.split(['-', '_']);
    let language = subtags.next().unwrap_or_default();
    (1..=8).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && subtags.all(|subtag| {
            (1..=8).contains(&subtag.len()) && subtag.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

fn is_time_zone(text: &str) -> bool {
    !text.is_empty()
        && text.split('/').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-_".contains(&byte))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tags_of_rfc_7643_section_4_1_1() {
        for tag in ["en", "en-US", "en_US", "zh-Hant-TW"] {
            assert!(is_language_tag(tag), "{tag}");
        }
        for tag in ["", "en US", "english-", "_US"] {
            assert!(!is_language_tag(tag), "{tag}");
        }
    }

    #[test]
    fn time_zones_are_names() {
        assert!(
            is_time_zone("America/Argentina/Buenos_Aires")
                && is_time_zone("Etc/GMT+3")
                && is_time_zone("UTC")
        );
        assert!(!is_time_zone("") && !is_time_zone("Europe/") && !is_time_zone("(GMT+1) Berlin"));
    }
}
