//! Filters, documents and people.

use scim::policy::Policy;
use scim::resources::{Email, User};
use scim::value::{Cx, Intent, Json};
use scim::{Error, Limits, ScimResource};

/// The filter that identity providers send most.
pub const ONE_TERM: &str = r#"userName eq "bjensen@example.com""#;

/// The longest example of RFC 7644 section 3.4.2.2.
pub const LONGEST_EXAMPLE: &str =
    r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#;

/// Returns twenty terms: five disjunctions of four.
#[must_use]
pub fn twenty_terms() -> String {
    let group = |group: usize| {
        let terms: Vec<String> = (0..4)
            .map(|term| format!(r#"userName eq "user{group}{term}@example.com""#))
            .collect();
        format!("({})", terms.join(" or "))
    };
    (0..5).map(group).collect::<Vec<_>>().join(" and ")
}

/// A person as a client sends one, in about 600 bytes.
pub const USER: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"externalId":"00u1a2b3c4d5e6f7g8h9","userName":"bjensen@example.com","name":{"formatted":"Barbara Jensen","familyName":"Jensen","givenName":"Barbara"},"displayName":"Barbara Jensen","title":"Tour Guide","locale":"en-US","active":true,"emails":[{"value":"bjensen@example.com","type":"work","primary":true}],"phoneNumbers":[{"value":"+1-555-555-8377","type":"work"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"701984","department":"Guides"}}"#;

/// The message that Okta sends to deactivate a person.
pub const DEACTIVATE: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":false}]}"#;

/// Decodes [`USER`].
///
/// # Errors
/// Those of decoding.
pub fn user(policy: &Policy) -> Result<User, Error> {
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Create, policy, &limits);
    User::decode(Json::parse(USER.as_bytes(), &limits)?, &mut cx)
}

/// Makes many people, of whom every tenth is inactive and every third has a private address.
#[must_use]
pub fn people(number: usize) -> Vec<User> {
    (0..number).map(person).collect()
}

fn person(number: usize) -> User {
    let mut user = User::new(format!("User{number:05}@Example.com"));
    user.display_name = Some(format!("Person {number}"));
    user.active = Some(!number.is_multiple_of(10));
    user.emails
        .push(Email::new(format!("user{number}@example.com")).with_kind("work"));
    if number.is_multiple_of(3) {
        user.emails
            .push(Email::new(format!("user{number}@example.org")).with_kind("home"));
    }
    user
}
