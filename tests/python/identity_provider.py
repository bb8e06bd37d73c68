"""Answers of an identity provider that shares no code with the server: pysaml2, which signs with xmlsec1.

    identity_provider.py CASE PARAMETERS

PARAMETERS is a JSON object: entity_id, acs, issuer, request (null for an answer that nobody asked for), name_id,
stable_id; lifetime, in minutes; folder, in which keys are kept for the next answer, and key, the name of the one to sign with. Prints a JSON
object: response (the form field SAMLResponse) and certificates (base64 of DER).

The case "many" takes many besides, a list of cases, each with what is other for it, and prints a list. The case "metadata" takes issuer, folder, keys (names) and url, and prints the metadata of the provider.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from xml.dom import minidom

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, xmldsig
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_EMAILADDRESS, NameID
from saml2.server import Server

PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
EVIL = "mallory@evil.example"
TEMPORARY = tempfile.TemporaryDirectory()
FOLDER = TEMPORARY.name


def path(name):
    return os.path.join(FOLDER, name)


class Key:
    """A key with a certificate of its own: the one that is kept under this name, or a new one."""

    def __init__(self, name):
        self.key, self.certificate = path(name + ".key"), path(name + ".pem")
        if not os.path.exists(self.certificate):
            self.make(name)
        with open(self.certificate, "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read())
        self.der = base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()

    def make(self, name):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.now(timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, hashes.SHA256())
        )
        with open(self.key, "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.TraditionalOpenSSL,
                    serialization.NoEncryption(),
                )
            )
        with open(self.certificate, "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))


def service(asked):
    """The metadata of the service that is answered."""
    return (
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s"><md:SPSSODescriptor '
        'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:AssertionConsumerService index="0" '
        'Binding="%s" Location="%s"/></md:SPSSODescriptor></md:EntityDescriptor>'
        % (asked["entity_id"], BINDING_HTTP_POST, asked["acs"])
    )


def answer(asked, key, sign="assertion", algorithm=xmldsig.SIG_RSA_SHA256, digest=xmldsig.DIGEST_SHA256, **more):
    """A response of pysaml2."""
    configuration = IdPConfig()
    configuration.load(
        {
            "entityid": asked["issuer"],
            "xmlsec_binary": shutil.which("xmlsec1"),
            "key_file": key.key,
            "cert_file": key.certificate,
            "service": {
                "idp": {
                    "endpoints": {
                        "single_sign_on_service": [(asked["issuer"] + "/sso", BINDING_HTTP_REDIRECT)]
                    },
                    "policy": {"default": {"lifetime": {"minutes": asked.get("lifetime", 5)}, "attribute_restrictions": None}},
                }
            },
            "metadata": {"inline": [service(asked)]},
        }
    )
    stable_id = asked.get("stable_id")
    name_id = NameID(format=more.pop("format", NAMEID_FORMAT_EMAILADDRESS), text=asked["name_id"])
    response = Server(config=configuration).create_authn_response(
        {"externalId": stable_id} if stable_id else {},
        in_response_to=asked["request"],
        destination=asked["acs"],
        sp_entity_id=asked["entity_id"],
        name_id=name_id,
        authn={"class_ref": PASSWORD, "authn_auth": asked["issuer"]},
        sign_response="response" in sign,
        sign_assertion="assertion" in sign,
        sign_alg=algorithm,
        digest_alg=digest,
        **more,
    )
    return str(response)


def elements(node, name):
    found = [child for child in node.childNodes if child.nodeType == child.ELEMENT_NODE]
    own = [child for child in found if child.localName == name]
    return own + [deeper for child in found for deeper in elements(child, name)]


def first(node, name):
    return elements(node, name)[0]


def forged(element):
    """A copy that says something else, under an id of its own and without a signature."""
    copy = element.cloneNode(True)
    for signature in elements(copy, "Signature"):
        signature.parentNode.removeChild(signature)
    copy.setAttribute("ID", "_forged")
    for name_id in elements(copy, "NameID"):
        name_id.firstChild.data = EVIL
    if copy.localName == "Response":
        for assertion in elements(copy, "Assertion"):
            assertion.setAttribute("ID", "_forged-assertion")
    return copy


def holder(document, name, prefix="ds"):
    space = {"ds": "http://www.w3.org/2000/09/xmldsig#", "samlp": "urn:oasis:names:tc:SAML:2.0:protocol"}[prefix]
    made = document.createElementNS(space, prefix + ":" + name)
    made.setAttribute("xmlns:" + prefix, space)
    return made


def wrapped(xml, attack):
    """Moves what was signed to where a careless reader still finds it, and puts something else in its place."""
    document = minidom.parseString(xml)
    response = document.documentElement
    assertion = first(response, "Assertion")
    signature = first(response, "Signature")
    if attack in ("xsw1", "xsw2"):
        evil, original = forged(response), response.cloneNode(True)
        moved = first(original, "Signature")
        original.removeChild(moved)
        if attack == "xsw1":
            inside = holder(document, "Object")
            inside.appendChild(original)
            moved.appendChild(inside)
            evil.insertBefore(moved, first(evil, "Status"))
        else:
            evil.insertBefore(original, first(evil, "Status"))
            evil.insertBefore(moved, first(evil, "Status"))
        return evil.toxml()
    evil = forged(assertion)
    if attack in ("xsw3", "before"):
        response.insertBefore(evil, assertion)
    elif attack == "after":
        response.appendChild(evil)
    elif attack == "xsw4":
        response.replaceChild(evil, assertion)
        evil.appendChild(assertion)
    elif attack == "xsw5":
        response.replaceChild(evil, assertion)
        evil.insertBefore(assertion.removeChild(signature), evil.childNodes[1])
        response.appendChild(assertion)
    elif attack == "xsw6":
        response.replaceChild(evil, assertion)
        evil.insertBefore(assertion.removeChild(signature), evil.childNodes[1])
        signature.appendChild(assertion)
    elif attack == "xsw7":
        response.replaceChild(evil, assertion)
        extensions = holder(document, "Extensions", "samlp")
        extensions.appendChild(assertion)
        response.insertBefore(extensions, first(response, "Status"))
    elif attack == "xsw8":
        response.replaceChild(evil, assertion)
        evil.insertBefore(assertion.removeChild(signature), evil.childNodes[1])
        inside = holder(document, "Object")
        inside.appendChild(assertion)
        signature.appendChild(inside)
    elif attack == "extensions":
        extensions = holder(document, "Extensions", "samlp")
        extensions.appendChild(evil)
        response.insertBefore(extensions, first(response, "Status"))
    elif attack == "object":
        inside = holder(document, "Object")
        inside.appendChild(evil)
        signature.appendChild(inside)
    elif attack == "inside":
        first(assertion, "SubjectConfirmationData").appendChild(evil)
    return response.toxml()


def with_hmac(xml, key):
    """Signs with a key that everybody knows: the certificate."""
    document = minidom.parseString(xml)
    signature = first(document.documentElement, "Signature")
    first(signature, "SignatureMethod").setAttribute(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    )
    for info in elements(signature, "KeyInfo"):
        signature.removeChild(info)
    with open(path("template.xml"), "w") as file:
        file.write(document.documentElement.toxml())
    name = "urn:oasis:names:tc:SAML:2.0:assertion:Assertion"
    command = ["xmlsec1", "--sign", "--id-attr:ID", name, "--hmackey", key.certificate, path("template.xml")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def renamed(xml, old, new):
    assert old in xml, old
    return xml.replace(old, new)


def id_of(xml, name):
    document = minidom.parseString(xml)
    root = document.documentElement
    return (root if name == "Response" else first(root, name)).getAttribute("ID")


def status_failed(xml):
    success = "urn:oasis:names:tc:SAML:2.0:status:Success"
    return renamed(xml, success, "urn:oasis:names:tc:SAML:2.0:status:Responder")


def made(case, asked, key, stranger):
    if case in ("assertion", "response"):
        return answer(asked, key, sign=case)
    if case == "both":
        return answer(asked, key, sign="assertion response")
    if case == "unsigned":
        return answer(asked, key, sign="")
    if case == "wrong-key":
        return answer(asked, stranger)
    if case == "sha1":
        return answer(asked, key, algorithm=xmldsig.SIG_RSA_SHA1, digest=xmldsig.DIGEST_SHA1)
    if case == "sha1-digest":
        return answer(asked, key, digest=xmldsig.DIGEST_SHA1)
    if case == "persistent":
        return answer(asked, key, format=PERSISTENT)
    if case == "encrypted":
        return answer(asked, key, encrypt_assertion=True, encrypt_cert_assertion=open(key.certificate).read())
    if case in ("xsw1", "xsw2"):
        return wrapped(answer(asked, key, sign="response"), case)
    xml = answer(asked, key)
    if case == "tampered":
        return renamed(xml, asked["name_id"], EVIL)
    if case == "hmac":
        return with_hmac(xml, key)
    if case == "doctype":
        return "<!DOCTYPE Response [<!ENTITY x \"y\">]>" + xml[xml.index("<", 5) if xml.startswith("<?") else 0 :]
    if case == "duplicate-id":
        return renamed(xml, id_of(xml, "Response"), id_of(xml, "Assertion"))
    if case == "comment":
        return renamed(xml, ".evil.example<", "<!-- -->.evil.example<")
    if case == "instruction":
        return renamed(xml, ".evil.example<", "<?x y?>.evil.example<")
    if case == "failed":
        return status_failed(xml)
    return wrapped(xml, case)


def metadata(asked):
    """What pysaml2 says of an identity provider, with all of these keys."""
    keys = [Key(name) for name in asked["keys"]]
    configuration = IdPConfig()
    configuration.load(
        {
            "entityid": asked["issuer"],
            "xmlsec_binary": shutil.which("xmlsec1"),
            "key_file": keys[0].key,
            "cert_file": keys[0].certificate,
            "service": {"idp": {"endpoints": {"single_sign_on_service": [(asked["url"], BINDING_HTTP_REDIRECT)]}}},
        }
    )
    xml = str(entity_descriptor(configuration))
    for key in keys[1:]:
        document = minidom.parseString(xml)
        described = first(document.documentElement, "KeyDescriptor").cloneNode(True)
        first(described, "X509Certificate").firstChild.data = key.der
        role = first(document.documentElement, "IDPSSODescriptor")
        role.insertBefore(described, first(role, "KeyDescriptor"))
        xml = document.documentElement.toxml()
    return xml


def form_field(case, asked):
    key, stranger = Key(asked.get("key", "provider")), Key("stranger")
    xml = made(case, asked, key, stranger)
    return {
        "response": base64.b64encode(xml.encode()).decode(),
        "certificates": [key.der],
        "others": [stranger.der],
    }


def main():
    global FOLDER
    case, asked = sys.argv[1], json.loads(sys.argv[2])
    FOLDER = asked.get("folder", FOLDER)
    if case == "metadata":
        print(json.dumps({"metadata": metadata(asked)}))
    elif case == "many":
        print(json.dumps([form_field(case, {**asked, **changes}) for case, changes in asked["many"]]))
    else:
        print(json.dumps(form_field(case, asked)))


if __name__ == "__main__":
    main()
