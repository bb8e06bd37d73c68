//! `serve`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use clap::Args;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::documents::{Configuration, Served, Serving};
use super::limits;
use super::output::Output;
use super::setting;
use super::settings::{self, Settings};
use super::smtp;
use super::{Common, LISTEN, operator};
use crate::actions::organization::{Beginning, Draft};
use crate::actions::{self, organization};
use crate::api::{self, Api};
use crate::database::{Address, Product, Purpose};
use crate::delivery::mail::settings::{Imprint, Smtp};
use crate::delivery::mail::{Counts, Delivery};
use crate::demo::{self, Claim, Demo};
use crate::domain::fault::{Fault, Result};
use crate::domain::network::Networks;
use crate::domain::organization::{Name, Organization};
use crate::domain::public_url::{PublicUrl, Scheme};
use crate::domain::realm::Realm;
use crate::domain::secret::Secret;
use crate::domain::settings::Changes;
use crate::domain::token::{Purpose as TokenPurpose, Token};
use crate::fetch::Fetcher;
use crate::history::{Recorder, retention};
use crate::login::{self, Login};
use crate::operate::certificates::{Certificates, Files};
use crate::operate::connections::Apps;
use crate::operate::health::{self, Readiness, VERSION};
use crate::operate::metrics::{self, Metrics};
use crate::operate::observe::Observe;
use crate::operate::traces::Traces;
use crate::operate::{connections, guard, log, metadata, reload, service_manager, shutdown};
use crate::portal::{self, Portal};
use crate::scim_api::{self, Serving as Endpoints, Watch};

/// The organization that the first start makes.
const DEFAULT: &str = "default";

#[derive(Debug, Default, Args)]
pub(super) struct Serve {
    /// The address to listen on [env: LISTEN] [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The reverse proxies before this server, with commas: networks such as 10.1.0.0/16, or addresses. The address of a
    /// client is the last one in X-Forwarded-For that is none of them [env: TRUSTED_PROXIES]
    #[arg(long, value_name = "NETWORKS")]
    trusted_proxies: Option<String>,
    /// Speak HTTPS: a PEM file with the server's certificate and those that lead to an authority. It is read again on
    /// SIGHUP, and by itself when it has changed [env: TLS_CERT]
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<String>,
    /// The PEM file with the private key of the certificate [env: TLS_KEY]
    #[arg(long, value_name = "FILE")]
    tls_key: Option<String>,
    /// Show a working product: organizations that simulated identity providers have made and keep changing, in a database
    /// of their own (sqlite://data/demo.db). It listens on loopback only and sends nothing out
    #[arg(long)]
    demo: bool,
    /// How the log on standard error is written: text or json [env: LOG_FORMAT] [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// The levels that are logged, such as `info,provisioning_server=debug` [env: RUST_LOG] [default: info]
    #[arg(long, value_name = "LEVELS")]
    log_filter: Option<String>,
    /// How many seconds to go on serving, but not ready, when asked to end, so that others stop sending requests
    /// [env: DRAIN_DELAY] [default: 0]
    #[arg(long, value_name = "SECONDS")]
    drain_delay: Option<String>,
    /// Send traces to the OpenTelemetry collector at this URL, by OTLP over HTTP, such as `http://127.0.0.1:4318`
    /// [default: what the standard variables OTEL_EXPORTER_OTLP_… say]
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
    #[command(flatten)]
    mail: smtp::Flags,
    #[command(flatten)]
    limits: limits::Flags,
    /// Print every setting and where it was found, and end: 0 if the server would start with them
    #[arg(long)]
    check_config: bool,
}

/// The settings in force.
#[derive(Debug)]
struct InForce {
    database: Address,
    public_url: Option<PublicUrl>,
    fetcher: Fetcher,
    listen: SocketAddr,
    proxies: Networks,
    tls: Option<Files>,
    demo: bool,
    log_format: log::Format,
    log_filter: log::Filter,
    drain_delay: Duration,
    /// The endpoint that flag or file say; the standard variables of the environment come between the two.
    otlp_endpoint: Option<String>,
    mail: smtp::InForce,
    limits: limits::InForce,
}

impl InForce {
    /// Checks that a demonstration is reached from this machine alone and sends nothing out.
    ///
    /// # Errors
    /// Invalid if it would not be.
    fn demand_secluded_demo(&self) -> Result<()> {
        if self.demo && !self.listen.ip().is_loopback() {
            return Err(Fault::invalid(format!(
                "{} is not an address for a demonstration, which listens on loopback only: leave --listen out, or write \
                 {LISTEN}.",
                self.listen
            )));
        }
        if self.demo && self.otlp_endpoint.is_some() {
            return Err(Fault::invalid(
                "A demonstration sends nothing out, and --otlp-endpoint sends traces: leave one of the two out.",
            ));
        }
        if self.demo && self.mail.smtp.is_some() {
            return Err(Fault::invalid(
                "A demonstration sends nothing out, and --smtp-host sends mails: leave one of the two out.",
            ));
        }
        Ok(())
    }

    /// Checks that links in mails lead to this server.
    ///
    /// # Errors
    /// Invalid if it is not known where it is reached.
    fn demand_reachable_links(&self) -> Result<()> {
        if self.mail.smtp.is_some() && self.public_url.is_none() && !self.listen.ip().is_loopback() {
            return Err(Fault::invalid(
                "Mails have links that lead to this server: write where it is reached from outside with --public-url.",
            ));
        }
        Ok(())
    }
}

impl Serve {
    pub(super) async fn run(self, common: &Common, output: Output) -> Result<()> {
        let mut settings = common.settings()?;
        let chosen = self.in_force(common, &mut settings)?;
        let certificates = match chosen.tls {
            Some(files) => Some(Arc::new(Certificates::open(files)?)),
            None => None,
        };
        let traces = match chosen.demo {
            true => Traces::none(),
            false => Traces::begin(self.otlp_endpoint.as_deref(), chosen.otlp_endpoint.as_deref())?,
        };
        if self.check_config {
            print_settings(settings, certificates.as_deref(), output);
            return Ok(());
        }
        log::begin(chosen.log_filter, chosen.log_format, &traces).map_err(Fault::invalid)?;
        let purpose = Purpose::Serve(Box::new(chosen.limits.database.clone()));
        let product = Arc::new(Product::open(&chosen.database, purpose).await?);
        let demo = match chosen.demo {
            true => Some(demo::claim(&product).await?),
            false => None,
        };
        let (listener, address) = listen(chosen.listen).await?;
        let scheme = scheme(certificates.is_some());
        let base = match &chosen.public_url {
            Some(url) => url.clone(),
            None => PublicUrl::of_listener(scheme, address),
        };
        product.purge_deleted(Timestamp::now()).await?;
        let is_left = actions::is_left(&product).await?;
        product.set_origin(&base.to_string()).await?;
        let product_name = chosen.mail.product.clone();
        let mail = Mail::prepare(&product, chosen.mail, &base).await?;
        let server = Server {
            mail,
            listener,
            certificates,
            public_url: chosen.public_url,
            base: base.clone(),
            product_name,
            fetcher: chosen.fetcher,
            proxies: chosen.proxies,
            drain_delay: chosen.drain_delay,
            limits: chosen.limits,
            is_demonstration: demo.is_some(),
            is_left,
            login: Login::new(Arc::clone(&product))?,
            product,
        };
        let opened = server.open(&traces)?;
        let product = &server.product;
        // Until it is made, the process ends at once when it is asked to.
        let demo = match demo {
            Some(claim) => Some(opened.demo(product, claim).await?),
            None => first_start(product).await.map(|()| None)?,
        };
        let cannot_listen = |cause| Fault::internal("The server cannot listen for signals.", cause);
        let ended = shutdown::listen().map_err(cannot_listen)?;
        let reloading = reload::listen(server.certificates.clone()).map_err(cannot_listen)?;
        let listening = format!("{scheme}://{address}");
        announce(product, listening, &base, demo.as_ref(), output, &chosen.database).await?;
        let outcome = server.run(opened, demo, ended, reloading).await;
        traces.end().await;
        outcome
    }

    fn in_force(&self, common: &Common, settings: &mut Settings) -> Result<InForce> {
        let flag = self.demo.then_some("true");
        let demo = settings.or_default(&setting::DEMO, flag, "false", true_or_false)?;
        let database = if demo { demo::DATABASE } else { super::DATABASE };
        let chosen = InForce {
            demo,
            database: common.address_or(settings, database)?,
            public_url: common.public_url(settings)?,
            fetcher: common.fetcher(settings)?,
            listen: settings.or_default(&setting::LISTEN, self.listen.as_deref(), LISTEN, address)?,
            proxies: settings
                .optional(
                    &setting::TRUSTED_PROXIES,
                    self.trusted_proxies.as_deref(),
                    Networks::parse,
                )?
                .unwrap_or_default(),
            tls: self.tls(settings)?,
            log_format: settings.or_default(
                &setting::LOG_FORMAT,
                self.log_format.as_deref(),
                "text",
                parse,
            )?,
            log_filter: settings.or_default(
                &setting::LOG_FILTER,
                self.log_filter.as_deref(),
                "info",
                parse,
            )?,
            drain_delay: settings.or_default(
                &setting::DRAIN_DELAY,
                self.drain_delay.as_deref(),
                "0",
                seconds,
            )?,
            otlp_endpoint: settings.optional(
                &setting::OTLP_ENDPOINT,
                self.otlp_endpoint.as_deref(),
                |text| Ok(text.to_owned()),
            )?,
            mail: self.mail.in_force(settings)?,
            limits: self.limits.in_force(settings)?,
        };
        chosen.demand_secluded_demo()?;
        chosen.demand_reachable_links()?;
        Ok(chosen)
    }

    /// Returns the files of certificate and key: both, or neither.
    fn tls(&self, settings: &mut Settings) -> Result<Option<Files>> {
        let certificate = settings.optional(&setting::TLS_CERT, self.tls_cert.as_deref(), path)?;
        let key = settings.optional(&setting::TLS_KEY, self.tls_key.as_deref(), path)?;
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some(Files { certificate, key })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(Fault::invalid(
                "There is a certificate (--tls-cert) without its key: name the file of the key with --tls-key.",
            )),
            (None, Some(_)) => Err(Fault::invalid(
                "There is a key (--tls-key) without its certificate: name the file of the certificate with --tls-cert.",
            )),
        }
    }
}

/// Reads where to listen.
pub(super) fn address(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        Fault::invalid(format!(
            "{text:?} is not an address to listen on: write IP:PORT, such as {LISTEN} or 0.0.0.0:8080."
        ))
    })
}

/// Returns the scheme that a server with or without a certificate speaks.
pub(super) fn scheme(has_certificate: bool) -> Scheme {
    if has_certificate {
        Scheme::Https
    } else {
        Scheme::Http
    }
}

/// Reads the name of a file.
pub(super) fn path(text: &str) -> Result<PathBuf> {
    Ok(text.into())
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
            "{text:?} is not a number of seconds to drain for; expected a whole number up to {}.",
            u16::MAX
        ))
    })?;
    Ok(Duration::from_secs(seconds.into()))
}

/// Prints where each setting comes from, and what is to be said about the certificate.
fn print_settings(settings: Settings, certificates: Option<&Certificates>, output: Output) {
    let document = Configuration {
        settings: settings.in_force(),
        warnings: certificates.map_or_else(Vec::new, |it| it.warnings(Timestamp::now())),
    };
    output.result(&document, |checked| {
        let warnings = checked.warnings.iter().map(|it| format!("warning: {it}\n"));
        settings::describe(&checked.settings) + &warnings.collect::<String>()
    });
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

/// Makes the organization `default` the first time.
async fn first_start(product: &Product) -> Result<()> {
    let name = Name::parse(DEFAULT)?;
    let exists = product
        .organizations()
        .await?
        .iter()
        .any(|found| found.name == name);
    if !product.is_first_start().await? || exists {
        return Ok(());
    }
    let draft = Draft {
        name,
        display: None,
        settings: Changes::default(),
        beginning: Beginning::Enabled,
    };
    organization::create(product, &operator(), draft).await?;
    Ok(())
}

async fn has_live_token(product: &Product, name: &Name, now: Timestamp) -> Result<bool> {
    let access = product.organization(name).await?;
    let is_good = |token: &Token| token.purpose == TokenPurpose::Scim && token.is_live(now);
    Ok(access.tokens.iter().any(is_good))
}

/// Says where the server is, and how to go on.
async fn announce(
    product: &Product,
    listening: String,
    base: &PublicUrl,
    demo: Option<&Demo>,
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
    let set_up = login::set_up_link(product).await?;
    let set_up_path = |link: Secret| format!("{base}{}/set-up/{}", Realm::Instance.path(), link.reveal());
    let document = Serving {
        listening,
        set_up_url: set_up.map(set_up_path),
        version: VERSION,
        organizations: organizations.into_iter().map(served).collect(),
        commands: demo.map_or_else(Vec::new, |demo| demo.commands(&program(), database)),
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
    if let Some(url) = &serving.set_up_url {
        text += &format!("Set this server up, once, within 24 hours:  {url}\n");
    }
    if !serving.commands.is_empty() {
        text += "\nA demonstration, which goes on while the server runs. Try, in another terminal:\n";
        text.extend(serving.commands.iter().map(|command| format!("  {command}\n")));
    }
    text
}

/// Returns what to type to run this program again.
fn program() -> String {
    std::env::args()
        .next()
        .unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned())
}

/// How mails are sent.
struct Mail {
    smtp: Smtp,
    imprint: Imprint,
    pace: u32,
    counts: Arc<Counts>,
}

impl Mail {
    /// Notes whether mails are sent from now on. If not, there is nothing to send them by.
    async fn prepare(product: &Product, chosen: smtp::InForce, base: &PublicUrl) -> Result<Option<Self>> {
        product.set_product_name(&chosen.product).await?;
        let Some(smtp) = chosen.smtp else {
            product.keep_mails().await?;
            return Ok(None);
        };
        product.send_mails().await?;
        let imprint = Imprint {
            product: chosen.product,
            base: base.clone(),
        };
        Ok(Some(Self {
            smtp,
            imprint,
            pace: chosen.pace.get(),
            counts: Arc::default(),
        }))
    }

    /// Begins to send mails.
    fn begin(self, product: &Arc<Product>, stop: watch::Receiver<bool>) -> JoinHandle<()> {
        let Self {
            smtp,
            imprint,
            pace,
            counts,
        } = self;
        tokio::spawn(Delivery::new(Arc::clone(product), smtp, imprint, pace, counts, stop).run())
    }
}

/// A server that listens.
struct Server {
    listener: TcpListener,
    product: Arc<Product>,
    certificates: Option<Arc<Certificates>>,
    public_url: Option<PublicUrl>,
    /// The public URL, or the one of the listener.
    base: PublicUrl,
    product_name: String,
    fetcher: Fetcher,
    /// The reverse proxies before it.
    proxies: Networks,
    drain_delay: Duration,
    mail: Option<Mail>,
    limits: limits::InForce,
    is_demonstration: bool,
    /// Whether commands have left work behind.
    is_left: bool,
    login: Login,
}

/// Goes on with what commands have left behind that ended too early.
async fn go_on(product: Arc<Product>) {
    if let Err(fault) = actions::go_on(&product).await {
        tracing::error!(
            "Work that a command has left could not be done: {}",
            fault.with_causes()
        );
    }
}

/// How long history and database may take to end after the last request.
const CLOSING: Duration = Duration::from_secs(5);

/// How long the mail that is under way may take once requests are answered. If it is cut off, it is sent again later, as the
/// same mail.
const LAST_MAIL: Duration = Duration::from_secs(2);

/// Waits for mails to end, for a while.
async fn end(sending: JoinHandle<()>) {
    let cut = sending.abort_handle();
    if timeout(LAST_MAIL, sending).await.is_err() {
        cut.abort();
    }
}

/// The endpoints of a server, before anybody is let in.
struct Opened {
    history: Arc<Recorder>,
    /// Writes the history behind.
    writer: JoinHandle<()>,
    readiness: Arc<Readiness>,
    apps: Apps,
    watch: Watch,
}

impl Opened {
    /// Makes the demonstration, with everything of its history.
    async fn demo(&self, product: &Product, claim: Claim) -> Result<Demo> {
        let demo = demo::begin(product, claim, &self.apps.everything).await?;
        self.history.flush(product).await?;
        Ok(demo)
    }
}

impl Server {
    /// Makes the endpoints, and begins to write their history.
    fn open(&self, traces: &Traces) -> Result<Opened> {
        let history = Arc::new(Recorder::default());
        let mails = self.mail.as_ref().map(|mail| Arc::clone(&mail.counts));
        let readiness = Arc::new(Readiness::new(Arc::clone(&self.product), mails));
        let (apps, watch) = self.apps(&history, &readiness, traces)?;
        Ok(Opened {
            writer: tokio::spawn(Arc::clone(&history).run(Arc::clone(&self.product))),
            history,
            readiness,
            apps,
            watch,
        })
    }

    /// Serves until the process is asked to end, then answers what is under way and writes the history down.
    async fn run(
        self,
        opened: Opened,
        demo: Option<Demo>,
        ended: impl Future<Output = ()> + Send + 'static,
        reloading: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        let tls = match &self.certificates {
            Some(certificates) => Some(certificates.server_config()?),
            None => None,
        };
        let Opened {
            history,
            writer,
            readiness,
            apps,
            watch,
        } = opened;
        let delay = self.drain_delay;
        let (stop, stopped) = watch::channel(false);
        let ended = async move {
            ended.await;
            shutdown::end_after(delay + connections::DRAIN + CLOSING);
            _ = stop.send(true);
            readiness.begin_drain();
            service_manager::stopping();
            tokio::time::sleep(delay).await;
        };
        for warning in self
            .certificates
            .iter()
            .flat_map(|it| it.warnings(Timestamp::now()))
        {
            tracing::warn!("{warning}");
        }
        let reloading = tokio::spawn(reloading);
        let watch = tokio::spawn(watch.run());
        let inviting = tokio::spawn(self.login.clone().run());
        let guarding = tokio::spawn(guard::run(Arc::clone(&self.product)));
        let refreshing = tokio::spawn(metadata::run(Arc::clone(&self.product), self.fetcher.clone()));
        let purging = tokio::spawn(retention::run(Arc::clone(&self.product)));
        let left = self
            .is_left
            .then(|| tokio::spawn(go_on(Arc::clone(&self.product))));
        let living = demo.map(|demo| tokio::spawn(demo.live()));
        let sending = self.mail.map(|mail| mail.begin(&self.product, stopped));
        service_manager::ready();
        connections::serve(self.listener, tls, apps, self.limits.connections, ended).await;
        if let Some(living) = living {
            living.abort();
        }
        reloading.abort();
        if let Some(left) = left {
            left.abort();
        }
        if let Some(sending) = sending {
            end(sending).await;
        }
        watch.abort();
        inviting.abort();
        purging.abort();
        guarding.abort();
        refreshing.abort();
        writer.abort();
        history.flush(&self.product).await?;
        self.product.close().await;
        Ok(())
    }

    /// Returns whether this machine alone reaches the server.
    fn is_on_loopback(&self) -> bool {
        let address = self.listener.local_addr();
        address.is_ok_and(|address| address.ip().is_loopback())
    }

    fn apps(
        &self,
        history: &Arc<Recorder>,
        readiness: &Arc<Readiness>,
        traces: &Traces,
    ) -> Result<(Apps, Watch)> {
        let endpoints = Endpoints {
            product: &self.product,
            history,
            limits: &self.limits.service,
            rate: self.limits.rate,
            scheme: scheme(self.certificates.is_some()),
            public_url: self.public_url.as_ref(),
        };
        let mails = self.mail.as_ref().map(|mail| Arc::clone(&mail.counts));
        let metrics = Arc::new(Metrics::new(
            Arc::clone(&self.product),
            Arc::clone(history),
            self.certificates.clone(),
            traces.counts(),
            mails,
            self.login.clone(),
        ));
        let operator = Router::new()
            .route("/healthz", get(health::healthz))
            .route("/readyz", get(health::readyz).with_state(Arc::clone(readiness)))
            .route("/metrics", get(metrics::metrics).with_state(Arc::clone(&metrics)))
            .layer(from_fn(health::without_body));
        let (router, watch) = scim_api::router(&endpoints)?;
        let api = api::router(Api {
            product: Arc::clone(&self.product),
            history: Arc::clone(history),
        });
        let portal = portal::router(&Portal {
            product: &self.product,
            login: &self.login,
            fetcher: &self.fetcher,
            name: &self.product_name,
            base: &self.base,
            lacks_public_url: self.public_url.is_none() && !self.is_on_loopback(),
            proxies: &self.proxies,
            offered: scim_api::offered(&self.limits.service),
            demonstration: self.is_demonstration.then_some(demo::MAPPED),
        })?;
        let router = router
            .merge(api.layer(from_fn(health::without_body)))
            .merge(portal);
        let apps = Apps {
            everything: router.layer(Observe(metrics)).merge(operator.clone()),
            operator: operator.fallback(health::crowded),
        };
        Ok((apps, watch))
    }
}
