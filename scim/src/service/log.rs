//! The log of what nobody listens to: an error that is not a client's fault must leave a trace.

use super::outcome::Outcome;
use crate::log;

/// Logs the cause of an outcome that has one, for services without a listener.
pub(super) fn unheard(outcome: &Outcome) {
    let problem = outcome.problem.as_ref();
    let Some(cause) = problem.and_then(|problem| problem.cause.as_deref()) else {
        return;
    };
    if outcome.status.is_server_error() {
        write(outcome, cause);
    }
}

#[cfg(feature = "tracing")]
fn write(outcome: &Outcome, cause: &str) {
    if !log::is_heard() {
        return to_standard_error(outcome, cause);
    }
    tracing::error!(
        operation = outcome.operation.map(super::outcome::Operation::as_str),
        resource_type = outcome.resource_type,
        id = outcome.id.as_deref(),
        status = outcome.status.as_u16(),
        cause,
        "a SCIM request failed"
    );
}

#[cfg(not(feature = "tracing"))]
fn write(outcome: &Outcome, cause: &str) {
    to_standard_error(outcome, cause);
}

fn to_standard_error(outcome: &Outcome, cause: &str) {
    let operation = outcome.operation.map(super::outcome::Operation::as_str);
    let said = [operation, outcome.resource_type, outcome.id.as_deref()];
    let mut line = String::new();
    for word in said.into_iter().flatten() {
        line.push_str(word);
        line.push(' ');
    }
    line.push_str(&format!("failed with {}: {cause}", outcome.status.as_u16()));
    log::to_standard_error(&line);
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::error::Error;
    use crate::service::Operation;

    fn failed(error: &Error) -> Outcome {
        let mut outcome = Outcome {
            operation: Some(Operation::Patch),
            resource_type: Some("User"),
            ..Outcome::default()
        };
        outcome.fail(error, None);
        outcome
    }

    #[cfg(feature = "tracing")]
    mod events {
        use std::fmt::{Debug, Write as _};
        use std::sync::{Arc, Mutex};

        use tracing::field::{Field, Visit};
        use tracing::span::{Attributes, Id, Record};
        use tracing::{Event, Metadata, Subscriber};

        /// Keeps what it hears.
        #[derive(Default)]
        pub(super) struct Recorder(pub(super) Arc<Mutex<String>>);

        impl Subscriber for Recorder {
            fn enabled(&self, _: &Metadata<'_>) -> bool {
                true
            }

            fn new_span(&self, _: &Attributes<'_>) -> Id {
                Id::from_u64(1)
            }

            fn record(&self, _: &Id, _: &Record<'_>) {}

            fn record_follows_from(&self, _: &Id, _: &Id) {}

            fn event(&self, event: &Event<'_>) {
                event.record(&mut Text(&mut self.0.lock().unwrap()));
            }

            fn enter(&self, _: &Id) {}

            fn exit(&self, _: &Id) {}
        }

        struct Text<'t>(&'t mut String);

        impl Visit for Text<'_> {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                _ = write!(self.0, "{}={value:?} ", field.name());
            }
        }
    }

    /// Issue 8, fault 5: a 500 leaves a trace where nobody listens.
    #[cfg(feature = "tracing")]
    #[test]
    fn a_cause_is_an_event_where_somebody_subscribes() {
        let recorder = events::Recorder::default();
        let heard = std::sync::Arc::clone(&recorder.0);
        tracing::subscriber::with_default(recorder, || {
            unheard(&failed(&Error::internal("the disk is full")));
            unheard(&failed(&Error::not_found("User", "1")));
            let refused = Error::new(StatusCode::UNAUTHORIZED, "no").with_source("an expired token");
            unheard(&failed(&refused));
        });
        let heard = heard.lock().unwrap();
        assert!(heard.contains("cause=\"the disk is full\""), "{heard}");
        assert!(
            heard.contains("resource_type=\"User\"") && heard.contains("status=500"),
            "{heard}"
        );
        assert!(!heard.contains("404") && !heard.contains("expired"), "{heard}");
    }

    const CHILD: &str = "SCIM_TEST_WITHOUT_SUBSCRIBER";

    /// The same where nobody subscribes: a process of its own, for what it writes is its standard error.
    #[test]
    fn a_cause_is_on_standard_error_where_nobody_subscribes() {
        if std::env::var_os(CHILD).is_some() {
            unheard(&failed(&Error::internal("the disk is full")));
            return;
        }
        let name = "service::log::tests::a_cause_is_on_standard_error_where_nobody_subscribes";
        let child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env(CHILD, "1")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&child.stderr);
        assert!(
            error.contains("scim: patch User failed with 500: the disk is full"),
            "{error}"
        );
    }
}
