//! The operator's settings of mail.

use std::fmt;
use std::net::IpAddr;

use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};

use crate::domain::fault::{Fault, Result};
use crate::domain::keyword::keywords;
use crate::domain::public_url::PublicUrl;

keywords! {
    /// The protection of the connection to the mail server.
    Protection {
        /// TLS from the first byte (RFC 8314 section 3.3).
        Tls = "tls",
        /// TLS after the command STARTTLS (RFC 3207), and nothing without it.
        StartTls = "starttls",
        /// None, to a server on this machine.
        None = "none",
    }
}

impl Protection {
    /// Returns the port at which servers listen that speak so.
    const fn port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::None => 25,
        }
    }
}

/// The mail server, and how to speak with it.
#[derive(Clone)]
pub(crate) struct Smtp {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) protection: Protection,
    pub(crate) tls: TlsParameters,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) from: Mailbox,
}

impl fmt::Debug for Smtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smtp")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("protection", &self.protection)
            .field("credentials", &self.credentials.is_some())
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// The settings of an operator for the mail server.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) protection: Option<Protection>,
    /// Certificates of authorities in PEM, in place of those that browsers believe.
    pub(crate) authorities: Option<Vec<u8>>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) from: Option<Mailbox>,
}

impl Said {
    /// Returns the mail server, if there is one.
    ///
    /// # Errors
    /// Invalid if the settings do not fit together.
    pub(crate) fn smtp(self) -> Result<Option<Smtp>> {
        let Some(host) = self.host else {
            return match (self.from, self.user, self.password) {
                (None, None, None) => Ok(None),
                _ => Err(Fault::invalid(
                    "There are settings of mail without a mail server: name one with --smtp-host.",
                )),
            };
        };
        let Some(from) = self.from else {
            return Err(Fault::invalid(
                "There is a mail server (--smtp-host) without a sender: write its address with --mail-from.",
            ));
        };
        let protection = self.protection.unwrap_or(Protection::Tls);
        if protection == Protection::None && !is_this_machine(&host) {
            return Err(Fault::invalid(format!(
                "Mails to {host:?} would be sent without TLS, with passwords and links in them: leave --smtp-tls out, or \
                 write starttls. \"none\" is for a mail server on this machine, such as localhost."
            )));
        }
        let credentials = match (self.user, self.password) {
            (Some(user), Some(password)) => Some(Credentials::new(user, password)),
            (None, None) => None,
            (Some(_), None) => {
                return Err(Fault::invalid(
                    "There is a user of the mail server (--smtp-user) without a password: give it by the variable \
                     SMTP_PASSWORD, or by a file that the variable SMTP_PASSWORD_FILE names.",
                ));
            }
            (None, Some(_)) => {
                return Err(Fault::invalid(
                    "There is a password of the mail server (SMTP_PASSWORD) without its user: name it with --smtp-user.",
                ));
            }
        };
        Ok(Some(Smtp {
            tls: tls(&host, self.authorities.as_deref())?,
            port: self.port.unwrap_or(protection.port()),
            host,
            protection,
            credentials,
            from,
        }))
    }
}

fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn tls(host: &str, authorities: Option<&[u8]>) -> Result<TlsParameters> {
    let wrong = |cause| Fault::internal("TLS with the mail server cannot be prepared.", cause);
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        builder = builder.certificate_store(CertificateStore::None);
        builder = builder.add_root_certificate(Certificate::from_pem(pem).map_err(wrong)?);
    }
    builder.build_rustls().map_err(wrong)
}

/// Reads the sender of mails: an address, with a name before it or without.
///
/// # Errors
/// Invalid if it is anything else.
pub(crate) fn sender(text: &str) -> Result<Mailbox> {
    text.parse().map_err(|_| {
        Fault::invalid(format!(
            "{text:?} is not a valid sender of mails; expected an address such as no-reply@example.com, or \
             \"Provisioning <no-reply@example.com>\"."
        ))
    })
}

/// The facts about the server that mails repeat.
#[derive(Debug, Clone)]
pub(crate) struct Imprint {
    /// The name of the product.
    pub(crate) product: String,
    /// The URL that links begin with.
    pub(crate) base: PublicUrl,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> Said {
        Said {
            host: Some("mail.example".to_owned()),
            from: Some(sender("Provisioning <no-reply@x.example>").unwrap()),
            ..Said::default()
        }
    }

    /// Feature row 92: a mail server is spoken to over TLS, unless it is on this machine.
    #[test]
    fn tls_is_left_out_on_this_machine_alone() {
        for (protection, port) in [
            (None, 465),
            (Some(Protection::Tls), 465),
            (Some(Protection::StartTls), 587),
        ] {
            let smtp = Said { protection, ..said() }.smtp().unwrap().unwrap();
            assert_eq!(smtp.port, port);
        }
        for (host, is_allowed) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("mail.example", false),
            ("10.0.0.1", false),
            ("localhost.example", false),
        ] {
            let made = Said {
                host: Some(host.to_owned()),
                protection: Some(Protection::None),
                ..said()
            };
            assert_eq!(made.smtp().is_ok(), is_allowed, "{host}");
        }
    }

    /// Feature row 94: the password of the mail server is never printed, and nothing is half set.
    #[test]
    fn settings_fit_together() {
        assert!(Said::default().smtp().unwrap().is_none());
        let (user, password) = (|| Some("ann".to_owned()), || Some("hush".to_owned()));
        for wrong in [
            Said { host: None, ..said() },
            Said { from: None, ..said() },
            Said {
                user: user(),
                ..said()
            },
            Said {
                password: password(),
                ..said()
            },
            Said {
                authorities: Some(b"-----BEGIN CERTIFICATE-----\n!".to_vec()),
                ..said()
            },
        ] {
            let fault = wrong.smtp().unwrap_err().with_causes();
            assert!(!fault.contains("hush"), "{fault}");
        }
        let smtp = Said {
            user: user(),
            password: password(),
            ..said()
        }
        .smtp()
        .unwrap()
        .unwrap();
        assert!(smtp.credentials.is_some());
        assert!(!format!("{smtp:?}").contains("hush"), "{smtp:?}");
    }
}
