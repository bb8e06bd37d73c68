//! The file of an export: its first line, its last line, and how far an import has come in it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::counted::counted;
use super::fault::{Fault, Result};
use super::organization::{Name, Organization, display_name};
use super::settings::Settings;

/// The name that the first line gives the file.
const FORMAT: &str = "provisioning-server export";
/// The version of everything that stands in it.
const VERSION: u32 = 2;
/// The version that carried people and groups alone.
const FORMER_VERSION: u32 = 1;

/// The first line: what the file is, and whose. Nothing in it depends on when it was written, so that two exports of
/// one state begin alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    format: String,
    version: u32,
    pub(crate) organization: Exported,
}

/// The organization that was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exported {
    pub(crate) id: Uuid,
    name: String,
    display: String,
    enabled: bool,
    created: Timestamp,
    settings: Settings,
}

/// The statement that every version makes about itself.
#[derive(Deserialize)]
struct Anything {
    format: String,
    version: u32,
}

impl Head {
    /// Makes the first line of an export of an organization.
    pub(crate) fn of(organization: &Organization) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            organization: Exported {
                id: organization.id,
                name: organization.name.to_string(),
                display: organization.display.clone(),
                enabled: organization.is_enabled(),
                created: organization.created,
                settings: organization.settings.clone(),
            },
        }
    }

    /// Reads a first line.
    pub(crate) fn parse(line: &[u8]) -> Result<Self> {
        let Ok(Anything { format, version }) = serde_json::from_slice(line) else {
            return Err(no_export());
        };
        if format != FORMAT {
            return Err(no_export());
        }
        if version != VERSION && version != FORMER_VERSION {
            return Err(Fault::invalid(format!(
                "The file is of version {version}, and this program reads versions {FORMER_VERSION} and {VERSION}: import \
                 it with the version that has written it, or export it again with this one."
            )));
        }
        let head: Self = serde_json::from_slice(line)
            .map_err(|why| Fault::invalid(format!("The first line of the file is wrong: {why}.")))?;
        _ = Name::parse(&head.organization.name)?;
        _ = display_name(&head.organization.display)?;
        Ok(head)
    }

    /// Returns whether the file carries accounts, roles and all else by which people have access, beside people and groups.
    pub(crate) fn carries_access(&self) -> bool {
        self.version > FORMER_VERSION
    }

    /// Returns the name of the organization that was exported.
    pub(crate) fn name(&self) -> Result<Name> {
        Name::parse(&self.organization.name)
    }

    /// Makes a new organization with the settings of the one that was exported.
    pub(crate) fn organization(&self, id: Uuid, name: Name, created: Timestamp) -> Result<Organization> {
        let Exported {
            display,
            settings,
            enabled,
            ..
        } = &self.organization;
        let mut organization = Organization::new(id, name, Some(display.clone()), settings.clone(), created)?;
        organization.switch(*enabled);
        Ok(organization)
    }
}

fn no_export() -> Fault {
    Fault::invalid(
        "This is no export of an organization: its first line does not say so. \"export ORG --out FILE\" writes one.",
    )
}

/// How many people, groups and members, and how many lines of accounts, roles and all else by which people have access.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counts {
    pub(crate) people: u64,
    pub(crate) groups: u64,
    pub(crate) members: u64,
    #[serde(default)]
    pub(crate) access: u64,
}

impl Counts {
    /// Returns whether there is nothing.
    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Returns the counts in words.
    pub(crate) fn words(self) -> String {
        let people = counted(self.people, "person", "people");
        let groups = counted(self.groups, "group", "groups");
        let members = counted(self.members, "member", "members");
        match self.access {
            0 => format!("{people}, {groups} and {members}"),
            access => format!(
                "{people}, {groups}, {members} and {} about access",
                counted(access, "line", "lines")
            ),
        }
    }
}

/// The last line: a file without it has lost its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tail {
    pub(crate) end: End,
}

/// The counts of everything before the last line, and when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    pub(crate) people: u64,
    pub(crate) groups: u64,
    pub(crate) members: u64,
    #[serde(default)]
    pub(crate) access: u64,
    pub(crate) exported: Timestamp,
}

impl Tail {
    /// Makes the last line of a file with so much in it.
    pub(crate) fn of(counts: Counts, exported: Timestamp) -> Self {
        let Counts {
            people,
            groups,
            members,
            access,
        } = counts;
        Self {
            end: End {
                people,
                groups,
                members,
                access,
                exported,
            },
        }
    }

    /// Reads a line that may be the last one.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        // Most lines are not: that is seen without reading them.
        line.starts_with(b"{\"end\"")
            .then(|| serde_json::from_slice(line).ok())?
    }

    /// Returns the counts of everything before it.
    pub(crate) fn counts(&self) -> Counts {
        Counts {
            people: self.end.people,
            groups: self.end.groups,
            members: self.end.members,
            access: self.end.access,
        }
    }
}

/// How far the last import into an organization has come. It is written with what was imported, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    /// The organization that the file is an export of.
    pub(crate) source: Uuid,
    pub(crate) bytes: u64,
    pub(crate) lines: u64,
    /// SHA-256 of these bytes: an import goes on only in a file that begins with them.
    pub(crate) digest: [u8; 32],
    /// The counts of the file up to here.
    pub(crate) counts: Counts,
    /// Lines that were left out.
    pub(crate) skipped: u64,
    /// Whether the end was reached.
    pub(crate) finished: bool,
}

impl Position {
    /// Makes the position before anything was read.
    pub(crate) fn start(source: Uuid) -> Self {
        Self {
            source,
            bytes: 0,
            lines: 0,
            digest: [0; 32],
            counts: Counts::default(),
            skipped: 0,
            finished: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organization() -> Organization {
        Organization::new(
            Uuid::from_u128(7),
            Name::parse("acme").unwrap(),
            Some("Acme & Söhne".to_owned()),
            Settings::default(),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap()
    }

    #[test]
    fn a_first_line_brings_the_organization_back() {
        let mut organization = organization();
        organization.switch(false);
        let line = serde_json::to_vec(&Head::of(&organization)).unwrap();
        let head = Head::parse(&line).unwrap();
        let copy = head.organization(organization.id, head.name().unwrap(), organization.created);
        assert_eq!(copy.unwrap(), organization);
    }

    #[test]
    fn what_is_no_export_or_of_another_version_is_said_to_be_so() {
        let line = serde_json::to_string(&Head::of(&organization())).unwrap();
        let refusal = |line: &str| Head::parse(line.as_bytes()).unwrap_err().to_string();
        for other in [
            "",
            "{}",
            "[1]",
            "\u{0}",
            r#"{"userName":"a"}"#,
            &line.replace(" export", ""),
        ] {
            assert!(refusal(other).contains("no export"), "{other}");
        }
        let newer = line.replace("\"version\":2", "\"version\":3");
        assert!(refusal(&newer).contains("version 3"), "{newer}");
        assert!(refusal(&line.replace("\"acme\"", "\"A/B\"")).contains("part of its URL"));
        assert!(refusal(&line.replace("\"name\"", "\"nam\"")).contains("first line"));
        assert!(
            refusal(&line.replace("\"username\":\"email\"", "\"username\":\"x\"")).contains("first line")
        );
    }

    /// Feature row 115: a file of the version before is read, and is known to carry people and groups alone.
    #[test]
    fn a_file_of_the_version_before_is_read() {
        let line = serde_json::to_string(&Head::of(&organization())).unwrap();
        assert!(Head::parse(line.as_bytes()).unwrap().carries_access());
        let former = line.replace("\"version\":2", "\"version\":1");
        assert!(!Head::parse(former.as_bytes()).unwrap().carries_access());
        let tail = br#"{"end":{"people":1,"groups":0,"members":0,"exported":"2024-01-03T00:00:00Z"}}"#;
        assert_eq!(Tail::parse(tail).unwrap().counts().access, 0);
    }

    #[test]
    fn a_last_line_is_recognised() {
        let counts = Counts {
            people: 1,
            groups: 2,
            members: 3,
            access: 0,
        };
        let tail = Tail::of(counts, Timestamp::UNIX_EPOCH);
        let line = serde_json::to_vec(&tail).unwrap();
        assert_eq!(Tail::parse(&line), Some(tail.clone()));
        assert_eq!(tail.counts(), counts);
        assert_eq!(counts.words(), "1 person, 2 groups and 3 members");
        let more = Counts { access: 4, ..counts };
        assert_eq!(
            more.words(),
            "1 person, 2 groups, 3 members and 4 lines about access"
        );
        for other in [&line[..line.len() - 1], b"{}", b"", b"{\"end\":{}}"] {
            assert_eq!(Tail::parse(other), None);
        }
    }
}
