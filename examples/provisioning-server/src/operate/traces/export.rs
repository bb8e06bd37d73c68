//! Spans go to an OpenTelemetry collector, in batches, behind the requests.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, Span, SpanData, SpanProcessor,
};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use super::collector::Collector;
use super::{Counts, Ids};
use crate::domain::fault::{Fault, Result};
use crate::operate::health::VERSION;

/// How long the last spans may take when the server ends.
const LAST_CALL: Duration = Duration::from_secs(5);

/// How long the collector may take to answer, unless the environment says something else.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many spans wait for the collector, unless the environment says something else.
const ROOM: usize = 2048;

/// The one header of a caller that is read; its companion `tracestate` may hold any text.
const PARENT: &str = "traceparent";

/// The way to a collector.
#[derive(Debug)]
pub(super) struct Export {
    provider: SdkTracerProvider,
    counts: Arc<Counts>,
    to: String,
}

impl Export {
    /// Prepares the way, if a collector is named.
    pub(super) fn begin(flag: Option<&str>, file: Option<&str>) -> Result<Option<Self>> {
        let Some(url) = Endpoint::named(flag, file).map(Endpoint::url).transpose()? else {
            return Ok(None);
        };
        check_protocol()?;
        let patience = patience();
        let counts = Arc::<Counts>::default();
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new(&url, patience)?)
            .with_endpoint(url.as_str())
            .with_timeout(patience)
            .build()
            .map_err(|error| Fault::invalid(format!("Traces cannot be sent: {error}.")))?;
        Ok(Some(Self {
            provider: provider(exporter, Arc::clone(&counts)),
            counts,
            to: url.origin().ascii_serialization(),
        }))
    }

    /// Says where traces go.
    pub(super) fn announce(export: Option<&Self>) {
        if let Some(export) = export {
            tracing::info!("Traces are sent to {}.", export.to);
        }
    }

    /// Takes the spans of this program; not those of the libraries below, whose fields are theirs, and no events: what
    /// the log says stays in the log.
    pub(super) fn layer<S>(&self) -> Box<dyn Layer<S> + Send + Sync>
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let ours = env!("CARGO_CRATE_NAME");
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer(env!("CARGO_PKG_NAME")))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(move |found| {
                found.is_span() && found.target().starts_with(ours)
            }))
            .boxed()
    }

    pub(super) fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.counts)
    }

    /// Delivers the last spans.
    pub(super) async fn end(self) {
        let counts = self.counts();
        let ended = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST_CALL));
        if !matches!(ended.await, Ok(Ok(()))) {
            tracing::warn!(
                "The collector of traces did not take the last {} spans within {} seconds.",
                counts.waiting.load(Ordering::Relaxed),
                LAST_CALL.as_secs()
            );
        }
    }
}

/// Returns the ids of the span that the thread is in.
pub(super) fn current() -> Option<Ids> {
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        span.is_valid().then(|| Ids {
            trace: u128::from_be_bytes(span.trace_id().to_bytes()),
            span: u64::from_be_bytes(span.span_id().to_bytes()),
        })
    })
}

/// Makes a span a part of the caller's trace, if the caller names one (W3C Trace Context).
pub(super) fn continue_from(span: &tracing::Span, headers: &HeaderMap) {
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Parent(headers));
    if parent.span().span_context().is_valid() {
        // Only a span that has begun cannot be given a parent.
        _ = span.set_parent(parent);
    }
}

/// The part of a caller's headers that is read.
struct Parent<'h>(&'h HeaderMap);

impl Extractor for Parent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.0.get_all(PARENT).iter();
        let only = values.next().filter(|_| values.next().is_none());
        only.filter(|_| key == PARENT)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT]
    }
}

/// The place where a collector is named.
struct Endpoint {
    /// By which flag or variable.
    name: &'static str,
    text: String,
    /// Whether the path of traces is still to be added.
    is_base: bool,
}

impl Endpoint {
    /// Finds where a collector is named: the flag comes first, then the variables of OpenTelemetry's specification, then
    /// the file.
    fn named(flag: Option<&str>, file: Option<&str>) -> Option<Self> {
        if variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true"))
            || variable("OTEL_TRACES_EXPORTER").is_some_and(|text| text == "none")
        {
            return None;
        }
        let endpoint = |name, text, is_base| Self { name, text, is_base };
        let specific = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        let general = "OTEL_EXPORTER_OTLP_ENDPOINT";
        flag.map(|text| endpoint("--otlp-endpoint", text.to_owned(), true))
            .or_else(|| variable(specific).map(|text| endpoint(specific, text, false)))
            .or_else(|| variable(general).map(|text| endpoint(general, text, true)))
            .or_else(|| {
                file.map(|text| endpoint("otlp-endpoint in the configuration file", text.to_owned(), true))
            })
    }

    /// Returns the URL that traces are sent to. An error does not repeat what was said: it may hold a password.
    fn url(self) -> Result<Url> {
        let fault = || {
            Fault::invalid(format!(
                "{} is not where a collector of traces is: write http:// or https://, host and port, such as \
                 http://127.0.0.1:4318; credentials belong into OTEL_EXPORTER_OTLP_HEADERS.",
                self.name
            ))
        };
        let mut url = Url::parse(&self.text).map_err(|_| fault())?;
        let names_a_user = !url.username().is_empty() || url.password().is_some();
        if !matches!(url.scheme(), "http" | "https") || url.fragment().is_some() || names_a_user {
            return Err(fault());
        }
        if self.is_base {
            let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        Ok(url)
    }
}

/// Reads a variable of the environment; an empty one says nothing.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|text| !text.is_empty())
}

/// Returns the first of some variables that is a number.
fn number<T: std::str::FromStr>(names: &[&str]) -> Option<T> {
    names.iter().find_map(|name| variable(name)?.parse().ok())
}

/// Refuses what a collector would not understand, now rather than by silence.
fn check_protocol() -> Result<()> {
    for name in [
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
    ] {
        match variable(name).as_deref() {
            None => {}
            Some("http/protobuf") => break,
            Some(other) => {
                return Err(Fault::invalid(format!(
                    "{name} is {other:?}, but traces are sent as http/protobuf: set it to that, and name the \
                     collector's port for HTTP, often 4318."
                )));
            }
        }
    }
    Ok(())
}

fn patience() -> Duration {
    number(&["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"])
        .map_or(PATIENCE, Duration::from_millis)
}

/// Names the service, unless the environment does.
fn resource() -> Resource {
    let said = Resource::builder().build();
    let is_named = said
        .get(&"service.name".into())
        .is_some_and(|name| !name.as_str().starts_with("unknown_service"));
    let mut builder = Resource::builder().with_attribute(KeyValue::new("service.version", VERSION));
    if !is_named {
        builder = builder.with_service_name(env!("CARGO_PKG_NAME"));
    }
    builder.build()
}

fn provider(exporter: SpanExporter, counts: Arc<Counts>) -> SdkTracerProvider {
    let room = number(&["OTEL_BSP_MAX_QUEUE_SIZE"]).unwrap_or(ROOM);
    let config = BatchConfigBuilder::default().with_max_queue_size(room).build();
    let counted = Counted {
        exporter,
        counts: Arc::clone(&counts),
    };
    let batches = BatchSpanProcessor::builder(counted)
        .with_batch_config(config)
        .build();
    SdkTracerProvider::builder()
        .with_resource(resource())
        .with_span_processor(Bounded {
            batches,
            room,
            counts,
        })
        .build()
}

/// Lets spans wait while there is room, and counts those that find none. Spans under way count as waiting, so that
/// the queue behind never overflows unnoticed.
#[derive(Debug)]
struct Bounded {
    batches: BatchSpanProcessor,
    room: usize,
    counts: Arc<Counts>,
}

impl SpanProcessor for Bounded {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let one_more = |waiting| (waiting < self.room).then_some(waiting + 1);
        let waiting = &self.counts.waiting;
        if waiting
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_ok()
        {
            self.batches.on_end(span);
        } else {
            self.counts.overflow.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// Counts what the collector takes.
#[derive(Debug)]
struct Counted {
    exporter: SpanExporter,
    counts: Arc<Counts>,
}

impl opentelemetry_sdk::trace::SpanExporter for Counted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let number = batch.len();
        let outcome = self.exporter.export(batch).await;
        let counter = match outcome {
            Ok(()) => &self.counts.delivered,
            Err(_) => &self.counts.undelivered,
        };
        counter.fetch_add(u64::try_from(number).unwrap_or(u64::MAX), Ordering::Relaxed);
        release(&self.counts.waiting, number);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

fn release(waiting: &AtomicUsize, number: usize) {
    waiting.fetch_sub(number, Ordering::Relaxed);
}
