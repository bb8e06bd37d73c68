//! Mails are sent behind: each was written with its cause, and is handed over to the operator's mail server until that has
//! taken it, refused it for good, or was away for days.

mod message;
pub(crate) mod settings;
mod smtp;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use lettre::transport::smtp::extension::ClientId;
use tokio::sync::watch;
use tokio::time::sleep;
use url::Url;
use uuid::Uuid;

use self::message::{Ready, Unmade};
use self::settings::{Imprint, Smtp};
use self::smtp::{Connection, Verdict};
use crate::database::Product;
use crate::database::delivery::{self, Claimed, Outcome};
use crate::domain::fault::{Fault, Result};
use crate::domain::mail::letter::{Letter, Letterhead};

/// How often it is looked whether a mail is due.
const POLL: Duration = Duration::from_secs(1);

/// The pause after the mail server could not be used, and the longest of those that follow.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// How often it is tried to note what came of a mail.
const NOTES: u32 = 5;

/// How many mails were sent, and why none can be.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) sent: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) later: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl Counts {
    /// Returns whether the mail server cannot be used.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.trouble().is_some()
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sender of mails.
pub(crate) struct Delivery {
    product: Arc<Product>,
    smtp: Smtp,
    imprint: Imprint,
    hello: ClientId,
    /// How many mails are sent within a minute, of all organizations and by all processes.
    pace: u32,
    counts: Arc<Counts>,
    stop: watch::Receiver<bool>,
}

/// Why a round has ended.
enum Ended {
    /// There is nothing to do.
    Idle,
    /// The mail server cannot be used.
    Trouble(String),
    Stopped,
}

impl Delivery {
    /// Prepares to send the mails of a database until `stop` says true.
    pub(crate) fn new(
        product: Arc<Product>,
        smtp: Smtp,
        imprint: Imprint,
        pace: u32,
        counts: Arc<Counts>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            hello: hello(&imprint),
            product,
            smtp,
            imprint,
            pace,
            counts,
            stop,
        }
    }

    /// Sends mails until it is to stop; the one that is under way then is still handed over.
    pub(crate) async fn run(mut self) {
        let mut pause = PAUSE;
        let mut behind = Uuid::nil();
        while !*self.stop.borrow() {
            let wait = match self.round(&mut behind).await {
                Ok(Ended::Stopped) => return,
                Ok(Ended::Idle) => {
                    pause = PAUSE;
                    POLL
                }
                Ok(Ended::Trouble(why)) => {
                    self.note_trouble(Some(why)).await;
                    let wait = pause.mul_f64(0.75 + 0.5 * chance());
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    wait
                }
                Err(fault) => {
                    tracing::error!("Mails cannot be sent: {}", fault.with_causes());
                    LONGEST_PAUSE.min(PAUSE * 2)
                }
            };
            tokio::select! {
                () = sleep(wait) => {}
                _ = self.stop.changed() => {}
            }
        }
    }

    /// Sends what is due.
    async fn round(&self, behind: &mut Uuid) -> Result<Ended> {
        self.end_those_that_are_over().await?;
        let (pace, place) = (self.pace, *behind);
        let look = move |reader: &scim::store::database::Reader<'_>| {
            delivery::next(reader, place, pace, Timestamp::now())
        };
        if self.product.read(look).await?.is_none() {
            return Ok(Ended::Idle);
        }
        let mut connection = match Connection::open(&self.smtp, &self.hello).await {
            Ok(connection) => connection,
            Err(why) => return Ok(Ended::Trouble(why)),
        };
        loop {
            if *self.stop.borrow() {
                connection.close().await;
                return Ok(Ended::Stopped);
            }
            let Some(claimed) = self.claim(*behind).await? else {
                connection.close().await;
                return Ok(Ended::Idle);
            };
            *behind = claimed.organization;
            if let Some(why) = self.deliver(&mut connection, claimed).await? {
                return Ok(Ended::Trouble(why));
            }
        }
    }

    async fn end_those_that_are_over(&self) -> Result<()> {
        let given_up = self.product.end_mails(Timestamp::now()).await?;
        if given_up > 0 {
            tracing::error!("{given_up} mails could not be sent for three days and were given up.");
        }
        Ok(())
    }

    async fn claim(&self, behind: Uuid) -> Result<Option<Claimed>> {
        let pace = self.pace;
        self.product
            .write(move |tx| Ok(Ok(delivery::claim(tx, behind, pace, Timestamp::now())?)))
            .await
    }

    /// Sends a mail and notes what came of it. Answers why no other can be sent over this connection, if so.
    async fn deliver(&self, connection: &mut Connection, claimed: Claimed) -> Result<Option<String>> {
        let ready = match self.make(&claimed) {
            Ok(ready) => ready,
            Err(outcome) => {
                self.settle(claimed, outcome).await?;
                return Ok(None);
            }
        };
        let (outcome, trouble) = match connection
            .send(&self.smtp, &ready)
            .await
            .without(ready.secret.as_deref())
        {
            Verdict::Taken => (Outcome::Sent, None),
            Verdict::NotNow(why) => (Outcome::Later(why), None),
            Verdict::Never(why) => (Outcome::Refused(why), None),
            Verdict::Unusable(why) => (Outcome::Later(why.clone()), Some(why)),
        };
        if trouble.is_none() {
            self.note_trouble(None).await;
        }
        self.settle(claimed, outcome).await?;
        Ok(trouble)
    }

    fn make(&self, claimed: &Claimed) -> std::result::Result<Ready, Outcome> {
        let unreadable = |cause: scim::Error| {
            tracing::error!(
                mail = %claimed.id,
                "A mail cannot be read: {}",
                crate::database::failed(cause).with_causes()
            );
            Outcome::Later("It cannot be read: see the log of the server.".to_owned())
        };
        let content = claimed.content().map_err(unreadable)?;
        let link = claimed.link(self.product.keys()).map_err(unreadable)?;
        let made = message::make(claimed, &content, link.as_ref(), &self.smtp.from, &self.imprint);
        made.map_err(|unmade| match unmade {
            Unmade::NoAddress => {
                Outcome::Refused("The recipient is not a valid address for mail.".to_owned())
            }
            Unmade::Failed(cause) => Outcome::Refused(format!("The mail cannot be written: {cause}.")),
        })
    }

    /// Notes what came of a mail. If the database fails for longer, the mail is sent again later, with the same identity.
    async fn settle(&self, claimed: Claimed, outcome: Outcome) -> Result<()> {
        self.count(&claimed, &outcome);
        let (claimed, outcome) = (Arc::new(claimed), Arc::new(outcome));
        let mut last = Ok(());
        for _ in 0..NOTES {
            let (claimed, outcome) = (Arc::clone(&claimed), Arc::clone(&outcome));
            let chance = chance();
            last = self
                .product
                .write(move |tx| {
                    Ok(Ok(delivery::settle(
                        tx,
                        &claimed,
                        &outcome,
                        chance,
                        Timestamp::now(),
                    )?))
                })
                .await;
            if last.is_ok() {
                break;
            }
            sleep(POLL).await;
        }
        last
    }

    /// Counts what came of a mail, and tells the log of a refusal, without words that others have written.
    fn count(&self, claimed: &Claimed, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::Sent => &self.counts.sent,
            Outcome::Later(_) => &self.counts.later,
            Outcome::Refused(_) => {
                tracing::warn!(
                    mail = %claimed.id,
                    organization = claimed.sender.as_ref().map(|of| of.name.as_str()),
                    "A mail was refused for good: \"mail show\" says why."
                );
                &self.counts.refused
            }
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes why the mail server cannot be used, or that it can be, when this has changed.
    async fn note_trouble(&self, why: Option<String>) {
        {
            let mut known = self.counts.trouble();
            if *known == why {
                return;
            }
            known.clone_from(&why);
        }
        match &why {
            Some(why) => tracing::warn!(
                "The mail server {}:{} cannot be used, and mails wait: {why}",
                self.smtp.host,
                self.smtp.port
            ),
            None => tracing::info!("The mail server takes mails again."),
        }
        let noted = self.product.note_mail_trouble(why.as_deref()).await;
        if let Err(fault) = noted {
            tracing::warn!(
                "The state of the mail server could not be noted: {}",
                fault.with_causes()
            );
        }
    }
}

/// Sends a mail at once, to see that mails arrive.
///
/// # Errors
/// Invalid if the recipient has no address for mail; internal, with the reason, if the mail server does not take it.
pub(crate) async fn send_trial(smtp: &Smtp, imprint: &Imprint, to: &str) -> Result<()> {
    let head = Letterhead {
        product: &imprint.product,
        organization: None,
        support: "",
        recipient: to,
    };
    let hello = hello(imprint);
    let name = match &hello {
        ClientId::Domain(domain) => domain,
        _ => "localhost",
    };
    let message_id = format!("<{}@{name}>", Uuid::now_v7().simple());
    let made = message::write(
        &Letter::trial(&head),
        to,
        &smtp.from,
        &message_id,
        Timestamp::now(),
    );
    let ready = made.map_err(|unmade| match unmade {
        Unmade::NoAddress => Fault::invalid(format!(
            "{to:?} is not a valid address for mail; expected one such as ann@example.com."
        )),
        Unmade::Failed(cause) => Fault::internal("The mail cannot be written.", cause),
    })?;
    let refused = |why: String| {
        Fault::conflict(format!(
            "The mail server {}:{} has not taken the mail: {why}",
            smtp.host, smtp.port
        ))
    };
    let mut connection = Connection::open(smtp, &hello).await.map_err(refused)?;
    match connection.send(smtp, &ready).await {
        Verdict::Taken => connection.close().await,
        Verdict::NotNow(why) | Verdict::Never(why) | Verdict::Unusable(why) => return Err(refused(why)),
    }
    Ok(())
}

/// Returns the name by which this server greets the mail server: that of its public URL.
fn hello(imprint: &Imprint) -> ClientId {
    let base = Url::parse(&imprint.base.to_string()).ok();
    let domain = base.as_ref().and_then(Url::domain);
    domain.map_or_else(ClientId::default, |domain| ClientId::Domain(domain.to_owned()))
}

/// Returns a number between 0 and 1 by chance; one half if the system has none.
fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
