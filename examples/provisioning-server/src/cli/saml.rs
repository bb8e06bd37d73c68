//! `saml …`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::documents::time;
use super::flags::{name, word};
use crate::actions::saml::{self, Changes, Shown, Source};
use crate::domain::fault::{Fault, Result};
use crate::domain::keyword::Keyword;
use crate::domain::organization::Name;
use crate::domain::realm::Realm;
use crate::domain::saml::assertion::Signed;
use crate::domain::saml::certificate::Fingerprint;
use crate::domain::saml::failure::{Asserted, Failure};
use crate::domain::saml::metadata::{self, METADATA_MAX};
use crate::domain::saml::provider::{self, Former, Provider, Standing, Trusted};
use crate::domain::saml::refusal::Refusal;
use crate::domain::settings::Switch;
use crate::portal::trial_path;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show what the identity provider must be told of this service, and what is known of the identity provider
    Show {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Print the metadata of this service, for an identity provider that reads them from a file
    Metadata {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Set the identity provider by its metadata, or what is accepted of it
    Set {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// Print a link that tries a sign-in once, within 15 minutes: it signs nobody in, and single sign-on can be allowed once it has
    /// succeeded
    Trial {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
    },
    /// Show the last sign-ins that were refused: what was asserted, which check refused it, and what to change
    Failures {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// Only the one with this number, which the page of the error shows
        #[arg(long, value_name = "NUMBER")]
        reference: Option<String>,
        /// How many to show
        #[arg(long, value_name = "NUMBER", default_value_t = 20)]
        limit: u32,
    },
    /// Read the metadata again from their URL. A server does so every day
    Refresh {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// End certificates that the metadata do not name any more at once, and not after a week
        #[arg(long)]
        without_overlap: bool,
    },
    /// Remove the identity provider: nobody signs in through it any more
    Delete {
        /// Which organization
        #[arg(value_name = "ORG", value_parser = name)]
        name: Name,
        /// The name of the organization, to confirm that people are kept out who have no other way
        #[arg(long, value_name = "NAME")]
        confirm: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The metadata of the identity provider, as a file
    #[arg(long, value_name = "FILE", conflicts_with = "metadata_url")]
    metadata: Option<PathBuf>,
    /// The URL of the metadata. They are read now and every day, so that new certificates arrive by themselves
    #[arg(long, value_name = "URL")]
    metadata_url: Option<String>,
    /// The part that the identity provider signs: the assertion, or the response alone, which is weaker
    #[arg(long, value_name = "PART", value_parser = word::<Signed>())]
    signed: Option<Signed>,
    /// The attribute that has the identifier which SCIM sends as externalId; an empty one compares none
    #[arg(long, value_name = "NAME")]
    stable_id_attribute: Option<String>,
    /// End certificates that new metadata do not name at once, and not after a week: as when a key was stolen
    #[arg(long)]
    without_overlap: bool,
}

/// The answer of `saml show`, `saml set` and `saml refresh`.
#[derive(Debug, Serialize)]
struct Document {
    organization: String,
    /// The values that the identity provider is told.
    service: Service,
    standing: &'static str,
    /// Whether the login settings allow it.
    sso: Switch,
    /// Whether people can sign in so now.
    in_force: bool,
    idp_initiated_saml: Switch,
    provider: Option<ProviderDocument>,
}

#[derive(Debug, Serialize)]
struct Service {
    acs_url: String,
    entity_id: String,
    metadata_url: String,
    name_id_format: &'static str,
    application_username: &'static str,
}

#[derive(Debug, Serialize)]
struct ProviderDocument {
    entity_id: String,
    sso_url: String,
    metadata_url: Option<String>,
    metadata_read: Option<Timestamp>,
    signed: Signed,
    stable_id_attribute: Option<String>,
    tried: Option<Timestamp>,
    certificates: Vec<CertificateDocument>,
}

#[derive(Debug, Serialize)]
struct CertificateDocument {
    fingerprint: Fingerprint,
    expires: Timestamp,
    /// The end of its overlap, once the metadata do not name it any more.
    until: Option<Timestamp>,
}

/// The answer of `saml trial`.
#[derive(Debug, Serialize)]
struct Trial {
    organization: String,
    /// To be opened in a browser, once.
    url: String,
}

/// The answer of `saml failures`.
#[derive(Debug, Serialize)]
struct Failures {
    organization: String,
    failures: Vec<FailureDocument>,
}

#[derive(Debug, Serialize)]
struct FailureDocument {
    reference: String,
    time: Timestamp,
    /// The check that has refused it.
    refusal: Refusal,
    found: &'static str,
    /// The thing to change.
    remedy: &'static str,
    asserted: Asserted,
    address: Option<String>,
}

/// The answer of `saml metadata`.
#[derive(Debug, Serialize)]
struct MetadataDocument {
    organization: String,
    /// The document, as XML.
    metadata: String,
}

/// The answer of `saml delete`.
#[derive(Debug, Serialize)]
struct Deleted {
    organization: String,
    id: Uuid,
    entity_id: String,
    deleted: bool,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, &session.actor());
        let shown = match self {
            Self::Show { name } => saml::show(product, actor, &name).await?,
            Self::Set { name, flags } => {
                let changes = flags.changes()?;
                saml::set(product, &session.fetcher, actor, &name, changes).await?
            }
            Self::Refresh {
                name,
                without_overlap,
            } => {
                let former = match without_overlap {
                    true => Former::End,
                    false => Former::Overlap,
                };
                saml::refresh(product, &session.fetcher, actor, &name, former).await?
            }
            Self::Metadata { name } => return print_metadata(session, &name).await,
            Self::Trial { name } => return trial(session, &name).await,
            Self::Failures {
                name,
                reference,
                limit,
            } => return failures(session, &name, reference, limit).await,
            Self::Delete { name, confirm } => return delete(session, &name, confirm).await,
        };
        session.output.result(&document(session, shown), text);
        Ok(())
    }
}

impl Flags {
    fn changes(self) -> Result<Changes> {
        let metadata = match (self.metadata, self.metadata_url) {
            (Some(file), _) => Some(Source::Text(contents(&file)?)),
            (None, url) => url.map(Source::Url),
        };
        let attribute = self.stable_id_attribute.as_deref();
        let changes = Changes {
            metadata,
            signed: self.signed,
            stable_id_attribute: attribute.map(provider::stable_id_attribute).transpose()?,
            ends_former: self.without_overlap,
        };
        match changes.is_empty() {
            true => Err(Fault::invalid(
                "Nothing to change: give the metadata of the identity provider, with --metadata-url URL or \
                 --metadata FILE.",
            )),
            false => Ok(changes),
        }
    }
}

/// Reads the metadata in a file, but not much more than they can be.
fn contents(file: &Path) -> Result<String> {
    use std::io::Read;
    let name = file.display();
    let unreadable = |cause| Fault::internal(format!("The file {name} (--metadata) cannot be read."), cause);
    let opened = std::fs::File::open(file).map_err(unreadable)?;
    let most = u64::try_from(METADATA_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    opened.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn print_metadata(session: &Session, name: &Name) -> Result<()> {
    let shown = saml::show(&session.product, &session.actor(), name).await?;
    let entity_id = session.base.saml_entity_id(shown.organization.id);
    let document = MetadataDocument {
        organization: name.to_string(),
        metadata: metadata::of_service(&entity_id, &session.base.saml_acs(name)),
    };
    session
        .output
        .result(&document, |printed| printed.metadata.clone());
    Ok(())
}

async fn trial(session: &Session, name: &Name) -> Result<()> {
    let (organization, link) = saml::try_out(&session.product, &session.actor(), name).await?;
    let realm = Realm::Organization(Box::new(organization));
    let document = Trial {
        organization: name.to_string(),
        url: format!("{}{}", session.base, trial_path(&realm, &link)),
    };
    session.output.one_line(
        &document,
        |trial| &trial.url,
        |trial| {
            format!(
                "Open this within 15 minutes, and sign in at the identity provider:\n\n  {}\n\nNobody is signed in here by it.",
                trial.url
            )
        },
    );
    Ok(())
}

async fn failures(session: &Session, name: &Name, reference: Option<String>, limit: u32) -> Result<()> {
    let found = saml::failures(&session.product, &session.actor(), name, reference, limit).await?;
    let document = Failures {
        organization: name.to_string(),
        failures: found.into_iter().map(failure_document).collect(),
    };
    session.output.result(&document, |listed| {
        if listed.failures.is_empty() {
            return "No sign-in was refused.".to_owned();
        }
        listed.failures.iter().map(failure_text).collect()
    });
    Ok(())
}

fn failure_document(failure: Failure) -> FailureDocument {
    FailureDocument {
        reference: failure.reference(),
        time: failure.time,
        refusal: failure.refusal,
        found: failure.refusal.sentence(),
        remedy: failure.refusal.remedy(),
        asserted: failure.asserted,
        address: failure.address,
    }
}

fn failure_text(failure: &FailureDocument) -> String {
    let asserted = &failure.asserted;
    let told = [
        ("issuer", &asserted.issuer),
        ("audience", &asserted.audience),
        ("destination", &asserted.destination),
        ("person", &asserted.name_id),
    ];
    let told = told
        .into_iter()
        .filter_map(|(label, value)| Some((label, value.clone()?)));
    let told: Vec<(&str, String)> = told.collect();
    format!(
        "{} {}  {}\n{}  {}\n",
        time(failure.time),
        failure.reference,
        failure.found,
        lines(&told),
        failure.remedy
    )
}

async fn delete(session: &Session, name: &Name, confirm: Option<String>) -> Result<()> {
    let (id, provider) = saml::delete(&session.product, &session.actor(), name, confirm).await?;
    let document = Deleted {
        organization: name.to_string(),
        id,
        entity_id: provider.entity_id,
        deleted: true,
    };
    session.output.result(&document, |deleted| {
        format!(
            "The identity provider {:?} of organization {:?} is removed: nobody signs in through it any more.",
            deleted.entity_id, deleted.organization
        )
    });
    Ok(())
}

fn document(session: &Session, shown: Shown) -> Document {
    let (standing, organization) = (shown.standing(), shown.organization);
    let entity_id = session.base.saml_entity_id(organization.id);
    Document {
        service: Service {
            acs_url: session.base.saml_acs(&organization.name),
            metadata_url: entity_id.clone(),
            entity_id,
            name_id_format: "EmailAddress",
            application_username: "Email",
        },
        standing: match standing {
            Standing::NotConfigured => "not-configured",
            Standing::Untried => "untried",
            Standing::Tried => "tried",
        },
        sso: organization.settings.sso,
        in_force: standing.is_in_force(&organization.settings),
        idp_initiated_saml: organization.settings.idp_initiated_saml,
        organization: organization.name.to_string(),
        provider: shown.provider.map(provider_document),
    }
}

fn provider_document(provider: Provider) -> ProviderDocument {
    ProviderDocument {
        entity_id: provider.entity_id,
        sso_url: provider.sso_url,
        metadata_url: provider.metadata_url,
        metadata_read: provider.read,
        signed: provider.signed,
        stable_id_attribute: provider.stable_id_attribute,
        tried: provider.tried,
        certificates: provider.certificates.iter().map(certificate_document).collect(),
    }
}

fn certificate_document(trusted: &Trusted) -> CertificateDocument {
    CertificateDocument {
        fingerprint: trusted.certificate.fingerprint(),
        expires: trusted.certificate.expires,
        until: trusted.until,
    }
}

fn text(shown: &Document) -> String {
    let service = &shown.service;
    let ours = [
        ("assertion (ACS) URL", service.acs_url.clone()),
        ("entity ID", service.entity_id.clone()),
        ("metadata", service.metadata_url.clone()),
        ("name ID format", service.name_id_format.to_owned()),
        ("username", service.application_username.to_owned()),
    ];
    let head = format!(
        "Give these to the identity provider of {:?}:\n",
        shown.organization
    );
    let theirs = match &shown.provider {
        None => "\nSAML is not configured yet: saml set ORG --metadata-url URL\n".to_owned(),
        Some(provider) => format!("\nWhat is known of it:\n{}", lines(&known(provider, shown))),
    };
    head + &lines(&ours) + &theirs
}

fn known(provider: &ProviderDocument, shown: &Document) -> Vec<(&'static str, String)> {
    let at = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| time(at).to_string());
    let sso = match (shown.in_force, shown.sso) {
        (true, _) => "on",
        (false, Switch::On) => "on, and in force after a trial sign-in",
        (false, Switch::Off) => "off",
    };
    let mut known = vec![
        ("issuer", provider.entity_id.clone()),
        ("sign-in address", provider.sso_url.clone()),
        (
            "metadata",
            provider
                .metadata_url
                .clone()
                .unwrap_or_else(|| "from a file".to_owned()),
        ),
        ("signed", provider.signed.word().to_owned()),
        (
            "stable id",
            provider
                .stable_id_attribute
                .clone()
                .unwrap_or_else(|| "-".to_owned()),
        ),
        ("last trial", at(provider.tried)),
        ("single sign-on", sso.to_owned()),
    ];
    known.extend(provider.certificates.iter().map(|certificate| {
        let until = match certificate.until {
            Some(until) => format!("not named any more, accepted until {}", time(until)),
            None => format!("expires {}", time(certificate.expires)),
        };
        ("certificate", format!("{} {until}", certificate.fingerprint))
    }));
    known
}

fn lines(entries: &[(&str, String)]) -> String {
    let line = |(label, value): &(&str, String)| format!("  {label:<22}{value}\n");
    entries.iter().map(line).collect()
}
