//! Whom a request was about, by what it said itself: of one that was refused, nothing else is known.

use serde_json::Value;

use super::redact;

/// A person or group that a request speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AskedFor {
    /// The `userName` or `displayName`.
    pub(crate) name: String,
    /// The identifier that the provider has for it.
    pub(crate) external_id: Option<String>,
}

impl AskedFor {
    /// Reads it in the body of a request; `None` if no name stands there.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let object = value.as_object()?;
        let text = |wanted: &str| {
            let found = object.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            let text = found
                .and_then(|(_, value)| value.as_str())
                .filter(|text| !text.is_empty());
            text.map(|text| {
                let mut text = text.to_owned();
                redact::keep(&mut text);
                text
            })
        };
        Some(Self {
            name: text("userName").or_else(|| text("displayName"))?,
            external_id: text("externalId"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 99: what the request asked for.
    #[test]
    fn a_request_says_whom_it_is_about() {
        let asked = AskedFor::read(br#"{"UserName":"a@x.example","externalid":"7","displayName":"Ann"}"#);
        let asked = asked.unwrap();
        assert_eq!(
            (&*asked.name, asked.external_id.as_deref()),
            ("a@x.example", Some("7"))
        );
        assert_eq!(AskedFor::read(br#"{"displayName":"Crew"}"#).unwrap().name, "Crew");
        for nothing in ["", "[]", "{}", r#"{"userName":7}"#, r#"{"userName":""}"#, "{"] {
            assert_eq!(AskedFor::read(nothing.as_bytes()), None, "{nothing}");
        }
    }
}
