//! Every store of the library keeps the contract of `Store`.

mod memory {
    use scim::resources::{Group, User};
    use scim::store::Memory;

    scim::testkit::store_contract!(Memory::new().link(Group::paths().members(), User::paths().groups()));
}
