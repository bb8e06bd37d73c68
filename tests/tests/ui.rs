//! The code that the derives accept and refuse. `TRYBUILD=overwrite` overwrites the expected messages.

#[test]
fn derives() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*.rs");
}
