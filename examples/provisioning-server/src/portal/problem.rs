//! Pages about what went wrong. They never say why: causes go to the log, under the id that the page shows.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ALLOW, CONNECTION};
use tower_http::csrf::ProtectionError;

use super::frame::{Frame, Frames};
use super::page;
use crate::domain::fault::{Fault, Kind};
use crate::scim_api::Asked;

/// Why a page cannot be shown.
#[derive(Debug, Clone)]
pub(crate) enum Problem {
    /// There is no such page, or none that whoever asks may know of.
    NotFound,
    /// Whoever asks lacks a permission, as the sentence says.
    Forbidden(String),
    /// A page of another site has sent the form.
    CrossSite,
    /// The state of things forbids it, or a value does not fit, as the sentence says.
    Refused(String),
    /// The body is not a form.
    NotAForm,
    /// The form is too long.
    TooLong,
    /// The form took too long to come in.
    TooSlow,
    /// The page knows another method.
    MethodNotAllowed,
    /// The machine failed; the cause is told to the log.
    Failed(Arc<Fault>),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault.kind() {
            Kind::NotFound => Self::NotFound,
            Kind::Forbidden => Self::Forbidden(fault.to_string()),
            Kind::Invalid | Kind::Gone | Kind::Conflict | Kind::Stale => Self::Refused(fault.to_string()),
            Kind::Internal => Self::Failed(Arc::new(fault)),
        }
    }
}

impl Problem {
    const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden(_) | Self::CrossSite => StatusCode::FORBIDDEN,
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the heading and what there is to say.
    fn words(&self) -> (&'static str, &str) {
        match self {
            Self::NotFound => (
                "There is nothing here",
                "The page was removed, or it belongs to another organization. Check the address.",
            ),
            Self::Forbidden(sentence) => ("You do not have access to this page", sentence),
            Self::CrossSite => (
                "This form came from another site",
                "Nothing was changed. Open the page here, and send its form again.",
            ),
            Self::Refused(sentence) => ("This could not be done", sentence),
            Self::NotAForm => (
                "This is not a form",
                "Nothing was changed. Open the page in a browser, and send its form.",
            ),
            Self::TooLong => (
                "This is too long",
                "Nothing was changed. Send less text with the form.",
            ),
            Self::TooSlow => (
                "This took too long",
                "Nothing was changed. Check your connection, and send the form again.",
            ),
            Self::MethodNotAllowed => (
                "There is nothing here",
                "This address only takes what its own page sends. Go back, and open the page again.",
            ),
            Self::Failed(_) => (
                "Something went wrong here",
                "The server could not finish this request. What you entered was not saved; provisioning is not \
                 affected. Try again in a minute.",
            ),
        }
    }

    /// Returns whether a part of the request was left unread, so that the connection can carry no other.
    const fn leaves_unread(&self) -> bool {
        matches!(
            self,
            Self::NotAForm | Self::TooLong | Self::TooSlow | Self::CrossSite
        )
    }
}

/// An answer without a page, which [`pages`] writes where it knows the request.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut answer = self.status().into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemPage<'a> {
    pub(super) frame: Frame,
    pub(super) status: u16,
    pub(super) heading: &'a str,
    pub(super) sentence: &'a str,
    /// By which the operator finds the cause in the log.
    pub(super) request: Option<&'a str>,
}

/// Answers with a path that nobody serves.
pub(super) async fn not_found() -> Problem {
    Problem::NotFound
}

/// Answers a method that nobody serves; the header `Allow` is there already.
pub(super) async fn method_not_allowed() -> Problem {
    Problem::MethodNotAllowed
}

/// Writes the pages of what went wrong.
pub(super) async fn pages(State(frames): State<Frames>, request: Request, next: Next) -> Response {
    let asked = request.extensions().get::<Arc<Asked>>().map(Arc::clone);
    let frame = frames.of_server(request.headers());
    let mut answer = next.run(request).await;
    let problem = answer.extensions_mut().remove::<Problem>().or_else(|| {
        let refused = answer.extensions_mut().remove::<ProtectionError>();
        refused.map(|_| Problem::CrossSite)
    });
    match problem {
        Some(problem) => {
            let request = asked.as_deref().map(|asked| asked.id.as_str());
            written(&problem, frame, request, &answer)
        }
        None => answer,
    }
}

fn written(problem: &Problem, frame: Frame, request: Option<&str>, bare: &Response) -> Response {
    if let Problem::Failed(fault) = problem {
        tracing::error!(request, "A page failed: {}", fault.with_causes());
    }
    let (heading, sentence) = problem.words();
    let status = problem.status();
    let mut answer = page::answer(
        status,
        &ProblemPage {
            frame,
            status: status.as_u16(),
            heading,
            sentence,
            request: request.filter(|_| matches!(problem, Problem::Failed(_))),
        },
    );
    if let Some(allowed) = bare.headers().get(ALLOW) {
        answer.headers_mut().insert(ALLOW, allowed.clone());
    }
    if problem.leaves_unread() {
        answer
            .headers_mut()
            .insert(CONNECTION, http::HeaderValue::from_static("close"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn_with_state;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::domain::public_url::Scheme;
    use crate::portal::cookies::Cookies;

    /// Returns the page that a problem has.
    async fn page_of(problem: Problem) -> (StatusCode, String) {
        let frames = Frames::new("Provisioning", Cookies::new(Scheme::Http));
        let router = Router::new()
            .route("/", get(|| async move { problem }))
            .layer(from_fn_with_state(frames, pages));
        let mut request = Request::get("/").body(Body::empty()).unwrap();
        let asked = Arc::new(Asked::of(&request));
        request.extensions_mut().insert(Arc::clone(&asked));
        let answer = router.oneshot(request).await.unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert_eq!(
            text.contains(&asked.id),
            status == StatusCode::INTERNAL_SERVER_ERROR
        );
        (status, text)
    }

    /// OWASP's cheat sheet on error handling: a cause goes to the log, and the page has the id that leads there.
    #[tokio::test]
    async fn a_page_never_shows_a_cause() {
        let fault = Fault::internal("The table is locked.", "SQLITE_BUSY");
        let (status, text) = page_of(fault.into()).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!text.contains("table") && !text.contains("SQLITE"), "{text}");
    }

    /// Feature row 14: whoever lacks a permission is told which, and what is absent has no name.
    #[tokio::test]
    async fn what_was_refused_is_said_without_markup() {
        let (status, text) = page_of(Fault::forbidden("<b>users:write</b> is missing.").into()).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(text.contains("&#60;b&#62;users:write"), "{text}");
        let (status, text) = page_of(Fault::not_found("There is no person \"noor\".").into()).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(!text.contains("noor"), "{text}");
    }
}
