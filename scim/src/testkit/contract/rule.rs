//! The rules of the contract: what each demands, where it stands, and what to do in a store that breaks it.

/// A rule that every store keeps. Its name is that of the check, and of the test that
/// [`store_contract!`](crate::store_contract) makes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    name: &'static str,
    demand: &'static str,
    reference: &'static str,
    remedy: &'static str,
}

impl Rule {
    const fn new(
        name: &'static str,
        demand: &'static str,
        reference: &'static str,
        remedy: &'static str,
    ) -> Self {
        Self {
            name,
            demand,
            reference,
            remedy,
        }
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns what a store is to do, in a sentence without its full stop.
    #[must_use]
    pub fn demand(&self) -> &'static str {
        self.demand
    }

    /// Returns where the rule stands in the RFCs; `None` if it is one of [`Store`](crate::store::Store) alone.
    #[must_use]
    pub fn reference(&self) -> Option<&'static str> {
        Some(self.reference).filter(|reference| !reference.is_empty())
    }

    /// Returns what to do in a store that breaks the rule.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        self.remedy
    }
}

/// The reference of a rule that no RFC has: it stands in the documentation of the trait.
const OF_THE_TRAIT: &str = "";

/// All rules, in the order in which they are checked.
pub(super) const RULES: &[Rule] = &[
    Rule::new(
        "samples_are_distinct",
        "the sample makes distinct resources, and its changes make distinct states of what is kept",
        OF_THE_TRAIT,
        "correct the sample: let every unique attribute depend on n, and let the change set attributes that the store \
         keeps to values that depend on n",
    ),
    Rule::new(
        "created_resources_are_kept_whole",
        "what was created is what is kept and shown, with id and meta",
        "RFC 7644 section 3.3, RFC 7643 section 3.1",
        "write every attribute of `Put::resource`, build the state with `Stored::new`, and declare with \
         `Sample::keeping` what the store does not keep, with `Sample::without_times` that it keeps no times",
    ),
    Rule::new(
        "ids_are_made_by_the_store",
        "a new resource gets an id that the client has no say in",
        "RFC 7643 section 3.1",
        "insert under `Write::id`, or under a number that the database gives; never under the id of the resource sent",
    ),
    Rule::new(
        "ids_are_never_given_again",
        "an id is never given again, not even after a delete",
        "RFC 7643 section 3.1",
        "take ids from `Write::id`, or from a sequence that never goes back (in SQLite, AUTOINCREMENT)",
    ),
    Rule::new(
        "ids_have_one_spelling",
        "an id is compared as it is written: any other text is 404",
        "RFC 7643 section 3.1",
        "where ids are numbers or UUIDs in the database, look up only what is written just as the store writes it, and \
         answer 404 to all else instead of an error of the database",
    ),
    Rule::new(
        "ids_are_of_one_type",
        "no two resources of a tenant share an id, whatever their types",
        OF_THE_TRAIT,
        "draw the ids of all types from one sequence, or put a letter for the type in front",
    ),
    Rule::new(
        "unique_values_are_refused",
        "a value that must be unique is refused with 409 uniqueness, compared as its attribute is compared, and leaves no \
         trace",
        "RFC 7643 section 7, RFC 7644 sections 3.3 and 3.12",
        "keep `Attribute::fold().key(value)` in a column with a unique index, and turn its violation into \
         409 `uniqueness`",
    ),
    Rule::new(
        "case_exact_values_differ_by_their_case",
        "values of an attribute that is caseExact differ if their case does",
        "RFC 7643 section 2.2",
        "put the unique index on `Attribute::fold().key(value)`, not on a column whose collation ignores case",
    ),
    Rule::new(
        "unique_values_are_free_once_given_up",
        "a value that nobody has any more can be had, and one's own can be written again",
        "RFC 7643 section 7",
        "update the column with the key together with the value, and exclude the row itself where you look for others",
    ),
    Rule::new(
        "unique_values_of_deleted_resources_are_free",
        "the unique values of a deleted resource can be had again",
        "RFC 7644 section 3.6",
        "delete the row, or leave deleted rows out of the unique index",
    ),
    Rule::new(
        "of_concurrent_creates_one_wins",
        "of several creates with one unique value, one succeeds and the others are 409 uniqueness",
        "RFC 7644 section 3.3",
        "leave it to a unique index of the database, or look and insert in one transaction that excludes others",
    ),
    Rule::new(
        "transient_values_are_not_kept",
        "what is handed on, such as a password, is kept and shown nowhere",
        "RFC 7643 section 4.1.1",
        "write `Put::resource`; `Put::handed_on` is for whoever joins the write alone",
    ),
    Rule::new(
        "concurrent_patches_are_all_kept",
        "a write is decided on the state that the one before has left",
        "RFC 7644 section 3.5.2",
        "read and write in one transaction that locks the row, or update where the version is the one that was read and \
         return `Error::conflict` where it is not",
    ),
    Rule::new(
        "of_concurrent_conditional_writes_one_wins",
        "of several who have seen one version, one can write, and the others are 412",
        "RFC 7644 section 3.14, RFC 9110 section 13.1.1",
        "call `Write::decide` with the state that the transaction of the write has read",
    ),
    Rule::new(
        "writes_are_answered_from_their_transaction",
        "a write is answered with the state that it has made, under its version",
        "RFC 7644 sections 3.5.1 and 3.5.2",
        "read the answer before the transaction of the write is committed",
    ),
    Rule::new(
        "applied_writes_are_acknowledged",
        "a write that was carried out is not answered with an error",
        "RFC 7644 section 3.5.1",
        "read the answer before the transaction of the write is committed: afterwards, the resource may be gone",
    ),
    Rule::new(
        "stale_versions_are_refused",
        "a write under a version that is gone is 412 and changes nothing",
        "RFC 7644 section 3.14",
        "call `Write::decide` for every write, a delete as well, and do what it says",
    ),
    Rule::new(
        "preconditions_hold_in_every_form",
        "every form of If-Match and If-None-Match holds",
        "RFC 9110 section 13.1",
        "call `Write::decide` for every write, and `Precondition::check_read` for every get",
    ),
    Rule::new(
        "failed_patches_change_nothing",
        "a PATCH of which an operation fails leaves the resource as it was",
        "RFC 7644 section 3.5.2",
        "write what `Write::decide` returns, and roll the transaction back on every error",
    ),
    Rule::new(
        "writes_that_change_nothing_leave_no_trace",
        "a write that changes nothing moves neither the version nor the time",
        "RFC 7644 section 3.5.2.1",
        "on `Decision::Keep` write nothing, and answer with the version that is there and `changed: false`; declare what \
         the store does not keep",
    ),
    Rule::new(
        "changes_move_version_and_time",
        "every state has a version of its own, and meta.lastModified moves with it",
        "RFC 7643 section 3.1, RFC 7644 section 3.14",
        "write the stamp of the `Put`, or a digest of everything that is kept, and answer with it; keep times in \
         microseconds, or declare `Sample::without_times`",
    ),
    Rule::new(
        "replacements_keep_id_and_creation",
        "a replace keeps id and meta.created, and takes away what it leaves out",
        "RFC 7644 section 3.5.1",
        "write every attribute of `Put::resource`, absent ones as well, and leave the id and the time of creation",
    ),
    Rule::new(
        "deleted_resources_are_gone",
        "after a delete the resource is 404 to everything and in no list",
        "RFC 7644 section 3.6",
        "delete the row, or leave deleted rows out of every query and count",
    ),
    Rule::new(
        "known_versions_are_not_sent_again",
        "a client that has the version is answered 304, if nothing shown follows from other resources",
        "RFC 7644 section 3.14, RFC 9110 section 13.1.2",
        "return `Answer::NotModified` where `Precondition::check_read` says so",
    ),
    Rule::new(
        "filters_select_what_they_say",
        "a filter selects the resources that satisfy it, and no others",
        "RFC 7644 section 3.4.2.2",
        "compare keys of `Attribute::fold`, escape what is a wildcard to the database, let `not` and `ne` select absent \
         values, or evaluate `ResolvedFilter::matches`; declare with `Sample::filtered_by` by what the store filters",
    ),
    Rule::new(
        "filters_find_nothing_deleted",
        "no filter finds a deleted resource",
        "RFC 7644 section 3.6",
        "leave deleted rows out of every query, and take them out of every index that the store keeps",
    ),
    Rule::new(
        "filters_are_applied_before_pages",
        "a filter is applied before the page is cut, and the total counts what it selects",
        "RFC 7644 section 3.4.2",
        "put the condition into the query that has LIMIT and OFFSET, and count with the same condition",
    ),
    Rule::new(
        "filters_are_refused_rather_than_cut_short",
        "a filter that would visit more rows than it may is 400 tooMany",
        "RFC 7644 sections 3.4.2.1 and 3.12",
        "count the rows that are evaluated, and return 400 `tooMany` past `Query::scanned_rows`; never a part of the \
         matches",
    ),
    Rule::new(
        "unique_values_are_found_by_an_index",
        "a unique value is found without visiting other rows",
        OF_THE_TRAIT,
        "answer `eq` on a unique attribute from its index: providers ask for it before every create",
    ),
    Rule::new(
        "pages_are_stable_and_complete",
        "whoever walks the pages meets every resource once, in one order",
        "RFC 7644 section 3.4.2.4",
        "order by creation, or by another column that no change moves, and count all that match",
    ),
    Rule::new(
        "pages_may_be_empty",
        "count 0 asks for the total, a page behind the end is empty, and a startIndex below 1 is 1",
        "RFC 7644 section 3.4.2.4",
        "count apart from the page, and let no arithmetic on `start_index` overflow",
    ),
    Rule::new(
        "lists_are_sorted",
        "a list is sorted by the keys of its attribute, absent values last (descending, first), in one order on all pages",
        "RFC 7644 section 3.4.2.3",
        "order by the column with the key, then by creation; declare with `Sample::sorted_by` by what the store sorts",
    ),
    Rule::new(
        "sorted_items_have_their_key",
        "where a query sorts, every item has its sort key",
        OF_THE_TRAIT,
        "set `Item::sort_key` to `Sort::key` of the resource: a search over several types merges by it",
    ),
    Rule::new(
        "lists_show_what_is_wanted",
        "attributes and excludedAttributes shape lists and single answers alike",
        "RFC 7644 section 3.9",
        "render with the projection that was given, or return `Answer::Typed` and leave it to the service",
    ),
    Rule::new(
        "tenants_do_not_find_each_other_by_id",
        "a resource of one tenant is 404 to another, for reads and writes",
        OF_THE_TRAIT,
        "put the tenant into the condition of every SELECT, UPDATE and DELETE",
    ),
    Rule::new(
        "tenants_do_not_share_lists",
        "a list and its total have resources of one tenant",
        OF_THE_TRAIT,
        "put the tenant into the condition of every list and of its count",
    ),
    Rule::new(
        "filters_stay_in_their_tenant",
        "a filter finds resources of one tenant",
        OF_THE_TRAIT,
        "put the filter in brackets behind the tenant: an `or` binds less than the condition",
    ),
    Rule::new(
        "tenants_do_not_share_unique_values",
        "a value is unique within its tenant, and says nothing of others",
        OF_THE_TRAIT,
        "let every unique index begin with the tenant",
    ),
    Rule::new(
        "concurrent_edges_are_all_kept",
        "a write is decided on the edges that the one before has left",
        "RFC 7644 section 3.5.2",
        "insert and delete rows of edges as `Put::edges` says, in the transaction of the write, instead of writing back \
         a list that was read",
    ),
    Rule::new(
        "listed_edges_alone_are_removed",
        "a remove takes away the edges that it names, and no others",
        "RFC 7644 section 3.5.2.2",
        "carry out each `EdgeChange` as it is, in order; one that names nothing removes nothing",
    ),
    Rule::new(
        "replies_without_edges_lose_none",
        "what an answer leaves out stays in the resource",
        "RFC 7644 section 3.9",
        "decide on what is stored, never on what is shown",
    ),
    Rule::new(
        "large_resources_are_not_read_back",
        "a resource with more edges than `Reply::most_edges` is not shown after a PATCH",
        "RFC 7644 section 3.5.2",
        "count the edges, and answer with `None` past the limit",
    ),
    Rule::new(
        "large_resources_survive_a_change",
        "all edges survive a change of something else, however many there are",
        OF_THE_TRAIT,
        "read and write no edges that `Put::edges` does not name, and put no limit on those that are shown",
    ),
    Rule::new(
        "pages_of_large_resources_are_whole",
        "a page may have fewer resources than were asked for, but each is whole, and the next page goes on behind the last",
        "RFC 7644 section 3.4.2.4",
        "put the limit on resources, not on rows of a join with their edges",
    ),
    Rule::new(
        "pages_of_large_resources_are_bounded",
        "a page takes bounded memory, however large its resources are",
        OF_THE_TRAIT,
        "cut the page before the resource with which its documents pass 16 MiB, or return them as `Document::Parts`",
    ),
    Rule::new(
        "unloaded_edges_are_left_alone",
        "a replace that does not speak of the edges leaves them alone",
        "RFC 7644 section 3.5.1",
        "write the edges that `Put::edges` names; edges that are not loaded are not none",
    ),
    Rule::new(
        "replaced_edges_are_the_new_ones",
        "the edges of a replace are all, and changing them makes a new version",
        "RFC 7644 section 3.5.1",
        "on `EdgeChange::Set` delete what is not in it and insert what is missing, and write the stamp if any has moved",
    ),
    Rule::new(
        "edits_of_edges_that_change_nothing_leave_no_trace",
        "an edit that moves no edge moves neither the version nor the time",
        "RFC 7644 section 3.5.2.1",
        "where `Put::resource` is `None`, write the stamp only if a row of edges was inserted or deleted",
    ),
    Rule::new(
        "edges_move_version_and_time",
        "an edge that comes or goes makes a new version of the resource that has it",
        "RFC 7643 section 3.1, RFC 7644 section 3.14",
        "write the stamp of the `Put` where rows of edges have changed; a version that is a digest takes in the edges",
    ),
    Rule::new(
        "unknown_edges_are_refused",
        "an edge to a resource that does not exist is 400 invalidValue, the error names the id, and nothing is written",
        "RFC 7643 section 4.2, RFC 7644 section 3.12",
        "look up the other end in the transaction, return 400 `invalidValue` with the id, and roll back",
    ),
    Rule::new(
        "edges_stay_in_their_tenant",
        "an edge to a resource of another tenant is an edge to nothing",
        OF_THE_TRAIT,
        "look up the other end with the tenant, and let foreign keys begin with the tenant",
    ),
    Rule::new(
        "mirrors_follow_their_edges",
        "the mirror of the edges, such as groups of a user, shows what the edges say, and no client changes it",
        "RFC 7643 sections 4.1.2 and 4.2",
        "keep no mirror: read it from the rows of edges; complete `$ref` and `type` from the resource at the other end",
    ),
    Rule::new(
        "names_of_edges_are_up_to_date",
        "the display of an edge is the displayName that the resource at its other end has now",
        "RFC 7643 sections 2.4 and 4.2",
        "join the name from the row at the other end; do not keep it in the row of the edge or in a document",
    ),
    Rule::new(
        "resources_of_one_type_can_be_nested",
        "an edge can lead to a resource of the type that has it, and is seen as such",
        "RFC 7643 section 4.2",
        "look up the other end among all types that `Link::targets` names, and draw the ids of all types from one \
         sequence",
    ),
    Rule::new(
        "edges_are_found_by_filter",
        "edges and their mirror are filtered like any other attribute",
        "RFC 7644 section 3.4.2.2",
        "translate the filter into EXISTS over the rows of edges; declare with `Sample::filtered_by` if you do not",
    ),
    Rule::new(
        "deleted_resources_leave_their_edges",
        "no edge leads to or from a deleted resource",
        "RFC 7643 section 4.2",
        "delete the rows of edges at both ends in the transaction of the delete (ON DELETE CASCADE)",
    ),
    Rule::new(
        "derived_attributes_are_never_out_of_date",
        "an answer that shows what follows from other resources is never 304",
        "RFC 7644 section 3.14",
        "return `Answer::NotModified` only where the projection includes neither the mirror nor the display of edges",
    ),
    Rule::new(
        "moved_edges_are_told",
        "where `Write::is_observed` says so, the store tells which edges a write has moved",
        OF_THE_TRAIT,
        "call `Write::moved` in the transaction with the edges that were inserted and deleted, of a new and of a deleted \
         resource as well",
    ),
];
