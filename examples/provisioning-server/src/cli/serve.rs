//! `serve`

use std::net::SocketAddr;
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

use super::config::Config;
use super::documents::{Served, Serving};
use super::output::Output;
use super::token::generate;
use super::{Common, LISTEN, given};
use crate::database::{Address, Product, Purpose};
use crate::domain::fault::{Fault, Result};
use crate::domain::organization::{Name, Organization};
use crate::domain::public_url::PublicUrl;
use crate::domain::settings::Settings;
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
    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "LISTEN")]
    listen: Option<String>,
    /// For trying things out: make a token for the organization "default" if it has none, and print it
    #[arg(long)]
    demo: bool,
    /// How the log on standard error is written: text or json [default: text]
    #[arg(long, value_name = "FORMAT", env = "LOG_FORMAT")]
    log_format: Option<String>,
    /// How many seconds to go on serving, but not ready, when asked to end, so that others stop sending requests
    /// [default: 0]
    #[arg(long, value_name = "SECONDS", env = "DRAIN_DELAY")]
    drain_delay: Option<String>,
}

impl Serve {
    pub(super) async fn run(mut self, common: &Common, output: Output) -> Result<()> {
        let file = common.file()?;
        self.demo |= file.demo;
        let public_url = common.public_url(&file)?;
        let wanted = self.address(&file)?;
        let delay = self.drain_delay(&file)?;
        let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
        log::begin(&filter, self.log_format(&file)?).map_err(Fault::invalid)?;
        let database = common.address(&file)?;
        let product = Arc::new(Product::open(&database, Purpose::Serve).await?);
        let listener = TcpListener::bind(wanted).await.map_err(|cause| {
            Fault::internal(
                format!("The server cannot listen on {wanted}: choose another address with --listen."),
                cause,
            )
        })?;
        let address = listener.local_addr().unwrap_or(wanted);
        let base = match &public_url {
            Some(url) => url.clone(),
            None => PublicUrl::of_listener(address),
        };
        product.purge_deleted(Timestamp::now()).await?;
        product.set_origin(&base.to_string()).await?;
        let ended = shutdown::listen()
            .map_err(|cause| Fault::internal("The server cannot listen for signals to end.", cause))?;
        let token = self.first_start(&product).await?;
        announce(&product, address, &base, token, output, &database).await?;
        serve(listener, product, public_url, delay, ended).await
    }

    /// Where to listen.
    fn address(&self, file: &Config) -> Result<SocketAddr> {
        let variable = variable("LISTEN");
        let text = given(&self.listen)
            .or(given(&variable))
            .or(file.listen.as_deref())
            .unwrap_or(LISTEN);
        text.parse().map_err(|_| {
            Fault::invalid(format!(
                "{text:?} is not an address to listen on: write IP:PORT, such as {LISTEN} or 0.0.0.0:8080."
            ))
        })
    }

    fn log_format(&self, file: &Config) -> Result<log::Format> {
        let variable = variable("LOG_FORMAT");
        let text = given(&self.log_format)
            .or(given(&variable))
            .or(file.log_format.as_deref())
            .unwrap_or("text");
        text.parse().map_err(|why: String| Fault::invalid(why))
    }

    fn drain_delay(&self, file: &Config) -> Result<Duration> {
        let variable = variable("DRAIN_DELAY");
        let seconds = match given(&self.drain_delay).or(given(&variable)) {
            Some(text) => text.parse().map_err(|_| {
                Fault::invalid(format!(
                    "{text:?} is no number of seconds to drain for: write a whole number up to {}.",
                    u16::MAX
                ))
            })?,
            None => file.drain_delay.unwrap_or(0),
        };
        Ok(Duration::from_secs(u64::from(seconds)))
    }

    /// Makes the organization `default` the first time, and a token for it in a demonstration.
    async fn first_start(&self, product: &Product) -> Result<Option<String>> {
        let name = Name::parse(DEFAULT)?;
        let now = Timestamp::now();
        let mut exists = product
            .organizations()
            .await?
            .iter()
            .any(|found| found.name == name);
        if product.is_first_start().await? && !exists {
            let organization =
                Organization::new(Uuid::now_v7(), name.clone(), None, Settings::default(), now)?;
            product.create_organization(organization, None).await?;
            exists = true;
        }
        if !self.demo || !exists || has_live_token(product, &name, now).await? {
            return Ok(None);
        }
        let secret = generate()?;
        let new = Token::new(Uuid::now_v7(), &secret, now, None);
        let rule = move |all: &[Token]| token::issue(all, Issue::Create, now);
        product.change_tokens(&name, now, Some(new), rule).await?;
        Ok(Some(secret.reveal().to_owned()))
    }
}

/// A variable of the environment. Where `serve` is not said, clap has not looked there.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
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
