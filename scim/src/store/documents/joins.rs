//! The keys by which statements of an application join its own tables with the rows of the store.

use super::key::Key;
use crate::Result;
use crate::record::ScimResource;
use crate::store::database::Reader;

/// Returns the key of the row of a resource, a number that is never given to another one; `None` if the tenant has no such
/// resource.
///
/// An application that keeps something beside a resource keeps this key with it, and joins it with `src` and `dst` of the
/// rows that [`EdgeRows`] names.
///
/// # Errors
/// The database fails.
pub fn row_of<R: ScimResource>(reader: &Reader<'_>, tenant: &str, id: &str) -> Result<Option<i64>> {
    reader.query_one(
        "SELECT r.rid FROM scim_resource r
         WHERE r.tenant = (SELECT id FROM scim_tenant WHERE name = ?1) AND r.id = ?2
           AND r.type = (SELECT id FROM scim_type WHERE name = ?3)",
        &[
            tenant.as_bytes().into(),
            Key::id(id).as_bytes().into(),
            R::RESOURCE_TYPE.name.into(),
        ],
        |row| row.integer(0),
    )
}

/// The edges of one attribute as rows, such as the members of a tenant's groups.
///
/// Statements of the application read them as the rows of `scim_edge(tenant, src, attr, dst)` with these two numbers; `src`
/// and `dst` are keys of rows ([`row_of`]). Both directions are served by an index: by `(tenant, src, attr, dst)` and by
/// `(tenant, dst, attr, src)`. The application never writes them.
///
/// ```
/// use scim::resources::{Group, GroupMembership, Member, User};
/// use scim::store::documents::{DocumentStore, EdgeRows, row_of};
/// use scim::store::{Store, Write};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let store: DocumentStore<String> = DocumentStore::in_memory()?
///     .resource::<User>()
///     .resource::<Group>()
///     .link(Group::paths().members(), User::paths().groups())
///     .build()?;
/// let acme = "acme".to_owned().into();
/// store.write(Write::create(&acme, "2819", User::new("bjensen"))).await?;
/// let mut guides = Group::new("Guides");
/// guides.members = vec![Member::new("2819")].into();
/// store.write(Write::create(&acme, "e9e3", guides)).await?;
///
/// let members = store.database().read(|reader| {
///     let (Some(group), Some(edges)) =
///         (row_of::<Group>(reader, "acme", "e9e3")?, EdgeRows::of::<Group>(reader, "acme", "members")?)
///     else {
///         return Ok(None);
///     };
///     reader.query_one(
///         "SELECT count(*) FROM scim_edge e WHERE e.tenant = ?1 AND e.src = ?2 AND e.attr = ?3",
///         &[edges.tenant.into(), group.into(), edges.attribute.into()],
///         |row| row.integer(0),
///     )
/// });
/// assert_eq!(members.await?, Some(1));
/// # Ok::<_, scim::Error>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeRows {
    /// The number in the column `tenant`.
    pub tenant: i64,
    /// The number in the column `attr`.
    pub attribute: i64,
}

impl EdgeRows {
    /// Finds the edges of an attribute of `R`, by its name; `None` if nothing was ever kept for the tenant.
    ///
    /// # Errors
    /// The database fails.
    pub fn of<R: ScimResource>(reader: &Reader<'_>, tenant: &str, attribute: &str) -> Result<Option<Self>> {
        reader.query_one(
            "SELECT t.id, a.id FROM scim_tenant t, scim_attribute a
             WHERE t.name = ?1 AND a.name = ?2 AND a.type = (SELECT id FROM scim_type WHERE name = ?3)",
            &[
                tenant.as_bytes().into(),
                attribute.into(),
                R::RESOURCE_TYPE.name.into(),
            ],
            |row| {
                Ok(Self {
                    tenant: row.integer(0)?,
                    attribute: row.integer(1)?,
                })
            },
        )
    }
}
