//! The command line: serve, and everything that an operator automates.

mod admin;
mod adoption;
mod alert;
mod audit;
mod backup;
mod check;
mod config;
mod conflict;
mod connection;
mod documents;
mod event;
mod export;
mod flags;
mod group;
mod health;
mod history;
mod import;
mod integration;
mod key;
mod limits;
mod local_group;
mod mail;
mod mapping;
mod organization;
mod output;
mod progress;
mod role;
mod rows;
mod saml;
#[cfg(test)]
mod sentences;
mod serve;
mod setting;
mod settings;
mod setup_link;
mod sign_in;
mod simulate;
mod smtp;
mod token;
mod trust;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand};

use self::output::Output;
use self::settings::Settings;
use crate::database::{Address, Product, Purpose};
use crate::domain::actor::Actor;
use crate::domain::fault::{Fault, Result};
use crate::domain::network::Networks;
use crate::domain::organization::Name;
use crate::domain::public_url::PublicUrl;
use crate::fetch::Fetcher;

/// The address at which a server listens unless it is told otherwise.
const LISTEN: &str = "127.0.0.1:8080";

/// The URL at which such a server is reached.
const ORIGIN: &str = "http://127.0.0.1:8080";

/// A SCIM provisioning server. Without a command it serves.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 110)]
struct CommandLine {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

/// The database unless another is named.
const DATABASE: &str = "sqlite://data/provisioning.db";

/// The flags that every command understands. A value without a flag is looked up by [`Settings`].
#[derive(Debug, Args)]
struct Common {
    /// The database: sqlite://PATH [env: DATABASE_URL] [default: sqlite://data/provisioning.db]
    #[arg(long, global = true, value_name = "URL")]
    database: Option<String>,
    /// The file with the keys by which secrets in the database are sealed. It is made with the database; keep a copy of it
    /// elsewhere, and not with the backups [env: KEY_FILE] [default: the database's name with ".key" behind it]
    #[arg(long, global = true, value_name = "FILE")]
    key_file: Option<String>,
    /// The URL under which identity providers reach the server from outside, such as `https://scim.example.com` [env: PUBLIC_URL]
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// Private networks from which metadata may be fetched all the same, with commas, such as 10.1.0.0/16: nothing else there
    /// is reached, and nothing without https elsewhere [env: FETCH_FROM]
    #[arg(long, global = true, value_name = "NETWORKS")]
    fetch_from: Option<String>,
    /// A TOML file with values for --database, --key-file, --public-url, --fetch-from and the flags of "serve", under these names
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print exactly one JSON document
    #[arg(long, global = true)]
    json: bool,
}

impl Common {
    fn settings(&self) -> Result<Settings> {
        Settings::open(self.config.as_deref())
    }

    fn address(&self, settings: &mut Settings) -> Result<Address> {
        self.address_or(settings, DATABASE)
    }

    /// Returns the address of the database, which is `default` unless another is named.
    fn address_or(&self, settings: &mut Settings, default: &str) -> Result<Address> {
        let address = settings.or_default(
            &setting::DATABASE,
            self.database.as_deref(),
            default,
            Address::parse,
        )?;
        let key_file = settings.optional(&setting::KEY_FILE, self.key_file.as_deref(), serve::path)?;
        Ok(match key_file {
            Some(file) => address.with_key_file(file),
            None => address,
        })
    }

    /// Makes the client for URLs that administrators have entered.
    fn fetcher(&self, settings: &mut Settings) -> Result<Fetcher> {
        let opened = settings.optional(&setting::FETCH_FROM, self.fetch_from.as_deref(), Networks::parse)?;
        Ok(Fetcher::new(opened.unwrap_or_default()))
    }

    /// Returns the public URL that was configured.
    fn public_url(&self, settings: &mut Settings) -> Result<Option<PublicUrl>> {
        settings.optional(&setting::PUBLIC_URL, self.public_url.as_deref(), PublicUrl::parse)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve SCIM
    Serve(Box<serve::Serve>),
    /// Organizations: each has its own URL, tokens, people, groups and history
    #[command(subcommand)]
    Org(organization::Command),
    /// The API tokens of an organization
    #[command(subcommand)]
    Token(token::Command),
    /// Links to the set-up guide of an organization, for somebody without an account
    #[command(subcommand)]
    SetupLink(setup_link::Command),
    /// How an organization stands with its identity provider
    #[command(subcommand)]
    Connection(connection::Command),
    /// The things that the identity provider could not do because of something here, and what to do about it
    #[command(subcommand)]
    Conflict(conflict::Command),
    /// The requests of an organization's identity provider, and what came of them
    #[command(subcommand)]
    History(history::Command),
    /// The changes that administrators, operators and rules have made
    #[command(subcommand)]
    Audit(audit::Command),
    /// The connection of an organization with its identity provider: its state, its switch and its end
    #[command(subcommand)]
    Integration(integration::Command),
    /// The events of people, groups, roles and mappings, for programs that follow them
    #[command(subcommand)]
    Event(event::Command),
    /// The people of an organization: what they may do, and why
    #[command(subcommand)]
    User(user::Command),
    /// Groups that are kept here, hold roles, and are not shown over SCIM
    #[command(subcommand)]
    LocalGroup(local_group::Command),
    /// Alerts about many losses at once
    #[command(subcommand)]
    Alert(alert::Command),
    /// The mails of an organization: what was sent to whom, and what was not
    #[command(subcommand)]
    Mail(mail::Command),
    /// Roles: what they permit
    #[command(subcommand)]
    Role(role::Command),
    /// Single sign-on by SAML: the identity provider, and what it must be told
    #[command(subcommand)]
    Saml(saml::Command),
    /// The groups that the identity provider has sent
    #[command(subcommand)]
    Group(group::Command),
    /// Which groups are mapped to which roles, and what a change would do
    #[command(subcommand)]
    Mapping(mapping::Command),
    /// Write everything that an organization has to a file
    Export(export::Export),
    /// Take in what "export" has written
    Import(import::Import),
    /// Copy the database into a file while the server runs. Secrets in it stay sealed: the key file is not part of it
    Backup(backup::Backup),
    /// Put a backup in the place of the database; the server must not run. The key file must be the one of the backup
    Restore(backup::Restore),
    /// Owners of the instance: they belong to no organization, and may do everything in each
    #[command(subcommand)]
    Admin(admin::Command),
    /// The keys by which secrets in the database are sealed
    #[command(subcommand)]
    Key(key::Command),
    /// Check the database, and that everything in it belongs together
    Check(check::Check),
    /// Try a SCIM server, this one or any other, with a simulated identity provider
    Simulate(simulate::Simulate),
    /// Ask a running server whether it is ready: for a container's health check
    Health(health::Health),
}

/// The things that a command works with.
struct Session {
    product: Product,
    output: Output,
    database: Address,
    base: PublicUrl,
    fetcher: Fetcher,
}

impl Session {
    /// Returns the operator who runs the command.
    fn actor(&self) -> Actor {
        operator()
    }

    /// Returns the URL at which the product behind reads who may do what.
    fn access_url(&self) -> String {
        format!("{}/api/v1/access/{{userName}}", self.base)
    }

    fn scim_url(&self, organization: &Name) -> String {
        self.base.scim(organization)
    }
}

/// Returns whoever has started the process.
fn operator() -> Actor {
    let user = ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok());
    Actor::operator(
        user.filter(|user| !user.is_empty())
            .unwrap_or_else(|| "operator".to_owned()),
    )
}

/// Runs the command that the process was started with: 0 if it succeeded, 1 if not, 2 if it was not understood. A
/// simulation that ends out of step has not succeeded.
pub(crate) fn run() -> ExitCode {
    let wants_json = std::env::args_os().any(|argument| argument == "--json");
    let parsed = match CommandLine::try_parse() {
        Ok(parsed) => parsed,
        Err(error) => return not_understood(&error, wants_json),
    };
    let output = Output::new(parsed.common.json);
    match execute(parsed, output) {
        Ok(code) => code,
        Err(fault) => {
            output.fault(&fault);
            ExitCode::FAILURE
        }
    }
}

/// Prints help and version on standard output; anything else is a mistake in the command.
fn not_understood(error: &clap::Error, wants_json: bool) -> ExitCode {
    let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !asked_for {
        Output::new(wants_json).usage(&error.render());
        return ExitCode::from(2);
    }
    match error.print() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn execute(line: CommandLine, output: Output) -> Result<ExitCode> {
    let common = line.common;
    let success = |()| ExitCode::SUCCESS;
    match line.command.unwrap_or_else(|| Command::Serve(Box::default())) {
        Command::Simulate(command) => wait_for(Runtime::Command, command.run(&common, output)),
        Command::Health(command) => wait_for(Runtime::Command, command.run(&common, output)).map(success),
        Command::Serve(command) => wait_for(Runtime::Server, command.run(&common, output)).map(success),
        Command::Restore(command) => wait_for(Runtime::Command, command.run(&common, output)).map(success),
        Command::Org(command) => {
            let makes_database = command.makes_database();
            in_session(&common, output, makes_database, async |session| {
                command.run(session).await
            })
            .map(success)
        }
        Command::Token(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Integration(command) => {
            in_database(&common, output, async |session| command.run(session).await)
        }
        Command::SetupLink(command) => {
            in_database(&common, output, async |session| command.run(session).await)
        }
        Command::Connection(command) => {
            in_database(&common, output, async |session| command.run(session).await)
        }
        Command::Conflict(command) => {
            in_database(&common, output, async |session| command.run(session).await)
        }
        Command::History(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Audit(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Event(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::User(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::LocalGroup(command) => {
            in_database(&common, output, async |session| command.run(session).await)
        }
        Command::Admin(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Alert(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Mail(mail::Command::Test(command)) => {
            wait_for(Runtime::Command, command.run(&common, output)).map(success)
        }
        Command::Mail(mail::Command::Mailbox(command)) => {
            in_database(&common, output, async |session| command.run(session).await)
        }
        Command::Role(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Saml(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Group(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Mapping(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Export(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Import(command) => {
            let import = command.begin()?;
            in_session(&common, output, true, async |session| import.run(session).await)
        }
        Command::Key(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Backup(command) => in_database(&common, output, async |session| command.run(session).await),
        Command::Check(command) => {
            in_session(&common, output, false, async |session| command.run(session).await)
        }
    }
}

/// Runs a command that works with a database that is there, and either succeeds or fails.
fn in_database(
    common: &Common,
    output: Output,
    command: impl AsyncFnOnce(&Session) -> Result<()>,
) -> Result<ExitCode> {
    in_session(common, output, false, command).map(|()| ExitCode::SUCCESS)
}

/// Runs a command that works with the database.
fn in_session<T>(
    common: &Common,
    output: Output,
    makes_database: bool,
    command: impl AsyncFnOnce(&Session) -> Result<T>,
) -> Result<T> {
    wait_for(Runtime::Command, async {
        let session = open(common, output, makes_database).await?;
        let outcome = command(&session).await;
        session.product.close().await;
        outcome
    })
}

async fn open(common: &Common, output: Output, makes_database: bool) -> Result<Session> {
    let mut settings = common.settings()?;
    let public_url = common.public_url(&mut settings)?;
    let address = common.address(&mut settings)?;
    let fetcher = common.fetcher(&mut settings)?;
    if !makes_database && !address.exists() {
        return Err(Fault::not_found(format!(
            "There is no database at {address}: start the server, make an organization with \"org create\", or name \
             another database with --database."
        )));
    }
    let product = Product::open(&address, Purpose::Command).await?;
    let base = match public_url {
        Some(url) => url,
        None => PublicUrl::parse(product.origin().await?.as_deref().unwrap_or(ORIGIN))?,
    };
    Ok(Session {
        product,
        output,
        database: address,
        base,
        fetcher,
    })
}

#[derive(Clone, Copy)]
enum Runtime {
    /// One thread is enough.
    Command,
    Server,
}

fn wait_for<T>(runtime: Runtime, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut builder = match runtime {
        Runtime::Command => tokio::runtime::Builder::new_current_thread(),
        Runtime::Server => tokio::runtime::Builder::new_multi_thread(),
    };
    builder
        .enable_all()
        .build()
        .map_err(|cause| Fault::internal("The process cannot start its threads.", cause))?
        .block_on(work)
}
