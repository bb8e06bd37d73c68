//! An organization: one tenant with its own URL, tokens, people, groups and history.

use jiff::Timestamp;
use uuid::Uuid;

use super::fault::{Fault, Result};
use super::naming;
use super::settings::Settings;

/// The longest name: it is also usable as one label of a host name.
const NAME_MAX: usize = 63;

/// The name of an organization as it stands in its URL: `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Name(String);

impl Name {
    /// Checks a name.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if is_name(text) {
            return Ok(Self(text.to_owned()));
        }
        let advice = match suggestion(text) {
            Some(name) => format!(", such as {name:?}"),
            None => String::new(),
        };
        Err(Fault::invalid(format!(
            "The name of an organization is part of its URL: use 1 to {NAME_MAX} of the characters a-z, 0-9 and \"-\", \
             beginning and ending with a letter or digit{advice}."
        )))
    }

    /// Returns the nearest name to what people call an organization, if there is one.
    pub(crate) fn suggested(display: &str) -> Option<Self> {
        suggestion(display).map(Self)
    }

    /// Returns the name as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=NAME_MAX).contains(&text.len())
        && text.bytes().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// Returns the nearest name to what somebody typed.
fn suggestion(text: &str) -> Option<String> {
    let mut name = String::new();
    for character in text.chars().take(NAME_MAX) {
        match character.to_ascii_lowercase() {
            kept @ ('a'..='z' | '0'..='9') => name.push(kept),
            _ if name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    let name = name.trim_matches('-').to_owned();
    is_name(&name).then_some(name)
}

/// The connection of an organization with its identity provider. Its URL and tokens are of use as long as there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) id: Uuid,
    /// Off: the tokens stay valid, but every request is answered 403, and nothing is lost.
    pub(crate) enabled: bool,
    pub(crate) created: Timestamp,
}

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Organization {
    /// Never used again, also when the name is.
    pub(crate) id: Uuid,
    pub(crate) name: Name,
    /// The name that people use for it.
    pub(crate) display: String,
    /// `None` where no identity provider is connected.
    pub(crate) source: Option<Source>,
    pub(crate) settings: Settings,
    pub(crate) created: Timestamp,
}

impl Organization {
    /// Makes a new organization whose endpoint is enabled at once. Without a display name it is called by its name.
    pub(crate) fn new(
        id: Uuid,
        name: Name,
        display: Option<String>,
        settings: Settings,
        created: Timestamp,
    ) -> Result<Self> {
        let display = match display {
            Some(text) => display_name(&text)?,
            None => name.as_str().to_owned(),
        };
        Ok(Self {
            id,
            name,
            display,
            source: Some(Source {
                id,
                enabled: true,
                created,
            }),
            settings,
            created,
        })
    }

    /// Returns whether its name, or what people call it, has a text in it, which is a key of names.
    pub(crate) fn is_called(&self, key: &str) -> bool {
        self.name.as_str().contains(key) || naming::key(&self.display).contains(key)
    }

    /// Returns whether an identity provider is let in.
    pub(crate) fn is_enabled(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.enabled)
    }

    /// Turns the switch of its source, if it has one.
    pub(crate) fn switch(&mut self, enabled: bool) {
        if let Some(source) = &mut self.source {
            source.enabled = enabled;
        }
    }
}

/// Checks what people call an organization.
pub(crate) fn display_name(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 200 || text.chars().any(char::is_control) {
        return Err(Fault::invalid(
            "The display name of an organization must have 1 to 200 printable characters.",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_would_not_stand_in_a_url_are_refused_with_advice() {
        let long = "a".repeat(64);
        for bad in ["", "-", "a-", "-a", "A", "a b", "a/b", "a_b", "ä", "..", &long] {
            assert!(Name::parse(bad).is_err(), "{bad:?}");
        }
        let advice = Name::parse("Acme & Söhne GmbH").unwrap_err().to_string();
        assert!(advice.contains("such as \"acme-s-hne-gmbh\""), "{advice}");
    }

    #[test]
    fn an_organization_is_enabled_at_once_and_called_by_its_name() {
        let name = Name::parse("acme-2").unwrap();
        let organization = Organization::new(
            Uuid::nil(),
            name,
            None,
            Settings::default(),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        assert!(organization.is_enabled());
        assert_eq!(organization.display, "acme-2");
    }

    /// Feature row 15: an organization is found by what people call it, whatever its name in URLs is.
    #[test]
    fn an_organization_is_found_by_both_its_names() {
        let name = Name::parse("o-77").unwrap();
        let display = Some("Räksmörgås AB".to_owned());
        let organization = Organization::new(
            Uuid::nil(),
            name,
            display,
            Settings::default(),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        for asked in ["", "o-7", "RÄKS", " ab "] {
            assert!(organization.is_called(&naming::key(asked)), "{asked}");
        }
        assert!(!organization.is_called(&naming::key("acme")));
    }

    #[test]
    fn a_display_name_is_trimmed_and_printable() {
        assert_eq!(display_name("  Acme & Söhne ").unwrap(), "Acme & Söhne");
        for bad in ["", "  ", "a\u{7}b", &"x".repeat(201)] {
            assert!(display_name(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_suggested_is_a_name(text in "\\PC{0,80}") {
            if let Some(name) = suggestion(&text) {
                prop_assert!(Name::parse(&name).is_ok());
            }
        }

        #[test]
        fn a_name_needs_no_escaping_in_a_url(text in "\\PC{0,70}") {
            if let Ok(name) = Name::parse(&text) {
                let url = url::Url::parse(&format!("http://h/scim/{name}/v2")).unwrap();
                prop_assert_eq!(url.path(), format!("/scim/{name}/v2"));
            }
        }
    }
}
