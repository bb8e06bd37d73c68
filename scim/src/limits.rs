//! One table of the limits that protect a service: the struct, its defaults, its documentation, the list that a program
//! makes its flags from, and the errors.
//!
//! A limit is a row of the table at the end of this file, and nowhere else. Times are [`Duration`]s in [`Limits`], and
//! milliseconds where a limit is a number ([`Limit::get`], [`Limit::set`]).

use std::time::Duration;

use http::StatusCode;

use crate::error::{Error, Result};

/// The unit that the number of a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things: operations, resources, levels of nesting.
    Count,
    /// Steps of work, each about as much as to look at one value.
    Steps,
    /// Milliseconds; in [`Limits`] a [`Duration`].
    Milliseconds,
}

/// A row of the table: one limit, for a program that gives each a flag and documents it.
///
/// ```
/// use scim::Limits;
///
/// let limit = Limits::named("page_size").expect("a limit");
/// let mut limits = Limits::default();
/// limit.set(&mut limits, 50);
/// assert_eq!((limits.page_size, limit.default()), (50, 100));
/// assert!(Limits::table().iter().all(|limit| !limit.why().is_empty()));
/// ```
#[derive(Debug)]
pub struct Limit {
    name: &'static str,
    unit: Unit,
    bounds: &'static str,
    why: &'static str,
    get: fn(&Limits) -> u64,
    set: fn(&mut Limits, u64),
}

impl Limit {
    /// Returns the name, which is that of the field of [`Limits`] and stands in the errors.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns what the number counts.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// Returns a sentence on what it bounds.
    #[must_use]
    pub fn bounds(&self) -> &'static str {
        self.bounds.trim()
    }

    /// Returns the reason for the default.
    #[must_use]
    pub fn why(&self) -> &'static str {
        self.why
    }

    /// Returns the default, in [`Limit::unit`].
    #[must_use]
    pub fn default(&self) -> u64 {
        self.get(&Limits::default())
    }

    /// Returns the value in these limits, in [`Limit::unit`].
    #[must_use]
    pub fn get(&self, limits: &Limits) -> u64 {
        (self.get)(limits)
    }

    /// Changes the value in these limits, in [`Limit::unit`].
    pub fn set(&self, limits: &mut Limits, value: u64) {
        (self.set)(limits, value);
    }
}

/// The type of a field of [`Limits`].
trait Amount: Copy {
    fn of_number(number: u64) -> Self;
    fn number(self) -> u64;
}

impl Amount for usize {
    fn of_number(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }

    fn number(self) -> u64 {
        u64::try_from(self).unwrap_or(u64::MAX)
    }
}

impl Amount for Duration {
    fn of_number(number: u64) -> Self {
        Self::from_millis(number)
    }

    fn number(self) -> u64 {
        u64::try_from(self.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The words of an error about a limit.
struct Excess {
    limit: &'static str,
    /// The thing that is too much; empty if it is the attribute that the error is said to be about.
    subject: &'static str,
    counted: &'static str,
    remedy: &'static str,
}

impl Excess {
    fn sentence(&self, most: u64, sent: Option<u64>) -> String {
        let Self {
            limit,
            subject,
            counted,
            remedy,
        } = self;
        let space = if subject.is_empty() { "" } else { " " };
        match sent {
            Some(sent) => format!(
                "{subject}{space}has {sent} {counted}, but at most {most} {counted} are allowed (limit {limit}): {remedy}"
            ),
            None => format!("{subject}{space}has more than {most} {counted} (limit {limit}): {remedy}"),
        }
    }
}

/// Makes a 413 (RFC 7644 section 3.7.4).
fn payload_too_large(detail: String) -> Error {
    Error::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// Makes a 414 (RFC 9110 section 15.5.15).
fn uri_too_long(detail: String) -> Error {
    Error::new(StatusCode::URI_TOO_LONG, detail)
}

/// Makes a 429 with `Retry-After` (RFC 6585 section 4): the client, or its tenant, has its share.
fn share_used(detail: String) -> Error {
    Error::new(StatusCode::TOO_MANY_REQUESTS, detail).with_retry_after(RETRY_AFTER)
}

/// Makes a 503 with `Retry-After` (RFC 9110 section 15.6.4): others use all there is.
fn no_room(detail: String) -> Error {
    Error::new(StatusCode::SERVICE_UNAVAILABLE, detail).with_retry_after(RETRY_AFTER)
}

/// When whoever found no room may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Makes [`Limits`] and everything else that follows from the table. A row is: what it bounds, as a comment of one line;
/// name, type, default and unit; why the default is what it is; and the error: its constructor, what is too much (empty for
/// an attribute), what is counted, and what to do. A row has no error where an answer is cut short instead, or where a
/// parser names the place at which the text goes too far.
macro_rules! limits {
    ($(
        #[doc = $bounds:literal]
        $name:ident: $type:ty = $default:expr, $unit:ident,
        why $why:literal
        $(, refused $refusal:path, $subject:literal $counted:literal $remedy:literal)?;
    )*) => {
        /// Upper bounds on what a request may ask for.
        ///
        /// Every bound is charged while the work is done, never after. The defaults suit the identity providers in use;
        /// lower them for endpoints that only ever see small resources. [`Limits::table`] lists all with their reasons.
        ///
        /// ```
        /// use scim::Limits;
        ///
        /// let limits = Limits { page_size_max: 200, ..Limits::default() };
        /// assert_eq!(limits.page_size, 100);
        /// ```
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $(
                #[doc = $bounds]
                #[doc = concat!("\n\nDefault: `", stringify!($default), "`. ", $why)]
                pub $name: $type,
            )*
        }

        impl Limits {
            /// The defaults.
            pub(crate) const DEFAULT: Self = Self { $($name: $default,)* };
        }

        impl Default for Limits {
            fn default() -> Self {
                Self::DEFAULT
            }
        }

        static TABLE: &[Limit] = &[$(
            Limit {
                name: stringify!($name),
                unit: Unit::$unit,
                bounds: $bounds,
                why: $why,
                get: |limits| limits.$name.number(),
                set: |limits, value| limits.$name = Amount::of_number(value),
            },
        )*];

        /// The errors of the limits: each says which limit it is, what is allowed, what was sent as far as that is known,
        /// and what to do.
        ///
        /// ```
        /// use scim::limits::exceeded;
        ///
        /// let error = exceeded::body(1_000, Some(1_200));
        /// assert_eq!((error.status().as_u16(), error.limit()), (413, Some("body")));
        /// ```
        pub mod exceeded {
            use super::{Amount, Duration, Error, Excess, no_room, payload_too_large, share_used, uri_too_long};

            $($(
                #[doc = concat!("Makes the error for more than [`Limits::", stringify!($name), "`](super::Limits::", stringify!($name), ") allows.")]
                #[must_use]
                pub fn $name(most: $type, sent: Option<usize>) -> Error {
                    let excess = Excess {
                        limit: stringify!($name),
                        subject: $subject,
                        counted: $counted,
                        remedy: $remedy,
                    };
                    let sentence = excess.sentence(most.number(), sent.map(Amount::number));
                    $refusal(sentence).with_limit(excess.limit)
                }
            )?)*
        }
    };
}

impl Limits {
    /// Returns every limit, in the order of the fields.
    #[must_use]
    pub fn table() -> &'static [Limit] {
        TABLE
    }

    /// Returns the limit with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Limit> {
        TABLE.iter().find(|limit| limit.name == name)
    }
}

#[cfg(test)]
impl Limits {
    /// Returns limits that nothing exceeds, for data as it was before there were any.
    pub(crate) fn boundless() -> std::sync::Arc<Self> {
        let mut limits = Self::default();
        for limit in TABLE {
            limit.set(&mut limits, u64::MAX);
        }
        std::sync::Arc::new(limits)
    }
}

limits! {
    /// Bytes of a request body for an ordinary resource.
    body: usize = 1 << 20, Bytes,
    why "A person with every attribute of the core and enterprise schemas takes less than 10 KiB; a photograph from a directory adds 140 KiB.",
    refused payload_too_large, "The body" "bytes" "send less in one request";

    /// Bytes of a request body for a resource with edges (a group and its members).
    large_body: usize = 16 << 20, Bytes,
    why "Okta sends a whole group with all its members in one PUT: 100,000 members with their displays fit.",
    refused payload_too_large, "The body" "bytes" "send less in one request, such as members in several PATCH requests";

    /// Time that the body of a request may take to come in.
    body_time: Duration = Duration::from_secs(300), Milliseconds,
    why "A body of 16 MiB comes in time over a line of half a megabit a second.";

    /// Bytes of a body that must come in each second, on average over ten seconds.
    body_rate: usize = 1 << 10, Bytes,
    why "Providers send from data centers, at a thousand times this rate; whoever is slower holds memory and sends nothing.";

    /// Bytes of a body that is refused which are read and thrown away, so that a client that sends before it listens sees the answer.
    discarded_body: usize = 16 << 20, Bytes,
    why "As much as the longest body: a group that is twice too long is told so.";

    /// Bytes of bodies whose requests are not answered yet, in total.
    bodies: usize = 128 << 20, Bytes,
    why "Eight bodies of the longest kind at once, or thousands of ordinary ones.",
    refused no_room, "The service" "bytes of bodies whose requests are not answered yet" "repeat the request";

    /// Bytes of bodies of one tenant whose requests are not answered yet, where the store tells tenants apart.
    tenant_bodies: usize = 48 << 20, Bytes,
    why "Three groups of the longest kind at once; Okta and Entra send one request of a group after the other.",
    refused share_used, "The tenant" "bytes of bodies whose requests are not answered yet" "send fewer requests at once";

    /// Nesting of JSON arrays and objects.
    json_depth: usize = 64, Count,
    why "SCIM nests four deep (a message, its operations, a value, its sub-attributes), and custom JSON seldom more than ten.";

    /// Bytes of a filter.
    filter_bytes: usize = 16 << 10, Bytes,
    why "Providers look up one person by one or two names; the longest filters join some hundred identifiers with `or`.";

    /// Nesting of parentheses and brackets in a filter.
    filter_depth: usize = 64, Count,
    why "No provider nests deeper than three; programs that generate filters stay below this.";

    /// Expressions and logical operators in a filter.
    filter_nodes: usize = 512, Count,
    why "256 comparisons joined by `or`: more identifiers at once than any provider looks up.";

    /// Bytes of the query string of a URL.
    query_bytes: usize = 32 << 10, Bytes,
    why "Room for the longest filter with each character escaped twice; proxies allow less.",
    refused uri_too_long, "The query of the URL" "bytes" "search with POST instead";

    /// Operations in one PATCH request.
    patch_operations: usize = 1_000, Count,
    why "authentik sends one operation for each member, in portions of `bulk.maxOperations`; Okta and Entra send a few; AWS takes 100 changes of members at most, so that clients divide their work anyway.",
    refused payload_too_large, "The PATCH" "operations" "send the others in further requests";

    /// Elements of a multi-valued attribute that one operation may carry.
    operation_values: usize = 100_000, Count,
    why "Okta sends whole groups as one value, and a body of 16 MiB holds about as many members.",
    refused Error::invalid_value, "" "values" "send them in several requests";

    /// Comparisons and logical operators in the filters of one PATCH, of all its operations.
    patch_terms: usize = 10_000, Count,
    why "A thousand operations of ten comparisons each; providers select one member or one address by one or two.",
    refused payload_too_large, "The PATCH" "comparisons in its filters" "send fewer operations in one request";

    /// Steps that a PATCH may take: elements that its operations look at, times the comparisons of their filters.
    patch_steps: usize = 10_000_000, Steps,
    why "A thousand operations with a filter on a person of 1,000 values pass, and so do twenty that look at all members of a group of 100,000, or two at those of a million.",
    refused payload_too_large, "The PATCH" "steps of work" "send fewer operations in one request, or select by `value` with `eq`";

    /// Bytes of a string.
    string_bytes: usize = 64 << 10, Bytes,
    why "Directories keep names and titles below 1 KiB, and descriptions below 4 KiB; the rest is for custom attributes that hold a text.",
    refused Error::invalid_value, "" "bytes" "shorten it";

    /// Bytes of a string that is unique, indexed, or a `displayName`, and of the identifier in an edge.
    name_bytes: usize = 4 << 10, Bytes,
    why "Entra and Okta end names at 256 characters. They are copied into indexes and into everything that refers to the resource.",
    refused Error::invalid_value, "" "bytes" "shorten it";

    /// Bytes of a reference.
    reference_bytes: usize = 256 << 10, Bytes,
    why "URLs end at 2 KiB in practice; some directories send a photograph as a `data:` URL of 140 KiB.",
    refused Error::invalid_value, "" "bytes" "refer to the content by a shorter URL";

    /// Bytes of a binary value, decoded.
    binary_bytes: usize = 512 << 10, Bytes,
    why "A certificate takes 2 KiB, a photograph of a directory at most 100 KiB.",
    refused Error::invalid_value, "" "bytes" "shorten it";

    /// Values of a multi-valued attribute that is not kept as edges, however they got there.
    values: usize = 2_000, Count,
    why "People have some ten addresses and at most a few hundred roles or entitlements; Entra assigns up to 1,500 roles of an application.",
    refused Error::invalid_value, "" "values" "remove some that are not needed";

    /// Bytes of a resource without its edges, however it grew.
    resource_bytes: usize = 2 << 20, Bytes,
    why "Twice the body that an ordinary resource may come in, so that whatever is created in one request fits.",
    refused payload_too_large, "The resource" "bytes" "shorten or remove values";

    /// Bytes of a page of resources: it ends before the resource that would exceed them, and its first is always whole.
    answer_bytes: usize = 16 << 20, Bytes,
    why "A thousand people with all attributes take 2 MB; RFC 7644 section 3.4.2.4 lets a service answer fewer than were asked for.";

    /// Resources on a page when the client names no `count`.
    page_size: usize = 100, Count,
    why "Okta asks for 100, and the Interoperability Profile demands that this is honoured.";

    /// Resources on a page whatever the client asks for.
    page_size_max: usize = 1_000, Count,
    why "Okta, SailPoint and Entra ask for 100 or fewer; more at once saves tools of administrators a few requests.";

    /// Rows that a filter which no index serves may visit before the answer is `tooMany`.
    scanned_rows: usize = 100_000, Count,
    why "Providers filter by indexed attributes; a walk over 100,000 people takes about a second.",
    refused Error::too_many, "The list" "resources to visit, because no index serves the filter or the order" "narrow it with eq on an attribute such as id, userName or externalId";

    /// Steps of a search: expressions evaluated, values visited, instructions of the database's own machine.
    search_steps: usize = 250_000_000, Steps,
    why "A filter of 512 nodes over two e-mail addresses each of 100,000 people takes 80 million; a list that is too long for one piece searches twice.",
    refused Error::too_many, "The search" "steps" "narrow it with eq on an attribute such as id, userName or externalId, or send fewer terms";

    /// Time that a search may take.
    search_time: Duration = Duration::from_secs(20), Milliseconds,
    why "The longest filter over 100,000 people takes four seconds on one core, which it may have to share; clients wait for 30 to 60 seconds.",
    refused Error::too_many, "The search" "milliseconds of work" "narrow it with eq on an attribute such as id, userName or externalId, or send fewer terms";
}

/// The steps that the work on one request may still take, and what happens when they are used up. To charge is an addition.
#[derive(Debug, Clone)]
pub struct Steps {
    spent: usize,
    most: usize,
    is_brief: bool,
}

impl Steps {
    /// Makes the budget of a PATCH: [`Limits::patch_steps`].
    #[must_use]
    pub fn of(limits: &Limits) -> Self {
        Self {
            spent: 0,
            most: limits.patch_steps,
            is_brief: false,
        }
    }

    /// Makes a budget for work that may be done elsewhere, too: where it is used up, the work is not refused but put off,
    /// as after a [conflict](Error::conflict).
    #[must_use]
    pub(crate) fn brief(most: usize) -> Self {
        Self {
            spent: 0,
            most,
            is_brief: true,
        }
    }

    /// Makes a budget without an end, for what is a store's own.
    #[must_use]
    pub(crate) fn boundless() -> Self {
        Self::brief(usize::MAX)
    }

    /// Charges steps that are about to be taken.
    ///
    /// # Errors
    /// 413 naming [`Limits::patch_steps`] if there are too few left.
    pub fn spend(&mut self, steps: usize) -> Result<()> {
        self.spent = self.spent.saturating_add(steps);
        match self.spent <= self.most {
            true => Ok(()),
            false if self.is_brief => Err(Error::conflict()),
            false => Err(exceeded::patch_steps(self.most, None)),
        }
    }

    /// Returns how many were charged so far.
    #[must_use]
    pub fn spent(&self) -> usize {
        self.spent
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A program makes a flag of each row: names differ, and what is set through the table is what the field holds.
    #[test]
    fn each_row_reads_and_writes_its_own_field() {
        let names: BTreeSet<_> = Limits::table().iter().map(Limit::name).collect();
        assert_eq!(names.len(), Limits::table().len());
        for limit in Limits::table() {
            let mut limits = Limits::default();
            limit.set(&mut limits, 7);
            assert_eq!(limit.get(&limits), 7, "{}", limit.name());
            limit.set(&mut limits, limit.default());
            assert_eq!(limits, Limits::default(), "{}", limit.name());
            assert!(
                limit.bounds().ends_with('.') && limit.why().ends_with('.'),
                "{}",
                limit.name()
            );
            assert!(Limits::named(limit.name()).is_some());
        }
        assert!(Limits::named("patience").is_none());
    }

    /// RFC 7644 section 3.7.4: the error names the limit; an administrator reads what was sent and what to do.
    #[test]
    fn an_error_says_limit_amount_and_remedy() {
        let error = exceeded::patch_operations(1_000, Some(1_200));
        assert_eq!(
            error.to_string(),
            "The PATCH has 1200 operations, but at most 1000 operations are allowed (limit patch_operations): send the \
             others in further requests."
        );
        assert_eq!(
            (error.status().as_u16(), error.limit()),
            (413, Some("patch_operations"))
        );
        let error = exceeded::operation_values(10, None).at("emails");
        assert_eq!(
            error.to_string(),
            "Attribute emails has more than 10 values (limit operation_values): send them in several requests."
        );
    }
}
