//! Sign-ins that failed, as an administrator looks at them: what was asserted, and which check refused it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::refusal::Refusal;
use super::xml::{Element, children};
use crate::domain::redact;

/// For how long failed sign-ins are kept.
pub(crate) const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many are kept of an organization: the last ones.
pub(crate) const KEPT: u32 = 500;

/// How many are kept of a minute: anybody can send answers.
pub(crate) const A_MINUTE: u64 = 30;

/// The longest text that is kept, in characters, and how many names of attributes are.
const TEXT_MAX: usize = 200;
const ATTRIBUTES_MAX: usize = 20;

/// A sign-in that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) id: Uuid,
    pub(crate) time: Timestamp,
    pub(crate) refusal: Refusal,
    pub(crate) asserted: Asserted,
    /// The network address from which the browser came.
    pub(crate) address: Option<String>,
}

impl Failure {
    /// Returns the number by which somebody whom it has happened to tells it to an administrator.
    pub(crate) fn reference(&self) -> String {
        let text = self.id.simple().to_string();
        let (_, end) = text
            .split_at_checked(text.len().saturating_sub(8))
            .unwrap_or(("", &text));
        end.to_owned()
    }
}

/// The statements of an answer, whether or not it is true: masked where it is about a person, cut, and as text alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Asserted {
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) destination: Option<String>,
    pub(crate) recipient: Option<String>,
    /// The address of the person, masked.
    pub(crate) name_id: Option<String>,
    pub(crate) name_id_format: Option<String>,
    /// Whether it answers a request.
    pub(crate) answers_request: bool,
    pub(crate) not_before: Option<String>,
    pub(crate) not_on_or_after: Option<String>,
    pub(crate) status: Option<String>,
    /// The algorithms of its signatures.
    pub(crate) signatures: Vec<String>,
    /// The names of its attributes; their values are about the person.
    pub(crate) attributes: Vec<String>,
}

impl Asserted {
    /// Reads what an answer says.
    pub(crate) fn of(response: &Element) -> Self {
        let assertion = first(response, &["Assertion"]);
        let within = |path: &[&str]| assertion.and_then(|assertion| first(assertion, path));
        let attribute =
            |element: Option<&Element>, name: &str| element.and_then(|found| found.attr(name)).map(kept);
        let (name_id, conditions) = (within(&["Subject", "NameID"]), within(&["Conditions"]));
        let confirmation = within(&["Subject", "SubjectConfirmation", "SubjectConfirmationData"]);
        let issuer = within(&["Issuer"]).or_else(|| first(response, &["Issuer"]));
        Self {
            issuer: issuer.map(text),
            audience: within(&["Conditions", "AudienceRestriction", "Audience"]).map(text),
            destination: response.attr("Destination").map(kept),
            recipient: attribute(confirmation, "Recipient"),
            name_id: name_id.map(|name_id| masked(name_id.text.trim())),
            name_id_format: attribute(name_id, "Format"),
            answers_request: response.attr("InResponseTo").is_some(),
            not_before: attribute(conditions, "NotBefore"),
            not_on_or_after: attribute(conditions, "NotOnOrAfter"),
            status: attribute(first(response, &["Status", "StatusCode"]), "Value"),
            signatures: [Some(response), assertion]
                .into_iter()
                .flatten()
                .filter_map(|signed| first(signed, &["Signature", "SignedInfo", "SignatureMethod"]))
                .filter_map(|method| method.attr("Algorithm").map(kept))
                .collect(),
            attributes: assertion
                .into_iter()
                .flat_map(|assertion| children(assertion, "AttributeStatement"))
                .flat_map(|statement| children(statement, "Attribute"))
                .filter_map(|attribute| attribute.attr("Name").map(kept))
                .take(ATTRIBUTES_MAX)
                .collect(),
        }
    }
}

/// Returns the first element at the end of a path.
fn first<'e>(element: &'e Element, path: &[&str]) -> Option<&'e Element> {
    path.iter()
        .try_fold(element, |element, name| children(element, name).next())
}

fn text(element: &Element) -> String {
    kept(element.text.trim())
}

/// Returns a text that somebody else has written, as far as it is kept.
fn kept(text: &str) -> String {
    let mut kept: String = text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect();
    redact::keep(&mut kept);
    kept
}

/// Returns an address of which one letter and the domain are left: enough for whoever knows it.
fn masked(address: &str) -> String {
    let first = address.chars().next().map_or_else(String::new, String::from);
    match address.rsplit_once('@') {
        Some((_, domain)) => kept(&format!("{first}…@{domain}")),
        None => format!("{}…", kept(&first)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::saml::xml;

    fn asserted(text: &str) -> Asserted {
        Asserted::of(&xml::root(text, xml::limits(100_000, 1_000)).unwrap())
    }

    /// Feature row 102: what an administrator needs to compare is there, and nothing that is about the person.
    #[test]
    fn what_was_asserted_is_kept_masked() {
        let found = asserted(
            "<Response Destination=\"https://x.example/acs\" InResponseTo=\"_1\"><Issuer>https://p.example</Issuer>\
             <Status><StatusCode Value=\"ok\"/></Status><Assertion><Signature><SignedInfo>\
             <SignatureMethod Algorithm=\"rsa\"/></SignedInfo></Signature><Subject><NameID Format=\"email\">\
             ada.king@x.example</NameID><SubjectConfirmation><SubjectConfirmationData Recipient=\"r\"/>\
             </SubjectConfirmation></Subject><Conditions NotBefore=\"1\" NotOnOrAfter=\"2\"><AudienceRestriction>\
             <Audience>us</Audience></AudienceRestriction></Conditions><AttributeStatement><Attribute Name=\"externalId\">\
             <AttributeValue>x-ada-king</AttributeValue></Attribute></AttributeStatement></Assertion></Response>",
        );
        let of = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            Asserted {
                issuer: of("https://p.example"),
                audience: of("us"),
                destination: of("https://x.example/acs"),
                recipient: of("r"),
                name_id: of("a…@x.example"),
                name_id_format: of("email"),
                answers_request: true,
                not_before: of("1"),
                not_on_or_after: of("2"),
                status: of("ok"),
                signatures: vec!["rsa".to_owned()],
                attributes: vec!["externalId".to_owned()],
            }
        );
        let json = serde_json::to_string(&found).unwrap();
        assert!(!json.contains("king") && !json.contains("x-ada"), "{json}");
        assert_eq!(serde_json::from_str::<Asserted>(&json).unwrap(), found);
    }

    /// Feature row 102: whatever somebody sends, what is kept of it is bounded.
    #[test]
    fn what_is_kept_is_bounded() {
        let long = "é".repeat(5_000);
        let many = "<Attribute Name=\"a\"/>".repeat(100);
        let found = asserted(&format!(
            "<Response><Issuer>{long}</Issuer><Assertion><Subject><NameID>{long}@{long}</NameID></Subject>\
             <AttributeStatement>{many}</AttributeStatement></Assertion></Response>"
        ));
        assert_eq!(found.issuer.unwrap().chars().count(), TEXT_MAX);
        assert!(found.name_id.unwrap().starts_with("é…@"));
        assert_eq!(found.attributes.len(), ATTRIBUTES_MAX);
        assert_eq!(asserted("<x/>"), Asserted::default());
    }
}
