//! Formats that the RFC prescribes and providers break.

use crate::error::{Error, Result};
use crate::fold::{Fold, check_user_name};
#[cfg(feature = "x509")]
use crate::policy::certificate;
use crate::record::Record;
use crate::schema::{Attribute, Format, Mutability, Type};
use crate::value::View;
use crate::value::view::break_if;

/// The formats that a policy asks for. Required text is never blank, whatever the policy says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Formats {
    /// Countries, languages, time zones and user names.
    pub(super) texts: bool,
    /// Certificates.
    pub(super) certificates: bool,
}

impl Formats {
    /// Checks a record (RFC 7643 section 4.1).
    pub(super) fn check(self, record: &dyn Record) -> Result<()> {
        for (index, attribute) in record.attributes().iter().enumerate() {
            if !self.is_checked(attribute) {
                continue;
            }
            self.check_view(&record.view(index), attribute)
                .map_err(|error| error.at(attribute.name))?;
        }
        Ok(())
    }

    /// Returns whether there can be anything to check of an attribute: the values of most need not be looked at.
    /// Whatever the service sets itself is its own affair.
    fn is_checked(self, attribute: &Attribute) -> bool {
        let checked = match attribute.shape.kind {
            Type::String => attribute.shape.required || self.has_format(attribute),
            Type::Binary => self.has_format(attribute),
            kind => kind == Type::Complex,
        };
        checked && !attribute.edges && attribute.shape.mutability != Mutability::ReadOnly
    }

    fn has_format(self, attribute: &Attribute) -> bool {
        match attribute.format {
            Some(Format::Certificate) => self.certificates,
            Some(_) => self.texts,
            None => self.texts && attribute.fold() == Fold::UserName,
        }
    }

    fn check_view(self, view: &View<'_>, attribute: &Attribute) -> Result<()> {
        if let Some(record) = view.record() {
            return self.check(record);
        }
        if let Some(values) = view.values() {
            let mut result = Ok(());
            let mut index = 0;
            _ = values.try_for_each(&mut |value| {
                result = self
                    .check_view(&value, attribute)
                    .map_err(|error| error.at_index(index));
                index += 1;
                break_if(result.is_err())
            });
            return result;
        }
        match view {
            View::Str(text) if attribute.shape.kind == Type::String => self.check_text(text, attribute),
            #[cfg(feature = "x509")]
            View::Binary(bytes) if self.has_format(attribute) => certificate::check(bytes),
            _ => Ok(()),
        }
    }

    fn check_text(self, text: &str, attribute: &Attribute) -> Result<()> {
        if attribute.shape.required && text.trim().is_empty() {
            return Err(Error::invalid_value("is required, but blank"));
        }
        if !self.has_format(attribute) {
            return Ok(());
        }
        match attribute.format {
            Some(Format::Country) if !is_country(text) => Err(Error::invalid_value(
                "must be a country code of two capital letters (ISO 3166-1), such as DE",
            )),
            Some(Format::LanguageTag) if !is_language_tag(text) => {
                Err(Error::invalid_value("must be a language tag, such as en-US"))
            }
            Some(Format::TimeZone) if !is_time_zone(text) => Err(Error::invalid_value(
                "must be a name of the IANA time zone database, such as Europe/Berlin",
            )),
            Some(_) => Ok(()),
            None => check_user_name(text),
        }
    }
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Returns whether a text is a language tag: RFC 5646 in its outline, with the underscore that RFC 7643 section 4.1.1
/// admits.
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
