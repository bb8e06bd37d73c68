//! One action as it is carried out: in one transaction, with its audit row and its events.

use std::borrow::Cow;

use jiff::Timestamp;
use scim::store::database::{Reader, Transaction};
use serde_json::Value;

use crate::database::effective::Members;
use crate::database::{Product, Stop, audit, event, organizations, unknown};
use crate::domain::actor::{Action, Actor};
use crate::domain::audit::AuditRow;
use crate::domain::event::EventRow;
use crate::domain::fault::Result;
use crate::domain::organization::{Name, Organization};
use crate::domain::owner::Owners;
use crate::domain::permission::Permission;

/// The transaction of an action, and what everything in it is about.
pub(crate) struct Act<'t> {
    pub(crate) tx: &'t Transaction<'t>,
    /// As the transaction sees it.
    pub(crate) organization: &'t Organization,
    pub(crate) actor: &'t Actor,
    pub(crate) now: Timestamp,
    action: &'static Action,
}

/// The thing that an action is done to.
#[derive(Debug, Clone)]
pub(crate) struct Subject<'s> {
    /// The kind of thing, such as `role`.
    pub(crate) kind: &'static str,
    pub(crate) id: Cow<'s, str>,
    pub(crate) name: &'s str,
}

impl Act<'_> {
    /// Looks at the organization as the transaction sees it.
    pub(crate) fn view(&self) -> View<'_> {
        View {
            reader: self.tx,
            organization: self.organization,
        }
    }

    /// Writes the audit row of the action.
    pub(crate) fn audit(&self, subject: &Subject<'_>, detail: Value) -> scim::Result<()> {
        self.audit_of(self.action, subject, detail)
    }

    /// Writes the audit row of one of several actions that are carried out at once.
    pub(crate) fn audit_of(&self, action: &Action, subject: &Subject<'_>, detail: Value) -> scim::Result<()> {
        let row = AuditRow {
            organization: self.organization.id,
            time: self.now,
            actor_kind: self.actor.who.kind(),
            actor: self.actor.name(),
            action: action.name.into(),
            subject_type: subject.kind.into(),
            subject: subject.id.clone().into_owned(),
            subject_name: subject.name.to_owned(),
            detail,
            address: self.actor.address.map(|address| address.to_string()),
            request_id: None,
        };
        audit::insert(self.tx, &row).map(drop)
    }

    /// Tells others of what has changed.
    pub(crate) fn tell(&self, row: EventRow) -> scim::Result<()> {
        event::insert(self.tx, self.organization.id, self.now, [row])
    }
}

/// The organization as an action looks at it before it is carried out, or shows it: up to a moment old.
pub(crate) struct View<'r> {
    pub(crate) reader: &'r Reader<'r>,
    pub(crate) organization: &'r Organization,
}

/// Carries an action out: looks whether the actor may, and does everything in one transaction. A refusal leaves
/// nothing behind, and nothing takes the last owner away.
///
/// # Errors
/// The actor may not, the organization does not exist for them, `job` refuses, or the database fails.
pub(crate) async fn carry_out<T: Send + 'static>(
    product: &Product,
    actor: &Actor,
    action: &'static Action,
    organization: &Name,
    job: impl Fn(&Act<'_>) -> Result<T, Stop> + Send + 'static,
) -> Result<T> {
    let name = organization.clone();
    carry_out_in(
        product,
        actor,
        action,
        move |tx, actor| known(tx, &name, actor),
        job,
    )
    .await
}

/// Carries an action out in the same way, in the organization that `find` finds or makes.
///
/// # Errors
/// The actor may not, `find` or `job` refuses, or the database fails.
pub(crate) async fn carry_out_in<T: Send + 'static>(
    product: &Product,
    actor: &Actor,
    action: &'static Action,
    find: impl Fn(&Transaction<'_>, &Actor) -> Result<Organization, Stop> + Send + 'static,
    job: impl Fn(&Act<'_>) -> Result<T, Stop> + Send + 'static,
) -> Result<T> {
    actor.demand(action)?;
    let actor = actor.clone();
    product
        .transact(move |tx| {
            let organization = find(tx, &actor)?;
            let before = owners(tx, &organization, &actor)?;
            let done = job(&Act {
                tx,
                organization: &organization,
                actor: &actor,
                now: Timestamp::now(),
                action,
            })?;
            // Settings, too, decide who is an owner.
            let after = organizations::by_id(tx, organization.id)?.unwrap_or(organization);
            before.demand_left(owners(tx, &after, &actor)?, &actor)?;
            Ok(done)
        })
        .await
}

/// Returns the owners whom no identity provider can take away, as far as they count: the operator can always make another.
fn owners(reader: &Reader<'_>, organization: &Organization, actor: &Actor) -> scim::Result<Owners> {
    if actor.is_operator() {
        return Ok(Owners::default());
    }
    let members = Members::of(reader, organization)?;
    Ok(Owners {
        manual: members.count_manual(reader, &Permission::ORGANIZATION_WRITE)?,
        provisioned: 0,
    })
}

/// Looks at an organization for an actor who may.
///
/// # Errors
/// The actor may not, the organization does not exist for them, `job` refuses, or the database fails.
pub(crate) async fn look<T: Send + 'static>(
    product: &Product,
    actor: &Actor,
    action: &Action,
    organization: &Name,
    job: impl Fn(&View<'_>) -> Result<T, Stop> + Send + 'static,
) -> Result<T> {
    actor.demand(action)?;
    let (actor, name) = (actor.clone(), organization.clone());
    product
        .look(move |reader| {
            let organization = known(reader, &name, &actor)?;
            job(&View {
                reader,
                organization: &organization,
            })
        })
        .await
}

/// Finds an organization that the actor can have to do with.
fn known(reader: &Reader<'_>, name: &Name, actor: &Actor) -> Result<Organization, Stop> {
    let found = organizations::find(reader, name)?.filter(|found| actor.knows(found.id));
    Ok(found.ok_or_else(|| unknown(name))?)
}
