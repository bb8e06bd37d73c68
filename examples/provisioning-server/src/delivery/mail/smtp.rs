//! A connection with the mail server (RFC 5321), and what its answers mean.

use std::error::Error as _;
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Mechanism;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::{Category, Code, Detail, Severity};
use tokio::time::timeout;

use super::message::Ready;
use super::settings::{Protection, Smtp};

/// How long it may take until the server lets mails be sent.
const GREETING: Duration = Duration::from_secs(30);

/// How long the server may take for one mail. A mail is left to its process for longer.
pub(super) const MAIL: Duration = Duration::from_secs(120);

/// How long the end of a connection may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// The longest part of an answer of the server that is kept, in characters.
const LONGEST: usize = 300;

/// The verdict of the server on a mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has taken it.
    Taken,
    /// It may take it later.
    NotNow(String),
    /// It will never take it.
    Never(String),
    /// It cannot be used, whatever the mail.
    Unusable(String),
}

impl Verdict {
    /// Takes a secret out of the server's words: some repeat what they do not like.
    pub(super) fn without(self, secret: Option<&str>) -> Self {
        let hide = |why: String| match secret {
            Some(secret) if !secret.is_empty() => why.replace(secret, "…"),
            _ => why,
        };
        match self {
            Self::Taken => Self::Taken,
            Self::NotNow(why) => Self::NotNow(hide(why)),
            Self::Never(why) => Self::Never(hide(why)),
            Self::Unusable(why) => Self::Unusable(hide(why)),
        }
    }
}

/// A connection over which mails can be sent.
pub(super) struct Connection(AsyncSmtpConnection);

impl Connection {
    /// Connects, and signs in.
    ///
    /// # Errors
    /// The sentence that says why this cannot be done now.
    pub(super) async fn open(smtp: &Smtp, hello: &ClientId) -> Result<Self, String> {
        match timeout(GREETING, connect(smtp, hello)).await {
            Ok(Ok(connection)) => Ok(Self(connection)),
            Ok(Err(error)) => Err(reason(&error)),
            Err(_) => Err(format!(
                "It did not answer within {} seconds.",
                GREETING.as_secs()
            )),
        }
    }

    /// Sends a mail.
    pub(super) async fn send(&mut self, smtp: &Smtp, mail: &Ready) -> Verdict {
        match timeout(MAIL, self.hand_over(smtp, mail)).await {
            Ok(verdict) => verdict,
            Err(_) => Verdict::Unusable(format!("It did not answer within {} seconds.", MAIL.as_secs())),
        }
    }

    async fn hand_over(&mut self, smtp: &Smtp, mail: &Ready) -> Verdict {
        let server = &mut self.0;
        let mut parameters = Vec::new();
        if !mail.to.to_string().is_ascii() {
            if !server.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Verdict::Never(
                    "The mail server sends to addresses in ASCII only, and this one is not.".to_owned(),
                );
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        // Of all mails the sender is the same: without it, none can be sent.
        if let Err(error) = server
            .command(Mail::new(Some(smtp.from.email.clone()), parameters))
            .await
        {
            return Verdict::Unusable(reason(&error));
        }
        let verdict = match server.command(Rcpt::new(mail.to.clone(), Vec::new())).await {
            Ok(_) => match server.command(Data).await {
                Ok(_) => match server.message(&mail.bytes).await {
                    Ok(_) => return Verdict::Taken,
                    Err(error) => verdict(&error),
                },
                Err(error) => verdict(&error),
            },
            Err(error) => verdict(&error),
        };
        match verdict {
            Verdict::NotNow(why) | Verdict::Never(why) if server.command(Rset).await.is_err() => {
                Verdict::Unusable(why)
            }
            verdict => verdict,
        }
    }

    /// Ends the connection.
    pub(super) async fn close(mut self) {
        _ = timeout(GOODBYE, self.0.quit()).await;
    }
}

async fn connect(smtp: &Smtp, hello: &ClientId) -> Result<AsyncSmtpConnection, Error> {
    let tls = (smtp.protection == Protection::Tls).then(|| smtp.tls.clone());
    let server = (smtp.host.as_str(), smtp.port);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(server, Some(GREETING), hello, tls, None).await?;
    if smtp.protection == Protection::StartTls {
        connection.starttls(smtp.tls.clone(), hello).await?;
    }
    if let Some(credentials) = &smtp.credentials {
        connection
            .auth(&[Mechanism::Plain, Mechanism::Login], credentials)
            .await?;
    }
    Ok(connection)
}

/// Reads what an answer to a mail means.
fn verdict(error: &Error) -> Verdict {
    let why = reason(error);
    match error.status() {
        Some(code) if is_about_us(code) => Verdict::Unusable(why),
        Some(code) if code.severity == Severity::PermanentNegativeCompletion => Verdict::Never(why),
        Some(_) => Verdict::NotNow(why),
        None => Verdict::Unusable(why),
    }
}

/// Returns whether an answer is about who sends, and not about the mail: 421, and 530, 534, 535 and 538 of RFC 4954 section 6.
fn is_about_us(code: Code) -> bool {
    let is_sign_in = code.severity == Severity::PermanentNegativeCompletion
        && code.category == Category::Unspecified3
        && matches!(
            code.detail,
            Detail::Zero | Detail::Four | Detail::Five | Detail::Eight
        );
    let is_end = code.severity == Severity::TransientNegativeCompletion
        && code.category == Category::Connections
        && code.detail == Detail::One;
    is_sign_in || is_end
}

/// Returns the part of an error that is kept: the server's words on one line, and not too many.
fn reason(error: &Error) -> String {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    let text = match error.status() {
        Some(code) => format!("{code} {cause}"),
        None if cause.is_empty() => error.to_string(),
        None => cause,
    };
    let line: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .take(LONGEST)
        .collect();
    line.trim().to_owned()
}
