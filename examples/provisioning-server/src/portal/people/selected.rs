//! Steps for the people who are ticked on a list: both ask before.

use askama::Template;
use axum::response::Response;
use http::StatusCode;
use uuid::Uuid;

use super::list::page_of;
use super::person::Choice;
use crate::actions::account;
use crate::actions::local_group;
use crate::actions::people;
use crate::actions::selected::{self, Outcome, Refused};
use crate::domain::account::Account;
use crate::domain::actor::Action;
use crate::domain::counted::counted;
use crate::domain::fault::Result as Done;
use crate::portal::administrator::Administrator;
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::frame::Frame;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The pages that ask.
const SUSPEND: &str = "users/selected/suspend";
const JOIN: &str = "users/selected/join";

/// The field with the id of somebody who is selected.
const PERSON: &str = "person";

/// The field with the query of the list on which they were selected.
const LIST: &str = "list";

/// A question about the people who are selected.
#[derive(Debug, Clone, Template)]
#[template(path = "people/selected.html")]
pub(in super::super) struct Selected {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    pub(in super::super) trouble: Option<String>,
    pub(in super::super) question: String,
    pub(in super::super) consequence: &'static str,
    /// The ids of the people, and what they are called.
    pub(in super::super) people: Vec<(String, String)>,
    /// The groups to choose from, if the step is to put people into one.
    pub(in super::super) groups: Option<Vec<Choice>>,
    pub(in super::super) reason: String,
    pub(in super::super) button: &'static str,
    pub(in super::super) action: &'static str,
    /// The query of the list on which they were selected, and its page.
    pub(in super::super) list: String,
    pub(in super::super) back: String,
}

/// The result of a step that was refused for somebody.
#[derive(Debug, Clone, Template)]
#[template(path = "people/partly.html")]
pub(in super::super) struct Partly {
    pub(in super::super) frame: Frame,
    pub(in super::super) shell: Shell,
    /// For how many it was taken.
    pub(in super::super) heading: String,
    /// For how many it was not.
    pub(in super::super) summary: String,
    /// The people who were refused, and why.
    pub(in super::super) refused: Vec<(String, String)>,
    /// The fields with which the step is taken again for those who were refused only because it is not certain that it is
    /// still the administrator; none where that would not help.
    pub(in super::super) again: Vec<(&'static str, String)>,
    pub(in super::super) action: &'static str,
    /// The page of the list on which they were selected.
    pub(in super::super) back: String,
}

/// A step for the people who are selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Suspend,
    Join,
}

impl Step {
    const fn page(self) -> &'static str {
        match self {
            Self::Suspend => SUSPEND,
            Self::Join => JOIN,
        }
    }

    const fn action(self) -> &'static Action {
        match self {
            Self::Suspend => &account::SUSPEND,
            Self::Join => &local_group::ASSIGN,
        }
    }

    fn question(self, people: &[Account]) -> String {
        let who = match people {
            [alone] => alone.display.clone(),
            several => format!("{} people", several.len()),
        };
        match self {
            Self::Suspend => format!("Suspend the sign-in of {who}?"),
            Self::Join => format!("Add {who} to a group kept here?"),
        }
    }

    const fn consequence(self) -> &'static str {
        match self {
            Self::Suspend => {
                "Every session of theirs ends at once, and nobody signs in with these accounts until an administrator lifts \
                 the lock of each. Roles and permissions are kept, and have no effect meanwhile. The identity provider \
                 neither sees the lock nor can lift it."
            }
            Self::Join => "They get the roles of the group at once, whoever manages them.",
        }
    }

    const fn button(self) -> &'static str {
        match self {
            Self::Suspend => "Suspend sign-in",
            Self::Join => "Add to the group",
        }
    }

    /// Returns the name of the field that the step asks for.
    const fn field(self) -> &'static str {
        match self {
            Self::Suspend => "reason",
            Self::Join => "group",
        }
    }

    /// Returns what was done to so many people, as a sentence without its end.
    fn done(self, count: usize) -> String {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        match self {
            Self::Suspend => counted(count, "person was suspended", "people were suspended"),
            Self::Join => counted(count, "person is in the group now", "people are in the group now"),
        }
    }

    /// Returns for how many of all it was not done.
    fn not_done(self, refused: usize, all: usize) -> String {
        match (self, refused) {
            (Self::Suspend, 1) => format!("1 of {all} was not suspended:"),
            (Self::Suspend, _) => format!("{refused} of {all} were not suspended:"),
            (Self::Join, 1) => format!("1 of {all} was not added:"),
            (Self::Join, _) => format!("{refused} of {all} were not added:"),
        }
    }
}

/// Returns the ids of the people whom a form or a query names.
fn people_of(form: &Form) -> Vec<Uuid> {
    let mut ids: Vec<_> = form
        .texts(PERSON)
        .filter_map(|text| Uuid::parse_str(text).ok())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

async fn ask(
    visit: &Visit,
    administrator: &Administrator,
    step: Step,
    form: &Form,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    visit.demand(administrator, step.action(), "users")?;
    let (product, actor, name) = (&visit.product, &administrator.actor, &visit.organization()?.name);
    let back = page_of(form.text(LIST));
    let people = match selected::show(product, actor, name, &people_of(form)).await {
        Ok(people) => people,
        Err(fault) => return Ok(visit.done(&back, &visit.trouble(fault, "users")?)),
    };
    let groups = match step {
        Step::Suspend => None,
        Step::Join => Some(people::joinable(product, actor, name).await?),
    };
    let chosen = form.text("group");
    let choice = |group: &crate::domain::local_group::LocalGroup| {
        let choice = Choice::new(&group.id, &group.name);
        Choice {
            is_chosen: choice.id == chosen,
            ..choice
        }
    };
    let status = match trouble {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let shown = Selected {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        trouble,
        question: step.question(&people),
        consequence: step.consequence(),
        people: people
            .into_iter()
            .map(|account| (account.id.to_string(), account.display))
            .collect(),
        groups: groups.map(|groups| groups.iter().map(choice).collect()),
        reason: form.text("reason").to_owned(),
        button: step.button(),
        action: step.page(),
        list: form.text(LIST).to_owned(),
        back,
    };
    Ok(administrator.answer(status, &shown))
}

/// Says what has become of a step, or asks again.
async fn took(
    visit: &Visit,
    administrator: &Administrator,
    step: Step,
    form: &Form,
    outcome: Done<Outcome>,
) -> Result<Response, Detour> {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(fault) => {
            let trouble = visit.trouble(fault, "users")?;
            return ask(visit, administrator, step, form, Some(trouble)).await;
        }
    };
    let back = page_of(form.text(LIST));
    let (done, refused) = (outcome.done.len(), outcome.refused.len());
    if refused == 0 {
        return Ok(visit.done(&back, &format!("{}.", step.done(done))));
    }
    let unconfirmed = outcome
        .refused
        .iter()
        .filter_map(|refused| refused.asks_to_confirm);
    let mut again: Vec<_> = unconfirmed.map(|id| (PERSON, id.to_string())).collect();
    if !again.is_empty() {
        again.extend([step.field(), LIST].map(|field| (field, form.text(field).to_owned())));
    }
    let line = |refused: Refused| match refused.display.is_empty() {
        true => ("Somebody".to_owned(), refused.reason),
        false => (refused.display, refused.reason),
    };
    let shown = Partly {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        heading: step.done(done),
        summary: step.not_done(refused, done + refused),
        again,
        action: step.page(),
        refused: outcome.refused.into_iter().map(line).collect(),
        back,
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}

/// Asks for the reason to suspend people.
pub(in super::super) async fn get_suspend(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, "users").await?;
    ask(&visit, &administrator, Step::Suspend, &visit.query, None).await
}

/// Suspends people.
pub(in super::super) async fn suspend(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, "users").await?;
    let (product, actor, name) = (&visit.product, &administrator.actor, &visit.organization()?.name);
    let done = selected::suspend(product, actor, name, &people_of(&form), form.text("reason")).await;
    took(&visit, &administrator, Step::Suspend, &form, done).await
}

/// Asks for the group that people are put into.
pub(in super::super) async fn get_join(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, "users").await?;
    ask(&visit, &administrator, Step::Join, &visit.query, None).await
}

/// Puts people into a group that is kept here.
pub(in super::super) async fn join(visit: Visit, form: Form) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Users, "users").await?;
    let (product, actor, name) = (&visit.product, &administrator.actor, &visit.organization()?.name);
    let done = selected::join(product, actor, name, &people_of(&form), form.text("group")).await;
    took(&visit, &administrator, Step::Join, &form, done).await
}
