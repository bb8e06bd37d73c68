//! Work of many transactions that is under way: some process does it now, or the next server that starts goes on with it.

/// Statements that count what each kind of work is still to be done for, and the names of one and of several.
pub(super) const KINDS: &[(&str, &str, &str)] = &[
    (
        "SELECT count(*) FROM erasure",
        "erasure of a person",
        "erasures of people",
    ),
    (
        "SELECT count(*) FROM organization WHERE erasing IS NOT NULL AND deleted IS NULL",
        "erasure of attributes that are not kept any more",
        "erasures of attributes that are not kept any more",
    ),
    (
        "SELECT count(*) FROM organization WHERE converting IS NOT NULL AND deleted IS NULL",
        "change of how people sign in",
        "changes of how people sign in",
    ),
    (
        "SELECT count(*) FROM source s JOIN organization o ON o.id = s.org
         WHERE s.attached IS NOT NULL AND s.cleared IS NULL AND o.deleted IS NULL",
        "end of a connection with an identity provider",
        "ends of connections with identity providers",
    ),
    (
        "SELECT count(*) FROM organization WHERE deleted IS NOT NULL AND purged IS NULL",
        "purge of a deleted organization",
        "purges of deleted organizations",
    ),
];
