//! A provider's first synchronisation with the provisioning server: its time, and the server's memory.
//!
//! Each run starts a server with a database of its own. Time on the clock depends on what else the machine does; the CPU
//! time of both sides is the stricter number.

#![allow(clippy::print_stdout, reason = "a benchmark reports to the terminal")]

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use scim::client::{Http1, over_http};
use scim::testkit::simulate::{Dialect, Progress, Report, Script, Simulation, Through};
use scim_tests::server::{Organization, Server, built_beside};
use scim_tests::{Failure, check, flags, process};
use tokio::runtime::Builder;

const USAGE: &str = "\
Build the server with `cargo build --release -p provisioning-server`, or name one with --server PATH.
Also: --provider NAME (entra), --people N (100000), --groups N (1000), --members N (500), --connections N (16),
  --runs N (3)";

/// The most that the synchronisation of 100,000 people and 1,000 groups of 500 may take, on two cores that do nothing else.
const BUDGET_SECONDS: f64 = 60.0;
const BUDGET_MEGABYTES: f64 = 100.0;

struct Options {
    server: Option<PathBuf>,
    provider: Dialect,
    people: usize,
    groups: usize,
    members: usize,
    connections: usize,
    runs: usize,
}

impl Options {
    fn read() -> Result<Self, Failure> {
        let mut options = Self {
            server: built_beside(),
            provider: Dialect::Entra,
            people: 100_000,
            groups: 1_000,
            members: 500,
            connections: 16,
            runs: 3,
        };
        let mut provider = None;
        flags::read(USAGE, |flag, value| {
            match flag {
                "--server" => options.server = Some(value.into()),
                "--provider" => provider = Some(value),
                "--people" => options.people = value.parse().ok()?,
                "--groups" => options.groups = value.parse().ok()?,
                "--members" => options.members = value.parse().ok()?,
                "--connections" => options.connections = value.parse::<usize>().ok()?.max(1),
                "--runs" => options.runs = value.parse::<usize>().ok()?.max(1),
                _ => return None,
            }
            Some(())
        })?;
        if let Some(name) = provider {
            options.provider = name.parse().map_err(Failure::new)?;
        }
        Ok(options)
    }
}

fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    let Some(binary) = &options.server else {
        println!("sync: not run. {USAGE}");
        return Ok(());
    };
    println!(
        "{}: {} people, {} groups of {}, {} connections",
        options.provider, options.people, options.groups, options.members, options.connections
    );
    println!("{}", Row::HEAD);
    let mut rows = Vec::new();
    for _ in 0..options.runs {
        let row = run(&options, binary)?;
        println!("{}", row.text("run"));
        rows.push(row);
    }
    let median = Row::median(&rows);
    println!("{}", median.text("median"));
    let [sync, _, _, cpu, own_cpu, peak, ..] = median.0;
    println!(
        "Budget for 100,000 people and 1,000 groups of 500: {BUDGET_SECONDS} s on two quiet cores, and {BUDGET_MEGABYTES} MB. \
         Reached {:.2} of the time ({:.2} by the CPU time of both sides on two cores, comparison included) and {:.2} of \
         the memory.",
        sync / BUDGET_SECONDS,
        (cpu + own_cpu) / 2.0 / BUDGET_SECONDS,
        peak / BUDGET_MEGABYTES
    );
    Ok(())
}

/// The numbers of a run, in the order of the head.
struct Row([f64; 8]);

impl Row {
    const HEAD: &str = "       |  sync | comparison | requests | server | simulator | server  | of which  | simulator |\n       \
                        |     s |          s | a second |  CPU s |     CPU s | peak MB | anonymous |   peak MB |";

    fn text(&self, label: &str) -> String {
        let [sync, comparison, rate, cpu, own_cpu, peak, anonymous, own_peak] = self.0;
        format!(
            "{label:6} | {sync:5.1} | {comparison:10.1} | {rate:8.0} | {cpu:6.1} | {own_cpu:9.1} | {peak:7.0} | \
             {anonymous:9.0} | {own_peak:9.0} |"
        )
    }

    fn median(rows: &[Self]) -> Self {
        Self(std::array::from_fn(|column| {
            let mut values: Vec<_> = rows.iter().filter_map(|row| row.0.get(column).copied()).collect();
            values.sort_unstable_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
        }))
    }
}

fn run(options: &Options, binary: &std::path::Path) -> Result<Row, Failure> {
    let server = Server::start_binary(binary)?;
    let flags = ["--idp", "other", "--username", "any", "--policy", "tolerant"];
    let organization = server.organization("sync", &flags)?;
    let (served, own) = (server.pid(), std::process::id());
    let before = cpu_seconds(own)?;
    let anonymous = Arc::new(Mutex::new(0.0_f64));
    let report = synchronise(options, &organization, watch(served, &anonymous))?;
    check(report.is_success(), || report.to_string())?;
    let sync = report.timing.initial_cycle.as_secs_f64();
    // The comparison reads people by the hundred and groups by twenty.
    let lists = options.people.div_ceil(100) + options.groups.div_ceil(20);
    let sent = report.request_count() - lists as u64;
    let last = process::anonymous(served)?;
    let anonymous = anonymous.lock().unwrap_or_else(PoisonError::into_inner).max(last);
    Ok(Row([
        sync,
        report.timing.comparison.as_secs_f64(),
        sent as f64 / sync,
        cpu_seconds(served)?,
        cpu_seconds(own)? - before,
        process::peak_resident(served)?,
        anonymous,
        process::peak_resident(own)?,
    ]))
}

fn synchronise(
    options: &Options,
    organization: &Organization,
    observer: impl FnMut(Progress) + Send + 'static,
) -> Result<Report, Failure> {
    let script = Script::seeded(1)
        .people(options.people)
        .groups(options.groups)
        .members(options.members)
        .changes(0);
    let mut connections = vec![connection(organization)?; options.connections];
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let simulation = Simulation::new(options.provider, script).observed_by(observer);
    Ok(runtime.block_on(simulation.run_abreast(&mut connections)))
}

fn connection(organization: &Organization) -> Result<Through<Http1>, Failure> {
    let url = &organization.scim_url;
    let client = over_http(url).map_err(|error| Failure::new(error.to_string()))?;
    let token = format!("Bearer {}", organization.token);
    let token = token
        .try_into()
        .map_err(|_| Failure::new("the token is no header"))?;
    let connection = Through::new(client.service().clone(), url);
    Ok(connection.with_header(http::header::AUTHORIZATION, token))
}

/// Keeps the most anonymous memory that the process has had, looking now and then.
fn watch(server: u32, most: &Arc<Mutex<f64>>) -> impl FnMut(Progress) + Send + 'static {
    let most = Arc::clone(most);
    move |progress| {
        if progress.done.is_multiple_of(200)
            && let Ok(now) = process::anonymous(server)
        {
            let mut most = most.lock().unwrap_or_else(PoisonError::into_inner);
            *most = most.max(now);
        }
    }
}

/// Returns the user and system time of a process. Linux counts them in hundredths of a second for everybody who asks.
fn cpu_seconds(process: u32) -> Result<f64, Failure> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).map_err(|error| Failure::from(error).during(path))?;
    // The second field is a name that may hold anything; the times are fields 14 and 15.
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let times = fields.split(' ').skip(11).take(2);
    let ticks: f64 = times.filter_map(|time| time.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}
