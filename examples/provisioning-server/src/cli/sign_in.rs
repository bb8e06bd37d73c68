//! `user sign-in`, `user invite`, `user sign-out` and `user reset-second-factor`.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::documents::time;
use super::user::Which;
use crate::actions::sign_in::{self, SignIn};
use crate::domain::counted::counted;
use crate::domain::fault::Result;
use crate::domain::keyword::Keyword;
use crate::domain::link::LinkKind;
use crate::domain::session::Way;
use crate::domain::settings::FirstLogin;

#[derive(Debug, Serialize)]
struct SignInDocument {
    organization: String,
    id: Uuid,
    name: String,
    /// How the person signs in for the first time.
    first_login: Option<FirstLogin>,
    /// When that was.
    signed_in: Option<Timestamp>,
    /// The link that is about to be sent.
    due: Option<LinkKind>,
    /// When the invitation ends that was not used.
    invited_until: Option<Timestamp>,
    password_since: Option<Timestamp>,
    second_factor_since: Option<Timestamp>,
    recovery_codes: u64,
    sessions: Vec<SessionDocument>,
}

#[derive(Debug, Serialize)]
struct SessionDocument {
    id: Uuid,
    way: Way,
    since: Timestamp,
    used: Timestamp,
    address: Option<String>,
    agent: Option<String>,
}

#[derive(Debug, Serialize)]
struct Sent {
    organization: String,
    name: String,
    link: LinkKind,
}

#[derive(Debug, Serialize)]
struct SignedOut {
    organization: String,
    name: String,
    /// How many sessions there were.
    sessions: u64,
}

#[derive(Debug, Serialize)]
struct Reset {
    organization: String,
    name: String,
    second_factor: Option<Timestamp>,
}

fn document(organization: String, found: SignIn) -> SignInDocument {
    let entry = found.entry;
    SignInDocument {
        organization,
        id: found.account.id,
        name: found.account.name,
        first_login: entry.map(|entry| entry.by),
        signed_in: entry.and_then(|entry| entry.first).map(time),
        due: entry.and_then(|entry| entry.due),
        invited_until: found.invited_until.map(time),
        password_since: found.password.map(time),
        second_factor_since: found.second_factor.map(time),
        recovery_codes: found.recovery_codes,
        sessions: found
            .sessions
            .into_iter()
            .map(|session| SessionDocument {
                id: session.id,
                way: session.way,
                since: time(session.created),
                used: time(session.used),
                address: session.address,
                agent: session.agent,
            })
            .collect(),
    }
}

pub(super) async fn show(session: &Session, which: Which) -> Result<()> {
    let found = sign_in::show(&session.product, &session.actor(), &which.name, &which.user).await?;
    let document = document(which.name.to_string(), found);
    session.output.result(&document, text);
    Ok(())
}

fn text(found: &SignInDocument) -> String {
    let since = |what: &str, at: Option<Timestamp>| match at {
        Some(at) => format!("{what} since {at}\n"),
        None => format!("no {what}\n"),
    };
    let mut text = format!("{}\n", found.name);
    text += &match (found.signed_in, found.invited_until, found.due) {
        (Some(at), _, _) => format!("signed in for the first time at {at}\n"),
        (None, Some(until), _) => format!("invited, until {until}\n"),
        (None, None, Some(_)) => "a link is about to be sent\n".to_owned(),
        (None, None, None) => "has never signed in\n".to_owned(),
    };
    text += &since("password", found.password_since);
    text += &since("second factor", found.second_factor_since);
    for session in &found.sessions {
        text += &format!(
            "session {} by {} from {} since {}, used {}\n",
            session.id,
            session.way.word(),
            session.address.as_deref().unwrap_or("an unknown address"),
            session.since,
            session.used
        );
    }
    text
}

pub(super) async fn invite(session: &Session, which: Which) -> Result<()> {
    let (account, link) =
        sign_in::invite(&session.product, &session.actor(), &which.name, &which.user).await?;
    let document = Sent {
        organization: which.name.to_string(),
        name: account.name,
        link,
    };
    session.output.result(&document, |sent| match sent.link {
        LinkKind::Invitation => format!("{} is invited once more.\n", sent.name),
        _ => format!("{} is sent a link to set another password.\n", sent.name),
    });
    Ok(())
}

pub(super) async fn sign_out(session: &Session, which: Which) -> Result<()> {
    let (account, sessions) =
        sign_in::sign_out(&session.product, &session.actor(), &which.name, &which.user).await?;
    let document = SignedOut {
        organization: which.name.to_string(),
        name: account.name,
        sessions,
    };
    session.output.result(&document, |out| {
        let ended = counted(out.sessions, "session", "sessions");
        format!("{} of {} ended.\n", ended, out.name)
    });
    Ok(())
}

pub(super) async fn reset_factor(session: &Session, which: Which) -> Result<()> {
    let account = sign_in::reset_factor(&session.product, &session.actor(), &which.name, &which.user).await?;
    let document = Reset {
        organization: which.name.to_string(),
        name: account.name,
        second_factor: None,
    };
    session.output.result(&document, |reset| {
        format!("{} has no second factor any more, and was told.\n", reset.name)
    });
    Ok(())
}
