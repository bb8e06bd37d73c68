//! The cost of seeing and changing who has access to what, in an organization of 100,000 people and 10,000 groups.
//!
//! Each number of the product is the time of a whole command, which opens the database for itself; that of a command which
//! does nothing stands beside them. The bare statements are asked of the same database file in this process.

#![allow(clippy::print_stdout, reason = "a benchmark reports to the terminal")]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use scim::store::database::{Database, Options as Opening};
use scim_tests::http::{Client, Request, Response};
use scim_tests::server::{Organization, Server, built_beside};
use scim_tests::{Failure, check, flags};
use serde_json::{Value, json};

const USAGE: &str = "\
Build the server with `cargo build --release -p provisioning-server`, or name one with --server PATH.
Also: --people N (100000), --groups N (10000), --members N (50000; of the large group), --runs N (5)";

/// The head of a file as `export` writes it.
const HEAD: &str = r#"{"format":"provisioning-server export","version":1,"organization":{"id":"00000000-0000-7000-8000-000000000007","name":"access","display":"Access","enabled":true,"created":"2024-01-01T00:00:00Z","settings":{"username":"any"}}}"#;

const META: &str =
    r#""meta":{"created":"2024-01-01T00:00:00Z","lastModified":"2024-01-02T00:00:00Z","version":"W/\"1\""}"#;

const PASSWORD: &str = "seven herons over the grey fjord";

const MAPPING: &str = "/o/access/integrations/scim/mapping";

/// Members of each of the other groups.
const FEW: usize = 5;

struct Options {
    server: Option<PathBuf>,
    people: usize,
    groups: usize,
    members: usize,
    runs: usize,
}

impl Options {
    fn read() -> Result<Self, Failure> {
        let mut options = Self {
            server: built_beside(),
            people: 100_000,
            groups: 10_000,
            members: 50_000,
            runs: 5,
        };
        flags::read(USAGE, |flag, value| {
            let number = || value.parse::<usize>().ok().filter(|number| *number > 0);
            match flag {
                "--server" => options.server = Some(PathBuf::from(&value)),
                "--people" => options.people = number()?,
                "--groups" => options.groups = number()?,
                "--members" => options.members = number()?,
                "--runs" => options.runs = number()?,
                _ => return None,
            }
            Some(())
        })?;
        options.members = options.members.min(options.people);
        Ok(options)
    }
}

fn main() -> Result<(), Failure> {
    let options = Options::read()?;
    let Some(binary) = &options.server else {
        println!("access: not run. {USAGE}");
        return Ok(());
    };
    println!(
        "{} people, {} groups, one of {} members",
        options.people, options.groups, options.members
    );
    let server = Server::start_binary(binary)?;
    let organization = server.organization("access", &["--username", "any"])?;
    let began = Instant::now();
    let file = write(&server, &options)?;
    server.command_line(&["import", &file, "--org", "access"])?;
    println!("import              {:8.1} s", began.elapsed().as_secs_f64());
    let bench = Bench {
        server: &server,
        runs: options.runs,
    };
    bench.mapping()?;
    bench.lists()?;
    let mut owner = Owner::enter(&server)?;
    bench.hold(&organization, &mut owner)?;
    bench.pages(&mut owner)?;
    bench.beside(&organization)
}

/// Writes the file that makes the organization.
fn write(server: &Server, options: &Options) -> Result<String, Failure> {
    let path = server.directory().join("access.jsonl");
    let mut out = BufWriter::new(File::create(&path)?);
    writeln!(out, "{HEAD}")?;
    for number in 0..options.people {
        writeln!(
            out,
            r#"{{"type":"User","resource":{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"u{number}","userName":"user{number}","name":{{"givenName":"Given{number}","familyName":"Family{number}"}},{META}}}}}"#
        )?;
    }
    for number in 0..options.groups {
        writeln!(
            out,
            r#"{{"type":"Group","resource":{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"id":"g{number}","displayName":"Group {number}",{META}}}}}"#
        )?;
    }
    let mut members = 0;
    for group in 0..options.groups {
        let all: Vec<usize> = match group {
            0 => (0..options.members).collect(),
            _ => (0..FEW).map(|n| (group * 37 + n) % options.people).collect(),
        };
        members += all.len();
        for some in all.chunks(1_000) {
            let ids: Vec<_> = some.iter().map(|number| format!("\"u{number}\"")).collect();
            let add = ids.join(",");
            writeln!(
                out,
                r#"{{"type":"Group","id":"g{group}","version":"W/\"1\"","attribute":"members","add":[{add}]}}"#
            )?;
        }
    }
    let (people, groups) = (options.people, options.groups);
    writeln!(
        out,
        r#"{{"end":{{"people":{people},"groups":{groups},"members":{members},"exported":"2024-01-03T00:00:00Z"}}}}"#
    )?;
    out.flush()?;
    Ok(path.display().to_string())
}

struct Bench<'s> {
    server: &'s Server,
    runs: usize,
}

impl Bench<'_> {
    /// Measures the median time of some work.
    fn median(&self, mut work: impl FnMut() -> Result<(), Failure>) -> Result<Duration, Failure> {
        let mut times = Vec::new();
        for _ in 0..self.runs {
            let began = Instant::now();
            work()?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        Ok(times.get(times.len() / 2).copied().unwrap_or_default())
    }

    fn command(&self, arguments: &[&str]) -> Result<Duration, Failure> {
        self.median(|| self.server.command_line(arguments).map(drop))
    }

    /// Measures a preview and a change, beside the bare statement for the same people.
    fn mapping(&self) -> Result<(), Failure> {
        let (bare, joined) = self.bare()?;
        println!("bare edges          {:8.1} ms", milliseconds(bare));
        println!("bare edges, people  {:8.1} ms", milliseconds(joined));
        let nothing = self.command(&["org", "show", "access"])?;
        println!("a command (org show){:8.1} ms", milliseconds(nothing));
        let preview = ["mapping", "set", "access", "g0", "Operator", "--preview"];
        told("mapping preview", self.command(&preview)?, nothing, joined);
        let shown: Value = serde_json::from_str(&self.server.command_line(&preview)?)?;
        println!("                     {shown}");
        let set = self.median(|| {
            self.server
                .command_line(&["mapping", "set", "access", "g0", "Operator"])?;
            self.server
                .command_line(&["mapping", "delete", "access", "g0"])
                .map(drop)
        })?;
        told("mapping set, delete", set / 2, nothing, joined);
        Ok(())
    }

    /// Counts the members of the large group: by their edges alone, and with the account of each.
    fn bare(&self) -> Result<(Duration, Duration), Failure> {
        let path = self.server.directory().join("data.sqlite");
        let database = Database::open(path, Opening::default()).map_err(failed)?;
        let count = |sql: &'static str| {
            self.median(|| {
                let found = database
                    .blocking_read(|reader| reader.query_one(sql, &[], |row| row.integer(0)))
                    .map_err(failed)?;
                check(found.is_some(), || "no count".to_owned())
            })
        };
        let edges = count(
            "SELECT count(*) FROM scim_edge e WHERE e.src = (SELECT row FROM provisioned_group WHERE id = 'g0')
               AND e.tenant = (SELECT tenant FROM scim_resource WHERE rid = e.src)",
        )?;
        let people = count(
            "SELECT count(*) FROM provisioned_group g
             CROSS JOIN scim_resource r ON r.rid = g.row
             CROSS JOIN scim_edge e ON e.tenant = r.tenant AND e.src = g.row
             CROSS JOIN account a ON a.org = g.org AND a.row = e.dst
             WHERE g.id = 'g0' AND a.state = 'active' AND a.suspended IS NULL",
        )?;
        Ok((edges, people))
    }

    fn lists(&self) -> Result<(), Failure> {
        let nothing = self.command(&["org", "show", "access"])?;
        for arguments in [
            &["user", "list", "access"][..],
            &["user", "list", "access", "--search", "user4711"],
            &["user", "list", "access", "--unassigned"],
            &["user", "list", "access", "--suspended"],
            &["user", "list", "access", "--state", "disabled"],
            &["group", "list", "access", "--search", "group 99"],
            &["group", "list", "access", "--unmapped"],
            &["group", "show", "access", "g0"],
            &["user", "show", "access", "user10"],
            &["mapping", "list", "access"],
            &["role", "show", "access", "Operator"],
        ] {
            let label = arguments.join(" ").replace(" access", "");
            let took = self.command(arguments)?;
            println!(
                "{label:32} {:8.1} ms, {:8.1} without the command",
                milliseconds(took),
                beyond(took, nothing)
            );
        }
        self.server
            .command_line(&["mapping", "set", "access", "g0", "Operator"])?;
        for arguments in [
            &["user", "list", "access", "--unassigned"][..],
            &["user", "show", "access", "user10"],
            &["role", "show", "access", "Operator"],
        ] {
            let label = arguments.join(" ").replace(" access", "") + ", mapped";
            let took = self.command(arguments)?;
            println!(
                "{label:32} {:8.1} ms, {:8.1} without the command",
                milliseconds(took),
                beyond(took, nothing)
            );
        }
        Ok(())
    }

    /// Measures the writes of a provider while an administrator changes the mapping again and again, and while nobody does.
    fn beside(&self, organization: &Organization) -> Result<(), Failure> {
        for changes in [false, true] {
            let is_over = AtomicBool::new(false);
            let writes = thread::scope(|scope| {
                let writer = scope.spawn(|| write_on(organization, changes, &is_over));
                let began = Instant::now();
                let mut outcome = Ok(());
                while outcome.is_ok() && began.elapsed() < Duration::from_secs(5) {
                    match changes {
                        false => thread::sleep(Duration::from_millis(50)),
                        true => outcome = self.change_twice(),
                    }
                }
                is_over.store(true, Ordering::Relaxed);
                let writes = writer.join().map_err(|_| Failure::new("the writer panicked"))?;
                outcome.and(writes)
            })?;
            let last = writes.len().saturating_sub(1);
            let at = |part: f64| {
                let index = (last as f64 * part) as usize;
                writes.get(index).copied().map_or(0.0, milliseconds)
            };
            let label = if changes { "during mapping set" } else { "alone" };
            println!(
                "writes {label:20} {:6}, median {:6.2} ms, 99 % {:6.2} ms, longest {:6.2} ms",
                writes.len(),
                at(0.5),
                at(0.99),
                at(1.0)
            );
        }
        Ok(())
    }

    /// Measures how long the writer of the server is held by a change of the mapping of the large group, and by a write of
    /// the provider: both by requests to the one process.
    fn hold(&self, organization: &Organization, owner: &mut Owner) -> Result<(), Failure> {
        let roles = ["Read only", "Operator"].map(|name| self.role(name));
        let [first, second] = roles;
        let (first, second) = (first?, second?);
        for round in 0..self.runs {
            let before = Written::read(self.server)?;
            write_some(organization, round)?;
            let writes = Written::read(self.server)?;
            for role in [&first, &second] {
                let draft = format!("g0={role}");
                let fields = [("draft", draft.as_str()), ("do", "save")];
                owner.submit(MAPPING, &fields)?;
            }
            let changes = Written::read(self.server)?;
            println!(
                "writer held by a write {:6.2} ms, by a job of a mapping change {:6.2} ms",
                writes.each_since(&before),
                changes.each_since(&writes),
            );
        }
        Ok(())
    }

    fn role(&self, name: &str) -> Result<String, Failure> {
        let shown: Value =
            serde_json::from_str(&self.server.command_line(&["role", "show", "access", name])?)?;
        let id = shown.get("id").and_then(Value::as_str);
        Ok(id.ok_or_else(|| Failure::new("a role without an id"))?.to_owned())
    }

    /// Measures the pages that show people, groups and roles, as an administrator waits for them.
    fn pages(&self, owner: &mut Owner) -> Result<(), Failure> {
        let nothing = self.median(|| owner.open("/o/access/help").map(drop))?;
        println!(
            "page help                        {:8.1} ms",
            milliseconds(nothing)
        );
        for path in [
            "",
            "users",
            "users?q=user4711",
            "users?show=unassigned",
            "users?show=unconfirmed",
            "users?show=suspended",
            "groups",
            "groups?q=group 99",
            "roles",
            "integrations/scim",
            "integrations/scim/mapping",
            "integrations/scim/history",
            "conflicts",
            "audit",
        ] {
            let target = format!("/o/access/{}", path.replace(' ', "%20"));
            let took = self.median(|| owner.open(&target).map(drop))?;
            println!("page {path:27} {:8.1} ms", milliseconds(took));
        }
        Ok(())
    }

    fn change_twice(&self) -> Result<(), Failure> {
        self.server
            .command_line(&["mapping", "set", "access", "g0", "Read only"])?;
        self.server
            .command_line(&["mapping", "set", "access", "g0", "Operator"])
            .map(drop)
    }
}

/// The first owner of the instance, who is signed in.
struct Owner {
    client: Client,
    cookies: Vec<String>,
}

impl Owner {
    /// Makes the owner, who sets a password by the link that the command prints.
    fn enter(server: &Server) -> Result<Self, Failure> {
        let printed = server.command_line(&["admin", "create", "odile@instance.example"])?;
        let made: Value = serde_json::from_str(&printed)?;
        let url = made.get("url").and_then(Value::as_str).unwrap_or_default();
        let path = url
            .find("/instance/")
            .and_then(|at| url.get(at..))
            .unwrap_or_default();
        let mut owner = Self {
            client: server.origin()?,
            cookies: Vec::new(),
        };
        owner.submit(path, &[("new", PASSWORD), ("again", PASSWORD)])?;
        Ok(owner)
    }

    fn open(&mut self, target: &str) -> Result<(), Failure> {
        self.send(Request::new("GET", target))?.expect(200).map(drop)
    }

    /// Sends a form that leads elsewhere.
    fn submit(&mut self, target: &str, fields: &[(&str, &str)]) -> Result<(), Failure> {
        let pairs: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", value.replace(' ', "+").replace('=', "%3D")))
            .collect();
        let mut request =
            Request::new("POST", target).header("Content-Type", "application/x-www-form-urlencoded");
        request.body = Some(pairs.join("&").into_bytes());
        self.send(request)?.expect(303).map(drop)
    }

    fn send(&mut self, request: Request) -> Result<Response, Failure> {
        let request = request
            .header("Cookie", self.cookies.join("; "))
            .header("Sec-Fetch-Site", "same-origin");
        let answer = self.client.send(&request)?;
        for (_, value) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = value.split(';').next().unwrap_or_default();
            let name = pair.split('=').next().unwrap_or_default();
            self.cookies.retain(|kept| kept.split('=').next() != Some(name));
            self.cookies.push(pair.to_owned());
        }
        Ok(answer)
    }
}

/// The work of the writer of a server so far.
struct Written {
    writes: f64,
    seconds: f64,
}

impl Written {
    fn read(server: &Server) -> Result<Self, Failure> {
        let page = server.origin()?.get("/metrics")?.expect(200)?;
        let page = String::from_utf8_lossy(&page.body).into_owned();
        let value = |name: &str| {
            let mut lines = page.lines().filter_map(|line| line.strip_prefix(name));
            let value = lines.find_map(|rest| rest.trim().parse::<f64>().ok());
            value.ok_or_else(|| Failure::new(format!("{name} is not among the metrics")))
        };
        Ok(Self {
            writes: value("scim_database_writes_total ")?,
            seconds: value("scim_database_write_seconds_total ")?,
        })
    }

    /// Returns the milliseconds of one write since then, on the average.
    fn each_since(&self, before: &Self) -> f64 {
        (self.seconds - before.seconds) * 1e3 / (self.writes - before.writes)
    }
}

/// Changes a hundred people.
fn write_some(organization: &Organization, round: usize) -> Result<(), Failure> {
    let mut client = organization.client()?;
    for number in 0..100 {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "title", "value": format!("{round} {number}") }],
        });
        client
            .json("PATCH", &format!("/Users/u{number}"), &body)?
            .expect(200)?;
    }
    Ok(())
}

/// Changes one person after another. Returns how long each took, the shortest first.
fn write_on(
    organization: &Organization,
    changes: bool,
    is_over: &AtomicBool,
) -> Result<Vec<Duration>, Failure> {
    let mut client = organization.client()?;
    let mut times = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let number = times.len();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": "title", "value": format!("{changes} {number}") }],
        });
        let began = Instant::now();
        let answer = client.json("PATCH", &format!("/Users/u{}", number % 1_000), &body)?;
        times.push(began.elapsed());
        answer.expect(200)?;
    }
    times.sort_unstable();
    Ok(times)
}

#[allow(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
fn failed(error: scim::Error) -> Failure {
    Failure::new(format!("{error:?}"))
}

fn told(label: &str, took: Duration, nothing: Duration, bare: Duration) {
    println!(
        "{label:20}{:8.1} ms, {:.1} times the bare statement for people without the command",
        milliseconds(took),
        beyond(took, nothing) / milliseconds(bare)
    );
}

/// Milliseconds beyond those of a command that does nothing.
fn beyond(took: Duration, nothing: Duration) -> f64 {
    milliseconds(took.saturating_sub(nothing))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
