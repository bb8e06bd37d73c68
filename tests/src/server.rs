//! Starts the `provisioning-server` binary for one test and makes organizations by its command line.

use std::env;
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::http::Client;
use crate::{Failure, check, random};

/// The command that builds the binary.
const BUILD: &str = "cargo build -p provisioning-server";

/// Settings of the server that an outer environment must not lend to it.
const ENVIRONMENT: [&str; 3] = ["DATABASE_URL", "PUBLIC_URL", "LISTEN"];

/// A running server with a database of its own; stopped, and its files removed, when dropped.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    directory: Directory,
    address: SocketAddr,
    process: Child,
    /// Flags of `serve` beside the address and the database.
    flags: Vec<String>,
}

/// The output of `org create --json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// The name.
    pub organization: String,
    /// The SCIM base URL.
    pub scim_url: String,
    /// The bearer token.
    pub token: String,
}

impl Organization {
    /// Makes a client of this organization that sends its token.
    pub fn client(&self) -> Result<Client, Failure> {
        Ok(Client::new(&self.scim_url)?.with_token(&self.token))
    }
}

impl Server {
    /// Starts the server on a free port of the loopback interface and waits until it answers `/healthz`.
    ///
    /// The binary is the one that the environment variable `PROVISIONING_SERVER` names, else the one beside the
    /// running test in the target directory.
    pub fn start() -> Result<Self, Failure> {
        Self::start_binary(&binary()?)
    }

    /// Starts this binary in the same way.
    pub fn start_binary(binary: &Path) -> Result<Self, Failure> {
        Self::start_with(binary, &[])
    }

    /// Starts this binary in the same way, with these flags of `serve`.
    pub fn start_with(binary: &Path, flags: &[&str]) -> Result<Self, Failure> {
        let mut last = Failure::new("never tried");
        // Another process may take the port between finding it and listening on it: then the server ends at once.
        for _ in 0..5 {
            match Self::launch(binary, flags).and_then(Self::ready) {
                Ok(server) => return Ok(server),
                Err(failure) => last = failure,
            }
        }
        Err(last.during("provisioning-server did not start in five attempts; the last one"))
    }

    fn launch(binary: &Path, flags: &[&str]) -> Result<Self, Failure> {
        let directory = Directory::new()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let flags: Vec<_> = flags.iter().map(ToString::to_string).collect();
        let process = serve(binary, &directory, address, &flags)?;
        Ok(Self {
            binary: binary.to_owned(),
            directory,
            address,
            process,
            flags,
        })
    }

    /// Ends the process at once, as a crash or SIGKILL does.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Asks the process to end, as an administrator does. Returns how long it took.
    pub fn terminate(&mut self) -> Result<Duration, Failure> {
        let began = Instant::now();
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status()?;
        check(sent.success(), || format!("kill -TERM {id} ended with {sent}"))?;
        self.process.wait()?;
        Ok(began.elapsed())
    }

    /// Starts the server again with its database, at its address, after it was [killed](Self::kill).
    pub fn restart(&mut self) -> Result<(), Failure> {
        self.process = serve(&self.binary, &self.directory, self.address, &self.flags)?;
        self.wait()
    }

    fn ready(mut self) -> Result<Self, Failure> {
        self.wait()?;
        Ok(self)
    }

    /// Waits until it answers.
    fn wait(&mut self) -> Result<(), Failure> {
        for _ in 0..600 {
            if let Some(status) = self.process.try_wait()? {
                return Err(Failure::new(format!(
                    "it ended with {status}: {}",
                    self.directory.log_text()
                )));
            }
            if self
                .origin()
                .and_then(|mut client| client.get("/healthz"))
                .is_ok_and(|answer| answer.status == 200)
            {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        let log = self.directory.log_text();
        Err(Failure::new(format!(
            "GET /healthz was not answered 200 in 600 attempts: {log}"
        )))
    }

    /// Returns the id of the process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Makes a client of the server's root, without a token.
    pub fn origin(&self) -> Result<Client, Failure> {
        Client::new(&format!("http://{}", self.address))
    }

    /// Returns the folder of this server: its database is `data.sqlite` in it.
    pub fn directory(&self) -> &Path {
        &self.directory.0
    }

    /// Makes an organization with these flags of `org create` while the server runs.
    pub fn organization(&self, name: &str, flags: &[&str]) -> Result<Organization, Failure> {
        let mut arguments = vec!["org", "create", name];
        arguments.extend_from_slice(flags);
        let printed = self.command_line(&arguments)?;
        let made: Organization = serde_json::from_str(&printed)
            .map_err(|e| Failure::from(e).during(format!("org create printed {printed}")))?;
        check(made.organization == name, || {
            format!("org create {name} made {:?}", made.organization)
        })?;
        let origin = format!("http://{}/", self.address);
        check(made.scim_url.starts_with(&origin), || {
            format!(
                "org create printed scim_url {:?}, but the server listens at {origin}",
                made.scim_url
            )
        })?;
        Ok(made)
    }

    /// Runs one command with `--json` on the database of this server and returns its standard output.
    pub fn command_line(&self, arguments: &[&str]) -> Result<String, Failure> {
        let output = command(&self.binary, &self.directory)
            .args(arguments)
            .args(["--json", "--database", &self.directory.database()])
            .stdin(Stdio::null())
            .output()?;
        let (stdout, stderr) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        check(output.status.success(), || {
            format!(
                "provisioning-server {} ended with {}: {stdout}{stderr}",
                arguments.join(" "),
                output.status
            )
        })?;
        Ok(stdout.into_owned())
    }

    /// Begins a command that is not waited for.
    pub fn begin(&self, arguments: &[&str]) -> Result<Child, Failure> {
        let mut command = command(&self.binary, &self.directory);
        command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Ok(command.spawn()?)
    }

    /// Checks that the process runs and answers.
    pub fn alive(&mut self) -> Result<(), Failure> {
        if let Some(status) = self.process.try_wait()? {
            return Err(Failure::new(format!(
                "the server ended with {status}: {}",
                self.directory.log_text()
            )));
        }
        self.origin()?.get("/healthz")?.expect(200)?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts the server; what it says goes to the end of its log.
fn serve(
    binary: &Path,
    directory: &Directory,
    address: SocketAddr,
    flags: &[String],
) -> Result<Child, Failure> {
    let log = File::options().create(true).append(true).open(directory.log())?;
    let address = address.to_string();
    command(binary, directory)
        .args(["serve", "--listen", &address, "--database", &directory.database()])
        .args(flags)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .map_err(|e| Failure::from(e).during(binary.display()))
}

fn command(binary: &Path, directory: &Directory) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(&directory.0);
    for name in ENVIRONMENT {
        command.env_remove(name);
    }
    command
}

fn binary() -> Result<PathBuf, Failure> {
    if let Some(named) = env::var_os("PROVISIONING_SERVER") {
        return Ok(named.into());
    }
    let test = env::current_exe()?;
    let name = format!("provisioning-server{}", env::consts::EXE_SUFFIX);
    // Test executables lie in `debug/deps`, binaries in `debug`.
    let beside = test
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file());
    beside.ok_or_else(|| {
        Failure::new(format!(
            "no {name} near {}: build it with `{BUILD}`, or name one in PROVISIONING_SERVER",
            test.display()
        ))
    })
}

/// Returns the server's binary of the same build as a benchmark, if there is one: benchmarks lie in `release/deps`, binaries
/// in `release`.
#[must_use]
pub fn built_beside() -> Option<PathBuf> {
    let name = format!("provisioning-server{}", env::consts::EXE_SUFFIX);
    let binary = env::current_exe().ok()?.parent()?.parent()?.join(name);
    binary.is_file().then_some(binary)
}

/// A temporary folder, removed when dropped.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn new() -> Result<Self, Failure> {
        let path = env::temp_dir().join(format!("scim-tests-{}", random::uuid()));
        fs::create_dir(&path).map_err(|e| Failure::from(e).during(path.display()))?;
        Ok(Self(path))
    }

    fn database(&self) -> String {
        format!("sqlite://{}", self.0.join("data.sqlite").display())
    }

    fn log(&self) -> PathBuf {
        self.0.join("server.log")
    }

    fn log_text(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
