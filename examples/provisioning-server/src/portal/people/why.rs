//! Why somebody has their access: the ways from groups to roles and permissions, as a picture and as sentences.

use std::collections::{BTreeMap, BTreeSet};

use crate::actions::account::{Detail, Known};
use crate::domain::effective::{Effective, Path, Reason};
use crate::domain::grant::Origin;
use crate::domain::role::RoleId;

/// How many sources and roles are drawn; the sentences have all.
const DRAWN: usize = 12;

/// The places where the columns of the picture begin, and the widths of their boxes.
const SOURCE: Column = Column { x: 1, width: 147 };
const WAY: Column = Column { x: 188, width: 112 };
const ROLE: Column = Column { x: 340, width: 128 };
const PERMISSION: Column = Column { x: 500, width: 139 };

/// The height of a box, and from one box to the next.
const HEIGHT: usize = 42;
const STEP: usize = 56;
const TOP: usize = 24;

#[derive(Clone, Copy)]
struct Column {
    x: usize,
    width: usize,
}

impl Column {
    const fn right(self) -> usize {
        self.x + self.width
    }

    /// Returns the beginning of a text that fits into a box, in letters that are about so wide, in tenths.
    fn fit(self, text: &str, letter: usize) -> String {
        let most = (self.width - 22) * 10 / letter;
        match text.chars().count() > most {
            true => text.chars().take(most - 1).chain(['…']).collect(),
            false => text.to_owned(),
        }
    }
}

/// How wide the letters of the first and of the second line of a box are, in tenths.
const LETTER: usize = 66;
const SMALL_LETTER: usize = 60;

/// A box of the picture.
#[derive(Debug, Clone)]
pub(in super::super) struct Node {
    pub(in super::super) x: usize,
    pub(in super::super) y: usize,
    pub(in super::super) width: usize,
    pub(in super::super) tone: &'static str,
    pub(in super::super) text: String,
    pub(in super::super) below: String,
}

/// A line of the picture.
#[derive(Debug, Clone)]
pub(in super::super) struct Edge {
    pub(in super::super) path: String,
    pub(in super::super) tone: &'static str,
}

/// The picture.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Picture {
    pub(in super::super) height: usize,
    pub(in super::super) nodes: Vec<Node>,
    pub(in super::super) edges: Vec<Edge>,
}

/// The source of a way, as a sentence names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Source {
    pub(in super::super) name: String,
    /// Whether the identity provider decides about it.
    pub(in super::super) is_of_provider: bool,
    /// The page of it, if it has one.
    pub(in super::super) page: Option<String>,
}

/// A role or single permissions, with every way that leads there.
#[derive(Debug, Clone)]
pub(in super::super) struct Line {
    pub(in super::super) sources: Vec<Source>,
    /// How the sources lead there: "mapped to", "mirrored as".
    pub(in super::super) way: &'static str,
    /// The name of the role and its page; none for permissions that somebody holds themselves.
    pub(in super::super) role: Option<(String, String)>,
    pub(in super::super) permissions: Vec<String>,
}

/// Everything that is told of somebody's access.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Why {
    pub(in super::super) picture: Picture,
    /// The finding of the picture, in a sentence.
    pub(in super::super) finding: String,
    pub(in super::super) lines: Vec<Line>,
}

impl Why {
    /// Returns why somebody has their access.
    pub(in super::super) fn of(detail: &Detail, provider: &str) -> Self {
        let (effective, known) = (&detail.effective, &detail.known);
        let mut lines: Vec<Line> = effective
            .roles
            .iter()
            .map(|(role, paths)| line(known, *role, paths, effective))
            .collect();
        lines.sort_by(|one, other| one.role.cmp(&other.role));
        let held = held(effective);
        if !held.is_empty() {
            lines.push(Line {
                sources: vec![Source::by_hand("Given individually")],
                way: "gives",
                role: None,
                permissions: held.clone(),
            });
        }
        Self {
            picture: Drawing::of(effective, known, provider, &held).picture,
            finding: finding(&lines),
            lines,
        }
    }

    /// Returns whether there is no access.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl Source {
    fn by_hand(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            is_of_provider: false,
            page: None,
        }
    }

    fn of(known: &Known, path: Path) -> Self {
        match path {
            Path::Mapping { group } | Path::MirroredGroup { group } => {
                let group = known.groups.get(&group);
                Self {
                    name: group.map_or_else(|| "a group".to_owned(), |group| group.name.clone()),
                    is_of_provider: true,
                    page: group.map(|group| format!("groups/{}", group.id)),
                }
            }
            Path::LocalGroup { group } => Self {
                name: match known.local_groups.get(&group) {
                    Some(group) => group.name.clone(),
                    None => "a group kept here".to_owned(),
                },
                is_of_provider: false,
                page: Some(format!("groups/local/{group}")),
            },
            Path::Held(Origin::BreakGlass) => Self::by_hand("Owner"),
            Path::Held(_) => Self::by_hand("Given by hand"),
        }
    }
}

const fn way(path: Path) -> &'static str {
    match path {
        Path::Mapping { .. } => "mapped to",
        Path::MirroredGroup { .. } => "mirrored as",
        Path::LocalGroup { .. } => "holds",
        Path::Held(_) => "gives",
    }
}

fn line(known: &Known, role: RoleId, paths: &BTreeSet<Path>, effective: &Effective) -> Line {
    let name = known.roles.get(&role).map(|role| role.name.clone());
    Line {
        sources: paths.iter().map(|path| Source::of(known, *path)).collect(),
        way: paths.first().map_or("gives", |path| way(*path)),
        role: Some((name.unwrap_or_default(), format!("roles/{role}"))),
        permissions: permissions_of(effective, role),
    }
}

fn permissions_of(effective: &Effective, role: RoleId) -> Vec<String> {
    let of_role = |reason: &Reason| matches!(reason, Reason::Role { role: of, .. } if *of == role);
    let permissions = effective.permissions.iter();
    let permissions = permissions.filter(|(_, reasons)| reasons.iter().any(of_role));
    permissions
        .map(|(permission, _)| permission.to_string())
        .collect()
}

/// Returns the permissions that somebody holds themselves.
fn held(effective: &Effective) -> Vec<String> {
    let is_held = |reason: &Reason| matches!(reason, Reason::Held(_));
    let permissions = effective.permissions.iter();
    let permissions = permissions.filter(|(_, reasons)| reasons.iter().any(is_held));
    permissions
        .map(|(permission, _)| permission.to_string())
        .collect()
}

fn finding(lines: &[Line]) -> String {
    let sentence = |line: &Line| {
        let names: Vec<_> = line.sources.iter().map(|source| source.name.as_str()).collect();
        let names = names.join(" and ");
        match &line.role {
            Some((role, _)) => format!("{names}: {} {role}.", line.way),
            None => format!("Given individually: {}.", line.permissions.join(", ")),
        }
    };
    lines.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

/// The picture as it is drawn.
#[derive(Default)]
struct Drawing {
    picture: Picture,
}

impl Drawing {
    fn of(effective: &Effective, known: &Known, provider: &str, held: &[String]) -> Self {
        let mut drawing = Self::default();
        let mut sources: BTreeMap<Path, usize> = BTreeMap::new();
        let mut rows = 0;
        for (role, paths) in effective.roles.iter().take(DRAWN) {
            drawing.role(known, *role, paths, rows, &permissions_of(effective, *role));
            for path in paths {
                let next = sources.len();
                let row = *sources.entry(*path).or_insert(next);
                if row < DRAWN {
                    drawing.edge(WAY.right(), row, ROLE.x, rows, "");
                }
            }
            rows += 1;
        }
        for (path, row) in &sources {
            if *row < DRAWN {
                drawing.source(known, *path, *row, provider);
            }
        }
        rows = rows.max(sources.len().min(DRAWN));
        if !held.is_empty() {
            drawing.node(SOURCE, rows, "", "Given individually", "to this person alone");
            drawing.edge(SOURCE.right(), rows, PERMISSION.x, rows, "");
            drawing.permissions(rows, held);
            rows += 1;
        }
        drawing.picture.height = TOP + rows * STEP;
        drawing
    }

    fn source(&mut self, known: &Known, path: Path, row: usize, provider: &str) {
        let source = Source::of(known, path);
        let tone = if source.is_of_provider { "idp" } else { "" };
        let below = match path {
            Path::Mapping { .. } | Path::MirroredGroup { .. } => provider.to_owned(),
            Path::LocalGroup { .. } => "kept here".to_owned(),
            Path::Held(_) => "by an administrator".to_owned(),
        };
        let text = match path {
            Path::Mapping { .. } => "Mapped to",
            Path::MirroredGroup { .. } => "Mirrored as",
            Path::LocalGroup { .. } | Path::Held(_) => "Holds",
        };
        self.edge(SOURCE.right(), row, WAY.x, row, tone);
        self.node(SOURCE, row, tone, &source.name, &below);
        self.node(WAY, row, "", text, "");
    }

    fn role(
        &mut self,
        known: &Known,
        role: RoleId,
        paths: &BTreeSet<Path>,
        row: usize,
        permissions: &[String],
    ) {
        let name = known.roles.get(&role).map_or("", |role| role.name.as_str());
        let below = match paths.len() {
            1 => "one way".to_owned(),
            many => format!("{many} ways"),
        };
        self.node(ROLE, row, "info", name, &below);
        self.edge(ROLE.right(), row, PERMISSION.x, row, "");
        self.permissions(row, permissions);
    }

    fn permissions(&mut self, row: usize, permissions: &[String]) {
        let (text, below) = match permissions {
            [] => ("none".to_owned(), "needs permissions".to_owned()),
            [one] => (one.clone(), String::new()),
            [one, other] => (one.clone(), other.clone()),
            [one, rest @ ..] => (one.clone(), format!("and {} more", rest.len())),
        };
        self.node(PERMISSION, row, "", &text, &below);
    }

    fn node(&mut self, column: Column, row: usize, tone: &'static str, text: &str, below: &str) {
        self.picture.nodes.push(Node {
            x: column.x,
            y: TOP + row * STEP,
            width: column.width,
            tone,
            text: column.fit(text, LETTER),
            below: column.fit(below, SMALL_LETTER),
        });
    }

    fn edge(&mut self, from: usize, row: usize, to: usize, other: usize, tone: &'static str) {
        let middle = |row: usize| TOP + row * STEP + HEIGHT / 2;
        let (start, end) = (middle(row), middle(other));
        let (out, back) = (from + 24, to.saturating_sub(24));
        self.picture.edges.push(Edge {
            path: format!("M{from} {start}C{out} {start} {back} {end} {to} {end}"),
            tone,
        });
    }
}

impl Node {
    /// Returns where the text of the box begins.
    pub(in super::super) const fn text_x(&self) -> usize {
        self.x + 12
    }

    /// Returns where the first line of it stands.
    pub(in super::super) const fn text_y(&self) -> usize {
        match self.below.is_empty() {
            true => self.y + 26,
            false => self.y + 18,
        }
    }

    /// Returns where the second line of it stands.
    pub(in super::super) const fn below_y(&self) -> usize {
        self.y + 33
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feature row 77: whatever a name is, it stays in its box.
    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(WAY.fit("Mapped to", LETTER), "Mapped to");
        assert_eq!(WAY.fit("Warehouse Supervisors", LETTER), "Warehouse Su…");
        assert_eq!(WAY.fit(&"ä".repeat(20), SMALL_LETTER).chars().count(), 15);
    }
}
