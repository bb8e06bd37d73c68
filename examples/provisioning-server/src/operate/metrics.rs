//! `/metrics`, in the text format of Prometheus: numbers about the process, with no label that could name anybody.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;
use jiff::Timestamp;

use super::certificates::Certificates;
use super::health::VERSION;
use super::page::Page;
use super::process::Process;
use super::traces::Counts;
use crate::database::{Product, Statistics};
use crate::database::{delivery, losses};
use crate::delivery::mail;
use crate::history::Recorder;
use crate::login::Login;

/// How long the database may take to answer one question of a scrape.
const PATIENCE: Duration = Duration::from_millis(250);

/// The upper bounds of the histogram, in microseconds.
const BOUNDS: [u64; 13] = [
    1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000,
    10_000_000,
];

/// A request as it is counted. Each part is one of a few words, so that what is kept is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) method: &'static str,
    pub(super) status: u16,
    pub(super) operation: &'static str,
}

/// How long requests took.
#[derive(Debug, Default)]
struct Histogram {
    /// Requests up to each bound, and not up to the one before.
    counts: [u64; BOUNDS.len()],
    count: u64,
    sum: Duration,
}

impl Histogram {
    fn add(&mut self, duration: Duration) {
        let bounded = BOUNDS.iter().zip(&mut self.counts);
        if let Some((_, count)) = bounded
            .into_iter()
            .find(|(bound, _)| duration <= Duration::from_micros(**bound))
        {
            *count += 1;
        }
        self.count += 1;
        self.sum = self.sum.saturating_add(duration);
    }
}

#[derive(Debug, Default)]
struct Requests {
    counts: BTreeMap<Kind, u64>,
    durations: BTreeMap<&'static str, Histogram>,
}

/// The counts, and where the rest is asked for.
#[derive(Debug)]
pub(crate) struct Metrics {
    product: Arc<Product>,
    history: Arc<Recorder>,
    certificates: Option<Arc<Certificates>>,
    spans: Option<Arc<Counts>>,
    mails: Option<Arc<mail::Counts>>,
    login: Login,
    requests: Mutex<Requests>,
    in_flight: AtomicUsize,
    process: Process,
    /// When the next token expires, as it was known last.
    next_expiry: Mutex<Option<Timestamp>>,
}

impl Metrics {
    /// Makes the metrics of a server with this database and this history; with these certificates if it speaks TLS, and
    /// with these spans if it traces, and these mails if it sends any; people sign in at `login`.
    pub(crate) fn new(
        product: Arc<Product>,
        history: Arc<Recorder>,
        certificates: Option<Arc<Certificates>>,
        spans: Option<Arc<Counts>>,
        mails: Option<Arc<mail::Counts>>,
        login: Login,
    ) -> Self {
        Self {
            product,
            history,
            certificates,
            spans,
            mails,
            login,
            requests: Mutex::default(),
            in_flight: AtomicUsize::new(0),
            process: Process::new(),
            next_expiry: Mutex::default(),
        }
    }

    /// Counts a request as under way until what is returned is dropped: when it is answered, or its client has gone.
    pub(super) fn begin(&self) -> UnderWay<'_> {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        UnderWay(&self.in_flight)
    }

    /// Counts a request.
    pub(super) fn count(&self, kind: Kind, duration: Duration) {
        let mut requests = self.requests();
        *requests.counts.entry(kind).or_default() += 1;
        requests
            .durations
            .entry(kind.operation)
            .or_default()
            .add(duration);
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn text(&self) -> String {
        let mut page = Page::default();
        self.process.write(&mut page);
        page.describe("scim_build_info", "gauge", "The version that runs.");
        page.sample(format_args!("scim_build_info{{version=\"{VERSION}\"}}"), 1);
        write_requests(&mut page, &self.requests());
        let help = "Requests that are being answered.";
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        page.one("scim_requests_in_flight", "gauge", help, in_flight);
        let overflow = "Requests that the API history counted and did not keep.";
        page.one(
            "scim_history_overflow_total",
            "counter",
            overflow,
            self.history.overflow(),
        );
        write_database(&mut page, &self.product.statistics());
        self.write_files(&mut page);
        self.write_expiry(&mut page).await;
        self.write_alerts(&mut page).await;
        if let Some(expiry) = self.certificates.as_ref().and_then(|it| it.expiry()) {
            let help = "When the certificate of the server ends.";
            let name = "scim_tls_certificate_expiry_timestamp_seconds";
            page.one(name, "gauge", help, expiry.as_second());
        }
        if let Some(spans) = &self.spans {
            write_spans(&mut page, spans);
        }
        let help = "Passwords that were compared: each takes 19 MiB and a thread for a while.";
        let compared = self.login.verifications();
        page.one(
            "provisioning_password_comparisons_total",
            "counter",
            help,
            compared,
        );
        if let Some(mails) = &self.mails {
            write_mails(&mut page, mails);
        }
        self.write_waiting(&mut page).await;
        page.0
    }

    fn write_files(&self, page: &mut Page) {
        let name = "scim_database_file_bytes";
        page.describe(name, "gauge", "Sizes of the database and of its write-ahead log.");
        for (file, bytes) in self.product.files() {
            page.sample(format_args!("{name}{{file=\"{file}\"}}"), bytes);
        }
    }

    /// Tells of alerts that nobody has looked at. Of which organization they are, "alert list" says.
    async fn write_alerts(&self, page: &mut Page) {
        let unseen = tokio::time::timeout(PATIENCE, self.product.read(losses::unseen)).await;
        if let Ok(Ok(unseen)) = unseen {
            let help = "Alerts about many losses at once that nobody has looked at.";
            page.one("provisioning_alerts_unseen", "gauge", help, unseen);
        }
    }

    /// Tells how many mails wait to be sent.
    async fn write_waiting(&self, page: &mut Page) {
        let waiting = tokio::time::timeout(PATIENCE, self.product.read(delivery::waiting)).await;
        if let Ok(Ok(waiting)) = waiting {
            page.one(
                "provisioning_mails_waiting",
                "gauge",
                "Mails that wait to be sent.",
                waiting,
            );
        }
    }

    /// Warns before an identity provider is locked out. Which organization it is, "token list" says.
    async fn write_expiry(&self, page: &mut Page) {
        let now = Timestamp::now();
        let next = tokio::time::timeout(PATIENCE, self.product.next_expiry(now)).await;
        let mut known = self.next_expiry.lock().unwrap_or_else(PoisonError::into_inner);
        // The other numbers are all the more wanted while the database is away or has much to do.
        if let Ok(Ok(next)) = next {
            *known = next;
        }
        if let Some(next) = *known {
            let help = "Time until the next token of an enabled organization expires.";
            let seconds = next.duration_since(now).as_secs();
            page.one("scim_token_next_expiry_seconds", "gauge", help, seconds);
        }
    }
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct UnderWay<'m>(&'m AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Says the numbers.
pub(crate) async fn metrics(State(metrics): State<Arc<Metrics>>) -> Response {
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, metrics.text().await).into_response()
}

fn write_requests(page: &mut Page, requests: &Requests) {
    page.describe("scim_requests_total", "counter", "Requests that were answered.");
    for (kind, count) in &requests.counts {
        let Kind {
            method,
            status,
            operation,
        } = kind;
        page.sample(
            format_args!(
                "scim_requests_total{{method=\"{method}\",status=\"{status}\",operation=\"{operation}\"}}"
            ),
            count,
        );
    }
    let name = "scim_request_duration_seconds";
    page.describe(name, "histogram", "Time until an answer began.");
    for (operation, histogram) in &requests.durations {
        let mut up_to = 0;
        for (bound, count) in BOUNDS.iter().zip(&histogram.counts) {
            up_to += count;
            let bound = Duration::from_micros(*bound).as_secs_f64();
            page.sample(
                format_args!("{name}_bucket{{operation=\"{operation}\",le=\"{bound}\"}}"),
                up_to,
            );
        }
        let labels = format!("{{operation=\"{operation}\"}}");
        page.sample(
            format_args!("{name}_bucket{{operation=\"{operation}\",le=\"+Inf\"}}"),
            histogram.count,
        );
        page.sample(format_args!("{name}_sum{labels}"), histogram.sum.as_secs_f64());
        page.sample(format_args!("{name}_count{labels}"), histogram.count);
    }
}

fn write_database(page: &mut Page, statistics: &Statistics) {
    for (name, value, help) in [
        (
            "commits",
            statistics.commits,
            "Groups of writes that were committed.",
        ),
        ("writes", statistics.writes, "Writes that were committed."),
        (
            "failed_writes",
            statistics.failed_writes,
            "Writes that were undone.",
        ),
        (
            "failed_behind",
            statistics.failed_behind,
            "Writes that were undone and that nobody waited for.",
        ),
        ("reads", statistics.reads, "Reads."),
        ("statements", statistics.statements, "Statements that ran."),
        ("searches", statistics.searches, "Searches."),
        ("streams", statistics.streams, "Lists that were streamed."),
        ("snapshots", statistics.snapshots, "Snapshots that readers took."),
        (
            "refused",
            statistics.refused,
            "Jobs that were refused because a queue was full.",
        ),
        (
            "refused_to_tenants",
            statistics.refused_to_tenants,
            "Jobs that were refused because their organization had its share of the queue.",
        ),
        (
            "cut_batches",
            statistics.cut_batches,
            "Commits that ended before all writes of their group had run, because these took long.",
        ),
        (
            "lock_waits",
            statistics.lock_waits,
            "Times that another process was writing.",
        ),
        (
            "checkpoints",
            statistics.checkpoints,
            "Checkpoints of the write-ahead log.",
        ),
        (
            "wal_restarts",
            statistics.wal_restarts,
            "Times the write-ahead log started over.",
        ),
        (
            "failed_restarts",
            statistics.failed_restarts,
            "Times that the write-ahead log could not start over, because something was still reading from it.",
        ),
    ] {
        let name = format!("scim_database_{name}_total");
        page.one(&name, "counter", help, value);
    }
    page.one(
        "scim_database_write_seconds_total",
        "counter",
        "Seconds for which writes have held the writer, without its commits.",
        Duration::from_micros(statistics.write_micros).as_secs_f64(),
    );
    for (name, value, help) in [
        (
            "scim_database_largest_batch",
            statistics.largest_batch,
            "The most writes that one commit has joined.",
        ),
        (
            "scim_database_wal_pages",
            statistics.wal_pages,
            "Pages in the write-ahead log after the last commit.",
        ),
    ] {
        page.one(name, "gauge", help, value);
    }
}

fn write_spans(page: &mut Page, spans: &Counts) {
    let name = "scim_trace_spans_total";
    page.describe(name, "counter", "Spans by what became of them.");
    for (result, counter) in [
        ("delivered", &spans.delivered),
        ("undelivered", &spans.undelivered),
        ("overflow", &spans.overflow),
    ] {
        let sample = format_args!("{name}{{result=\"{result}\"}}");
        page.sample(sample, counter.load(Ordering::Relaxed));
    }
    let name = "scim_trace_spans_waiting";
    let waiting = spans.waiting.load(Ordering::Relaxed);
    page.one(name, "gauge", "Spans that wait for the collector.", waiting);
}

fn write_mails(page: &mut Page, mails: &mail::Counts) {
    let name = "provisioning_mails_total";
    page.describe(name, "counter", "Attempts to send mails, by what came of them.");
    for (result, counter) in [
        ("sent", &mails.sent),
        ("later", &mails.later),
        ("refused", &mails.refused),
    ] {
        let sample = format_args!("{name}{{result=\"{result}\"}}");
        page.sample(sample, counter.load(Ordering::Relaxed));
    }
    let help = "Whether the mail server can be used: 1, or 0.";
    let is_up = u8::from(!mails.is_in_trouble());
    page.one("provisioning_mail_server_up", "gauge", help, is_up);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_cumulative_and_a_bound_belongs_to_its_bucket() {
        let mut requests = Requests::default();
        let histogram = requests.durations.entry("get").or_default();
        for micros in [10, 1_000, 1_001, 10_000_000, 10_000_001] {
            histogram.add(Duration::from_micros(micros));
        }
        let mut page = Page::default();
        write_requests(&mut page, &requests);
        for line in [
            "scim_request_duration_seconds_bucket{operation=\"get\",le=\"0.001\"} 2",
            "scim_request_duration_seconds_bucket{operation=\"get\",le=\"0.0025\"} 3",
            "scim_request_duration_seconds_bucket{operation=\"get\",le=\"5\"} 3",
            "scim_request_duration_seconds_bucket{operation=\"get\",le=\"10\"} 4",
            "scim_request_duration_seconds_bucket{operation=\"get\",le=\"+Inf\"} 5",
            "scim_request_duration_seconds_sum{operation=\"get\"} 20.002012",
            "scim_request_duration_seconds_count{operation=\"get\"} 5",
        ] {
            assert!(page.0.lines().any(|found| found == line), "{line}\n{}", page.0);
        }
    }
}
