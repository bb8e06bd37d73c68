//! SCIM in an app that is there already.
//!
//! Deskplan books desks. Each company that uses it has a host of its own, such as `acme.localhost`, and Deskplan knows
//! whom a token belongs to. Now the identity providers of those companies are to push their people and groups into it. The
//! app as it was comes first; what SCIM adds follows, in some 120 lines of code, and [`router`] puts the two together.
//!
//! Run it with `cargo run -p scim-in-your-app`, then try the lines that it prints.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use scim::resources::{EnterpriseUser, Group, UserWith};
use scim::service::{Access, Decision, Outcome, ScimService, from_parts, host};
use scim::store::documents::{self, DocumentStore};
use scim::store::{Event, HasTenant, Hooks, Proposed, Transition};
use scim::{Error, ScimComplex, ScimExtension};
use tokio::sync::Mutex;
use tracing::Instrument as _;

// ----------------------------------------------------------------------------------------- the app as it was

/// The state of the app. A real one asks its database.
struct App {
    /// The mail domain of each company.
    domains: HashMap<&'static str, &'static str>,
    tokens: HashMap<&'static str, Caller>,
    /// Company and id of those who are signed in.
    sessions: Mutex<HashSet<(String, String)>>,
    /// Mails that wait to be sent.
    mails: Mutex<Vec<String>>,
}

/// The owner of a token.
#[derive(Debug, Clone)]
struct Caller {
    companies: &'static [&'static str],
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    IdentityProvider,
    Auditor,
}

/// Lets nobody in without a token, and tells all routes who it is: a layer of the app.
async fn sign_in(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let header = request.headers().get(http::header::AUTHORIZATION);
    let token = header.and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let Some(caller) = token.and_then(|token| app.tokens.get(token)).cloned() else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Gives a request an id, which is in every line that is logged meanwhile, and in the answer: a layer of the app.
async fn name_request(request: Request, next: Next) -> Response {
    let id = uuid::Uuid::now_v7().to_string();
    let span = tracing::info_span!("request", id);
    let mut response = next.run(request).instrument(span).await;
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}

/// Counts the sessions that the caller may know of: a route of the app.
async fn signed_in(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> String {
    let sessions = app.sessions.lock().await;
    let seen = sessions
        .iter()
        .filter(|(company, _)| caller.companies.contains(&company.as_str()));
    format!("{} signed in\n", seen.count())
}

// ------------------------------------------------------------------------------------------------- resources

/// The place at which a person works.
#[derive(Debug, Clone, PartialEq, ScimExtension)]
#[scim(schema = "urn:example:deskplan:2.0:User")]
struct Workplace {
    /// The floor; the basement is -1.
    #[scim(indexed)]
    floor: Option<i64>,
    /// The desk that is always the person's own.
    desk: Option<String>,
}

/// The extensions of `User`, and no others: without its field, the enterprise extension would be gone.
#[derive(Debug, Clone, PartialEq, Default, ScimComplex)]
struct Extensions {
    #[scim(extension)]
    enterprise: Option<EnterpriseUser>,
    #[scim(extension)]
    workplace: Option<Workplace>,
}

type User = UserWith<Extensions>;

fn store(builder: documents::Builder<Context>) -> scim::Result<DocumentStore<Context>> {
    builder
        .resource::<User>()
        .resource::<Group>()
        .link(Group::paths().members(), User::paths().groups())
        .build()
}

// ---------------------------------------------------------------------------------------- context and rights

/// The context of a SCIM request. The library hands it to every rule and hook below.
struct Context {
    company: String,
    role: Role,
}

/// By this the store keeps companies apart; a context without it does not compile.
impl HasTenant for Context {
    fn tenant(&self) -> &str {
        &self.company
    }
}

/// Makes the context: the host says which company is meant, and `sign_in` has said already who asks, so that no token is
/// looked up twice.
fn context(parts: &mut Parts) -> scim::Result<Context> {
    let caller = parts.extensions.get::<Caller>();
    let caller = caller.ok_or_else(|| Error::internal("the layer sign_in is not around the service"))?;
    let company = host(parts).and_then(|host| host.split_once('.'));
    match company {
        Some((company, _)) if caller.companies.contains(&company) => Ok(Context {
            company: company.to_owned(),
            role: caller.role,
        }),
        // The companies of others are not there: 403 would say that they are.
        _ => Err(Error::new(
            StatusCode::NOT_FOUND,
            "This host is not one of the token's companies.",
        )),
    }
}

/// Decides who may do what, before every operation. A search over all types leaves out what is denied.
fn may(cx: &Context, access: &Access<'_>) -> Decision {
    match cx.role {
        Role::IdentityProvider => Decision::Allow,
        Role::Auditor if access.operation.is_write() => Decision::Deny,
        Role::Auditor => Decision::Allow,
    }
}

// ------------------------------------------------------------------------------------------ rules and events

/// Refuses people of other domains. It is asked of what a POST, PUT or PATCH is about to make, and must not block.
fn only_own_domain(app: &App, cx: &Context, proposed: &Proposed<'_, User>) -> scim::Result<()> {
    // Nothing comes after a DELETE.
    let Some(user) = proposed.after() else {
        return Ok(());
    };
    let domain = app.domains.get(cx.company.as_str());
    // The client can do nothing about this one: it is answered 500, and the sentence goes to the log alone.
    let domain = domain.ok_or_else(|| Error::internal(format!("{} has no mail domain", cx.company)))?;
    match user.user_name.rsplit_once('@') {
        Some((_, at)) if at.eq_ignore_ascii_case(domain) => Ok(()),
        _ => Err(Error::invalid_value(format!("must be an address at {domain}")).at("userName")),
    }
}

/// Sends mail and ends sessions. It is told after the commit, of what has really changed, and may wait. Whatever must not be
/// lost if the process ends right here needs a row instead: `documents::Builder::in_transaction`.
async fn follow(app: Arc<App>, cx: Arc<Context>, event: Arc<Event<User>>) {
    if let Transition::Created { after } = &event.transition {
        app.mails
            .lock()
            .await
            .push(format!("{}: welcome!", after.user_name));
    }
    // Okta and Entra deactivate first, and delete later or never.
    if event.after().is_none_or(|user| user.active == Some(false)) {
        let session = (cx.company.clone(), event.id.clone());
        app.sessions.lock().await.remove(&session);
    }
}

fn hooks(app: &Arc<App>) -> Hooks<Context> {
    let (asked, told) = (Arc::clone(app), Arc::clone(app));
    Hooks::new()
        .before_write::<User>(move |cx, proposed| only_own_domain(&asked, cx, proposed))
        .after_commit::<User, _>(move |cx, event| follow(Arc::clone(&told), cx, event))
}

// -------------------------------------------------------------------------------------------- errors and log

/// Says some errors in the words of the app. Most are right as they are: status, type, attribute and sentence.
fn in_our_words(_: Option<&Context>, error: Error) -> Error {
    let detail = match error.status() {
        StatusCode::FORBIDDEN => "This token only reads. Settings > Provisioning has one that may write.",
        StatusCode::INTERNAL_SERVER_ERROR => "Deskplan failed. Tell support the X-Request-Id of this answer.",
        _ => return error,
    };
    Error::new(error.status(), detail)
}

/// Logs for operators. It runs inside the span of `name_request`, so each line has the id of the request.
fn log(_: Option<&Context>, outcome: &Outcome) {
    let operation = outcome.operation.map(|operation| operation.as_str());
    let status = outcome.status.as_u16();
    let cause = outcome
        .problem
        .as_ref()
        .and_then(|problem| problem.cause.as_deref());
    match outcome.status.is_server_error() {
        true => tracing::error!(operation, status, cause, "SCIM failed"),
        false => tracing::info!(operation, status, notes = outcome.notes(), "SCIM"),
    }
}

// -------------------------------------------------------------------------------------------------- together

fn service(app: &Arc<App>, store: DocumentStore<Context>) -> scim::Result<ScimService<Context>> {
    ScimService::builder(from_parts(context))
        .resource::<User, _>(store.clone())
        .resource::<Group, _>(store)
        .authorize(may)
        .hooks(hooks(app))
        .map_error(in_our_words)
        .on_outcome(log)
        .build()
}

fn router(app: Arc<App>, scim: ScimService<Context>) -> Router {
    Router::new()
        .route("/signed-in", get(signed_in))
        .merge(scim_axum::mount("/scim/v2", scim))
        .layer(from_fn_with_state(Arc::clone(&app), sign_in))
        .layer(from_fn(name_request))
        .with_state(app)
}

fn demo() -> App {
    let caller = |companies, role| Caller { companies, role };
    App {
        domains: HashMap::from([("acme", "example.com"), ("globex", "example.org")]),
        tokens: HashMap::from([
            ("okta-of-acme", caller(&["acme"], Role::IdentityProvider)),
            ("entra-of-globex", caller(&["globex"], Role::IdentityProvider)),
            ("auditor", caller(&["acme", "globex"], Role::Auditor)),
        ]),
        sessions: Mutex::default(),
        mails: Mutex::default(),
    }
}

#[tokio::main]
#[allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().init();
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3000".into());
    let file = arguments.next().unwrap_or_else(|| "deskplan.sqlite".into());

    let app = Arc::new(demo());
    let scim = service(&app, store(DocumentStore::open(file)?)?)?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    let url = format!("localhost:{}", listener.local_addr()?.port());
    println!(
        "curl -H 'Authorization: Bearer okta-of-acme' -H 'Content-Type: application/scim+json' \
         http://acme.{url}/scim/v2/Users -d '{{\"userName\": \"babs@example.com\"}}'"
    );
    println!("curl -H 'Authorization: Bearer auditor' http://acme.{url}/scim/v2/Users");
    println!("curl -H 'Authorization: Bearer auditor' http://globex.{url}/scim/v2/Users   # nothing of acme");
    println!("curl -H 'Authorization: Bearer okta-of-acme' http://acme.{url}/signed-in   # the app itself");
    axum::serve(listener, router(app, scim)).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
