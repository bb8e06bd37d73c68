//! Hides what must not be repeated in text that others wrote.

use std::borrow::Cow;

/// The beginning of each kind of secret, but for the `_`.
const SECRETS: [&str; 7] = ["scimp", "scims", "sciml", "scimd", "scimb", "scimu", "scimh"];

/// The beginning of them all.
const OURS: &str = "scim";

/// The `_`, also as a URL may write it.
const SEPARATORS: [&str; 3] = ["_", "%5F", "%5f"];

/// The character that an organization's name has in place of it. So much of it must be a token.
const FOLDED: (&str, usize) = ("-", 20);

/// The longest text that is kept of anything that a client or an administrator wrote, in bytes.
const TEXT_MAX: usize = 1_024;

/// Makes a text fit to be kept: hides tokens in it, and cuts it.
pub(crate) fn keep(text: &mut String) {
    if let Cow::Owned(shown) = secrets(text) {
        *text = shown;
    }
    if text.len() > TEXT_MAX {
        let end = (0..=TEXT_MAX)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}

/// Hides whatever looks like a secret of ours.
pub(crate) fn secrets(text: &str) -> Cow<'_, str> {
    if !may_hold_secrets(text) {
        return Cow::Borrowed(text);
    }
    SECRETS.iter().fold(Cow::Borrowed(text), |text, beginning| {
        match hide(&text, beginning) {
            Some(hidden) => Cow::Owned(hidden),
            None => text,
        }
    })
}

/// Returns whether a secret of any kind begins in a text. Hardly one does, and every request has several texts: they are gone
/// through once, and not once for each kind.
fn may_hold_secrets(text: &str) -> bool {
    text.match_indices(OURS).any(|(at, _)| {
        let rest = text.get(at..).unwrap_or_default();
        SECRETS.iter().any(|beginning| rest.starts_with(beginning))
    })
}

/// Hides the secrets that begin like this: `None` if there are none.
fn hide(text: &str, beginning: &str) -> Option<String> {
    let mut pieces = text.split(beginning);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    let mut hides = false;
    for piece in pieces {
        out.push_str(beginning);
        match after_token(piece) {
            Some(rest) => {
                hides = true;
                out.push_str("_…");
                out.push_str(rest);
            }
            None => out.push_str(piece),
        }
    }
    hides.then_some(out)
}

/// Returns the text after a token whose beginning has been read; `None` if it is not a token.
fn after_token(text: &str) -> Option<&str> {
    let rest = |digits: &'_ str| {
        digits
            .trim_start_matches(|c: char| c.is_ascii_alphanumeric())
            .len()
    };
    let is_long = |digits: &&str| digits.len() - rest(digits) >= FOLDED.1;
    let digits = SEPARATORS
        .into_iter()
        .find_map(|separator| text.strip_prefix(separator))
        .or_else(|| text.strip_prefix(FOLDED.0).filter(is_long))?;
    digits.get(digits.len() - rest(digits)..)
}

/// Hides tokens, and users and passwords in URLs: for what an operator has typed.
pub(crate) fn typed(text: &str) -> String {
    let text = secrets(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some((before, after)) = rest.split_once('@') {
        let begin = before
            .char_indices()
            .rfind(|(_, c)| c.is_whitespace() || "/\"'`<>".contains(*c))
            .map_or(0, |(at, c)| at + c.len_utf8());
        let (kept, user) = before.split_at(begin);
        out.push_str(kept);
        out.push_str(if user.contains(':') { "…" } else { user });
        out.push('@');
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::secret::{Secret, SecretKind};

    #[test]
    fn a_text_that_is_kept_is_of_bounded_size() {
        let mut text = "é".repeat(4_000);
        keep(&mut text);
        assert!(text.len() <= TEXT_MAX + 3 && text.ends_with('…'));
    }

    #[test]
    fn tokens_are_hidden_however_they_are_written() {
        let token = Secret::from_random(SecretKind::Token, [7; 32]);
        let digits = &token.reveal()[6..];
        for text in [
            format!("User \"scimp_{digits}\" does not exist"),
            format!("/Users/scimp%5F{digits}/x"),
            format!("scimp%5f{digits}"),
            format!("such as scimp-{digits}"),
            format!("scimp_{digits}scimp_{digits}"),
            format!("scimp scimp_ scimp_{digits}."),
        ] {
            let shown = secrets(&text);
            assert!(!shown.contains(digits) && shown.contains("scimp_…"), "{shown}");
        }
        assert_eq!(secrets(&format!("a scimp_{digits} b")), "a scimp_… b");
        for kind in [
            SecretKind::Session,
            SecretKind::Link,
            SecretKind::Device,
            SecretKind::Browser,
            SecretKind::SetupLink,
            SecretKind::Helper,
        ] {
            let secret = Secret::from_random(kind, [9; 32]);
            let shown = format!("/o/acme/link/{}…", kind.prefix());
            assert_eq!(secrets(&format!("/o/acme/link/{}", secret.reveal())), shown);
        }
        assert!(SECRETS.iter().all(|beginning| beginning.starts_with(OURS)));
        for harmless in ["", "scimp", "scimp-test", "a scimp b", "x@example.com"] {
            assert!(matches!(secrets(harmless), Cow::Borrowed(text) if text == harmless));
        }
    }

    #[test]
    fn users_and_passwords_of_urls_are_hidden() {
        for (text, shown) in [
            (
                "at \"https://u:p@x.example/y\": no",
                "at \"https://…@x.example/y\": no",
            ),
            ("'u:p@x.example' and http://a:b@c", "'…@x.example' and http://…@c"),
            ("u:p@x", "…@x"),
            ("ursula@example.com: no", "ursula@example.com: no"),
            ("a:\u{2003}é:b@x", "a:\u{2003}…@x"),
            ("no sign", "no sign"),
        ] {
            assert_eq!(typed(text), shown);
        }
    }
}
