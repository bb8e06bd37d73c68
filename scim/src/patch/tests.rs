//! Tests of what RFC 7644 section 3.5.2 says of single operations, on real resources. The vectors say it at length.

use super::*;
use crate::ScimType;
use crate::resources::{Group, User};
use crate::value::{Edges, Json};

fn patch<R: ScimResource>(policy: &Policy, operations: &str) -> Result<Patch<R>> {
    let body = format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":{operations}}}"#
    );
    Patch::parse(body.as_bytes(), policy, &Limits::default())
}

fn decode<R: ScimResource>(text: &str) -> R {
    let limits = Limits::default();
    let policy = Policy::tolerant();
    let mut cx = Cx::new(Intent::Create, &policy, &limits);
    R::decode(Json::parse(text.as_bytes(), &limits).unwrap(), &mut cx).unwrap()
}

/// Returns the attributes for which a tolerance acted while the message was read.
fn applied_to(policy: &Policy, operations: &str) -> Vec<String> {
    let patch = patch::<Group>(policy, operations).unwrap();
    patch.fired().into_iter().map(|fired| fired.subject).collect()
}

fn babs() -> User {
    decode(r#"{"userName":"babs","emails":[{"value":"w@x.org","type":"work","primary":true}]}"#)
}

/// RFC 7644 section 3.5.2: the operations are one unit.
#[test]
fn a_failing_operation_names_itself_and_leaves_the_resource_alone() {
    let user = babs();
    let operations = r#"[{"op":"add","path":"title","value":"T"},{"op":"remove","path":"userName"}]"#;
    let error = patch::<User>(&Policy::strict(), operations)
        .unwrap()
        .apply(&user)
        .unwrap_err();
    assert_eq!(
        (error.operation(), error.scim_type()),
        (Some(1), Some(ScimType::Mutability))
    );
    assert_eq!(user, babs());
}

/// RFC 7644 section 3.5.2.1: what is there already is not a change.
#[test]
fn operations_that_cancel_out_change_nothing() {
    let operations = r#"[{"op":"add","path":"nickName","value":"B"},{"op":"remove","path":"nickName"}]"#;
    let applied = patch::<User>(&Policy::strict(), operations)
        .unwrap()
        .apply(&babs())
        .unwrap();
    assert!(applied.resource.is_none());
}

/// Entra ID empties no group by naming one member (A-34).
#[test]
fn remove_with_values_takes_these_alone() {
    let group: Group = decode(r#"{"displayName":"G","members":[{"value":"1"},{"value":"2"}]}"#);
    let operations = r#"[{"op":"Remove","path":"members","value":[{"value":"2","$ref":null}]}]"#;
    let applied = patch::<Group>(&Policy::tolerant(), operations)
        .unwrap()
        .apply(&group)
        .unwrap();
    let members = applied.resource.unwrap().members;
    assert_eq!(
        members
            .loaded()
            .unwrap()
            .iter()
            .map(|member| member.value.as_str())
            .collect::<Vec<_>>(),
        ["1"]
    );
    assert_eq!(applied_to(&Policy::tolerant(), operations), ["members"]);
    assert!(patch::<Group>(&Policy::strict(), operations).is_err());
    let nothing = r#"[{"op":"remove","path":"members","value":[]}]"#;
    assert!(
        patch::<Group>(&Policy::tolerant(), nothing)
            .unwrap()
            .apply(&group)
            .unwrap()
            .resource
            .is_none()
    );
}

/// Entra ID and authentik list what is to go by its value; the type that we know is not a reason to keep it (A-34).
#[test]
fn remove_with_values_finds_them_whatever_their_type() {
    let user: User = decode(
        r#"{"userName":"babs","emails":[
            {"value":"a@x.org","type":"work"},{"value":"a@x.org","type":"home"},{"value":"b@x.org","type":"home"}]}"#,
    );
    let left = |listed: &str| {
        let operations = format!(r#"[{{"op":"remove","path":"emails","value":{listed}}}]"#);
        let applied = patch::<User>(&Policy::tolerant(), &operations)
            .unwrap()
            .apply(&user);
        applied
            .unwrap()
            .resource
            .unwrap_or_else(|| user.clone())
            .emails
            .len()
    };
    assert_eq!(left(r#"[{"value":"A@x.org"}]"#), 1);
    assert_eq!(left(r#"["b@x.org"]"#), 2);
    assert_eq!(left(r#"[{"value":"a@x.org","type":"home"}]"#), 2);
    assert_eq!(left(r#"[{"value":"b@x.org","type":"work"}]"#), 3);
}

/// A path to a read-only attribute is 400 mutability whether or not anything is there (A-08, RFC 7644 section 3.5.2).
#[test]
fn a_read_only_path_is_refused_where_nothing_is_assigned() {
    let path = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName";
    for operation in [
        format!(r#"[{{"op":"replace","path":"{path}","value":"Boss"}}]"#),
        format!(r#"[{{"op":"remove","path":"{path}"}}]"#),
    ] {
        let error = patch::<User>(&Policy::tolerant(), &operation)
            .unwrap()
            .apply(&babs())
            .unwrap_err();
        assert_eq!(error.scim_type(), Some(ScimType::Mutability), "{operation}");
        assert!(error.to_string().contains(path), "{error}");
    }
}

/// A reference that is sent again is not a change, also where it is a path: what a store gives back is equal to what the
/// client sent (RFC 7643 section 2.3.7, RFC 7644 section 3.5.2.1).
#[test]
fn a_relative_reference_sent_again_changes_nothing() {
    let text = r#"{"userName":"babs","photos":[{"value":"Pictures/7"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"7","$ref":"Users/7"}}}"#;
    let limits = Limits::default();
    let json = Json::parse(text.as_bytes(), &limits).unwrap();
    let kept = User::decode(json, &mut Cx::new(Intent::Stored, &crate::value::Strict, &limits)).unwrap();
    assert_eq!(decode::<User>(text), kept);
    let operations = r#"[{"op":"replace","path":"photos","value":[{"value":"Pictures/7"}]},
        {"op":"add","value":{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"$ref":"Users/7"}}}}]"#;
    let applied = patch::<User>(&Policy::strict(), operations)
        .unwrap()
        .apply(&kept)
        .unwrap();
    assert!(applied.resource.is_none());
}

/// Two operations of Entra ID that select the same missing element share the one that is made (A-14).
#[test]
fn operations_share_the_element_they_create() {
    let operations = r#"[
        {"op":"Add","path":"addresses[type eq \"work\"].locality","value":"Berlin"},
        {"op":"Add","path":"addresses[type eq \"work\"].country","value":"DE"}]"#;
    let applied = patch::<User>(&Policy::tolerant(), operations)
        .unwrap()
        .apply(&babs())
        .unwrap();
    let addresses = applied.resource.unwrap().addresses;
    assert_eq!(addresses.len(), 1);
    assert_eq!(addresses[0].locality.as_deref(), Some("Berlin"));
    assert_eq!(addresses[0].country.as_deref(), Some("DE"));
    let error = patch::<User>(&Policy::strict(), operations)
        .unwrap()
        .apply(&babs())
        .unwrap_err();
    assert_eq!(error.scim_type(), Some(ScimType::NoTarget));
}

/// A group is renamed by a client that echoes its id (A-08).
#[test]
fn read_only_attributes_in_a_value_without_path_are_passed_over() {
    let group: Group = decode(r#"{"displayName":"G"}"#);
    let operations = r#"[{"op":"replace","value":{"id":"other","schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"H"}}]"#;
    let applied = patch::<Group>(&Policy::strict(), operations)
        .unwrap()
        .apply(&group)
        .unwrap()
        .resource
        .unwrap();
    assert_eq!((applied.display_name.as_str(), applied.id.as_str()), ("H", ""));
}

#[test]
fn a_typed_message_is_the_message_a_client_would_send() {
    let message = Patch::<User>::builder()
        .replace(User::paths().title(), "Tour Guide")
        .remove(User::paths().nick_name())
        .to_message();
    let patch =
        Patch::<User>::parse(message.text().as_bytes(), &Policy::strict(), &Limits::default()).unwrap();
    let applied = patch.apply(&babs()).unwrap().resource.unwrap();
    assert_eq!(applied.title.as_deref(), Some("Tour Guide"));
}

#[test]
fn members_split_off_as_deltas_and_the_rest_stays() {
    let operations = r#"[
        {"op":"replace","path":"displayName","value":"H"},
        {"op":"add","path":"members","value":[{"value":"3"}]},
        {"op":"remove","path":"members[value eq \"1\"]"}]"#;
    let patch = patch::<Group>(&Policy::tolerant(), operations).unwrap();
    let split = patch.split(Group::paths().members()).unwrap().unwrap();
    assert_eq!(split.rest.operations().len(), 1);
    assert!(matches!(&split.deltas[0].change, DeltaChange::Add(members) if members[0].value == "3"));
    assert!(matches!(&split.deltas[1].change, DeltaChange::RemoveWhere(_)));
    assert_eq!(split.deltas[1].operation, 2);
}

#[test]
fn an_operation_inside_the_elements_declines_the_split() {
    let operations = r#"[{"op":"replace","path":"members[value eq \"1\"].display","value":"x"}]"#;
    let patch = patch::<Group>(&Policy::tolerant(), operations).unwrap();
    assert!(patch.split(Group::paths().members()).unwrap().is_none());
}

/// design: a value with a thousand operations more than the limit is 413, not work.
#[test]
fn too_many_operations_are_413() {
    let operations = format!("[{}]", vec![r#"{"op":"remove","path":"title"}"#; 1_001].join(","));
    assert_eq!(
        patch::<User>(&Policy::tolerant(), &operations)
            .unwrap_err()
            .status(),
        413
    );
}

#[test]
fn what_is_not_kept_is_accepted_and_changes_nothing() {
    let kept = crate::policy::Kept::new(User::RESOURCE_TYPE, &["userName", "name.givenName"]).unwrap();
    let policy = Policy::tolerant().keeping(kept);
    let operations = r#"[
        {"op":"replace","path":"title","value":"T"},
        {"op":"replace","path":"name","value":{"givenName":"B","familyName":"J"}}]"#;
    let user = User::new("babs");
    let name = patch::<User>(&policy, operations)
        .unwrap()
        .apply(&user)
        .unwrap()
        .resource
        .unwrap();
    assert_eq!(name.title, None);
    let name = name.name.unwrap();
    assert_eq!((name.given_name.as_deref(), name.family_name), (Some("B"), None));
}

#[test]
fn edges_that_were_not_loaded_are_never_edited() {
    let mut group: Group = decode(r#"{"displayName":"G"}"#);
    group.members = Edges::NotLoaded;
    let operations = r#"[{"op":"add","path":"members","value":[{"value":"3"}]}]"#;
    assert_eq!(
        patch::<Group>(&Policy::tolerant(), operations)
            .unwrap()
            .apply(&group)
            .unwrap_err()
            .status(),
        500
    );
}

/// RFC 7643 section 2.4: a pair of value and type stands once; what else is said of it is merged, and one value alone
/// is the primary one.
#[test]
fn adding_a_known_pair_merges_what_is_new_about_it() {
    let user: User = decode(
        r#"{"userName":"b","emails":[{"value":"w@x.org","type":"work","primary":true},{"value":"h@x.org","type":"home"}]}"#,
    );
    let operations =
        r#"[{"op":"add","path":"emails","value":[{"value":"H@x.org","type":"home","primary":true}]}]"#;
    let emails = patch::<User>(&Policy::strict(), operations)
        .unwrap()
        .apply(&user)
        .unwrap()
        .resource
        .unwrap()
        .emails;
    assert_eq!(emails.len(), 2);
    assert_eq!((emails[0].primary, emails[1].primary), (Some(false), Some(true)));
}

/// Entra ID sends application roles as JSON text inside `value` (peers: one of 25 complaints).
#[test]
fn application_roles_in_json_text_are_read() {
    let operations = r#"[{"op":"Add","path":"roles","value":[
        {"value":"{\"id\":\"4\",\"value\":\"Admin\",\"displayName\":\"Administrator\"}"}]}]"#;
    let roles = patch::<User>(&Policy::entra(), operations)
        .unwrap()
        .apply(&babs())
        .unwrap()
        .resource
        .unwrap()
        .roles;
    assert_eq!(
        (roles[0].value.as_deref(), roles[0].display.as_deref()),
        (Some("Admin"), Some("Administrator"))
    );
}

/// A history and an answer name what was sent and not known, never the operands of a filter in its path.
#[test]
fn the_operands_of_a_path_are_in_no_note_and_no_error() {
    for (path, name) in [
        (r#"pass eq \"s3cret\""#, "pass[…]"),
        (r#"pass[value eq \"s3cret\"]"#, "pass[…]"),
        (r#"pass[value eq \"s3cret\"].sub"#, "pass[…].sub"),
        (r#"members[value eq \"s3cret\"].sub"#, "members[…].sub"),
    ] {
        for op in [
            r#""replace","value":"x""#,
            r#""remove","value":"x""#,
            r#""remove""#,
        ] {
            let operations = format!(r#"[{{"op":{op},"path":"{path}"}}]"#);
            let applied = applied_to(&Policy::tolerant(), &operations);
            assert!(
                applied.iter().all(|subject| subject == name),
                "{operations}: {applied:?}"
            );
            assert!(!applied.is_empty(), "{operations}");
            let policy = Policy::strict().with(&crate::policy::REMOVE_LISTED_VALUES);
            let error = patch::<Group>(&policy, &operations).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("s3cret"), "{error}");
        }
    }
}
