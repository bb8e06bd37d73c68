//! A program that was built without traces.

use std::sync::Arc;

use http::HeaderMap;
use tracing::{Span, Subscriber};
use tracing_subscriber::Layer;

use super::{Counts, Ids};
use crate::domain::fault::{Fault, Result};

/// The variables that name a collector when no flag names it.
const VARIABLES: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// There is none.
#[derive(Debug)]
pub(super) enum Export {}

impl Export {
    /// Refuses what was asked for in so many words. A variable may be meant for others.
    pub(super) fn begin(flag: Option<&str>, file: Option<&str>) -> Result<Option<Self>> {
        if flag.or(file).is_some() {
            return Err(Fault::invalid(
                "This program was built without traces: build it with \"cargo build --release --package \
                 provisioning-server --features otel\", or leave otlp-endpoint out.",
            ));
        }
        Ok(None)
    }

    /// Says that nothing will arrive at the collector that the environment names.
    pub(super) fn announce(export: Option<&Self>) {
        let named = VARIABLES
            .iter()
            .find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        if let (None, Some(name)) = (export, named) {
            tracing::warn!("{name} is set, but this program was built without traces: none are sent.");
        }
    }

    pub(super) fn layer<S: Subscriber>(&self) -> Box<dyn Layer<S> + Send + Sync> {
        match *self {}
    }

    pub(super) fn counts(&self) -> Arc<Counts> {
        match *self {}
    }

    pub(super) async fn end(self) {
        match self {}
    }
}

pub(super) fn current() -> Option<Ids> {
    None
}

pub(super) fn continue_from(_: &Span, _: &HeaderMap) {}
