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
    /// What a value must be: said where a wrong value itself cannot be repeated.
    pub(super) rule: &'static str,
}

/// What a value is.
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

/// Where traces go. The variables for it are those of OpenTelemetry's specification, which it reads itself.
pub(super) static OTLP_ENDPOINT: Setting = Setting {
    name: "otlp-endpoint",
    variable: None,
    holds: Holds::Url,
    rule: "an http or https URL",
};

/// The token of a simulated provider. It stands in no configuration file: it is not the server's.
pub(super) static TOKEN: Setting = Setting {
    name: "token",
    variable: Some("SCIM_TOKEN"),
    holds: Holds::Secret,
    rule: "a token",
};

/// The settings of a configuration file beside the limits.
static PLAIN: [&Setting; 12] = [
    &DATABASE,
    &KEY_FILE,
    &PUBLIC_URL,
    &FETCH_FROM,
    &LISTEN,
    &TLS_CERT,
    &TLS_KEY,
    &DEMO,
    &LOG_FORMAT,
    &LOG_FILTER,
    &DRAIN_DELAY,
    &OTLP_ENDPOINT,
];

/// Lists the settings of a configuration file.
pub(super) fn all() -> impl Iterator<Item = &'static Setting> {
    PLAIN.into_iter().chain(limits::settings())
}

impl Setting {
    /// A value without what is secret in it.
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
