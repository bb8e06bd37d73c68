//! The texts of all mails. Each is written once, and has two forms: plain text and HTML.

use askama::Template;
use jiff::Timestamp;

use super::{Content, FactorChange};
use crate::domain::counted::counted;
use crate::domain::mass_change::LossKind;
use crate::domain::token::Purpose;

/// The facts about its sender that every mail of an organization repeats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Letterhead<'a> {
    /// The name of the product.
    pub(crate) product: &'a str,
    /// The organization, as people call it; none for what concerns the instance.
    pub(crate) organization: Option<&'a str>,
    /// The place where people find help; empty if there is none.
    pub(crate) support: &'a str,
    /// The address to which the mail goes.
    pub(crate) recipient: &'a str,
}

impl Letterhead<'_> {
    /// Returns the place where somebody has an account.
    fn place(&self) -> &str {
        self.organization.unwrap_or(self.product)
    }
}

/// A mail, before it has a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    paragraphs: Vec<String>,
    button: Option<Button>,
    closing: Vec<String>,
    signature: String,
}

/// The step that the recipient is to take.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Button {
    label: &'static str,
    url: String,
    /// The sentence on how long the link works.
    until: String,
}

#[derive(Template)]
#[template(path = "mail/letter.txt")]
struct Plain<'a> {
    paragraphs: &'a [String],
    button: Option<&'a Button>,
    closing: &'a [String],
    signature: &'a str,
}

#[derive(Template)]
#[template(path = "mail/letter.html")]
struct Html<'a> {
    subject: &'a str,
    paragraphs: &'a [String],
    button: Option<&'a Button>,
    closing: &'a [String],
    signature: &'a str,
}

impl Letter {
    /// Writes a mail. `url` is the whole URL of its link.
    pub(crate) fn new(head: &Letterhead<'_>, content: &Content, url: Option<String>) -> Self {
        let until = content.link_expires().map(until);
        let text = text(head, content);
        let button = text.action.zip(url).map(|(label, url)| Button {
            label,
            url,
            until: until.unwrap_or_default(),
        });
        Self::of(head, text, button)
    }

    fn of(head: &Letterhead<'_>, text: Text, button: Option<Button>) -> Self {
        let Text {
            subject,
            paragraphs,
            closing,
            ..
        } = text;
        let help = match head.support {
            "" => String::new(),
            contact => format!(" Help: {contact}"),
        };
        let place = match head.organization {
            Some(organization) => format!("{organization}, {}.", head.product),
            None => format!("{}.", head.product),
        };
        let signature = format!("{place} This mail was sent by itself; nobody reads answers.{help}");
        Self {
            subject: on_one_line(&subject),
            paragraphs: paragraphs.iter().map(|text| on_one_line(text)).collect(),
            button,
            closing: closing.iter().map(|text| on_one_line(text)).collect(),
            signature: on_one_line(&signature),
        }
    }

    /// Writes a mail by which an operator sees that mails arrive.
    pub(crate) fn trial(head: &Letterhead<'_>) -> Self {
        let text = notice(
            format!("Mails of {} arrive", head.product),
            [
                "You get this mail because the operator of the server has tried whether mails arrive."
                    .to_owned(),
            ],
            "There is nothing to do.",
        );
        Self::of(head, text, None)
    }

    /// Returns the mail as plain text.
    ///
    /// # Errors
    /// The template fails, which it does not.
    pub(crate) fn plain(&self) -> askama::Result<String> {
        let form = Plain {
            paragraphs: &self.paragraphs,
            button: self.button.as_ref(),
            closing: &self.closing,
            signature: &self.signature,
        };
        form.render()
    }

    /// Returns the mail as HTML, without anything that would be loaded from elsewhere.
    ///
    /// # Errors
    /// The template fails, which it does not.
    pub(crate) fn html(&self) -> askama::Result<String> {
        let form = Html {
            subject: &self.subject,
            paragraphs: &self.paragraphs,
            button: self.button.as_ref(),
            closing: &self.closing,
            signature: &self.signature,
        };
        form.render()
    }
}

/// Puts names and sentences that others have written on one line, so that they cannot pass for more of the mail.
fn on_one_line(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

fn until(expires: Timestamp) -> String {
    format!("The link works once, until {}.", moment(expires))
}

fn moment(at: Timestamp) -> String {
    at.strftime("%-d %B %Y, %H:%M UTC").to_string()
}

/// The words of one kind of mail.
struct Text {
    subject: String,
    paragraphs: Vec<String>,
    /// The words on the button, where there is a link.
    action: Option<&'static str>,
    closing: Vec<String>,
}

fn notice(
    subject: impl Into<String>,
    paragraphs: impl Into<Vec<String>>,
    closing: impl Into<String>,
) -> Text {
    Text {
        subject: subject.into(),
        paragraphs: paragraphs.into(),
        action: None,
        closing: vec![closing.into()],
    }
}

const NOT_YOU: &str = "If this was not you, set a new password with \"Forgotten password\" on the sign-in page, and tell \
                       your administrator.";

fn text(head: &Letterhead<'_>, content: &Content) -> Text {
    let (place, recipient) = (head.place(), head.recipient);
    match content {
        Content::Invitation { .. } => Text {
            subject: format!("Your account at {place}"),
            paragraphs: vec![
                format!("{place} has made an account for you: {recipient}."),
                "Set a password to sign in for the first time.".to_owned(),
            ],
            action: Some("Set password"),
            closing: vec![
                "If you did not expect this mail, delete it. Without the link nobody can sign in.".to_owned(),
            ],
        },
        Content::ResetLink { .. } => Text {
            subject: format!("Set your password for {place}"),
            paragraphs: vec![format!(
                "Somebody, most likely you, asked to set the password of {recipient} at {place}."
            )],
            action: Some("Set password"),
            closing: vec!["If this was not you, delete this mail. Your password stays as it is.".to_owned()],
        },
        Content::PasswordChanged { at } => notice(
            format!("Your password for {place} was changed"),
            [format!(
                "The password of {recipient} at {place} was changed on {}.",
                moment(*at)
            )],
            NOT_YOU,
        ),
        Content::AddressChanged { at } => notice(
            format!("The e-mail address of your account at {place} was changed"),
            [format!(
                "Your account at {place} has another e-mail address since {}. {recipient} gets no more mails about it.",
                moment(*at)
            )],
            "If this is not right, tell your administrator.",
        ),
        Content::SecondFactorChanged { at, change } => second_factor(place, recipient, *at, *change),
        Content::SecondFactorReset { at, by } => notice(
            format!("Your second factor for {place} was removed"),
            [format!(
                "{by} removed the second factor of {recipient} at {place} on {}. You can set up a new one when you sign in.",
                moment(*at)
            )],
            "If you did not ask for this, tell your administrator.",
        ),
        Content::OwnerRecovered { at, owner, by } => notice(
            format!("{owner} was given a way back into {place}"),
            [format!(
                "On {}, {by} made a way back in: {owner} can set a new password and a new second factor.",
                moment(*at)
            )],
            "If nobody of you has done this, somebody else has access to the server.",
        ),
        Content::MassChange { loss, sentence } => notice(
            match loss {
                LossKind::Deactivation => format!("Alert: many people of {place} were deactivated"),
                LossKind::RoleLoss => format!("Alert: many people of {place} lost a role"),
            },
            [sentence.clone()],
            "You get this mail because you can disable the integration.",
        ),
        Content::TokenExpiry {
            purpose,
            ends_in,
            expires,
            days,
        } => token_expiry(place, *purpose, ends_in, *expires, *days),
        Content::TokenRevokedByValue {
            purpose,
            ends_in,
            at,
            by,
        } => notice(
            format!("The token ending {ends_in} was revoked"),
            [
                format!(
                    "{by} found the token ending {ends_in} of {place} where it should not be, and revoked it on {}.",
                    moment(*at)
                ),
                after_end(*purpose).to_owned(),
            ],
            "Look in the API history for requests that were not yours.",
        ),
    }
}

fn second_factor(place: &str, recipient: &str, at: Timestamp, change: FactorChange) -> Text {
    let (subject, what) = match change {
        FactorChange::Added => ("Your second factor was set up", "has a new second factor"),
        FactorChange::Exchanged => ("Your second factor was exchanged", "has another second factor"),
        FactorChange::Removed => ("Your second factor was removed", "has no second factor any more"),
        FactorChange::CodesMade => (
            "You have new recovery codes",
            "has new recovery codes; the old ones do not work any more",
        ),
        FactorChange::CodeUsed => (
            "A recovery code was used",
            "was signed in to with a recovery code",
        ),
    };
    notice(
        format!("{subject} for {place}"),
        [format!(
            "The account {recipient} at {place} {what}, since {}.",
            moment(at)
        )],
        NOT_YOU,
    )
}

fn token_expiry(place: &str, purpose: Purpose, ends_in: &str, expires: Timestamp, days: u32) -> Text {
    let left = counted(u64::from(days), "day", "days");
    notice(
        format!("The token ending {ends_in} of {place} expires in {left}"),
        [
            format!("The token ending {ends_in} expires on {}.", moment(expires)),
            after_end(purpose).to_owned(),
        ],
        "Rotate it with an overlap: both tokens work until you end the rotation, so that nothing is refused.",
    )
}

/// Returns the consequence of the end of a token.
const fn after_end(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Scim => {
            "Without a valid token, requests of the identity provider are refused. People and roles stay as they are."
        }
        Purpose::Access => "Without a valid token, the product behind cannot read who may do what.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mail::tests::of_each_kind;

    const HEAD: Letterhead<'_> = Letterhead {
        product: "Provisioning",
        organization: Some("Acme & Sons"),
        support: "help@acme.example",
        recipient: "ann@acme.example",
    };

    fn letters(text: &str) -> Vec<Letter> {
        let url = |content: &Content| {
            content
                .link_expires()
                .map(|_| "https://x.example/o/acme/link/s".to_owned())
        };
        of_each_kind(text)
            .iter()
            .map(|content| Letter::new(&HEAD, content, url(content)))
            .collect()
    }

    /// Feature row 92: each mail says the same in both forms, and nothing in it is loaded from elsewhere.
    #[test]
    fn both_forms_say_the_same_and_load_nothing() {
        for letter in letters("somebody") {
            let (plain, html) = (letter.plain().unwrap(), letter.html().unwrap());
            assert!(plain.contains("help@acme.example") && html.contains("help@acme.example"));
            assert!(html.contains("Acme &#38; Sons"), "{html}");
            for paragraph in letter.paragraphs.iter().chain(&letter.closing) {
                assert!(plain.contains(paragraph.as_str()), "{paragraph}");
                let escaped = paragraph
                    .replace('&', "&#38;")
                    .replace('"', "&#34;")
                    .replace('\'', "&#39;");
                assert!(html.contains(&escaped), "{escaped}\n{html}");
            }
            let links = html.matches("https://").count();
            match &letter.button {
                Some(button) => {
                    assert!(
                        plain.contains(&button.url) && plain.contains(&button.until),
                        "{plain}"
                    );
                    assert_eq!(links, 2, "{html}");
                }
                None => assert_eq!(links, 0, "{html}"),
            }
            for loaded in ["<img", "<link", "<script", "src=", "url(", "@import"] {
                assert!(!html.contains(loaded), "{loaded}");
            }
        }
    }

    /// Feature row 92: what others have written is text, on one line, in the subject too.
    #[test]
    fn words_of_others_cannot_pass_for_more() {
        for letter in letters("x\r\nBcc: y\n\n<b>z</b>") {
            assert!(!letter.subject.contains(['\r', '\n']));
            let (plain, html) = (letter.plain().unwrap(), letter.html().unwrap());
            assert!(!plain.contains("\nBcc") && !html.contains("<b>"), "{html}");
        }
    }

    /// Feature row 73: the mail about a token says when it ends and what to do.
    #[test]
    fn the_mail_about_a_token_says_what_to_do() {
        let content = Content::TokenExpiry {
            purpose: Purpose::Scim,
            ends_in: "9fRd".to_owned(),
            expires: Timestamp::from_second(1_800_000_000).unwrap(),
            days: 1,
        };
        let letter = Letter::new(&HEAD, &content, None);
        assert_eq!(
            letter.subject,
            "The token ending 9fRd of Acme & Sons expires in 1 day"
        );
        let plain = letter.plain().unwrap();
        assert!(
            plain.contains("expires on 15 January 2027, 08:00 UTC."),
            "{plain}"
        );
        assert!(plain.contains("Rotate it with an overlap"), "{plain}");
    }
}
