//! Resources: PATCH, decoding and serialising, beside serde_json and hand-written code.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to stop")]

fn main() {
    divan::main();
}

/// `active` becomes false: from the bytes of the request to the changed person.
#[divan::bench_group(name = "PATCH active=false")]
mod patch {
    use divan::Bencher;
    use scim::Limits;
    use scim::patch::Patch;
    use scim::policy::Policy;
    use scim::resources::User;
    use scim_peers::samples::{DEACTIVATE, USER, user};
    use serde_json::Value;

    fn parse(policy: &Policy, limits: &Limits) -> Patch<User> {
        Patch::parse(divan::black_box(DEACTIVATE).as_bytes(), policy, limits).unwrap()
    }

    #[divan::bench]
    fn ours(bencher: Bencher<'_, '_>) {
        let (policy, limits) = (Policy::tolerant(), Limits::default());
        let user = user(&policy).unwrap();
        bencher.bench_local(|| parse(&policy, &limits).apply(&user).unwrap().resource.unwrap());
    }

    #[divan::bench]
    fn ours_parse_only(bencher: Bencher<'_, '_>) {
        let (policy, limits) = (Policy::tolerant(), Limits::default());
        bencher.bench_local(|| parse(&policy, &limits));
    }

    #[divan::bench]
    fn ours_apply_only(bencher: Bencher<'_, '_>) {
        let (policy, limits) = (Policy::tolerant(), Limits::default());
        let (user, patch) = (user(&policy).unwrap(), parse(&policy, &limits));
        bencher.bench_local(|| patch.apply(&user).unwrap().resource.unwrap());
    }

    /// Measures the floor: nothing is read, nothing is checked.
    #[divan::bench]
    fn clone_and_set(bencher: Bencher<'_, '_>) {
        let user = user(&Policy::tolerant()).unwrap();
        bencher.bench_local(|| User {
            active: Some(false),
            ..divan::black_box(&user).clone()
        });
    }

    /// Measures the shape of the engines that change documents: both are trees, the path is followed by name, nothing is
    /// checked, and the result stays a tree.
    #[divan::bench]
    fn json_tree(bencher: Bencher<'_, '_>) {
        let user: Value = serde_json::from_str(USER).unwrap();
        bencher.bench_local(|| {
            let message: Value = serde_json::from_str(divan::black_box(DEACTIVATE)).unwrap();
            let mut user = user.clone();
            for operation in message.get("Operations").and_then(Value::as_array).unwrap() {
                let path = operation.get("path").and_then(Value::as_str).unwrap();
                let members = user.as_object_mut().unwrap();
                let held = members
                    .iter_mut()
                    .find(|(name, _)| name.eq_ignore_ascii_case(path));
                *held.unwrap().1 = operation.get("value").unwrap().clone();
            }
            user
        });
    }

    /// Measures the same for those who hold a struct: it goes into a tree and comes back.
    #[divan::bench]
    fn json_tree_from_and_to_struct(bencher: Bencher<'_, '_>) {
        let user: scim_peers::by_hand::User = serde_json::from_str(USER).unwrap();
        bencher.bench_local(|| -> scim_peers::by_hand::User {
            let message: Value = serde_json::from_str(divan::black_box(DEACTIVATE)).unwrap();
            let mut tree = serde_json::to_value(&user).unwrap();
            let operation = message.pointer("/Operations/0").unwrap();
            let path = operation.get("path").and_then(Value::as_str).unwrap();
            *tree.get_mut(path).unwrap() = operation.get("value").unwrap().clone();
            serde_json::from_value(tree).unwrap()
        });
    }

    /// Reads the message only: this crate applies none.
    #[divan::bench]
    fn scim_v2_parse_only() -> scim_v2::models::others::PatchOp {
        serde_json::from_str(divan::black_box(DEACTIVATE)).unwrap()
    }
}

/// The body of a POST, 600 bytes, to a person.
#[divan::bench_group(name = "decode a user")]
mod decode {
    use divan::Bencher;
    use scim::policy::Policy;
    use scim_peers::{by_hand, samples};

    #[divan::bench]
    fn ours(bencher: Bencher<'_, '_>) {
        let policy = Policy::tolerant();
        bencher.bench_local(|| samples::user(divan::black_box(&policy)).unwrap());
    }

    #[divan::bench]
    fn serde_struct() -> by_hand::User {
        serde_json::from_str(divan::black_box(samples::USER)).unwrap()
    }

    #[divan::bench]
    fn serde_value() -> serde_json::Value {
        serde_json::from_str(divan::black_box(samples::USER)).unwrap()
    }

    #[divan::bench]
    fn scim_v2() -> scim_v2::models::user::User {
        serde_json::from_str(divan::black_box(samples::USER)).unwrap()
    }
}

/// A person, and a list of 100 people, to the bytes of an answer.
#[divan::bench_group(name = "serialise")]
mod serialise {
    use divan::Bencher;
    use scim::ScimResource;
    use scim::message::ListWriter;
    use scim::policy::Policy;
    use scim::projection::{Base, Projection, write_resource};
    use scim::resources::User;
    use scim_peers::{by_hand, samples};
    use serde::Serialize;

    const BASE: Base<'static> = Base::Url("https://scim.example.com/v2");

    #[divan::bench]
    fn user_ours(bencher: Bencher<'_, '_>) {
        let user = samples::user(&Policy::tolerant()).unwrap();
        let shown = Projection::default_of(User::RESOURCE_TYPE);
        let mut out = Vec::with_capacity(1024);
        bencher.bench_local(|| {
            out.clear();
            write_resource(&mut out, &user, &shown, BASE);
            out.len()
        });
    }

    #[divan::bench]
    fn user_serde_struct(bencher: Bencher<'_, '_>) {
        let user: by_hand::User = serde_json::from_str(samples::USER).unwrap();
        let mut out = Vec::with_capacity(1024);
        bencher.bench_local(|| {
            out.clear();
            serde_json::to_writer(&mut out, &user).unwrap();
            out.len()
        });
    }

    #[divan::bench]
    fn list_of_100_ours(bencher: Bencher<'_, '_>) {
        let people = vec![samples::user(&Policy::tolerant()).unwrap(); 100];
        let shown = Projection::default_of(User::RESOURCE_TYPE);
        let mut out = Vec::with_capacity(1 << 17);
        bencher.bench_local(|| {
            out.clear();
            let mut list = ListWriter::begin(&mut out, 100, 1, people.len());
            for user in &people {
                list.item(&mut out);
                write_resource(&mut out, user, &shown, BASE);
            }
            list.end(&mut out);
            out.len()
        });
    }

    #[divan::bench]
    fn list_of_100_serde_struct(bencher: Bencher<'_, '_>) {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct List<'a> {
            schemas: [&'static str; 1],
            total_results: usize,
            start_index: usize,
            items_per_page: usize,
            #[serde(rename = "Resources")]
            resources: &'a [by_hand::User],
        }
        let user: by_hand::User = serde_json::from_str(samples::USER).unwrap();
        let people = vec![user; 100];
        let mut out = Vec::with_capacity(1 << 17);
        bencher.bench_local(|| {
            out.clear();
            let list = List {
                schemas: ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                total_results: 100,
                start_index: 1,
                items_per_page: people.len(),
                resources: &people,
            };
            serde_json::to_writer(&mut out, &list).unwrap();
            out.len()
        });
    }
}
