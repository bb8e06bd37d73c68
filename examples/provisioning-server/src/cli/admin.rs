//! `admin …`

use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::Session;
use super::documents::time;
use crate::actions::instance_owner::{self, Mailed, WayIn};
use crate::domain::fault::Result;
use crate::domain::instance_owner::InstanceOwner;
use crate::domain::realm::Realm;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the owners of the instance
    List,
    /// Make an owner, who sets a password by the link that is printed
    Create {
        /// The e-mail address under which the owner signs in
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Let an owner back in who has lost everything: the link that is printed sets a password and removes the second
    /// factor. All owners are told by mail
    Recover {
        /// The e-mail address of the owner
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
    /// Remove an owner; there must be another
    Delete {
        /// The e-mail address of the owner
        #[arg(value_name = "ADDRESS")]
        address: String,
    },
}

#[derive(Debug, Serialize)]
struct Owners {
    owners: Vec<OwnerDocument>,
}

#[derive(Debug, Serialize)]
struct OwnerDocument {
    id: Uuid,
    address: String,
    created: Timestamp,
}

impl From<InstanceOwner> for OwnerDocument {
    fn from(owner: InstanceOwner) -> Self {
        Self {
            id: owner.id,
            address: owner.address,
            created: time(owner.created),
        }
    }
}

#[derive(Debug, Serialize)]
struct WayInDocument {
    #[serde(flatten)]
    owner: OwnerDocument,
    /// The only time that it is shown.
    url: String,
    expires: Timestamp,
}

impl Command {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, &session.actor());
        match self {
            Self::List => {
                let all = instance_owners(session).await?;
                session.output.result(&all, list_text);
            }
            Self::Create { address } => {
                let made = instance_owner::create(product, actor, &address, Mailed::No).await?;
                show(session, made);
            }
            Self::Recover { address } => {
                let made = instance_owner::recover(product, actor, &address).await?;
                show(session, made);
            }
            Self::Delete { address } => {
                let removed = instance_owner::remove(product, actor, &address).await?;
                session.output.result(&OwnerDocument::from(removed), |owner| {
                    format!("{} is not an owner any more.\n", owner.address)
                });
            }
        }
        Ok(())
    }
}

async fn instance_owners(session: &Session) -> Result<Owners> {
    let all = instance_owner::list(&session.product, &session.actor()).await?;
    Ok(Owners {
        owners: all.into_iter().map(OwnerDocument::from).collect(),
    })
}

fn list_text(all: &Owners) -> String {
    if all.owners.is_empty() {
        return "There is no owner yet: open the link that the server prints when it starts, or use \"admin create\".\n"
            .to_owned();
    }
    let line = |owner: &OwnerDocument| format!("{}  since {}\n", owner.address, owner.created);
    all.owners.iter().map(line).collect()
}

fn show(session: &Session, made: WayIn) {
    let path = format!("{}/link/{}", Realm::Instance.path(), made.link.reveal());
    let document = WayInDocument {
        owner: made.owner.into(),
        url: format!("{}{path}", session.base),
        expires: time(made.expires),
    };
    session.output.result(&document, |way| {
        format!(
            "{} sets a password at this address, once, until {}:\n{}\n",
            way.owner.address, way.expires, way.url
        )
    });
}
