//! The frame of all pages, around their content.

use std::sync::Arc;

use http::HeaderMap;

use super::assets::{HTMX, ICON, SCRIPT, STYLE};
use super::cookies::Cookies;
use super::theme::Theme;
use crate::domain::realm::Realm;
use crate::domain::settings::Preset;
use crate::domain::words::Words;
use crate::operate::health::VERSION;

/// The frames of all pages of a server.
#[derive(Debug, Clone)]
pub(crate) struct Frames {
    /// The name of the product.
    product: Arc<str>,
    cookies: Cookies,
}

impl Frames {
    /// Creates the frames of a product of this name.
    pub(super) fn new(product: &str, cookies: Cookies) -> Self {
        Self {
            product: product.into(),
            cookies,
        }
    }

    /// Creates the frame of pages for people of whom nothing is known, in the appearance that their browser asks for.
    pub(super) fn of_server(&self, asked: &HeaderMap) -> Frame {
        Frame {
            product: Arc::clone(&self.product),
            organization: None,
            support: String::new(),
            root: "/".to_owned(),
            words: Words::of(Preset::ThreatLocker),
            theme: Theme::read(self.cookies, asked),
        }
    }

    /// Creates the frame of the pages of an organization, or of the instance.
    pub(super) fn of(&self, realm: &Realm, asked: &HeaderMap) -> Frame {
        let root = format!("{}/", realm.path());
        match realm {
            Realm::Organization(organization) => Frame {
                organization: Some(organization.display.clone()),
                support: organization.settings.support_contact.as_str().to_owned(),
                words: Words::of(organization.settings.words),
                root,
                ..self.of_server(asked)
            },
            Realm::Instance => Frame {
                root,
                ..self.of_server(asked)
            },
        }
    }
}

/// The frame of a page.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    product: Arc<str>,
    /// The organization as people call it; none for what concerns the instance.
    organization: Option<String>,
    /// The place where people find help; empty if there is none.
    support: String,
    /// The path at which the pages of the realm begin, with a slash at its end.
    root: String,
    words: &'static Words,
    theme: Option<Theme>,
}

impl Frame {
    /// Returns whether the pages are those of an organization.
    pub(super) fn is_of_organization(&self) -> bool {
        self.organization.is_some()
    }

    /// Returns whose pages these are, as people call it.
    pub(super) fn place(&self) -> &str {
        self.organization.as_deref().unwrap_or(&self.product)
    }

    /// Returns the path of a page of the realm.
    pub(crate) fn path(&self, page: &str) -> String {
        format!("{}{page}", self.root)
    }

    /// Returns the words of the product whose words the pages use.
    pub(super) fn words(&self) -> &'static Words {
        self.words
    }

    /// Returns the path of the style sheet.
    pub(super) fn style(&self) -> String {
        STYLE.path()
    }

    /// Returns the path of the icon.
    pub(super) fn icon(&self) -> String {
        ICON.path()
    }

    /// Returns the path of the script that swaps parts of pages.
    pub(super) fn htmx(&self) -> String {
        HTMX.path()
    }

    /// Returns the appearance that somebody has chosen.
    pub(super) fn theme(&self) -> Option<Theme> {
        self.theme
    }

    /// Returns the version of the server.
    pub(super) fn version(&self) -> &'static str {
        VERSION
    }

    /// Returns the path of the script.
    pub(super) fn script(&self) -> String {
        SCRIPT.path()
    }

    /// Returns the name of the product.
    pub(super) fn product(&self) -> &str {
        &self.product
    }

    /// Returns what follows the title of a page.
    pub(super) fn title_end(&self) -> String {
        match &self.organization {
            Some(organization) => format!(" · {organization} · {}", self.product),
            None => format!(" · {}", self.product),
        }
    }

    /// Returns the line at the foot of a page.
    pub(super) fn foot(&self) -> String {
        match &self.organization {
            Some(organization) => format!("{organization} · {} {VERSION}", self.product),
            None => format!("{} {VERSION}", self.product),
        }
    }

    /// Returns where people find help; the empty text if nowhere.
    pub(super) fn support(&self) -> &str {
        &self.support
    }
}
