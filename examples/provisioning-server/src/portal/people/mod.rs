//! People: the list, a page for each, and everything that can be done to somebody.

pub(super) mod access;
pub(super) mod badge;
pub(super) mod deeds;
pub(super) mod list;
pub(super) mod manual;
pub(super) mod options;
pub(super) mod person;
pub(super) mod selected;
pub(super) mod suspend;
pub(super) mod why;

use axum::Router;
use axum::routing::{get, post};

use super::administrator::Administrator;
use super::detour::Detour;
use super::visit::{Pages, Visit};
use crate::domain::actor::Action;
use crate::domain::guide;
use crate::domain::organization::Organization;
use crate::domain::settings::IdentityProvider;

/// Returns the routes of people.
pub(super) fn routes() -> Router<Pages> {
    Router::new()
        .route("/users", get(list::get))
        .route("/users/options", get(options::get))
        .route("/users/new", get(manual::get_new).post(manual::post_new))
        .route(
            "/users/unconfirmed/suspend",
            get(suspend::get_unconfirmed).post(suspend::post_unconfirmed),
        )
        .route(
            "/users/selected/suspend",
            get(selected::get_suspend).post(selected::suspend),
        )
        .route(
            "/users/selected/join",
            get(selected::get_join).post(selected::join),
        )
        .route("/users/{user}", get(person::get))
        .route("/users/{user}/panel", get(person::get_panel))
        .route(
            "/users/{user}/edit",
            get(manual::get_edit).post(manual::post_edit),
        )
        .route("/users/{user}/suspend", get(suspend::get).post(suspend::post))
        .route("/users/{user}/resume", post(suspend::resume))
        .route("/users/{user}/invite", post(deeds::invite))
        .route("/users/{user}/enable", post(deeds::enable))
        .route(
            "/users/{user}/disable",
            get(deeds::get_disable).post(deeds::disable),
        )
        .route("/users/{user}/remove", get(deeds::get_remove).post(deeds::remove))
        .route(
            "/users/{user}/sign-out",
            get(deeds::get_sign_out).post(deeds::sign_out),
        )
        .route(
            "/users/{user}/reset-second-factor",
            get(deeds::get_reset_factor).post(deeds::reset_factor),
        )
        .route("/users/{user}/erase", get(deeds::get_erase).post(deeds::erase))
        .route("/users/{user}/adopt", get(deeds::get_adopt).post(deeds::adopt))
        .route("/users/{user}/permissions/give", post(access::give_permissions))
        .route("/users/{user}/permissions/take", post(access::take_permission))
        .route("/users/{user}/roles/give", post(access::give_role))
        .route("/users/{user}/roles/take", post(access::take_role))
        .route("/users/{user}/groups/join", post(access::join_group))
        .route("/users/{user}/groups/leave", post(access::leave_group))
}

impl Visit {
    /// Checks that somebody may do what a page is for, before it asks for more.
    ///
    /// # Errors
    /// They may not, or have to confirm a factor first: the way leads there, and back to the page.
    pub(super) fn demand(
        &self,
        administrator: &Administrator,
        action: &Action,
        page: &str,
    ) -> Result<(), Detour> {
        let demanded = administrator.actor.demand(action);
        demanded.map_err(|fault| self.detour(fault.into(), page))
    }
}

/// Returns the identity provider of an organization as a sentence names it.
pub(super) fn provider(organization: &Organization) -> &'static str {
    match organization.settings.idp {
        IdentityProvider::Other => guide::called(IdentityProvider::Other),
        known => known.display(),
    }
}

/// Returns a number as people read it, of which nobody has counted more than `most`.
pub(super) fn counted(count: u64, most: u32) -> String {
    let most = u64::from(most);
    match count >= most {
        true => format!("{}+", grouped(most)),
        false => grouped(count),
    }
}

/// Returns a number with a space between thousands.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_thousands() {
        for (number, said) in [
            (0, "0"),
            (412, "412"),
            (9_999, "9\u{202f}999"),
            (10_000, "10\u{202f}000+"),
            (12_345, "10\u{202f}000+"),
        ] {
            assert_eq!(counted(number, 10_000), said);
        }
    }
}
