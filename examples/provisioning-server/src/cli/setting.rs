//! The settings that there are.

use super::limits;

/// A setting of the program.
#[derive(Debug)]
pub(super) struct Setting {
    /// The flag without its dashes, and the key in the configuration file.
    pub(super) name: &'static str,
    /// The variable of the environment, if there is one.
    pub(super) variable: Option<&'static str>,
    pub(super) holds: Holds,
    /// The rule that a value must keep: said where a wrong value itself cannot be repeated.
    pub(super) rule: &'static str,
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    /// Something that is never shown.
    Secret,
    /// A URL that may have a password in it.
    Url,
    /// The name of a file. A file that holds the name of a file would only be mistaken for that file.
    File,
}

pub(super) static DATABASE: Setting = Setting {
    name: "database",
    variable: Some("DATABASE_URL"),
    holds: Holds::Url,
    rule: "a database URL: sqlite://PATH",
};

/// The file with the keys by which secrets in the database are sealed.
pub(super) static KEY_FILE: Setting = Setting {
    name: "key-file",
    variable: Some("KEY_FILE"),
    holds: Holds::File,
    rule: "the name of a file",
};

pub(super) static PUBLIC_URL: Setting = Setting {
    name: "public-url",
    variable: Some("PUBLIC_URL"),
    holds: Holds::Text,
    rule: "an http or https URL without query, fragment and user",
};

/// Networks of their own from which something may be fetched.
pub(super) static FETCH_FROM: Setting = Setting {
    name: "fetch-from",
    variable: Some("FETCH_FROM"),
    holds: Holds::Text,
    rule: "a list of networks",
};

pub(super) static LISTEN: Setting = Setting {
    name: "listen",
    variable: Some("LISTEN"),
    holds: Holds::Text,
    rule: "an address to listen on: IP:PORT",
};

/// Reverse proxies before the server.
pub(super) static TRUSTED_PROXIES: Setting = Setting {
    name: "trusted-proxies",
    variable: Some("TRUSTED_PROXIES"),
    holds: Holds::Text,
    rule: "a list of networks",
};

pub(super) static TLS_CERT: Setting = Setting {
    name: "tls-cert",
    variable: Some("TLS_CERT"),
    holds: Holds::File,
    rule: "the name of a file",
};

pub(super) static TLS_KEY: Setting = Setting {
    name: "tls-key",
    variable: Some("TLS_KEY"),
    holds: Holds::File,
    rule: "the name of a file",
};

pub(super) static DEMO: Setting = Setting {
    name: "demo",
    variable: None,
    holds: Holds::Text,
    rule: "true or false",
};

pub(super) static LOG_FORMAT: Setting = Setting {
    name: "log-format",
    variable: Some("LOG_FORMAT"),
    holds: Holds::Text,
    rule: "text or json",
};

pub(super) static LOG_FILTER: Setting = Setting {
    name: "log-filter",
    variable: Some("RUST_LOG"),
    holds: Holds::Text,
    rule: "a list of levels such as \"info\"",
};

pub(super) static DRAIN_DELAY: Setting = Setting {
    name: "drain-delay",
    variable: Some("DRAIN_DELAY"),
    holds: Holds::Text,
    rule: "a whole number of seconds",
};

/// The place where traces go. The variables for it are those of OpenTelemetry's specification, which it reads itself.
pub(super) static OTLP_ENDPOINT: Setting = Setting {
    name: "otlp-endpoint",
    variable: None,
    holds: Holds::Url,
    rule: "an http or https URL",
};

pub(super) static SMTP_HOST: Setting = Setting {
    name: "smtp-host",
    variable: Some("SMTP_HOST"),
    holds: Holds::Text,
    rule: "the name or address of a mail server",
};

pub(super) static SMTP_PORT: Setting = Setting {
    name: "smtp-port",
    variable: Some("SMTP_PORT"),
    holds: Holds::Text,
    rule: "a port from 1 to 65535",
};

pub(super) static SMTP_TLS: Setting = Setting {
    name: "smtp-tls",
    variable: Some("SMTP_TLS"),
    holds: Holds::Text,
    rule: "tls, starttls or none",
};

pub(super) static SMTP_CA: Setting = Setting {
    name: "smtp-ca",
    variable: Some("SMTP_CA"),
    holds: Holds::File,
    rule: "the name of a file",
};

pub(super) static SMTP_USER: Setting = Setting {
    name: "smtp-user",
    variable: Some("SMTP_USER"),
    holds: Holds::Text,
    rule: "the name of a user",
};

/// It has no flag: flags stand in lists of processes.
pub(super) static SMTP_PASSWORD: Setting = Setting {
    name: "smtp-password",
    variable: Some("SMTP_PASSWORD"),
    holds: Holds::Secret,
    rule: "a password",
};

pub(super) static MAIL_FROM: Setting = Setting {
    name: "mail-from",
    variable: Some("MAIL_FROM"),
    holds: Holds::Text,
    rule: "an address, with a name or without",
};

pub(super) static MAILS_PER_MINUTE: Setting = Setting {
    name: "mails-per-minute",
    variable: Some("MAILS_PER_MINUTE"),
    holds: Holds::Text,
    rule: "a whole number from 1 to 6000",
};

pub(super) static PRODUCT_NAME: Setting = Setting {
    name: "product-name",
    variable: Some("PRODUCT_NAME"),
    holds: Holds::Text,
    rule: "a name of 1 to 60 characters",
};

/// The token of a simulated provider. It stands in no configuration file: it is not the server's.
pub(super) static TOKEN: Setting = Setting {
    name: "token",
    variable: Some("SCIM_TOKEN"),
    holds: Holds::Secret,
    rule: "a token",
};

/// The settings of a configuration file beside the limits.
static PLAIN: [&Setting; 22] = [
    &DATABASE,
    &KEY_FILE,
    &PUBLIC_URL,
    &FETCH_FROM,
    &LISTEN,
    &TRUSTED_PROXIES,
    &TLS_CERT,
    &TLS_KEY,
    &DEMO,
    &LOG_FORMAT,
    &LOG_FILTER,
    &DRAIN_DELAY,
    &OTLP_ENDPOINT,
    &PRODUCT_NAME,
    &SMTP_HOST,
    &SMTP_PORT,
    &SMTP_TLS,
    &SMTP_CA,
    &SMTP_USER,
    &SMTP_PASSWORD,
    &MAIL_FROM,
    &MAILS_PER_MINUTE,
];

/// Lists the settings of a configuration file.
pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    PLAIN.into_iter().chain(limits::settings())
}

impl Setting {
    /// Returns a value without what is secret in it.
    pub(super) fn shown(&self, value: &str) -> String {
        match self.holds {
            Holds::Secret => MASK.to_owned(),
            Holds::Url => without_password(value),
            Holds::Text | Holds::File => value.to_owned(),
        }
    }
}

const MASK: &str = "***";

fn without_password(url: &str) -> String {
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let (user, host) = rest.rsplit_once('@')?;
        let (name, _) = user.split_once(':')?;
        Some(format!("{scheme}://{name}:{MASK}@{host}"))
    };
    parts().unwrap_or_else(|| url.to_owned())
}
