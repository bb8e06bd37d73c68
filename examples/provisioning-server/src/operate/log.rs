//! The log on standard error.

use std::str::FromStr;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A line for people.
    Text,
    /// One JSON object in a line.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!(
                "{text:?} is no format of the log: there are text and json."
            )),
        }
    }
}

/// What is logged: a list such as `info,provisioning_server=debug`.
#[derive(Debug, Clone)]
pub(crate) struct Filter(Targets);

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse()
            .map(Self)
            .map_err(|error| format!("{text:?} is not a list of levels such as \"info\": {error}."))
    }
}

/// Begins to log.
pub(crate) fn begin(filter: Filter, format: Format) -> Result<(), String> {
    let Filter(targets) = filter;
    // What it says of a request that it cannot read has the path in it, which names people.
    let targets = targets.with_target("h2", LevelFilter::WARN);
    let quiet = targets.default_level() == Some(LevelFilter::OFF);
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_target(false)
        .with_writer(std::io::stderr);
    let layer = match format {
        Format::Text => layer.boxed(),
        Format::Json => layer
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .boxed(),
    };
    if quiet {
        return Ok(());
    }
    tracing_subscriber::registry()
        .with(layer)
        .with(targets)
        .try_init()
        .map_err(|error| format!("The log cannot be set up: {error}."))
}
