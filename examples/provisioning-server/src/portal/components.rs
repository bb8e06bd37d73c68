//! The page of components: every part of the pages in every state, for whoever develops them. A demonstration shows it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::chart::changes::Changes;
use super::frame::Frame;
use super::instance::organizations::Row;
use super::integrations::fields::{Control, Field};
use super::page;
use super::people::badge::Badge;
use super::person::Person;
use super::problem::Problem;
use super::shell::{Section, Shell};
use super::visit::Pages;
use crate::domain::activity::{Counts, Quarter};
use crate::domain::connection::ConnectionState;
use crate::domain::keyword::Keyword;
use crate::domain::organization::Name;
use crate::domain::permission::Permissions;

/// The path of the page.
pub(super) const PATH: &str = "/components";

#[derive(Debug, Template)]
#[template(path = "components.html")]
pub(super) struct Components {
    frame: Frame,
    shell: Shell,
    trouble: Option<String>,
    fields: Vec<Field>,
    /// Organizations whose connections are in every state.
    rows: Vec<Row>,
    chart: Changes,
}

impl Components {
    /// The parts of the page: their ids and titles.
    const PARTS: [(&str, &str); 16] = [
        ("colour", "Colour"),
        ("type", "Type"),
        ("icons", "Icons"),
        ("buttons", "Buttons"),
        ("fields", "Fields"),
        ("choices", "Choices"),
        ("badges", "Badges"),
        ("messages", "Messages"),
        ("cards", "Cards"),
        ("tables", "Tables"),
        ("panels", "Side panel"),
        ("values", "Values"),
        ("steps", "Steps"),
        ("history", "History"),
        ("pictures", "Pictures"),
        ("states", "Empty"),
    ];

    /// Creates the page with sample data.
    pub(super) fn new(frame: Frame) -> Self {
        let own = frame.path("");
        Self {
            frame,
            shell: Shell {
                person: Person {
                    display: "Ida Sørensen".to_owned(),
                    name: "ida.sorensen@haldenfreight.example".to_owned(),
                },
                permissions: Permissions::catalogue(),
                section: Section::Own,
                page: String::new(),
                is_behind_panel: false,
                is_owner_elsewhere: true,
                own,
                open_conflicts: 3,
                said: Some("Mapping saved. 12 people gained Administrator.".to_owned()),
            },
            trouble: Some("Nothing was saved: one field needs a correction.".to_owned()),
            fields: fields(),
            rows: ConnectionState::ALL.iter().map(|state| row(*state)).collect(),
            chart: Changes::of(&quarters()),
        }
    }
}

fn fields() -> Vec<Field> {
    let field = |name, label, control, value: &str| Field {
        name,
        label,
        hint: "Says what follows from it.",
        value: value.to_owned(),
        control,
        is_locked: false,
        error: None,
    };
    let options = &[("map", "Map to roles"), ("mirror", "A role each")];
    vec![
        field("shown-choice", "Choice", Control::Choice(options), "mirror"),
        field("shown-switch", "On", Control::Switch, "on"),
        Field {
            is_locked: true,
            ..field("shown-locked", "Locked", Control::Switch, "off")
        },
        field("shown-number", "Number", Control::Number, "30"),
        Field {
            error: Some("\"never\" is not a valid number of days; expected 1 to 365.".to_owned()),
            ..field("shown-error", "Error", Control::Text, "never")
        },
    ]
}

fn row(connection: ConnectionState) -> Row {
    Row {
        name: "halden-freight".to_owned(),
        display: "Halden Freight".to_owned(),
        provider: "Microsoft Entra ID",
        connection,
        is_off: false,
        people: 391,
        last: None,
    }
}

fn quarters() -> Vec<Quarter> {
    let counts = |place: u64| Counts {
        created: place % 3,
        updated: place * 7 % 5,
        ended: place % 2,
        errors: u64::from(place % 9 == 4) * 2,
    };
    let begin = |place: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(6 * place);
    (0_u32..28)
        .map(|place| Quarter {
            begin: begin(i64::from(place)),
            counts: counts(u64::from(place)),
        })
        .collect()
}

/// Shows the page with the frame of an organization, to which its links lead.
pub(super) async fn get(
    State((pages, organization)): State<(Pages, &'static str)>,
    asked: HeaderMap,
) -> Result<Response, Problem> {
    let name = Name::parse(organization)?;
    let realm = pages.login.realm(&name).await?;
    let frame = pages.frames.of(&realm, &asked);
    Ok(page::answer(StatusCode::OK, &Components::new(frame)))
}
