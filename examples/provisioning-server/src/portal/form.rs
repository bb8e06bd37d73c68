//! The fields of a form as a browser sends them.

use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use url::form_urlencoded;

use super::problem::Problem;
use super::upload;

/// How many bytes a form may have.
const LIMIT: usize = 64 * 1024;

/// How long a form may take to come in.
const PATIENCE: Duration = Duration::from_secs(20);

/// The fields of a form.
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the fields of a body or a query.
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// Reads a form of at most so many bytes.
    ///
    /// # Errors
    /// It is not a form, too long or too slow.
    pub(crate) async fn read(request: Request, most: usize) -> Result<Self, Problem> {
        if !is_form(kind(request.headers())) {
            return Err(Problem::NotAForm);
        }
        Ok(Self::parse(&whole(request, most).await?))
    }

    /// Reads a form that may have files, whose texts are fields like others.
    ///
    /// # Errors
    /// It is not a form, too long or too slow.
    pub(crate) async fn read_with_files(request: Request, most: usize) -> Result<Self, Problem> {
        let Some(boundary) = upload::boundary(kind(request.headers())).map(str::to_owned) else {
            return Self::read(request, most).await;
        };
        let body = whole(request, most).await?;
        upload::fields(&body, &boundary)
            .map(Self)
            .ok_or(Problem::NotAForm)
    }

    /// Returns the text of a field; of one that is not there, the empty text.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value)
    }

    /// Returns the texts of all fields of a name, in the order of the form.
    pub(crate) fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        let found = self.0.iter().filter(move |(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Returns a query of these fields, with its question mark; those without a value are left out.
pub(crate) fn query(fields: &[(&str, &str)]) -> String {
    let given = fields.iter().filter(|(_, value)| !value.is_empty());
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(given)
        .finish();
    match query.is_empty() {
        true => query,
        false => format!("?{query}"),
    }
}

/// Shows names alone: values may be secrets.
impl Debug for Form {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        Self::read(request, LIMIT).await
    }
}

/// Returns the whole body of a request.
async fn whole(request: Request, most: usize) -> Result<Bytes, Problem> {
    match tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), most)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Problem::TooLong),
        Err(_) => Err(Problem::TooSlow),
    }
}

/// Returns the media type of a body; the empty text if there is none.
fn kind(headers: &HeaderMap) -> &str {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.unwrap_or_default()
}

fn is_form(kind: &str) -> bool {
    let essence = kind.split(';').next().unwrap_or_default();
    essence
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use axum::body::Body;
    use http_body::Frame;

    use super::*;

    /// A body that never comes.
    struct Silent;

    impl http_body::Body for Silent {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Pending
        }
    }

    async fn read(body: Body) -> Result<Form, Problem> {
        let request =
            Request::post("/").header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8");
        Form::from_request(request.body(body).unwrap(), &()).await
    }

    /// OWASP's cheat sheet on denial of service: nobody holds a form open for ever, and none fills the memory.
    #[tokio::test(start_paused = true)]
    async fn a_form_has_a_bound_in_time_and_length() {
        assert!(matches!(read(Body::new(Silent)).await, Err(Problem::TooSlow)));
        let longest = format!("a={}", "x".repeat(LIMIT - 2));
        assert_eq!(
            read(Body::from(longest.clone())).await.unwrap().text("a").len(),
            LIMIT - 2
        );
        assert!(matches!(
            read(Body::from(longest + "x")).await,
            Err(Problem::TooLong)
        ));
    }

    /// RFC 7578: a form with a file is read where one is expected, and nowhere else.
    #[tokio::test]
    async fn a_form_with_a_file_is_read_where_one_is_expected() {
        let sent = |body: &'static str| {
            let request = Request::post("/").header(CONTENT_TYPE, "multipart/form-data; boundary=b");
            request.body(Body::from(body)).unwrap()
        };
        let whole =
            "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"x\"\r\n\r\ntext\r\n--b--\r\n";
        let form = Form::read_with_files(sent(whole), LIMIT).await.unwrap();
        assert_eq!(form.text("a"), "text");
        let refused = [
            Form::read_with_files(sent("--b\r\n"), LIMIT).await,
            Form::read_with_files(sent(whole), 10).await,
            Form::read(sent(whole), LIMIT).await,
        ];
        assert!(matches!(
            refused,
            [
                Err(Problem::NotAForm),
                Err(Problem::TooLong),
                Err(Problem::NotAForm)
            ]
        ));
    }

    #[test]
    fn a_field_is_found_by_its_name_and_never_shown() {
        let form = Form::parse(b"email=a%40b.example&password=a+secret&email=second");
        assert_eq!(form.text("email"), "a@b.example");
        assert_eq!(form.text("password"), "a secret");
        assert_eq!(form.text("other"), "");
        let all: Vec<_> = form.texts("email").collect();
        assert_eq!(all, ["a@b.example", "second"]);
        assert_eq!(format!("{form:?}"), r#"{"email", "password", "email"}"#);
    }

    #[test]
    fn a_query_has_what_was_given() {
        assert_eq!(query(&[("who", ""), ("what", "")]), "");
        assert_eq!(
            query(&[("who", "a&b c"), ("what", ""), ("from", "1")]),
            "?who=a%26b+c&from=1"
        );
    }
}
