//! What all pages have around their content.

use super::assets::{ICON, SCRIPT, STYLE};
use crate::domain::organization::Name;
use crate::operate::health::VERSION;

/// The name of the product on its pages.
const PRODUCT: &str = "Provisioning Server";

/// The frame of a page.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// The organization as people call it; none for what concerns the instance.
    organization: Option<String>,
    /// Where the pages of the realm begin, with a slash at its end.
    root: String,
}

impl Frame {
    /// Creates the frame of pages for people of whom nothing is known.
    pub(crate) fn of_server() -> Self {
        Self {
            organization: None,
            root: "/".to_owned(),
        }
    }

    /// Creates the frame of the pages of the instance's owners.
    pub(crate) fn of_instance() -> Self {
        Self {
            organization: None,
            root: "/instance/".to_owned(),
        }
    }

    /// Creates the frame of an organization's pages.
    #[cfg(test)]
    pub(crate) fn sample(display: &str, name: &str) -> Self {
        Self {
            organization: Some(display.to_owned()),
            root: format!("/o/{name}/"),
        }
    }

    /// Returns whether the pages are those of an organization.
    pub(super) fn is_of_organization(&self) -> bool {
        self.organization.is_some()
    }

    /// Returns whose pages these are, as people call it.
    pub(super) fn place(&self) -> &str {
        self.organization.as_deref().unwrap_or(PRODUCT)
    }

    /// Returns the path of a page of the realm.
    pub(crate) fn path(&self, page: &str) -> String {
        format!("{}{page}", self.root)
    }

    /// Returns the path of the style sheet.
    pub(super) fn style(&self) -> String {
        STYLE.path()
    }

    /// Returns the path of the icon.
    pub(super) fn icon(&self) -> String {
        ICON.path()
    }

    /// Returns the path of the script.
    pub(super) fn script(&self) -> String {
        SCRIPT.path()
    }

    /// Returns the name of the product.
    pub(super) fn product(&self) -> &'static str {
        PRODUCT
    }

    /// Returns what follows the title of a page.
    pub(super) fn title_end(&self) -> String {
        match &self.organization {
            Some(organization) => format!(" · {organization} · {PRODUCT}"),
            None => format!(" · {PRODUCT}"),
        }
    }

    /// Returns the line at the foot of a page.
    pub(super) fn foot(&self) -> String {
        match &self.organization {
            Some(organization) => format!("{organization} · {PRODUCT} {VERSION}"),
            None => format!("{PRODUCT} {VERSION}"),
        }
    }
}

/// Returns where the pages of an organization begin.
pub(crate) fn root(organization: &Name) -> String {
    format!("/o/{organization}/")
}
