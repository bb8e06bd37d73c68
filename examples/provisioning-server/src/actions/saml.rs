//! Single sign-on by SAML: what an organization knows of its identity provider.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::act::{Act, Subject, carry_out, look};
use super::token::demand_power_of_provider;
use super::{event_row, organization};
use crate::database::saml::{confirmations, errands, failures, provider};
use crate::database::{Product, Stop, audit, entries, organizations};
use crate::domain::actor::{Action, Actor};
use crate::domain::audit::{ActorKind, AuditRow};
use crate::domain::clock::later;
use crate::domain::counted::counted;
use crate::domain::event::EventKind;
use crate::domain::fault::{Fault, Remedy, Result};
use crate::domain::keyword::Keyword;
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::Permission;
use crate::domain::saml::assertion::Signed;
use crate::domain::saml::errand::{self, Errand};
use crate::domain::saml::failure::Failure;
use crate::domain::saml::metadata::{METADATA_MAX, Metadata};
use crate::domain::saml::provider::{Former, Provider, Standing};
use crate::domain::secret::{Secret, SecretKind};
use crate::domain::settings::FirstLogin;
use crate::fetch::Fetcher;

/// Shows the identity provider, and what it must be told of this service.
pub(crate) static SHOW: Action = Action {
    name: "saml.show",
    permission: Permission::LOGIN_READ,
    fresh: false,
};

/// Sets the identity provider, or what is accepted of it.
pub(crate) static SET: Action = Action {
    name: "saml.set",
    permission: Permission::LOGIN_WRITE,
    fresh: true,
};

/// Reads the metadata of the identity provider again.
pub(crate) static REFRESH: Action = Action {
    name: "saml.refresh",
    permission: Permission::LOGIN_WRITE,
    fresh: true,
};

/// Removes the identity provider.
pub(crate) static DELETE: Action = Action {
    name: "saml.delete",
    permission: Permission::LOGIN_WRITE,
    fresh: true,
};

/// Makes a link that tries a sign-in without signing anybody in.
pub(crate) static TRY: Action = Action {
    name: "saml.try",
    permission: Permission::LOGIN_WRITE,
    fresh: true,
};

/// Shows the sign-ins that were refused.
pub(crate) static FAILURES: Action = Action {
    name: "saml.failures",
    permission: Permission::LOGIN_READ,
    fresh: false,
};

/// The source of metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// An administrator has uploaded them.
    Text(String),
    /// They are read from a URL, now and every day.
    Url(String),
}

/// The changes to make; whatever is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    pub(crate) metadata: Option<Source>,
    pub(crate) signed: Option<Signed>,
    /// The name of the attribute, or none.
    pub(crate) stable_id_attribute: Option<Option<String>>,
    /// Whether certificates that the metadata do not name end at once.
    pub(crate) ends_former: bool,
}

impl Changes {
    /// Returns whether nothing is to change.
    pub(crate) fn is_empty(&self) -> bool {
        self.metadata.is_none() && self.signed.is_none() && self.stable_id_attribute.is_none()
    }
}

/// The identity provider of an organization.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    pub(crate) organization: Organization,
    pub(crate) provider: Option<Provider>,
}

impl Shown {
    /// Returns how single sign-on stands.
    pub(crate) fn standing(&self) -> Standing {
        Standing::of(self.provider.as_ref())
    }
}

/// Metadata that were read, and the URL that they came from.
#[derive(Debug, Clone)]
struct Read {
    metadata: Metadata,
    url: Option<String>,
}

/// Returns the identity provider of an organization.
pub(crate) async fn show(product: &Product, actor: &Actor, organization: &Name) -> Result<Shown> {
    look(product, actor, &SHOW, organization, |view| {
        Ok(Shown {
            provider: provider::find(view.reader, view.organization.id)?,
            organization: view.organization.clone(),
        })
    })
    .await
}

/// Sets the identity provider, or what is accepted of it.
pub(crate) async fn set(
    product: &Product,
    fetcher: &Fetcher,
    actor: &Actor,
    organization: &Name,
    changes: Changes,
) -> Result<Shown> {
    demand_can(product, actor, &SET, organization).await?;
    let read = match &changes.metadata {
        Some(source) => Some(read(fetcher, source).await?),
        None => None,
    };
    carry_out(product, actor, &SET, organization, move |act| {
        demand_power_of_provider(act, "A change of the identity provider that people sign in with")?;
        let before = provider::find(act.tx, act.organization.id)?;
        let after = changed(before.as_ref(), &changes, read.clone(), act.now)?;
        write(act, before.as_ref(), &after)?;
        Ok(shown(act, Some(after)))
    })
    .await
}

/// Reads the metadata of the identity provider again, from where they came.
pub(crate) async fn refresh(
    product: &Product,
    fetcher: &Fetcher,
    actor: &Actor,
    organization: &Name,
    former: Former,
) -> Result<Shown> {
    let url = look(product, actor, &REFRESH, organization, |view| {
        let provider = demand_provider(view.reader, view.organization)?;
        Ok(provider.metadata_url.ok_or_else(no_url)?)
    })
    .await?;
    let fetched = read(fetcher, &Source::Url(url.clone())).await?.metadata;
    carry_out(product, actor, &REFRESH, organization, move |act| {
        demand_power_of_provider(act, "A change of the identity provider that people sign in with")?;
        let before = demand_provider(act.tx, act.organization)?;
        demand_same_url(&before, &url)?;
        let after = before.refreshed(fetched.clone(), former, act.now)?;
        write(act, Some(&before), &after)?;
        Ok(shown(act, Some(after)))
    })
    .await
}

/// Removes the identity provider.
pub(crate) async fn delete(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    typed: Option<String>,
) -> Result<(Uuid, Provider)> {
    carry_out(product, actor, &DELETE, organization, move |act| {
        let provider = demand_provider(act.tx, act.organization)?;
        if act.organization.settings.first_login == FirstLogin::Saml {
            return Err(
                Fault::conflict("New people get SAML-enabled accounts, which need this")
                    .mended_by(Remedy {
                        page: "choose another way for them in Login Settings first.",
                        command: "choose another way first, with \"org set ORG --first-login invitation\".",
                    })
                    .into(),
            );
        }
        let alone = entries::count_by_saml_alone(act.tx, act.organization.id)?;
        demand_typed(act.organization, alone, typed.as_deref())?;
        provider::remove(act.tx, act.organization.id)?;
        confirmations::forget(act.tx, act.organization.id)?;
        tell(act, &provider, described(&provider))?;
        Ok((act.organization.id, provider))
    })
    .await
}

/// Checks that whoever keeps people out has typed the name of the organization.
fn demand_typed(organization: &Organization, people: u64, typed: Option<&str>) -> Result<()> {
    if people == 0 || typed == Some(organization.name.as_str()) {
        return Ok(());
    }
    Err(Fault::conflict(format!(
        "{} by SAML alone, and cannot any more: confirm it with the name of the organization, {:?}.",
        counted(people, "person signs in", "people sign in"),
        organization.name.as_str()
    )))
}

/// Returns how many people sign in so and in no other way.
pub(crate) async fn count_alone(product: &Product, actor: &Actor, organization: &Name) -> Result<u64> {
    look(product, actor, &SHOW, organization, |view| {
        Ok(entries::count_by_saml_alone(view.reader, view.organization.id)?)
    })
    .await
}

/// Makes a link that tries a sign-in once: whoever opens it signs in at the identity provider, and is told what would have
/// come of it here. Single sign-on can be allowed once that has succeeded.
pub(crate) async fn try_out(
    product: &Product,
    actor: &Actor,
    organization: &Name,
) -> Result<(Organization, Secret)> {
    let secret = Secret::generate(SecretKind::Link)?;
    let fingerprint = secret.fingerprint();
    let organization = carry_out(product, actor, &TRY, organization, move |act| {
        let provider = demand_provider(act.tx, act.organization)?;
        let expires = later(act.now, errand::LIFE);
        errands::insert(act.tx, act.organization.id, Errand::Trial, &fingerprint, expires)?;
        act.audit(&subject(act.organization, &provider), json!({}))?;
        Ok(act.organization.clone())
    })
    .await?;
    Ok((organization, secret))
}

/// Returns the last sign-ins that were refused, the newest first: all, or the one with this reference.
pub(crate) async fn failures(
    product: &Product,
    actor: &Actor,
    organization: &Name,
    reference: Option<String>,
    most: u32,
) -> Result<Vec<Failure>> {
    look(product, actor, &FAILURES, organization, move |view| {
        let (reader, organization) = (view.reader, view.organization.id);
        Ok(failures::list(reader, organization, reference.as_deref(), most)?)
    })
    .await
}

/// Reads metadata again that were read more than a day ago, of every organization. Metadata that cannot be read leave the
/// provider as it is, and are told to the log.
///
/// # Errors
/// The database fails.
pub(crate) async fn refresh_old(product: &Product, fetcher: &Fetcher, now: Timestamp) -> Result<()> {
    for organization in product.read(provider::with_metadata_url).await? {
        let found = product
            .read(move |reader| provider::find(reader, organization))
            .await?;
        let Some(url) = found
            .filter(|provider| provider.is_old(now))
            .and_then(|old| old.metadata_url)
        else {
            continue;
        };
        let fetched = read(fetcher, &Source::Url(url.clone())).await;
        let outcome = match fetched {
            Ok(fetched) => follow(product, organization, url, fetched.metadata, now).await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = outcome {
            tracing::warn!(
                "The metadata of the identity provider of organization {organization} could not be read again: {}",
                fault.with_causes()
            );
        }
    }
    Ok(())
}

/// Takes over what the metadata of a provider say now.
async fn follow(
    product: &Product,
    organization: Uuid,
    url: String,
    metadata: Metadata,
    now: Timestamp,
) -> Result<()> {
    product
        .transact(move |tx| {
            let Some(organization) = organizations::by_id(tx, organization)? else {
                return Ok(());
            };
            let before = demand_provider(tx, &organization)?;
            demand_same_url(&before, &url)?;
            let after = before.refreshed(metadata.clone(), Former::Overlap, now)?;
            provider::put(tx, organization.id, &after)?;
            let detail = difference(Some(&before), &after);
            if detail.as_object().is_some_and(|changed| !changed.is_empty()) {
                audit::insert(tx, &by_server(&organization, &after, detail, now))?;
            }
            Ok(())
        })
        .await
}

fn by_server(organization: &Organization, provider: &Provider, detail: Value, now: Timestamp) -> AuditRow {
    let subject = subject(organization, provider);
    AuditRow {
        organization: organization.id,
        time: now,
        actor_kind: ActorKind::Server,
        actor: "metadata".to_owned(),
        action: REFRESH.name.into(),
        subject_type: subject.kind.into(),
        subject: subject.id.into_owned(),
        subject_name: subject.name.to_owned(),
        detail,
        address: None,
        request_id: None,
    }
}

/// Checks, before anything is fetched, that the actor may.
async fn demand_can(
    product: &Product,
    actor: &Actor,
    action: &'static Action,
    organization: &Name,
) -> Result<()> {
    look(product, actor, action, organization, |_| Ok(())).await
}

async fn read(fetcher: &Fetcher, source: &Source) -> Result<Read> {
    let now = Timestamp::now();
    match source {
        Source::Text(text) => Ok(Read {
            metadata: Metadata::read(text, now)?,
            url: None,
        }),
        Source::Url(url) => {
            let bytes = fetcher.get(url, METADATA_MAX).await?;
            let text = String::from_utf8_lossy(&bytes);
            Ok(Read {
                metadata: Metadata::read(&text, now)?,
                url: Some(url.trim().to_owned()),
            })
        }
    }
}

fn changed(
    before: Option<&Provider>,
    changes: &Changes,
    read: Option<Read>,
    now: Timestamp,
) -> Result<Provider> {
    let former = match changes.ends_former {
        true => Former::End,
        false => Former::Overlap,
    };
    let after = match (before, read) {
        (None, None) => return Err(not_configured()),
        (None, Some(read)) => Provider::new(read.metadata, read.url, now),
        (Some(before), None) => before.clone(),
        (Some(before), Some(read)) => before.replaced(read.metadata, read.url, former, now),
    };
    Ok(Provider {
        signed: changes.signed.unwrap_or(after.signed),
        stable_id_attribute: match &changes.stable_id_attribute {
            Some(attribute) => attribute.clone(),
            None => after.stable_id_attribute,
        },
        ..after
    })
}

fn demand_provider(
    reader: &scim::store::database::Reader<'_>,
    organization: &Organization,
) -> Result<Provider, Stop> {
    Ok(provider::find(reader, organization.id)?.ok_or_else(not_configured)?)
}

fn demand_same_url(provider: &Provider, url: &str) -> Result<()> {
    match provider.metadata_url.as_deref() == Some(url) {
        true => Ok(()),
        false => Err(
            Fault::conflict("Somebody else has changed the identity provider meanwhile").mended_by(Remedy {
                page: "open the page again to see how it is now.",
                command: "look at it with \"saml show\".",
            }),
        ),
    }
}

fn not_configured() -> Fault {
    Fault::conflict("SAML is not configured").mended_by(Remedy {
        page: "give the metadata of the identity provider on the page of the SAML integration.",
        command: "give the metadata of the identity provider, with \"saml set ORG --metadata-url URL\" or \
                  \"saml set ORG --metadata FILE\".",
    })
}

fn no_url() -> Fault {
    Fault::conflict("The metadata came as a file, so that they cannot be read again").mended_by(Remedy {
        page: "choose a newer file on the page of the SAML integration.",
        command: "give newer ones with \"saml set ORG --metadata FILE\".",
    })
}

/// Writes a provider, and tells of it if anything has changed.
fn write(act: &Act<'_>, before: Option<&Provider>, after: &Provider) -> Result<(), Stop> {
    provider::put(act.tx, act.organization.id, after)?;
    if before.is_some_and(|before| before.entity_id != after.entity_id) {
        confirmations::forget(act.tx, act.organization.id)?;
    }
    let detail = difference(before, after);
    match detail.as_object().is_some_and(|changed| changed.is_empty()) {
        true => Ok(()),
        false => Ok(tell(act, after, detail)?),
    }
}

fn tell(act: &Act<'_>, provider: &Provider, detail: Value) -> scim::Result<()> {
    act.audit(&subject(act.organization, provider), detail)?;
    let data = json!({ "changed": ["saml"] });
    let organization = organization::subject(act.organization);
    act.tell(event_row(EventKind::OrganizationChanged, &organization, 0, data))
}

fn shown(act: &Act<'_>, provider: Option<Provider>) -> Shown {
    Shown {
        organization: act.organization.clone(),
        provider,
    }
}

fn subject<'s>(organization: &Organization, provider: &'s Provider) -> Subject<'s> {
    Subject {
        kind: "saml-provider",
        id: organization.id.to_string().into(),
        name: &provider.entity_id,
    }
}

/// Returns what is worth knowing of a provider: certificates by their fingerprints.
fn described(provider: &Provider) -> Value {
    let certificates = provider.certificates.iter();
    json!({
        "entity_id": provider.entity_id,
        "sso_url": provider.sso_url,
        "metadata_url": provider.metadata_url,
        "signed": provider.signed.word(),
        "stable_id_attribute": provider.stable_id_attribute,
        "certificates": certificates
            .map(|trusted| json!({ "fingerprint": trusted.certificate.fingerprint(), "until": trusted.until }))
            .collect::<Vec<_>>(),
    })
}

/// Returns what is other than before: of each, what it was and is.
fn difference(before: Option<&Provider>, after: &Provider) -> Value {
    let (before, after) = (before.map(described), described(after));
    let entries = after.as_object().into_iter().flatten();
    let changed = entries.filter_map(|(name, now)| {
        let then = before.as_ref().and_then(|before| before.get(name));
        let pair = json!({ "before": then, "after": now });
        (then != Some(now)).then(|| (name.clone(), pair))
    });
    Value::Object(changed.collect())
}
