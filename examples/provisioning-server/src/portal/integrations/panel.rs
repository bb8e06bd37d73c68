//! The side panel of the SCIM integration: its title and its tabs, over the list of integrations that every panel covers.

use jiff::Timestamp;

use super::card::Connection;
use super::list::List;
use crate::actions::connection::Card;
use crate::actions::integration::{self, Shown};
use crate::domain::permission::Permission;
use crate::domain::settings::SetUp;
use crate::portal::administrator::Administrator;
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The paths of the tabs.
pub(super) const SETTINGS: &str = "integrations/scim";
pub(super) const MAPPING: &str = "integrations/scim/mapping";
pub(super) const HISTORY: &str = "integrations/scim/history";

/// A tab of the panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portal) enum Tab {
    Settings,
    Mapping,
    History,
}

/// The head of the panel.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Panel {
    pub(in crate::portal) title: String,
    pub(in crate::portal) connection: Connection,
    pub(in crate::portal) tabs: Vec<TabLink>,
}

/// A tab as a link.
#[derive(Debug, Clone)]
pub(in crate::portal) struct TabLink {
    /// The word of its ids.
    pub(in crate::portal) id: &'static str,
    pub(in crate::portal) page: &'static str,
    pub(in crate::portal) label: &'static str,
    pub(in crate::portal) is_selected: bool,
    /// How many errors there are behind it.
    pub(in crate::portal) errors: u64,
}

/// Everything that every tab of the panel knows.
pub(super) struct Opened {
    pub(super) administrator: Administrator,
    pub(super) frame: Frame,
    pub(super) shell: Shell,
    pub(super) list: List,
    pub(super) panel: Panel,
    pub(super) shown: Shown,
    pub(super) now: Timestamp,
}

impl Panel {
    /// Creates the head of a panel.
    pub(in crate::portal) fn new(title: String, connection: Connection, tab: Tab, shell: &Shell) -> Self {
        let link = |of, id, page, label, permission: &Permission| {
            shell.may(permission).then_some(TabLink {
                id,
                page,
                label,
                is_selected: tab == of,
                errors: if of == Tab::History { connection.errors } else { 0 },
            })
        };
        let tabs = [
            link(
                Tab::Settings,
                "settings",
                SETTINGS,
                "SCIM Settings",
                &Permission::INTEGRATIONS_READ,
            ),
            link(
                Tab::Mapping,
                "mapping",
                MAPPING,
                "Group Mapping",
                &Permission::MAPPINGS_READ,
            ),
            link(
                Tab::History,
                "history",
                HISTORY,
                "API History",
                &Permission::HISTORY_READ,
            ),
        ];
        Self {
            title,
            tabs: tabs.into_iter().flatten().collect(),
            connection,
        }
    }
}

/// Opens the panel for whoever may look at the integration.
///
/// # Errors
/// Nobody is signed in, or they may not.
pub(super) async fn open(visit: &Visit, tab: Tab, page: &str) -> Result<Opened, Detour> {
    let administrator = visit.administrator(Section::Integrations, page).await?;
    let now = Timestamp::now();
    let organization = visit.organization()?.name.clone();
    let (product, actor) = (&visit.product, &administrator.actor);
    let shown = integration::show(product, actor, &organization).await?;
    let card = crate::actions::connection::show(product, actor, &organization, now).await?;
    let mut connection = Connection::of(&shown.organization, &card, now);
    let shell = Shell {
        is_behind_panel: true,
        ..administrator.shell.clone()
    };
    connection.offers(&visit.offered, &shown.organization.settings);
    let list = List::load(visit, &administrator, "", Some(connection.clone())).await?;
    let title = title(visit.frame.product(), is_set_up(&shown, &card));
    Ok(Opened {
        panel: Panel::new(title, connection, tab, &shell),
        frame: visit.frame.clone(),
        administrator,
        shell,
        list,
        shown,
        now,
    })
}

/// Returns the list that the panel of another integration covers, as far as somebody may see it.
///
/// # Errors
/// The database fails.
pub(in crate::portal) async fn behind(visit: &Visit, administrator: &Administrator) -> Result<List, Detour> {
    let (organization, now) = (visit.organization()?, Timestamp::now());
    let (product, actor) = (&visit.product, &administrator.actor);
    let scim = match administrator.shell.may(&Permission::INTEGRATIONS_READ) {
        true => {
            let card = crate::actions::connection::show(product, actor, &organization.name, now).await?;
            Some(Connection::of(organization, &card, now))
        }
        false => None,
    };
    List::load(visit, administrator, "", scim).await
}

/// Returns the title of the panel.
pub(in crate::portal) fn title(product: &str, is_set_up: bool) -> String {
    let verb = if is_set_up { "Edit" } else { "Create" };
    format!("{verb} SCIM Integration for {product} Administrator Accounts")
}

/// Returns whether the integration was saved once. If the token comes first, saving is what enables it; in the other orders it
/// begins with being saved.
fn is_set_up(shown: &Shown, card: &Card) -> bool {
    match (&shown.organization.source, shown.organization.settings.set_up) {
        (None, _) => false,
        (Some(source), SetUp::TokenFirst) => source.enabled || card.first_request.is_some(),
        (Some(_), SetUp::ActivateFirst | SetUp::SaveGenerates) => true,
    }
}
