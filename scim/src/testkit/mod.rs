//! What a store and a service can be tested with (feature `testkit`).
//!
//! [`simulate`] has the identity providers that will use the service.
//!
//! [`store_contract!`](crate::store_contract) makes a test of every rule that [`Store`](crate::store::Store) names:
//!
//! ```
//! use scim::resources::{Group, User};
//! use scim::store::Memory;
//!
//! scim::testkit::store_contract!(Memory::new().link(Group::paths().members(), User::paths().groups()));
//! ```
//!
//! The expression makes an empty store, once for each test. The store must serve [`User`](crate::resources::User) and
//! [`Group`](crate::resources::Group), with `members` and `groups` linked, for the context [`Tenant`].

pub mod contract;
mod kit;
pub mod simulate;
mod violation;

use crate::store::HasTenant;

pub use crate::store_contract;
pub use kit::Kit;

/// The context that the contract is tested with: a tenant and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant(String);

impl Tenant {
    /// The tenant of this name.
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

/// Makes a test of every check of the [contract](crate::testkit::contract) for the store that the expression makes.
///
/// Each test makes a store of its own and runs on a runtime of tokio. A store in a file needs a fresh folder each time.
/// To test two stores in one file, put each use into a module of its own.
#[macro_export]
macro_rules! store_contract {
    (@tests ($make:expr) $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                $crate::testkit::contract::assert_kept(::core::stringify!($name), || $make);
            }
        )*
    };
    (@table ($store:ty) $($name:ident)*) => {
        &[$(Check::new(::core::stringify!($name), |store| ::std::boxed::Box::pin($name(store)))),*]
    };
    (@all $then:ident $arguments:tt) => {
        $crate::store_contract! {
            @$then $arguments
            created_resources_are_loaded_whole
            ids_are_made_by_the_store
            ids_are_never_given_again
            user_names_are_unique_whatever_their_case
            user_names_are_unique_whatever_their_width
            user_names_are_free_once_given_up
            of_concurrent_creates_one_wins
            passwords_are_not_kept
            concurrent_members_are_all_kept
            concurrent_emails_are_all_kept
            of_concurrent_conditional_writes_one_wins
            writes_are_answered_from_their_transaction
            stale_versions_are_refused
            preconditions_hold_in_every_form
            failed_patches_change_nothing
            writes_that_change_nothing_leave_no_trace
            changes_move_version_and_time
            replacements_keep_id_and_creation
            listed_values_alone_are_removed
            replies_without_members_lose_none
            large_groups_are_not_read_back
            large_groups_survive_a_rename
            pages_of_large_groups_are_whole
            unloaded_members_are_left_alone
            replaced_members_are_the_new_ones
            unknown_members_are_refused
            groups_of_users_follow_their_members
            groups_can_be_nested
            memberships_are_found_by_filter
            filters_are_applied_before_pages
            pages_are_stable_and_complete
            pages_may_be_empty
            user_names_are_found_whatever_their_case
            external_ids_are_found_in_their_case_only
            lists_are_sorted
            lists_show_what_is_wanted
            filters_are_refused_rather_than_cut_short
            tenants_do_not_see_each_other
            deleted_resources_are_gone
            deleted_members_leave_their_groups
            deleted_user_names_are_free
            known_versions_are_not_sent_again
            derived_attributes_are_never_out_of_date
        }
    };
    ($make:expr) => {
        $crate::store_contract! { @all tests ($make) }
    };
}

#[cfg(test)]
mod tests {
    use crate::resources::{Group, User};
    use crate::store::Memory;

    crate::store_contract!(Memory::new().link(Group::paths().members(), User::paths().groups()));
}
