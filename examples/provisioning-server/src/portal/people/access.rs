//! The access that is given to somebody and taken from them by hand: permissions, roles, places in groups that are kept here.

use axum::extract::RawPathParams;
use axum::response::Response;

use super::person::About;
use crate::actions::account::{self, ByHand};
use crate::actions::local_group::{self, Assign};
use crate::domain::fault::Result as Outcome;
use crate::domain::permission::{Permission, Permissions};
use crate::portal::detour::Detour;
use crate::portal::form::Form;
use crate::portal::visit::Visit;

/// Returns the permissions that a form names.
fn permissions(form: &Form) -> Outcome<Permissions> {
    let named = form.texts("permission").map(str::trim);
    let named = named.filter(|text| !text.is_empty());
    named.map(Permission::parse).collect()
}

fn alone(permissions: Permissions) -> ByHand {
    ByHand {
        permissions,
        ..ByHand::default()
    }
}

fn role(form: &Form) -> ByHand {
    ByHand {
        roles: vec![form.text("role").to_owned()],
        ..ByHand::default()
    }
}

/// Gives permissions.
pub(in super::super) async fn give_permissions(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, "").await?;
    let given = match permissions(&form) {
        Ok(named) => {
            let said = named.to_string();
            let given = account::grant(
                about.product(),
                about.actor(),
                about.name(),
                &about.user,
                alone(named),
            )
            .await;
            given.map(|_| said)
        }
        Err(fault) => Err(fault),
    };
    about
        .answer(given, |said| match said.is_empty() {
            true => "Nothing was chosen, and nothing has changed.".to_owned(),
            false => format!("Given: {said}."),
        })
        .await
}

/// Takes a permission.
pub(in super::super) async fn take_permission(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, "").await?;
    let taken = match permissions(&form) {
        Ok(named) => {
            let said = named.to_string();
            let taken = account::revoke(
                about.product(),
                about.actor(),
                about.name(),
                &about.user,
                alone(named),
            )
            .await;
            taken.map(|_| said)
        }
        Err(fault) => Err(fault),
    };
    about.answer(taken, |said| format!("Taken: {said}.")).await
}

/// Gives a role to a manual account.
pub(in super::super) async fn give_role(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, "").await?;
    let given = account::grant(
        about.product(),
        about.actor(),
        about.name(),
        &about.user,
        role(&form),
    )
    .await;
    about.answer(given, |_| "The role was given.".to_owned()).await
}

/// Takes a role from a manual account.
pub(in super::super) async fn take_role(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    let about = About::read(&visit, &path, "").await?;
    let taken = account::revoke(
        about.product(),
        about.actor(),
        about.name(),
        &about.user,
        role(&form),
    )
    .await;
    about.answer(taken, |_| "The role was taken.".to_owned()).await
}

/// Puts somebody into a group that is kept here.
pub(in super::super) async fn join_group(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    assign(&visit, &path, &form, Assign::Join).await
}

/// Takes somebody out of a group that is kept here.
pub(in super::super) async fn leave_group(
    visit: Visit,
    path: RawPathParams,
    form: Form,
) -> Result<Response, Detour> {
    assign(&visit, &path, &form, Assign::Leave).await
}

async fn assign(visit: &Visit, path: &RawPathParams, form: &Form, how: Assign) -> Result<Response, Detour> {
    let about = About::read(visit, path, "").await?;
    let people = vec![about.user.clone()];
    let group = form.text("group");
    let assigned =
        local_group::assign(about.product(), about.actor(), about.name(), group, people, how).await;
    about
        .answer(assigned, |done| match how {
            Assign::Join => format!("The person is in {} now.", done.group.name),
            Assign::Leave => format!("The person is not in {} any more.", done.group.name),
        })
        .await
}
