//! A table with a column for everything keeps the contract of every store.

/// One connection at a time, in memory.
mod in_memory {
    use crate::directory::{Directory, store};

    scim::testkit::store_contract!(store(Directory::in_memory(), 1));
}

/// Transactions side by side, in a file.
mod in_a_file {
    use std::path::Path;
    use std::sync::atomic::{AtomicU32, Ordering};

    use scim::store::table::Table;
    use scim::testkit::Tenant;

    use crate::directory::{Directory, store};

    fn in_file() -> Table<Directory, Tenant> {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let name = format!("own-tables-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder");
        store(Directory::in_file(&folder.join("own.db")), 4)
    }

    scim::testkit::store_contract!(in_file());
}
