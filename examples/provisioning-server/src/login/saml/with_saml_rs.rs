//! Verification by the library saml-rs.
//!
//! Every field of its settings is given here: its presets are lax. Whatever it has verified is compared once more with what
//! is read, so that a fault of one reader does not let anybody in.

use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use saml_rs::binding::build_redirect_url;
use saml_rs::config::AlgorithmPolicy;
use saml_rs::constants::{MessageSignatureOrder, ParserType};
use saml_rs::error::SubjectConfirmationReason;
use saml_rs::{
    AcsEndpoint, AssertionSignaturePolicy, AudienceValidationPolicy, AuthnRequestSigningPolicy, BrowserInput,
    ClockSkew, Credentials, DataEncryptionAlgorithm, EntityId, FormField, IdpDescriptor,
    KeyEncryptionAlgorithm, LogoutPolicy, LogoutSignaturePolicy, MessageId, MetadataTrustPolicy,
    NameIdCreationPolicy, NameIdFormat, PendingAuthnRequest, RelayStateParam, ReplayPolicy,
    ResponseSignaturePolicy, Saml, SamlError, SamlValidationContext, Sp, SpConfig, SpMetadataConfig,
    SpValidationPolicy, SsoResponse, SsoResponseBinding, SsoSession, TemplatePolicy, TransformAlgorithm,
    XmlEncryptionPolicy, XmlPolicy, XmlSignatureProfile,
};

use super::shape::{at_most_one, demand_plain, only, only_assertion};
use super::{Posted, Verifier};
use crate::domain::email::is_email;
use crate::domain::fault::Fault;
use crate::domain::saml::assertion::{Assertion, Expectation, Signed};
use crate::domain::saml::refusal::Refusal;
use crate::domain::saml::xml::{self, Element, XmlLimits, children, escaped};
use crate::domain::saml::{CLOCK_SKEW, RESPONSE_MAX};

const EMAIL_FORMAT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// The parts of an answer that are read.
const LIMITS: XmlLimits = xml::limits(RESPONSE_MAX, 4_000);

/// The verifier on saml-rs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SamlRs;

impl Verifier for SamlRs {
    fn verify(
        &self,
        expectation: &Expectation,
        posted: &Posted<'_>,
        now: Timestamp,
    ) -> Result<Assertion, Refusal> {
        let bytes = decoded(posted.response)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| Refusal::NotXml)?;
        demand_plain(text)?;
        let root = xml::root(text, LIMITS).ok_or(Refusal::NotXml)?;
        demand_success(&root)?;
        let element = only_assertion(&root, expectation.signed)?;
        let session = verified(expectation, &STANDARD.encode(&bytes), now)?;
        demand_meant(&root, element, expectation)?;
        let assertion = read(element, expectation)?;
        demand_same(&assertion, &session)?;
        Ok(assertion)
    }
}

/// Decodes the form field. Line breaks may stand in it (RFC 2045 section 6.8), and nothing else beside base64.
fn decoded(field: &str) -> Result<Vec<u8>, Refusal> {
    if field.len() > RESPONSE_MAX {
        return Err(Refusal::TooLarge);
    }
    let text: String = field.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = STANDARD.decode(text).map_err(|_| Refusal::NotBase64)?;
    match bytes.is_empty() {
        true => Err(Refusal::NotBase64),
        false => Ok(bytes),
    }
}

/// Returns the URL that carries a request to a provider, unsigned (SAML 2.0 Bindings section 3.4).
///
/// # Errors
/// The request could not be compressed.
pub(super) fn redirect_url(sso_url: &str, request: &str, relay_state: Option<&str>) -> Result<String, Fault> {
    build_redirect_url(sso_url, ParserType::SamlRequest, request, relay_state)
        .map_err(|cause| Fault::internal("A request for sign-in could not be made.", cause))
}

/// Returns what an answer says of itself, which nobody has verified yet; `None` if it cannot be read at all.
pub(super) fn stated(field: &str) -> Option<Element> {
    let bytes = decoded(field).ok()?;
    xml::root(std::str::from_utf8(&bytes).ok()?, LIMITS)
}

/// Checks that the provider reports success, before anything else that a failure would lack.
fn demand_success(root: &Element) -> Result<(), Refusal> {
    let status = at_most_one(root, "Status")?.ok_or(Refusal::NotXml)?;
    match only(status, "StatusCode")?.attr("Value") {
        Some(SUCCESS) => Ok(()),
        _ => Err(Refusal::Status),
    }
}

/// Returns what the library makes of an answer by itself.
pub(super) fn verified(
    expectation: &Expectation,
    field: &str,
    now: Timestamp,
) -> Result<SsoSession, Refusal> {
    let settings = |_| Refusal::Certificate;
    let provider = provider(expectation).map_err(settings)?;
    let acs = AcsEndpoint::post(&expectation.acs).map_err(settings)?;
    let service = service(expectation, acs.clone()).map_err(settings)?;
    let input = BrowserInput::<SsoResponse>::post(vec![FormField::new("SAMLResponse", field)]);
    let skew = i64::try_from(CLOCK_SKEW.as_millis()).unwrap_or_default();
    // Ids are remembered in the database, by whoever signs the person in.
    let context = SamlValidationContext::new(SystemTime::from(now), ReplayPolicy::DisabledForCompatibility)
        .with_clock_skew(ClockSkew::from_millis(-skew, skew));
    let outcome = match &expectation.request {
        None => service.accept_unsolicited_sso(&provider, input, context),
        Some(request) => {
            let id = MessageId::try_new(request).map_err(|_| Refusal::InResponseTo)?;
            let pending = PendingAuthnRequest::try_new(
                id,
                RelayStateParam::absent(),
                acs,
                SsoResponseBinding::Post,
                provider.entity_id().clone(),
            )
            .map_err(settings)?;
            service.finish_sso(&provider, &pending, input, context)
        }
    };
    outcome.map_err(|error| refusal(&error))
}

/// Returns the settings of this service, none left to a preset.
fn service(expectation: &Expectation, acs: AcsEndpoint) -> Result<Saml<Sp>, SamlError> {
    let assertions = match expectation.signed {
        Signed::Assertion => AssertionSignaturePolicy::RequireSigned,
        Signed::Response => AssertionSignaturePolicy::AllowUnsignedForCompatibility,
    };
    Saml::sp(SpConfig {
        entity_id: EntityId::try_new(&expectation.entity_id)?,
        metadata: SpMetadataConfig {
            name_id_format: vec![NameIdFormat::EmailAddress],
            single_logout_service: Vec::new(),
            assertion_consumer_service: vec![acs],
            elements_order: None,
        },
        credentials: Credentials {
            signing_key: None,
            signing_key_passphrase: None,
            signing_certificate: None,
            encryption_certificate: None,
            decryption_key: None,
            decryption_key_passphrase: None,
        },
        validation: SpValidationPolicy {
            assertions,
            responses: ResponseSignaturePolicy::RequireForEncryptedCbc,
            xml_signatures: XmlSignatureProfile::StrictRsaSha2,
            authn_requests: AuthnRequestSigningPolicy::DoNotSignForCompatibility,
            audience: AudienceValidationPolicy::Validate,
            name_id_creation: NameIdCreationPolicy::DoNotAllowCreate,
            logout: LogoutPolicy {
                requests: LogoutSignaturePolicy::RequireSigned,
                responses: LogoutSignaturePolicy::RequireSigned,
            },
        },
        algorithms: AlgorithmPolicy {
            signature: saml_rs::SignatureAlgorithm::RsaSha256,
            data_encryption: DataEncryptionAlgorithm::Aes256,
            key_encryption: KeyEncryptionAlgorithm::RsaOaepMgf1p,
            message_signing_order: MessageSignatureOrder::SignThenEncrypt,
            signed_reference_transforms: vec![
                TransformAlgorithm::EnvelopedSignature,
                TransformAlgorithm::ExclusiveCanonicalization,
            ],
        },
        xml: XmlPolicy {
            clock_drifts: (0, 0),
            redirect_inflate_max_bytes: RESPONSE_MAX,
            limits: LIMITS,
            // Without a key nothing is decrypted; its further field is private, and false.
            encryption: XmlEncryptionPolicy::default(),
        },
        templates: TemplatePolicy {
            relay_state: String::new(),
            tag_prefix_protocol: "samlp".to_owned(),
            tag_prefix_assertion: "saml".to_owned(),
            tag_prefix_encrypted_assertion: "saml".to_owned(),
            login_response_template: None,
            login_request_template: None,
            logout_request_template: None,
            logout_response_template: None,
            signature_config: None,
        },
    })
}

/// Returns the identity provider as the library knows one. The metadata is made of what an administrator has confirmed,
/// so that no signature of it is needed; the address for sign-in plays no part in verification.
fn provider(expectation: &Expectation) -> Result<IdpDescriptor, SamlError> {
    let keys: String = expectation
        .certificates
        .iter()
        .map(|certificate| {
            format!(
                "<md:KeyDescriptor use=\"signing\"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}\
                 </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>",
                escaped(certificate)
            )
        })
        .collect();
    let xml = format!(
        "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" entityID=\"{}\"><md:IDPSSODescriptor \
         protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">{keys}<md:SingleSignOnService \
         Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://provider.invalid/\"/>\
         </md:IDPSSODescriptor></md:EntityDescriptor>",
        escaped(&expectation.issuer)
    );
    IdpDescriptor::from_metadata_xml(&xml, MetadataTrustPolicy::UnsignedForCompatibility)
}

fn refusal(error: &SamlError) -> Refusal {
    match error {
        SamlError::IssuerMismatch { .. } => Refusal::Issuer,
        SamlError::DestinationMismatch { .. } => Refusal::Recipient,
        SamlError::InResponseToMismatch { .. } => Refusal::InResponseTo,
        SamlError::AudienceMismatch { .. } => Refusal::Audience,
        SamlError::StatusNotSuccess { .. } => Refusal::Status,
        SamlError::TimeWindowInvalid { .. } => Refusal::Time,
        SamlError::SubjectConfirmationInvalid { reason } => match reason {
            SubjectConfirmationReason::TimeWindowInvalid => Refusal::Time,
            SubjectConfirmationReason::RecipientMismatch => Refusal::Recipient,
            SubjectConfirmationReason::InResponseToMismatch => Refusal::InResponseTo,
            _ => Refusal::Confirmation,
        },
        SamlError::SignatureMissing | SamlError::AssertionSignatureRequired => Refusal::Unsigned,
        SamlError::AlgorithmUnsupported => Refusal::Algorithm,
        SamlError::NoTrustedCertificate => Refusal::Certificate,
        SamlError::PotentialWrappingAttack => Refusal::Structure,
        SamlError::SignatureVerification { .. }
        | SamlError::ReferenceResolution { .. }
        | SamlError::SignedReferenceMismatch
        | SamlError::CertificateMismatch
        | SamlError::Crypto(_) => Refusal::Signature,
        _ => Refusal::NotXml,
    }
}

/// Checks once more, on what is read, that the answer is meant for this service, this URL and this request.
fn demand_meant(root: &Element, assertion: &Element, expectation: &Expectation) -> Result<(), Refusal> {
    let issuers = children(root, "Issuer").chain([only(assertion, "Issuer")?]);
    if issuers
        .into_iter()
        .any(|issuer| issuer.text.trim() != expectation.issuer)
    {
        return Err(Refusal::Issuer);
    }
    let restrictions = children(only(assertion, "Conditions")?, "AudienceRestriction");
    let names_us = |restriction: &Element| {
        children(restriction, "Audience").any(|audience| audience.text.trim() == expectation.entity_id)
    };
    let mut restrictions = restrictions.peekable();
    if restrictions.peek().is_none() || !restrictions.all(names_us) {
        return Err(Refusal::Audience);
    }
    let confirmation = confirmation(assertion)?;
    let is_elsewhere = |url: Option<&str>| url.is_some_and(|url| url != expectation.acs);
    if is_elsewhere(root.attr("Destination")) || confirmation.attr("Recipient") != Some(&expectation.acs) {
        return Err(Refusal::Recipient);
    }
    let request = expectation.request.as_deref();
    if root.attr("InResponseTo") != request || confirmation.attr("InResponseTo") != request {
        return Err(Refusal::InResponseTo);
    }
    Ok(())
}

/// Returns what confirms that whoever brings the assertion is its subject.
fn confirmation(assertion: &Element) -> Result<&Element, Refusal> {
    let confirmation = only(only(assertion, "Subject")?, "SubjectConfirmation")?;
    match confirmation.attr("Method") {
        Some(BEARER) => only(confirmation, "SubjectConfirmationData"),
        _ => Err(Refusal::Confirmation),
    }
}

fn read(assertion: &Element, expectation: &Expectation) -> Result<Assertion, Refusal> {
    let name_id = only(only(assertion, "Subject")?, "NameID")?;
    let (address, format) = (name_id.text.trim(), name_id.attr("Format"));
    if format != Some(EMAIL_FORMAT) || !is_email(address) || !name_id.children.is_empty() {
        return Err(Refusal::NameId);
    }
    let confirmation = confirmation(assertion)?;
    let ends = [Some(confirmation), Some(only(assertion, "Conditions")?)]
        .into_iter()
        .flatten()
        .filter_map(|element| element.attr("NotOnOrAfter"))
        .map(|time| time.parse().map_err(|_| Refusal::Time))
        .collect::<Result<Vec<Timestamp>, _>>()?;
    let session = children(assertion, "AuthnStatement").find_map(|statement| statement.attr("SessionIndex"));
    Ok(Assertion {
        name_id: address.to_owned(),
        name_id_format: EMAIL_FORMAT.to_owned(),
        stable_id: match &expectation.stable_id_attribute {
            Some(name) => stable_id(assertion, name)?,
            None => None,
        },
        id: assertion.attr("ID").ok_or(Refusal::Structure)?.to_owned(),
        in_response_to: confirmation.attr("InResponseTo").map(str::to_owned),
        not_on_or_after: ends.into_iter().max().ok_or(Refusal::Confirmation)?,
        session_index: session.map(str::to_owned),
    })
}

/// Returns the value of the attribute that has the stable id. Of several values none is stable.
fn stable_id(assertion: &Element, name: &str) -> Result<Option<String>, Refusal> {
    let attributes = children(assertion, "AttributeStatement").flat_map(|all| children(all, "Attribute"));
    let mut found = attributes.filter(|attribute| attribute.attr("Name") == Some(name));
    let Some(attribute) = found.next() else {
        return Ok(None);
    };
    let value = only(attribute, "AttributeValue").map_err(|_| Refusal::StableId)?;
    let text = value.text.trim();
    if found.next().is_some() || text.is_empty() || !value.children.is_empty() {
        return Err(Refusal::StableId);
    }
    Ok(Some(text.to_owned()))
}

/// Checks that what is read is what the library has verified.
fn demand_same(read: &Assertion, session: &SsoSession) -> Result<(), Refusal> {
    let is_same = session.name_id().value().trim() == read.name_id
        && session.assertion_id().as_str() == read.id
        && session.in_response_to().map(MessageId::as_str) == read.in_response_to.as_deref();
    match is_same && !session.verified_xml_signatures().is_empty() {
        true => Ok(()),
        false => Err(Refusal::Signature),
    }
}
