//! Why an answer of an identity provider is refused, and what an administrator changes there.

use crate::domain::keyword::keywords;

keywords! {
    /// The check that refuses an answer.
    Refusal {
        /// The form field is larger than any answer.
        TooLarge = "too-large",
        /// The form field is not base64.
        NotBase64 = "not-base64",
        /// The answer is not XML that we read.
        NotXml = "not-xml",
        /// The XML has a document type, a comment, a CDATA section or a processing instruction.
        Declaration = "declaration",
        /// Two elements have the same id.
        DuplicateId = "duplicate-id",
        /// The assertion is encrypted.
        Encrypted = "encrypted",
        /// An element stands where none may, or is lacking: the form of signature wrapping.
        Structure = "structure",
        /// The provider says that the sign-in has failed.
        Status = "status",
        /// The part that has to be signed is not.
        Unsigned = "unsigned",
        /// A signature is not by a known certificate, or does not fit what it signs.
        Signature = "signature",
        /// A signature uses an algorithm that is not accepted.
        Algorithm = "algorithm",
        /// No certificate of the provider can be used.
        Certificate = "certificate",
        /// Another provider has made it.
        Issuer = "issuer",
        /// It is made for another service.
        Audience = "audience",
        /// It is sent to another URL.
        Recipient = "recipient",
        /// It is too old, or not valid yet.
        Time = "time",
        /// It answers another request, or none.
        InResponseTo = "in-response-to",
        /// Nothing in it lets its bearer sign in.
        Confirmation = "confirmation",
        /// The name of the person is not an e-mail address.
        NameId = "name-id",
        /// The attribute of the stable id is empty or there more than once.
        StableId = "stable-id",
        /// It was used before.
        Replayed = "replayed",
        /// Single sign-on is not in force.
        SsoOff = "sso-off",
        /// Nobody has the address.
        Nobody = "nobody",
        /// More than one account has the address.
        Several = "several",
        /// The stable id is not that of whoever has the address.
        OtherPerson = "other-person",
        /// The account is managed by hand, and its person has not confirmed that they sign in so.
        Unconfirmed = "unconfirmed",
        /// The account cannot sign in.
        NoAccess = "no-access",
    }
}

impl Refusal {
    /// Returns a sentence that says what was found.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::TooLarge => "The answer of the identity provider is larger than 256 KiB.",
            Self::NotBase64 => "The form field SAMLResponse is not valid base64.",
            Self::NotXml => "The answer of the identity provider is not a valid SAML 2.0 message.",
            Self::Declaration => {
                "The answer has a document type, a comment, a CDATA section or a processing instruction."
            }
            Self::DuplicateId => "Two elements of the answer have the same ID.",
            Self::Encrypted => "The assertion is encrypted, and this server has no key to read it.",
            Self::Structure => "The answer does not consist of one response with one assertion.",
            Self::Status => "The identity provider reports that the sign-in has failed there.",
            Self::Unsigned => "The part of the answer that has to be signed is not signed.",
            Self::Signature => {
                "The signature does not fit: it was made with another key, or the answer was changed afterwards."
            }
            Self::Algorithm => "The signature uses an algorithm that is not accepted.",
            Self::Certificate => "No certificate of the identity provider can be used.",
            Self::Issuer => "The answer comes from another identity provider.",
            Self::Audience => "The assertion is made for another service.",
            Self::Recipient => "The answer is made for another URL.",
            Self::Time => "The assertion is too old, or not valid yet.",
            Self::InResponseTo => "The answer does not belong to a sign-in that began here in this browser.",
            Self::Confirmation => "The assertion does not let its bearer sign in.",
            Self::NameId => "The NameID is not an e-mail address of the format emailAddress.",
            Self::StableId => {
                "The attribute of the stable id is empty, or stands in the assertion more than once."
            }
            Self::Replayed => "The assertion was used before.",
            Self::SsoOff => "Single sign-on is off, or no trial sign-in has succeeded yet.",
            Self::Nobody => "Nobody in this organization has the address of the assertion.",
            Self::Several => "More than one account in this organization has the address of the assertion.",
            Self::OtherPerson => {
                "The stable id of the assertion is not the externalId of the person who has its address."
            }
            Self::Unconfirmed => {
                "The account is managed by hand, and its person has not confirmed that they sign in by SAML."
            }
            Self::NoAccess => "The account of the person is disabled or suspended.",
        }
    }

    /// Returns what an administrator changes at the identity provider, or here.
    pub(crate) const fn remedy(self) -> &'static str {
        match self {
            Self::TooLarge => "Send fewer attributes: groups are not needed.",
            Self::NotBase64 | Self::NotXml | Self::Declaration | Self::DuplicateId | Self::Structure => {
                "If the identity provider has sent it like this, report it to its maker. Otherwise somebody has changed \
                 the answer on its way."
            }
            Self::Encrypted => "Switch assertion encryption off for this application.",
            Self::Status => {
                "Look into the log of the identity provider: is the person assigned to the application?"
            }
            Self::Unsigned => {
                "Let the provider sign assertions. If it can sign the response alone, allow that in the SAML settings."
            }
            Self::Signature | Self::Certificate => {
                "Compare the certificates in the SAML settings with those of the provider, and add the new one if it was \
                 renewed."
            }
            Self::Algorithm => "Choose RSA with SHA-256 for signature and digest.",
            Self::Issuer => "Compare the entity id in the SAML settings with the issuer of the provider.",
            Self::Audience => "Enter the entity id of the SAML settings as audience.",
            Self::Recipient => "Enter the URL of the SAML settings as single sign-on URL (ACS).",
            Self::Time => {
                "Set the clocks of the provider and of this server; they may differ by three minutes."
            }
            Self::InResponseTo => {
                "Begin at the sign-in page of this organization, and go through it only once."
            }
            Self::Confirmation => "Choose the subject confirmation method bearer.",
            Self::NameId => {
                "Choose EmailAddress as NameID format, and the e-mail address as application username."
            }
            Self::StableId => {
                "Send one value of the attribute: the identifier that SCIM sends as externalId."
            }
            Self::Replayed => {
                "Begin again at the sign-in page. If nobody has gone back in their browser, somebody may have copied the \
                 answer."
            }
            Self::SsoOff => {
                "Allow single sign-on in the login settings, after a trial sign-in has succeeded."
            }
            Self::Nobody => {
                "Assign the person to the SCIM application, too, and compare the address of the assertion with the one \
                 that SCIM sends."
            }
            Self::Several => {
                "Give each person an address of their own at the provider, and let it synchronise."
            }
            Self::OtherPerson => {
                "The address may have belonged to somebody else: let the provider synchronise over SCIM. If that changes \
                 nothing, let the attribute have the value that SCIM sends as externalId."
            }
            Self::Unconfirmed => {
                "Let the person sign in with their password, and confirm single sign-on on the page of their account."
            }
            Self::NoAccess => "Enable the person at the provider, or lift the suspension here.",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::keyword::Keyword;

    /// Feature row 102: each check says what it has found, in words of its own, and what is to be changed.
    #[test]
    fn every_refusal_is_a_sentence_with_a_remedy() {
        let sentences: BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.sentence()).collect();
        assert_eq!(sentences.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            let ends = |text: &str| text.ends_with('.') || text.ends_with('?');
            assert!(ends(refusal.sentence()) && ends(refusal.remedy()), "{refusal:?}");
        }
    }
}
