//! The provisioning server over HTTP, beside a static handler with the same bytes and the same token check.
//!
//! Every row compares two sides in alternating rounds and prints medians, the ratio and the budget.

#![allow(clippy::print_stdout, reason = "a benchmark reports to the terminal")]

mod directory;
mod floor;
mod library;
mod load;
mod options;

use std::io::{Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use directory::{Directory, FEW, GROUPS};
use floor::Floor;
use library::Library;
use load::{Round, Side, drive};
use options::{Options, Target};
use scim_tests::Failure;
use scim_tests::server::{Organization, Server};
use tokio::runtime::{Builder, Runtime};

fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    let (_server, organization) = match &options.target {
        Target::None => {
            println!("http: not run. {}", options::USAGE);
            return Ok(());
        }
        Target::Url(organization) => (None, organization.clone()),
        Target::Binary(binary) => {
            // The limit of requests is for the public; here the machine is the limit.
            let server = Server::start_with(binary, &["--limit-rate", "1000000"])?;
            let flags = ["--idp", "other", "--username", "any", "--policy", "tolerant"];
            let organization = server.organization("bench", &flags)?;
            (Some(server), organization)
        }
    };
    Bench::new(options, organization)?.run()
}

struct Bench {
    options: Options,
    directory: Directory,
    floor: Floor,
    runtime: Runtime,
}

/// The quantity that a row measures.
enum Measure {
    /// Requests per second of the second side over those of the first: the more the better.
    Throughput,
    /// Time per request of the second side over that of the first: the less the better.
    Time,
}

impl Bench {
    fn new(options: Options, organization: Organization) -> Result<Self, Failure> {
        let Options {
            members, connections, ..
        } = options;
        let start = Instant::now();
        let directory = Directory::fill(organization, members, connections)?;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "Filled with {members} people and {GROUPS} groups over {connections} connections in {seconds:.1} s \
             ({:.0} a second). Budget: 100,000 with a lookup each and 1,000 groups of 500 in 60 s.\n",
            members as f64 / seconds
        );
        let floor = Floor::start(directory.token())?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self {
            options,
            directory,
            floor,
            runtime,
        })
    }

    fn run(&self) -> Result<(), Failure> {
        let Self {
            directory, options, ..
        } = self;
        println!(
            "{:44} {:>12} {:>12} {:>7}   budget",
            "operation (first side / second side)", "1st req/s", "2nd req/s", "ratio"
        );
        let by_id = directory.side(directory.gets_by_id());
        let search = directory.side(directory.searches());
        let list = "/Users?count=100";
        let person = directory.body_of(&directory.a_person()?)?;

        self.beside_floor(
            "GET by id",
            &by_id,
            200,
            person.clone(),
            "at least 0.50, aim 0.65",
        )?;
        let found = directory.body_of(&Directory::search(0))?;
        self.beside_floor("GET ?filter=userName eq", &search, 200, found, "-")?;
        self.row(
            "GET by id / ?filter=userName eq",
            [&by_id, &search],
            &Measure::Throughput,
            "at least 0.90",
        )?;
        self.in_memory()?;
        let sides = [directory.gets_of_loners(), directory.gets_of_joiners()];
        let [loners, joiners] = sides.map(|requests| directory.side(requests));
        let name = format!("GET by id: in no group / in {GROUPS} groups");
        self.row(&name, [&loners, &joiners], &Measure::Time, "at most 1.15")?;

        let listed = directory.side(directory.gets(list));
        let body = directory.body_of(list)?;
        self.beside_floor("list of 100", &listed, 200, body, "at least 0.20, aim 0.28")?;
        let walk = directory.side(directory.pages(100));
        self.row(
            "list of 100: page 1 / page after page",
            [&listed, &walk],
            &Measure::Time,
            "at most 1.2",
        )?;
        let posts = directory.side(directory.posts());
        self.beside_floor("POST user", &posts, 201, person, "-")?;
        self.durable_post(&posts)?;

        let (few, many) = (FEW, options.members);
        let patch = |group: &str| directory.side(directory.member_changes(group));
        let sides = [&patch(&directory.small), &patch(&directory.large)];
        let name = format!("PATCH a member: group of {few} / {many}");
        self.row(&name, sides, &Measure::Time, "at most 1.2")?;
        let get = |group: &str| {
            let target = format!("{group}?excludedAttributes=members");
            directory.side(directory.gets(&target))
        };
        let sides = [&get(&directory.small), &get(&directory.large)];
        let name = format!("GET without members: group of {few} / {many}");
        self.row(&name, sides, &Measure::Time, "at most 1.1")
    }

    /// Measures the library without a database.
    fn in_memory(&self) -> Result<(), Failure> {
        const PEOPLE: usize = 1_000;
        let name = "GET by id, library in memory";
        if !self.is_asked_for(&beside_floor(name)) {
            return Ok(());
        }
        let library = Library::start(self.directory.token())?;
        let directory = Directory::fill(library.organization(), PEOPLE, self.options.connections)?;
        let by_id = directory.side(directory.gets_by_id());
        let person = directory.body_of(&directory.a_person()?)?;
        self.beside_floor(name, &by_id, 200, person, "at least 0.75, aim 0.85")
    }

    /// Measures the floor, which answers with `body`, and then the server.
    fn beside_floor(
        &self,
        name: &str,
        server: &Side,
        status: u16,
        body: Vec<u8>,
        budget: &str,
    ) -> Result<(), Failure> {
        self.floor.serve(status, body)?;
        let floor = Side {
            address: self.floor.address(),
            requests: Arc::clone(&server.requests),
        };
        self.row(
            &beside_floor(name),
            [&floor, server],
            &Measure::Throughput,
            budget,
        )
    }

    fn is_asked_for(&self, row: &str) -> bool {
        row.contains(&self.options.only)
    }

    fn row(&self, name: &str, sides: [&Side; 2], measure: &Measure, budget: &str) -> Result<(), Failure> {
        if !self.is_asked_for(name) {
            return Ok(());
        }
        let [first, second] = sides;
        let (mut rates, mut others, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        // A round nobody counts: caches, connections and pages are warm afterwards.
        self.round(first)?;
        self.round(second)?;
        for round in 0..self.options.rounds {
            let (one, other) = if round.is_multiple_of(2) {
                let one = self.round(first)?;
                (one, self.round(second)?)
            } else {
                let other = self.round(second)?;
                (self.round(first)?, other)
            };
            let (one, other) = (one.per_second, other.per_second);
            rates.push(one);
            others.push(other);
            ratios.push(match measure {
                Measure::Throughput => other / one,
                Measure::Time => one / other,
            });
        }
        let (first, second, ratio) = (median(&mut rates), median(&mut others), median(&mut ratios));
        println!("{name:44} {first:>12.0} {second:>12.0} {ratio:>7.2}   {budget}");
        Ok(())
    }

    fn round(&self, side: &Side) -> Result<Round, Failure> {
        let drive = drive(side, self.options.connections, self.options.duration);
        self.runtime.block_on(drive)
    }

    /// Measures the time of a POST by one client beside that of making a page durable.
    fn durable_post(&self, posts: &Side) -> Result<(), Failure> {
        let name = "POST user, one client: fdatasync / server";
        if !self.is_asked_for(name) {
            return Ok(());
        }
        let (mut syncs, mut times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.options.rounds {
            let sync = synchronise(self.options.duration)?.as_secs_f64();
            let round = drive(posts, 1, self.options.duration);
            let post = self.runtime.block_on(round)?.median.as_secs_f64();
            syncs.push(1.0 / sync);
            times.push(1.0 / post);
            ratios.push(post / sync);
        }
        let (first, second, ratio) = (median(&mut syncs), median(&mut times), median(&mut ratios));
        println!("{name:44} {first:>12.0} {second:>12.0} {ratio:>7.2}   at most 2, aim 1.5");
        Ok(())
    }
}

/// Returns the name of a row that has the floor as its first side.
fn beside_floor(name: &str) -> String {
    format!("{name}: static handler / server")
}

/// Measures the median time in which 4 KiB of a file that has its size already are written and made durable.
fn synchronise(duration: Duration) -> Result<Duration, Failure> {
    const PAGES: u64 = 1024;
    let mut file = tempfile::tempfile()?;
    file.write_all(&vec![1; 4096 * PAGES as usize])?;
    file.sync_all()?;
    let end = Instant::now() + duration;
    let mut times = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        file.seek(SeekFrom::Start(times.len() as u64 % PAGES * 4096))?;
        file.write_all(&[2; 4096])?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64());
    }
    Ok(Duration::from_secs_f64(median(&mut times)))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
