//! The flags of the limits: one for each row of the library's table, and for those of the server's own.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use scim::Limits;
use scim::limits::{Limit, Unit};
use scim::store::database::Options;

use super::setting::{Holds, Setting};
use super::settings::Settings;
use crate::domain::fault::{Fault, Result};
use crate::domain::rate::Rate;

/// The limits that are in force.
#[derive(Debug, Clone)]
pub(super) struct InForce {
    /// Those of the service.
    pub(super) service: Limits,
    /// Those of the database.
    pub(super) database: Options,
    /// The connections that may be open.
    pub(super) connections: usize,
    /// The requests of one organization.
    pub(super) rate: Rate,
}

/// A limit and the setting that it is set by.
#[derive(Debug)]
struct Row {
    setting: Setting,
    unit: Unit,
    bounds: &'static str,
    default: u64,
    set: Set,
}

/// The unit in which a value is set.
#[derive(Debug)]
enum Set {
    Service(&'static Limit),
    Database(OfOptions),
    Connections,
    Rate,
}

/// Finds a field in the options of the database.
type OfOptions = fn(&mut Options) -> Field<'_>;

/// A field of the options of the database.
enum Field<'a> {
    Number(&'a mut usize),
    Time(&'a mut Duration),
}

impl Field<'_> {
    fn get(&self) -> u64 {
        match self {
            Self::Number(number) => u64::try_from(**number).unwrap_or(u64::MAX),
            Self::Time(time) => u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn set(self, value: u64) {
        match self {
            Self::Number(number) => *number = usize::try_from(value).unwrap_or(usize::MAX),
            Self::Time(time) => *time = Duration::from_millis(value),
        }
    }
}

/// Every limit: those of connections and of the rate of requests, those of the database, those of the service.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let connections = Row {
        setting: setting("connections", Unit::Count),
        unit: Unit::Count,
        bounds: "Connections that may be open; beyond, the one ends that has had no request for longest",
        default: 4_096,
        set: Set::Connections,
    };
    let rate = Row {
        setting: setting("rate", Unit::Count),
        unit: Unit::Count,
        bounds: "Requests a second of one organization, at least 25; beyond, it is told when to come again",
        default: 10_000,
        set: Set::Rate,
    };
    let of_service = |limit: &'static Limit| Row {
        setting: setting(limit.name(), limit.unit()),
        unit: limit.unit(),
        bounds: limit.bounds().trim_end_matches('.'),
        default: limit.default(),
        set: Set::Service(limit),
    };
    let service = Limits::table().iter().map(of_service);
    [connections, rate]
        .into_iter()
        .chain(of_database())
        .chain(service)
        .collect()
});

fn of_database() -> impl Iterator<Item = Row> {
    use Field::{Number, Time};
    use Unit::{Bytes, Count, Milliseconds};
    let rows: [(&str, Unit, &str, OfOptions); 9] = [
        ("searches", Count, "Searches that are at work at once", |of| {
            Number(&mut of.searches)
        }),
        ("tenant_searches", Count, "The same for one organization", |of| {
            Number(&mut of.tenant_searches)
        }),
        ("streams", Count, "Long answers that are sent at once", |of| {
            Number(&mut of.streams)
        }),
        ("tenant_streams", Count, "The same for one organization", |of| {
            Number(&mut of.tenant_streams)
        }),
        (
            "stream_time",
            Milliseconds,
            "Time that a long answer may take",
            |of| Time(&mut of.stream_limit),
        ),
        (
            "stream_patience",
            Milliseconds,
            "Time that whoever reads a long answer may keep it waiting in total",
            |of| Time(&mut of.stream_patience),
        ),
        (
            "stream_rate",
            Bytes,
            "Bytes a second that whoever reads a long answer must take while it waits",
            |of| Number(&mut of.stream_rate),
        ),
        (
            "queue",
            Count,
            "Jobs that wait for the database: for each of reading, searching, streaming and writing",
            |of| Number(&mut of.queue),
        ),
        ("tenant_queue", Count, "The same for one organization", |of| {
            Number(&mut of.tenant_queue)
        }),
    ];
    rows.into_iter().map(|(name, unit, bounds, field)| Row {
        setting: setting(name, unit),
        unit,
        bounds,
        default: field(&mut Options::default()).get(),
        set: Set::Database(field),
    })
}

/// Makes a setting, whose names live as long as the process, as those of the other settings do.
fn setting(name: &str, unit: Unit) -> Setting {
    Setting {
        name: format!("limit-{}", name.replace('_', "-")).leak(),
        variable: Some(format!("LIMIT_{}", name.to_ascii_uppercase()).leak()),
        holds: Holds::Text,
        rule: rule(unit),
    }
}

/// Returns the settings of all limits.
pub(super) fn settings() -> impl Iterator<Item = &'static Setting> {
    ROWS.iter().map(|row| &row.setting)
}

/// The values that the flags of the limits give.
#[derive(Debug, Default)]
pub(super) struct Flags(HashMap<&'static str, String>);

impl Flags {
    /// Looks up every limit.
    pub(super) fn in_force(&self, settings: &mut Settings) -> Result<InForce> {
        let mut limits = InForce {
            service: Limits::default(),
            database: Options::default(),
            connections: 0,
            rate: Rate::new(0),
        };
        for row in ROWS.iter() {
            let flag = self.0.get(row.setting.name).map(String::as_str);
            let default = shown(row.default, row.unit);
            let value = settings.or_default(&row.setting, flag, &default, |text| read(text, row))?;
            match row.set {
                Set::Service(limit) => limit.set(&mut limits.service, value),
                Set::Database(field) => field(&mut limits.database).set(value),
                Set::Rate => limits.rate = Rate::new(u32::try_from(value).unwrap_or(u32::MAX)),
                Set::Connections => limits.connections = usize::try_from(value).unwrap_or(usize::MAX),
            }
        }
        Ok(limits)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in settings() {
            if let Some(value) = matches.get_one::<String>(setting.name) {
                self.0.insert(setting.name, value.clone());
            }
        }
        Ok(())
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        let argument = |row: &'static Row| {
            let help = format!(
                "{} [env: {}] [default: {}]",
                row.bounds,
                row.setting.variable.unwrap_or_default(),
                shown(row.default, row.unit)
            );
            Arg::new(row.setting.name)
                .long(row.setting.name)
                .value_name(word(row.unit))
                .help(help)
                .help_heading("Limits")
                .hide_short_help(true)
        };
        ROWS.iter().map(argument).fold(command, Command::arg)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn word(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "BYTES",
        Unit::Milliseconds => "TIME",
        _ => "NUMBER",
    }
}

fn rule(unit: Unit) -> &'static str {
    match unit {
        Unit::Bytes => "a whole number of bytes, such as 1048576, 512KiB or 2MiB",
        Unit::Milliseconds => "a time, such as 500ms, 30s or 5min",
        _ => "a whole number",
    }
}

const BYTES: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
const TIMES: [(&str, u64); 3] = [("min", 60_000), ("ms", 1), ("s", 1_000)];

fn read(text: &str, row: &Row) -> Result<u64> {
    let (scales, needs_scale): (&[_], _) = match row.unit {
        Unit::Bytes => (&BYTES, false),
        Unit::Milliseconds => (&TIMES, true),
        _ => (&[], false),
    };
    let scaled = scales
        .iter()
        .find_map(|(word, scale)| Some((text.strip_suffix(word)?, *scale)));
    let (digits, scale) = match scaled {
        Some(scaled) => scaled,
        None if needs_scale => ("", 1),
        None => (text, 1),
    };
    let number = digits.trim_end().parse::<u64>().ok();
    let value = number.and_then(|number| number.checked_mul(scale));
    value.filter(|value| *value > 0).ok_or_else(|| {
        Fault::invalid(format!(
            "{text:?} is not a value of {}; expected {} above 0.",
            row.setting.name, row.setting.rule
        ))
    })
}

/// Writes a value in a form that can be read again.
fn shown(value: u64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => {
            let scale = BYTES.iter().find(|(_, scale)| value.is_multiple_of(*scale));
            scale.map_or_else(
                || value.to_string(),
                |(word, scale)| format!("{}{word}", value / scale),
            )
        }
        Unit::Milliseconds => match Duration::from_millis(value) {
            time if time.subsec_millis() == 0 => format!("{}s", time.as_secs()),
            time => format!("{}ms", time.as_millis()),
        },
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(unit: Unit) -> &'static Row {
        ROWS.iter().find(|row| row.unit == unit).unwrap()
    }

    #[test]
    fn values_have_the_unit_of_their_limit() {
        for (unit, text, value) in [
            (Unit::Bytes, "1048576", 1 << 20),
            (Unit::Bytes, "2MiB", 2 << 20),
            (Unit::Bytes, "3 KiB", 3 << 10),
            (Unit::Milliseconds, "500ms", 500),
            (Unit::Milliseconds, "30s", 30_000),
            (Unit::Milliseconds, "5min", 300_000),
            (Unit::Count, "64", 64),
        ] {
            assert_eq!(read(text, row(unit)).unwrap(), value, "{text}");
        }
        for (unit, text) in [
            (Unit::Bytes, "2MB"),
            (Unit::Bytes, "-1"),
            (Unit::Bytes, "99999999999GiB"),
            (Unit::Milliseconds, "30"),
            (Unit::Count, "0"),
            (Unit::Count, "1KiB"),
            (Unit::Count, ""),
        ] {
            let fault = read(text, row(unit)).unwrap_err().to_string();
            assert!(fault.contains("expected"), "{text}: {fault}");
        }
    }

    /// A value as --check-config shows it can be written into a configuration file.
    #[test]
    fn a_default_is_shown_as_it_is_read() {
        for row in ROWS.iter() {
            let text = shown(row.default, row.unit);
            assert_eq!(read(&text, row).unwrap(), row.default, "{}", row.setting.name);
        }
    }
}
