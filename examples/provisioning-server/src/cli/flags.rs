//! The flags that set an organization's settings.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::domain::fault::Result;
use crate::domain::keyword::Keyword;
use crate::domain::organization::{Name, display_name};
use crate::domain::retention::Retention;
use crate::domain::settings::{
    Assignment, Attributes, Changes, Contact, ExistingAccount, FirstLogin, Groups, HistoryDays,
    IdentityProvider, MailPace, OnDelete, Preset, Protocol, SecondFactor, SetUp, Switch, Threshold,
    UserNames,
};

/// Reads one of the words of a choice; clap lists them in help and errors.
pub(super) fn word<T: Keyword>() -> impl TypedValueParser<Value = T> {
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
    /// The name of the organization for people
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
    /// The form of a userName
    #[arg(long, value_name = "KIND", value_parser = word::<UserNames>())]
    username: Option<UserNames>,
    /// Which attributes of a person are kept
    #[arg(long, value_name = "WHICH", value_parser = word::<Attributes>())]
    attributes: Option<Attributes>,
    /// How to treat a person whom the identity provider deletes
    #[arg(long, value_name = "HOW", value_parser = word::<OnDelete>())]
    on_delete: Option<OnDelete>,
    /// Map groups to roles, or mirror each as a role
    #[arg(long, value_name = "HOW", value_parser = word::<Groups>())]
    groups: Option<Groups>,
    /// How people come by roles
    #[arg(long, value_name = "HOW", value_parser = word::<Assignment>())]
    assignment: Option<Assignment>,
    /// How to proceed when a provisioned person has a manual account
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
    /// The order in which the integration is set up
    #[arg(long, value_name = "ORDER", value_parser = word::<SetUp>())]
    set_up: Option<SetUp>,
    /// The product whose words the screens use
    #[arg(long, value_name = "PRODUCT", value_parser = word::<Preset>())]
    words: Option<Preset>,
    /// The place where people find help; an empty text removes it
    #[arg(long, value_name = "TEXT", value_parser = Contact::parse)]
    support_contact: Option<Contact>,
    /// Whether a sign-in by SAML may begin at the identity provider
    #[arg(long, value_name = "SWITCH", value_parser = word::<Switch>())]
    idp_initiated_saml: Option<Switch>,
    /// Whether people who sign in with a password need a second factor
    #[arg(long, value_name = "WHETHER", value_parser = word::<SecondFactor>())]
    second_factor: Option<SecondFactor>,
    /// Whether rights to change the organization, given by a group, wait for an administrator
    #[arg(long, value_name = "SWITCH", value_parser = word::<Switch>())]
    hold_escalations: Option<Switch>,
    /// For how many days the history of requests is kept
    #[arg(long, value_name = "DAYS", value_parser = HistoryDays::parse)]
    history_days: Option<HistoryDays>,
    /// For how many days the audit log is kept, or "for-ever"
    #[arg(long, value_name = "DAYS", value_parser = Retention::parse)]
    audit_days: Option<Retention>,
    /// Whether bodies of requests that failed are kept for a day, without secrets
    #[arg(long, value_name = "SWITCH", value_parser = word::<Switch>())]
    failed_bodies: Option<Switch>,
    /// Whether bodies of all other requests are, too
    #[arg(long, value_name = "SWITCH", value_parser = word::<Switch>())]
    capture_bodies: Option<Switch>,
    /// More deactivations within an hour raise an alert
    #[arg(long, value_name = "PEOPLE", value_parser = Threshold::parse)]
    mass_deactivations: Option<Threshold>,
    /// More losses of roles within an hour raise an alert
    #[arg(long, value_name = "PEOPLE", value_parser = Threshold::parse)]
    mass_role_losses: Option<Threshold>,
    /// How many mails are sent within a minute at most
    #[arg(long, value_name = "MAILS", value_parser = MailPace::parse)]
    mails_per_minute: Option<MailPace>,
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

    /// Returns the settings that the flags change.
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
            set_up: self.set_up,
            words: self.words,
            support_contact: self.support_contact.clone(),
            idp_initiated_saml: self.idp_initiated_saml,
            second_factor: self.second_factor,
            hold_escalations: self.hold_escalations,
            history_days: self.history_days,
            audit_days: self.audit_days,
            failed_bodies: self.failed_bodies,
            capture_bodies: self.capture_bodies,
            mass_deactivations: self.mass_deactivations,
            mass_role_losses: self.mass_role_losses,
            mails_per_minute: self.mails_per_minute,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Args as _, Command};
    use jiff::Timestamp;
    use serde_json::Value;
    use uuid::Uuid;

    use super::*;
    use crate::domain::export_file::Head;
    use crate::domain::organization::Organization;
    use crate::domain::settings::Settings;

    /// A row of the table of settings.
    struct Row {
        flag: &'static str,
        /// The words that there are, or one in angle brackets for what is not a choice.
        values: Vec<&'static str>,
        new: &'static str,
        presets: [&'static str; 3],
    }

    fn table() -> Vec<Row> {
        let lines = include_str!("../../tests/fixtures/settings.md")
            .lines()
            .filter(|line| line.starts_with("| `"));
        lines.map(row).collect()
    }

    fn row(line: &'static str) -> Row {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [
            flag,
            values,
            new,
            threatlocker,
            level_access,
            third_platform,
            meaning,
        ] = cells[..]
        else {
            panic!("a row of the table has seven cells: {line}");
        };
        assert!(!meaning.is_empty(), "{line}");
        Row {
            flag: flag.trim_matches('`'),
            values: values.split(", ").collect(),
            new,
            presets: [threatlocker, level_access, third_platform],
        }
    }

    fn arguments() -> Command {
        Flags::augment_args(Command::new("set"))
    }

    /// Returns the flags of settings: all but what is not one of an organization's settings.
    fn flags(command: &Command) -> Vec<&Arg> {
        let is_setting = |arg: &&Arg| !matches!(arg.get_id().as_str(), "display" | "like");
        command.get_arguments().filter(is_setting).collect()
    }

    fn cells(settings: &Settings) -> Vec<String> {
        let shown = |value: String| if value.is_empty() { "–".to_owned() } else { value };
        settings
            .entries()
            .into_iter()
            .map(|(_, value)| shown(value))
            .collect()
    }

    fn json_keys(settings: &Value) -> Vec<String> {
        let object = settings.as_object().unwrap();
        let mut keys: Vec<String> = object.keys().map(|key| key.replace('_', "-")).collect();
        keys.sort();
        keys
    }

    /// Feature row 84: the table of settings, the flags, what is shown, JSON and the export have the same settings.
    #[test]
    fn flags_json_and_export_have_the_settings_of_the_table() {
        let names: Vec<&str> = table().iter().map(|row| row.flag).collect();
        let command = arguments();
        let flags: Vec<&str> = flags(&command).iter().filter_map(|arg| arg.get_long()).collect();
        assert_eq!(flags, names);
        let settings = Settings::default();
        let shown: Vec<&str> = settings.entries().iter().map(|(name, _)| *name).collect();
        assert_eq!(shown, names);

        let mut sorted: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        sorted.sort();
        assert_eq!(json_keys(&serde_json::to_value(&settings).unwrap()), sorted);
        let name = Name::parse("acme").unwrap();
        let organization =
            Organization::new(Uuid::nil(), name, None, settings, Timestamp::UNIX_EPOCH).unwrap();
        let exported = serde_json::to_value(Head::of(&organization)).unwrap();
        assert_eq!(json_keys(&exported["organization"]["settings"]), sorted);
    }

    /// Feature row 84: each flag takes the words of the table, and no others.
    #[test]
    fn each_flag_takes_the_words_of_the_table() {
        let command = arguments();
        for (row, flag) in table().iter().zip(flags(&command)) {
            let words: Vec<String> = flag
                .get_possible_values()
                .iter()
                .map(|value| value.get_name().to_owned())
                .collect();
            if row.values[0].starts_with('<') {
                assert!(words.is_empty(), "{}", row.flag);
            } else {
                assert_eq!(words, row.values, "{}", row.flag);
            }
        }
    }

    /// Feature rows 9, 12, 13, 18, 62, 84: what a new organization has, and each product.
    #[test]
    fn each_preset_is_its_column_of_the_table() {
        let table = table();
        let column = |of: fn(&Row) -> &'static str| table.iter().map(of).collect::<Vec<_>>();
        assert_eq!(cells(&Settings::default()), column(|row| row.new));
        assert_eq!(
            cells(&Settings::of(Preset::ThreatLocker)),
            column(|row| row.presets[0])
        );
        assert_eq!(
            cells(&Settings::of(Preset::LevelAccess)),
            column(|row| row.presets[1])
        );
        assert_eq!(
            cells(&Settings::of(Preset::ThirdPlatform)),
            column(|row| row.presets[2])
        );
    }

    /// Feature row 84: each flag sets its own setting, and no other.
    #[test]
    fn each_flag_sets_its_setting() {
        for (index, row) in table().iter().enumerate() {
            let value = match row.values[..] {
                ["<text>"] => "help@x.example",
                [number] if number.starts_with('<') => "7",
                ref words => words.iter().find(|word| **word != row.new).unwrap(),
            };
            let arguments = arguments().get_matches_from(["set", &format!("--{}", row.flag), value]);
            let flags = <Flags as clap::FromArgMatches>::from_arg_matches(&arguments).unwrap();
            let mut expected = cells(&Settings::default());
            expected[index] = value.to_owned();
            // To sign in by SAML is to be allowed single sign-on.
            if value == "saml" {
                expected[9] = "on".to_owned();
            }
            assert_eq!(
                cells(&flags.changes().apply(&Settings::default())),
                expected,
                "{}",
                row.flag
            );
        }
    }
}
