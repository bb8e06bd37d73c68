//! Metadata (SAML 2.0 Metadata): those of an identity provider, as far as they are of use here, and our own.

use jiff::Timestamp;
use url::Url;

use super::certificate::{Certificate, Useless};
use super::xml::{self, Element, XmlLimits, children, escaped};
use crate::domain::fault::{Fault, Result};

/// The largest metadata, in bytes. Those of Entra ID have some 100 kilobytes, most of it about other protocols.
pub(crate) const METADATA_MAX: usize = 1024 * 1024;

const LIMITS: XmlLimits = xml::limits(METADATA_MAX, 20_000);

const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";

/// The longest entity id (SAML 2.0 Core section 8.3.6).
const ENTITY_ID_MAX: usize = 1024;

/// How many certificates a provider may have at once.
const CERTIFICATES_MAX: usize = 8;

/// The metadata of an identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) entity_id: String,
    /// The URL at which a sign-in begins: by the binding HTTP-Redirect.
    pub(crate) sso_url: String,
    /// The certificates of the keys by which it signs, one or more.
    pub(crate) certificates: Vec<Certificate>,
}

impl Metadata {
    /// Reads the metadata of an identity provider.
    ///
    /// # Errors
    /// The text is not the metadata of one identity provider, or what is needed of it is lacking.
    pub(crate) fn read(text: &str, now: Timestamp) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}');
        if text.contains("<!DOCTYPE") || text.contains("<!ENTITY") {
            return Err(refused("they have a document type, which metadata do not need"));
        }
        let root = xml::root(text, LIMITS);
        let root = root.ok_or_else(|| refused("they are not XML that can be read"))?;
        let entity = only_entity(&root)?;
        demand_valid(entity, now)?;
        let entity_id = entity.attr("entityID").unwrap_or_default().trim().to_owned();
        if entity_id.is_empty() || entity_id.len() > ENTITY_ID_MAX {
            return Err(refused("they lack a valid entityID"));
        }
        let provider = role(entity)?;
        Ok(Self {
            entity_id,
            sso_url: sso_url(provider)?,
            certificates: certificates(provider)?,
        })
    }
}

fn refused(why: &str) -> Fault {
    Fault::invalid(format!(
        "The metadata are not valid metadata of an identity provider: {why}; expected what the identity provider offers \
         as \"SAML metadata\" or \"federation metadata\"."
    ))
}

/// Returns the one entity that has the role of an identity provider.
fn only_entity(root: &Element) -> Result<&Element> {
    if root.local_name == "EntityDescriptor" {
        return Ok(root);
    }
    let mut found = children(root, "EntityDescriptor").filter(|entity| is_provider(entity));
    match (root.local_name.as_str(), found.next(), found.next()) {
        ("EntitiesDescriptor", Some(only), None) => Ok(only),
        ("EntitiesDescriptor", Some(_), Some(_)) => Err(refused(
            "they describe several identity providers, of which one must be chosen",
        )),
        _ => Err(refused("they describe no identity provider")),
    }
}

fn is_provider(entity: &Element) -> bool {
    children(entity, "IDPSSODescriptor").next().is_some()
}

/// Returns what an entity says of itself as an identity provider of SAML 2.0.
fn role(entity: &Element) -> Result<&Element> {
    let speaks = |role: &&Element| {
        let protocols = role.attr("protocolSupportEnumeration").unwrap_or_default();
        protocols.split_ascii_whitespace().any(|known| known == PROTOCOL)
    };
    let mut found = children(entity, "IDPSSODescriptor").filter(speaks);
    match (found.next(), found.next()) {
        (Some(role), None) => Ok(role),
        (Some(_), Some(_)) => Err(refused("they have more than one IDPSSODescriptor")),
        (None, _) => Err(refused("they have no IDPSSODescriptor of SAML 2.0")),
    }
}

fn demand_valid(entity: &Element, now: Timestamp) -> Result<()> {
    match entity.attr("validUntil").map(str::parse::<Timestamp>) {
        None => Ok(()),
        Some(Ok(until)) if until > now => Ok(()),
        Some(Ok(until)) => Err(refused(&format!(
            "they were valid until {until}: take newer ones from the identity provider"
        ))),
        Some(Err(_)) => Err(refused("their validUntil is not a time")),
    }
}

fn sso_url(provider: &Element) -> Result<String> {
    let mut services = children(provider, "SingleSignOnService");
    let service = services.find(|service| service.attr("Binding") == Some(REDIRECT));
    let location = service.and_then(|service| service.attr("Location"));
    let location =
        location.ok_or_else(|| refused("they have no SingleSignOnService of the binding HTTP-Redirect"))?;
    match Url::parse(location.trim()) {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Ok(url.into()),
        _ => Err(refused(
            "the Location of the SingleSignOnService is not an http or https URL",
        )),
    }
}

/// Returns the certificates for signing: of use `signing`, and those without one, which are for everything.
fn certificates(provider: &Element) -> Result<Vec<Certificate>> {
    let is_for_signing = |key: &&Element| matches!(key.attr("use"), None | Some("signing"));
    let texts = children(provider, "KeyDescriptor")
        .filter(is_for_signing)
        .flat_map(|key| children(key, "KeyInfo"))
        .flat_map(|info| children(info, "X509Data"))
        .flat_map(|data| children(data, "X509Certificate"));
    let mut certificates: Vec<Certificate> = Vec::new();
    for text in texts {
        let certificate = Certificate::of_base64(&text.text).map_err(|useless| match useless {
            Useless::Unreadable => refused("one of their certificates cannot be read"),
            Useless::Key => {
                refused("one of their certificates has a key that is not RSA with 2,048 bits or more")
            }
        })?;
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    match certificates.len() {
        0 => Err(refused("they have no certificate for signing")),
        1..=CERTIFICATES_MAX => Ok(certificates),
        _ => Err(refused(&format!(
            "they have more than {CERTIFICATES_MAX} certificates for signing"
        ))),
    }
}

/// Returns our own metadata, for an identity provider that reads them: nothing is signed or encrypted by us.
pub(crate) fn of_service(entity_id: &str, acs: &str) -> String {
    let (entity_id, acs) = (escaped(entity_id), escaped(acs));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"{entity_id}\">\n  \
           <md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\" \
             protocolSupportEnumeration=\"{PROTOCOL}\">\n    \
             <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>\n    \
             <md:AssertionConsumerService index=\"0\" isDefault=\"true\" \
               Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\" Location=\"{acs}\"/>\n  \
           </md:SPSSODescriptor>\n\
         </md:EntityDescriptor>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::saml::samples::{EC, ONE, SMALL, TWO, certificate, metadata, text};

    fn read(text: &str) -> Result<Metadata> {
        Metadata::read(text, Timestamp::UNIX_EPOCH)
    }

    fn refusal(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    /// Feature row 21: what is needed of a provider stands in its metadata.
    #[test]
    fn metadata_say_who_the_provider_is_and_how_it_signs() {
        let read = metadata("https://p.example/", &[ONE, TWO, ONE]);
        assert_eq!(read.entity_id, "https://p.example/");
        assert_eq!(read.sso_url, "https://p.example/sso?a=b&c=d");
        assert_eq!(read.certificates, [certificate(ONE), certificate(TWO)]);
    }

    /// Feature row 21: keys for encryption do not sign, and one without a use is for both.
    #[test]
    fn only_keys_for_signing_are_taken() {
        let both = text("p", &[ONE, TWO]);
        let one = both.replacen("use=\"signing\"", "use=\"encryption\"", 1);
        assert_eq!(read(&one).unwrap().certificates, [certificate(TWO)]);
        let any = both.replace(" use=\"signing\"", "");
        assert_eq!(read(&any).unwrap().certificates.len(), 2);
    }

    /// Feature row 21: a collection is taken if there is one provider in it.
    #[test]
    fn a_collection_with_one_provider_is_taken() {
        let one = text("p", &[ONE]);
        let entity = one.trim_start_matches("<?xml version=\"1.0\"?>");
        let service = "<EntityDescriptor entityID=\"s\"><SPSSODescriptor/></EntityDescriptor>";
        let of = |content: &str| format!("<EntitiesDescriptor>{content}</EntitiesDescriptor>");
        assert_eq!(read(&of(&format!("{service}{entity}"))).unwrap().entity_id, "p");
        assert!(refusal(&of(&format!("{entity}{entity}"))).contains("several identity providers"));
        assert!(refusal(&of(service)).contains("no identity provider"));
    }

    /// Feature row 21: what cannot be used is refused, and the sentence says what it is.
    #[test]
    fn what_is_not_metadata_is_refused() {
        let good = text("p", &[ONE]);
        let later = Timestamp::from_second(4_000_000_000).unwrap();
        let until = good.replace("entityID", "validUntil=\"2050-01-01T00:00:00Z\" entityID");
        assert!(read(&until).is_ok());
        let expired = Metadata::read(&until, later).unwrap_err().to_string();
        assert!(expired.contains("valid until 2050-01-01T00:00:00Z"), "{expired}");
        for (bad, why) in [
            (String::new(), "not XML"),
            ("<a".to_owned(), "not XML"),
            ("<html></html>".to_owned(), "no identity provider"),
            (format!("<!DOCTYPE x []>{good}"), "document type"),
            (good.replace("entityID=\"p\"", ""), "entityID"),
            (
                good.replace("entityID=\"p\"", &format!("entityID=\"{}\"", "p".repeat(1_025))),
                "entityID",
            ),
            (
                good.replace("entityID", "validUntil=\"soon\" entityID"),
                "not a time",
            ),
            (good.replace("SAML:2.0:protocol", "SAML:1.1:protocol"), "SAML 2.0"),
            (
                good.replace("IDPSSODescriptor", "SPSSODescriptor"),
                "no IDPSSODescriptor",
            ),
            (good.replace("HTTP-Redirect", "SOAP"), "HTTP-Redirect"),
            (
                good.replace("https://p.example/sso", "javascript:alert(1)//"),
                "not an http or https URL",
            ),
            (
                good.replace("X509Certificate", "X509Thing"),
                "no certificate for signing",
            ),
            (text("p", &["AAAA"]), "cannot be read"),
            (text("p", &["?"]), "cannot be read"),
            (text("p", &[SMALL]), "2,048 bits"),
            (text("p", &[EC]), "RSA"),
            ("<a>".repeat(40) + &"</a>".repeat(40), "not XML"),
            (
                format!(
                    "<EntityDescriptor>{}</EntityDescriptor>",
                    " ".repeat(METADATA_MAX)
                ),
                "not XML",
            ),
        ] {
            let said = refusal(&bad);
            assert!(said.contains(why) && said.contains("expected"), "{why}: {said}");
        }
    }

    /// Feature rows 21, 22: our own metadata say where answers go, what they are for and what names people have in them.
    #[test]
    fn our_own_metadata_are_read_by_others() {
        let text = of_service("https://x.example/saml/7?a&b", "https://x.example/acs");
        let root = xml::root(&text, LIMITS).unwrap();
        assert_eq!(root.attr("entityID"), Some("https://x.example/saml/7?a&b"));
        let role = children(&root, "SPSSODescriptor").next().unwrap();
        assert_eq!(role.attr("WantAssertionsSigned"), Some("true"));
        let acs = children(role, "AssertionConsumerService").next().unwrap();
        assert_eq!(acs.attr("Location"), Some("https://x.example/acs"));
        let format = children(role, "NameIDFormat").next().unwrap();
        assert!(format.text.ends_with("emailAddress"));
    }
}
