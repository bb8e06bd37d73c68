//! Every store of the library keeps the contract of `Store`.

#![allow(clippy::expect_used, reason = "a helper of a test may fail the test")]

mod memory {
    use scim::resources::{Group, User};
    use scim::store::Memory;

    scim::testkit::store_contract!(Memory::new().link(Group::paths().members(), User::paths().groups()));
}

/// Ids may be numbers, which occur in dates and versions too (issue 8, fault 8).
mod numbered {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use scim::resources::{Group, User};
    use scim::store::{Environment, IdSource, Memory};

    #[derive(Default)]
    struct Counter(AtomicU32);

    impl IdSource for Counter {
        fn next_id(&self) -> String {
            (self.0.fetch_add(1, Ordering::Relaxed) + 1).to_string()
        }
    }

    fn store() -> Memory {
        let mut environment = Environment::default();
        environment.ids = Arc::new(Counter::default());
        Memory::new()
            .environment(environment)
            .link(Group::paths().members(), User::paths().groups())
    }

    scim::testkit::store_contract!(store());
}

mod sqlite {
    use std::fs;
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering};

    use scim::resources::{Group, User};
    use scim::store::sqlite::{Builder, Sqlite};
    use scim::testkit::Tenant;

    fn store(builder: scim::Result<Builder<Tenant>>) -> Sqlite<Tenant> {
        let builder = builder
            .expect("a database")
            .resource::<User>()
            .resource::<Group>();
        let builder = builder.link(Group::paths().members(), User::paths().groups());
        builder.build().expect("a store")
    }

    /// A new file in the folder that Cargo keeps for tests.
    fn in_file() -> Sqlite<Tenant> {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        // Tests run side by side, in one process or in many.
        let name = format!("store-contract-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        store(Sqlite::open(folder.join("scim.db")))
    }

    mod in_memory {
        scim::testkit::store_contract!(super::store(scim::store::sqlite::Sqlite::in_memory()));
    }

    mod in_a_file {
        scim::testkit::store_contract!(super::in_file());
    }
}
