//! The log on standard error.

use std::fmt;
use std::panic::{Location, PanicHookInfo};
use std::str::FromStr;

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterExt, LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;

use super::traces::{Ids, Traces};

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

/// The filter for what is logged: a list such as `info,provisioning_server=debug`.
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

/// Begins to log, and to trace; the filter is for the log alone.
pub(crate) fn begin(filter: Filter, format: Format, traces: &Traces) -> Result<(), String> {
    let Filter(targets) = filter;
    // Its line about a request that it cannot read has the path in it, which names people.
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
            .map_event_format(WithIds)
            .boxed(),
    };
    let layer = layer.with_filter(targets.and(filter_fn(|found| found.is_event())));
    // One list: beside a layer that is not there, the registry would make every span for nobody.
    let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> =
        [(!quiet).then(|| layer.boxed()), traces.layer()]
            .into_iter()
            .flatten()
            .collect();
    tracing_subscriber::registry()
        .with(layers)
        .try_init()
        .map_err(|error| format!("The log cannot be set up: {error}."))?;
    std::panic::set_hook(Box::new(tell_of_panic));
    traces.announce();
    Ok(())
}

/// Says where the program has a mistake. The words of a panic are not said: where a text was cut in the wrong place they
/// hold the text.
fn tell_of_panic(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map_or_else(|| "an unknown place".to_owned(), Location::to_string);
    tracing::error!(
        "The program panicked at {place}: please report this. What it was working on has failed."
    );
}

/// Adds the ids of the trace to a JSON object.
struct WithIds<F>(F);

impl<S, N, F> FormatEvent<S, N> for WithIds<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let Some(ids) = Ids::current() else {
            return self.0.format_event(context, writer, event);
        };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        match line.trim_end().strip_suffix('}') {
            Some(object) => writeln!(writer, "{object},{ids}}}"),
            None => writer.write_str(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_logged_without_its_words() {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = tracing_subscriber::fmt()
            .json()
            .with_writer(move || writer.clone())
            .finish();
        let text = String::from("zoé@example.com");
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(tell_of_panic));
        let outcome = tracing::subscriber::with_default(log, || std::panic::catch_unwind(|| text[3..].len()));
        std::panic::set_hook(before);
        assert!(outcome.is_err());
        let kept = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert!(
            kept.contains("panicked at ") && kept.contains("log.rs:"),
            "{kept}"
        );
        assert!(!kept.contains("zo"), "{kept}");
    }
}
