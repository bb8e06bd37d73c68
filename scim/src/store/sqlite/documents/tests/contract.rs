//! What every store promises.

use super::*;

crate::store_contract!(
    Sqlite::in_memory()
        .unwrap()
        .resource::<User>()
        .resource::<Group>()
        .link(Group::paths().members(), User::paths().groups())
        .build()
        .unwrap()
);
