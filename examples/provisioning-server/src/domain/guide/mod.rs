//! Guides: how an administrator connects an identity provider, step by step, in the words of the provider and of the
//! product that the organization is like. This is the one place of these texts.
//!
//! In a text, `*` stands before and after what a screen says: `*Save*`.

mod attribute;
mod authentik;
mod entra;
mod google;
mod jumpcloud;
mod okta;
mod onelogin;
mod other;
mod ping;
mod provider;

pub(crate) use self::attribute::{ATTRIBUTES, ENTRA_DEFAULTS, EntraDefault};
pub(crate) use self::provider::{Fields, called, called_first, documentation, fields, name, rhythm};
use super::settings::{Groups, IdentityProvider, Preset, Settings, UserNames};

/// A guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Guide {
    pub(crate) provider: IdentityProvider,
    /// The conditions before the first step.
    pub(crate) before: Vec<&'static str>,
    pub(crate) steps: Vec<Step>,
    /// The place at the provider where synchronization begins.
    pub(crate) start: &'static str,
}

/// A step of a guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) title: String,
    pub(crate) stage: Stage,
    pub(crate) blocks: Vec<Block>,
}

/// The stage of a set-up to which a step belongs, which tells when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Single sign-on is prepared at the provider.
    Saml,
    /// An application is made at the provider.
    Application,
    /// The provider is told where this server is, and tries it.
    Connection,
    /// People are chosen, and the first of them comes.
    People,
    /// Groups are chosen, and the first of them comes.
    Groups,
    /// Roles are given here.
    Roles,
    /// Sign-in is allowed here.
    Login,
}

impl Stage {
    /// Returns whether it takes place here, under an administrator's own permissions, or is about how people sign in.
    pub(crate) const fn is_for_administrators(self) -> bool {
        matches!(self, Self::Saml | Self::Roles | Self::Login)
    }
}

/// A part of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    Text(&'static str),
    /// The provider's own fields, in its order, and what is entered.
    Fields(Vec<(&'static str, Value)>),
    Points(Vec<&'static str>),
    /// Something that is easily forgotten: in bold, and a sentence.
    Warning(&'static str, &'static str),
    /// How the attempt to connect goes, which the server sees.
    Attempt,
    /// Which of the provider's attributes stay, and which are deleted.
    EntraAttributes,
    /// A page of this server, and the words of the link to it.
    Page(&'static str, &'static str),
}

/// The value of a field at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value {
    /// The URL of this organization's endpoint.
    Url,
    /// Its token, which was shown once.
    Token,
    /// The URL to which the provider sends assertions.
    Acs,
    /// Our name as a service of SAML.
    EntityId,
    /// A value to copy.
    Literal(&'static str),
    /// A choice, and a remark on it.
    Choice(&'static str, &'static str),
}

impl Guide {
    /// Returns the guide for a provider, to an organization with these settings.
    pub(crate) fn of(provider: IdentityProvider, settings: &Settings) -> Self {
        match provider {
            IdentityProvider::Okta => okta::guide(settings),
            IdentityProvider::Entra => entra::guide(settings),
            IdentityProvider::JumpCloud => jumpcloud::guide(settings),
            IdentityProvider::OneLogin => onelogin::guide(settings),
            IdentityProvider::Google => google::guide(settings),
            IdentityProvider::Ping => ping::guide(settings),
            IdentityProvider::Authentik => authentik::guide(settings),
            IdentityProvider::Other => other::guide(settings),
        }
    }

    /// Leaves out what is an administrator's to do.
    pub(crate) fn for_provider_alone(mut self) -> Self {
        self.steps.retain(|step| !step.stage.is_for_administrators());
        self
    }
}

impl Step {
    fn new(stage: Stage, title: impl Into<String>, blocks: Vec<Block>) -> Self {
        Self {
            title: title.into(),
            stage,
            blocks,
        }
    }
}

/// Returns the unique identifier that the organization asks for.
const fn identifier(settings: &Settings) -> &'static str {
    match settings.username {
        UserNames::Email => "email",
        UserNames::Any => "userName",
    }
}

/// Returns the step after groups have come: what their members may do is decided here.
fn roles(settings: &Settings) -> Step {
    match (settings.groups, settings.words) {
        (Groups::Mirror, _) => Step::new(
            Stage::Roles,
            "Give the roles their permissions",
            vec![
                Block::Text(
                    "Each group becomes a role here by itself, with its members, and without any permission. Decide what \
                     each of these roles may do.",
                ),
                Block::Page("roles", "Open User Roles"),
            ],
        ),
        (Groups::Map, Preset::LevelAccess) => Step::new(
            Stage::Roles,
            "Put people into user groups",
            vec![
                Block::Text(
                    "Here, open *Organization settings*, *Users* and *Unassigned users*: new people wait there. Put each \
                     into a user group.",
                ),
                Block::Page("users?show=unassigned", "Open Unassigned users"),
            ],
        ),
        (Groups::Map, _) => Step::new(
            Stage::Roles,
            "Map the groups to User Roles",
            vec![
                Block::Text(
                    "Here, open *Group Mapping*, choose a group under *Identity Provider Group* and one or several roles, \
                     add the row with *+*, repeat it, and *Save*. You see who gains and who loses what before you save.",
                ),
                Block::Page("integrations/scim/mapping", "Open Group Mapping"),
            ],
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyword::Keyword;

    fn all() -> Vec<Guide> {
        let products = Preset::ALL.iter().map(|product| Settings::of(*product));
        products
            .flat_map(|settings| {
                IdentityProvider::ALL
                    .iter()
                    .map(move |provider| Guide::of(*provider, &settings))
            })
            .collect()
    }

    fn texts(guide: &Guide) -> Vec<&'static str> {
        let blocks = guide.steps.iter().flat_map(|step| &step.blocks);
        blocks
            .flat_map(|block| match block {
                Block::Text(text) => vec![*text],
                Block::Points(points) => points.clone(),
                Block::Warning(bold, text) => vec![*bold, *text],
                _ => Vec::new(),
            })
            .chain(guide.before.iter().copied())
            .chain([guide.start, rhythm(guide.provider)])
            .collect()
    }

    /// Feature row 67: every provider has a guide in each of the three products, which says where the URL and the token go,
    /// tries them, brings people and groups, and ends with their roles.
    #[test]
    fn every_provider_has_a_guide() {
        for guide in all() {
            let name = guide.provider.word();
            let stages: Vec<_> = guide.steps.iter().map(|step| step.stage).collect();
            assert!(stages.is_sorted(), "{name}: {stages:?}");
            for stage in [Stage::Connection, Stage::People, Stage::Roles] {
                assert!(stages.contains(&stage), "{name}: {stage:?}");
            }
            let blocks: Vec<_> = guide.steps.iter().flat_map(|step| &step.blocks).collect();
            let values: Vec<_> = blocks
                .iter()
                .filter_map(|block| match block {
                    Block::Fields(fields) => Some(fields.iter().map(|(_, value)| *value)),
                    _ => None,
                })
                .flatten()
                .collect();
            for value in [Value::Url, Value::Token] {
                assert_eq!(
                    values.iter().filter(|found| **found == value).count(),
                    1,
                    "{name}"
                );
            }
            if let Some(known) = fields(guide.provider) {
                for pair in [(known.url, Value::Url), (known.token, Value::Token)] {
                    let mut all = blocks.iter().filter_map(|block| match block {
                        Block::Fields(fields) => Some(fields),
                        _ => None,
                    });
                    assert!(all.any(|fields| fields.contains(&pair)), "{name}: {pair:?}");
                }
            }
            let is_explained = documentation(guide.provider).is_some();
            assert_eq!(is_explained, guide.provider != IdentityProvider::Other, "{name}");
            assert_eq!(
                blocks.iter().filter(|block| ***block == Block::Attempt).count(),
                1,
                "{name}"
            );
        }
    }

    /// Text that is marked as a screen's words ends where it begins.
    #[test]
    fn marks_come_in_pairs() {
        for guide in all() {
            for text in texts(&guide) {
                assert_eq!(text.matches('*').count() % 2, 0, "{text}");
                assert!(!text.contains("  "), "{text}");
            }
        }
    }

    /// Feature row 71: somebody with a link sees nothing of mappings, roles, login settings and SAML.
    #[test]
    fn a_guide_for_the_provider_alone_has_no_step_of_administrators() {
        for guide in all() {
            let guide = guide.for_provider_alone();
            assert!(guide.steps.len() > 1);
            for step in &guide.steps {
                for block in &step.blocks {
                    let is_ours = match block {
                        Block::Page(..) => true,
                        Block::Fields(fields) => fields
                            .iter()
                            .any(|(_, value)| matches!(value, Value::Acs | Value::EntityId)),
                        _ => false,
                    };
                    assert!(!is_ours, "{}: {block:?}", step.title);
                }
            }
        }
    }
}
