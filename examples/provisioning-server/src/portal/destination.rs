//! The page to which somebody comes once they have signed in, or have confirmed that it is they.

use http::Uri;

use super::form::Form;

/// The field of the query.
const FIELD: &str = "to";

/// A page of the same realm, as its path after the beginning that all pages of the realm have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Destination(Option<String>);

impl Destination {
    /// Leads to a page.
    pub(crate) fn to(page: &str) -> Self {
        Self(Some(page.to_owned()).filter(|page| is_page(page)))
    }

    /// Reads what the query says. Whatever cannot be a page of ours is left out.
    pub(crate) fn read(uri: &Uri) -> Self {
        let query = Form::parse(uri.query().unwrap_or_default().as_bytes());
        Self::to(query.text(FIELD))
    }

    /// Returns the query that says so, with its question mark; nothing where there is nothing to say.
    pub(crate) fn query(&self) -> String {
        self.0
            .as_deref()
            .map_or_else(String::new, |page| format!("?{FIELD}={page}"))
    }

    /// Returns the page: the first one where nothing else is asked for.
    pub(crate) fn page(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// Returns whether a text is the path of a page of ours: it leads to no other host, whatever stands before it.
fn is_page(text: &str) -> bool {
    let mut segments = text.split('/');
    let is_segment = |segment: &str| {
        let mut bytes = segment.bytes();
        !segment.is_empty()
            && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    text.len() <= 200 && segments.all(is_segment)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_destination_is_a_page_of_ours() {
        for page in ["account", "account/password", "users/0191b2f0-aaaa"] {
            let destination = Destination::to(page);
            assert_eq!(
                (destination.page(), destination.query()),
                (page, format!("?to={page}"))
            );
        }
        for other in [
            "",
            "/",
            "//evil.example",
            "/evil",
            "https:",
            "a//b",
            "../x",
            "a?b",
            "a%2Fb",
            "\\evil",
            "A",
        ] {
            assert_eq!(Destination::to(other), Destination::default(), "{other}");
        }
        assert_eq!(Destination::default().query(), "");
    }

    proptest! {
        /// OWASP's cheat sheet on redirects: nobody is led to another host.
        #[test]
        fn nobody_is_led_to_another_host(text in "\\PC{0,40}") {
            let base = url::Url::parse("https://scim.example.com/o/acme/").unwrap();
            let led = base.join(Destination::to(&text).page()).unwrap();
            prop_assert!(led.as_str().starts_with(base.as_str()));
        }

        /// A destination that is written into a query is read from it.
        #[test]
        fn a_query_is_read_back(page in "[a-z0-9-]{1,20}(/[a-z0-9-]{1,20}){0,2}") {
            let destination = Destination::to(&page);
            let uri: Uri = format!("/o/acme/sign-in{}", destination.query()).parse().unwrap();
            prop_assert_eq!(Destination::read(&uri), destination);
        }
    }
}
