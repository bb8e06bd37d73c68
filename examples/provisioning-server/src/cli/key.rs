//! `key …`

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;

use super::Session;
use crate::domain::fault::Result;
use crate::domain::sealed::KeyRing;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the ids of the keys, and how old they are
    Show,
    /// Make a new key, seal all secrets anew with it while the server runs, and remove the old one from the key file. Run it
    /// again if it was interrupted. Backups from before need the key file from before
    Rotate,
}

#[derive(Debug, Serialize)]
struct Keys {
    file: String,
    /// The oldest first; the last one seals.
    keys: Vec<KeyDocument>,
    /// Whether a rotation has begun and not ended.
    in_rotation: bool,
}

#[derive(Debug, Serialize)]
struct KeyDocument {
    id: String,
    made: Timestamp,
    days: i64,
}

#[derive(Debug, Serialize)]
struct Rotated {
    file: String,
    key: String,
    /// The keys that are gone.
    removed: Vec<String>,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let product = &session.product;
        let file = product.keys().file().display().to_string();
        match self {
            Self::Show => {
                let document = shown(file, &*product.key_ring()?, Timestamp::now());
                session.output.result(&document, text);
            }
            Self::Rotate => {
                let removed = product.rotate_keys(&session.actor()).await?;
                let document = Rotated {
                    file,
                    key: product.key_ring()?.newest().id.to_string(),
                    removed: removed.iter().map(ToString::to_string).collect(),
                };
                session.output.result(&document, |rotated| {
                    format!(
                        "Everything is sealed by the key {} now. Replace the copy of {} that you keep; backups from before \
                         still need the old one.",
                        rotated.key, rotated.file
                    )
                });
            }
        }
        Ok(())
    }
}

fn shown(file: String, ring: &KeyRing, now: Timestamp) -> Keys {
    let key = |key: &crate::domain::sealed::Key| KeyDocument {
        id: key.id.to_string(),
        made: key.made,
        days: now.duration_since(key.made).as_hours() / 24,
    };
    Keys {
        file,
        keys: ring.iter().map(key).collect(),
        in_rotation: ring.is_in_rotation(),
    }
}

fn text(shown: &Keys) -> String {
    let line = |key: &KeyDocument| format!("{}  made {}, {} days ago\n", key.id, key.made, key.days);
    let lines: String = shown.keys.iter().map(line).collect();
    match shown.in_rotation {
        true => lines + "A rotation has begun and not ended: run \"key rotate\" again.",
        false => lines,
    }
}
