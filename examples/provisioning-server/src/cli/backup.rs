//! `backup` and `restore`

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::check::counts;
use super::documents::{BackedUp, Restored, time};
use super::output::Output;
use super::progress::bar;
use super::{Common, Session, operator};
use crate::database::backup::restore;
use crate::domain::fault::{Fault, Result};

/// How a copy shows how far it has come.
const COPYING: &str = "{bar:30} {percent}%, {elapsed}, {eta} left";

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to make; it must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        if self.file.exists() {
            return Err(Fault::conflict(format!(
                "There is a file {} already: name another, for a backup never replaces anything.",
                self.file.display()
            )));
        }
        let now = Timestamp::now();
        let bar = bar(None, COPYING);
        let telling = bar.clone();
        let bytes = session
            .product
            .back_up(&self.file, now, move |progress| {
                telling.set_length(progress.total);
                telling.set_position(progress.copied);
            })
            .await;
        bar.finish_and_clear();
        let document = BackedUp {
            backup: self.file.display().to_string(),
            bytes: bytes?,
            key_file: session.product.keys().file().display().to_string(),
            taken: time(now),
        };
        session.output.result(&document, |made| {
            format!(
                "Everything as it was at {} is in {} ({} bytes).\n\
                 The file holds personal data and the hashes of tokens: keep it where nobody else reads it. Other secrets are \
                 sealed: without the key file they are lost, so keep a copy of {3}, and keep it elsewhere.\n\
                 Put it in the place of a database with \"restore {1}\".",
                made.taken, made.backup, made.bytes, made.key_file
            )
        });
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// If there is a database already, keep it under another name
    #[arg(long)]
    replace: bool,
}

impl Restore {
    pub(super) async fn run(self, common: &Common, output: Output) -> Result<()> {
        let address = common.address(&mut common.settings()?)?;
        let bar = bar(None, COPYING);
        let outcome = restore(
            &self.file,
            &address,
            self.replace,
            &operator(),
            Timestamp::now(),
            |copied, total| {
                bar.set_length(total);
                bar.set_position(copied);
            },
        )
        .await;
        bar.finish_and_clear();
        let restored = outcome?;
        let document = Restored {
            database: address.to_string(),
            restored: self.file.display().to_string(),
            taken: restored.taken.map(time),
            replaced: restored.kept.map(|path| path.display().to_string()),
            counts: counts(&restored.inspection),
        };
        output.result(&document, text);
        Ok(())
    }
}

fn text(restored: &Restored) -> String {
    let mut text = format!(
        "{} is in place at {}: {}.\n",
        restored.restored, restored.database, restored.counts
    );
    if let Some(taken) = restored.taken {
        text += &format!(
            "All is as it was at {taken}: tokens that were revoked since then are valid again, and newer ones are not \
             known. \"token list ORG\" says which ones may have been: confirm or rotate each.\n"
        );
    }
    if let Some(replaced) = &restored.replaced {
        text +=
            &format!("What was there before is kept as {replaced}: remove it when it is no longer needed.\n");
    }
    text + "Have the identity provider synchronize everything once, so that what it has changed since then comes again."
}
