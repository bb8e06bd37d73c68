//! The needs of actions on organizations and tokens beyond their permission.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::actions::organization::{Beginning, Change, Draft};
use crate::actions::token::New;
use crate::actions::{self, integration, organization, setup_link, token};
use crate::database::{Product, groups, mail, mappings, organizations, product_of_test, roles};
use crate::domain::actor::{Action, Actor, Who};
use crate::domain::audit::{AuditFilter, By};
use crate::domain::fault::{Fault, Kind, Result};
use crate::domain::group::ProvisionedGroup;
use crate::domain::mail::{Link, Mail, Recipient};
use crate::domain::organization::Name;
use crate::domain::permission::{Permission, Permissions};
use crate::domain::role::{Draft as RoleDraft, Role, RoleId};
use crate::domain::secret::Secret;
use crate::domain::settings::{Changes, Switch};
use crate::domain::token::{Issue, Purpose};

struct Bench {
    product: Product,
    acme: Name,
    id: Uuid,
    other: Uuid,
    secret: Secret,
    _folder: tempfile::TempDir,
}

/// Makes two organizations, each with a token.
async fn bench() -> Bench {
    let (product, folder) = product_of_test().await;
    let root = Actor::operator("root".to_owned());
    let mut secrets = Vec::new();
    for name in ["acme", "other"] {
        let draft = draft(name);
        secrets.extend(organization::create(&product, &root, draft).await.unwrap());
    }
    let ids: Vec<_> = product
        .organizations()
        .await
        .unwrap()
        .iter()
        .map(|found| found.id)
        .collect();
    Bench {
        product,
        acme: Name::parse("acme").unwrap(),
        id: ids[0],
        other: ids[1],
        secret: secrets.remove(0),
        _folder: folder,
    }
}

fn draft(name: &str) -> Draft {
    Draft {
        name: Name::parse(name).unwrap(),
        display: None,
        settings: Changes::default(),
        beginning: Beginning::WithToken,
    }
}

fn administrator(organization: Uuid, permissions: Permissions, fresh: bool) -> Actor {
    Actor {
        who: Who::Account {
            organization,
            id: Uuid::from_u128(7),
            name: "ada@x.example".to_owned(),
        },
        permissions,
        fresh,
        address: None,
    }
}

impl Bench {
    /// Attempts what only somebody with everything that the provider can give may do.
    async fn attempt(&self, actor: &Actor, action: &Action) -> Result<()> {
        let (product, acme) = (&self.product, &self.acme);
        let new = |how| New {
            purpose: Purpose::Scim,
            how,
            days: None,
        };
        match action.name {
            "login.set" => {
                let idp_initiated_saml = Some(Switch::On);
                let settings = Changes {
                    idp_initiated_saml,
                    ..Changes::default()
                };
                let change = Change {
                    settings,
                    ..Change::default()
                };
                organization::set(product, actor, acme, change, |_| {})
                    .await
                    .map(drop)
            }
            "setup-link.create" => setup_link::create(product, actor, acme).await.map(drop),
            "token.create" => token::issue(product, actor, acme, new(Issue::Create))
                .await
                .map(drop),
            _ => token::issue(product, actor, acme, new(Issue::Rotate))
                .await
                .map(drop),
        }
    }
}

/// Feature rows 86, 89: organizations are made by the operator and owners of the instance alone.
#[tokio::test]
async fn no_administrator_makes_organizations() {
    let bench = bench().await;
    let owner = administrator(bench.id, Permissions::catalogue(), true);
    let refused = organization::create(&bench.product, &owner, draft("third"))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden);
    assert!(refused.to_string().contains("the operator"), "{refused}");
}

/// Feature row 106: a token is taken back by what it is, in the organization that whoever does it belongs to.
#[tokio::test]
async fn a_token_of_another_organization_is_not_found_by_its_value() {
    let bench = bench().await;
    let foreign = administrator(bench.other, Permissions::catalogue(), true);
    let own = administrator(bench.id, Permissions::catalogue(), false);
    let revoke = async |actor: &Actor| {
        let outcome = token::revoke_by_value(&bench.product, actor, bench.secret.reveal()).await;
        outcome.err().as_ref().map(Fault::kind)
    };
    assert_eq!(revoke(&foreign).await, Some(Kind::NotFound));
    assert_eq!(revoke(&own).await, None);
    assert_eq!(
        revoke(&own).await,
        Some(Kind::Conflict),
        "it is not live any more"
    );
    let lacking = administrator(bench.id, Permissions::NONE, true);
    assert_eq!(revoke(&lacking).await, Some(Kind::Forbidden));
}

/// Feature row 15: an administrator's list has their own organization.
#[tokio::test]
async fn an_administrator_sees_their_own_organization() {
    let bench = bench().await;
    let foreign = administrator(bench.other, Permissions::catalogue(), false);
    let listed = organization::list(&bench.product, &foreign).await.unwrap();
    let listed: Vec<_> = listed.into_iter().map(|found| found.id).collect();
    assert_eq!(listed, [bench.other]);
}

/// Feature rows 71, 87: who makes or rotates the provider's credential, hands out a link by which it is made, or changes how
/// people sign in, has everything that the provider can give.
#[tokio::test]
async fn the_power_of_the_provider_is_asked_for() {
    let bench = bench().await;
    let (id, now) = (bench.id, Timestamp::now());
    bench
        .product
        .transact(move |tx| {
            let permissions = ["app:payroll"].map(|text| Permission::parse(text).unwrap());
            let draft = RoleDraft {
                name: "Payroll".to_owned(),
                description: String::new(),
                permissions: permissions.into_iter().collect(),
            };
            let role = Role::new(RoleId(Uuid::now_v7()), draft, now);
            roles::insert(tx, id, &role)?;
            let group = ProvisionedGroup {
                row: 1,
                id: "g".to_owned(),
                name: "Crew".to_owned(),
                external_id: None,
                created: now,
            };
            groups::insert(tx, id, &group)?;
            let mapping = mappings::Mapping {
                group: 1,
                role: role.id,
                created: now,
                by: "root".to_owned(),
            };
            Ok(mappings::insert(tx, id, &mapping)?)
        })
        .await
        .unwrap();
    let without = administrator(id, Permissions::catalogue(), true);
    let all = [
        &token::CREATE,
        &token::ROTATE,
        &organization::SET_LOGIN,
        &setup_link::CREATE,
    ];
    for action in all {
        let refused = bench.attempt(&without, action).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Forbidden, "{}", action.name);
        assert!(refused.to_string().contains("app:payroll"), "{refused}");
    }
    // Keeping the provider out gives nobody anything.
    integration::switch(&bench.product, &without, &bench.acme, false)
        .await
        .unwrap();
    let mut own = Permissions::catalogue();
    own.insert(Permission::parse("app:payroll").unwrap());
    let with = administrator(id, own, true);
    for action in all {
        bench.attempt(&with, action).await.unwrap();
    }
}

/// Feature row 108: whoever is not the operator types the name of what is deleted.
#[tokio::test]
async fn a_deletion_is_confirmed_by_the_name() {
    let bench = bench().await;
    let owner = administrator(bench.id, Permissions::catalogue(), true);
    for typed in [None, Some("other"), Some("ACME")] {
        let refused = organization::delete(&bench.product, &owner, &bench.acme, typed).await;
        assert_eq!(refused.unwrap_err().kind(), Kind::Conflict);
    }
    let found = bench
        .product
        .read(move |reader| organizations::by_id(reader, bench.id))
        .await;
    assert!(found.unwrap().is_some());
    organization::delete(&bench.product, &owner, &bench.acme, Some("acme"))
        .await
        .unwrap();
}

/// Feature row 92: the link in a mail is the operator's to see, whatever an administrator may do, but in a demonstration; it
/// is noted who has looked.
#[tokio::test]
async fn links_in_mails_are_the_operators_to_see() {
    let bench = bench().await;
    let (keys, acme) = (bench.product.keys().clone(), bench.id);
    let now = Timestamp::now();
    let queued = bench.product.write(move |tx| {
        let to = Recipient {
            account: None,
            address: "ann@x.example".to_owned(),
        };
        let link = Link::parse("/o/acme/link/Secret0").unwrap();
        let mail = Mail::invitation(to, link, now.checked_add(SignedDuration::from_hours(1)).unwrap());
        Ok(Ok(mail::queue(tx, &keys, acme, now, &mail)?))
    });
    let id = queued.await.unwrap();
    let eve = administrator(bench.id, Permissions::catalogue(), true);
    let root = Actor::operator("root".to_owned());
    for who in [&eve, &root] {
        let shown = actions::mail::show(&bench.product, who, &bench.acme, id)
            .await
            .unwrap();
        assert!(
            shown.mail.has_link() && !shown.text.contains("Secret0"),
            "{}",
            shown.text
        );
        assert!(shown.text.contains("(hidden)"), "{}", shown.text);
    }
    let refused = actions::mail::show_link(&bench.product, &eve, &bench.acme, id)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Forbidden, "{refused}");
    let shown = actions::mail::show_link(&bench.product, &root, &bench.acme, id)
        .await
        .unwrap();
    assert!(shown.text.contains("/o/acme/link/Secret0"), "{}", shown.text);
    let marked = bench.product.write(|tx| {
        tx.execute("INSERT INTO instance (key, value) VALUES ('demo', 'made')", &[])?;
        Ok(Ok(()))
    });
    marked.await.unwrap();
    let shown = actions::mail::show_link(&bench.product, &eve, &bench.acme, id)
        .await
        .unwrap();
    assert!(shown.text.contains("/o/acme/link/Secret0"), "{}", shown.text);
    let filter = AuditFilter {
        by: Some(By::Action("mail.show-link".to_owned())),
        ..AuditFilter::default()
    };
    let noted = actions::audit::list(&bench.product, &root, &bench.acme, filter, None, 9)
        .await
        .unwrap();
    assert_eq!(noted.len(), 2);
    assert!(!format!("{noted:?}").contains("Secret0"), "{noted:?}");
}
