//! The origins of settings: flags, environment, files that the environment names, the configuration file.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod program;

use std::net::TcpListener;

use program::Place;
use serde_json::{Value, json};

/// Returns what `serve --check-config` says of each setting: its value and where it was found.
fn checked(place: &Place, arguments: &[&str], environment: &[(&str, &str)]) -> Vec<[Value; 4]> {
    let arguments = [&["serve", "--check-config", "--json"], arguments].concat();
    let output = place.run_with(environment, &arguments);
    assert!(output.status.success(), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let row = |setting: &Value| ["name", "value", "source", "from"].map(|key| setting[key].clone());
    document["settings"].as_array().unwrap().iter().map(row).collect()
}

fn failure(place: &Place, environment: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = place.run_with(environment, &[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let document: Value = serde_json::from_slice(&output.stderr).unwrap();
    document["detail"].as_str().unwrap().to_owned()
}

#[test]
fn each_setting_is_shown_with_the_place_it_comes_from() {
    let place = Place::new();
    let file = place.file(
        "server.toml",
        "listen = \"127.0.0.1:1\"\npublic-url = \"https://file.example\"\ndrain-delay = 7\ndemo = true\n",
    );
    let format = place.file("format", "json\n");
    let found = checked(
        &place,
        &["--config", &file, "--listen", "127.0.0.1:2"],
        &[
            ("LISTEN", "127.0.0.1:3"),
            ("PUBLIC_URL", "https://environment.example"),
            ("LOG_FORMAT_FILE", &format),
            ("RUST_LOG", ""),
        ],
    );
    let default = |name: &str, value: Value| [json!(name), value, json!("default"), json!("default")];
    let expected = [
        ["demo", "true", "configuration", &file].map(Value::from),
        default("database", json!("sqlite://data/demo.db")),
        default("key-file", Value::Null),
        [
            "public-url",
            "https://environment.example",
            "environment",
            "PUBLIC_URL",
        ]
        .map(Value::from),
        default("fetch-from", Value::Null),
        ["listen", "127.0.0.1:2", "flag", "--listen"].map(Value::from),
        default("trusted-proxies", Value::Null),
        default("tls-cert", Value::Null),
        default("tls-key", Value::Null),
        [
            "log-format",
            "json",
            "file",
            &format!("{format} (LOG_FORMAT_FILE)"),
        ]
        .map(Value::from),
        default("log-filter", json!("info")),
        ["drain-delay", "7", "configuration", &file].map(Value::from),
        default("otlp-endpoint", Value::Null),
        default("product-name", json!("Provisioning")),
        default("smtp-host", Value::Null),
        default("smtp-port", Value::Null),
        default("smtp-tls", Value::Null),
        default("smtp-ca", Value::Null),
        default("smtp-user", Value::Null),
        default("smtp-password", Value::Null),
        default("mail-from", Value::Null),
        default("mails-per-minute", json!("300")),
    ];
    let (plain, limits) = found.split_at(expected.len());
    assert_eq!(plain, expected);
    assert!(
        limits
            .iter()
            .all(|[name, ..]| name.as_str().is_some_and(|name| name.starts_with("limit-")))
    );
    assert!(!place.database().exists(), "nothing was started");
}

#[test]
fn people_see_the_settings_as_a_table() {
    let place = Place::new();
    let output = place.run(&["serve", "--check-config", "--drain-delay", "3"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let row = text.lines().find(|line| line.starts_with("drain-delay")).unwrap();
    let words: Vec<&str> = row.split_whitespace().collect();
    assert_eq!(words, ["drain-delay", "3", "--drain-delay"]);
}

#[test]
fn settings_with_which_the_server_would_not_start_fail_the_check() {
    let place = Place::new();
    let file = place.file("server.toml", "drain-delay = -1");
    for (environment, arguments, said) in [
        (("LISTEN", "here"), &[][..], "\"here\""),
        (("RUST_LOG", "info,=="), &[], "RUST_LOG"),
        (("TLS_CERT", "gone.pem"), &["--tls-key", "gone.pem"], "gone.pem"),
        (("TLS_CERT", "gone.pem"), &[], "--tls-key"),
        (("PUBLIC_URL", ""), &["--config", &file], "server.toml"),
    ] {
        let detail = failure(
            &place,
            &[environment],
            &[&["serve", "--check-config"], arguments].concat(),
        );
        assert!(detail.contains(said), "{detail}");
    }
}

/// Feature row 94: the password of the mail server comes from the environment, a file or the configuration, stands in no list
/// of processes, and is neither shown nor kept in the database. Settings of mail with which none could be sent fail the check.
#[test]
fn the_password_of_the_mail_server_is_not_shown() {
    let place = Place::new();
    let password = place.file("password", "hush-hush\n");
    let flags = [
        "--smtp-host",
        "mail.example",
        "--mail-from",
        "no-reply@x.example",
        "--smtp-user",
        "ann",
    ];
    let found = checked(&place, &flags, &[("SMTP_PASSWORD_FILE", &password)]);
    let shown = found.iter().find(|[name, ..]| name == "smtp-password").unwrap();
    assert_eq!(shown[1], "***");
    let serve = ["serve", "--check-config"];
    for (environment, arguments, said) in [
        (("SMTP_HOST", "mail.example"), &[][..], "--mail-from"),
        (("MAIL_FROM", "a@x.example"), &[], "--smtp-host"),
        (("MAIL_FROM", "a"), &flags[..2], "\"a\""),
        (("SMTP_TLS", "none"), &flags[..4], "mail.example"),
        (("SMTP_TLS", "some"), &flags[..4], "\"some\""),
        (("SMTP_PORT", "0"), &flags[..4], "\"0\""),
        (("SMTP_CA", "gone.pem"), &flags[..4], "gone.pem"),
        (("SMTP_USER", "ann"), &flags[..4], "SMTP_PASSWORD"),
        (("SMTP_PASSWORD", "hush-hush"), &flags[..4], "--smtp-user"),
        (("MAILS_PER_MINUTE", "0"), &[], "\"0\""),
        (("PRODUCT_NAME", "\u{7}"), &[], "name of the product"),
        (("LISTEN", "0.0.0.0:1"), &flags[..4], "--public-url"),
    ] {
        let detail = failure(&place, &[environment], &[&serve, arguments].concat());
        assert!(detail.contains(said) && !detail.contains("hush-hush"), "{detail}");
    }
    let demo = failure(&place, &[], &[&serve[..], &["--demo"], &flags[..4]].concat());
    assert!(demo.contains("demonstration"), "{demo}");
}

#[test]
fn without_a_command_the_settings_of_serve_count() {
    let place = Place::new();
    assert!(failure(&place, &[("LISTEN", "here")], &[]).contains("\"here\""));
}

#[test]
fn every_command_takes_the_database_from_a_file() {
    let place = Place::new();
    let named = place.file("database", "sqlite://elsewhere.db\n");
    let environment = [("DATABASE_URL_FILE", named.as_str())];
    let created = place.run_with(&environment, &["org", "create", "acme"]);
    assert!(created.status.success(), "{created:?}");
    assert!(
        place
            .run_with(&environment, &["org", "show", "acme"])
            .status
            .success()
    );
    assert!(!place.database().exists());
}

#[test]
fn a_secret_in_a_file_is_in_no_error() {
    let place = Place::new();
    let secret = place.file("secret", "postgres://admin:hush@db/scim\n");
    let empty = place.file("empty", "\n");
    let command = ["org", "list"];
    for (environment, said) in [
        (&[("DATABASE_URL_FILE", secret.as_str())][..], "DATABASE_URL_FILE"),
        (&[("DATABASE_URL_FILE", "/nowhere/at/all")], "/nowhere/at/all"),
        (&[("DATABASE_URL_FILE", &empty)], "is empty"),
        (
            &[("DATABASE_URL", "postgres://admin:hush@db/scim")],
            "postgres://",
        ),
        (
            &[
                ("DATABASE_URL", "postgres://a:hush@db"),
                ("DATABASE_URL_FILE", &secret),
            ],
            "only one of them",
        ),
        // It holds the name of a file: else a server that is to speak TLS would speak without.
        (&[("TLS_KEY_FILE", &secret)], "TLS_KEY"),
    ] {
        let command = if said == "TLS_KEY" {
            &["serve"][..]
        } else {
            &command
        };
        let detail = failure(&place, environment, command);
        assert!(detail.contains(said) && !detail.contains("hush"), "{detail}");
    }
}

#[test]
fn the_token_of_a_provider_comes_from_a_file() {
    let place = Place::new();
    let created = place.json(&["org", "create", "acme"]);
    let token = place.file("token", &format!("{}\n", created["token"].as_str().unwrap()));
    let server = place.serve(&[]);
    let url = format!("http://{}/scim/acme/v2", server.address());
    let command = [
        "simulate",
        "okta",
        "--url",
        &url,
        "--users",
        "3",
        "--groups",
        "1",
        "--changes",
        "3",
    ];
    let output = place.run_with(&[("SCIM_TOKEN_FILE", &token)], &command);
    assert!(output.status.success(), "{output:?}");
    // A flag comes before the environment; the first run's people are in the way of a second, but it is let in.
    let output = place.run_with(
        &[("SCIM_TOKEN", "wrong")],
        &[&command[..], &["--token-file", &token]].concat(),
    );
    let report = String::from_utf8(output.stdout).unwrap();
    assert!(report.contains("connection: healthy"), "{report}");
    let refused = failure(&place, &[], &[&command[..], &["--token-file", "gone"]].concat());
    assert!(refused.contains("--token-file"), "{refused}");
    let (code, _) = place.refusal(&[&command[..], &["--token", "t", "--token-file", &token]].concat());
    assert_eq!(code, 2, "one of them must be wrong");
}

#[test]
fn health_is_that_of_the_server_with_the_same_settings() {
    let place = Place::new();
    let server = place.serve(&[]);
    let file = place.file("server.toml", &format!("listen = {:?}", server.address()));
    let healthy = place.json(&["health", "--config", &file]);
    assert_eq!(
        healthy,
        json!({ "url": format!("http://{}/readyz", server.address()), "status": "ready" })
    );
    place.execute("ALTER TABLE instance RENAME TO elsewhere");
    // Changes that others make to the database are seen within a moment.
    let address = [("LISTEN", server.address())];
    let mut attempts = (0..1_000).map(|_| place.run_with(&address, &["health", "--json"]));
    let unhealthy = attempts.find(|output| !output.status.success()).unwrap();
    let detail = String::from_utf8(unhealthy.stderr).unwrap();
    assert!(detail.contains("503") && detail.contains("database"), "{detail}");
    drop(server);
    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let detail = failure(&place, &[], &["health", "--url", &format!("http://{address}")]);
    assert!(detail.contains("refused"), "{detail}");
}

/// The document of the limits agrees with the server: each has its variable, its default and the sentence on what it bounds.
#[test]
fn every_limit_is_a_setting_and_documented() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/LIMITS.md");
    let place = Place::new();
    let found = checked(&place, &[], &[]);
    let limits = found
        .iter()
        .filter_map(|[name, value, ..]| Some((name.as_str()?.strip_prefix("limit-")?, value.as_str()?)));
    let mut table = "| flag | default | what it bounds | why |\n|---|---|---|---|\n".to_owned();
    let mut known = 0;
    for (name, default) in limits {
        let limit = scim::Limits::named(&name.replace('-', "_"));
        known += usize::from(limit.is_some());
        let row = match limit {
            Some(limit) => [default, limit.bounds(), limit.why()],
            None => of_server(name, default),
        };
        assert_ne!(row[1], "", "{name} is not documented");
        table += &format!("| `--limit-{name}` | {} |\n", row.join(" | "));
    }
    assert_eq!(known, scim::Limits::table().len());
    let text = std::fs::read_to_string(path).unwrap();
    let begin = text.find(" writes it. -->\n").unwrap() + " writes it. -->\n\n".len();
    let expected = format!("{}\n\n{table}", text[..begin.min(text.len())].trim_end());
    if std::env::var_os("WRITE_LIMITS").is_some() {
        std::fs::write(path, &expected).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
}

/// A limit by flag, variable and file, and one that is not a value.
#[test]
fn a_limit_is_set_as_every_setting_is() {
    let place = Place::new();
    let file = place.file("server.toml", "limit-page-size = 7\nlimit-bodies = \"1GiB\"");
    let found = checked(
        &place,
        &["--config", &file, "--limit-body", "2MiB"],
        &[("LIMIT_BODY_TIME", "90s")],
    );
    for (name, value, source) in [
        ("limit-body", "2MiB", "flag"),
        ("limit-body-time", "90s", "environment"),
        ("limit-page-size", "7", "configuration"),
        ("limit-bodies", "1GiB", "configuration"),
        ("limit-json-depth", "64", "default"),
    ] {
        let row = found.iter().find(|row| row[0] == name).unwrap();
        assert_eq!(
            (row[1].as_str(), row[2].as_str()),
            (Some(value), Some(source)),
            "{name}"
        );
    }
    let said = failure(&place, &[], &["serve", "--limit-body", "2MB"]);
    assert!(said.contains("limit-body") && said.contains("2MiB"), "{said}");
}

/// Returns default, meaning and reason of a limit that is not the library's. Some defaults depend on the machine.
fn of_server<'a>(name: &str, default: &'a str) -> [&'a str; 3] {
    let [shown, bounds, why] = match name {
        "connections" => [
            "",
            "Connections that may be open; beyond, the one ends that has had no request for longest.",
            "Providers open a few dozen. If the system allows fewer files, it decides.",
        ],
        "rate" => [
            "",
            "Requests a second of one organization, at least 25; beyond, it is told when to come again.",
            "More than any provider sends; counted by each server for itself.",
        ],
        "searches" => [
            "processors + 4",
            "Searches that are at work at once.",
            "Some are left to others than the one who has its share.",
        ],
        "tenant-searches" => [
            "processors less one, 1 to 7",
            "The same for one organization.",
            "Providers search one by one, or a few at once.",
        ],
        "streams" => [
            "",
            "Long answers that are sent at once.",
            "Large groups are asked for seldom; more wait.",
        ],
        "tenant-streams" => [
            "",
            "The same for one organization.",
            "Providers read one large group after the other.",
        ],
        "stream-time" => [
            "",
            "Time that a long answer may take.",
            "A group of a million members takes seconds; the log of the database grows meanwhile.",
        ],
        "stream-patience" => [
            "",
            "Time that whoever reads a long answer may keep it waiting in total.",
            "Providers read as fast as they can.",
        ],
        "stream-rate" => [
            "",
            "Bytes a second that whoever reads a long answer must take while it waits.",
            "Half a megabit: slower than any line between data centers.",
        ],
        "queue" => [
            "",
            "Jobs that wait for the database: for each of reading, searching, streaming and writing.",
            "Seconds of work; whoever waits longer has given up.",
        ],
        "tenant-queue" => [
            "",
            "The same for one organization.",
            "More than any provider has connections.",
        ],
        _ => ["", "", ""],
    };
    [if shown.is_empty() { default } else { shown }, bounds, why]
}
