//! The things that need attention, the most pressing first.

use jiff::{SignedDuration, Timestamp};

use crate::actions::{alert, conflict, mail, organization, saml, token};
use crate::domain::counted::counted;
use crate::domain::organization::Organization;
use crate::domain::saml::provider::{Provider, Standing};
use crate::domain::settings::{FirstLogin, Settings, Switch};
use crate::domain::token::Token;
use crate::portal::administrator::Administrator;
use crate::portal::detour::Detour;
use crate::portal::integrations::card::Connection;
use crate::portal::moment;
use crate::portal::visit::Visit;

/// How long before its end somebody is told of what ends.
const AHEAD: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Something that needs attention.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::portal) struct Need {
    /// `bad`, `warn` or `info`.
    pub(in crate::portal) tone: &'static str,
    pub(in crate::portal) title: String,
    pub(in crate::portal) hint: String,
    /// The words of the link, and the page that it leads to.
    pub(in crate::portal) link: Option<(&'static str, String)>,
    /// Whether it can be acknowledged here.
    pub(in crate::portal) can_be_seen: bool,
}

impl Need {
    fn new(tone: &'static str, title: impl Into<String>, hint: &str, link: (&'static str, &str)) -> Self {
        Self {
            tone,
            title: title.into(),
            hint: hint.to_owned(),
            link: Some((link.0, link.1.to_owned())),
            can_be_seen: false,
        }
    }
}

/// Returns everything that needs attention, as far as somebody may see it.
pub(super) async fn gather(
    visit: &Visit,
    administrator: &Administrator,
    connection: Option<&Connection>,
    now: Timestamp,
) -> Result<Vec<Need>, Detour> {
    let (product, actor, shell) = (&visit.product, &administrator.actor, &administrator.shell);
    let organization = visit.organization()?;
    let name = &organization.name;
    let mut needs = Vec::new();
    if shell.may(&alert::LIST.permission) {
        let may_see = shell.may(&alert::SEE.permission);
        let alerts = alert::list(product, actor, name).await?;
        let unseen = alerts.iter().filter(|raised| raised.seen.is_none());
        needs.extend(unseen.map(|raised| of_alert(&raised.sentence, may_see)));
    }
    needs.extend(connection.into_iter().flat_map(of_connection));
    if shell.may(&token::LIST.permission) {
        let tokens = token::list(product, actor, name).await?;
        needs.extend(tokens.iter().filter_map(|token| of_token(token, now)));
    }
    needs.extend(of_conflicts(shell.open_conflicts));
    if shell.may(&mail::LIST.permission) {
        let listed = mail::list(product, actor, &visit.realm, None, None, 1).await?;
        needs.extend(of_mails(listed.sends, listed.trouble, organization));
    }
    if shell.may(&saml::SHOW.permission) {
        let shown = saml::show(product, actor, name).await?;
        needs.extend(of_saml(shown.provider.as_ref(), &organization.settings, now));
    }
    if shell.may(&organization::LIST.permission) {
        needs.extend(of_owners(organization::count_owners(product, actor, name).await?));
    }
    needs.sort_by_key(|need| ["bad", "warn", "info"].iter().position(|tone| *tone == need.tone));
    Ok(needs)
}

fn of_alert(sentence: &str, can_be_seen: bool) -> Need {
    let (title, hint) = sentence.split_once(". ").unwrap_or((sentence, ""));
    Need {
        can_be_seen,
        ..Need::new(
            "bad",
            title,
            hint,
            ("Disable the integration", "integrations/scim"),
        )
    }
}

fn of_connection(connection: &Connection) -> Vec<Need> {
    let failing = (connection.tone == "bad").then(|| {
        Need::new(
            "bad",
            format!("Requests of {} fail", connection.provider),
            "Each of them says what is wrong. The first that succeeds takes this away.",
            ("Show errors", "integrations/scim/history?show=errors"),
        )
    });
    let notes = connection.notes.iter().map(|note| Need {
        tone: note.tone,
        title: note.text.clone(),
        link: note.link.clone(),
        ..Need::default()
    });
    failing.into_iter().chain(notes).collect()
}

fn of_token(token: &Token, now: Timestamp) -> Option<Need> {
    let expires = token.expires.filter(|_| token.is_live(now))?;
    let left = expires.duration_since(now);
    if left > AHEAD {
        return None;
    }
    let days = u64::try_from(left.as_hours() / 24).unwrap_or(0);
    let when = match days {
        0 => "within a day".to_owned(),
        days => format!("in {}", counted(days, "day", "days")),
    };
    Some(Need::new(
        if days < 2 { "bad" } else { "warn" },
        format!("The token ending {} expires {when}", token.last_four),
        "Generate another with an overlap, and enter it at the provider, so that nothing is interrupted.",
        ("Go to tokens", "integrations/scim"),
    ))
}

fn of_conflicts(open: u64) -> Option<Need> {
    let many = match open {
        0 => return None,
        open if open >= u64::from(conflict::COUNTED) => {
            format!("{} conflicts or more wait", conflict::COUNTED)
        }
        open => counted(open, "conflict waits", "conflicts wait"),
    };
    Some(Need::new(
        "warn",
        many,
        "The provider could not do something because of something here.",
        ("Open conflicts", "conflicts"),
    ))
}

fn of_mails(sends: bool, trouble: Option<String>, organization: &Organization) -> Option<Need> {
    let link = ("Open mails", "mail");
    match trouble {
        Some(why) if sends => Some(Need::new("bad", "Mails wait", &why, link)),
        _ if !sends && organization.settings.first_login == FirstLogin::Invitation => Some(Need::new(
            "warn",
            "Invitations are not sent",
            "This server has no mail server: new people get no link.",
            link,
        )),
        _ => None,
    }
}

fn of_saml(provider: Option<&Provider>, settings: &Settings, now: Timestamp) -> Vec<Need> {
    let Some(known) = provider else {
        return Vec::new();
    };
    let pending = match (Standing::of(provider), settings.sso) {
        (Standing::Untried, _) => Some(Need::new(
            "warn",
            "SAML waits for a trial sign-in",
            "Single sign-on can be allowed once one has succeeded.",
            ("Open SAML", "integrations/saml"),
        )),
        (Standing::Tried, Switch::Off) if settings.first_login == FirstLogin::Saml => Some(Need::new(
            "warn",
            "Single sign-on is not allowed",
            "New people get SAML-enabled accounts, and cannot sign in until it is.",
            ("Open Login Settings", "login-settings"),
        )),
        _ => None,
    };
    let named = known
        .certificates
        .iter()
        .filter(|trusted| trusted.until.is_none());
    let last = named.map(|trusted| trusted.certificate.expires).max();
    let ending = last.filter(|last| last.duration_since(now) < AHEAD).map(|last| {
        Need::new(
            "warn",
            format!(
                "The SAML certificate of the provider is valid until {}",
                moment::day(last)
            ),
            "Once the provider has a new one, read its metadata again.",
            ("Open SAML", "integrations/saml"),
        )
    });
    pending.into_iter().chain(ending).collect()
}

fn of_owners(owners: u64) -> Option<Need> {
    (owners == 0).then(|| {
        Need::new(
            "warn",
            "No owner is independent of the identity provider",
            "If it is away, or takes the last owner away, nobody can mend it here. Make a manual account that may change the \
             organization.",
            ("Add an account", "users/new"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature rows 89, 99: what is well needs no attention.
    #[test]
    fn what_is_well_is_not_listed() {
        assert_eq!((of_conflicts(0), of_owners(1)), (None, None));
        assert_eq!(of_saml(None, &Settings::default(), Timestamp::UNIX_EPOCH), []);
        assert_eq!(of_conflicts(1).unwrap().title, "1 conflict waits");
        assert_eq!(of_conflicts(100).unwrap().title, "100 conflicts or more wait");
    }

    /// Feature row 91: an alert says what happened, and then what to do.
    #[test]
    fn an_alert_says_what_happened_and_what_to_do() {
        let need = of_alert("31 people were deactivated. Nothing was held back.", true);
        assert_eq!(need.title, "31 people were deactivated");
        assert_eq!(need.hint, "Nothing was held back.");
        assert!(need.can_be_seen);
    }
}
