//! The shape that an answer must have before anything in it is verified.
//!
//! Signature wrapping needs a second assertion, a second element of one id, or a signature in an unusual place. An answer
//! in which none of these can be leaves only one element that a signature can mean, which is the one that is read. Names
//! are compared without their namespace, so that nothing escapes by another one.

use std::collections::HashSet;

use crate::domain::saml::assertion::Signed;
use crate::domain::saml::refusal::Refusal;
use crate::domain::saml::xml::{Element, children};

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const SIGNATURES: [&str; 3] = [
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
];
const DIGESTS: [&str; 3] = [
    "http://www.w3.org/2001/04/xmlenc#sha256",
    "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "http://www.w3.org/2001/04/xmlenc#sha512",
];

/// The children that a signature and its parts may have.
const SIGNATURE: [&str; 3] = ["SignedInfo", "SignatureValue", "KeyInfo"];
const SIGNED_INFO: [&str; 3] = ["CanonicalizationMethod", "SignatureMethod", "Reference"];
const REFERENCE: [&str; 3] = ["Transforms", "DigestMethod", "DigestValue"];

/// Checks the text of an answer: no document type, comment, CDATA section or processing instruction is needed, and each
/// of them is read differently by some reader. A `<` of the content is always escaped.
pub(super) fn demand_plain(xml: &str) -> Result<(), Refusal> {
    let body = match xml.strip_prefix("<?xml ") {
        Some(rest) => rest.split_once("?>").ok_or(Refusal::NotXml)?.1,
        None => xml,
    };
    match body.contains("<!") || body.contains("<?") {
        true => Err(Refusal::Declaration),
        false => Ok(()),
    }
}

/// Returns the one assertion of a response, if nothing but its signature, or the signature of the response, can mean it.
pub(super) fn only_assertion(root: &Element, signed: Signed) -> Result<&Element, Refusal> {
    if root.local_name != "Response" {
        return Err(Refusal::Structure);
    }
    demand_unique_ids(root, &mut HashSet::new())?;
    if count(root, "EncryptedAssertion") + count(root, "EncryptedID") + count(root, "EncryptedData") > 0 {
        return Err(Refusal::Encrypted);
    }
    if children(root, "Assertion").count() == 0 && count(root, "Assertion") == 0 {
        // A provider that reports a failure sends no assertion.
        return Err(Refusal::Status);
    }
    let assertion = only(root, "Assertion")?;
    let of_response = at_most_one(root, "Signature")?;
    let of_assertion = at_most_one(assertion, "Signature")?;
    let signatures = of_response.iter().count() + of_assertion.iter().count();
    let is_simple = count(root, "Assertion") == 1
        && count(root, "Response") == 1
        && count(root, "Signature") == signatures
        && count(root, "Object") == 0;
    if !is_simple {
        return Err(Refusal::Structure);
    }
    for (signature, parent) in [(of_response, root), (of_assertion, assertion)] {
        if let Some(signature) = signature {
            demand_signs(signature, parent)?;
        }
    }
    let needed = match signed {
        Signed::Assertion => of_assertion,
        Signed::Response => of_response.or(of_assertion),
    };
    needed.map(|_| assertion).ok_or(Refusal::Unsigned)
}

/// Checks that a signature is about the element in which it stands, by one reference to its id and by algorithms that
/// nobody can break or reinterpret.
fn demand_signs(signature: &Element, parent: &Element) -> Result<(), Refusal> {
    demand_children(signature, &SIGNATURE)?;
    let info = only(signature, "SignedInfo")?;
    demand_children(info, &SIGNED_INFO)?;
    let reference = only(info, "Reference")?;
    demand_children(reference, &REFERENCE)?;
    let id = parent.attr("ID").filter(|id| !id.is_empty());
    let uri = reference.attr("URI").and_then(|uri| uri.strip_prefix('#'));
    if id.is_none() || id != uri {
        return Err(Refusal::Structure);
    }
    demand_algorithm(only(info, "CanonicalizationMethod")?, &[EXCLUSIVE])?;
    demand_algorithm(only(info, "SignatureMethod")?, &SIGNATURES)?;
    demand_algorithm(only(reference, "DigestMethod")?, &DIGESTS)?;
    let transforms = only(reference, "Transforms")?;
    demand_children(transforms, &["Transform"])?;
    transforms
        .children
        .iter()
        .try_for_each(|transform| demand_algorithm(transform, &[ENVELOPED, EXCLUSIVE]))
}

fn demand_algorithm(element: &Element, accepted: &[&str]) -> Result<(), Refusal> {
    match element.attr("Algorithm") {
        Some(algorithm) if accepted.contains(&algorithm) => Ok(()),
        _ => Err(Refusal::Algorithm),
    }
}

/// Checks that no two elements have one id, whatever the attribute is called, and that none has two.
fn demand_unique_ids<'e>(element: &'e Element, seen: &mut HashSet<&'e str>) -> Result<(), Refusal> {
    let is_id = |name: &str| name.eq_ignore_ascii_case("ID") || name == "AssertionID";
    let mut ids = element.attrs.iter().filter(|(name, _)| is_id(name));
    if let Some((_, id)) = ids.next()
        && (!seen.insert(id) || ids.next().is_some())
    {
        return Err(Refusal::DuplicateId);
    }
    let mut children = element.children.iter();
    children.try_for_each(|child| demand_unique_ids(child, seen))
}

/// Checks that an element has only children of these names, each once, but transforms.
fn demand_children(element: &Element, names: &[&str]) -> Result<(), Refusal> {
    let is_known = |child: &Element| names.contains(&child.local_name.as_str());
    let is_repeated = |name: &&str| *name != "Transform" && children(element, name).count() > 1;
    match element.children.iter().all(is_known) && !names.iter().any(is_repeated) {
        true => Ok(()),
        false => Err(Refusal::Structure),
    }
}

/// Returns the only child of a name.
pub(super) fn only<'e>(element: &'e Element, name: &str) -> Result<&'e Element, Refusal> {
    at_most_one(element, name)?.ok_or(Refusal::Structure)
}

/// Returns the child of a name, if there is one.
pub(super) fn at_most_one<'e>(element: &'e Element, name: &str) -> Result<Option<&'e Element>, Refusal> {
    let mut found = children(element, name);
    let first = found.next();
    match found.next() {
        Some(_) => Err(Refusal::Structure),
        None => Ok(first),
    }
}

/// Returns how many elements of a name there are, at any depth.
fn count(element: &Element, name: &str) -> usize {
    let below: usize = element.children.iter().map(|child| count(child, name)).sum();
    below + usize::from(element.local_name == name)
}
