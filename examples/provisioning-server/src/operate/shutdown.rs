//! When to end.

use std::io;
use std::time::Duration;
use std::{process, thread};

/// Listens for a request to end from now on; what it returns completes when there was one: SIGTERM, or Ctrl-C.
#[cfg(unix)]
pub(crate) fn listen() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Listens for a request to end from now on; what it returns completes when there was one: Ctrl-C.
#[cfg(windows)]
pub(crate) fn listen() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move { _ = interrupt.recv().await })
}

/// Ends the process when this much time has passed, whatever it is doing then: requests have had their time, and what was
/// acknowledged is on the disk. A thread of the database may be busy for longer than anybody waits, and those of the
/// runtime with it.
pub(crate) fn end_after(time: Duration) {
    let end = move || {
        thread::sleep(time);
        tracing::error!("The server did not end in time and was cut off. What was acknowledged is kept.");
        process::exit(1);
    };
    if let Err(error) = thread::Builder::new().name("end".to_owned()).spawn(end) {
        tracing::error!("The thread that bounds the time until the end cannot be started: {error}.");
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const HANGS: &str = "END_AFTER_HANGS";

    /// A process ends although its threads do not. The test runs itself in a process that hangs.
    #[test]
    fn a_process_that_hangs_ends() {
        if std::env::var_os(HANGS).is_some() {
            end_after(Duration::from_millis(1));
            loop {
                thread::park();
            }
        }
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", "operate::shutdown::tests::a_process_that_hangs_ends"]);
        let ended = again.env(HANGS, "1").output().unwrap();
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    }
}
