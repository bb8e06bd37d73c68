//! Assertions: what is expected of one, and what it says once it is verified.

use jiff::Timestamp;

use crate::domain::keyword::keywords;

keywords! {
    /// The part of an answer that its provider signs.
    Signed {
        /// The assertion, whether or not the response is signed, too.
        Assertion = "assertion",
        /// The response alone, which covers the assertion in it.
        Response = "response",
    }
}

/// Everything that an answer is compared with. The organization in the URL decides about each value, never the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expectation {
    /// Our entity id: the audience.
    pub(crate) entity_id: String,
    /// The URL of the assertion consumer service: destination and recipient.
    pub(crate) acs: String,
    /// The entity id of the identity provider.
    pub(crate) issuer: String,
    /// The certificates of the identity provider, as base64 of DER. Each is good, so that one can replace another.
    pub(crate) certificates: Vec<String>,
    pub(crate) signed: Signed,
    /// The id of the request that is answered; `None` for an answer that nobody has asked for.
    pub(crate) request: Option<String>,
    /// The name of the attribute that has the stable id of the person, if the organization has set one.
    pub(crate) stable_id_attribute: Option<String>,
}

/// A verified assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assertion {
    /// The e-mail address of the person.
    pub(crate) name_id: String,
    pub(crate) name_id_format: String,
    /// The identifier that the provider never gives to somebody else, if it stands in the assertion.
    pub(crate) stable_id: Option<String>,
    pub(crate) id: String,
    pub(crate) in_response_to: Option<String>,
    /// The moment after which the assertion is worth nothing; until then, its id must be remembered.
    pub(crate) not_on_or_after: Timestamp,
    pub(crate) session_index: Option<String>,
}
