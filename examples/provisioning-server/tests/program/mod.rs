//! Runs the program in a folder of its own, and speaks HTTP with it.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of this")]

pub mod authority;
pub mod bench;
pub mod browser;
#[cfg(feature = "otel")]
pub mod collector;
pub mod entering;
pub mod identity_provider;
pub mod mail_server;
pub mod people;
pub mod person;
pub mod recorder;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use scim::store::database::{Database, Options, Value as Cell};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with a database in it.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn database(&self) -> PathBuf {
        self.0.path().join("data/provisioning.db")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provisioning-server"));
        command.current_dir(self.0.path()).args(arguments);
        for variable in [
            "DATABASE_URL",
            "KEY_FILE",
            "PUBLIC_URL",
            "FETCH_FROM",
            "TRUSTED_PROXIES",
            "LISTEN",
            "TLS_CERT",
            "TLS_KEY",
            "LOG_FORMAT",
            "DRAIN_DELAY",
            "SCIM_TOKEN",
            "PRODUCT_NAME",
            "SMTP_HOST",
            "SMTP_PORT",
            "SMTP_TLS",
            "SMTP_CA",
            "SMTP_USER",
            "SMTP_PASSWORD",
            "MAIL_FROM",
            "MAILS_PER_MINUTE",
        ] {
            command
                .env_remove(variable)
                .env_remove(format!("{variable}_FILE"));
        }
        for (variable, _) in std::env::vars_os() {
            if variable.to_string_lossy().starts_with("OTEL_") {
                command.env_remove(variable);
            }
        }
        command.env("RUST_LOG", "warn");
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command in the same way, with variables of the environment.
    pub fn run_with(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
        self.command(arguments)
            .envs(environment.iter().copied())
            .output()
            .unwrap()
    }

    /// Begins a command.
    pub fn begin(&self, arguments: &[&str]) -> Child {
        self.begin_reading(arguments, Stdio::null())
    }

    /// Begins a command that reads what the test writes.
    pub fn begin_with_input(&self, arguments: &[&str]) -> Child {
        self.begin_reading(arguments, Stdio::piped())
    }

    fn begin_reading(&self, arguments: &[&str], input: Stdio) -> Child {
        let mut command = self.command(arguments);
        command
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Runs a command, and returns the one document that it prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        assert_eq!(errors, "");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs a command that fails, and returns its exit code and the one document it prints on standard error.
    pub fn refusal(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.stdout.is_empty(), "{arguments:?}");
        (
            output.status.code().unwrap(),
            serde_json::from_slice(&output.stderr).unwrap(),
        )
    }

    /// Changes the database behind the program's back.
    pub fn execute(&self, sql: &'static str) {
        let database = Database::open(self.database(), Options::default()).unwrap();
        database.blocking_write(move |tx| tx.execute(sql, &[])).unwrap();
    }

    /// Writes a file and answers with its path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Returns the path of a file of this place.
    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// Starts a server on a free port.
    pub fn serve(&self, arguments: &[&str]) -> Server {
        self.serve_with(&[&["--listen", "127.0.0.1:0"], arguments].concat(), &[])
    }

    /// Starts a server with variables of the environment.
    pub fn serve_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Server {
        self.start(arguments, environment, Stdio::inherit())
    }

    /// Starts a server on a free port that writes its log to a file, and answers with the file, too.
    pub fn serve_logged(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (Server, PathBuf) {
        let log = self.0.path().join("log");
        let file = std::fs::File::create(&log).unwrap();
        let arguments = [&["--listen", "127.0.0.1:0"], arguments].concat();
        (self.start(&arguments, environment, file.into()), log)
    }

    fn start(&self, arguments: &[&str], environment: &[(&str, &str)], log: Stdio) -> Server {
        let arguments = [&["serve", "--json"], arguments].concat();
        let mut command = self.command(&arguments);
        command.envs(environment.iter().copied()).stderr(log);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut documents = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>();
        let started = documents.next().unwrap().unwrap();
        Server { child, started }
    }
}

/// Returns every row that a query finds in the database of a place.
pub fn rows(place: &Place, sql: &'static str) -> Vec<Vec<Cell>> {
    let database = Database::open(place.database(), Options::default()).unwrap();
    database
        .blocking_read(move |reader| {
            let mut rows = Vec::new();
            reader.visit(sql, &[], |row| {
                let columns = (0..).map_while(|column| row.value(column).ok());
                rows.push(columns.collect());
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(rows)
        })
        .unwrap()
}

/// A server that ends with the test.
pub struct Server {
    child: Child,
    /// The document that it printed.
    pub started: Value,
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Server {
    /// Asks it to end as an init system does, and waits until it has.
    #[cfg(unix)]
    pub fn terminate(mut self) {
        self.ask_to_end();
        assert!(self.child.wait().unwrap().success());
    }

    /// Asks it to end as an init system does.
    #[cfg(unix)]
    pub fn ask_to_end(&self) {
        self.signal("-TERM");
    }

    /// Sends it a signal, such as `-HUP`.
    #[cfg(unix)]
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Returns where it listens: `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        let (_, address) = self.started["listening"]
            .as_str()
            .unwrap()
            .split_once("://")
            .unwrap();
        address
    }

    /// Sends a GET with the headers given.
    pub fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("GET", path, headers, "")
    }

    /// Sends any request.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.exchange(method, path, headers, "application/scim+json", body)
    }

    /// Sends a request as a browser sends it with a form.
    pub fn send_form(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.exchange(method, path, headers, "application/x-www-form-urlencoded", body)
    }

    fn exchange(&self, method: &str, path: &str, headers: &[(&str, &str)], kind: &str, body: &str) -> Answer {
        let address = self.address();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("content-type: {kind}\r\ncontent-length: {}\r\n", body.len());
        }
        stream
            .write_all(format!("{request}\r\n{body}").as_bytes())
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        Answer::new(head, body)
    }

    /// Sends a request to the organization "acme" with a token and, unless it is null, a body.
    pub fn acme(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let text = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send(
            method,
            &format!("/scim/acme/v2{path}"),
            &[("authorization", &format!("Bearer {token}"))],
            &text,
        )
    }

    /// Sends a GET of an organization's endpoint with a token.
    pub fn scim(&self, organization: &str, token: &str) -> Answer {
        let path = format!("/scim/{organization}/v2/ServiceProviderConfig");
        self.get(&path, &[("authorization", &format!("Bearer {token}"))])
    }
}

/// The answer of the server.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Status line and headers in lower case.
    pub head: String,
    /// The same as it came.
    pub sent_head: String,
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    pub fn new(head: &str, body: &str) -> Self {
        Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_lowercase(),
            sent_head: head.to_owned(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
            text: body.to_owned(),
        }
    }

    pub fn detail(&self) -> &str {
        self.body["detail"].as_str().unwrap()
    }
}
