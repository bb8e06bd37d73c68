//! The words of the three products: what each calls the same things.

use super::settings::Preset;

/// The words of a product.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// The place of the list of integrations: headings above it, the outermost first.
    pub(crate) above: &'static [&'static str],
    /// The list of integrations.
    pub(crate) place: &'static str,
    /// The card that opens the panel.
    pub(crate) card: &'static str,
    pub(crate) url: &'static str,
    pub(crate) token: &'static str,
    /// The button that makes the first token.
    pub(crate) generate: &'static str,
    /// The button that makes another in its place.
    pub(crate) again: &'static str,
    /// The switch that lets the provider in.
    pub(crate) switch: &'static str,
}

const THREATLOCKER: Words = Words {
    above: &[],
    place: "Integrations",
    card: "SCIM",
    url: "API Url",
    token: "API Token",
    generate: "Generate API Token",
    again: "Generate API Token",
    switch: "Enabled",
};

const LEVEL_ACCESS: Words = Words {
    above: &["Manage"],
    place: "Tools & Integrations",
    card: "SCIM",
    url: "SCIM URL",
    token: "SCIM API key",
    generate: "Generate SCIM URL and API",
    again: "Generate SCIM URL and API",
    switch: "Activate SCIM in our platform",
};

const THIRD_PLATFORM: Words = Words {
    above: &[],
    place: "Client Settings",
    card: "SCIM Settings",
    url: "SCIM URI",
    token: "API Key",
    generate: "Generate API Key",
    again: "Rotate API Key",
    switch: "Enabled",
};

impl Words {
    /// Returns the words of a product.
    pub(crate) const fn of(product: Preset) -> &'static Self {
        match product {
            Preset::ThreatLocker => &THREATLOCKER,
            Preset::LevelAccess => &LEVEL_ACCESS,
            Preset::ThirdPlatform => &THIRD_PLATFORM,
        }
    }
}
