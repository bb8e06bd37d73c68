//! The resources that a history speaks of.

use scim::ScimResource;
use scim::resources::Group;
use scim::value::ExternalId;

use crate::domain::event::EventKind;
use crate::domain::user::User;

/// The kinds of events that tell of a type of resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kinds {
    pub(crate) created: EventKind,
    pub(crate) updated: EventKind,
    /// `None` where another name is a change like any other.
    pub(crate) renamed: Option<EventKind>,
    pub(crate) removed: EventKind,
}

/// A person or a group, as a sentence about it needs it.
pub(crate) trait Subject: ScimResource {
    /// The noun for one of them.
    const NOUN: &'static str;
    /// The attribute that holds its name.
    const NAMED_BY: &'static str;
    /// How others are told of it.
    const KINDS: Kinds;

    /// Returns the name by which people know it; empty if it has none.
    fn name(&self) -> &str;

    /// Returns the identifier that the provider has for it.
    fn external_id(&self) -> Option<&ExternalId>;

    /// Returns whether it can be used. Only `false` disables a person.
    fn is_active(&self) -> bool;
}

impl Subject for User {
    const NOUN: &'static str = "user";
    const NAMED_BY: &'static str = "userName";
    const KINDS: Kinds = Kinds {
        created: EventKind::UserCreated,
        updated: EventKind::UserUpdated,
        renamed: None,
        removed: EventKind::UserRemoved,
    };

    fn name(&self) -> &str {
        &self.user_name
    }

    fn external_id(&self) -> Option<&ExternalId> {
        self.external_id.as_ref()
    }

    fn is_active(&self) -> bool {
        self.active != Some(false)
    }
}

impl Subject for Group {
    const NOUN: &'static str = "group";
    const NAMED_BY: &'static str = "displayName";
    const KINDS: Kinds = Kinds {
        created: EventKind::GroupCreated,
        updated: EventKind::GroupUpdated,
        renamed: Some(EventKind::GroupRenamed),
        removed: EventKind::GroupRemoved,
    };

    fn name(&self) -> &str {
        &self.display_name
    }

    fn external_id(&self) -> Option<&ExternalId> {
        self.external_id.as_ref()
    }

    fn is_active(&self) -> bool {
        true
    }
}
