//! The flags that set an organization's settings.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::domain::fault::Result;
use crate::domain::keyword::Keyword;
use crate::domain::organization::{Name, display_name};
use crate::domain::settings::{
    Assignment, Attributes, Changes, ExistingAccount, FirstLogin, Groups, IdentityProvider, OnDelete, Preset,
    Protocol, Switch, UserNames,
};

/// Reads one of the words of a choice; clap lists them in help and errors.
fn word<T: Keyword>() -> impl TypedValueParser<Value = T> {
    let words = T::ALL.iter().map(|value| value.word());
    PossibleValuesParser::new(words)
        .try_map(|text| T::from_word(&text).ok_or_else(|| format!("{text:?} is not one of the choices")))
}

/// A choice, and the former word that it was named by, if it was.
#[derive(Debug, Clone)]
struct Chosen<T> {
    value: T,
    former: Option<String>,
}

/// Reads one of the words of a choice, or a former one, which is not listed.
fn chosen<T: Keyword>() -> impl TypedValueParser<Value = Chosen<T>> {
    let former = |value: T| T::FORMER.iter().filter(move |(_, known)| *known == value);
    let words = T::ALL
        .iter()
        .map(|value| PossibleValue::new(value.word()).aliases(former(*value).map(|(word, _)| *word)));
    PossibleValuesParser::new(words.collect::<Vec<_>>()).try_map(|text| match T::from_word(&text) {
        Some(value) => Ok(Chosen {
            value,
            former: T::from_former_word(&text).map(|_| text),
        }),
        None => Err(format!("{text:?} is not one of the choices")),
    })
}

/// Reads the name of an organization.
pub(super) fn name(text: &str) -> Result<Name> {
    Name::parse(text)
}

/// The settings of an organization.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// What people call the organization
    #[arg(long, value_name = "TEXT", value_parser = display_name)]
    pub(super) display: Option<String>,
    /// Take over a product's settings; the other flags come on top
    #[arg(long, value_name = "PRODUCT", value_parser = word::<Preset>())]
    like: Option<Preset>,
    /// The identity provider
    #[arg(long, value_name = "PROVIDER", value_parser = word::<IdentityProvider>())]
    idp: Option<IdentityProvider>,
    /// How literally requests are taken
    #[arg(long, value_name = "POLICY", value_parser = chosen::<Protocol>())]
    policy: Option<Chosen<Protocol>>,
    /// What a userName may be
    #[arg(long, value_name = "KIND", value_parser = word::<UserNames>())]
    username: Option<UserNames>,
    /// Which attributes of a person are kept
    #[arg(long, value_name = "WHICH", value_parser = word::<Attributes>())]
    attributes: Option<Attributes>,
    /// What becomes of a person whom the identity provider deletes
    #[arg(long, value_name = "HOW", value_parser = word::<OnDelete>())]
    on_delete: Option<OnDelete>,
    /// Map groups to roles, or mirror each as a role
    #[arg(long, value_name = "HOW", value_parser = word::<Groups>())]
    groups: Option<Groups>,
    /// How people come by roles
    #[arg(long, value_name = "HOW", value_parser = word::<Assignment>())]
    assignment: Option<Assignment>,
    /// What happens when a provisioned person has a manual account
    #[arg(long, value_name = "HOW", value_parser = word::<ExistingAccount>())]
    existing_account: Option<ExistingAccount>,
    /// How people sign in for the first time
    #[arg(long, value_name = "HOW", value_parser = word::<FirstLogin>())]
    first_login: Option<FirstLogin>,
    /// Whether single sign-on is allowed
    #[arg(long, value_name = "SWITCH", value_parser = word::<Switch>())]
    sso: Option<Switch>,
    /// Whether two groups of one name are refused
    #[arg(long, value_name = "SWITCH", value_parser = word::<Switch>())]
    unique_group_names: Option<Switch>,
}

impl Flags {
    /// Returns a warning if a setting was named by a former word.
    pub(super) fn warning(&self) -> Option<String> {
        let policy = self.policy.as_ref()?;
        let former = policy.former.as_deref()?;
        let word = policy.value.word();
        Some(format!(
            "The policy {former} is called {word} now: use --policy {word}."
        ))
    }

    /// The settings that the flags change.
    pub(super) fn changes(&self) -> Changes {
        Changes {
            like: self.like,
            idp: self.idp,
            policy: self.policy.as_ref().map(|policy| policy.value),
            username: self.username,
            attributes: self.attributes,
            on_delete: self.on_delete,
            groups: self.groups,
            assignment: self.assignment,
            existing_account: self.existing_account,
            first_login: self.first_login,
            sso: self.sso,
            unique_group_names: self.unique_group_names,
        }
    }
}
