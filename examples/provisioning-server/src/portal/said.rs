//! The message about what was done a moment ago: the page to which a form leads says it once.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};

use super::cookies::Cookies;

const SAID: &str = "said";

/// A browser that does not come back soon is not told.
const AGE: Duration = Duration::from_secs(60);

/// Has the next page say a sentence.
pub(super) fn say(cookies: Cookies, headers: &mut HeaderMap, sentence: &str) {
    let value = URL_SAFE_NO_PAD.encode(sentence);
    if let Some(cookie) = cookies.set(SAID, &value, Some(AGE)) {
        headers.append(SET_COOKIE, cookie);
    }
}

/// Returns the sentence that a page is to say.
pub(super) fn said(cookies: Cookies, asked: &HeaderMap) -> Option<String> {
    let value = URL_SAFE_NO_PAD.decode(cookies.read(asked, SAID)?).ok()?;
    let sentence = String::from_utf8(value).ok()?;
    Some(sentence).filter(|sentence| !sentence.is_empty())
}

/// Returns the header after which no page says it again.
pub(super) fn end(cookies: Cookies) -> Option<HeaderValue> {
    cookies.delete(SAID)
}

#[cfg(test)]
mod tests {
    use http::header::COOKIE;

    use super::*;
    use crate::domain::public_url::Scheme;

    #[test]
    fn a_sentence_comes_back_as_it_was() {
        let cookies = Cookies::new(Scheme::Http);
        let mut headers = HeaderMap::new();
        say(cookies, &mut headers, "“Räksmörgås; 12” was saved.");
        let set = headers.get(SET_COOKIE).unwrap().to_str().unwrap();
        let mut asked = HeaderMap::new();
        asked.insert(COOKIE, set.split(';').next().unwrap().parse().unwrap());
        assert_eq!(
            said(cookies, &asked).as_deref(),
            Some("“Räksmörgås; 12” was saved.")
        );
        asked.insert(COOKIE, HeaderValue::from_static("said=_w"));
        assert_eq!(said(cookies, &asked), None, "no text of ours");
    }
}
