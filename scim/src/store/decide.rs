//! The outcome of a write: worked out from what is there, without any I/O, as often as need be.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::patch::Patch;
use crate::path::AttrPath;
use crate::record::{Record, ScimResource, apply_to_record, unload_edges};
use crate::schema::{Mutability, Returned};
use crate::store::edges::{EdgeChange, EdgeEdit, take_edges};
use crate::store::event::Transition;
use crate::store::growth;
use crate::store::hooks::Proposed;
use crate::store::transient::{carries_transient, clear_transient};
use crate::store::write::{Change, holds_edges};
use crate::store::{Stamp, Stored, Write, not_found};
use crate::value::{Action, Cx, DateTime, Edit, Intent, JsonBuf, ResourceId, Strict};

/// The state of the resource that a write is about, as a store has it: at least what [`Write::loads`] says.
pub enum Current<'a, R> {
    /// There is no such resource.
    Absent,
    /// There is one with this stamp; nothing else of it was read.
    Stamp(&'a Stamp),
    /// This is its state.
    Stored(&'a Stored<R>),
    /// Its state does not fit the struct any more, which was changed since it was written.
    Unfit {
        /// Its stamp.
        stamp: &'a Stamp,
        /// Its attributes, as far as the schema knows them.
        record: &'a dyn Record,
        /// The fault.
        fault: &'a Error,
    },
}

impl<'a, R> From<Option<&'a Stored<R>>> for Current<'a, R> {
    fn from(stored: Option<&'a Stored<R>>) -> Self {
        stored.map_or(Self::Absent, Self::Stored)
    }
}

/// The work that a store is to do.
#[derive(Debug)]
pub enum Decision<R> {
    /// Nothing: the resource is as it is to be. Version and time stay.
    Keep,
    /// Write the next state.
    Put(Box<Put<R>>),
    /// Delete the resource and every edge that leads to it.
    Delete,
}

/// The next state of a resource.
#[derive(Debug)]
pub struct Put<R> {
    /// The resource, with id and meta, without edges, and without values that are handed on and not kept. `None` if it
    /// stays as it is: if the edits change no edge either, nothing is to be written.
    pub resource: Option<R>,
    /// The same with the values that are handed on, such as a password; `None` if there are none. It is for whoever
    /// joins the write, and is kept nowhere.
    pub handed_on: Option<R>,
    /// The edits of its edges, in order. Attributes that no edit names stay as they are.
    pub edges: Vec<EdgeEdit>,
    /// Its next version and time.
    pub stamp: Stamp,
}

impl<R: ScimResource, C> Write<R, C> {
    /// Decides what comes of the write, if `current` is what is there now.
    ///
    /// In this order: the precondition; what a PUT carries over, or the PATCH; the [rules of the
    /// application](crate::store::Hooks::before_write); the checks of the policy; what is handed on and not kept is taken
    /// out; the comparison with what is there. The same question has the same answer, so that a store may ask on a
    /// snapshot first and once more in its transaction if the version has moved.
    ///
    /// # Errors
    /// 404 if there is no such resource; 412 if the precondition demands another version; those of [`carry_over`], of
    /// [`Patch::apply`], of the rules of the application and of [`Policy::check`](crate::policy::Policy::check); 400 `invalidValue` for a PATCH of state
    /// that does not fit the struct any more, naming the attribute.
    pub fn decide<'a>(&self, current: impl Into<Current<'a, R>>, now: DateTime) -> Result<Decision<R>> {
        let state = match (current.into(), &*self.change) {
            (Current::Absent, Change::Create(resource)) => {
                let decision = self.decide_create(resource.clone(), now)?;
                self.see(None, &decision)?;
                return Ok(decision);
            }
            (Current::Absent, _) => return Err(not_found::<R>(self.id())),
            (_, Change::Create(_)) => {
                return Err(Error::internal(
                    "the source of identifiers gave an id that is taken",
                ));
            }
            (Current::Stamp(stamp), _) => State {
                stamp: stamp.clone(),
                known: Known::Nothing,
            },
            (Current::Stored(stored), _) => State {
                stamp: stored.stamp(),
                known: Known::Stored(stored),
            },
            (Current::Unfit { stamp, record, fault }, _) => State {
                stamp: stamp.clone(),
                known: Known::Unfit(record, fault),
            },
        };
        self.precondition.check_write(&state.stamp.version)?;
        let decision = match &*self.change {
            Change::Create(_) => Decision::Keep,
            Change::Delete => {
                self.ask(Some(&state), None, &[])?;
                Decision::Delete
            }
            Change::Replace { sent, unchanged } => {
                self.decide_replace(&state, sent.clone(), unchanged, now)?
            }
            Change::Patch { edges, rest } => self.decide_patch(&state, edges, rest, now)?,
        };
        self.see(Some(&state), &decision)?;
        Ok(decision)
    }

    /// Asks the rules of the application, which may change the next state, and checks what they leave of it.
    fn ask(&self, state: Option<&State<'_, R>>, next: Option<&mut R>, edges: &[EdgeEdit]) -> Result<()> {
        let Some(hooks) = self.hooks.as_ref().filter(|hooks| hooks.is_asked()) else {
            return Ok(());
        };
        let before = state.map(State::without_edges).transpose()?.flatten();
        let mut proposed = Proposed {
            id: self.id(),
            before: before.as_deref(),
            after: next,
            edges,
        };
        hooks.before(&mut proposed)?;
        match proposed.after {
            Some(next) if holds_edges(next) => Err(Error::internal(format!(
                "a hook before a write has set an attribute of {} that is marked `edges`: requests alone change edges",
                R::RESOURCE_TYPE.name
            ))),
            _ => Ok(()),
        }
    }

    /// Notes what is decided, for whoever is told of the write once it is done.
    fn see(&self, state: Option<&State<'_, R>>, decision: &Decision<R>) -> Result<()> {
        let Some(seen) = &self.seen else {
            return Ok(());
        };
        let before = state.map(State::without_edges).transpose()?.flatten();
        seen.decided(match (decision, state) {
            (Decision::Keep, _) => None,
            (Decision::Delete, _) => Some(Transition::Deleted {
                before: before.map(Cow::into_owned),
            }),
            (Decision::Put(put), None) => {
                let after = put.resource.clone();
                after.map(|after| Transition::Created { after })
            }
            (Decision::Put(put), Some(_)) => {
                let before = before.map(Cow::into_owned);
                let same = || {
                    before
                        .clone()
                        .map(|same| Stored::new(self.id(), &put.stamp, same).resource)
                };
                let after = put.resource.clone().or_else(same);
                Some(Transition::Changed { before, after })
            }
        });
        Ok(())
    }

    fn decide_create(&self, mut resource: R, now: DateTime) -> Result<Decision<R>> {
        if self.id().is_empty() || self.id().to_ascii_lowercase().contains("bulkid") {
            return Err(Error::internal(
                "the source of identifiers gave one that cannot be used",
            ));
        }
        let mut edges = take_edges(&mut resource)?;
        *resource.id_mut() = ResourceId::new(self.id());
        self.ask(None, Some(&mut resource), &edges)?;
        self.policy.check(&resource)?;
        edges.retain(|edit| !matches!(&edit.change, EdgeChange::Set(edges) if edges.is_empty()));
        growth::check(None, &resource, self.its_limits())?;
        growth::check_edges(&edges, self.its_limits())?;
        self.put(resource, edges, Stamp::first(now))
    }

    fn decide_replace(
        &self,
        state: &State<'_, R>,
        mut next: R,
        unchanged: &[AttrPath],
        now: DateTime,
    ) -> Result<Decision<R>> {
        let before = state.record()?;
        carry_over(before, &mut next, unchanged)?;
        self.policy
            .keep_disabled(R::RESOURCE_TYPE.schema.id, before, &mut next)?;
        let edges = take_edges(&mut next)?;
        self.ask(Some(state), Some(&mut next), &edges)?;
        self.policy.check(&next)?;
        self.compare(state, Some(next), edges, now)
    }

    fn decide_patch(
        &self,
        state: &State<'_, R>,
        edges: &[EdgeEdit],
        rest: &Patch<R>,
        now: DateTime,
    ) -> Result<Decision<R>> {
        let mut edges = edges.to_vec();
        if rest.is_empty() && !self.is_hooked() {
            return self.compare(state, None, edges, now);
        }
        let stored = state.stored()?;
        let applied = match rest.is_empty() {
            true => None,
            false => rest.apply_within(&stored.resource, self.steps())?.resource,
        };
        let mut next = match applied {
            Some(mut next) => {
                match rest.touches_edges() {
                    true => edges.extend(take_edges(&mut next)?),
                    false => unload_edges(&mut next, &|_| true)?,
                }
                Some(next)
            }
            // Rules may yet change it.
            None if self.is_hooked() => state.without_edges()?.map(Cow::into_owned),
            None => None,
        };
        if let Some(next) = next.as_mut().filter(|_| self.is_hooked()) {
            self.ask(Some(state), Some(next), &edges)?;
            self.policy.check(next)?;
        }
        self.compare(state, next, edges, now)
    }

    /// Compares the next state, which is without edges, with the one that is there.
    fn compare(
        &self,
        state: &State<'_, R>,
        next: Option<R>,
        edges: Vec<EdgeEdit>,
        now: DateTime,
    ) -> Result<Decision<R>> {
        let mut next = next;
        let differs = match &mut next {
            Some(next) => state.differs(next)? || carries_transient(next),
            None => false,
        };
        growth::check_edges(&edges, self.its_limits())?;
        if let Some(next) = next.as_ref().filter(|_| differs) {
            growth::check(Some(state.record()?), next, self.its_limits())?;
        }
        let stamp = state.stamp.next(now);
        match (next, edges.is_empty()) {
            (Some(next), _) if differs => self.put(next, edges, stamp),
            (_, true) => Ok(Decision::Keep),
            (_, false) => Ok(Decision::Put(Box::new(Put {
                resource: None,
                handed_on: None,
                edges,
                stamp,
            }))),
        }
    }

    fn put(&self, mut resource: R, edges: Vec<EdgeEdit>, stamp: Stamp) -> Result<Decision<R>> {
        *resource.id_mut() = ResourceId::new(self.id());
        *resource.meta_mut() = stamp.meta(R::RESOURCE_TYPE, self.id());
        let handed_on = carries_transient(&resource).then(|| resource.clone());
        if handed_on.is_some() {
            clear_transient(&mut resource)?;
        }
        Ok(Decision::Put(Box::new(Put {
            resource: Some(resource),
            handed_on,
            edges,
            stamp,
        })))
    }
}

/// A resource that is there, as far as it was read.
struct State<'a, R> {
    stamp: Stamp,
    known: Known<'a, R>,
}

enum Known<'a, R> {
    Nothing,
    Stored(&'a Stored<R>),
    Unfit(&'a dyn Record, &'a Error),
}

impl<'a, R: ScimResource> State<'a, R> {
    fn record(&self) -> Result<&'a dyn Record> {
        match self.known {
            Known::Stored(stored) => Ok(&stored.resource),
            Known::Unfit(record, _) => Ok(record),
            Known::Nothing => Err(unread()),
        }
    }

    fn stored(&self) -> Result<&'a Stored<R>> {
        match self.known {
            Known::Stored(stored) => Ok(stored),
            Known::Unfit(_, fault) => Err(unfit(fault)),
            Known::Nothing => Err(unread()),
        }
    }

    /// Returns the state without its edges; `None` if it was not read or does not fit the struct.
    fn without_edges(&self) -> Result<Option<Cow<'a, R>>> {
        let Known::Stored(stored) = self.known else {
            return Ok(None);
        };
        if !holds_edges(&stored.resource) {
            return Ok(Some(Cow::Borrowed(&stored.resource)));
        }
        let mut bare = stored.resource.clone();
        unload_edges(&mut bare, &|_| true)?;
        Ok(Some(Cow::Owned(bare)))
    }

    /// Returns whether a next state without edges says anything else. Its id and meta are made the same first.
    fn differs(&self, next: &mut R) -> Result<bool> {
        let Known::Stored(stored) = self.known else {
            return Ok(true);
        };
        *next.id_mut() = stored.resource.id().clone();
        *next.meta_mut() = stored.resource.meta().clone();
        let before = self.without_edges()?;
        Ok(before.is_none_or(|before| *next != *before))
    }
}

fn unread() -> Error {
    Error::internal("a store has decided a write without what Write::loads asks for")
}

/// Makes the 400 for a PATCH of what does not fit its struct any more.
fn unfit(fault: &Error) -> Error {
    let error = Error::invalid_value(
        "is missing or not valid in the resource as it is stored, which an earlier version of this service has \
         written: replace the whole resource with PUT",
    );
    match fault.attribute() {
        Some(attribute) => error.at(attribute),
        None => error,
    }
}

/// Carries into a PUT what it does not say and what it cannot change (RFC 7644 section 3.5.1): read-only attributes,
/// immutable, write-only and never returned ones that are missing, and those in `unchanged`, of which nothing is left of
/// what was sent.
///
/// # Errors
/// 400 `mutability` if an immutable attribute would change.
pub fn carry_over<R: ScimResource>(stored: &dyn Record, sent: &mut R, unchanged: &[AttrPath]) -> Result<()> {
    let mut kept = Vec::new();
    collect_kept(stored, Some(sent), AttrPath::ROOT, unchanged, &mut kept)?;
    let limits = Limits::default();
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    for (path, json) in kept {
        let edit = Edit {
            action: json
                .as_ref()
                .map_or(Action::Remove, |json| Action::Replace(json.as_json())),
            select: None,
            rest: path.steps(),
        };
        _ = apply_to_record(sent, edit, &mut cx)?;
    }
    Ok(())
}

/// Gathers what a PUT keeps of `was`, value or absence. `now` is `None` inside a complex attribute that the PUT leaves
/// out.
fn collect_kept(
    was: &dyn Record,
    now: Option<&dyn Record>,
    above: AttrPath,
    unchanged: &[AttrPath],
    kept: &mut Vec<(AttrPath, Option<JsonBuf>)>,
) -> Result<()> {
    for (index, attribute) in was.attributes().iter().enumerate() {
        let before = was.view(index);
        if attribute.edges || attribute.transient {
            continue;
        }
        let Ok(step) = u16::try_from(index) else { continue };
        let path = above.push(step);
        let after = now.map(|now| now.view(index)).unwrap_or_default();
        let missing = !after.is_present();
        if !before.is_present() {
            // Only the service sets it, and it has not.
            let shape = &attribute.shape;
            if shape.mutability == Mutability::ReadOnly && !shape.required && !missing {
                kept.push((path, None));
            }
            continue;
        }
        let keep = match attribute.shape.mutability {
            Mutability::ReadOnly => now.is_some(),
            Mutability::Immutable if !missing && !before.same(&after) => {
                return Err(
                    Error::mutability("is immutable: once set, it cannot be changed").at(attribute.name)
                );
            }
            Mutability::Immutable | Mutability::WriteOnly => missing,
            Mutability::ReadWrite => {
                missing && (attribute.shape.returned == Returned::Never || unchanged.contains(&path))
            }
        };
        if keep {
            kept.push((path, Some(before.to_json())));
        } else if let Some(inner) = before.record() {
            collect_kept(inner, after.record(), path, unchanged, kept)
                .map_err(|error| error.at(attribute.name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::policy::Policy;
    use crate::resources::{Group, Member, Password, User};
    use crate::store::{Loads, Precondition, Version};
    use crate::value::Edges;

    fn cx() -> Arc<()> {
        Arc::new(())
    }

    fn at(seconds: i64) -> DateTime {
        DateTime::from_unix_micros(seconds * 1_000_000)
    }

    fn stored<R: ScimResource>(resource: R) -> Stored<R> {
        Stored::new("2819", &Stamp::first(at(1)), resource)
    }

    fn patch<R: ScimResource>(operations: &str) -> Write<R, ()> {
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":{operations}}}"#
        );
        let patch = Patch::parse(body.as_bytes(), &Policy::tolerant(), &Limits::default()).unwrap();
        Write::patch(&cx(), "2819", &patch).unwrap()
    }

    fn put<R: ScimResource>(decision: Decision<R>) -> Put<R> {
        match decision {
            Decision::Put(put) => *put,
            other => panic!("{other:?} is not a put"),
        }
    }

    /// RFC 9110 section 13.2.1: what the client demands of the version is looked at before what it sent.
    #[test]
    fn the_precondition_comes_first() {
        let stale = Precondition::IfMatch(vec![Version::from(7)]);
        let wrong = patch::<User>(r#"[{"op":"replace","path":"id","value":"1"}]"#).precondition(stale);
        let current = stored(User::new("babs"));
        assert_eq!(wrong.decide(Some(&current), at(2)).unwrap_err().status(), 412);
        assert_eq!(wrong.decide(None, at(2)).unwrap_err().status(), 404);
    }

    #[test]
    fn the_same_question_has_the_same_answer() {
        let write = patch::<User>(r#"[{"op":"add","path":"title","value":"Guide"}]"#);
        let current = stored(User::new("babs"));
        let answers = [(); 2].map(|()| put(write.decide(Some(&current), at(2)).unwrap()));
        let [first, second] = answers.map(|put| (put.resource.unwrap(), put.stamp));
        assert_eq!(first, second);
        assert_eq!(first.1.version, Version::from(2));
        assert_eq!(first.0.meta.last_modified, Some(at(2)));
        assert_eq!(first.0.meta.created, Some(at(1)));
    }

    /// RFC 7644 section 3.5.2.1: a write that changes nothing leaves version and time alone.
    #[test]
    fn what_is_there_already_is_kept() {
        let current = stored(User::new("babs"));
        let mut sent = User::new("babs");
        sent.id = ResourceId::new("another");
        for write in [
            Write::replace(&cx(), "2819", sent),
            patch(r#"[{"op":"replace","path":"userName","value":"babs"}]"#),
            patch(r#"[{"op":"remove","path":"title"}]"#),
        ] {
            let decision = write.decide(Some(&current), at(2)).unwrap();
            assert!(matches!(decision, Decision::Keep), "{write:?}: {decision:?}");
        }
    }

    /// A password is kept nowhere, and yet it is a change (RFC 7643 section 4.1.1).
    #[test]
    fn a_value_that_is_handed_on_alone_makes_a_put() {
        let current = stored(User::new("babs"));
        let write = patch::<User>(r#"[{"op":"replace","path":"password","value":"t1meMa$heen"}]"#);
        let put = put(write.decide(Some(&current), at(2)).unwrap());
        assert_eq!(put.resource.unwrap().password, None);
        assert_eq!(
            put.handed_on.unwrap().password,
            Some(Password::new("t1meMa$heen"))
        );
    }

    /// The headline: whoever changes a member need know nothing of the group but its stamp.
    #[test]
    fn edits_of_edges_need_the_stamp_alone() {
        let add = patch::<Group>(r#"[{"op":"add","path":"members","value":[{"value":"1"}]}]"#);
        assert_eq!(add.loads(), Loads::Stamp);
        let stamp = Stamp::first(at(1));
        let put = put(add.decide(Current::Stamp(&stamp), at(2)).unwrap());
        assert!(put.resource.is_none() && put.edges.len() == 1);
        let within =
            patch::<Group>(r#"[{"op":"replace","path":"members[value eq \"1\"].display","value":"x"}]"#);
        assert_eq!(within.loads(), Loads::ResourceWithEdges);
        let both = patch::<Group>(
            r#"[{"op":"add","path":"members","value":[{"value":"1"}]},{"op":"replace","path":"displayName","value":"x"}]"#,
        );
        assert_eq!(both.loads(), Loads::Resource);
        assert_eq!(Write::<Group, ()>::delete(&cx(), "2819").loads(), Loads::Stamp);
    }

    /// A PUT that does not name its members leaves them alone; one that names them says which are all.
    #[test]
    fn edges_of_a_replacement_are_set_or_left_alone() {
        let mut group = Group::new("Guides");
        group.members = Edges::NotLoaded;
        let current = stored(group.clone());
        let unnamed = Write::replace(&cx(), "2819", group.clone());
        assert!(matches!(
            unnamed.decide(Some(&current), at(2)).unwrap(),
            Decision::Keep
        ));
        group.members = vec![Member::new("1")].into();
        let named = Write::replace(&cx(), "2819", group);
        let put = put(named.decide(Some(&current), at(2)).unwrap());
        assert!(put.resource.is_none());
        assert!(matches!(&put.edges[0].change, EdgeChange::Set(edges) if &*edges[0].value == "1"));
    }

    #[test]
    fn a_store_that_reads_too_little_is_told() {
        let write = Write::replace(&cx(), "2819", User::new("babs"));
        let stamp = Stamp::first(at(1));
        let error = write.decide(Current::Stamp(&stamp), at(2)).unwrap_err();
        assert_eq!(error.status(), 500);
    }

    #[test]
    fn an_id_that_cannot_be_given_is_not() {
        for id in ["", "bulkId:1", "my-BULKID"] {
            let write = Write::create(&cx(), id, User::new("babs"));
            assert_eq!(write.decide(None, at(1)).unwrap_err().status(), 500, "{id:?}");
        }
        let taken = Write::create(&cx(), "2819", User::new("babs"));
        let current = stored(User::new("other"));
        assert_eq!(taken.decide(Some(&current), at(2)).unwrap_err().status(), 500);
    }
}
