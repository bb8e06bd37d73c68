use serde_json::json;

use super::*;
use crate::ScimType;
use crate::resources::Password;
use crate::store::Version;

#[test]
fn a_resource_comes_back_as_it_was_given() {
    let bench = bench();
    let mut user = User::new("bjensen");
    user.emails = vec![email("babs@example.com", "work").primary()];
    user.active = Some(true);
    let stored = bench.create(user).unwrap();
    let id = id_of(&stored);
    assert_eq!(bench.state::<User>(&id), stored.resource);
    let shown = bench.shown::<User>(&id, "");
    assert_eq!(shown["userName"], "bjensen");
    assert_eq!(
        shown["meta"]["location"],
        format!("https://example.com/v2/Users/{id}")
    );
    assert_eq!(shown["meta"]["version"], "W/\"1\"");
    assert_eq!(shown["meta"]["created"], "1970-01-01T00:16:40Z");
    assert_eq!(
        shown["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:User"])
    );
    assert_eq!(bench.count::<User>(), 1);
}

#[test]
fn a_password_is_kept_in_no_document_and_still_changes_the_version() {
    let bench = bench();
    let mut user = User::new("bjensen");
    user.password = Some(Password::new("t1meMa$heen"));
    let id = id_of(&bench.create(user.clone()).unwrap());
    assert!(bench.state::<User>(&id).password.is_none());
    let dump = bench.store.database().blocking_read(|reader| {
        reader.query_all(
            "/* sqlite */ SELECT doc || coalesce(hidden, '') FROM scim_resource",
            &[],
            |row| Ok(String::from_utf8_lossy(row.blob(0)?).into_owned()),
        )
    });
    assert!(dump.unwrap().iter().all(|document| !document.contains("t1me")));
    bench.replace(&id, user).unwrap();
    assert_eq!(bench.version::<User>(&id), "2");
}

#[test]
fn a_write_that_changes_nothing_leaves_version_and_time_alone() {
    let bench = bench();
    let id = bench.user("bjensen");
    bench.hands.set(2_000);
    let same = bench.state::<User>(&id);
    let stored = bench.replace(&id, same.clone()).unwrap();
    assert_eq!((stored.version, stored.resource), (Version::from(1), same));
    assert!(
        !bench
            .patch::<User>(&id, r#"[{"op":"replace","path":"userName","value":"bjensen"}]"#)
            .unwrap()
    );
    assert_eq!(
        bench.shown::<User>(&id, "")["meta"]["lastModified"],
        "1970-01-01T00:16:40Z"
    );
    assert!(
        bench
            .patch::<User>(&id, r#"[{"op":"replace","path":"title","value":"Guide"}]"#)
            .unwrap()
    );
    assert_eq!(
        bench.shown::<User>(&id, "")["meta"]["lastModified"],
        "1970-01-01T00:33:20Z"
    );
    assert_eq!(bench.shown::<User>(&id, "")["meta"]["version"], "W/\"2\"");
    assert_eq!(
        bench.shown::<User>(&id, "")["meta"]["created"],
        "1970-01-01T00:16:40Z"
    );
}

#[test]
fn time_does_not_run_backwards_for_a_resource() {
    let bench = bench();
    let id = bench.user("bjensen");
    bench.hands.set(10);
    bench
        .patch::<User>(&id, r#"[{"op":"replace","path":"title","value":"Guide"}]"#)
        .unwrap();
    assert_eq!(
        bench.shown::<User>(&id, "")["meta"]["lastModified"],
        "1970-01-01T00:16:40.000001Z"
    );
}

#[test]
fn a_stale_version_is_refused_and_changes_nothing() {
    let bench = bench();
    let id = bench.user("bjensen");
    let stale = Precondition::IfMatch(vec![Version::from(7)]);
    let error = bench
        .write(Write::replace(&bench.tenant, &id, User::new("other")).precondition(stale.clone()))
        .unwrap_err();
    assert_eq!(error.status(), 412);
    let error = bench
        .write(Write::<User, _>::delete(&bench.tenant, &id).precondition(stale))
        .unwrap_err();
    assert_eq!(error.status(), 412);
    assert_eq!(bench.state::<User>(&id).user_name, "bjensen");
}

#[test]
fn a_user_name_is_unique_in_its_tenant_whatever_its_case() {
    let bench = bench();
    let id = bench.user("bjensen");
    let error = bench.create(User::new("BJensen")).unwrap_err();
    assert_eq!(
        (error.status().as_u16(), error.scim_type()),
        (409, Some(ScimType::Uniqueness))
    );
    assert_eq!(
        error.to_string(),
        "Attribute userName must be unique, and another User has the value \"bjensen\" already."
    );
    let globex = Arc::new("globex".to_owned());
    assert!(bench.create_for(&globex, User::new("bjensen")).is_ok());
    let other = bench.user("other");
    assert_eq!(
        bench.replace(&other, User::new("BJENSEN")).unwrap_err().status(),
        409
    );
    assert_eq!(bench.version::<User>(&other), "1");
    bench.delete::<User>(&id).unwrap();
    assert!(
        bench.create(User::new("BJensen")).is_ok(),
        "a deleted user's name is free"
    );
}

#[test]
fn tenants_do_not_see_each_other() {
    let bench = bench();
    let id = bench.user("bjensen");
    let globex = Arc::new("globex".to_owned());
    let want = Projection::default_of(User::RESOURCE_TYPE);
    let get = Store::<User, String>::get(&bench.store, &globex, &id, &want, &Precondition::None);
    assert_eq!(bench.block(get).unwrap_err().status(), 404);
    let delete = Write::<User, _>::delete(&globex, &id);
    assert_eq!(bench.write(delete).unwrap_err().status(), 404);
    let foreign = Group {
        members: vec![Member::new(&*id)].into(),
        ..Group::new("Guides")
    };
    let error = bench.create_for(&globex, foreign).unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::InvalidValue));
    assert_eq!(
        bench.block(bench.store.count::<Group>(&globex)).unwrap(),
        0,
        "nothing is half applied"
    );
}

#[test]
fn what_a_deleted_tenant_had_is_gone_and_the_others_stay() {
    let bench = bench();
    let id = bench
        .create(User {
            emails: vec![email("a@x", "work")],
            ..User::new("a")
        })
        .unwrap();
    bench.group("Guides", &[&id_of(&id)]);
    let globex = Arc::new("globex".to_owned());
    bench.create_for(&globex, User::new("a")).unwrap();
    bench.block(bench.store.delete_tenant(ACME)).unwrap();
    assert_eq!((bench.count::<User>(), bench.count::<Group>()), (0, 0));
    let left = bench.store.database().blocking_read(|reader| {
        let sql =
            "/* sqlite */ SELECT (SELECT count(*) FROM scim_resource), (SELECT count(*) FROM scim_value),
                          (SELECT count(*) FROM scim_edge)";
        reader.query_one(sql, &[], |row| {
            Ok((row.integer(0)?, row.integer(1)?, row.integer(2)?))
        })
    });
    assert_eq!(left.unwrap(), Some((1, 0, 0)));
    assert_eq!(bench.block(bench.store.count::<User>(&globex)).unwrap(), 1);
    bench.user("a");
}

/// RFC 7644 section 3.14: 304, but for an answer that may change while the version does not.
#[test]
fn what_the_client_has_is_not_sent_again() {
    let bench = bench();
    let id = bench.user("bjensen");
    let known = Precondition::IfNoneMatch(vec![Version::from(1)]);
    let answer = bench
        .answer::<User>(&id, &without::<User>("groups"), &known)
        .unwrap();
    assert!(matches!(answer, Answer::NotModified(version) if version == Version::from(1)));
    let all = Projection::default_of(User::RESOURCE_TYPE);
    assert!(matches!(
        bench.answer::<User>(&id, &all, &known).unwrap(),
        Answer::Rendered(_)
    ));
}

/// Two who race for one name, and twenty who change one resource.
#[test]
fn nothing_is_lost_in_a_race() {
    let bench = bench();
    let id = bench.user("bjensen");
    let runtime = RuntimeBuilder::new_multi_thread()
        .worker_threads(4)
        .build()
        .unwrap();
    let spawned: Vec<_> = (0..20)
        .map(|number| {
            let (store, tenant, id) = (bench.store.clone(), bench.tenant.clone(), id.clone());
            runtime.spawn(async move {
                let value = format!(r#"[{{"op":"add","path":"emails","value":[{{"value":"{number}@x"}}]}}]"#);
                let patch = patch_of::<User>(&value);
                let patch = Write::patch(&tenant, &id, &patch).unwrap();
                store.write(patch).await.unwrap();
                let id = TimeOrderedIds.next_id();
                let create = Write::create(&tenant, &id, User::new("racer"));
                store.write(create).await.is_ok()
            })
        })
        .collect();
    let created = spawned
        .into_iter()
        .filter(|_| true)
        .map(|task| runtime.block_on(task).unwrap());
    assert_eq!(created.filter(|created| *created).count(), 1);
    assert_eq!(bench.state::<User>(&id).emails.len(), 20);
    assert_eq!(bench.version::<User>(&id), "21");
}
