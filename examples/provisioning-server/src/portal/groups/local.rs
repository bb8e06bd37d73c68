//! Groups that are kept here.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use uuid::Uuid;

use super::provisioned::{Member, SIZE};
use crate::actions::local_group::{self, Assign, Changes, Opened};
use crate::actions::people::{self, Meant};
use crate::domain::account::Account;
use crate::domain::counted::counted;
use crate::domain::fault::{Fault, Kind, Result as Outcome};
use crate::domain::organization::Name;
use crate::domain::permission::Permission;
use crate::domain::role::Role;
use crate::domain::settings::Assignment;
use crate::portal::administrator::Administrator;
use crate::portal::confirm::Confirm;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::moment::{self, Shown};
use crate::portal::path::id;
use crate::portal::people::provider;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// A role that a group can hold.
#[derive(Debug, Clone)]
pub(in super::super) struct Choice {
    pub(in super::super) id: String,
    pub(in super::super) name: String,
    pub(in super::super) is_held: bool,
    /// Whether whoever looks has all of its permissions.
    pub(in super::super) can_be_given: bool,
}

#[derive(Debug, Clone, Template)]
#[template(path = "groups/local.html")]
pub(in super::super) struct Local {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) trouble: Option<String>,
    pub(in super::super) provider: &'static str,
    pub(in super::super) page: String,
    pub(in super::super) heading: String,
    pub(in super::super) name: String,
    pub(in super::super) description: String,
    pub(in super::super) synchronised: Option<Shown>,
    pub(in super::super) people: String,
    pub(in super::super) members: Vec<Member>,
    pub(in super::super) said: String,
    pub(in super::super) first: Option<String>,
    pub(in super::super) next: Option<String>,
    pub(in super::super) choices: Vec<Choice>,
    /// The person who was typed to be added.
    pub(in super::super) person: String,
    /// Those whom that may mean, if they are several.
    pub(in super::super) meant: Vec<Member>,
    /// Whether groups that are kept here give roles.
    pub(in super::super) has_effect: bool,
    pub(in super::super) may_change: bool,
    pub(in super::super) may_assign: bool,
}

/// The form for a new group.
#[derive(Debug, Clone, Template)]
#[template(path = "groups/new.html")]
pub(in super::super) struct New {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) trouble: Option<String>,
    pub(in super::super) provider: &'static str,
    pub(in super::super) name: String,
    pub(in super::super) description: String,
}

const NEW: &str = "groups/new";

fn page(id: Uuid) -> String {
    format!("groups/local/{id}")
}

/// Asks for the name of a new group.
pub(in super::super) async fn get_new(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Groups, NEW).await?;
    visit.demand(&administrator, &local_group::CREATE, NEW)?;
    ask(&visit, &administrator, StatusCode::OK, None)
}

fn ask(
    visit: &Visit,
    administrator: &Administrator,
    status: StatusCode,
    refused: Option<(String, &Form)>,
) -> Result<Response, Detour> {
    let typed = |field| match &refused {
        Some((_, form)) => form.text(field).to_owned(),
        None => String::new(),
    };
    let shown = New {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        provider: provider(visit.organization()?),
        name: typed("name"),
        description: typed("description"),
        trouble: refused.map(|(trouble, _)| trouble),
    };
    Ok(administrator.answer(status, &shown))
}

/// Makes a group.
pub(in super::super) async fn post_new(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Groups, NEW).await?;
    let organization = &visit.organization()?.name;
    let (name, description) = (form.text("name"), form.text("description"));
    let made = local_group::create(
        &visit.product,
        &administrator.actor,
        organization,
        name,
        description,
    )
    .await;
    match made {
        Ok(made) => {
            let said = format!("{} was made. Give it roles and members.", made.group.name);
            Ok(visit.done(&page(made.group.id), &said))
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, NEW)?;
            ask(
                &visit,
                &administrator,
                StatusCode::UNPROCESSABLE_ENTITY,
                Some((trouble, &form)),
            )
        }
    }
}

/// A group on whose page somebody is, or from whose page a form comes.
struct About<'v> {
    visit: &'v Visit,
    name: &'v Name,
    administrator: Administrator,
    id: Uuid,
    /// The id as a text, by which actions find the group.
    group: String,
}

impl<'v> About<'v> {
    async fn read(
        visit: &'v Visit,
        path: &RawPathParams,
        own: impl Fn(Uuid) -> String,
    ) -> Result<Self, Detour> {
        let id = id(path, "group")?;
        Ok(Self {
            administrator: visit.administrator(Section::Groups, &own(id)).await?,
            name: &visit.organization()?.name,
            visit,
            id,
            group: id.to_string(),
        })
    }

    async fn open(&self, behind: Option<Uuid>) -> Outcome<Opened> {
        let (product, actor) = (&self.visit.product, &self.administrator.actor);
        local_group::open(product, actor, self.name, &self.group, behind, SIZE).await
    }

    /// Puts a person into the group, and returns the sentence about it.
    async fn join(&self, person: &Account) -> Outcome<String> {
        self.assign(&person.id.to_string(), Assign::Join).await?;
        Ok(format!("{} is in the group now.", person.display))
    }

    async fn assign(&self, person: &str, how: Assign) -> Outcome<local_group::Detail> {
        let (product, actor) = (&self.visit.product, &self.administrator.actor);
        let people = vec![person.to_owned()];
        local_group::assign(product, actor, self.name, &self.group, people, how).await
    }

    async fn show(
        &self,
        status: StatusCode,
        trouble: Option<String>,
        person: &str,
        meant: &[Account],
    ) -> Result<Response, Detour> {
        let behind = Uuid::parse_str(self.visit.query.text("behind")).ok();
        let found = self.open(behind).await?;
        let shell = &self.administrator.shell;
        let organization = self.visit.organization()?;
        let own = self.visit.frame.path(&page(self.id));
        let last = found.members.last().filter(|_| found.has_more);
        let has_effect = organization.settings.assignment == Assignment::LocalGroups;
        let shown = Local {
            trouble,
            provider: provider(organization),
            page: page(self.id),
            heading: found.group.name.clone(),
            synchronised: found.synchronised.map(|time| moment::ago(Timestamp::now(), time)),
            people: counted(found.count, "person", "people"),
            said: format!("{} of {}", found.members.len(), found.count),
            next: last.map(|last| format!("{own}?behind={}", last.id)),
            first: behind.map(|_| own),
            members: found.members.iter().map(Member::of).collect(),
            choices: self.choices(&found),
            person: person.to_owned(),
            meant: meant.iter().map(Member::of).collect(),
            has_effect,
            may_change: shell.may(&Permission::GROUPS_WRITE),
            may_assign: has_effect && shell.may(&Permission::USERS_WRITE),
            name: found.group.name,
            description: found.group.description,
            frame: self.visit.frame.clone(),
            shell: shell.clone(),
        };
        Ok(self.administrator.answer(status, &shown))
    }

    fn choices(&self, found: &Opened) -> Vec<Choice> {
        let is_held = |role: &Role| found.roles.iter().any(|held| held.id == role.id);
        let choice = |role: &Role| Choice {
            id: role.id.to_string(),
            name: role.name.clone(),
            is_held: is_held(role),
            can_be_given: self
                .administrator
                .actor
                .demand_all(&role.permissions, "This role")
                .is_ok(),
        };
        found.choices.iter().map(choice).collect()
    }

    /// Says what was done, or shows the page with the reason why it was not.
    async fn answer<T>(
        &self,
        outcome: Outcome<T>,
        person: &str,
        said: impl FnOnce(T) -> String,
    ) -> Result<Response, Detour> {
        match outcome {
            Ok(done) => Ok(self.visit.done(&page(self.id), &said(done))),
            Err(fault) => {
                let trouble = self.trouble(fault, person)?;
                self.show(StatusCode::UNPROCESSABLE_ENTITY, Some(trouble), person, &[])
                    .await
            }
        }
    }

    fn trouble(&self, fault: Fault, person: &str) -> Result<String, Detour> {
        match fault.kind() {
            Kind::NotFound if !person.is_empty() => Ok(format!("Nobody here is called {person:?}.")),
            _ => self.visit.trouble(fault, &page(self.id)),
        }
    }
}

/// Shows a group.
pub(in super::super) async fn get(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, page).await?;
    about.show(StatusCode::OK, None, "", &[]).await
}

/// Changes the name, the description and the roles of a group.
pub(in super::super) async fn post(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, page).await?;
    let found = about.open(None).await?;
    let ticked: BTreeSet<String> = form.texts("role").map(str::to_owned).collect();
    let held: BTreeSet<String> = found.roles.iter().map(|role| role.id.to_string()).collect();
    let name = form.text("name").trim();
    let changes = Changes {
        name: (name != found.group.name).then(|| name.to_owned()),
        description: form.texts("description").next().map(str::to_owned),
        allow: ticked.difference(&held).cloned().collect(),
        deny: held.difference(&ticked).cloned().collect(),
    };
    let (product, actor) = (&visit.product, &about.administrator.actor);
    let changed = local_group::change(product, actor, about.name, &about.group, changes).await;
    about
        .answer(changed, "", |done| format!("{} was saved.", done.group.name))
        .await
}

/// Puts somebody into a group.
pub(in super::super) async fn add(visit: Visit, path: RawPathParams, form: Form) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, page).await?;
    let person = form.text("person").trim();
    let (product, actor) = (&visit.product, &about.administrator.actor);
    let joined = match people::meant(product, actor, about.name, person).await {
        Ok(Meant::One(account)) => about.join(&account).await,
        Ok(Meant::Several(several)) => {
            return about
                .show(StatusCode::UNPROCESSABLE_ENTITY, None, person, &several)
                .await;
        }
        Ok(Meant::Nobody) => Err(Fault::not_found(format!("Nobody here is called {person:?}."))),
        Err(fault) => Err(fault),
    };
    about.answer(joined, person, |said| said).await
}

/// Takes somebody out of a group.
pub(in super::super) async fn remove(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, page).await?;
    let removed = about.assign(form.text("person"), Assign::Leave).await;
    about
        .answer(removed, "", |_| {
            "The person is not in the group any more.".to_owned()
        })
        .await
}

fn delete_page(id: Uuid) -> String {
    format!("groups/local/{id}/delete")
}

/// Asks whether to delete a group.
pub(in super::super) async fn get_delete(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, delete_page).await?;
    visit.demand(&about.administrator, &local_group::DELETE, &delete_page(about.id))?;
    let found = about.open(None).await?;
    let roles: Vec<_> = found.roles.iter().map(|role| role.name.as_str()).collect();
    let shown = Confirm {
        frame: visit.frame.clone(),
        shell: about.administrator.shell.clone(),
        question: format!("Delete the group {}?", found.group.name),
        consequences: vec![
            match roles.is_empty() {
                true => "It holds no role: nobody loses anything.".to_owned(),
                false => format!(
                    "{} {}, unless another way gives it.",
                    counted(found.count, "person loses", "people lose"),
                    roles.join(", ")
                ),
            },
            "The people themselves, and the roles, stay.".to_owned(),
        ],
        step: "Delete the group".to_owned(),
        typed: None,
        hidden: Vec::new(),
        action: delete_page(about.id),
        back: page(about.id),
        trouble: None,
    };
    Ok(about.administrator.answer(StatusCode::OK, &shown))
}

/// Deletes a group.
pub(in super::super) async fn delete(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, delete_page).await?;
    let (product, actor) = (&visit.product, &about.administrator.actor);
    match local_group::delete(product, actor, about.name, &about.group).await {
        Ok(gone) => Ok(visit.done(
            "groups?show=local",
            &format!("The group {} was deleted.", gone.group.name),
        )),
        Err(fault) => about.answer(Err::<(), _>(fault), "", |()| String::new()).await,
    }
}
