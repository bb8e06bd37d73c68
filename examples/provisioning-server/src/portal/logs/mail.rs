//! Outgoing mail, of an organization or of the instance.

use askama::Template;
use axum::extract::RawPathParams;
use axum::response::Response;
use http::StatusCode;
use uuid::Uuid;

use crate::actions::mail::{self, Read};
use crate::domain::keyword::Keyword;
use crate::domain::mail::State;
use crate::portal::detour::Detour;
use crate::portal::form;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::path::id;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The path of the page.
const MAIL: &str = "mail";

/// Mails on a page.
const SIZE: u32 = 50;

const STATE: &str = "state";
const BEFORE: &str = "before";

/// The state of a mail, as a badge shows it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Badge {
    pub(in crate::portal) tone: &'static str,
    pub(in crate::portal) said: String,
    pub(in crate::portal) is_waiting: bool,
}

/// A mail, as the list shows it.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Message {
    pub(in crate::portal) id: String,
    pub(in crate::portal) subject: String,
    pub(in crate::portal) recipient: String,
    pub(in crate::portal) at: String,
    pub(in crate::portal) time: String,
    pub(in crate::portal) badge: Badge,
    pub(in crate::portal) error: Option<String>,
    pub(in crate::portal) can_be_retried: bool,
    pub(in crate::portal) can_be_cancelled: bool,
}

impl Message {
    fn of(read: &Read) -> Self {
        let mail = &read.mail;
        let at = mail.sent.unwrap_or(mail.created);
        let plain = |tone, said: &str| Badge {
            tone,
            said: said.to_owned(),
            is_waiting: false,
        };
        Self {
            id: mail.id.to_string(),
            subject: read.subject.clone(),
            recipient: mail.recipient.clone(),
            at: moment::short(at),
            time: at.to_string(),
            badge: match (mail.state, mail.due) {
                (State::Sent, _) => plain("ok", "Sent"),
                (State::Failed, _) => plain("bad", "Failed"),
                (State::Cancelled, _) => plain("", "Cancelled"),
                (State::Kept, _) => plain("warn", "Not sent"),
                (State::Queued, due) => Badge {
                    tone: "info",
                    said: match due.filter(|_| mail.attempts > 0) {
                        Some(due) => format!("Next attempt {}", moment::clock(due)),
                        None => "Waiting".to_owned(),
                    },
                    is_waiting: true,
                },
            },
            error: mail.error.clone(),
            can_be_retried: matches!(mail.state, State::Failed | State::Kept),
            can_be_cancelled: matches!(mail.state, State::Failed | State::Kept | State::Queued),
        }
    }
}

/// A choice of the list.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Choice {
    pub(in crate::portal) title: &'static str,
    pub(in crate::portal) url: String,
    pub(in crate::portal) is_chosen: bool,
}

#[derive(Debug, Template)]
#[template(path = "logs/mail.html")]
pub(in crate::portal) struct Mailbox {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    /// The URL of what is shown.
    pub(in crate::portal) here: String,
    /// Whether the server sends mails at all.
    pub(in crate::portal) sends: bool,
    /// Why mails wait, if they do.
    pub(in crate::portal) delay: Option<String>,
    pub(in crate::portal) choices: Vec<Choice>,
    pub(in crate::portal) messages: Vec<Message>,
    pub(in crate::portal) first: Option<String>,
    pub(in crate::portal) next: Option<String>,
}

#[derive(Debug, Template)]
#[template(path = "logs/one-mail.html")]
pub(in crate::portal) struct OneMail {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    pub(in crate::portal) trouble: Option<String>,
    pub(in crate::portal) message: Message,
    pub(in crate::portal) text: String,
    pub(in crate::portal) attempts: u32,
    pub(in crate::portal) message_id: String,
    /// Whether whoever looks may see the link, and there is one.
    pub(in crate::portal) offers_link: bool,
}

impl Mailbox {
    /// Returns whether buttons change anything here.
    pub(in crate::portal) fn may_change(&self) -> bool {
        may_change(&self.frame, &self.shell)
    }
}

impl OneMail {
    /// Returns whether buttons change anything here.
    pub(in crate::portal) fn may_change(&self) -> bool {
        may_change(&self.frame, &self.shell)
    }
}

fn may_change(frame: &Frame, shell: &Shell) -> bool {
    !frame.is_of_organization() || shell.may(&mail::RETRY.permission)
}

/// The choices of the list, with the words of the states that they show.
const CHOICES: [(&str, &str); 6] = [
    ("All", ""),
    ("Waiting", "queued"),
    ("Sent", "sent"),
    ("Failed", "failed"),
    ("Not sent", "kept"),
    ("Cancelled", "cancelled"),
];

/// Shows mails, the last first.
pub(in crate::portal) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Mail, MAIL).await?;
    let state = State::from_word(visit.query.text(STATE));
    let word = state.map_or("", Keyword::word);
    let before = Uuid::parse_str(visit.query.text(BEFORE)).ok();
    let actor = &administrator.actor;
    let listed = mail::list(&visit.product, actor, &visit.realm, state, before, SIZE + 1).await?;
    let is_more = listed.mails.len() > SIZE as usize;
    let messages: Vec<_> = listed.mails.iter().take(SIZE as usize).map(Message::of).collect();
    let path = visit.frame.path(MAIL);
    let url = |state: &str, before: &str| path.clone() + &form::query(&[(STATE, state), (BEFORE, before)]);
    let shown = Mailbox {
        here: url(word, visit.query.text(BEFORE)),
        sends: listed.sends,
        delay: listed.trouble,
        choices: CHOICES
            .map(|(title, choice)| Choice {
                title,
                url: url(choice, ""),
                is_chosen: choice == word,
            })
            .into(),
        first: before.map(|_| url(word, "")),
        next: messages
            .last()
            .filter(|_| is_more)
            .map(|last| url(word, &last.id)),
        messages,
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}

/// Shows one mail, without its link.
pub(in crate::portal) async fn get_one(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    show(&visit, id(&path, "id")?, StatusCode::OK, None).await
}

async fn show(
    visit: &Visit,
    id: Uuid,
    status: StatusCode,
    trouble: Option<String>,
) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Mail, &page(id)).await?;
    let actor = &administrator.actor;
    let read = mail::show(&visit.product, actor, &visit.realm, id).await?;
    let may = administrator.shell.may(&mail::SHOW_LINK.permission);
    let offers_link = may && visit.frame.is_of_organization() && read.mail.has_link();
    let shown = OneMail {
        offers_link: offers_link && mail::sees_links(&visit.product, actor).await?,
        ..one(visit, &administrator.shell, &read, trouble)
    };
    Ok(administrator.answer(status, &shown))
}

fn page(id: Uuid) -> String {
    format!("{MAIL}/{id}")
}

fn one(visit: &Visit, shell: &Shell, read: &Read, trouble: Option<String>) -> OneMail {
    OneMail {
        frame: visit.frame.clone(),
        shell: shell.clone(),
        trouble,
        message: Message::of(read),
        text: read.text.clone(),
        attempts: read.mail.attempts,
        message_id: read.mail.message_id.clone(),
        offers_link: false,
    }
}

/// Shows one mail with its link, which the audit log tells.
pub(in crate::portal) async fn post_link(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let id = id(&path, "id")?;
    let administrator = visit.administrator(Section::Mail, &page(id)).await?;
    let organization = &visit.organization()?.name;
    match mail::show_link(&visit.product, &administrator.actor, organization, id).await {
        Ok(read) => {
            let shown = one(&visit, &administrator.shell, &read, None);
            Ok(administrator.answer(StatusCode::OK, &shown))
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, &page(id))?;
            show(&visit, id, StatusCode::CONFLICT, Some(trouble)).await
        }
    }
}

/// Sends a mail once more.
pub(in crate::portal) async fn post_retry(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let id = id(&path, "id")?;
    let administrator = visit.administrator(Section::Mail, &page(id)).await?;
    let retried = mail::retry(&visit.product, &administrator.actor, &visit.realm, id).await;
    changed(&visit, id, retried, "is sent once more").await
}

/// Cancels a mail.
pub(in crate::portal) async fn post_cancel(visit: Visit, path: RawPathParams) -> Result<Response, Detour> {
    let id = id(&path, "id")?;
    let administrator = visit.administrator(Section::Mail, &page(id)).await?;
    let cancelled = mail::cancel(&visit.product, &administrator.actor, &visit.realm, id).await;
    changed(&visit, id, cancelled, "was cancelled").await
}

async fn changed(
    visit: &Visit,
    id: Uuid,
    outcome: crate::domain::fault::Result<Read>,
    what: &str,
) -> Result<Response, Detour> {
    match outcome {
        Ok(read) => {
            let recipient = &read.mail.recipient;
            Ok(visit.done(MAIL, &format!("The mail to {recipient} {what}.")))
        }
        Err(fault) => {
            let trouble = visit.trouble(fault, &page(id))?;
            show(visit, id, StatusCode::CONFLICT, Some(trouble)).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 92: every state can be chosen.
    #[test]
    fn every_state_can_be_chosen() {
        for state in State::ALL {
            assert!(CHOICES.iter().any(|(_, word)| *word == state.word()), "{state:?}");
        }
        assert_eq!(CHOICES.len(), State::ALL.len() + 1);
    }
}
