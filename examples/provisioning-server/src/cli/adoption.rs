//! `user adopt`

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::Session;
use super::documents::time;
use super::flags::name;
use crate::actions::adoption;
use crate::domain::fault::Result;
use crate::domain::organization::Name;

#[derive(Debug, Args)]
pub(super) struct Adopt {
    /// Which organization
    #[arg(value_name = "ORG", value_parser = name)]
    name: Name,
    /// The name of the manual account, or its id
    #[arg(value_name = "USER")]
    user: String,
    /// The identifier that the provider has for the person: only that person takes the account over
    #[arg(long, value_name = "ID")]
    external_id: Option<String>,
    /// Only show what would become of the account
    #[arg(long)]
    preview: bool,
}

#[derive(Debug, Serialize)]
struct Adopted {
    organization: String,
    user: String,
    /// Whether it was confirmed, and not only shown.
    confirmed: bool,
    /// Until when the provider has to create the person.
    until: Option<Timestamp>,
    /// Roles that were given by hand, and go.
    roles_lost: Vec<String>,
    /// Permissions that were given by hand, and stay.
    permissions_kept: Vec<String>,
}

impl Adopt {
    pub(super) async fn run(self, session: &Session) -> Result<()> {
        let (product, actor) = (&session.product, &session.actor());
        let (effect, confirmed) = match self.preview {
            true => (
                adoption::preview(product, actor, &self.name, &self.user).await?,
                None,
            ),
            false => {
                let external_id = self.external_id.as_deref();
                let (effect, confirmed) =
                    adoption::adopt(product, actor, &self.name, &self.user, external_id).await?;
                (effect, Some(confirmed))
            }
        };
        let document = Adopted {
            organization: self.name.to_string(),
            user: effect.account.name,
            confirmed: confirmed.is_some(),
            until: confirmed.map(|confirmed| time(confirmed.until)),
            roles_lost: effect.roles,
            permissions_kept: effect.permissions.iter().map(ToString::to_string).collect(),
        };
        session.output.result(&document, text);
        Ok(())
    }
}

fn text(adopted: &Adopted) -> String {
    let or_none = |list: &[String]| match list.is_empty() {
        true => "none".to_owned(),
        false => list.join(", "),
    };
    let head = match adopted.until {
        Some(until) => format!(
            "The next person {:?} of the identity provider takes the account over, until {until}.",
            adopted.user
        ),
        None => format!("What would become of the account {:?}:", adopted.user),
    };
    format!(
        "{head}\n  roles that go          {}\n  permissions that stay  {}",
        or_none(&adopted.roles_lost),
        or_none(&adopted.permissions_kept)
    )
}
