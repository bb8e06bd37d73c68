//! `simulate …`: a simulated identity provider against any SCIM server over HTTP.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, CommandFactory};
use http::header::{AUTHORIZATION, HeaderValue};
use indicatif::ProgressBar;
use scim::client::{Https1, Trust, over_https};
use scim::testkit::simulate::{
    Dialect, Health, Misbehaviour, NoAnswer, Progress, Report, Request, Response, Script, Simulation, Tally,
    Through, Transport,
};
use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use super::output::Output;
use super::progress;
use super::{CommandLine, Common, not_understood, setting, settings, trust};
use crate::domain::fault::{Fault, Result};

/// How long an answer may take. Entra waits 30 seconds; a server at work on a large group may need longer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The longest pause that a server may ask for; whoever asks for more is asked again after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

#[derive(Debug, Args)]
pub(super) struct Simulate {
    /// How the provider speaks
    #[arg(value_name = "PROVIDER", value_parser = dialect())]
    dialect: Dialect,
    /// The SCIM URL of an empty organization, such as `http://127.0.0.1:8080/scim/acme/v2`
    #[arg(long, value_name = "URL", value_parser = base)]
    url: String,
    /// A PEM file with the certificate of the authority to believe instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The token of the organization [env: SCIM_TOKEN]
    #[arg(long, value_name = "TOKEN", value_parser = NonEmptyStringValueParser::new())]
    token: Option<String>,
    /// A file with the token of the organization, so that it stands in no list of processes [env: SCIM_TOKEN_FILE]
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// How many people there are at the beginning
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=MOST))]
    users: u32,
    /// How many groups there are at the beginning
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=MOST))]
    groups: u32,
    /// How many people a group has at the beginning, if there are as many
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u32).range(..=MOST))]
    members: u32,
    /// How many things happen after the initial cycle: hires, renames, moves, leaves, returns and removals
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(..=MOST))]
    changes: u32,
    /// Which story is told: the same seed, the same requests
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// How many requests there are at most in a second, such as 25 or 25/s
    #[arg(long, value_name = "REQUESTS/s")]
    rate: Option<Rate>,
    /// How many people or groups are provisioned at the same time in the initial cycle
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=64))]
    connections: u8,
    /// Lose, repeat and delay requests and answers, as networks do
    #[arg(long)]
    rough: bool,
    /// The attributes that the server keeps, if it keeps few, such as userName,name.givenName,active
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    keeps: Vec<String>,
}

/// The message for whoever names no token.
const NO_TOKEN: &str = "There is no token: give it by the variable SCIM_TOKEN, by a file that --token-file or the \
                        variable SCIM_TOKEN_FILE names, or by --token.";

/// The bound of every size: the model of the server is kept in memory.
const MOST: i64 = 1_000_000;

fn dialect() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::as_str)).try_map(|word| word.parse::<Dialect>())
}

/// Reads the URL that requests go below.
fn base(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|error| format!("it is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("it must begin with https:// or http://".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        return Err(
            "it must end with the path, and name no user: http://127.0.0.1:8080/scim/acme/v2".to_owned(),
        );
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Requests in a second.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Rate(f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix("/s").unwrap_or(text);
        match number.parse() {
            // Below the bound a pause could not be expressed, above it there is none.
            Ok(rate) if (0.001..=1e6).contains(&rate) => Ok(Self(rate)),
            _ => Err("write the requests in a second, such as 25 or 0.5/s".to_owned()),
        }
    }
}

impl Simulate {
    /// Runs the simulation: a failure if the server is not in step at its end.
    pub(super) async fn run(self, common: &Common, output: Output) -> Result<ExitCode> {
        let Some(token) = self.token(common)? else {
            return Ok(not_understood(
                &CommandLine::command().error(ErrorKind::MissingRequiredArgument, NO_TOKEN),
                common.json,
            ));
        };
        let trust = trust::at(&self.url, self.ca.as_deref())?;
        let mut server = Server::new(&self.url, trust, &token, self.rate)?;
        server.ping(&self.url).await?;
        let bar = progress::bar(None, "{bar:30} {pos}/{len} steps, {msg}, {elapsed}, {eta} left");
        let mut connections = vec![server; usize::from(self.connections)];
        let report = self.simulation(bar.clone()).run_abreast(&mut connections).await;
        bar.finish_and_clear();
        output.result(&Outcome::new(self.seed, &report), |_| report.to_string());
        Ok(if report.is_success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn token(&self, common: &Common) -> Result<Option<String>> {
        if let Some(path) = &self.token_file {
            return settings::file_value(path, "--token-file").map(Some);
        }
        let flag = self.token.as_deref();
        common
            .settings()?
            .optional(&setting::TOKEN, flag, |token| Ok(token.to_owned()))
    }

    fn simulation(&self, bar: ProgressBar) -> Simulation {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let script = Script::seeded(self.seed)
            .people(size(self.users))
            .groups(size(self.groups))
            .members(size(self.members))
            .changes(size(self.changes));
        let network = if self.rough {
            Misbehaviour::rough()
        } else {
            Misbehaviour::none()
        };
        let simulation = Simulation::new(self.dialect, script)
            .over(network)
            .observed_by(move |progress| show(&bar, progress));
        if self.keeps.is_empty() {
            simulation
        } else {
            simulation.keeping(self.keeps.iter().map(String::as_str))
        }
    }
}

fn show(bar: &ProgressBar, progress: Progress) {
    bar.set_length(u64::try_from(progress.total).unwrap_or(u64::MAX));
    bar.set_position(u64::try_from(progress.done).unwrap_or(u64::MAX));
    bar.set_message(format!("{} requests", progress.requests));
}

/// The server under trial, over connections that are kept. Clones share them, and the pace.
#[derive(Clone)]
struct Server {
    connections: Through<Https1>,
    pace: Option<Arc<Mutex<Pace>>>,
    /// Whether the last answer asked for patience. When the simulated network does, nobody has to wait.
    is_busy: bool,
}

impl Server {
    fn new(url: &str, trust: Trust, token: &str, rate: Option<Rate>) -> Result<Self> {
        let client = over_https(url, trust).map_err(|error| Fault::invalid(error.to_string()))?;
        let mut credentials = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Fault::invalid("The token has characters that no header can hold."))?;
        credentials.set_sensitive(true);
        Ok(Self {
            connections: Through::new(client.service().clone(), url).with_header(AUTHORIZATION, credentials),
            pace: rate.map(|rate| Arc::new(Mutex::new(Pace::new(rate)))),
            is_busy: false,
        })
    }

    /// Checks whether anybody is there at all: a mistake in the URL is not a finding about a server.
    async fn ping(&mut self, url: &str) -> Result<()> {
        let mut request = Request::default();
        *request.uri_mut() = http::Uri::from_static("/ServiceProviderConfig");
        let answer = self.send(request).await;
        answer.map(|_| ()).map_err(|NoAnswer(why)| {
            let advice = trust::advice(&why);
            Fault::internal(
                format!(
                    "There is no answer from {url}: name the SCIM URL of a running server with --url.{advice}"
                ),
                why,
            )
        })
    }
}

impl Transport for Server {
    async fn send(&mut self, request: Request) -> Result<Response, NoAnswer> {
        if let Some(pace) = &self.pace {
            let next = pace
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .next(Instant::now());
            tokio::time::sleep_until(next).await;
        }
        let answer = tokio::time::timeout(LONGEST_WAIT, self.connections.send(request)).await;
        let answer = answer.unwrap_or_else(|_| {
            let seconds = LONGEST_WAIT.as_secs();
            Err(NoAnswer(format!("the server took longer than {seconds} seconds")))
        });
        self.is_busy = answer
            .as_ref()
            .is_ok_and(|answer| matches!(answer.status().as_u16(), 429 | 503));
        answer
    }

    async fn pause(&mut self, duration: Duration) {
        if std::mem::take(&mut self.is_busy) {
            tokio::time::sleep(duration.min(LONGEST_PAUSE)).await;
        }
    }
}

/// Spreads requests evenly. A late request is not made up for: there is never a burst.
#[derive(Debug)]
struct Pace {
    gap: Duration,
    last: Option<Instant>,
}

impl Pace {
    fn new(Rate(rate): Rate) -> Self {
        Self {
            gap: Duration::from_secs_f64(1.0 / rate),
            last: None,
        }
    }

    /// Decides when the next request may be sent.
    fn next(&mut self, now: Instant) -> Instant {
        let next = self.last.map_or(now, |last| now.max(last + self.gap));
        self.last = Some(next);
        next
    }
}

/// The outcome, for scripts. Its keys are a contract.
#[derive(Debug, Serialize)]
struct Outcome<'r> {
    provider: &'r str,
    seed: u64,
    in_step: bool,
    connection: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_trouble: Option<&'r str>,
    /// Advice on what to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    connection_advice: Option<&'r str>,
    people: usize,
    groups: usize,
    changes: usize,
    cycles: u64,
    quarantines: u64,
    /// The provider's own clock: back-off and waits between cycles.
    simulated_seconds: u64,
    /// The time that the run took.
    timing: Seconds,
    request_count: u64,
    requests_per_second: f64,
    requests: &'r BTreeMap<String, u64>,
    network: Disturbances,
    faults: Vec<Finding<'r>>,
    refusals: Vec<Finding<'r>>,
    unfinished_count: u64,
    unfinished: &'r [String],
    difference_count: u64,
    differences: &'r [String],
}

/// How long the parts of the run took, in seconds.
#[derive(Debug, Serialize)]
struct Seconds {
    total: f64,
    initial_cycle: f64,
    changes: f64,
    comparison: f64,
}

/// The disturbances of the simulated network.
#[derive(Debug, Serialize)]
struct Disturbances {
    lost: u64,
    unanswered: u64,
    repeated: u64,
    late: u64,
    throttled: u64,
}

/// Things of one kind, and the first of them.
#[derive(Debug, Serialize)]
struct Finding<'r> {
    what: String,
    count: u64,
    first: &'r str,
    /// The thing that the server must do about it, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

impl<'r> Finding<'r> {
    fn of_all<K: ToString>(
        tallies: &'r BTreeMap<K, Tally>,
        advice: impl Fn(&K) -> Option<&'static str>,
    ) -> Vec<Self> {
        let finding = |(what, tally): (&K, &'r Tally)| Self {
            what: what.to_string(),
            count: tally.count,
            first: &tally.example,
            advice: advice(what),
        };
        tallies.iter().map(finding).collect()
    }
}

impl<'r> Outcome<'r> {
    fn new(seed: u64, report: &'r Report) -> Self {
        let (connection, connection_trouble) = connection(&report.health);
        let (network, timing) = (report.network, report.timing);
        Self {
            provider: &report.dialect,
            seed,
            in_step: report.is_success(),
            connection,
            connection_trouble,
            connection_advice: Some(report.advice.as_str()).filter(|advice| !advice.is_empty()),
            people: report.people,
            groups: report.groups,
            changes: report.changes,
            cycles: report.cycles,
            quarantines: report.quarantines,
            simulated_seconds: report.clock.as_secs(),
            timing: Seconds {
                total: timing.total().as_secs_f64(),
                initial_cycle: timing.initial_cycle.as_secs_f64(),
                changes: timing.changes.as_secs_f64(),
                comparison: timing.comparison.as_secs_f64(),
            },
            request_count: report.request_count(),
            requests_per_second: report.requests_per_second(),
            requests: &report.requests,
            network: Disturbances {
                lost: network.lost,
                unanswered: network.unanswered,
                repeated: network.repeated,
                late: network.late,
                throttled: network.throttled,
            },
            faults: Finding::of_all(&report.faults, |fault| Some(fault.advice())),
            refusals: Finding::of_all(&report.refusals, |_| None),
            unfinished_count: report.unfinished_count,
            unfinished: &report.unfinished,
            difference_count: report.difference_count,
            differences: &report.differences,
        }
    }
}

fn connection(health: &Health) -> (&'static str, Option<&str>) {
    match health {
        Health::Healthy => ("healthy", None),
        Health::NotConnected(why) => ("not_connected", Some(why)),
        Health::Quarantined(why) => ("quarantined", Some(why)),
        Health::Disabled(why) => ("disabled", Some(why)),
        _ => ("unknown", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_requests_in_a_second() {
        assert_eq!("25".parse(), Ok(Rate(25.0)));
        assert_eq!("0.5/s".parse(), Ok(Rate(0.5)));
        for bad in ["", "0", "-1", "25/m", "NaN", "inf", "1e-300", "fast"] {
            assert!(bad.parse::<Rate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rate_spreads_requests_evenly_and_never_makes_up_for_lost_time() {
        let mut pace = Pace::new(Rate(4.0));
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let asked = [0, 0, 10, 2_000, 2_000].map(|millis| pace.next(after(millis)));
        assert_eq!(asked, [0, 250, 500, 2_000, 2_250].map(after));
    }

    #[test]
    fn a_base_is_a_plain_url() {
        assert_eq!(
            base("http://127.0.0.1:8080/scim/acme/v2/").as_deref(),
            Ok("http://127.0.0.1:8080/scim/acme/v2")
        );
        assert_eq!(base("https://a/scim").as_deref(), Ok("https://a/scim"));
        assert_eq!(base("http://[::1]:8080").as_deref(), Ok("http://[::1]:8080"));
        for bad in [
            "",
            "localhost:8080",
            "ftp://a",
            "http://a/?b=c",
            "http://a/#b",
            "http://u:p@a",
        ] {
            assert!(base(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_busy_server_is_waited_for() {
        let mut server = Server::new("http://127.0.0.1:9", Trust::nobody().unwrap(), "t", None).unwrap();
        let began = Instant::now();
        server.pause(Duration::from_secs(3)).await;
        assert_eq!(
            began.elapsed(),
            Duration::ZERO,
            "the simulated network asked for it"
        );
        server.is_busy = true;
        server.pause(Duration::from_secs(3)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(3));
        server.is_busy = true;
        server.pause(Duration::from_secs(1 << 40)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(3) + LONGEST_PAUSE);
    }
}
