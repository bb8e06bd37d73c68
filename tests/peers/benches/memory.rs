//! How much memory the provisioning server takes for pages of large groups, and whether others wait meanwhile.
//!
//! A directory of a million people, 1,000 groups of 500 and one group of all is imported; then each answer is read and
//! thrown away while the server's memory is watched.

#![allow(clippy::print_stdout, reason = "a benchmark reports to the terminal")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use scim_tests::export_file::id;
use scim_tests::process::{anonymous, peak, resident};
use scim_tests::server::{Organization, Server, built_beside};
use scim_tests::{Failure, check, flags};

const USAGE: &str = "\
Build the server with `cargo build --release -p provisioning-server`, or name one with --server PATH.
Also: --people N (1000000), --groups N (1000), --members N (500)";

struct Options {
    server: Option<PathBuf>,
    people: usize,
    groups: usize,
    members: usize,
}

impl Options {
    fn read() -> Result<Self, Failure> {
        let mut options = Self {
            server: built_beside(),
            people: 1_000_000,
            groups: 1_000,
            members: 500,
        };
        flags::read(USAGE, |flag, value| {
            match flag {
                "--server" => options.server = Some(value.into()),
                "--people" => options.people = value.parse().ok()?,
                "--groups" => options.groups = value.parse().ok()?,
                "--members" => options.members = value.parse().ok()?,
                _ => return None,
            }
            Some(())
        })?;
        Ok(options)
    }
}

fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    let Some(binary) = &options.server else {
        println!("memory: not run. {USAGE}");
        return Ok(());
    };
    let server = Server::start_binary(binary)?;
    let organization = server.organization("memory", &["--idp", "other", "--username", "any"])?;
    println!(
        "Idle, with one organization: {:.1} MB resident, of which {:.1} MB its own. Budget: 30 MB, aim 20 MB.\n",
        resident(server.pid())?,
        anonymous(server.pid())?
    );
    let began = Instant::now();
    fill(&options, &server)?;
    println!(
        "Imported {} people, {} groups of {} and one of all in {:.0} s.\n",
        options.people,
        options.groups,
        options.members,
        began.elapsed().as_secs_f64()
    );
    let asked = Asked {
        organization,
        process: server.pid(),
        person: id('a', 0),
    };
    println!(
        "{:44} {:>8} {:>9} {:>11} {:>13}   budget",
        "answer", "seconds", "MB sent", "more MB", "GET slower by"
    );
    let small = format!("/Groups?count={}", options.groups);
    asked.measure("list of all small groups", &small, "20 MB more")?;
    let large = "/Groups?filter=displayName%20eq%20%22Everyone%22";
    asked.measure("the large group by displayName eq", large, "16 MB more")?;
    let by_id = format!("/Groups/{}", id('c', 0));
    asked.measure("the large group by id", &by_id, "16 MB more")
}

/// Makes a directory of people, small groups and one group of all.
fn fill(options: &Options, server: &Server) -> Result<(), Failure> {
    server.import("memory", |file| {
        for n in 0..options.people {
            let name = format!(r#","displayName":"Person {n}""#);
            file.person(&id('a', n), &format!("user{n}@example.com"), &name)?;
        }
        for n in 0..options.groups {
            file.group(&id('b', n), &format!("Group {n}"))?;
        }
        file.group(&id('c', 0), "Everyone")?;
        for n in 0..options.groups {
            let first = n * options.members;
            let people = (first..first + options.members).map(|n| id('a', n % options.people));
            file.members(&id('b', n), people)?;
        }
        file.members(&id('c', 0), (0..options.people).map(|n| id('a', n)))
    })
}

struct Asked {
    organization: Organization,
    process: u32,
    person: String,
}

impl Asked {
    /// Reads an answer three times, and prints the worst.
    fn measure(&self, name: &str, target: &str, budget: &str) -> Result<(), Failure> {
        let person = format!("/Users/{}", self.person);
        self.read(&person)?;
        let alone = self.longest_while(&person, || thread::sleep(Duration::from_secs(1)))?;
        let (mut seconds, mut sent, mut more, mut beside) = (0.0_f64, 0, 0.0_f64, Duration::ZERO);
        for _ in 0..3 {
            let before = anonymous(self.process)?;
            let mut answer = Ok(0);
            let began = Instant::now();
            let (peak, longest) = thread::scope(|scope| {
                let done = Arc::new(AtomicBool::new(false));
                let watched = Arc::clone(&done);
                let watch = scope.spawn(move || peak(self.process, &watched));
                let longest = self.longest_while(&person, || answer = self.read(target));
                done.store(true, Ordering::Relaxed);
                (watch.join(), longest)
            });
            let peak = peak.map_err(|_| Failure::new("the watch ended"))??;
            seconds = seconds.max(began.elapsed().as_secs_f64());
            sent = answer?;
            more = more.max(peak - before);
            beside = beside.max(longest?);
        }
        let slower = beside.as_secs_f64() / alone.as_secs_f64();
        let megabytes = sent as f64 / 1e6;
        println!("{name:44} {seconds:>8.2} {megabytes:>9.1} {more:>11.1} {slower:>12.1}x   {budget}");
        Ok(())
    }

    /// Measures the longest that somebody else's look-up takes while something is done.
    fn longest_while(&self, target: &str, work: impl FnOnce()) -> Result<Duration, Failure> {
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let others = scope.spawn(|| {
                let mut longest = Duration::ZERO;
                while !done.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    self.read(target)?;
                    longest = longest.max(began.elapsed());
                }
                Ok(longest)
            });
            work();
            done.store(true, Ordering::Relaxed);
            others
                .join()
                .map_err(|_| Failure::new("the other client ended"))?
        })
    }

    /// Reads an answer without keeping it. Returns its length.
    fn read(&self, target: &str) -> Result<usize, Failure> {
        let url = &self.organization.scim_url;
        let (host, path) = url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(|| Failure::new(format!("{url} is not a URL of a local server")))?;
        let mut stream = TcpStream::connect(host)?;
        let token = &self.organization.token;
        write!(
            stream,
            "GET /{path}{target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        )?;
        let mut buffer = vec![0; 64 << 10];
        let mut length = 0;
        loop {
            let read = stream.read(&mut buffer)?;
            if length == 0 {
                let head = buffer.get(..read).unwrap_or_default();
                check(head.starts_with(b"HTTP/1.1 200"), || {
                    format!("{target}: {}", String::from_utf8_lossy(head))
                })?;
            }
            if read == 0 {
                return Ok(length);
            }
            length += read;
        }
    }
}
