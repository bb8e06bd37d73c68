//! Filters: parsing beside other crates, evaluation beside a closure.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to stop")]

fn main() {
    divan::main();
}

/// One term, as nearly every request has it.
#[divan::bench_group(name = "parse 1 term")]
mod one_term {
    use scim_peers::samples::ONE_TERM;

    #[divan::bench]
    fn ours() -> scim::filter::Filter {
        divan::black_box(ONE_TERM).parse().unwrap()
    }

    #[divan::bench]
    fn scim_proto() -> scim_proto::filter::ScimFilter {
        divan::black_box(ONE_TERM).parse().unwrap()
    }

    #[divan::bench]
    fn scim_v2() -> scim_v2::filter::Filter {
        divan::black_box(ONE_TERM).parse().unwrap()
    }
}

/// The longest example of the RFC.
#[divan::bench_group(name = "parse longest example")]
mod longest_example {
    use scim_peers::samples::LONGEST_EXAMPLE;

    #[divan::bench]
    fn ours() -> scim::filter::Filter {
        divan::black_box(LONGEST_EXAMPLE).parse().unwrap()
    }

    #[divan::bench]
    fn scim_proto() -> scim_proto::filter::ScimFilter {
        divan::black_box(LONGEST_EXAMPLE).parse().unwrap()
    }

    #[divan::bench]
    fn scim_v2() -> scim_v2::filter::Filter {
        divan::black_box(LONGEST_EXAMPLE).parse().unwrap()
    }
}

/// A filter that a person would not write.
#[divan::bench_group(name = "parse 20 terms")]
mod twenty_terms {
    use divan::Bencher;
    use scim_peers::samples::twenty_terms;

    #[divan::bench]
    fn ours(bencher: Bencher<'_, '_>) {
        let text = twenty_terms();
        bencher.bench(|| divan::black_box(&text).parse::<scim::filter::Filter>().unwrap());
    }

    #[divan::bench]
    fn scim_proto(bencher: Bencher<'_, '_>) {
        let text = twenty_terms();
        bencher.bench(|| {
            divan::black_box(&text)
                .parse::<scim_proto::filter::ScimFilter>()
                .unwrap()
        });
    }

    #[divan::bench]
    fn scim_v2(bencher: Bencher<'_, '_>) {
        let text = twenty_terms();
        bencher.bench(|| {
            divan::black_box(&text)
                .parse::<scim_v2::filter::Filter>()
                .unwrap()
        });
    }
}

/// A filter over 10,000 people in memory; the floor knows the struct and does nothing that it need not.
#[divan::bench_group(name = "evaluate over 10,000")]
mod evaluate {
    use divan::Bencher;
    use scim::ScimResource;
    use scim::filter::{Filter, Resolve, ResolvedFilter};
    use scim::resources::User;
    use scim_peers::samples::people;

    const NAME: &str = r#"userName eq "user09999@example.com""#;
    const VALUES: &str = r#"active eq true and emails[type eq "home" and value ew "@example.org"]"#;

    fn ours(bencher: Bencher<'_, '_>, filter: &str) {
        let people = people(10_000);
        let filter: Filter = filter.parse().unwrap();
        let filter =
            ResolvedFilter::resolve(&filter, User::RESOURCE_TYPE.schema, Resolve::default()).unwrap();
        bencher.bench_local(|| people.iter().filter(|user| filter.matches(*user)).count());
    }

    fn by_hand(bencher: Bencher<'_, '_>, matches: impl Fn(&User) -> bool) {
        let people = people(10_000);
        bencher.bench_local(|| people.iter().filter(|user| matches(user)).count());
    }

    fn ends_with(text: &str, end: &str) -> bool {
        let start = text.len().checked_sub(end.len());
        start
            .and_then(|start| text.get(start..))
            .is_some_and(|found| found.eq_ignore_ascii_case(end))
    }

    #[divan::bench]
    fn user_name_ours(bencher: Bencher<'_, '_>) {
        ours(bencher, NAME);
    }

    #[divan::bench]
    fn user_name_by_hand(bencher: Bencher<'_, '_>) {
        by_hand(bencher, |user| {
            user.user_name.eq_ignore_ascii_case("user09999@example.com")
        });
    }

    #[divan::bench]
    fn value_path_ours(bencher: Bencher<'_, '_>) {
        ours(bencher, VALUES);
    }

    #[divan::bench]
    fn value_path_by_hand(bencher: Bencher<'_, '_>) {
        by_hand(bencher, |user| {
            user.active == Some(true)
                && user.emails.iter().any(|email| {
                    let kind = email.kind.as_deref().unwrap_or_default();
                    let value = email.value.as_deref().unwrap_or_default();
                    kind.eq_ignore_ascii_case("home") && ends_with(value, "@example.org")
                })
        });
    }
}
