//! Every action against every kind of actor: what is not permitted is refused before anything is looked up, changed or told.

use std::collections::BTreeSet;
use std::pin::Pin;

use jiff::Timestamp;
use uuid::Uuid;

use crate::actions::*;
use crate::database::accounts::Shown as ShownAccounts;
use crate::database::groups;
use crate::database::page::Page;
use crate::database::{Product, organizations, product_of_test};
use crate::domain::account::AccountState;
use crate::domain::actor::{Action, Actor, Who};
use crate::domain::audit::AuditFilter;
use crate::domain::conflict::ConflictState;
use crate::domain::fault::{Kind, Result};
use crate::domain::group::ProvisionedGroup;
use crate::domain::history::HistoryFilter;
use crate::domain::integration::Attached;
use crate::domain::organization::{Name, Organization};
use crate::domain::permission::{Permission, Permissions};
use crate::domain::role::{Draft, first_roles};
use crate::domain::saml::assertion::Signed;
use crate::domain::saml::provider::Former;
use crate::domain::settings::{Changes, IdentityProvider, Preset, SecondFactor, Settings};
use crate::domain::token::{Issue, Purpose};
use crate::fetch::Fetcher;
use crate::transfer::rows::Format;

/// Two organizations that have the same things.
struct Bench {
    product: Product,
    _folder: tempfile::TempDir,
}

const ANN: &str = "ann@x.example";

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn at() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

async fn bench() -> Bench {
    let (product, folder) = product_of_test().await;
    for (number, org) in (1..).zip(["acme", "other"]) {
        let settings = Settings::of(Preset::LevelAccess);
        let organization =
            Organization::new(Uuid::from_u128(number), name(org), None, settings, at()).unwrap();
        let id = organization.id;
        product
            .transact(move |tx| organizations::create(tx, &organization, None))
            .await
            .unwrap();
        let group = ProvisionedGroup {
            row: 5,
            id: "g".to_owned(),
            name: "Crew".to_owned(),
            external_id: None,
            created: at(),
        };
        product
            .write(move |tx| Ok(Ok(groups::insert(tx, id, &group)?)))
            .await
            .unwrap();
        let operator = Actor::operator("root".to_owned());
        account::create(&product, &operator, &name(org), ANN, None)
            .await
            .unwrap();
        local_group::create(&product, &operator, &name(org), "Desk", "")
            .await
            .unwrap();
    }
    Bench {
        product,
        _folder: folder,
    }
}

impl Bench {
    /// Returns how much was ever changed.
    async fn changes(&self) -> i64 {
        let count = self.product.read(|reader| {
            let sql = "SELECT (SELECT count(*) FROM audit) + (SELECT count(*) FROM event)";
            reader.query_one(sql, &[], |row| row.integer(0))
        });
        count.await.unwrap().unwrap()
    }
}

/// Makes an administrator of the first organization.
fn actor(permissions: Permissions, fresh: bool) -> Actor {
    Actor {
        who: Who::Account {
            organization: Uuid::from_u128(1),
            id: Uuid::from_u128(9),
            name: "eve@x.example".to_owned(),
        },
        permissions,
        fresh,
        address: None,
    }
}

type Attempt<'a> = Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// An action and one way to ask for it.
struct Way {
    action: &'static Action,
    attempt: for<'a> fn(&'a Product, &'a Actor, &'a Name) -> Attempt<'a>,
}

macro_rules! ways {
    ($($action:path => |$product:ident, $actor:ident, $org:ident| $call:expr;)*) => {
        vec![$(Way {
            action: &$action,
            attempt: |$product, $actor, $org| Box::pin(async move { $call.await.map(drop) }),
        }),*]
    };
}

fn by_hand() -> account::ByHand {
    account::ByHand {
        roles: Vec::new(),
        permissions: Permissions::from_iter([Permission::USERS_READ]),
    }
}

fn settings(settings: Changes) -> organization::Change {
    organization::Change {
        settings,
        ..organization::Change::default()
    }
}

fn new(how: Issue) -> token::New {
    token::New {
        purpose: Purpose::Scim,
        how,
        days: None,
    }
}

fn ways() -> Vec<Way> {
    ways! {
        account::CHANGE => |p, a, o| account::change(p, a, o, ANN, account::Changes { state: Some(AccountState::Disabled), ..Default::default() });
        account::CREATE => |p, a, o| account::create(p, a, o, "bob@x.example", None);
        account::GRANT => |p, a, o| account::grant(p, a, o, ANN, by_hand());
        account::LIST => |p, a, o| account::list(p, a, o, ShownAccounts::default(), None, Page { size: 9, ..Default::default() });
        account::RESUME => |p, a, o| account::resume(p, a, o, ANN);
        account::REVOKE => |p, a, o| account::revoke(p, a, o, ANN, by_hand());
        account::SUSPEND => |p, a, o| account::suspend(p, a, o, ANN, "Laptop lost");
        account::SUSPEND_UNCONFIRMED => |p, a, o| account::suspend_unconfirmed(p, a, o, "Not sent");
        adoption::ADOPT => |p, a, o| adoption::adopt(p, a, o, ANN, None);
        activity::SHOW => |p, a, o| activity::show(p, a, o, Timestamp::now());
        alert::LIST => |p, a, o| alert::list(p, a, o);
        alert::SEE => |p, a, o| alert::see_all(p, a, o);
        audit::EXPORT => |p, a, o| audit::export(p, a, o, AuditFilter::default(), Format::JsonLines);
        audit::LIST => |p, a, o| audit::list(p, a, o, AuditFilter::default(), None, 9);
        conflict::IGNORE => |p, a, o| conflict::ignore(p, a, o, Uuid::nil());
        conflict::LIST => |p, a, o| conflict::list(p, a, o, ConflictState::Open, None, 9);
        conflict::REOPEN => |p, a, o| conflict::reopen(p, a, o, Uuid::nil());
        conflict::SHOW => |p, a, o| conflict::show(p, a, o, Uuid::nil());
        connection::SHOW => |p, a, o| connection::show(p, a, o, at());
        erasure::ERASE => |p, a, o| erasure::erase(p, a, o, ANN, ANN);
        event::LIST => |p, a, o| event::list(p, a, o, None, 9);
        group::LIST => |p, a, o| group::list(p, a, o, group::Shown { page: Page { size: 9, ..Default::default() }, unmapped: false });
        history::EXPORT => |p, a, o| history::export(p, a, o, HistoryFilter::default(), Format::JsonLines);
        history::LIST => |p, a, o| history::list(p, a, o, HistoryFilter::default(), None, 9);
        history::PURGE => |p, a, o| history::purge(p, a, o, at());
        history::SHOW => |p, a, o| history::show(p, a, o, "x".to_owned());
        local_group::ASSIGN => |p, a, o| local_group::assign(p, a, o, "Desk", vec![ANN.to_owned()], local_group::Assign::Join);
        local_group::CHANGE => |p, a, o| local_group::change(p, a, o, "Desk", local_group::Changes { name: Some("Front".to_owned()), ..Default::default() });
        local_group::CREATE => |p, a, o| local_group::create(p, a, o, "Night", "");
        local_group::DELETE => |p, a, o| local_group::delete(p, a, o, "Desk");
        local_group::LIST => |p, a, o| local_group::list(p, a, o);
        mail::CANCEL => |p, a, o| mail::cancel(p, a, o, Uuid::nil());
        mail::LIST => |p, a, o| mail::list(p, a, o, None, None, 9);
        mail::RETRY => |p, a, o| mail::retry(p, a, o, Uuid::nil());
        mail::SHOW => |p, a, o| mail::show(p, a, o, Uuid::nil());
        integration::DELETE => |p, a, o| integration::delete(p, a, o, Some(Attached::Detach), |_| {});
        integration::DISABLE => |p, a, o| integration::switch(p, a, o, false);
        integration::ENABLE => |p, a, o| integration::switch(p, a, o, true);
        integration::SHOW => |p, a, o| integration::show(p, a, o);
        mapping::LIST => |p, a, o| mapping::list(p, a, o);
        mapping::SET => |p, a, o| mapping::set(p, a, o, "Crew", vec!["Read only".to_owned()]);
        organization::DELETE => |p, a, o| organization::delete(p, a, o, Some(o.as_str()));
        organization::LIST => |p, a, o| organization::show(p, a, o);
        organization::SET => |p, a, o| organization::set(p, a, o, organization::Change { display: Some("Acme Inc.".to_owned()), ..Default::default() }, |_| {});
        organization::SET_INTEGRATION => |p, a, o| organization::set(p, a, o, settings(Changes { idp: Some(IdentityProvider::Okta), ..Default::default() }), |_| {});
        organization::SET_LOGIN => |p, a, o| organization::set(p, a, o, settings(Changes { second_factor: Some(SecondFactor::Required), ..Default::default() }), |_| {});
        role::CHANGE => |p, a, o| role::change(p, a, o, "Read only", role::Changes { description: Some("x".to_owned()), ..Default::default() });
        role::CREATE => |p, a, o| role::create(p, a, o, Draft { name: "Desk".to_owned(), description: String::new(), permissions: Permissions::NONE });
        role::DELETE => |p, a, o| role::delete(p, a, o, "Read only");
        role::LIST => |p, a, o| role::list(p, a, o, Page { size: 9, ..Default::default() });
        saml::DELETE => |p, a, o| saml::delete(p, a, o, None);
        saml::FAILURES => |p, a, o| saml::failures(p, a, o, None, 9);
        saml::REFRESH => |p, a, o| saml::refresh(p, &Fetcher::default(), a, o, Former::Overlap);
        saml::SET => |p, a, o| saml::set(p, &Fetcher::default(), a, o, saml::Changes { signed: Some(Signed::Response), ..Default::default() });
        saml::SHOW => |p, a, o| saml::show(p, a, o);
        saml::TRY => |p, a, o| saml::try_out(p, a, o);
        setup_link::CREATE => |p, a, o| setup_link::create(p, a, o);
        setup_link::LIST => |p, a, o| setup_link::list(p, a, o);
        setup_link::REVOKE => |p, a, o| setup_link::revoke(p, a, o, Uuid::nil());
        sign_in::INVITE => |p, a, o| sign_in::invite(p, a, o, ANN);
        sign_in::RESET_FACTOR => |p, a, o| sign_in::reset_factor(p, a, o, ANN);
        sign_in::SHOW => |p, a, o| sign_in::show(p, a, o, ANN);
        sign_in::SIGN_OUT => |p, a, o| sign_in::sign_out(p, a, o, ANN);
        token::CANCEL => |p, a, o| token::cancel(p, a, o, Purpose::Scim);
        token::COMPLETE => |p, a, o| token::complete(p, a, o, Purpose::Scim);
        token::CONFIRM => |p, a, o| token::confirm(p, a, o, None);
        token::CREATE => |p, a, o| token::issue(p, a, o, new(Issue::Create));
        token::LIST => |p, a, o| token::list(p, a, o);
        token::REVOKE => |p, a, o| token::revoke(p, a, o, None);
        token::ROTATE => |p, a, o| token::issue(p, a, o, new(Issue::Rotate));
    }
}

/// Actions that are not asked for by themselves, and why.
const WITHIN_OTHERS: [&str; 3] = [
    // It is of no organization, and the operator's alone: see `demands`.
    "organization.create",
    // The operator's alone: see `demands`.
    "mail.show-link",
    // Part of `history.show`, which leaves the body out for whoever may not see it.
    "history.show-body",
];

/// Feature row 86: no action is left out of what is tried here.
#[test]
fn every_action_is_tried() {
    let tried: BTreeSet<_> = ways().iter().map(|way| way.action.name).collect();
    let known: BTreeSet<_> = ALL.iter().map(|action| action.name).collect();
    let left: Vec<_> = known
        .difference(&tried)
        .filter(|name| !WITHIN_OTHERS.contains(name))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(tried.len(), ways().len());
}

/// Feature rows 14, 86: every set of permissions of one, and each role of a new organization, against every action: whoever lacks
/// its permission is refused, and nothing has happened.
#[tokio::test]
async fn who_lacks_a_permission_is_refused() {
    let bench = bench().await;
    let single = Permission::CATALOGUE
        .iter()
        .map(|one| Permissions::from_iter([one.clone()]));
    let roles = first_roles().into_iter().map(|role| role.permissions);
    let sets: Vec<_> = single.chain(roles).chain([Permissions::NONE]).collect();
    let before = bench.changes().await;
    let mut refusals = 0;
    for way in ways() {
        for permissions in sets.iter().filter(|set| !set.has(&way.action.permission)) {
            let eve = actor(permissions.clone(), true);
            let refused = (way.attempt)(&bench.product, &eve, &name("acme"))
                .await
                .unwrap_err();
            assert_eq!(
                refused.kind(),
                Kind::Forbidden,
                "{} with {permissions}: {refused}",
                way.action.name
            );
            assert!(
                refused.to_string().contains(&way.action.permission.to_string()),
                "{refused}"
            );
            refusals += 1;
        }
    }
    assert_eq!(bench.changes().await, before);
    assert!(refusals > 20 * ways().len(), "{refusals}");
}

/// Feature row 90: where a second factor that was proved a moment ago is asked for, nothing goes without.
#[tokio::test]
async fn a_stale_factor_is_refused_where_a_fresh_one_is_asked_for() {
    let bench = bench().await;
    let before = bench.changes().await;
    for way in ways().iter().filter(|way| way.action.fresh) {
        let eve = actor(Permissions::catalogue(), false);
        let refused = (way.attempt)(&bench.product, &eve, &name("acme"))
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), Kind::Stale, "{}: {refused}", way.action.name);
    }
    assert_eq!(bench.changes().await, before);
}

/// Feature row 15: to an administrator of one organization the others do not exist, whatever they may do in their own.
#[tokio::test]
async fn an_administrator_knows_their_own_organization_alone() {
    let bench = bench().await;
    let before = bench.changes().await;
    for way in ways() {
        let eve = actor(Permissions::catalogue(), true);
        let refused = (way.attempt)(&bench.product, &eve, &name("other"))
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), Kind::NotFound, "{}: {refused}", way.action.name);
        assert!(
            refused.to_string().contains("There is no organization \"other\""),
            "{}: {refused}",
            way.action.name
        );
    }
    assert_eq!(bench.changes().await, before);
}

/// Feature row 86: whoever has every permission, and a fresh factor, is not refused for lack of them.
#[tokio::test]
async fn who_may_do_everything_may() {
    for way in ways() {
        let bench = bench().await;
        let eve = actor(Permissions::catalogue(), true);
        let done = (way.attempt)(&bench.product, &eve, &name("acme")).await;
        let kind = done.as_ref().err().map(crate::domain::fault::Fault::kind);
        assert!(
            !matches!(kind, Some(Kind::Forbidden | Kind::Stale | Kind::Internal)),
            "{}: {done:?}",
            way.action.name
        );
    }
}
