//! Answers of an independent identity provider, pysaml2, and every known attack on them.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::with_saml_rs::{SamlRs, verified};
use super::{Posted, Verifier};
use crate::domain::saml::RESPONSE_MAX;
use crate::domain::saml::assertion::{Assertion, Expectation, Signed};
use crate::domain::saml::refusal::Refusal;

/// It begins like another address: whoever reads a part of it reads that one.
const ADA: &str = "ada@x.example.evil.example";
const ORGANIZATION: &str = "https://scim.example/saml/11111111-0000-0000-0000-000000000000";
const OTHER: &str = "https://scim.example/saml/22222222-0000-0000-0000-000000000000";
const ACS: &str = "https://scim.example/portalApi/acme/AuthenticationSAML/AssertionConsumerService";
const OTHER_ACS: &str = "https://scim.example/portalApi/other/AuthenticationSAML/AssertionConsumerService";
const ISSUER: &str = "https://provider.example/metadata";

/// An answer, and what is expected of it.
struct Answer {
    response: String,
    expectation: Expectation,
}

/// Returns the request to the provider.
fn asked() -> Value {
    json!({
        "entity_id": ORGANIZATION,
        "acs": ACS,
        "issuer": ISSUER,
        "request": "_request-1",
        "name_id": ADA,
        "stable_id": "x-ada",
    })
}

/// Has the provider make something.
pub(in crate::login) fn made(case: &str, asked: &Value) -> Value {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let environment = std::env::var_os("SCIM_TESTS_VENV").map_or_else(|| tests.join(".venv"), Into::into);
    let python = environment.join("bin/python");
    assert!(
        python.is_file(),
        "{} is missing: install it with `tests/run --prepare`",
        python.display()
    );
    let output = Command::new(python)
        .arg(tests.join("python/identity_provider.py"))
        .args([case, &asked.to_string()])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Has the provider make an answer; what is expected of it is what it is asked for without the changes.
fn answer_with(case: &str, changes: &Value) -> Answer {
    let mut asked = asked();
    let all = asked.as_object_mut().unwrap();
    all.extend(changes.as_object().unwrap().clone());
    expected(&made(case, &asked))
}

/// Has the provider make several answers by one key.
fn answers(cases: &[&str]) -> Vec<Answer> {
    let mut asked = asked();
    asked["many"] = cases.iter().map(|case| json!([case, {}])).collect();
    let made = made("many", &asked);
    made.as_array().unwrap().iter().map(expected).collect()
}

/// Returns an answer that was made, and what is expected of every one.
fn expected(made: &Value) -> Answer {
    Answer {
        response: made["response"].as_str().unwrap().to_owned(),
        expectation: Expectation {
            entity_id: ORGANIZATION.to_owned(),
            acs: ACS.to_owned(),
            issuer: ISSUER.to_owned(),
            certificates: serde_json::from_value(made["certificates"].clone()).unwrap(),
            signed: Signed::Assertion,
            request: Some("_request-1".to_owned()),
            stable_id_attribute: Some("externalId".to_owned()),
        },
    }
}

fn answer(case: &str) -> Answer {
    answer_with(case, &json!({}))
}

impl Answer {
    fn verify_at(&self, now: Timestamp) -> Result<Assertion, Refusal> {
        let posted = Posted {
            response: &self.response,
        };
        SamlRs.verify(&self.expectation, &posted, now)
    }

    fn verify(&self) -> Result<Assertion, Refusal> {
        self.verify_at(Timestamp::now())
    }

    /// Returns the same answer, but the provider may sign the response alone.
    fn signed_as_a_whole(mut self) -> Self {
        self.expectation.signed = Signed::Response;
        self
    }

    fn xml(&self) -> String {
        String::from_utf8(STANDARD.decode(&self.response).unwrap()).unwrap()
    }
}

/// Checks that an attack is refused whether the assertion or the response has to be signed.
fn refused(case: &str, refusal: Refusal) {
    let answer = answer(case);
    assert_eq!(answer.verify(), Err(refusal), "{case}: {}", answer.xml());
    let answer = answer.signed_as_a_whole();
    assert_eq!(answer.verify(), Err(refusal), "{case}: {}", answer.xml());
}

fn refused_with(changes: &Value, refusal: Refusal) {
    let answer = answer_with("both", changes);
    assert_eq!(answer.verify(), Err(refusal), "{changes}");
}

/// Feature row 21: a signed assertion says who signs in, and everything that is asked of it.
#[test]
fn a_signed_assertion_is_read() {
    let answer = answer("assertion");
    let assertion = answer.verify().unwrap();
    assert_eq!(assertion.name_id, ADA);
    assert_eq!(
        assertion.name_id_format,
        "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    );
    assert_eq!(assertion.stable_id.as_deref(), Some("x-ada"));
    assert_eq!(assertion.in_response_to.as_deref(), Some("_request-1"));
    assert!(answer.xml().contains(&assertion.id));
    assert!(assertion.session_index.is_some());
    let left = assertion.not_on_or_after - Timestamp::now();
    assert!((1..=300).contains(&left.get_seconds()), "{left}");
}

/// Feature row 21: a response that is signed beside its assertion is good.
#[test]
fn a_signed_response_with_a_signed_assertion_is_read() {
    assert_eq!(answer("both").verify().unwrap().name_id, ADA);
    assert_eq!(answer("both").signed_as_a_whole().verify().unwrap().name_id, ADA);
}

/// Feature row 21: a response whose assertion is not signed is good only where that is allowed.
#[test]
fn a_response_that_is_signed_alone_needs_the_switch() {
    let answer = answer("response");
    assert_eq!(answer.verify(), Err(Refusal::Unsigned));
    assert_eq!(answer.signed_as_a_whole().verify().unwrap().name_id, ADA);
}

/// Feature row 21: two certificates are good at once, in either order, so that one can replace the other.
#[test]
fn two_certificates_are_valid_at_once() {
    let stranger = answer("assertion").expectation.certificates.remove(0);
    for place in [0, 1] {
        let mut answer = answer("assertion");
        answer.expectation.certificates.insert(place, stranger.clone());
        assert!(answer.verify().is_ok(), "{place}");
        answer.expectation.certificates = vec![stranger.clone()];
        assert_eq!(answer.verify(), Err(Refusal::Signature));
        answer.expectation.certificates.clear();
        assert!(answer.verify().is_err());
    }
}

/// Feature row 23b: without the setting the attribute is not read; without the attribute there is no stable id.
#[test]
fn a_stable_id_is_read_where_it_is_asked_for() {
    let mut answer = answer("assertion");
    answer.expectation.stable_id_attribute = None;
    assert_eq!(answer.verify().unwrap().stable_id, None);
    answer.expectation.stable_id_attribute = Some("employeeNumber".to_owned());
    assert_eq!(answer.verify().unwrap().stable_id, None);
    let without = answer_with("assertion", &json!({ "stable_id": null }));
    assert_eq!(without.verify().unwrap().stable_id, None);
}

/// Feature row 21: an answer that nobody asked for is not an answer to a request, and the other way round.
#[test]
fn an_answer_belongs_to_its_request() {
    refused_with(&json!({ "request": "_request-2" }), Refusal::InResponseTo);
    refused_with(&json!({ "request": null }), Refusal::InResponseTo);
    let mut asked_for = answer("assertion");
    asked_for.expectation.request = None;
    assert_eq!(asked_for.verify(), Err(Refusal::InResponseTo));
    let mut unsolicited = answer_with("assertion", &json!({ "request": null }));
    unsolicited.expectation.request = None;
    assert_eq!(unsolicited.verify().unwrap().in_response_to, None);
}

/// Feature row 21: an assertion for another audience is refused.
#[test]
fn another_audience_is_refused() {
    refused_with(&json!({ "entity_id": OTHER }), Refusal::Audience);
}

/// Feature row 21: an assertion for another recipient is refused.
#[test]
fn another_recipient_is_refused() {
    refused_with(&json!({ "acs": OTHER_ACS }), Refusal::Recipient);
}

/// Feature row 21: one made for another organization is refused, also with the same issuer and key.
#[test]
fn an_assertion_for_another_organization_is_refused() {
    let other = answer_with("both", &json!({ "entity_id": OTHER, "acs": OTHER_ACS }));
    let refusal = other.verify().unwrap_err();
    assert!(
        matches!(refusal, Refusal::Audience | Refusal::Recipient),
        "{refusal:?}"
    );
}

/// Feature row 21: another provider is refused, even with the key of the right one.
#[test]
fn another_issuer_is_refused() {
    refused_with(
        &json!({ "issuer": "https://evil.example/metadata" }),
        Refusal::Issuer,
    );
}

/// Feature row 21: an assertion is good for its time, and three minutes of another clock.
#[test]
fn time_is_checked_with_some_skew() {
    let answer = answer("assertion");
    let now = Timestamp::now();
    for (minutes, refusal) in [
        (-2, None),
        (4, None),
        (7, None),
        (-4, Some(Refusal::Time)),
        (9, Some(Refusal::Time)),
    ] {
        let outcome = answer.verify_at(now + minutes.minutes());
        assert_eq!(outcome.err(), refusal, "{minutes} minutes");
    }
}

/// Feature row 21: a NameID of another format, or one that is not an address, is refused.
#[test]
fn a_name_id_is_an_address() {
    refused("persistent", Refusal::NameId);
    refused_with(&json!({ "name_id": "ada" }), Refusal::NameId);
}

/// The form field is base64 of a bounded size, and nothing else.
#[test]
fn the_form_field_is_strict_base64() {
    let good = answer("assertion");
    let lines = good.response.as_bytes().chunks(76);
    let lines: Vec<_> = lines.map(|line| std::str::from_utf8(line).unwrap()).collect();
    let try_with = |response: String| {
        let answer = Answer {
            response,
            expectation: good.expectation.clone(),
        };
        answer.verify().map(|assertion| assertion.name_id)
    };
    assert_eq!(try_with(lines.join("\r\n")), Ok(ADA.to_owned()));
    for bad in [
        String::new(),
        format!(" {}", good.response),
        format!("{}====", good.response),
        good.response.replace('A', "-"),
        good.xml(),
    ] {
        assert_eq!(try_with(bad.clone()), Err(Refusal::NotBase64), "{bad}");
    }
    assert_eq!(try_with("A".repeat(RESPONSE_MAX + 1)), Err(Refusal::TooLarge));
    assert_eq!(try_with(STANDARD.encode(b"\xff\xfe<")), Err(Refusal::NotXml));
    assert_eq!(try_with(STANDARD.encode("<a")), Err(Refusal::NotXml));
    let deep = "<Response>".repeat(1_000) + &"</Response>".repeat(1_000);
    assert_eq!(try_with(STANDARD.encode(deep)), Err(Refusal::NotXml));
}

/// A failure that the provider reports is told as one.
#[test]
fn a_reported_failure_is_told() {
    refused("failed", Refusal::Status);
}

/// Attack: nothing is signed.
#[test]
fn an_unsigned_answer_is_refused() {
    refused("unsigned", Refusal::Unsigned);
}

/// Attack: signed with a key that is not the provider's, whose certificate is in the answer.
#[test]
fn another_key_is_refused() {
    refused("wrong-key", Refusal::Signature);
}

/// Attack: changed after it was signed.
#[test]
fn a_tampered_assertion_is_refused() {
    refused("tampered", Refusal::Signature);
}

/// Attack: signature and digest by SHA-1.
#[test]
fn sha_1_is_refused() {
    refused("sha1", Refusal::Algorithm);
}

/// Attack: a digest by SHA-1 under a good signature.
#[test]
fn a_digest_by_sha_1_is_refused() {
    refused("sha1-digest", Refusal::Algorithm);
}

/// Attack: HMAC, whose key is the certificate that everybody has.
#[test]
fn hmac_with_the_public_key_is_refused() {
    refused("hmac", Refusal::Algorithm);
}

/// Attack: entities by a document type.
#[test]
fn a_document_type_is_refused() {
    refused("doctype", Refusal::Declaration);
}

/// Attack: a comment in the NameID, which no signature covers, cuts it for some readers.
#[test]
fn a_comment_in_the_name_id_is_refused() {
    refused("comment", Refusal::Declaration);
}

/// Attack: a processing instruction in the NameID.
#[test]
fn a_processing_instruction_is_refused() {
    refused("instruction", Refusal::Declaration);
}

/// Attack: two elements of one id.
#[test]
fn duplicate_ids_are_refused() {
    refused("duplicate-id", Refusal::DuplicateId);
}

/// An encrypted assertion is refused by its name.
#[test]
fn an_encrypted_assertion_is_refused_clearly() {
    refused("encrypted", Refusal::Encrypted);
}

/// Attack XSW1: the signed response in an Object of the signature of a forged one.
#[test]
fn wrapping_1_is_refused() {
    refused("xsw1", Refusal::Structure);
}

/// Attack XSW2: the signed response beside its signature in a forged one.
#[test]
fn wrapping_2_is_refused() {
    refused("xsw2", Refusal::Structure);
}

/// Attack XSW3: a forged assertion before the signed one.
#[test]
fn wrapping_3_is_refused() {
    refused("xsw3", Refusal::Structure);
}

/// Attack XSW4: the signed assertion in a forged one.
#[test]
fn wrapping_4_is_refused() {
    refused("xsw4", Refusal::Structure);
}

/// Attack XSW5: a forged assertion with the signature of another, which comes last.
#[test]
fn wrapping_5_is_refused() {
    refused("xsw5", Refusal::Structure);
}

/// Attack XSW6: the signed assertion in its signature, in a forged one.
#[test]
fn wrapping_6_is_refused() {
    refused("xsw6", Refusal::Structure);
}

/// Attack XSW7: the signed assertion in Extensions, a forged one in its place.
#[test]
fn wrapping_7_is_refused() {
    refused("xsw7", Refusal::Structure);
}

/// Attack XSW8: the signed assertion in an Object of its signature, in a forged one.
#[test]
fn wrapping_8_is_refused() {
    refused("xsw8", Refusal::Structure);
}

/// Attack: a forged assertion in Extensions.
#[test]
fn a_second_assertion_in_extensions_is_refused() {
    refused("extensions", Refusal::Structure);
}

/// Attack: a forged assertion in an Object.
#[test]
fn a_second_assertion_in_an_object_is_refused() {
    refused("object", Refusal::Structure);
}

/// Attack: a forged assertion before, after and inside the signed one.
#[test]
fn a_second_assertion_anywhere_is_refused() {
    refused("before", Refusal::Structure);
    refused("after", Refusal::Structure);
    refused("inside", Refusal::Structure);
}

/// The verdict of the library on attacks by itself, without the checks of ours before it: where it stopped refusing one, only these
/// would be left.
#[test]
fn the_library_refuses_attacks_by_itself() {
    const CASES: [&str; 21] = [
        "unsigned",
        "wrong-key",
        "tampered",
        "sha1",
        "sha1-digest",
        "hmac",
        "doctype",
        "duplicate-id",
        "xsw1",
        "xsw2",
        "xsw3",
        "xsw4",
        "xsw5",
        "xsw6",
        "xsw7",
        "xsw8",
        "extensions",
        "object",
        "before",
        "after",
        "inside",
    ];
    let mut accepted = Vec::new();
    for (case, answer) in CASES.iter().zip(answers(&CASES)) {
        let outcome = verified(&answer.expectation, &answer.response, Timestamp::now());
        if let Ok(session) = outcome {
            assert_eq!(session.name_id().value(), ADA, "{case}");
            accepted.push(*case);
        }
        // If the response may be signed alone, what is not signed at all is refused by us; nobody else is let in.
        let answer = answer.signed_as_a_whole();
        if let Ok(session) = verified(&answer.expectation, &answer.response, Timestamp::now()) {
            assert_eq!(session.name_id().value(), ADA, "{case}");
            assert!(answer.verify().is_err(), "{case}");
        }
    }
    // In these, what is forged stands where the library does not look: it reads what is signed.
    assert_eq!(accepted, ["extensions", "object"]);
}

/// Text between the parts of a name is not a part of it for the library, either: nobody is cut to somebody else.
#[test]
fn the_library_reads_a_name_whole() {
    for (case, answer) in ["comment", "instruction"]
        .iter()
        .zip(answers(&["comment", "instruction"]))
    {
        if let Ok(session) = verified(&answer.expectation, &answer.response, Timestamp::now()) {
            assert_eq!(session.name_id().value(), ADA, "{case}");
        }
    }
}
