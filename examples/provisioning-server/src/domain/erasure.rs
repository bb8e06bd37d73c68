//! The pseudonym of a removed person, and its place in texts that name the person.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::account::{Account, AccountState};
use super::fault::{Fault, Result};

/// A text shorter than this is replaced only where it stands in quotes, or alone: it could as well be anything else.
const SHORT: usize = 4;

/// How quotes stand before and behind a text, in URLs too.
const QUOTES: [&str; 3] = ["\"", "%22", "'"];

/// Returns the pseudonym for everything by which a person was known: the same for one account wherever it stands.
pub(crate) fn pseudonym(account: Uuid) -> String {
    let digest = Sha256::digest(account.as_bytes());
    let number = digest
        .iter()
        .take(6)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("erased person {number:012x}")
}

/// Checks that a person may be erased, and that it was said who.
///
/// # Errors
/// The account is not removed, or another name was confirmed.
pub(crate) fn demand_erasable(account: &Account, confirmed: &str) -> Result<()> {
    if account.state != AccountState::Removed || account.row.is_some() {
        return Err(Fault::conflict(format!(
            "The account {:?} is not removed: remove it, or have the identity provider delete the person, before it is \
             erased.",
            account.name
        )));
    }
    if confirmed == account.name {
        return Ok(());
    }
    Err(Fault::invalid(format!(
        "{confirmed:?} is not the name of this account; expected {:?}. What is erased cannot be brought back.",
        account.name
    )))
}

/// The texts by which a person was known.
#[derive(Debug, Clone)]
pub(crate) struct Mentions {
    /// In ASCII lower case, the longest first.
    texts: Vec<String>,
    pseudonym: String,
}

impl Mentions {
    /// Mentions of a person by these names, addresses and identifiers.
    pub(crate) fn of(known: impl IntoIterator<Item = String>, pseudonym: &str) -> Self {
        let mut texts: Vec<String> = known
            .into_iter()
            .filter(|text| !text.trim().is_empty() && text != pseudonym)
            .flat_map(|text| written(text.trim()))
            .map(|text| text.to_ascii_lowercase())
            .collect();
        texts.sort_by(|a, b| (b.len(), a).cmp(&(a.len(), b)));
        texts.dedup();
        Self {
            texts,
            pseudonym: pseudonym.to_owned(),
        }
    }

    /// Returns the text with the pseudonym in the place of every mention; `None` if there is none.
    pub(crate) fn replace(&self, text: &str) -> Option<String> {
        let mut out: Option<String> = None;
        for mention in &self.texts {
            let present = out.as_deref().unwrap_or(text);
            if let Some(replaced) = replace(present, mention, &self.pseudonym) {
                out = Some(replaced);
            }
        }
        out
    }
}

/// Returns the ways in which a text is written: as it is, in either case, in JSON and in URLs.
fn written(text: &str) -> Vec<String> {
    let json = serde_json::to_string(text).unwrap_or_default();
    let json = json.trim_matches('"').to_owned();
    let encoded = |is_kept: &dyn Fn(u8) -> bool| -> String {
        text.bytes()
            .map(|byte| match is_kept(byte) {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            })
            .collect()
    };
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let all = encoded(&unreserved);
    // Some clients leave what a query may have.
    let some = encoded(&|byte| unreserved(byte) || b"@+!$'()*,:/".contains(&byte));
    let plus = all.replace("%20", "+");
    vec![
        text.to_owned(),
        text.to_lowercase(),
        text.to_uppercase(),
        json,
        all,
        some,
        plus,
    ]
}

fn replace(text: &str, mention: &str, pseudonym: &str) -> Option<String> {
    // Of the same length, byte by byte.
    let lower = text.to_ascii_lowercase();
    let mut out = String::new();
    let mut done = 0;
    let mut from = 0;
    while let Some(at) = lower
        .get(from..)
        .and_then(|rest| rest.find(mention))
        .map(|at| at + from)
    {
        let end = at + mention.len();
        let (before, behind) = (
            lower.get(..at).unwrap_or_default(),
            lower.get(end..).unwrap_or_default(),
        );
        if is_whole(before, behind, mention) {
            out.push_str(text.get(done..at).unwrap_or_default());
            out.push_str(pseudonym);
            done = end;
        }
        from = end;
    }
    (done > 0).then(|| out + text.get(done..).unwrap_or_default())
}

/// Returns whether a mention is a word of its own, and not part of another.
fn is_whole(before: &str, behind: &str, mention: &str) -> bool {
    if mention.chars().count() < SHORT {
        let alone = before.is_empty() && behind.is_empty();
        let quoted = QUOTES
            .iter()
            .any(|quote| before.ends_with(quote) && behind.starts_with(quote));
        return alone || quoted;
    }
    // An encoded character is not a letter, though it ends with one.
    let is_encoded = {
        let tail: Vec<char> = before.chars().rev().take(3).collect();
        matches!(tail.as_slice(), [a, b, '%'] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
    };
    let goes_on = before.chars().next_back().is_some_and(char::is_alphanumeric) && !is_encoded;
    !goes_on && !behind.chars().next().is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mentions(known: &[&str]) -> Mentions {
        Mentions::of(known.iter().map(ToString::to_string), "P")
    }

    /// Feature row 114: a person is found in every way in which the name is written, and nobody else is.
    #[test]
    fn mentions_are_replaced_however_they_are_written() {
        let of = mentions(&["Ada@x.example", "Ada Byron", "7"]);
        for (text, expected) in [
            ("created user ada@X.example", "created user P"),
            (
                "/Users?filter=userName%20eq%20%22ada%40x.example%22",
                "/Users?filter=userName%20eq%20%22P%22",
            ),
            (
                "/Users?filter=userName+eq+%22ada@x.example%22",
                "/Users?filter=userName+eq+%22P%22",
            ),
            ("displayName eq \"ada+byron\"", "displayName eq \"P\""),
            (
                "{\"name\":\"Ada Byron\",\"external_id\":\"7\"}",
                "{\"name\":\"P\",\"external_id\":\"P\"}",
            ),
            ("7", "P"),
        ] {
            assert_eq!(of.replace(text).as_deref(), Some(expected), "{text}");
        }
        for other in ["nada@x.example", "ada@x.examples", "startIndex=7", "17", ""] {
            assert_eq!(of.replace(other), None, "{other}");
        }
    }

    /// Feature row 114: one account has one pseudonym.
    #[test]
    fn a_pseudonym_is_stable() {
        let [one, other] = [1, 2].map(|id| pseudonym(Uuid::from_u128(id)));
        assert_eq!(one, pseudonym(Uuid::from_u128(1)));
        assert_ne!(one, other);
        assert_eq!(one.len(), "erased person ".len() + 12);
    }

    proptest! {
        /// Feature row 114: nothing is left after a replacement, whatever stands around it.
        #[test]
        fn nothing_is_left(before in "[a-z ,.\"%]{0,8}", name in "[a-zß]{4,8}", behind in "[ ,.\"%][a-z ,.\"]{0,8}") {
            let text = format!("{before} {name}{behind}");
            let replaced = mentions(&[&name]).replace(&text).unwrap();
            prop_assert!(mentions(&[&name]).replace(&replaced).is_none(), "{replaced}");
        }
    }
}
