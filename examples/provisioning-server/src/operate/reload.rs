//! When to read certificates again: when the process is told so by SIGHUP, and when the files have changed.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::MissedTickBehavior;

use super::certificates::{Certificates, Content};

/// How often the files are looked at. They are read whole, which finds every way of changing them: written in place,
/// moved into place, or behind a link that was turned.
const INTERVAL: Duration = Duration::from_secs(2);

/// Listens for SIGHUP from now on, and keeps the certificates up to date until it is dropped. Without certificates
/// SIGHUP changes nothing; it never ends the server.
pub(crate) fn listen(certificates: Option<Arc<Certificates>>) -> io::Result<impl Future<Output = ()> + Send> {
    let mut signals = Signals::listen()?;
    Ok(async move {
        match certificates {
            Some(certificates) => keep_current(certificates, signals).await,
            None => loop {
                signals.next().await;
                tracing::info!("Asked to reload: there is nothing to reload without --tls-cert.");
            },
        }
    })
}

async fn keep_current(certificates: Arc<Certificates>, mut signals: Signals) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::new(certificates.content_in_force());
    loop {
        let asked = tokio::select! {
            () = signals.next() => true,
            _ = interval.tick() => false,
        };
        let files = Arc::clone(&certificates);
        // A file may be on a disk that takes its time.
        let Ok(content) = tokio::task::spawn_blocking(move || files.content()).await else {
            continue;
        };
        if watch.is_due(content, asked) {
            let files = Arc::clone(&certificates);
            _ = tokio::task::spawn_blocking(move || reload(&files)).await;
        }
    }
}

/// Puts what the files hold in force, and says what came of it.
fn reload(certificates: &Certificates) {
    if let Err(fault) = certificates.reload() {
        tracing::error!(
            "The certificate was not reloaded, the one before it stays in force: {}",
            fault.with_causes()
        );
        return;
    }
    match certificates.expiry() {
        Some(expiry) => tracing::info!("The certificate was reloaded: it is valid until {expiry}."),
        None => tracing::info!("The certificate was reloaded."),
    }
    for warning in certificates.warnings(Timestamp::now()) {
        tracing::warn!("{warning}");
    }
}

/// Decides whether the files are to be read. Whoever asks for it is obeyed; a change is acted on once, and not before the
/// files have stood still for one look: certificate and key are written one after the other.
struct Watch {
    /// The content that was acted on last.
    settled: Content,
    /// The content that the last look has found.
    seen: Content,
}

impl Watch {
    fn new(content: Content) -> Self {
        Self {
            settled: content.clone(),
            seen: content,
        }
    }

    fn is_due(&mut self, content: Content, asked: bool) -> bool {
        let stands_still = self.seen == content;
        self.seen = content;
        let due = asked || (stands_still && self.settled != self.seen);
        if due {
            self.settled = self.seen.clone();
        }
        due
    }
}

#[cfg(unix)]
struct Signals(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::hangup()).map(Self)
    }

    async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// The stand-in for systems without SIGHUP.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_acted_on_once_and_when_it_stands_still() {
        let content = |number| Content::Readable([number; 32]);
        let gone = || Content::Unreadable("no such file".to_owned());
        let mut watch = Watch::new(content(1));
        for (found, due) in [
            (content(1), false),
            (content(2), false),
            (content(3), false),
            (content(3), true),
            (content(3), false),
            (gone(), false),
            (content(3), false),
            (content(3), false),
            (gone(), false),
            (gone(), true),
            (gone(), false),
            (content(3), false),
            (content(3), true),
        ] {
            assert_eq!(watch.is_due(found.clone(), false), due, "{found:?}");
        }
    }

    #[test]
    fn who_asks_is_obeyed_at_once() {
        let content = |number| Content::Readable([number; 32]);
        let mut watch = Watch::new(content(1));
        assert!(watch.is_due(content(1), true), "the files were not changed");
        assert!(watch.is_due(content(2), true), "the files may not stand still");
        assert!(!watch.is_due(content(2), false), "what was asked for is done");
    }
}
