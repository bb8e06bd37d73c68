//! Sign-ins by SAML that were refused: what was asserted, which check refused it, and what to change.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use crate::actions::saml;
use crate::domain::saml::failure::{Asserted, Failure};
use crate::portal::detour::Detour;
use crate::portal::frame::Frame;
use crate::portal::moment;
use crate::portal::shell::{Section, Shell};
use crate::portal::visit::Visit;

/// The path of the page.
const FAILURES: &str = "integrations/saml/failures";

/// How many are shown: the last ones.
const MOST: u32 = 50;

/// The field of the query.
const REFERENCE: &str = "reference";

/// A sign-in that was refused.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Refused {
    pub(in crate::portal) reference: String,
    pub(in crate::portal) at: String,
    pub(in crate::portal) time: String,
    pub(in crate::portal) found: &'static str,
    pub(in crate::portal) remedy: &'static str,
    pub(in crate::portal) address: Option<String>,
    /// The assertions: masked if they are about a person.
    pub(in crate::portal) asserted: Vec<(&'static str, String)>,
}

impl Refused {
    fn of(failure: &Failure) -> Self {
        Self {
            reference: failure.reference(),
            at: moment::minute(failure.time),
            time: failure.time.to_string(),
            found: failure.refusal.sentence(),
            remedy: failure.refusal.remedy(),
            address: failure.address.clone(),
            asserted: asserted(&failure.asserted),
        }
    }
}

fn asserted(asserted: &Asserted) -> Vec<(&'static str, String)> {
    let many = |all: &[String]| Some(all.join(", ")).filter(|text| !text.is_empty());
    let all = [
        ("Person (masked)", asserted.name_id.clone()),
        ("Name ID format", asserted.name_id_format.clone()),
        ("Issuer", asserted.issuer.clone()),
        ("Audience", asserted.audience.clone()),
        ("Destination", asserted.destination.clone()),
        ("Recipient", asserted.recipient.clone()),
        ("Not before", asserted.not_before.clone()),
        ("Not on or after", asserted.not_on_or_after.clone()),
        ("Status", asserted.status.clone()),
        ("Signatures", many(&asserted.signatures)),
        ("Attributes", many(&asserted.attributes)),
    ];
    all.into_iter()
        .filter_map(|(label, value)| Some((label, value?)))
        .collect()
}

#[derive(Debug, Template)]
#[template(path = "settings/failures.html")]
pub(in crate::portal) struct Failures {
    pub(in crate::portal) frame: Frame,
    pub(in crate::portal) shell: Shell,
    /// The number that somebody looks for.
    pub(in crate::portal) reference: String,
    pub(in crate::portal) refused: Vec<Refused>,
}

/// Shows the last sign-ins that were refused, or the one with a number.
pub(in crate::portal) async fn get(visit: Visit) -> Result<Response, Detour> {
    let administrator = visit.administrator(Section::Login, FAILURES).await?;
    let reference = visit.query.text(REFERENCE).trim().to_lowercase();
    let asked = Some(reference.clone()).filter(|reference| !reference.is_empty());
    let name = &visit.organization()?.name;
    let found = saml::failures(&visit.product, &administrator.actor, name, asked, MOST).await?;
    let shown = Failures {
        frame: visit.frame.clone(),
        shell: administrator.shell.clone(),
        reference,
        refused: found.iter().map(Refused::of).collect(),
    };
    Ok(administrator.answer(StatusCode::OK, &shown))
}
