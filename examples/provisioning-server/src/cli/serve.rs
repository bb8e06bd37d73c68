//! `serve`

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::serve::ListenerExt;
use clap::Args;
use jiff::Timestamp;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::documents::{Configuration, Served, Serving};
use super::output::Output;
use super::settings::{self, Settings};
use super::token::generate;
use super::{Common, LISTEN};
use crate::database::{Address, Product, Purpose};
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::{Name, Organization};
use crate::domain::public_url::PublicUrl;
use crate::domain::settings::Settings as OrganizationSettings;
use crate::domain::token::{self, Issue, Token};
use crate::history::Recorder;
use crate::operate::health::{self, Readiness, VERSION};
use crate::operate::metrics::{self, Metrics};
use crate::operate::observe::observe;
use crate::operate::{log, shutdown};
use crate::scim_api::{self, Directory, Endpoint, People};

/// How long requests under way may take once the server is asked to end.
const DRAIN: Duration = Duration::from_secs(20);

/// The organization that the first start makes.
const DEFAULT: &str = "default";

#[derive(Debug, Default, Args)]
pub(super) struct Serve {
    /// Where to listen [env: LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// For trying things out: make a token for the organization "default" if it has none, and print it
    #[arg(long)]
    demo: bool,
    /// How the log on standard error is written: text or json [env: LOG_FORMAT] [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// What is logged: levels, such as `info,provisioning_server=debug` [env: RUST_LOG] [default: info]
    #[arg(long, value_name = "LEVELS")]
    log_filter: Option<String>,
    /// How many seconds to go on serving, but not ready, when asked to end, so that others stop sending requests
    /// [env: DRAIN_DELAY] [default: 0]
    #[arg(long, value_name = "SECONDS")]
    drain_delay: Option<String>,
    /// Print every setting and where it was found, and end: 0 if the server would start with them
    #[arg(long)]
    check_config: bool,
}

/// The settings in force.
#[derive(Debug)]
struct InForce {
    database: Address,
    public_url: Option<PublicUrl>,
    listen: SocketAddr,
    demo: bool,
    log_format: log::Format,
    log_filter: log::Filter,
    drain_delay: Duration,
}

impl Serve {
    pub(super) async fn run(self, common: &Common, output: Output) -> Result<()> {
        let mut settings = common.settings()?;
        let chosen = self.in_force(common, &mut settings)?;
        if self.check_config {
            print_settings(settings, output);
            return Ok(());
        }
        log::begin(chosen.log_filter, chosen.log_format).map_err(Fault::invalid)?;
        let product = Arc::new(Product::open(&chosen.database, Purpose::Serve).await?);
        let (listener, address) = listen(chosen.listen).await?;
        let base = match &chosen.public_url {
            Some(url) => url.clone(),
            None => PublicUrl::of_listener(address),
        };
        product.purge_deleted(Timestamp::now()).await?;
        product.set_origin(&base.to_string()).await?;
        let ended = shutdown::listen()
            .map_err(|cause| Fault::internal("The server cannot listen for signals to end.", cause))?;
        let token = first_start(&product, chosen.demo).await?;
        announce(&product, address, &base, token, output, &chosen.database).await?;
        serve(listener, product, chosen.public_url, chosen.drain_delay, ended).await
    }

    fn in_force(&self, common: &Common, settings: &mut Settings) -> Result<InForce> {
        Ok(InForce {
            database: common.address(settings)?,
            public_url: common.public_url(settings)?,
            listen: settings.or_default(&settings::LISTEN, self.listen.as_deref(), LISTEN, address)?,
            demo: settings.or_default(
                &settings::DEMO,
                self.demo.then_some("true"),
                "false",
                true_or_false,
            )?,
            log_format: settings.or_default(
                &settings::LOG_FORMAT,
                self.log_format.as_deref(),
                "text",
                parse,
            )?,
            log_filter: settings.or_default(
                &settings::LOG_FILTER,
                self.log_filter.as_deref(),
                "info",
                parse,
            )?,
            drain_delay: settings.or_default(
                &settings::DRAIN_DELAY,
                self.drain_delay.as_deref(),
                "0",
                seconds,
            )?,
        })
    }
}

/// Reads where to listen.
fn address(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        Fault::invalid(format!(
            "{text:?} is not an address to listen on: write IP:PORT, such as {LISTEN} or 0.0.0.0:8080."
        ))
    })
}

fn parse<T: FromStr<Err = String>>(text: &str) -> Result<T> {
    text.parse().map_err(|why: String| Fault::invalid(why))
}

fn true_or_false(text: &str) -> Result<bool> {
    text.parse()
        .map_err(|_| Fault::invalid(format!("{text:?} is neither true nor false.")))
}

fn seconds(text: &str) -> Result<Duration> {
    let seconds: u16 = text.parse().map_err(|_| {
        Fault::invalid(format!(
            "{text:?} is no number of seconds to drain for: write a whole number up to {}.",
            u16::MAX
        ))
    })?;
    Ok(Duration::from_secs(seconds.into()))
}

/// Prints where each setting comes from.
fn print_settings(settings: Settings, output: Output) {
    let document = Configuration {
        settings: settings.in_force(),
    };
    output.result(&document, |checked| settings::describe(&checked.settings));
}

async fn listen(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(wanted).await.map_err(|cause| {
        Fault::internal(
            format!("The server cannot listen on {wanted}: choose another address with --listen."),
            cause,
        )
    })?;
    let address = listener.local_addr().unwrap_or(wanted);
    Ok((listener, address))
}

/// Makes the organization `default` the first time, and a token for it in a demonstration.
async fn first_start(product: &Product, demo: bool) -> Result<Option<String>> {
    let name = Name::parse(DEFAULT)?;
    let now = Timestamp::now();
    let mut exists = product
        .organizations()
        .await?
        .iter()
        .any(|found| found.name == name);
    if product.is_first_start().await? && !exists {
        let organization = Organization::new(
            Uuid::now_v7(),
            name.clone(),
            None,
            OrganizationSettings::default(),
            now,
        )?;
        product.create_organization(organization, None).await?;
        exists = true;
    }
    if !demo || !exists || has_live_token(product, &name, now).await? {
        return Ok(None);
    }
    let secret = generate()?;
    let new = Token::new(Uuid::now_v7(), &secret, now, None);
    let rule = move |all: &[Token]| token::issue(all, Issue::Create, now);
    product.change_tokens(&name, now, Some(new), rule).await?;
    Ok(Some(secret.reveal().to_owned()))
}
async fn has_live_token(product: &Product, name: &Name, now: Timestamp) -> Result<bool> {
    let access = product.organization(name).await?;
    Ok(access.tokens.iter().any(|token| token.is_live(now)))
}

/// Says where the server is, and how to go on.
async fn announce(
    product: &Product,
    address: SocketAddr,
    base: &PublicUrl,
    token: Option<String>,
    output: Output,
    database: &Address,
) -> Result<()> {
    let organizations = product.organizations().await?;
    let hint = match organizations.iter().find(|found| found.name.as_str() == DEFAULT) {
        Some(found) if !has_live_token(product, &found.name, Timestamp::now()).await? => {
            let program = program();
            format!("Make a token:  {program} token create {DEFAULT} --database {database}\n")
        }
        _ => String::new(),
    };
    let served = |organization: Organization| Served {
        scim_url: base.scim(&organization.name),
        organization: organization.name.to_string(),
    };
    let document = Serving {
        listening: format!("http://{address}"),
        version: VERSION,
        organizations: organizations.into_iter().map(served).collect(),
        token,
    };
    output.result(&document, |serving| serving_text(serving) + &hint);
    Ok(())
}

/// How many organizations are worth listing at the start.
const LISTED: usize = 5;

fn serving_text(serving: &Serving) -> String {
    let mut text = format!(
        "provisioning-server {} listens on {}\n",
        serving.version, serving.listening
    );
    for served in serving.organizations.iter().take(LISTED) {
        text += &format!("SCIM URL of {:?}:  {}\n", served.organization, served.scim_url);
    }
    if serving.organizations.len() > LISTED {
        text += &format!("… and {} more: org list\n", serving.organizations.len() - LISTED);
    }
    if let Some(token) = &serving.token {
        text += &format!("Token of \"default\", shown this once:  {token}\n");
    }
    text
}

/// What to type to run this program again.
fn program() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned())
}

/// Serves until the process is asked to end, then answers what is under way and writes the history down.
async fn serve(
    listener: TcpListener,
    product: Arc<Product>,
    public_url: Option<PublicUrl>,
    delay: Duration,
    ended: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let history = Arc::new(Recorder::default());
    let writer = tokio::spawn(Arc::clone(&history).run(Arc::clone(&product)));
    let endpoint = Endpoint {
        directory: Directory::new(Arc::clone(&product)),
        history: Arc::clone(&history),
        people: People::open(&product, public_url.as_ref())?,
    };
    let metrics = Arc::new(Metrics::new(Arc::clone(&product), Arc::clone(&history)));
    let readiness = Arc::new(Readiness::new(Arc::clone(&product)));
    let app = scim_api::router(Arc::new(endpoint))
        .fallback(scim_api::no_route)
        .layer(from_fn_with_state(Arc::clone(&metrics), observe))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz).with_state(Arc::clone(&readiness)))
        .route("/metrics", get(metrics::metrics).with_state(metrics));
    let ended = async move {
        ended.await;
        readiness.begin_drain();
        tokio::time::sleep(delay).await;
    };
    let outcome = answer_requests(listener, app, ended).await;
    writer.abort();
    history.flush(&product).await?;
    product.close().await;
    outcome
}

/// Answers requests until `ended` completes, and then those that are under way, for a limited time.
async fn answer_requests(
    listener: TcpListener,
    app: Router,
    ended: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let (begin_drain, mut draining) = tokio::sync::watch::channel(());
    // Small answers should not wait for more to fill a packet.
    let listener = listener.tap_io(|connection| _ = connection.set_nodelay(true));
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        ended.await;
        tracing::info!("Ending: requests under way are still answered.");
        _ = begin_drain.send(());
    });
    let deadline = async move {
        if draining.changed().await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        } else {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        outcome = server => outcome.map_err(|cause| Fault::internal("The server stopped.", cause)),
        () = deadline => {
            tracing::warn!("Some requests took longer than {} seconds and were cut off.", DRAIN.as_secs());
            Ok(())
        }
    }
}
