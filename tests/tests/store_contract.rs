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
    use scim::store::documents::{Builder, DocumentStore};
    use scim::testkit::Tenant;

    fn store(builder: scim::Result<Builder<Tenant>>) -> DocumentStore<Tenant> {
        let builder = builder
            .expect("a database")
            .resource::<User>()
            .resource::<Group>();
        let builder = builder.link(Group::paths().members(), User::paths().groups());
        builder.build().expect("a store")
    }

    /// Opens a new file in the folder that Cargo keeps for tests.
    fn in_file() -> DocumentStore<Tenant> {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        // Tests run side by side, in one process or in many.
        let name = format!("store-contract-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        store(DocumentStore::open(folder.join("scim.db")))
    }

    mod in_memory {
        scim::testkit::store_contract!(super::store(scim::store::documents::DocumentStore::in_memory()));
    }

    mod in_a_file {
        scim::testkit::store_contract!(super::in_file());
    }
}

/// A store is held to what it supports, whatever it keeps, and whatever its context is.
mod own {
    use std::borrow::Cow;
    use std::sync::Arc;

    use scim::policy::Kept;
    use scim::projection::Projection;
    use scim::resources::{Group, User};
    use scim::store::documents::DocumentStore;
    use scim::store::{
        Answer, Environment, Hooks, Memory, OfContext, Page, Precondition, Query, SingleTenant, Store,
        TenantBy, Write, Written,
    };
    use scim::testkit::Tenant;
    use scim::testkit::contract::{Contract, Sample};
    use scim::value::{Cx, Intent, Meta, ResourceId, Strict};
    use scim::{Limits, Result, ScimResource};

    /// A resource of an application.
    #[derive(Debug, Clone, PartialEq, ScimResource)]
    #[scim(schema = "urn:example:scim:schemas:2.0:Badge", endpoint = "/Badges")]
    struct Badge {
        id: ResourceId,
        meta: Meta,
        #[scim(unique = "server", case_exact)]
        serial_number: String,
        level: Option<i64>,
        lost: Option<bool>,
        zones: Vec<String>,
    }

    /// The context of an application, which says nothing of tenants to the library.
    struct Company {
        name: Option<&'static str>,
    }

    fn company(cx: &Company) -> Option<Cow<'_, str>> {
        cx.name.map(Cow::from)
    }

    fn badges() -> Sample<Badge> {
        let make = |n: usize| Badge {
            id: ResourceId::default(),
            meta: Meta::default(),
            serial_number: format!("B-{n}"),
            level: None,
            lost: None,
            zones: vec![format!("floor {n}")],
        };
        Sample::new(make, |badge, n| {
            badge.level = i64::try_from(n).ok();
            badge.lost = Some(n.is_multiple_of(2));
            badge.zones = vec!["lobby".to_owned(), format!("floor {n}")];
        })
    }

    fn of_companies<S>(make: impl Fn() -> S + Send + Sync + 'static) -> Contract<S, Company>
    where
        S: Store<Badge, Company>,
    {
        let make = move || std::future::ready(make());
        let company = |name| move || Company { name: Some(name) };
        Contract::of_tenants(make, company("acme"), company("globex")).resource(badges())
    }

    /// A derived resource with a unique attribute, for two tenants that an own context tells apart.
    mod badges_in_memory {
        use super::*;

        fn contract() -> Contract<Memory<TenantBy<Company>>, Company> {
            of_companies(|| Memory::new().tenant_by(company))
        }

        scim::testkit::store_contract!(contract: contract());
    }

    mod badges_in_sqlite {
        use super::*;

        fn contract() -> Contract<DocumentStore<Company>, Company> {
            of_companies(|| {
                let builder = DocumentStore::<Company>::in_memory()
                    .expect("a database")
                    .tenant_by(company);
                builder.resource::<Badge>().build().expect("a store")
            })
        }

        scim::testkit::store_contract!(contract: contract());
    }

    /// Users without groups, in a store with one tenant, whatever the context.
    mod one_tenant {
        use super::*;

        fn contract() -> Contract<Memory<SingleTenant>, &'static str> {
            let make = || async { Memory::new().single_tenant() };
            Contract::of_one_tenant(make, || "anybody").resource(Sample::<User>::users())
        }

        scim::testkit::store_contract!(contract: contract());
    }

    /// Returns the columns of a table.
    fn columns() -> Kept {
        let names = [
            "userName",
            "externalId",
            "name.givenName",
            "name.familyName",
            "active",
            "emails.value",
        ];
        Kept::new(User::RESOURCE_TYPE, &names).expect("attributes of a user")
    }

    /// A store that keeps six attributes of a user and drops all others.
    struct Columns {
        store: Memory,
        drop_others: Hooks<Tenant>,
    }

    impl Columns {
        fn new() -> Self {
            let kept = columns();
            let drop_others =
                Hooks::new().before_write::<User>(move |_, proposed| match proposed.after_mut() {
                    Some(user) => {
                        let limits = Limits::default();
                        kept.strip(user, &mut Cx::new(Intent::Stored, &Strict, &limits))
                    }
                    None => Ok(()),
                });
            Self {
                store: Memory::<OfContext>::new(),
                drop_others,
            }
        }
    }

    impl Store<User, Tenant> for Columns {
        async fn write(&self, write: Write<User, Tenant>) -> Result<Written<User>> {
            self.store.write(write.hooks(&self.drop_others)).await
        }

        async fn get(
            &self,
            cx: &Arc<Tenant>,
            id: &str,
            want: &Projection,
            precondition: &Precondition,
        ) -> Result<Answer<User>> {
            self.store.get(cx, id, want, precondition).await
        }

        async fn list(&self, cx: &Arc<Tenant>, query: &Query<User>, want: &Projection) -> Result<Page<User>> {
            self.store.list(cx, query, want).await
        }

        fn environment(&self) -> &Environment {
            Store::<User, Tenant>::environment(&self.store)
        }
    }

    fn of_columns(sample: Sample<User>) -> Contract<Columns, Tenant> {
        let tenant = |name| move || Tenant::new(name);
        let make = || async { Columns::new() };
        Contract::of_tenants(make, tenant("acme"), tenant("globex")).resource(sample)
    }

    /// A store over a table with six columns is judged by these.
    mod six_columns {
        use super::*;

        fn contract() -> Contract<Columns, Tenant> {
            of_columns(Sample::<User>::users().keeping(columns()))
        }

        scim::testkit::store_contract!(contract: contract());
    }

    /// A declaration must hold: the same store does not keep a whole user.
    #[tokio::test]
    async fn what_is_not_declared_is_asked() {
        let violations = of_columns(Sample::users())
            .check("created_resources_are_kept_whole")
            .await;
        let violations = violations.expect("a rule that is asked");
        assert_eq!(violations.len(), 1);
        let said = violations[0].to_string();
        assert!(said.contains("Sample::keeping"), "{said}");
    }

    /// A capability that is declared as not supported is not asked.
    #[tokio::test]
    async fn what_is_not_supported_is_not_asked() {
        let bare = badges().without_filters().without_sorting();
        let make = || async { Memory::new().single_tenant() };
        let contract = Contract::<Memory<SingleTenant>, ()>::of_one_tenant(make, || ()).resource(bare);
        for rule in [
            "filters_select_what_they_say",
            "unique_values_are_found_by_an_index",
            "lists_are_sorted",
            "sorted_items_have_their_key",
            "tenants_do_not_share_lists",
            "transient_values_are_not_kept",
            "concurrent_edges_are_all_kept",
            "ids_are_of_one_type",
        ] {
            assert!(contract.check(rule).await.is_none(), "{rule} is asked");
        }
    }

    /// The plain function checks everything and says what is broken: here, that nothing is linked.
    #[tokio::test(flavor = "multi_thread")]
    async fn all_violations_are_returned() {
        let linked = || async { Memory::new().link(Group::paths().members(), User::paths().groups()) };
        let said: Vec<_> = Contract::of_users_and_groups(linked).violations().await;
        assert!(said.is_empty(), "{said:?}");
        let unlinked = Contract::of_users_and_groups(|| async { Memory::new() })
            .violations()
            .await;
        assert!(
            unlinked
                .iter()
                .all(|violation| violation.subject == "Group.members"),
            "{unlinked:?}"
        );
        let rules: Vec<_> = unlinked.iter().map(|violation| violation.rule.name()).collect();
        assert!(rules.contains(&"mirrors_follow_their_edges"), "{rules:?}");
    }
}
