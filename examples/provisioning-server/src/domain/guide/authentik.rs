//! authentik.

use super::provider::AUTHENTIK;
use super::{Block, Guide, Stage, Step, Value, roles};
use crate::domain::settings::{IdentityProvider, Settings};

pub(super) fn guide(settings: &Settings) -> Guide {
    Guide {
        provider: IdentityProvider::Authentik,
        before: Vec::new(),
        steps: vec![
            Step::new(
                Stage::Application,
                "Create a SCIM provider in authentik",
                vec![Block::Text(
                    "In the Admin interface, open *Applications* and *Providers*, create a provider of the type *SCIM Provider*, \
                     and give it a name.",
                )],
            ),
            Step::new(
                Stage::Connection,
                "Connect authentik to this server",
                vec![
                    Block::Text("Under *Protocol settings*, enter:"),
                    Block::Fields(vec![(AUTHENTIK.url, Value::Url), (AUTHENTIK.token, Value::Token)]),
                    Block::Text(
                        "Where it asks for an authentication mode, choose the static token. Then finish.",
                    ),
                    Block::Text(
                        "Edit the application, or make one, and add the new provider under *Backchannel Providers*: authentik \
                         sends nothing before.",
                    ),
                    Block::Attempt,
                ],
            ),
            Step::new(
                Stage::People,
                "Choose what is sent",
                vec![Block::Text(
                    "The property mappings of people and groups can stay as they are. Under *User filtering* one can leave service \
                     accounts out, and send the members of some groups alone.",
                )],
            ),
            Step::new(
                Stage::Groups,
                "Synchronize",
                vec![Block::Text(
                    "authentik sends each change by itself, groups with their members too. The page of the provider shows the \
                     last whole synchronization, and starts one.",
                )],
            ),
            roles(settings),
        ],
        start: "Once the provider is a backchannel provider of an application, authentik sends everything by itself; the page of the \
                provider starts it at once.",
    }
}
