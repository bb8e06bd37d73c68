//! Every store of the library keeps the contract of `Store`.

#![allow(clippy::expect_used, reason = "a helper of a test may fail the test")]

mod memory {
    use scim::resources::{Group, User};
    use scim::store::Memory;

    scim::testkit::store_contract!(Memory::new().link(Group::paths().members(), User::paths().groups()));
}

/// The `patch` that `Store` provides serves a store that has none of its own.
mod provided_patch {
    use scim::projection::Projection;
    use scim::resources::{Group, User};
    use scim::store::{Answer, Extent, Memory, Page, Precondition, Query, Store, Stored};
    use scim::testkit::Tenant;
    use scim::{Result, ScimResource};

    struct Plain(Memory);

    impl<R: ScimResource> Store<R, Tenant> for Plain {
        async fn create(&self, cx: &Tenant, resource: R) -> Result<Stored<R>> {
            self.0.create(cx, resource).await
        }

        async fn load(&self, cx: &Tenant, id: &str, extent: Extent) -> Result<Option<Stored<R>>> {
            let loaded = self.0.load(cx, id, extent).await;
            // Others get in between: the provided `patch` must notice.
            tokio::task::yield_now().await;
            loaded
        }

        async fn get(
            &self,
            cx: &Tenant,
            id: &str,
            want: &Projection,
            condition: &Precondition,
        ) -> Result<Answer<R>> {
            self.0.get(cx, id, want, condition).await
        }

        async fn query(&self, cx: &Tenant, query: &Query<R>, want: &Projection) -> Result<Page<R>> {
            self.0.query(cx, query, want).await
        }

        async fn replace(
            &self,
            cx: &Tenant,
            id: &str,
            resource: R,
            condition: &Precondition,
        ) -> Result<Stored<R>> {
            self.0.replace(cx, id, resource, condition).await
        }

        async fn delete(&self, cx: &Tenant, id: &str, condition: &Precondition) -> Result<()> {
            Store::<R, Tenant>::delete(&self.0, cx, id, condition).await
        }
    }

    scim::testkit::store_contract!(Plain(
        Memory::new().link(Group::paths().members(), User::paths().groups())
    ));
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
