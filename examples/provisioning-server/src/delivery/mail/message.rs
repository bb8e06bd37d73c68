//! A mail as it goes over the wire: RFC 5322, with plain text and HTML in it.

use std::time::SystemTime;

use jiff::Timestamp;
use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};

use super::settings::Imprint;
use crate::database::delivery::Claimed;
use crate::domain::mail::letter::{Letter, Letterhead};
use crate::domain::mail::{Content, Link};

/// A mail that can be sent.
pub(super) struct Ready {
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
    /// The part that must not stand anywhere else: the last one of its link.
    pub(super) secret: Option<String>,
}

/// Why a mail cannot be made.
#[derive(Debug)]
pub(super) enum Unmade {
    /// Its recipient has no address for mail.
    NoAddress,
    /// Anything else.
    Failed(String),
}

/// Makes a mail. It is the same whenever it is made, but for the border between its parts.
pub(super) fn make(
    claimed: &Claimed,
    content: &Content,
    link: Option<&Link>,
    from: &Mailbox,
    imprint: &Imprint,
) -> Result<Ready, Unmade> {
    let head = Letterhead {
        product: &imprint.product,
        organization: claimed.sender.as_ref().map(|of| of.display.as_str()),
        support: claimed
            .sender
            .as_ref()
            .map_or("", |of| of.settings.support_contact.as_str()),
        recipient: &claimed.recipient,
    };
    let url = link.map(|link| format!("{}{}", imprint.base, link.reveal()));
    let letter = Letter::new(&head, content, url);
    let secret = link.and_then(|link| link.reveal().rsplit('/').next().map(str::to_owned));
    let ready = write(
        &letter,
        &claimed.recipient,
        from,
        &claimed.message_id,
        claimed.created,
    )?;
    Ok(Ready { secret, ..ready })
}

/// Writes a letter to somebody.
pub(super) fn write(
    letter: &Letter,
    to: &str,
    from: &Mailbox,
    message_id: &str,
    created: Timestamp,
) -> Result<Ready, Unmade> {
    let failed = |cause: &dyn std::error::Error| Unmade::Failed(cause.to_string());
    let to: Address = to.parse().map_err(|_| Unmade::NoAddress)?;
    let plain = letter.plain().map_err(|cause| failed(&cause))?;
    let html = letter.html().map_err(|cause| failed(&cause))?;
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(&letter.subject)
        .message_id(Some(message_id.to_owned()))
        .date(SystemTime::from(created))
        // Nobody's automatic answer is wanted (RFC 3834 section 5).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .multipart(MultiPart::alternative_plain_html(plain, html))
        .map_err(|cause| failed(&cause))?;
    Ok(Ready {
        to,
        bytes: message.formatted(),
        secret: None,
    })
}
