//! The guard on mass changes: it tells of many losses at once, delays none, and helps to restore what went with a group
//! that was deleted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::counted::counted;
use super::effective::Picture;
use super::keyword::keywords;
use super::mapping::Change;
use super::naming;
use super::role::RoleId;

/// The time within which losses are counted together.
pub(crate) const WINDOW: SignedDuration = SignedDuration::from_hours(1);

keywords! {
    /// The kind of a loss of rights.
    LossKind {
        /// Somebody cannot sign in any more.
        Deactivation = "deactivation",
        /// Somebody has a role no more.
        RoleLoss = "role-loss",
    }
}

/// Rights that were taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    pub(crate) time: Timestamp,
    pub(crate) kind: LossKind,
    /// A sentence part, such as `the group "Sales" was deleted`.
    pub(crate) cause: String,
    /// The account, if it is listed by itself.
    pub(crate) account: Option<Uuid>,
    /// How many people it stands for.
    pub(crate) people: u64,
}

/// An alert: more people have lost something within an hour than the organization expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alert {
    pub(crate) kind: LossKind,
    pub(crate) people: u64,
    pub(crate) threshold: u32,
    /// The time of the first of the losses that were counted.
    pub(crate) since: Timestamp,
    /// The causes, with how many people each has hit, the largest first.
    pub(crate) causes: Vec<(String, u64)>,
    /// The accounts that are listed by themselves.
    pub(crate) accounts: BTreeSet<Uuid>,
}

impl Alert {
    /// Returns an alert if the losses of one kind within the hour before `now` are more than a threshold. `last` is when
    /// the last alert of this kind was raised: there is one an hour at most.
    pub(crate) fn check(
        kind: LossKind,
        losses: &[Loss],
        threshold: u32,
        last: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Self> {
        let is_recent = |time: Timestamp| time <= now && now.duration_since(time) < WINDOW;
        if last.is_some_and(is_recent) {
            return None;
        }
        let counted = losses
            .iter()
            .filter(|loss| loss.kind == kind && is_recent(loss.time));
        let counted: Vec<&Loss> = counted.collect();
        let people = counted
            .iter()
            .map(|loss| loss.people)
            .fold(0, u64::saturating_add);
        if people <= u64::from(threshold) {
            return None;
        }
        Some(Self {
            kind,
            people,
            threshold,
            since: counted.iter().map(|loss| loss.time).min()?,
            causes: causes(&counted),
            accounts: counted.iter().filter_map(|loss| loss.account).collect(),
        })
    }

    /// Returns the sentence for mail and banner.
    pub(crate) fn sentence(&self) -> String {
        let people = counted(self.people, "person was", "people were");
        let lost = counted(self.people, "time", "times");
        let what = match self.kind {
            LossKind::Deactivation => format!("{people} deactivated"),
            LossKind::RoleLoss => format!("People lost a role {lost}"),
        };
        let mostly = self
            .causes
            .first()
            .map_or(String::new(), |(cause, _)| format!(", mostly because {cause}"));
        format!(
            "{what} within an hour, more than the {} that are expected{mostly}. Nothing was held back: if it was not \
             meant, disable the integration, and restore mappings of deleted groups.",
            self.threshold
        )
    }
}

fn causes(losses: &[&Loss]) -> Vec<(String, u64)> {
    let mut by_cause: BTreeMap<&str, u64> = BTreeMap::new();
    for loss in losses {
        let people = by_cause.entry(&loss.cause).or_default();
        *people = people.saturating_add(loss.people);
    }
    let mut causes: Vec<(String, u64)> = by_cause
        .into_iter()
        .map(|(cause, people)| (cause.to_owned(), people))
        .collect();
    causes.sort_by_key(|(_, people)| std::cmp::Reverse(*people));
    causes
}

/// A group that was deleted while it was mapped, and the roles that it was mapped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LostGroup {
    /// The identifier that it had over SCIM.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) external_id: Option<String>,
    pub(crate) roles: BTreeSet<RoleId>,
    /// How many members it had.
    pub(crate) members: u64,
    pub(crate) lost: Timestamp,
}

/// A group that there is, to which mappings may be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Successor<'a> {
    /// Its key among the resources of SCIM.
    pub(crate) row: i64,
    pub(crate) id: &'a str,
    pub(crate) name: &'a str,
    pub(crate) external_id: Option<&'a str>,
}

keywords! {
    /// The likeness of a group to one that was deleted.
    Likeness {
        /// It is the same group, which was imported again.
        Id = "id",
        /// The provider has the same identifier for it.
        ExternalId = "external-id",
        /// It is the only one that is called so.
        Name = "name",
    }
}

impl LostGroup {
    /// Returns the group that has come in place of this one, by the surest likeness there is. A likeness that two groups
    /// have proves nothing.
    pub(crate) fn successor(&self, groups: &[Successor<'_>]) -> Option<(i64, Likeness)> {
        let key = naming::key(&self.name);
        let external_id = self.external_id.as_deref().filter(|id| !id.is_empty());
        let by_id = only(groups, |group| group.id == self.id);
        let by_external_id = || {
            only(groups, |group| {
                external_id.is_some() && group.external_id == external_id
            })
        };
        let by_name = || only(groups, |group| naming::key(group.name) == key);
        by_id
            .map(|row| (row, Likeness::Id))
            .or_else(|| by_external_id().map(|row| (row, Likeness::ExternalId)))
            .or_else(|| by_name().map(|row| (row, Likeness::Name)))
    }
}

fn only(groups: &[Successor<'_>], is_like: impl Fn(&Successor<'_>) -> bool) -> Option<i64> {
    let mut found = groups.iter().filter(|group| is_like(group));
    match (found.next(), found.next()) {
        (Some(group), None) => Some(group.row),
        _ => None,
    }
}

impl Picture {
    /// Returns the organization after the identity provider has deleted a group: its mappings go, and so does the role
    /// that mirrors it.
    #[must_use]
    pub(crate) fn group_deleted(&self, group: i64) -> Self {
        let mut after = self.clone();
        after.groups.remove(&group);
        for other in after.groups.values_mut() {
            other.members.remove(&group);
        }
        after.mappings.retain(|(of, _)| *of != group);
        after.roles.retain(|_, role| role.mirrors != Some(group));
        after
    }

    /// Returns the change that gives a group the roles of one that was deleted, beside those that it has. Roles that
    /// there are no more stay away.
    pub(crate) fn restoring(&self, roles: &BTreeSet<RoleId>, group: i64) -> Change {
        let left = roles
            .iter()
            .filter(|role| self.roles.get(role).is_some_and(|role| role.mirrors.is_none()));
        Change {
            group,
            roles: self.mapped_to(group).into_iter().chain(left.copied()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;
    use crate::domain::effective::tests::{group_row, picture, role_id};
    use crate::domain::keyword::Keyword;
    use crate::domain::preview::Preview;
    use crate::domain::settings::Groups;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn loss() -> impl Strategy<Value = Loss> {
        (
            0_i64..10_000,
            select(LossKind::ALL),
            select(&["a", "b"]),
            0_u64..5,
        )
            .prop_map(|(time, kind, cause, people)| Loss {
                time: at(time),
                kind,
                cause: cause.to_owned(),
                account: Some(Uuid::from_u128(people.into())),
                people,
            })
    }

    /// Feature row 91: an alert says what happened, why, and what to do.
    #[test]
    fn an_alert_says_what_to_do() {
        let lost = |kind, people| Loss {
            time: at(10),
            kind,
            cause: "the group \"Sales\" was deleted".to_owned(),
            account: None,
            people,
        };
        let losses = [lost(LossKind::RoleLoss, 21), lost(LossKind::Deactivation, 3)];
        let alert = Alert::check(LossKind::RoleLoss, &losses, 20, None, at(20)).unwrap();
        let sentence = alert.sentence();
        assert!(
            sentence.starts_with("People lost a role 21 times within an hour, more than the 20"),
            "{sentence}"
        );
        assert!(
            sentence.contains("mostly because the group \"Sales\" was deleted"),
            "{sentence}"
        );
        assert!(sentence.contains("disable the integration"), "{sentence}");
        let alert = Alert::check(LossKind::Deactivation, &losses, 2, None, at(20)).unwrap();
        assert!(
            alert.sentence().starts_with("3 people were deactivated within"),
            "{}",
            alert.sentence()
        );
        assert_eq!(
            Alert::check(LossKind::Deactivation, &losses, 3, None, at(20)),
            None
        );
    }

    /// Feature row 91: an hour is over after an hour, for losses and for alerts.
    #[test]
    fn an_hour_is_over_after_an_hour() {
        let loss = Loss {
            time: at(0),
            kind: LossKind::Deactivation,
            cause: String::new(),
            account: None,
            people: 2,
        };
        let alert = |last, now| {
            Alert::check(
                LossKind::Deactivation,
                std::slice::from_ref(&loss),
                1,
                last,
                at(now),
            )
        };
        assert!(alert(None, 3_599).is_some());
        assert!(alert(None, 3_600).is_none());
        assert!(alert(Some(at(-1)), 3_598).is_none());
        assert!(alert(Some(at(-1)), 3_599).is_some());
    }

    fn lost(id: &str, name: &str, external_id: Option<&str>) -> LostGroup {
        LostGroup {
            id: id.to_owned(),
            name: name.to_owned(),
            external_id: external_id.map(str::to_owned),
            roles: BTreeSet::new(),
            members: 3,
            lost: at(0),
        }
    }

    /// Feature row 91: mappings go to the group that is surest to be the same one.
    #[test]
    fn the_surest_likeness_wins() {
        let group = |row, id, name, external_id| Successor {
            row,
            id,
            name,
            external_id,
        };
        let all = [
            group(1, "one", "Sales", Some("x")),
            group(2, "two", "Support", Some("y")),
            group(3, "three", "sales ", None),
            group(4, "four", "Legal", None),
        ];
        let found = |id, name, external_id| lost(id, name, external_id).successor(&all);
        assert_eq!(found("one", "Support", Some("y")), Some((1, Likeness::Id)));
        assert_eq!(found("gone", "Sales", Some("y")), Some((2, Likeness::ExternalId)));
        assert_eq!(found("gone", " LEGAL", Some("z")), Some((4, Likeness::Name)));
        assert_eq!(found("gone", "Sales", None), None);
        assert_eq!(found("gone", "Nobody", Some("")), None);
    }

    proptest! {
        /// Feature row 91: an alert is raised when more people than the threshold have lost something within an hour, and
        /// once an hour.
        #[test]
        fn an_alert_is_about_the_last_hour(
            losses in vec(loss(), 0..30), kind in select(LossKind::ALL), threshold in 0_u32..30, now in 0_i64..10_000,
            last in proptest::option::of(0_i64..10_000),
        ) {
            let counts = |loss: &&Loss| loss.kind == kind && loss.time <= at(now) && loss.time > at(now - 3_600);
            let people: u64 = losses.iter().filter(counts).map(|loss| loss.people).sum();
            let is_told = last.is_some_and(|last| last <= now && last > now - 3_600);
            let alert = Alert::check(kind, &losses, threshold, last.map(at), at(now));
            prop_assert_eq!(alert.is_some(), people > u64::from(threshold) && !is_told);
            if let Some(alert) = alert {
                prop_assert_eq!(alert.people, people);
                prop_assert_eq!(alert.causes.iter().map(|(_, people)| people).sum::<u64>(), people);
                prop_assert!(alert.causes.is_sorted_by(|a, b| a.1 >= b.1));
                let accounts = losses.iter().filter(counts).filter_map(|loss| loss.account);
                prop_assert_eq!(alert.accounts, accounts.collect::<BTreeSet<_>>());
            }
        }

        /// Feature rows 61, 62: with a group go its mappings and its mirror, and what they gave, and nothing else.
        #[test]
        fn with_a_group_goes_what_it_gave(before in picture(), group in group_row()) {
            let after = before.group_deleted(group);
            prop_assert!(after.mapped_to(group).is_empty());
            prop_assert!(after.roles.values().all(|role| role.mirrors != Some(group)));
            let mut emptied = before;
            emptied.groups.get_mut(&group).unwrap().members.clear();
            prop_assert_eq!(after.everybody(), emptied.everybody());
        }

        /// Feature row 91: what is restored is what was lost, for those who are in the new group; the preview says so.
        #[test]
        fn what_is_restored_is_what_was_lost(before in picture(), group in group_row(), others in btree_set(role_id(), 0..2)) {
            let before = Picture { groups_become: Groups::Map, ..before };
            let lost = before.mapped_to(group);
            let mut after = before.group_deleted(group);
            after.groups.insert(group, before.groups[&group].clone());
            after.mappings.extend(others.iter().map(|role| (group, *role)));
            let change = after.restoring(&lost, group);
            prop_assert_eq!(&change.roles, &lost.union(&others).copied().collect::<BTreeSet<_>>());
            let restored = after.mapping(std::slice::from_ref(&change));
            prop_assert!(after.preview(std::slice::from_ref(&change)).losers().is_empty());
            prop_assert_eq!(after.preview(&[change]), Preview::difference(&after, &restored));
            if others.is_subset(&lost) {
                prop_assert_eq!(restored.everybody(), before.everybody());
            }
        }
    }
}
