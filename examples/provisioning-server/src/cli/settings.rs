//! Settings: where a value is looked for, and where it was found.
//!
//! Each is looked for in the flag, in the variable of the environment, in the file that the variable with `_FILE`
//! after its name names, and in the configuration file, in this order. An empty variable says nothing.

use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::{Serialize, Serializer};

use super::config::Config;
use super::setting::{Holds, Setting};
use crate::domain::fault::{Fault, Kind, Result};

/// The place where a value was found.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Flag(&'static str),
    Variable(&'static str),
    /// The file, and the variable that names it.
    File(PathBuf, String),
    Configuration(PathBuf),
    Default,
}

impl Source {
    /// Returns the word for it in JSON.
    fn word(&self) -> &'static str {
        match self {
            Self::Flag(_) => "flag",
            Self::Variable(_) => "environment",
            Self::File(..) => "file",
            Self::Configuration(_) => "configuration",
            Self::Default => "default",
        }
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path, variable) => write!(f, "{} ({variable})", path.display()),
            Self::Configuration(path) => write!(f, "{}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// A value and where it was found.
#[derive(Debug)]
struct Found {
    value: String,
    source: Source,
}

/// A setting in force, as people and scripts see it.
#[derive(Debug, Serialize)]
pub(super) struct InForce {
    name: &'static str,
    /// `None` if nothing is set and there is no default.
    value: Option<String>,
    source: Source,
    /// The flag, variable or file.
    from: String,
}

type Environment = Box<dyn Fn(&str) -> Option<OsString>>;

/// Looks settings up, and notes what it has found.
pub(super) struct Settings {
    file: Config,
    environment: Environment,
    found: Vec<InForce>,
}

impl Settings {
    /// Opens the settings, with a configuration file, if one is named.
    pub(super) fn open(file: Option<&Path>) -> Result<Self> {
        let file = file.map_or_else(|| Ok(Config::default()), Config::read)?;
        Ok(Self::new(file, Box::new(|name| env::var_os(name))))
    }

    fn new(file: Config, environment: Environment) -> Self {
        Self {
            file,
            environment,
            found: Vec::new(),
        }
    }

    /// Reads a setting that need not be set.
    pub(super) fn optional<T>(
        &mut self,
        setting: &Setting,
        flag: Option<&str>,
        parse: impl FnOnce(&str) -> Result<T>,
    ) -> Result<Option<T>> {
        let found = self.find(setting, flag)?;
        self.note(setting, found.as_ref());
        found.map(|found| read(setting, &found, parse)).transpose()
    }

    /// Reads a setting that has a value of its own if nobody sets it.
    pub(super) fn or_default<T>(
        &mut self,
        setting: &Setting,
        flag: Option<&str>,
        default: &str,
        parse: impl FnOnce(&str) -> Result<T>,
    ) -> Result<T> {
        let found = self.find(setting, flag)?.unwrap_or_else(|| Found {
            value: default.to_owned(),
            source: Source::Default,
        });
        self.note(setting, Some(&found));
        read(setting, &found, parse)
    }

    /// Returns everything that was looked up, in this order.
    pub(super) fn in_force(self) -> Vec<InForce> {
        self.found
    }

    fn find(&self, setting: &Setting, flag: Option<&str>) -> Result<Option<Found>> {
        let environment = self.environment(setting)?;
        if let Some(value) = flag {
            return Ok(Some(Found {
                value: value.to_owned(),
                source: Source::Flag(setting.name),
            }));
        }
        if environment.is_some() {
            return Ok(environment);
        }
        Ok(self.file.get(setting.name).map(|value| Found {
            value,
            source: Source::Configuration(self.file.path.clone()),
        }))
    }

    /// Returns what the variable of a setting says, or the file that the variable with `_FILE` names.
    fn environment(&self, setting: &Setting) -> Result<Option<Found>> {
        let Some(variable) = setting.variable else {
            return Ok(None);
        };
        let naming = format!("{variable}_FILE");
        let named = self.variable(&naming);
        let value = self.variable(variable);
        match (value, named) {
            (Some(_), Some(_)) => Err(Fault::invalid(format!(
                "Both {variable} and {naming} are set: only one of them can count."
            ))),
            (None, Some(_)) if setting.holds == Holds::File => Err(Fault::invalid(format!(
                "{naming} is set, but {variable} names a file already: set {variable} to its name."
            ))),
            (None, Some(path)) => Ok(Some(Found {
                value: file_value(Path::new(&path), &naming)?,
                source: Source::File(path.into(), naming),
            })),
            (Some(value), None) => Ok(Some(Found {
                value: value.into_string().map_err(|_| {
                    Fault::invalid(format!(
                        "The variable {variable} of the environment is not UTF-8."
                    ))
                })?,
                source: Source::Variable(variable),
            })),
            (None, None) => Ok(None),
        }
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        (self.environment)(name).filter(|value| !value.is_empty())
    }

    fn note(&mut self, setting: &Setting, found: Option<&Found>) {
        let source = found.map_or(Source::Default, |found| found.source.clone());
        self.found.push(InForce {
            name: setting.name,
            value: found.map(|found| setting.shown(&found.value)),
            from: source.to_string(),
            source,
        });
    }
}

fn read<T>(setting: &Setting, found: &Found, parse: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    parse(&found.value).map_err(|fault| match &found.source {
        // The contents of a file are never repeated: it may be the wrong file.
        Source::File(path, variable) => Fault::invalid(format!(
            "What the file {} holds, which {variable} names, is not {}.",
            path.display(),
            setting.rule
        )),
        Source::Default => fault,
        source if fault.kind() == Kind::Invalid => {
            Fault::invalid(format!("{fault} (It was read from {source}.)"))
        }
        _ => fault,
    })
}

/// The longest value that is read from a file.
const LONGEST: u64 = 64 << 10;

/// Reads a value from a file that `naming`, a variable or a flag, names, without the end of its last line.
pub(super) fn file_value(path: &Path, naming: &str) -> Result<String> {
    let name = path.display();
    let unreadable = |cause| {
        Fault::internal(
            format!("The file {name}, which {naming} names, cannot be read."),
            cause,
        )
    };
    let wrong = |why: &str| {
        Err(Fault::invalid(format!(
            "The file {name}, which {naming} names, {why}."
        )))
    };
    if fs::metadata(path).map_err(unreadable)?.len() > LONGEST {
        return wrong("is too large to hold a setting");
    }
    let Ok(text) = String::from_utf8(fs::read(path).map_err(unreadable)?) else {
        return wrong("is not UTF-8");
    };
    let line = text.strip_suffix('\n').unwrap_or(&text);
    let value = line.strip_suffix('\r').unwrap_or(line);
    if value.is_empty() {
        return wrong("is empty");
    }
    Ok(value.to_owned())
}

/// Returns the settings in force as a table for people.
pub(super) fn describe(settings: &[InForce]) -> String {
    let value = |setting: &InForce| setting.value.clone().unwrap_or_else(|| "-".to_owned());
    let widest = settings
        .iter()
        .map(|setting| value(setting).chars().count())
        .max()
        .unwrap_or(0);
    let longest = settings
        .iter()
        .map(|setting| setting.name.len())
        .max()
        .unwrap_or(0);
    let line = |setting: &InForce| {
        format!(
            "{:<longest$} {:<widest$}  {}\n",
            setting.name,
            value(setting),
            setting.from
        )
    };
    settings.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::super::setting::*;
    use super::*;

    fn settings(environment: &[(&'static str, &str)]) -> Settings {
        let environment: Vec<(&str, OsString)> = environment
            .iter()
            .map(|(name, value)| (*name, OsString::from(value)))
            .collect();
        let look = move |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        Settings::new(Config::default(), Box::new(look))
    }

    fn text(value: &str) -> Result<String> {
        Ok(value.to_owned())
    }

    #[test]
    fn a_flag_comes_before_the_environment_and_that_before_the_default() {
        let mut both = settings(&[("LISTEN", "e")]);
        assert_eq!(both.or_default(&LISTEN, Some("f"), "d", text).unwrap(), "f");
        assert_eq!(both.or_default(&LISTEN, None, "d", text).unwrap(), "e");
        let mut none = settings(&[("LISTEN", "")]);
        assert_eq!(none.or_default(&LISTEN, None, "d", text).unwrap(), "d");
        assert_eq!(none.optional(&PUBLIC_URL, None, text).unwrap(), None);
        let words: Vec<&str> = [both.in_force(), none.in_force()]
            .iter()
            .flatten()
            .map(|found| found.source.word())
            .collect();
        assert_eq!(words, ["flag", "environment", "default", "default"]);
    }

    #[test]
    fn a_variable_may_name_a_file_that_holds_the_value() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_str().unwrap();
        let read = |content: &str| {
            fs::write(path, content).unwrap();
            settings(&[("DATABASE_URL_FILE", path)]).optional(&DATABASE, None, text)
        };
        for content in ["sqlite://a", "sqlite://a\n", "sqlite://a\r\n"] {
            assert_eq!(read(content).unwrap().as_deref(), Some("sqlite://a"));
        }
        for content in ["", "\n", "\r\n"] {
            let fault = read(content).unwrap_err().to_string();
            assert!(
                fault.contains("is empty") && fault.contains("DATABASE_URL_FILE") && fault.contains(path),
                "{fault}"
            );
        }
        let missing = settings(&[("DATABASE_URL_FILE", "/nowhere/at/all")]);
        let fault = missing.find(&DATABASE, None).unwrap_err().with_causes();
        assert!(
            fault.contains("DATABASE_URL_FILE") && fault.contains("/nowhere/at/all"),
            "{fault}"
        );
    }

    #[test]
    fn a_variable_and_its_file_exclude_each_other() {
        let both = settings(&[("SCIM_TOKEN", "hush"), ("SCIM_TOKEN_FILE", "/f")]);
        for flag in [None, Some("flag")] {
            let fault = both.find(&TOKEN, flag).unwrap_err().to_string();
            assert!(
                fault.contains("SCIM_TOKEN_FILE") && !fault.contains("hush"),
                "{fault}"
            );
        }
    }

    #[test]
    fn what_is_in_a_file_is_never_repeated() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "hush\nroot").unwrap();
        let path = file.path().to_str().unwrap();
        let refuse = |value: &str| -> Result<()> { Err(Fault::invalid(format!("{value:?} is wrong."))) };
        let fault = settings(&[("LISTEN_FILE", path)])
            .optional(&LISTEN, None, refuse)
            .unwrap_err();
        let fault = fault.with_causes();
        assert!(
            !fault.contains("hush") && fault.contains("LISTEN_FILE") && fault.contains("IP:PORT"),
            "{fault}"
        );
        let fault = settings(&[("LISTEN", "here")]).optional(&LISTEN, None, refuse);
        let fault = fault.unwrap_err().to_string();
        assert!(fault.contains("here") && fault.contains("LISTEN"), "{fault}");
    }

    #[test]
    fn the_name_of_a_file_is_in_no_file() {
        let fault = settings(&[("TLS_KEY_FILE", "/etc/key.pem")])
            .find(&TLS_KEY, None)
            .unwrap_err();
        assert!(
            fault.to_string().contains("set TLS_KEY to its name"),
            "silently ignored, the server would speak without TLS"
        );
    }

    #[test]
    fn secrets_are_masked() {
        for (setting, value, shown) in [
            (&TOKEN, "hush", "***"),
            (&DATABASE, "postgres://u:h@sh@db/x", "postgres://u:***@db/x"),
            (
                &DATABASE,
                "sqlite://data/provisioning.db",
                "sqlite://data/provisioning.db",
            ),
            (&LISTEN, "[::1]:80", "[::1]:80"),
        ] {
            assert_eq!(setting.shown(value), shown);
        }
    }
}
