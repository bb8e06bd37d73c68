//! Whoever is signed in and acts on pages: an administrator of an organization, or an owner of the instance.

use askama::Template;
use axum::response::{IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;

use super::detour::Detour;
use super::page;
use super::problem::Problem;
use super::shell::{Section, Shell};
use super::visit::Visit;
use crate::actions::conflict;
use crate::domain::account::ManagedBy;
use crate::domain::actor::Actor;
use crate::domain::fault::{Fault, Kind};
use crate::domain::organization::Organization;
use crate::domain::realm::Realm;

/// Somebody who acts on a page.
#[derive(Debug, Clone)]
pub(super) struct Administrator {
    pub(super) actor: Actor,
    pub(super) shell: Shell,
    pub(super) managed_by: ManagedBy,
    /// The header that ends what the shell says, once it is shown.
    ends_said: Option<HeaderValue>,
}

impl Visit {
    /// Returns who acts on a page: somebody of the realm, or an owner of the instance, whom every organization knows.
    ///
    /// # Errors
    /// Nobody is signed in, or not as far as that: the way leads to what is missing, and from there to this page.
    pub(super) async fn administrator(&self, section: Section, page: &str) -> Result<Administrator, Detour> {
        let (realm, _, current) = self.whoever(page).await?;
        let actor = current.actor(self.visitor.address, Timestamp::now());
        let actor = actor.map_err(|refusal| self.detour(refusal, page))?;
        let is_elsewhere = matches!((realm, &self.realm), (Realm::Instance, Realm::Organization(_)));
        let said = self.said();
        let ends_said = said.as_ref().and_then(|_| self.ends_said());
        let shell = Shell {
            is_owner_elsewhere: is_elsewhere,
            open_conflicts: self.count_conflicts(&actor).await?,
            said,
            ..Shell::new(&current, section, page)
        };
        Ok(Administrator {
            actor,
            shell,
            managed_by: current.account().managed_by,
            ends_said,
        })
    }

    /// Counts the open conflicts of the organization, for whoever may see them.
    async fn count_conflicts(&self, actor: &Actor) -> Result<u64, Problem> {
        match &self.realm {
            Realm::Organization(organization) if actor.demand(&conflict::LIST).is_ok() => {
                Ok(conflict::count_open(&self.product, actor, organization).await?)
            }
            _ => Ok(0),
        }
    }

    /// Returns the organization to which the page belongs.
    ///
    /// # Errors
    /// It is a page of the instance.
    pub(super) fn organization(&self) -> Result<&Organization, Problem> {
        match &self.realm {
            Realm::Organization(organization) => Ok(organization),
            Realm::Instance => Err(Problem::NotFound),
        }
    }

    /// Leads to a page, which says what was done.
    pub(super) fn done(&self, page: &str, sentence: &str) -> Response {
        let mut answer = Redirect::to(&self.frame.path(page)).into_response();
        self.say(answer.headers_mut(), sentence);
        answer
    }

    /// Returns the sentence for a form that is shown again.
    ///
    /// # Errors
    /// A form cannot mend the fault: the way around it, which leads back to `page` where there is one.
    pub(super) fn trouble(&self, fault: Fault, page: &str) -> Result<String, Detour> {
        match fault.kind() {
            Kind::Invalid | Kind::Conflict => Ok(fault.to_string()),
            _ => Err(self.detour(fault.into(), page)),
        }
    }
}

impl Administrator {
    /// Returns the answer with a page in the shell.
    pub(super) fn answer(&self, status: StatusCode, page: &impl Template) -> Response {
        let mut answer = page::answer(status, page);
        if let Some(ended) = &self.ends_said {
            answer.headers_mut().append(SET_COOKIE, ended.clone());
        }
        answer
    }
}
