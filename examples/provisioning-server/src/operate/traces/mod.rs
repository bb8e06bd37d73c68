//! Traces: how long a request took, and where. A span names the route, never the path, the query, the body, the caller
//! or a token.
//!
//! The rest of the program makes plain `tracing` spans. The code here takes them to an OpenTelemetry collector, if the
//! program was built with the feature `otel` and a collector is named; else no span is made at all.

#[cfg(feature = "otel")]
mod collector;
#[cfg(not(feature = "otel"))]
#[path = "absent.rs"]
mod export;
#[cfg(feature = "otel")]
mod export;
mod request;
mod route;

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::registry::LookupSpan;

use self::export::Export;
use crate::domain::fault::Result;

pub(super) use self::request::{Answered, of_request};

/// The way of spans to a collector, if one is named.
#[derive(Debug)]
pub(crate) struct Traces(Option<Export>);

impl Traces {
    /// Prepares the way to the collector that the flag names, or the standard variables of the environment, or the
    /// configuration file.
    ///
    /// # Errors
    /// The endpoint is no URL that traces can be sent to, or the program was built without traces.
    pub(crate) fn begin(flag: Option<&str>, file: Option<&str>) -> Result<Self> {
        Export::begin(flag, file).map(Self)
    }

    /// Makes no traces, whatever the environment says.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// Returns the tracer that makes OpenTelemetry's spans of this program's.
    pub(super) fn layer<S>(&self) -> Option<Box<dyn Layer<S> + Send + Sync>>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        self.0.as_ref().map(Export::layer)
    }

    /// Says where traces go, once there is a log.
    pub(super) fn announce(&self) {
        Export::announce(self.0.as_ref());
    }

    /// Returns the counts of what became of the spans, if there are any.
    pub(crate) fn counts(&self) -> Option<Arc<Counts>> {
        self.0.as_ref().map(Export::counts)
    }

    /// Delivers the last spans, within a bounded time.
    pub(crate) async fn end(self) {
        if let Some(export) = self.0 {
            export.end().await;
        }
    }
}

/// The counts of what became of spans.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Spans that the collector has taken.
    pub(in crate::operate) delivered: AtomicU64,
    /// Spans that the collector has not taken, in time or at all.
    pub(in crate::operate) undelivered: AtomicU64,
    /// Spans that found no room to wait for the collector.
    pub(in crate::operate) overflow: AtomicU64,
    /// Spans that wait for the collector, or are under way to it.
    pub(in crate::operate) waiting: AtomicUsize,
}

/// The ids by which a line of the log is found beside a trace.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ids {
    trace: u128,
    span: u64,
}

impl Ids {
    /// Returns the ids of the span that the thread is in.
    pub(super) fn current() -> Option<Self> {
        export::current()
    }
}

impl Display for Ids {
    /// Writes the ids as members of a JSON object.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\"trace_id\":\"{:032x}\",\"span_id\":\"{:016x}\"",
            self.trace, self.span
        )
    }
}
