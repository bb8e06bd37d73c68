//! Tests for stores and services (feature `testkit`).
//!
//! [`simulate`] has the identity providers that will use the service. [`contract`] has the rules that every
//! [`Store`](crate::store::Store) keeps, and [`store_contract!`](crate::store_contract) makes a test of each:
//!
//! ```
//! use scim::resources::{Group, User};
//! use scim::store::Memory;
//!
//! scim::testkit::store_contract!(Memory::new().link(Group::paths().members(), User::paths().groups()));
//! ```
//!
//! The expression makes an empty store, and may `await`. The store keeps all of [`User`](crate::resources::User) and
//! [`Group`](crate::resources::Group), with `members` and `groups` linked, for the context [`Tenant`].
//!
//! A store for a type of its own, for a context of its own, or for less, is held to what it supports: a
//! [`Contract`](contract::Contract) says so.
//!
//! ```
//! use scim::ScimResource;
//! use scim::policy::Kept;
//! use scim::resources::User;
//! use scim::store::Memory;
//! use scim::store::SingleTenant;
//! use scim::testkit::contract::{Contract, Sample};
//!
//! /// A store over a table with six columns, for an application with one tenant.
//! fn people() -> Contract<Memory<SingleTenant>, ()> {
//!     let columns = ["userName", "externalId", "name.givenName", "name.familyName", "active", "emails.value"];
//!     let kept = Kept::new(User::RESOURCE_TYPE, &columns).unwrap();
//!     let users = Sample::<User>::users().keeping(kept).with_one_value_of(&["emails"]).without_sorting();
//!     Contract::of_one_tenant(|| async { Memory::new().single_tenant() }, || ()).resource(users)
//! }
//!
//! mod contract {
//!     scim::testkit::store_contract!(contract: super::people());
//! }
//! ```
//!
//! [`Contract::violations`](contract::Contract::violations) checks all rules and returns what is broken, for whoever has
//! no tests in Rust, or wants a report.

pub mod contract;
pub mod simulate;

use crate::store::HasTenant;

pub use crate::store_contract;

/// The context that the contract is tested with: a tenant and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant(String);

impl Tenant {
    /// Returns the tenant of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

impl HasTenant for Tenant {
    fn tenant(&self) -> &str {
        &self.0
    }
}

/// Makes a test of every rule of the [contract](crate::testkit::contract) for the store that the expression makes, which
/// keeps all of `User` and `Group` for the context [`Tenant`](crate::testkit::Tenant); or, after `contract:`, for the
/// [`Contract`](crate::testkit::contract::Contract) that the expression makes.
///
/// Each test makes a store of its own, or several, and runs on a runtime of tokio. A store in a file needs a fresh folder
/// each time. To test two stores in one file, put each use into a module of its own.
#[macro_export]
macro_rules! store_contract {
    (@tests ($contract:expr) $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::testkit::contract::assert_kept(::core::stringify!($name), &$contract);
            }
        )*
    };
    (@list () $($name:ident)*) => {
        [$(::core::stringify!($name)),*]
    };
    (@all $then:ident $arguments:tt) => {
        $crate::store_contract! {
            @$then $arguments
            samples_are_distinct
            created_resources_are_kept_whole
            ids_are_made_by_the_store
            ids_are_never_given_again
            ids_have_one_spelling
            ids_are_of_one_type
            unique_values_are_refused
            case_exact_values_differ_by_their_case
            unique_values_are_free_once_given_up
            unique_values_of_deleted_resources_are_free
            of_concurrent_creates_one_wins
            transient_values_are_not_kept
            concurrent_patches_are_all_kept
            of_concurrent_conditional_writes_one_wins
            writes_are_answered_from_their_transaction
            applied_writes_are_acknowledged
            stale_versions_are_refused
            preconditions_hold_in_every_form
            failed_patches_change_nothing
            writes_that_change_nothing_leave_no_trace
            changes_move_version_and_time
            replacements_keep_id_and_creation
            deleted_resources_are_gone
            known_versions_are_not_sent_again
            filters_select_what_they_say
            filters_find_nothing_deleted
            filters_are_applied_before_pages
            filters_are_refused_rather_than_cut_short
            unique_values_are_found_by_an_index
            pages_are_stable_and_complete
            pages_may_be_empty
            lists_are_sorted
            sorted_items_have_their_key
            lists_show_what_is_wanted
            tenants_do_not_find_each_other_by_id
            tenants_do_not_share_lists
            filters_stay_in_their_tenant
            tenants_do_not_share_unique_values
            concurrent_edges_are_all_kept
            listed_edges_alone_are_removed
            replies_without_edges_lose_none
            large_resources_are_not_read_back
            large_resources_survive_a_change
            pages_of_large_resources_are_whole
            pages_of_large_resources_are_bounded
            unloaded_edges_are_left_alone
            replaced_edges_are_the_new_ones
            edits_of_edges_that_change_nothing_leave_no_trace
            edges_move_version_and_time
            unknown_edges_are_refused
            edges_stay_in_their_tenant
            mirrors_follow_their_edges
            names_of_edges_are_up_to_date
            resources_of_one_type_can_be_nested
            edges_are_found_by_filter
            deleted_resources_leave_their_edges
            derived_attributes_are_never_out_of_date
            moved_edges_are_told
        }
    };
    (@names) => {
        $crate::store_contract! { @all list () }
    };
    (contract: $contract:expr) => {
        $crate::store_contract! { @all tests ($contract) }
    };
    ($make:expr) => {
        $crate::store_contract! {
            @all tests ($crate::testkit::contract::Contract::of_users_and_groups(|| async { $make }))
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::resources::{Group, User};
    use crate::store::Memory;

    crate::store_contract!(Memory::new().link(Group::paths().members(), User::paths().groups()));
}
