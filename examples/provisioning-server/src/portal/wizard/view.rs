//! A guide as a page shows it: with this organization's values, and how far it has come.

use jiff::Timestamp;

use crate::actions::set_up::Progress;
use crate::domain::counted::counted;
use crate::domain::guide::{
    ATTRIBUTES, Block, ENTRA_DEFAULTS, EntraDefault, Guide, Stage, Step, Value, called, documentation, rhythm,
};
use crate::domain::integration::State;
use crate::domain::public_url::PublicUrl;
use crate::domain::saml::provider::Standing;
use crate::domain::settings::{Attributes, Preset};
use crate::domain::words::Words;
use crate::portal::frame::Frame;
use crate::portal::{moment, rhythm as pace};

/// A guide with the values of an organization.
#[derive(Debug, Clone)]
pub(in crate::portal) struct View {
    /// The provider, in full and as sentences call it.
    pub(in crate::portal) provider: &'static str,
    pub(in crate::portal) called: &'static str,
    pub(in crate::portal) words: &'static Words,
    pub(in crate::portal) before: Vec<Vec<Span>>,
    pub(in crate::portal) steps: Vec<StepView>,
    pub(in crate::portal) ticks: Vec<Tick>,
    pub(in crate::portal) attempt: Attempt,
    pub(in crate::portal) arrivals: Arrivals,
    /// When the last request came, and how often the provider synchronizes.
    pub(in crate::portal) last: Option<moment::Shown>,
    pub(in crate::portal) pace: pace::Shown,
    pub(in crate::portal) start: Vec<Span>,
    pub(in crate::portal) rhythm: Vec<Span>,
    pub(in crate::portal) documentation: Option<&'static str>,
    /// Sources of attributes at the provider, and what they are called here.
    pub(in crate::portal) attributes: Vec<(&'static str, &'static str, &'static str)>,
    pub(in crate::portal) entra: &'static [EntraDefault],
    /// Whether attributes that are not needed are kept nevertheless.
    pub(in crate::portal) keeps_all: bool,
    /// Whether every step is open.
    pub(in crate::portal) is_open: bool,
}

/// A part of a text, and whether it is what a screen says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::portal) struct Span {
    pub(in crate::portal) is_strong: bool,
    pub(in crate::portal) text: &'static str,
}

#[derive(Debug, Clone)]
pub(in crate::portal) struct StepView {
    pub(in crate::portal) title: String,
    pub(in crate::portal) is_done: bool,
    pub(in crate::portal) is_next: bool,
    pub(in crate::portal) blocks: Vec<BlockView>,
}

#[derive(Debug, Clone)]
pub(in crate::portal) enum BlockView {
    Text(Vec<Span>),
    Fields(Vec<Field>),
    Points(Vec<Vec<Span>>),
    Warning(&'static str, &'static str),
    Attempt,
    EntraAttributes,
    Page(String, &'static str),
}

/// A field at the provider.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Field {
    pub(in crate::portal) id: String,
    pub(in crate::portal) name: &'static str,
    pub(in crate::portal) value: FieldValue,
}

#[derive(Debug, Clone)]
pub(in crate::portal) enum FieldValue {
    Copied(String),
    Choice(&'static str, &'static str),
    /// The token: its last characters, if it is known which one it is.
    Token(Option<String>),
}

/// A prerequisite.
#[derive(Debug, Clone)]
pub(in crate::portal) struct Tick {
    pub(in crate::portal) mark: Mark,
    pub(in crate::portal) text: String,
    pub(in crate::portal) hint: String,
    /// The place where it is done: the words of a link, and the page.
    pub(in crate::portal) link: Option<(&'static str, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portal) enum Mark {
    Done,
    Waiting,
    ToDo,
    Optional,
}

/// How the provider's attempt to connect goes.
#[derive(Debug, Clone)]
pub(in crate::portal) enum Attempt {
    NoToken,
    SwitchedOff,
    Waiting,
    Connected(String),
    Refused(u16, String),
}

/// Those who have come.
#[derive(Debug, Clone, Default)]
pub(in crate::portal) struct Arrivals {
    /// In words: "12 people, 3 groups".
    pub(in crate::portal) total: String,
    pub(in crate::portal) is_empty: bool,
    /// The last things that came: when, and what.
    pub(in crate::portal) newest: Vec<(String, String)>,
}

/// For whom a guide is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::portal) enum Reader {
    Administrator,
    /// Somebody who has a link, and no account.
    Linked,
}

/// Tells what screens say from the rest of a text.
fn spans(text: &'static str) -> Vec<Span> {
    let parts = text.split('*').enumerate();
    parts
        .filter(|(_, text)| !text.is_empty())
        .map(|(number, text)| Span {
            is_strong: number % 2 == 1,
            text,
        })
        .collect()
}

impl View {
    pub(in crate::portal) fn of(
        guide: Guide,
        progress: &Progress,
        base: &PublicUrl,
        frame: &Frame,
        reader: Reader,
        is_open: bool,
    ) -> Self {
        let now = Timestamp::now();
        let settings = &progress.organization.settings;
        let guide = match reader {
            Reader::Administrator => guide,
            Reader::Linked => guide.for_provider_alone(),
        };
        let provider = guide.provider;
        let sends_groups = guide.steps.iter().any(|step| step.stage == Stage::Groups);
        let next = guide.steps.iter().position(|step| !is_done(step.stage, progress));
        let steps = guide.steps.iter().enumerate();
        let steps = steps.map(|(number, step)| StepView {
            title: step.title.clone(),
            is_done: is_done(step.stage, progress),
            is_next: Some(number) == next,
            blocks: blocks(number, step, progress, base, frame),
        });
        let sources = ATTRIBUTES.iter().map(|attribute| {
            let source = attribute.source(provider).unwrap_or("—");
            (source, attribute.path, attribute.ours)
        });
        Self {
            provider: provider.display(),
            called: called(provider),
            words: Words::of(settings.words),
            before: guide.before.iter().map(|text| spans(text)).collect(),
            steps: steps.collect(),
            ticks: ticks(progress, called(provider), frame, reader, sends_groups),
            attempt: Attempt::of(progress),
            arrivals: Arrivals::of(progress),
            last: progress.last_request.map(|at| moment::ago(now, at)),
            pace: pace::Shown::of(&progress.rhythm, now),
            start: spans(guide.start),
            rhythm: spans(rhythm(provider)),
            documentation: documentation(provider),
            attributes: sources.collect(),
            entra: ENTRA_DEFAULTS,
            keeps_all: settings.attributes == Attributes::All,
            is_open,
        }
    }

    /// Returns whether every step is done, so that no mark changes any more by what comes.
    pub(in crate::portal) fn is_done(&self) -> bool {
        self.steps.iter().all(|step| step.is_done)
    }
}

/// Returns whether everything of a stage is done, as far as this server can see.
fn is_done(stage: Stage, progress: &Progress) -> bool {
    match stage {
        Stage::Saml | Stage::Application | Stage::Connection => progress.first_request.is_some(),
        Stage::People => progress.people > 0,
        Stage::Groups => progress.groups > 0,
        Stage::Roles => progress.is_mapped == Some(true),
        Stage::Login => progress.saml.is_in_force(&progress.organization.settings),
    }
}

fn blocks(
    number: usize,
    step: &Step,
    progress: &Progress,
    base: &PublicUrl,
    frame: &Frame,
) -> Vec<BlockView> {
    let view = |block: &Block| match block {
        Block::Text(text) => BlockView::Text(spans(text)),
        Block::Points(points) => BlockView::Points(points.iter().map(|text| spans(text)).collect()),
        Block::Warning(bold, text) => BlockView::Warning(bold, text),
        Block::Attempt => BlockView::Attempt,
        Block::EntraAttributes => BlockView::EntraAttributes,
        Block::Page(page, words) => BlockView::Page(frame.path(page), words),
        Block::Fields(fields) => {
            let fields = fields.iter().enumerate().map(|(field, (name, value))| Field {
                id: format!("value-{number}-{field}"),
                name,
                value: FieldValue::of(*value, progress, base),
            });
            BlockView::Fields(fields.collect())
        }
    };
    step.blocks.iter().map(view).collect()
}

impl FieldValue {
    fn of(value: Value, progress: &Progress, base: &PublicUrl) -> Self {
        let organization = &progress.organization;
        match value {
            Value::Url => Self::Copied(base.scim(&organization.name)),
            Value::Acs => Self::Copied(base.saml_acs(&organization.name)),
            Value::EntityId => Self::Copied(base.saml_entity_id(organization.id)),
            Value::Literal(text) => Self::Copied(text.to_owned()),
            Value::Choice(choice, remark) => Self::Choice(choice, remark),
            Value::Token => Self::Token(progress.token.as_ref().map(|token| token.last_four.clone())),
        }
    }
}

impl Attempt {
    fn of(progress: &Progress) -> Self {
        match (&progress.refused, progress.last_request) {
            _ if !progress.has_token => Self::NoToken,
            _ if progress.state != State::Enabled => Self::SwitchedOff,
            (Some((status, reason)), _) => Self::Refused(*status, reason.clone()),
            (None, Some(last)) => Self::Connected(moment::minute(last)),
            (None, None) => Self::Waiting,
        }
    }
}

impl Arrivals {
    fn of(progress: &Progress) -> Self {
        let newest = progress.arrived.iter();
        Self {
            total: format!(
                "{}, {}",
                counted(progress.people, "person", "people"),
                counted(progress.groups, "group", "groups")
            ),
            is_empty: progress.people == 0 && progress.groups == 0,
            newest: newest
                .map(|entry| (entry.time.strftime("%H:%M:%S").to_string(), entry.meaning.clone()))
                .collect(),
        }
    }
}

fn ticks(
    progress: &Progress,
    provider: &str,
    frame: &Frame,
    reader: Reader,
    sends_groups: bool,
) -> Vec<Tick> {
    let settings = &progress.organization.settings;
    let words = Words::of(settings.words);
    let link = |words: &'static str, page: &str| {
        (reader == Reader::Administrator).then(|| (words, frame.path(page)))
    };
    let is_on = progress.organization.is_enabled();
    let has_come = progress.first_request.is_some();
    let mut ticks = vec![
        Tick::new(is_on || progress.has_token, format!("The {} answers", words.url)),
        Tick {
            hint: token_hint(progress),
            link: link("Generate it", "integrations/scim").filter(|_| !progress.has_token),
            ..Tick::new(progress.has_token, format!("The {} is made", words.token))
        },
        Tick {
            link: link("Switch it on", "integrations/scim").filter(|_| !is_on),
            ..Tick::new(is_on, "The integration is switched on".to_owned())
        },
        Tick {
            hint: progress.first_request.map_or_else(String::new, moment::minute),
            ..Tick::awaited(
                has_come,
                is_on && progress.has_token,
                format!("First request from {provider}"),
            )
        },
        Tick::awaited(progress.people > 0, has_come, "First person".to_owned()),
    ];
    if sends_groups {
        let text = "First group".to_owned();
        ticks.push(Tick::awaited(progress.groups > 0, has_come, text));
    }
    if reader == Reader::Linked {
        return ticks;
    }
    if let Some(is_mapped) = progress
        .is_mapped
        .filter(|_| settings.words != Preset::LevelAccess && sends_groups)
    {
        ticks.push(Tick {
            link: link("Open Group Mapping", "integrations/scim/mapping").filter(|_| !is_mapped),
            ..Tick::new(is_mapped, "First group mapped to a role".to_owned())
        });
    }
    let has_saml = progress.saml == Standing::Tried;
    let hint = match settings.words {
        Preset::LevelAccess => {
            "This product expects it to be configured first. Supported there: Okta and Microsoft Entra ID."
        }
        _ => "Needed only if people are to sign in through their identity provider.",
    };
    ticks.push(Tick {
        mark: if has_saml { Mark::Done } else { Mark::Optional },
        text: "SAML single sign-on".to_owned(),
        hint: if has_saml { String::new() } else { hint.to_owned() },
        link: link("Configure it", "integrations/saml").filter(|_| !has_saml),
    });
    ticks
}

fn token_hint(progress: &Progress) -> String {
    let Some(token) = &progress.token else {
        return String::new();
    };
    match token.expires {
        Some(expires) => format!("Ends in {}, expires on {}", token.last_four, moment::day(expires)),
        None => format!("Ends in {}", token.last_four),
    }
}

impl Tick {
    fn new(is_done: bool, text: String) -> Self {
        Self {
            mark: if is_done { Mark::Done } else { Mark::ToDo },
            text,
            hint: String::new(),
            link: None,
        }
    }

    /// Makes one that comes by itself, once what is before it is done.
    fn awaited(is_done: bool, can_come: bool, text: String) -> Self {
        let tick = Self::new(is_done, text);
        match tick.mark {
            Mark::ToDo if can_come => Self {
                mark: Mark::Waiting,
                ..tick
            },
            _ => tick,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_screens_are_strong() {
        let span = |is_strong, text| Span { is_strong, text };
        assert_eq!(
            spans("Open *General*, then *Save*."),
            [
                span(false, "Open "),
                span(true, "General"),
                span(false, ", then "),
                span(true, "Save"),
                span(false, ".")
            ]
        );
        assert_eq!(spans("*Save*"), [span(true, "Save")]);
    }
}
