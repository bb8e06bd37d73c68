//! The flags of mail: the operator's mail server, and what mails say of this one.

use std::fs;

use clap::Args;

use super::setting;
use super::settings::Settings;
use crate::delivery::mail::settings::{Protection, Said, Smtp, sender};
use crate::domain::fault::{Fault, Result};
use crate::domain::keyword::Keyword;
use crate::domain::settings::MailPace;

/// The name of the product unless there is another.
const PRODUCT: &str = "Provisioning";

/// The longest name of a product, in characters.
const NAME_MAX: usize = 60;

/// How many mails are sent within a minute unless it is said otherwise.
const PACE: &str = "300";

#[derive(Debug, Default, Args)]
pub(super) struct Flags {
    /// The name of the product in mails [env: PRODUCT_NAME] [default: Provisioning]
    #[arg(long, value_name = "NAME")]
    product_name: Option<String>,
    /// The mail server that takes mails. Without one, mails are not sent, and stand in "mail list" [env: SMTP_HOST]
    #[arg(long, value_name = "HOST")]
    smtp_host: Option<String>,
    /// Its port [env: SMTP_PORT] [default: 465, with starttls 587, without TLS 25]
    #[arg(long, value_name = "PORT")]
    smtp_port: Option<String>,
    /// How the connection to it is protected: tls, starttls, or none for a server on this machine [env: SMTP_TLS]
    /// [default: tls]
    #[arg(long, value_name = "HOW")]
    smtp_tls: Option<String>,
    /// A PEM file with certificates of authorities that are believed in place of those that browsers believe
    /// [env: SMTP_CA]
    #[arg(long, value_name = "FILE")]
    smtp_ca: Option<String>,
    /// The user as whom to sign in to it. The password is read from the variable SMTP_PASSWORD, from the file that
    /// SMTP_PASSWORD_FILE names, or from smtp-password in the configuration file [env: SMTP_USER]
    #[arg(long, value_name = "USER")]
    smtp_user: Option<String>,
    /// The sender of all mails, such as `Provisioning <no-reply@example.com>` [env: MAIL_FROM]
    #[arg(long, value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// How many mails are sent within a minute at most, of all organizations; each has a bound of its own
    /// [env: MAILS_PER_MINUTE] [default: 300]
    #[arg(long, value_name = "MAILS")]
    mails_per_minute: Option<String>,
}

/// The settings of mail in force.
#[derive(Debug)]
pub(super) struct InForce {
    pub(super) product: String,
    pub(super) smtp: Option<Smtp>,
    pub(super) pace: MailPace,
}

impl Flags {
    /// Looks the settings up.
    pub(super) fn in_force(&self, settings: &mut Settings) -> Result<InForce> {
        let text = |text: &str| Ok(text.to_owned());
        let flag = self.product_name.as_deref();
        let product = settings.or_default(&setting::PRODUCT_NAME, flag, PRODUCT, name)?;
        let host = settings.optional(&setting::SMTP_HOST, self.smtp_host.as_deref(), text)?;
        let port = settings.optional(&setting::SMTP_PORT, self.smtp_port.as_deref(), port)?;
        let protection = settings.optional(&setting::SMTP_TLS, self.smtp_tls.as_deref(), protection)?;
        let authorities = settings.optional(&setting::SMTP_CA, self.smtp_ca.as_deref(), certificates)?;
        let user = settings.optional(&setting::SMTP_USER, self.smtp_user.as_deref(), text)?;
        let password = settings.optional(&setting::SMTP_PASSWORD, None, text)?;
        let from = settings.optional(&setting::MAIL_FROM, self.mail_from.as_deref(), sender)?;
        let flag = self.mails_per_minute.as_deref();
        let pace = settings.or_default(&setting::MAILS_PER_MINUTE, flag, PACE, MailPace::parse)?;
        let said = Said {
            host,
            port,
            protection,
            authorities,
            user,
            password,
            from,
        };
        Ok(InForce {
            product,
            smtp: said.smtp()?,
            pace,
        })
    }
}

/// Reads the name of the product.
fn name(text: &str) -> Result<String> {
    let name = text.trim();
    let is_short = (1..=NAME_MAX).contains(&name.chars().count());
    if is_short && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Fault::invalid(format!(
        "{text:?} is not a valid name of the product; expected 1 to {NAME_MAX} printable characters."
    )))
}

fn port(text: &str) -> Result<u16> {
    let port = text.parse().ok().filter(|port| *port > 0);
    port.ok_or_else(|| {
        Fault::invalid(format!(
            "{text:?} is not a valid port of a mail server; expected a whole number from 1 to {}.",
            u16::MAX
        ))
    })
}

fn protection(text: &str) -> Result<Protection> {
    Protection::from_word(text).ok_or_else(|| {
        Fault::invalid(format!(
            "{text:?} is not a valid protection of a connection; expected tls, starttls or none."
        ))
    })
}

fn certificates(file: &str) -> Result<Vec<u8>> {
    fs::read(file).map_err(|cause| {
        Fault::internal(
            format!("The file {file}, which --smtp-ca names, cannot be read."),
            cause,
        )
    })
}
