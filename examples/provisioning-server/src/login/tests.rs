//! Ways in, from the first link to the last session.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use scim::store::database::{Reader, Transaction};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::hashing::is_outdated;
use super::hashing::tests::outdated;
use super::saml::tests::made;
use super::saml::{Answer, Answered, Then};
use super::second_factor::SetUp;
use super::*;
use crate::actions::account;
use crate::database::keys::Keys;
use crate::database::saml::provider;
use crate::database::{Product, attempts, mail, organizations, passwords, product_of_test, second_factors};
use crate::domain::account::{AccountState, name_key};
use crate::domain::actor::Actor;
use crate::domain::attempts::{Counted, Counter};
use crate::domain::credential::Kind;
use crate::domain::keyword::Keyword;
use crate::domain::link::LinkKind;
use crate::domain::organization::Organization;
use crate::domain::public_url::PublicUrl;
use crate::domain::saml::metadata::Metadata;
use crate::domain::saml::provider::Provider;
use crate::domain::secret::{Secret, SecretKind};
use crate::domain::session::Stage;
use crate::domain::settings::{FirstLogin, SecondFactor as Required, Settings, Switch};

const ADA: &str = "ada@x.example";
const GOOD: &str = "seventeen purple otters";
const OTHER: &str = "eleven quiet lanterns burn";

struct Bench {
    login: Login,
    realm: Realm,
    _folder: tempfile::TempDir,
}

fn name() -> Name {
    Name::parse("acme").unwrap()
}

fn operator() -> Actor {
    Actor::operator("root".to_owned())
}

async fn bench_with(settings: Settings) -> Bench {
    let (product, folder) = product_of_test().await;
    let organization = Organization::new(Uuid::from_u128(1), name(), None, settings, Timestamp::UNIX_EPOCH);
    let organization = organization.unwrap();
    product
        .transact(move |tx| organizations::create(tx, &organization, None))
        .await
        .unwrap();
    let login = Login::new(Arc::new(product)).unwrap();
    let realm = login.realm(&name()).await.unwrap();
    Bench {
        login,
        realm,
        _folder: folder,
    }
}

async fn bench() -> Bench {
    bench_with(Settings::default()).await
}

impl Bench {
    fn product(&self) -> &Product {
        &self.login.product
    }

    async fn account(&self, name_of: &str) -> Uuid {
        let made = account::create(self.product(), &operator(), &name(), name_of, None).await;
        made.unwrap().account.id
    }

    /// Returns the secrets of the links in mails that were not cancelled, the newest last.
    async fn links(&self) -> Vec<Secret> {
        self.login.make_due().await.unwrap();
        let keys: Keys = self.product().keys().clone();
        let paths = self.product().read(move |reader: &Reader<'_>| {
            let sql = "SELECT org, id, sealed_link FROM mail WHERE sealed_link IS NOT NULL ORDER BY id";
            reader.query_all(sql, &[], |row| {
                keys.open(&mail::LINK, &[row.blob(0)?, row.blob(1)?], row.blob(2)?)
            })
        });
        let read = |path: Vec<u8>| {
            let path = String::from_utf8(path).unwrap();
            let (before, secret) = path.rsplit_once('/').unwrap();
            assert_eq!(before, "/o/acme/link");
            Secret::parse(SecretKind::Link, secret).unwrap()
        };
        paths.await.unwrap().into_iter().map(read).collect()
    }

    async fn only_link(&self) -> Secret {
        let mut links = self.links().await;
        assert_eq!(links.len(), 1);
        links.remove(0)
    }

    /// Makes an account that has a password, and the browser in which it was set.
    async fn with_password(&self, name: &str) -> (Uuid, SignedIn) {
        let id = self.account(name).await;
        let link = self.only_link().await;
        let visitor = Visitor::default();
        let signed_in = self.login.use_link(&self.realm, &link, GOOD, &visitor).await;
        (id, signed_in.unwrap())
    }

    async fn sign_in(&self, name: &str, password: &str) -> Outcome<SignedIn> {
        let visitor = Visitor::default();
        self.login.sign_in(&self.realm, name, password, &visitor).await
    }

    async fn is_in(&self, signed_in: &SignedIn) -> bool {
        let current = self.login.current(&self.realm, &signed_in.session).await;
        current.is_ok_and(|current| current.stage() == Stage::Full)
    }

    /// Returns the code that an application shows now, or showed some steps ago.
    async fn code(&self, account: Uuid, steps: i64) -> String {
        let (keys, realm) = (self.product().keys().clone(), self.realm.id());
        let found = self
            .product()
            .read(move |reader| second_factors::find(reader, &keys, realm, account));
        let secret = found.await.unwrap().unwrap().secret;
        let at = Timestamp::now() + SignedDuration::from_secs(30 * steps);
        secret.code(at)
    }

    async fn with_factor(&self) -> (Uuid, SetUp) {
        let (id, signed_in) = self.with_password(ADA).await;
        let login = &self.login;
        let offer = login.offer_factor(&self.realm, &signed_in.session).await.unwrap();
        let again = login.offer_factor(&self.realm, &signed_in.session).await.unwrap();
        assert_eq!(offer.url, again.url, "a page that is opened twice shows the same");
        let code = self.code(id, 0).await;
        let visitor = Visitor::default();
        let set_up = login.confirm_factor(&self.realm, &signed_in.session, &code, &visitor);
        (id, set_up.await.unwrap())
    }
}

fn is_wrong<T>(outcome: &Outcome<T>) -> bool {
    matches!(outcome, Err(Refusal::Wrong))
}

/// Feature row 20: one invitation, which opening does not use and its form uses once; then name and password let in.
#[tokio::test]
async fn an_invitation_is_used_once_and_sets_a_password() {
    let bench = bench().await;
    bench.account(ADA).await;
    let link = bench.only_link().await;
    assert_eq!(
        bench.links().await.len(),
        1,
        "one invitation, however often it is looked"
    );
    let visitor = Visitor::default();
    for _ in 0..3 {
        let shown = bench.login.link(&bench.realm, &link).await.unwrap();
        assert_eq!(
            (shown.kind, shown.person.account.name.as_str()),
            (LinkKind::Invitation, ADA)
        );
    }
    let weak = bench
        .login
        .use_link(&bench.realm, &link, "password1234", &visitor)
        .await;
    assert!(matches!(weak, Err(Refusal::Fault(_))), "{weak:?}");
    let signed_in = bench
        .login
        .use_link(&bench.realm, &link, GOOD, &visitor)
        .await
        .unwrap();
    assert_eq!(signed_in.stage, Stage::Full);
    assert!(bench.is_in(&signed_in).await);
    let again = bench.login.use_link(&bench.realm, &link, OTHER, &visitor).await;
    assert!(matches!(again, Err(Refusal::LinkOver)), "{again:?}");
    assert!(bench.sign_in("ADA@x.example ", GOOD).await.is_ok());
    assert!(is_wrong(&bench.sign_in(ADA, OTHER).await));
}

/// Feature row 24: a forgotten password is the first way in, too; whatever was signed in before ends.
#[tokio::test]
async fn a_forgotten_password_is_replaced() {
    let bench = bench().await;
    let (_, before) = bench.with_password(ADA).await;
    let visitor = Visitor::default();
    for name in [ADA, "nobody@x.example"] {
        bench.login.forgotten(&bench.realm, name, &visitor).await.unwrap();
    }
    let link = bench.only_link().await;
    let shown = bench.login.link(&bench.realm, &link).await.unwrap();
    assert_eq!(shown.kind, LinkKind::ResetLink);
    assert!(bench.is_in(&before).await, "asking changes nothing");
    let after = bench
        .login
        .use_link(&bench.realm, &link, OTHER, &visitor)
        .await
        .unwrap();
    assert!(bench.is_in(&after).await && !bench.is_in(&before).await);
    assert!(is_wrong(&bench.sign_in(ADA, GOOD).await));
    assert!(bench.sign_in(ADA, OTHER).await.is_ok());
}

/// Feature row 90: a second factor is asked for, each code is taken once, recovery codes stand in for it once, and a
/// forgotten password does not remove it.
#[tokio::test]
async fn a_second_factor_is_asked_for() {
    let bench = bench().await;
    let (id, set_up) = bench.with_factor().await;
    let (login, realm, visitor) = (&bench.login, &bench.realm, Visitor::default());
    assert!(bench.is_in(&set_up.signed_in).await);
    assert_eq!(set_up.codes.len(), 10);
    let begun = bench.sign_in(ADA, GOOD).await.unwrap();
    assert_eq!(begun.stage, Stage::SecondFactor);
    assert!(!bench.is_in(&begun).await);
    let current = login.current(realm, &begun.session).await.unwrap();
    assert!(current.actor(None, Timestamp::now()).is_err());
    let used = bench.code(id, 0).await;
    assert!(is_wrong(
        &login.second_factor(realm, &begun.session, &used, &visitor).await
    ));
    let next = bench.code(id, 1).await;
    let full = login
        .second_factor(realm, &begun.session, &next, &visitor)
        .await
        .unwrap();
    assert!(
        bench.is_in(&full).await && !bench.is_in(&begun).await,
        "another secret"
    );

    login.forgotten(realm, ADA, &visitor).await.unwrap();
    let link = bench.only_link().await;
    let begun = login.use_link(realm, &link, OTHER, &visitor).await.unwrap();
    assert_eq!(begun.stage, Stage::SecondFactor);
    let code = &set_up.codes[3];
    let full = login
        .second_factor(realm, &begun.session, code, &visitor)
        .await
        .unwrap();
    assert!(bench.is_in(&full).await);
    let begun = bench.sign_in(ADA, OTHER).await.unwrap();
    assert!(is_wrong(
        &login.second_factor(realm, &begun.session, code, &visitor).await
    ));
    let current = login.current(realm, &full.session).await.unwrap();
    assert_eq!(login.factors(&current).await.unwrap().codes, 9);
}

/// Feature row 90: an organization can ask for a second factor, and until one is set up nothing else can be done.
#[tokio::test]
async fn a_second_factor_can_be_required() {
    let bench = bench_with(Settings {
        second_factor: Required::Required,
        ..Settings::default()
    })
    .await;
    let (id, signed_in) = bench.with_password(ADA).await;
    assert_eq!(signed_in.stage, Stage::SetUp);
    let (login, realm, visitor) = (&bench.login, &bench.realm, Visitor::default());
    login.offer_factor(realm, &signed_in.session).await.unwrap();
    let wrong = login
        .confirm_factor(realm, &signed_in.session, "000", &visitor)
        .await;
    assert!(is_wrong(&wrong));
    let code = bench.code(id, 0).await;
    let set_up = login
        .confirm_factor(realm, &signed_in.session, &code, &visitor)
        .await
        .unwrap();
    assert!(bench.is_in(&set_up.signed_in).await);
    let removed = login
        .remove_factor(realm, &set_up.signed_in.session, &visitor)
        .await;
    assert!(matches!(removed, Err(Refusal::Fault(_))), "{removed:?}");
}

/// Feature row 90: wrong attempts are counted and slowed, the same for whoever is not there, and nobody is locked out of a
/// browser in which they have signed in before.
#[tokio::test]
async fn wrong_attempts_are_slowed_and_nobody_is_locked_out() {
    let bench = bench().await;
    let (_, signed_in) = bench.with_password(ADA).await;
    let realm = bench.realm.id();
    for name in [ADA, "nobody@x.example"] {
        for failed in 1..=3 {
            assert!(is_wrong(&bench.sign_in(name, OTHER).await), "{name}");
            let found = bench
                .product()
                .read(move |reader| attempts::find(reader, realm, Counted::Name, name));
            assert_eq!(found.await.unwrap().failed, failed, "{name}");
        }
        let many = Counter {
            failed: 30,
            last: Timestamp::now(),
        };
        let set = bench
            .product()
            .transact(move |tx| Ok(attempts::set(tx, realm, Counted::Name, name, many)?));
        set.await.unwrap();
        let slowed = bench.sign_in(name, GOOD).await;
        assert!(
            matches!(slowed, Err(Refusal::Slowed { .. })),
            "{name}: {slowed:?}"
        );
    }
    let known = Visitor {
        device: signed_in.device.clone(),
        ..Visitor::default()
    };
    let own = bench.login.sign_in(&bench.realm, ADA, GOOD, &known).await;
    assert!(own.is_ok(), "{own:?}");
}

/// Feature row 24: an unknown, a known, a suspended and a SAML-only account cost the same comparisons and writes.
#[tokio::test]
async fn nobody_learns_from_the_work_whether_there_is_an_account() {
    let bench = bench().await;
    bench.with_password(ADA).await;
    bench.account("locked@x.example").await;
    account::suspend(bench.product(), &operator(), &name(), "locked@x.example", "test")
        .await
        .unwrap();
    bench.account("saml@x.example").await;
    bench
        .product()
        .transact(|tx| {
            let key = name_key("saml@x.example");
            let sql = "UPDATE account SET first_login = ?2 WHERE name_key = ?1";
            Ok(tx.execute(sql, &[(&key).into(), FirstLogin::Saml.word().into()])?)
        })
        .await
        .unwrap();
    let mut costs = BTreeMap::new();
    for name in [ADA, "nobody@x.example", "locked@x.example", "saml@x.example"] {
        let before = (bench.login.verifications(), bench.product().statistics().writes);
        assert!(is_wrong(&bench.sign_in(name, OTHER).await), "{name}");
        let after = (bench.login.verifications(), bench.product().statistics().writes);
        costs.insert(name, (after.0 - before.0, after.1 - before.1));
    }
    assert!(costs.values().all(|cost| *cost == (1, 2)), "{costs:?}");
}

/// OWASP's cheat sheet on storing passwords: the hash of a password is made anew with the parameters of now when its person
/// signs in, and it counts as no change of the password.
#[tokio::test]
async fn an_outdated_hash_is_renewed_by_a_sign_in() {
    let bench = bench().await;
    let (id, _) = bench.with_password(ADA).await;
    let realm = bench.realm.id();
    let kept = async || {
        let job = move |reader: &Reader<'_>| {
            let hash = passwords::find(reader, realm, id)?.unwrap();
            Ok((hash, passwords::changed(reader, realm, id)?))
        };
        bench.product().read(job).await.unwrap()
    };
    let (fresh, changed) = kept().await;
    bench
        .product()
        .transact(move |tx| Ok(passwords::renew(tx, realm, id, &outdated(GOOD))?))
        .await
        .unwrap();
    assert!(is_wrong(&bench.sign_in(ADA, OTHER).await));
    assert_eq!(kept().await.0, outdated(GOOD), "a wrong password renews nothing");
    bench.sign_in(ADA, GOOD).await.unwrap();
    let (renewed, unchanged) = kept().await;
    assert!(!is_outdated(&renewed) && renewed != fresh);
    assert_eq!(unchanged, changed);
    bench.sign_in(ADA, GOOD).await.unwrap();
    assert_eq!(kept().await.0, renewed, "once");
}

/// Feature rows 97, 111: whatever ends access ends sessions and links at once; password and second factor come back with
/// it, and end with a removal.
#[tokio::test]
async fn credentials_end_with_access_and_come_back_as_row_97_says() {
    for (kind, state) in [
        ("suspension", None),
        ("deactivation", Some(AccountState::Disabled)),
        ("removal", Some(AccountState::Removed)),
    ] {
        let bench = bench().await;
        let (id, set_up) = bench.with_factor().await;
        bench
            .login
            .forgotten(&bench.realm, ADA, &Visitor::default())
            .await
            .unwrap();
        let link = bench.only_link().await;
        let change = |state| account::Changes {
            state: Some(state),
            ..account::Changes::default()
        };
        match state {
            None => account::suspend(bench.product(), &operator(), &name(), ADA, "test").await,
            Some(state) => account::change(bench.product(), &operator(), &name(), ADA, change(state)).await,
        }
        .unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        assert!(!bench.is_in(&set_up.signed_in).await, "{kind}");
        assert!(is_wrong(&bench.sign_in(ADA, GOOD).await), "{kind}");
        let used = bench
            .login
            .use_link(&bench.realm, &link, OTHER, &Visitor::default())
            .await;
        assert!(matches!(used, Err(Refusal::LinkOver)), "{kind}: {used:?}");
        bench
            .login
            .forgotten(&bench.realm, ADA, &Visitor::default())
            .await
            .unwrap();
        assert!(bench.links().await.is_empty(), "{kind}");
        let back = match state {
            None => account::resume(bench.product(), &operator(), &name(), ADA)
                .await
                .map(drop),
            Some(AccountState::Disabled) => {
                let active = change(AccountState::Active);
                account::change(bench.product(), &operator(), &name(), ADA, active)
                    .await
                    .map(drop)
            }
            Some(_) => Ok(()),
        };
        back.unwrap();
        if state == Some(AccountState::Removed) {
            let left = bench.credentials(id).await;
            assert!(left.is_empty(), "{left:?}");
            bench.account(ADA).await;
            assert!(
                is_wrong(&bench.sign_in(ADA, GOOD).await),
                "another account of the same name"
            );
            continue;
        }
        assert!(
            !bench.is_in(&set_up.signed_in).await,
            "{kind}: sessions do not come back"
        );
        let begun = bench.sign_in(ADA, GOOD).await.unwrap();
        assert_eq!(begun.stage, Stage::SecondFactor, "{kind}");
        let visitor = Visitor::default();
        let full = bench
            .login
            .second_factor(&bench.realm, &begun.session, &set_up.codes[0], &visitor)
            .await;
        assert!(bench.is_in(&full.unwrap()).await, "{kind}");
    }
}

impl Bench {
    /// Returns the kinds of credentials that an account has.
    async fn credentials(&self, account: Uuid) -> Vec<Kind> {
        let realm = self.realm.id();
        let found = self.product().read(move |reader| {
            let mut kinds = Vec::new();
            for kind in Kind::ALL {
                let (table, condition) = match kind {
                    Kind::Session => ("session", ""),
                    Kind::Invitation => ("link", "AND kind IN ('invitation', 'set-up')"),
                    Kind::ResetLink => ("link", "AND kind IN ('reset-link', 'recovery')"),
                    Kind::Password => ("password", ""),
                    Kind::SecondFactor => ("second_factor", ""),
                    Kind::RecoveryCode => ("recovery_code", ""),
                    Kind::SetupLink => ("setup_link", ""),
                };
                let sql = format!("SELECT count(*) FROM {table} WHERE org = ?1 AND account = ?2 {condition}");
                let params = [realm.as_bytes().into(), account.as_bytes().into()];
                let count = reader.query_one(&sql, &params, |row| row.integer(0))?;
                if count.unwrap_or_default() > 0 {
                    kinds.push(*kind);
                }
            }
            Ok(kinds)
        });
        found.await.unwrap()
    }
}

/// Feature row 94: sessions are listed, end one by one and all at once.
#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let bench = bench().await;
    let (_, first) = bench.with_password(ADA).await;
    let second = bench.sign_in(ADA, GOOD).await.unwrap();
    let current = bench.login.current(&bench.realm, &second.session).await.unwrap();
    let all = bench.login.sessions(&current).await.unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].id, current.session.id);
    bench
        .login
        .end_session(&bench.realm, &second.session, all[1].id)
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!bench.is_in(&first).await && bench.is_in(&second).await);
    bench
        .login
        .sign_out_everywhere(&bench.realm, &second.session, &Visitor::default())
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!bench.is_in(&second).await);
}

/// Feature row 18: a password is changed by whoever knows the present one; other sessions end.
#[tokio::test]
async fn a_password_is_changed_by_whoever_knows_it() {
    let bench = bench().await;
    let (_, first) = bench.with_password(ADA).await;
    let second = bench.sign_in(ADA, GOOD).await.unwrap();
    let change = |present: &str| Change {
        present: present.to_owned(),
        new: OTHER.to_owned(),
    };
    let visitor = Visitor::default();
    let wrong = bench
        .login
        .change_password(&bench.realm, &second.session, &change("x"), &visitor)
        .await;
    assert!(is_wrong(&wrong));
    let third = bench
        .login
        .change_password(&bench.realm, &second.session, &change(GOOD), &visitor)
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(bench.is_in(&third).await && !bench.is_in(&first).await && !bench.is_in(&second).await);
    assert!(bench.sign_in(ADA, OTHER).await.is_ok());
}

/// Feature row 89: the first owner comes by a link that is used once; there is none any more then.
#[tokio::test]
async fn the_first_owner_comes_by_a_link() {
    let bench = bench().await;
    let first = set_up_link(bench.product()).await.unwrap().unwrap();
    let link = set_up_link(bench.product()).await.unwrap().unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let (login, visitor) = (&bench.login, Visitor::default());
    assert!(
        matches!(login.demand_set_up(&first).await, Err(Refusal::LinkOver)),
        "the earlier one ends"
    );
    login.demand_set_up(&link).await.unwrap();
    let chosen = |address: &str| Chosen {
        address: address.to_owned(),
        password: GOOD.to_owned(),
    };
    let bad = login.set_up(&link, &chosen("nobody"), &visitor).await;
    assert!(matches!(bad, Err(Refusal::Fault(_))), "{bad:?}");
    let owner = login
        .set_up(&link, &chosen("root@x.example"), &visitor)
        .await
        .unwrap();
    let current = login.current(&Realm::Instance, &owner.session).await.unwrap();
    let actor = current.actor(None, Timestamp::now()).unwrap();
    assert!(actor.is_of_instance() && actor.fresh);
    let again = login.set_up(&link, &chosen("eve@x.example"), &visitor).await;
    assert!(matches!(again, Err(Refusal::LinkOver)), "{again:?}");
    assert!(set_up_link(bench.product()).await.unwrap().is_none());
    let signed_in = login
        .sign_in(&Realm::Instance, "root@x.example", GOOD, &visitor)
        .await;
    assert!(signed_in.is_ok());
    let elsewhere = login.current(&bench.realm, &owner.session).await;
    assert!(
        matches!(elsewhere, Err(Refusal::SignedOut)),
        "a session is of one realm"
    );
}

/// Runs a sign-in by SAML from its beginning to its end.
async fn by_saml(bench: &Bench, base: &PublicUrl, asked: &Value, then: &Then) -> Answered {
    let Realm::Organization(organization) = &bench.realm else {
        panic!("an organization")
    };
    let begun = bench.login.begin_saml(organization, base, None, then).await;
    let begun = begun.unwrap().unwrap();
    let url = Url::parse(&begun.url).unwrap();
    let field = |name| {
        url.query_pairs()
            .find(|(field, _)| field == name)
            .map(|(_, text)| text.into_owned())
    };
    let deflated = STANDARD.decode(field("SAMLRequest").unwrap()).unwrap();
    let request = String::from_utf8(saml_rs::binding::deflate_raw_decode(&deflated).unwrap()).unwrap();
    let (_, id) = request.split_once(" ID=\"").unwrap();
    let mut asked = asked.clone();
    asked["request"] = id.split_once('"').unwrap().0.into();
    let answer = Answer {
        response: made("assertion", &asked)["response"].as_str().unwrap().to_owned(),
        relay_state: field("RelayState").unwrap_or_default(),
        browser: Some(begun.browser),
    };
    let visitor = Visitor::default();
    let answered = bench.login.answer_saml(organization, base, answer, &visitor);
    answered.await.unwrap()
}

/// Feature row 23b: the person of a manual account signs in by SAML once they have confirmed that, while they were signed in
/// with its own credentials.
#[tokio::test]
async fn a_manual_account_signs_in_by_saml_once_that_is_confirmed() {
    let settings = Settings {
        sso: Switch::On,
        ..Settings::default()
    };
    let bench = bench_with(settings).await;
    let (_, signed_in) = bench.with_password(ADA).await;
    let base = PublicUrl::parse("https://scim.example").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let id = bench.realm.id();
    let asked = json!({
        "issuer": "https://provider.example/metadata", "folder": folder.path(), "keys": ["provider"],
        "url": "https://provider.example/sso", "entity_id": base.saml_entity_id(id), "acs": base.saml_acs(&name()),
        "name_id": ADA, "stable_id": null,
    });
    let metadata = made("metadata", &asked)["metadata"].as_str().unwrap().to_owned();
    let now = Timestamp::now();
    let provider = Provider {
        tried: Some(now),
        ..Provider::new(Metadata::read(&metadata, now).unwrap(), None, now)
    };
    let put = move |tx: &Transaction<'_>| Ok(provider::put(tx, id, &provider)?);
    bench.product().transact(put).await.unwrap();
    let to_home = Then::Page(String::new());
    assert!(matches!(
        by_saml(&bench, &base, &asked, &to_home).await,
        Answered::Refused(Some(_))
    ));
    let current = bench
        .login
        .current(&bench.realm, &signed_in.session)
        .await
        .unwrap();
    let stale = now + SignedDuration::from_hours(1);
    assert!(matches!(
        bench.login.saml_confirmation(&current, stale).await,
        Err(Refusal::Fault(_))
    ));
    let link = bench.login.saml_confirmation(&current, now).await.unwrap();
    let confirm = Then::Errand(link);
    assert!(matches!(
        by_saml(&bench, &base, &asked, &confirm).await,
        Answered::Confirmed
    ));
    assert!(matches!(
        by_saml(&bench, &base, &asked, &to_home).await,
        Answered::SignedIn(_)
    ));
}

/// Feature row 70: whoever signs in is in the audit log, with what they have changed about it.
#[tokio::test]
async fn a_sign_in_is_in_the_audit_log() {
    let bench = bench().await;
    bench.with_factor().await;
    let rows = bench.product().read(|reader| {
        let sql = "SELECT action, actor_kind FROM audit WHERE actor = ?1 ORDER BY sequence";
        reader.query_all(sql, &[ADA.into()], |row| {
            Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned()))
        })
    });
    let rows = rows.await.unwrap();
    let expected = [
        "password.set",
        "session.begin",
        "second-factor.add",
        "session.begin",
    ];
    assert_eq!(
        rows,
        expected.map(|action| (action.to_owned(), "account".to_owned()))
    );
}
