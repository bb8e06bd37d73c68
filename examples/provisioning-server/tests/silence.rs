//! No token, no password and nothing about a person stands in any log, metric, trace or error, and no token or password
//! in the database (feature rows 6, 83 and 85): a whole run is made, and everything that it wrote is searched for
//! everything that it was sent.
//!
//! The list of what may be written, and where:
//! - A token, once, on the standard output of the command that made it.
//! - Logins and names, in the report of `simulate`: they are the simulator's own, and its reader is the administrator of
//!   the provider. In an answer: they are the client's. In the database: that is what it is for.
//! - In an error answer, which goes to the sender, what the sender wrote in a path or filter or as a plain value; but
//!   no token, no password, and no text where an object belongs, for a password may be in it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![cfg(unix)]

#[path = "silence/hostile.rs"]
mod hostile;
#[path = "silence/needles.rs"]
mod needles;
mod program;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Output;

use hostile::Client;
use needles::{Needles, Search};
use program::bench::Bench;
use program::collector::Collector;
use program::person::{Application, Person};
use program::recorder::{Message, Recorder};
use program::{Place, Server};
use serde_json::{Value, json};

const PROVIDERS: [&str; 10] = [
    "okta",
    "okta-oin",
    "entra",
    "entra-compliant",
    "entra-patch2017",
    "entra-three-attributes",
    "jumpcloud",
    "onelogin",
    "authentik",
    "scim-sdk",
];

/// The output of a command.
struct Printed {
    command: String,
    out: String,
    err: String,
}

/// A place where commands and servers run, and what they have written so far.
struct Run {
    place: Place,
    collector: Collector,
    commands: Vec<Printed>,
    /// Tokens that commands made, with the numbers of those commands.
    tokens: Vec<(String, usize)>,
    requests: Vec<Message>,
    answers: Vec<Message>,
    log: String,
    metrics: String,
    /// The files of the database and its log, while a server runs and after it has ended.
    files: Vec<(String, String)>,
}

/// A server, and what stands before it.
struct Serving {
    server: Server,
    log: PathBuf,
    recorder: Recorder,
}

impl Serving {
    fn client<'c>(&self, organization: &'c str, token: &'c str) -> Client<'c> {
        Client {
            address: self.recorder.address,
            organization,
            token,
        }
    }
}

impl Run {
    fn new() -> Self {
        Self {
            place: Place::new(),
            collector: Collector::new(),
            commands: Vec::new(),
            tokens: Vec::new(),
            requests: Vec::new(),
            answers: Vec::new(),
            log: String::new(),
            metrics: String::new(),
            files: Vec::new(),
        }
    }

    fn command(&mut self, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        let environment = [&[("RUST_LOG", "trace")], environment].concat();
        let output = self.place.run_with(&environment, arguments);
        self.commands.push(Printed {
            command: arguments.join(" "),
            out: String::from_utf8(output.stdout.clone()).unwrap(),
            err: String::from_utf8(output.stderr.clone()).unwrap(),
        });
        output
    }

    /// Runs a command that makes a token.
    fn token(&mut self, arguments: &[&str]) -> String {
        let output = self.command(&[], &[arguments, &["--json"]].concat());
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let token = document["token"].as_str().unwrap().to_owned();
        self.tokens.push((token.clone(), self.commands.len() - 1));
        token
    }

    fn serve(&self, format: &str) -> Serving {
        let (server, log) = self.place.serve_logged(
            &["--log-format", format, "--otlp-endpoint", &self.collector.url],
            &[("RUST_LOG", "trace")],
        );
        let upstream = server.started["listening"].as_str().unwrap()["http://".len()..].to_owned();
        let recorder = Recorder::before(&upstream);
        Serving {
            server,
            log,
            recorder,
        }
    }

    fn measure(&mut self, serving: &Serving) {
        self.metrics += &serving.server.get("/metrics", &[]).text;
    }

    /// Ends a server and keeps what it and its clients wrote.
    fn end(&mut self, serving: Serving) {
        self.measure(&serving);
        self.keep_files();
        serving.server.terminate();
        self.keep_files();
        self.requests.extend(serving.recorder.requests());
        self.answers.extend(serving.recorder.answers());
        self.log += &std::fs::read_to_string(serving.log).unwrap();
    }

    fn keep_files(&mut self) {
        self.files.extend(files(&self.place));
    }

    fn simulate(&mut self, serving: &Serving, provider: &str, token: &str, rough: bool) {
        let url = format!("http://{}/scim/{provider}/v2", serving.recorder.address);
        let mut arguments = vec![
            "simulate",
            provider,
            "--url",
            &url,
            "--users",
            "20",
            "--groups",
            "5",
            "--changes",
            "40",
        ];
        if rough {
            arguments.push("--rough");
        }
        let output = self.command(&[("SCIM_TOKEN", token)], &arguments);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }

    fn needles(&self) -> Needles {
        let tokens: Vec<_> = self.tokens.iter().map(|(token, _)| token.clone()).collect();
        Needles::of(&self.requests, &tokens)
    }

    /// Returns what the collector was sent, as text.
    fn traces(&self) -> String {
        let spans = self.collector.spans();
        spans.iter().map(|span| format!("{span:?}\n")).collect()
    }
}

/// Simulates every provider, each with an organization and a token of its own.
fn provision(run: &mut Run, serving: &Serving) {
    for (number, provider) in PROVIDERS.into_iter().enumerate() {
        let token = run.token(&["org", "create", provider]);
        run.simulate(serving, provider, &token, number % 2 == 1);
        run.measure(serving);
    }
    // One that finds nothing as it left it has much to report.
    let token = run.token(&["token", "rotate", "okta"]);
    let url = format!("http://{}/scim/okta/v2", serving.recorder.address);
    let again = [
        "simulate", "okta", "--url", &url, "--token", &token, "--seed", "2", "--users", "10", "--keeps",
        "title",
    ];
    run.command(&[], &again);
    run.command(&[], &[&again[..], &["--json"]].concat());
    run.command(
        &[("SCIM_TOKEN", "scimp_zqxwrongtoken")],
        &["simulate", "entra", "--url", &url],
    );
}

/// Sends requests to a database that fails in the middle.
fn fail(run: &Run, client: &Client<'_>) {
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "zqx-failed@zqx.example",
        "password": "zqxpw-50",
    });
    for (broken, repaired) in [
        (
            "CREATE TRIGGER broken BEFORE INSERT ON request BEGIN SELECT RAISE(ABORT, 'disk trouble'); END",
            "DROP TRIGGER broken",
        ),
        (
            "ALTER TABLE scim_resource RENAME TO gone",
            "ALTER TABLE gone RENAME TO scim_resource",
        ),
        (
            "ALTER TABLE organization RENAME TO gone",
            "ALTER TABLE gone RENAME TO organization",
        ),
    ] {
        run.place.execute(broken);
        let statuses = [
            client.send("POST", "/Users", &user.to_string()),
            client.send(
                "GET",
                "/Users?filter=userName%20eq%20%22zqx-failed@zqx.example%22",
                "",
            ),
            client.send("PUT", "/Users/zqx-id", &user.to_string()),
            client.send("DELETE", "/Users/zqx-id", ""),
        ];
        assert!(
            statuses.iter().any(|status| *status >= 500),
            "{broken}: {statuses:?}"
        );
        run.place.execute(repaired);
    }
}

/// Commands with mistakes: tokens and passwords where they do not belong.
fn mistake(run: &mut Run, serving: &Serving, token: &str) {
    let address = serving.recorder.address;
    let with_user = format!("http://ops:zqxpw-60@{address}/scim/acme/v2");
    let in_query = format!("http://{address}/scim/acme/v2?token={token}");
    let in_path = format!("http://127.0.0.1:9/{token}");
    let on_disk = format!("sqlite://{token}/x.db");
    let config = run.place.file(
        "wrong.toml",
        &format!("listen = \"{token}\"\nunknown = \"zqxpw-61\""),
    );
    let wrong_type = run.place.file("type.toml", &format!("drain-delay = \"{token}\""));
    let listen = run.place.file("listen.toml", &format!("listen = \"{token}\""));
    let file_url = run
        .place
        .file("url.toml", "public-url = \"https://ops:zqxpw-62@x.example\"");
    let key = run.place.file("wrong.pem", "zqxpw-80");
    let bad_line = run.place.file(
        "bad.jsonl",
        &format!(
            "{}\n{{\"type\":\"User\",\"resource\":{{\"password\":\"zqxpw-81\",\"userName\":zqxpw-82}}}}\n",
            first_line(run)
        ),
    );
    let no_export = run.place.file("none.jsonl", "{\"password\":\"zqxpw-83\"}\n");
    for arguments in [
        &["org", "create", token][..],
        &["org", "create", "x", token],
        &["backup", &format!("{token}/x.db")],
        &["backup", &key],
        &["restore", token],
        &["restore", &key],
        &["check", token],
        &["export", token],
        &["export", "okta", "--out", &format!("{token}/x")],
        &["import", token],
        &["import", &key],
        &["import", &no_export],
        &["import", &bad_line, "--org", "imported", "--incomplete"],
        &["health", "--url", &with_user],
        &["health", "--url", token],
        &["serve", "--tls-cert", token, "--tls-key", token],
        &["serve", "--tls-cert", &key, "--tls-key", &key],
        &[
            "simulate",
            "okta",
            "--url",
            "https://127.0.0.1:9/v2",
            "--token",
            token,
            "--ca",
            &key,
        ],
        &["simulate", "okta", "--url", &in_path, "--token-file", token],
        &["org", "show", token],
        &["org", "set", "okta", "--idp", token],
        &["org", "set", "okta", "--display", ""],
        &[token],
        &["token", token],
        &["token", "revoke", "okta", token],
        &["token", "create", "okta", "--expires", token],
        &["token", "list", token],
        &["simulate", "okta", "--url", &with_user, "--token", token],
        &["simulate", "okta", "--url", &in_query, "--token", token],
        &["simulate", "okta", "--url", &in_path, "--token", token],
        &["simulate", "okta", "--url", token, "--token", token],
        &["simulate", token, "--url", &in_path, "--token", token],
        &["simulate", "okta", "--url", &in_path, "--token", token, token],
        &[
            "simulate", "okta", "--url", &in_path, "--token", token, "--seed", token,
        ],
        &["simulate", "okta", "--url", &in_path, "--token", "zqxpw-63\u{1}"],
        &["serve", "--listen", token],
        &["serve", "--log-format", token],
        &["serve", "--drain-delay", token],
        &["serve", "--config", &config],
        &["serve", "--config", &wrong_type],
        &["serve", "--config", &listen],
        &["serve", "--config", &file_url],
        &["serve", "--public-url", "https://ops:zqxpw-64@x.example"],
        &["serve", "--public-url", token],
        &["serve", "--otlp-endpoint", "http://ops:zqxpw-65@x.example"],
        &[
            "org",
            "list",
            "--database",
            "postgres://ops:zqxpw-66@x.example/scim",
        ],
        &["org", "list", "--database", "ops:zqxpw-67@x.example"],
        &["org", "list", "--database", &on_disk],
        &["org", "list", "--database", token],
    ] {
        let output = run.command(&[], arguments);
        assert!(!output.status.success(), "{arguments:?}");
        run.command(&[], &[arguments, &["--json"]].concat());
    }
    run.command(&[("RUST_LOG", &format!("scim={token}"))], &["serve"]);
    for (variable, value) in [
        ("DATABASE_URL", "ops:zqxpw-84@x.example"),
        ("DATABASE_URL_FILE", &key),
        ("PUBLIC_URL_FILE", &key),
        ("LISTEN_FILE", token),
        ("TLS_KEY", token),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ops:zqxpw-85@x.example"),
    ] {
        run.command(&[(variable, value)], &["serve", "--check-config"]);
        run.command(&[(variable, value)], &["serve", "--check-config", "--json"]);
    }
    for arguments in [
        &["org", "list"][..],
        &["org", "show", "okta"],
        &["token", "list", "okta"],
        &[
            "org",
            "set",
            "okta",
            "--attributes",
            "mapped",
            "--confirm",
            "okta",
        ],
        &["org", "disable", "entra"],
        &["token", "revoke", "jumpcloud"],
        &["org", "delete", "onelogin"],
        &["backup", "copy.db"],
        &["export", "okta", "--out", "okta.jsonl"],
        &["import", "okta.jsonl", "--org", "okta-2"],
        &["check"],
        &[
            "restore",
            "copy.db",
            "--database",
            "sqlite://restored.db",
            "--key-file",
            "data/provisioning.db.key",
        ],
    ] {
        assert!(run.command(&[], arguments).status.success(), "{arguments:?}");
    }
}

/// Returns the line with which an export begins.
fn first_line(run: &Run) -> String {
    let out = run.place.path("first.jsonl");
    run.place.json(&["export", "okta", "--out", &out]);
    let text = std::fs::read_to_string(out).unwrap();
    text.lines().next().unwrap().to_owned()
}

/// Words of the program's inside, which are none of a client's business.
const INTERNAL: [&str; 20] = [
    "sqlite",
    "serde",
    "hyper",
    "tokio",
    "panic",
    "unwrap",
    ".rs:",
    "src/",
    "select ",
    "insert ",
    "update ",
    "no such table",
    "constraint",
    "scim_resource",
    "scim_counter",
    "disk trouble",
    "option<",
    "some(",
    "/tmp",
    ".db",
];

#[test]
fn nothing_that_a_run_writes_tells_of_tokens_passwords_or_people() {
    let mut run = Run::new();
    run.place.json(&["org", "create", "demo"]);
    let serving = run.serve("json");
    provision(&mut run, &serving);
    let token = run.token(&[
        "org",
        "create",
        "acme",
        "--username",
        "email",
        "--unique-group-names",
        "on",
    ]);
    let strict = run.token(&["org", "create", "strict", "--policy", "strict"]);
    serving.client("acme", &token).mistakes(&strict);
    serving.client("strict", &strict).mistakes(&token);
    fail(&run, &serving.client("acme", &token));
    mistake(&mut run, &serving, &token);
    run.end(serving);
    let serving = run.serve("text");
    let plain = run.token(&["org", "create", "plain"]);
    serving.client("plain", &plain).mistakes(&token);
    fail(&run, &serving.client("plain", &plain));
    run.end(serving);

    let needles = run.needles();
    the_search_would_find(&run, &needles);
    let secrets = Search::of(needles.tokens.iter().chain(&needles.passwords));
    let personal = Search::of(&needles.personal);
    let mut trouble = Trouble::default();
    for search in [&secrets, &personal] {
        trouble.search("the log", &run.log, search);
        trouble.search("the traces", &run.traces(), search);
        trouble.search("the metrics", &run.metrics, search);
    }
    trouble.search("the metrics", &run.metrics, &Search::of(&organizations(&run)));
    search_commands(&run, &secrets, &personal, &mut trouble);
    search_answers(&run, &secrets, &mut trouble);
    search_database(&run, &secrets, &personal, &mut trouble);
    assert!(trouble.0.is_empty(), "{:#?}", trouble.0);
}

/// Feature rows 83, 94: no password, code, link, key or session of the pages stands in a log, a trace, a metric or the database.
#[test]
fn nothing_that_is_written_tells_of_credentials_of_the_pages() {
    let collector = Collector::new();
    let place = Place::new();
    place.json(&["org", "create", "acme"]);
    place.json(&["user", "create", "acme", NOOR]);
    let (server, log) = place.serve_logged(
        &["--log-format", "json", "--otlp-endpoint", &collector.url],
        &[("RUST_LOG", "trace")],
    );
    let bench = Bench::of(place, server);
    let secrets = use_every_credential(&bench);
    let metrics = bench.server.get("/metrics", &[]).text;
    let place = bench.end();
    let files = files(&place);
    let log = std::fs::read_to_string(log).unwrap();
    let spans = collector.spans();
    let traces: String = spans.iter().map(|span| format!("{span:?}\n")).collect();

    assert!(log.contains("answered") && spans.len() > 10);
    assert!(files.iter().any(|(_, text)| text.contains(NOOR)));
    let search = Search::of(&secrets);
    assert!(search.needles().len() > 20, "{secrets:?}");
    let mut trouble = Trouble::default();
    trouble.search("the log", &log, &search);
    trouble.search("the traces", &traces, &search);
    trouble.search("the metrics", &metrics, &search);
    for (name, text) in &files {
        trouble.search(name, text, &search);
    }
    assert!(trouble.0.is_empty(), "{:#?}", trouble.0);
}

const NOOR: &str = "noor@zqx.example";
const PASSWORD: &str = "zqx seven herons over the grey fjord";
const OTHER: &str = "zqx a lighthouse keeps no calendar";
const WRONG: &str = "zqx this was never right";

/// Signs somebody in by every credential that pages take, and returns all of them.
fn use_every_credential(bench: &Bench) -> BTreeSet<String> {
    let passwords = [PASSWORD, OTHER, WRONG];
    let mut secrets: BTreeSet<_> = passwords.map(str::to_owned).into();
    // As a form has them.
    secrets.extend(passwords.map(|password| password.replace(' ', "+")));
    let mut noor = Person::new(&bench.server);
    let note = |secrets: &mut BTreeSet<String>, noor: &Person<'_>| {
        secrets.extend(noor.cookies.iter().map(|(_, value)| value.clone()));
    };
    let secret = |link: &str| link.rsplit_once('/').unwrap().1.to_owned();
    let invitation = bench.mailed("invitation", NOOR);
    secrets.insert(secret(&invitation));
    noor.submit(&invitation, &[("new", PASSWORD), ("again", PASSWORD)]);
    note(&mut secrets, &noor);
    let set_up = noor.open("/o/acme/second-factor/set-up");
    let mut application = Application::scan(&set_up);
    secrets.insert(application.key().to_owned());
    let codes = noor
        .submit("/o/acme/second-factor/set-up", &[("code", &application.code())])
        .codes();
    secrets.extend(codes.iter().cloned());
    note(&mut secrets, &noor);
    noor.submit("/o/acme/sign-out", &[]);
    for password in [WRONG, PASSWORD] {
        noor.submit("/o/acme/sign-in", &[("name", NOOR), ("password", password)]);
    }
    note(&mut secrets, &noor);
    let page = noor.submit("/o/acme/sign-in/second-factor", &[("code", &codes[0])]);
    assert_eq!(page.heading(), "You are signed in, but have no access yet");
    note(&mut secrets, &noor);
    let changed = [("present", PASSWORD), ("new", OTHER), ("again", OTHER)];
    assert_eq!(
        noor.submit("/o/acme/account/password", &changed).path,
        "/o/acme/account"
    );
    note(&mut secrets, &noor);
    noor.submit("/o/acme/forgotten-password", &[("name", NOOR)]);
    let reset = bench.mailed("reset-link", NOOR);
    secrets.insert(secret(&reset));
    noor.submit(&reset, &[("new", PASSWORD), ("again", PASSWORD)]);
    note(&mut secrets, &noor);
    secrets
}

/// Reads the files beside the database, and it.
fn files(place: &Place) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(place.database().parent().unwrap()).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            (path.display().to_string(), text)
        })
        .collect()
}

/// The needles that were found where they must not be.
#[derive(Default)]
struct Trouble(BTreeSet<String>);

impl Trouble {
    fn search(&mut self, place: &str, text: &str, search: &Search) {
        for (needle, at) in search.found(text) {
            let before: String = text[..at].chars().rev().take(120).collect();
            let before: String = before.chars().rev().collect();
            let after: String = text[at..].chars().take(120).collect();
            self.0
                .insert(format!("{place} has {needle:?}: …{before}{after}…"));
        }
    }
}

/// Checks that the needles are what was sent, that there are enough of them, and that there is something to search in.
fn the_search_would_find(run: &Run, needles: &Needles) {
    let sent: String = run
        .requests
        .iter()
        .map(|request| format!("{}\n{}\n", request.head, request.text()))
        .collect();
    // A token stands for its hash, too, which nobody sends; personal texts of a query are sent encoded.
    for (kind, least, per_cent_sent) in [
        (&needles.tokens, 20, 40),
        (&needles.passwords, 40, 100),
        (&needles.personal, 500, 80),
    ] {
        let search = Search::of(kind);
        let found = search.found(&sent).len();
        let all = search.needles().len();
        assert!(
            all > least && found * 100 >= all * per_cent_sent,
            "{found} of {all}: {kind:#?}"
        );
        let planted = |needle| json!({ "message": format!("before {needle} after") }).to_string();
        let planted: String = search.needles().iter().map(planted).collect();
        assert_eq!(
            search.found(&planted).len(),
            all,
            "what is planted in a log is found"
        );
    }
    let answered = run.log.lines().filter(|line| line.contains("answered")).count();
    assert!(answered > 2_000, "{answered} of {} requests", run.requests.len());
    for cause in ["no such table", "disk trouble"] {
        assert!(run.log.contains(cause), "causes are for the operator");
    }
    assert!(run.collector.spans().len() > 5_000);
    for status in [400, 401, 404, 409, 413, 500] {
        assert!(run.metrics.contains(&format!("status=\"{status}\"")), "{status}");
    }
}

/// Returns what names organizations: their names and ids.
fn organizations(run: &Run) -> BTreeSet<String> {
    let list = run.place.json(&["org", "list"]);
    let list = list["organizations"].as_array().unwrap();
    let text = |organization: &Value, name: &str| organization[name].as_str().unwrap().to_owned();
    let names: BTreeSet<_> = list
        .iter()
        .flat_map(|organization| ["organization", "id"].map(|name| text(organization, name)))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    names
}

fn search_commands(run: &Run, secrets: &Search, personal: &Search, trouble: &mut Trouble) {
    for (number, printed) in run.commands.iter().enumerate() {
        let place = format!("`{}`", printed.command);
        let mut out = printed.out.clone();
        if let Some((token, _)) = run.tokens.iter().find(|(_, command)| *command == number) {
            assert_eq!(out.matches(token.as_str()).count(), 1, "{place}");
            out = out.replace(token.as_str(), "");
        }
        for text in [&out, &printed.err] {
            trouble.search(&place, text, secrets);
            if !printed.command.starts_with("simulate") {
                trouble.search(&place, text, personal);
            }
        }
    }
}

fn search_answers(run: &Run, secrets: &Search, trouble: &mut Trouble) {
    let internal = Search::of(&INTERNAL.map(str::to_owned));
    for answer in &run.answers {
        let place = format!("an answer of {}", answer.status());
        trouble.search(&place, &answer.head, secrets);
        trouble.search(&place, &answer.text(), secrets);
        if answer.status() >= 400 {
            trouble.search(&place, &answer.text(), &internal);
        }
    }
}

fn search_database(run: &Run, secrets: &Search, personal: &Search, trouble: &mut Trouble) {
    assert!(
        run.files
            .iter()
            .any(|(name, text)| name.ends_with("-wal") && !text.is_empty())
    );
    let people = run.files.iter().map(|(_, text)| personal.found(text).len()).max();
    assert!(
        people.unwrap() > 100,
        "people are in the database, or it is not searched"
    );
    for (name, text) in &run.files {
        trouble.search(name, text, secrets);
    }
}
