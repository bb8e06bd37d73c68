//! Lists, read page by page (RFC 7644 section 3.4.2).

use std::collections::VecDeque;
use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;

use bytes::Bytes;
use futures_util::stream::{Stream, try_unfold};
use http::Method;

use crate::client::address::Query;
use crate::client::exchange::Plan;
use crate::client::{Client, Error, Exchange, Result};
use crate::filter::{Filter, TypedFilter};
use crate::message::{LIST_RESPONSE, SEARCH_REQUEST};
use crate::path::{AttrPath, MultiPath, Path};
use crate::record::ScimResource;
use crate::schema::Attribute;
use crate::value::{Json, JsonBuf};

/// Names an attribute of `R`: a typed path, or the name as text.
pub trait AttributeRef<R> {
    /// Returns the name as it stands in a request.
    fn attribute_name(&self) -> String;
}

impl<R> AttributeRef<R> for &str {
    fn attribute_name(&self) -> String {
        (*self).to_owned()
    }
}

impl<R, T> AttributeRef<R> for Path<R, T> {
    fn attribute_name(&self) -> String {
        name(self.path(), self.root())
    }
}

impl<R, T, N> AttributeRef<R> for MultiPath<R, T, N> {
    fn attribute_name(&self) -> String {
        name(self.path(), self.root())
    }
}

fn name(path: AttrPath, root: &'static [Attribute]) -> String {
    path.name(root).map(|name| name.to_string()).unwrap_or_default()
}

/// A question for resources of type `R`. Nothing is sent before an answer is asked for.
#[must_use]
pub struct List<'c, S, R> {
    client: &'c Client<S>,
    filter: Option<String>,
    sort_by: Option<String>,
    descending: bool,
    attributes: Vec<String>,
    excluded: Vec<String>,
    page_size: Option<usize>,
    start_index: u64,
    by_post: bool,
    resource: PhantomData<fn() -> R>,
}

impl<'c, S, R> List<'c, S, R> {
    pub(super) fn new(client: &'c Client<S>) -> Self {
        Self {
            client,
            filter: None,
            sort_by: None,
            descending: false,
            attributes: Vec::new(),
            excluded: Vec::new(),
            page_size: None,
            start_index: 1,
            by_post: false,
            resource: PhantomData,
        }
    }

    /// Lists only the resources that match.
    pub fn filter(self, filter: TypedFilter<R>) -> Self {
        self.filter_text(Filter::from(filter).to_string())
    }

    /// Lists only the resources that match a filter written as text (RFC 7644 section 3.4.2.2), sent as it is.
    pub fn filter_text(mut self, filter: impl Into<String>) -> Self {
        self.filter = Some(filter.into());
        self
    }

    /// Sorts in the order of an attribute.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a path is small and made on the spot"
    )]
    pub fn sort_by(mut self, attribute: impl AttributeRef<R>) -> Self {
        self.sort_by = Some(attribute.attribute_name());
        self
    }

    /// Puts the greatest first.
    pub fn descending(mut self) -> Self {
        self.descending = true;
        self
    }

    /// Shows this attribute and the others named so, and what is always returned.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a path is small and made on the spot"
    )]
    pub fn only(mut self, attribute: impl AttributeRef<R>) -> Self {
        self.attributes.push(attribute.attribute_name());
        self
    }

    /// Omits this attribute. The members of groups are the ones to leave out.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a path is small and made on the spot"
    )]
    pub fn without(mut self, attribute: impl AttributeRef<R>) -> Self {
        self.excluded.push(attribute.attribute_name());
        self
    }

    /// Asks for that many resources on a page; the server may send fewer.
    pub fn page_size(mut self, count: usize) -> Self {
        self.page_size = Some(count);
        self
    }

    /// Begins with the resource at this place, counted from 1.
    pub fn starting_at(mut self, start_index: u64) -> Self {
        self.start_index = start_index.max(1);
        self
    }

    /// Sends the question in a body (RFC 7644 section 3.4.3), so that it stands in no log and may be long.
    pub fn by_post(mut self) -> Self {
        self.by_post = true;
        self
    }

    fn query(&self) -> Query {
        let mut query = Query::default();
        let mut push = |name, value: Option<&str>| {
            if let Some(value) = value {
                query.push(name, value);
            }
        };
        push("filter", self.filter.as_deref());
        push("sortBy", self.sort_by.as_deref());
        push("sortOrder", self.descending.then_some("descending"));
        push("startIndex", Some(&self.start_index.to_string()));
        push("count", self.page_size.map(|count| count.to_string()).as_deref());
        query.list("attributes", self.attributes.iter().cloned());
        query.list("excludedAttributes", self.excluded.iter().cloned());
        query
    }

    fn search(&self) -> Bytes {
        let mut members = vec![(
            "schemas",
            JsonBuf::array([JsonBuf::string(SEARCH_REQUEST).as_json()]),
        )];
        let mut push = |name, value: Option<JsonBuf>| members.extend(value.map(|value| (name, value)));
        let list = |names: &[String]| {
            let names: Vec<_> = names.iter().map(|name| JsonBuf::string(name)).collect();
            (!names.is_empty()).then(|| JsonBuf::array(names.iter().map(JsonBuf::as_json)))
        };
        let integer = |number: u64| JsonBuf::integer(i64::try_from(number).unwrap_or(i64::MAX));
        push("filter", self.filter.as_deref().map(JsonBuf::string));
        push("sortBy", self.sort_by.as_deref().map(JsonBuf::string));
        push(
            "sortOrder",
            self.descending.then(|| JsonBuf::string("descending")),
        );
        push("startIndex", Some(integer(self.start_index)));
        push("count", self.page_size.map(|count| integer(count as u64)));
        push("attributes", list(&self.attributes));
        push("excludedAttributes", list(&self.excluded));
        let body = JsonBuf::object(members.iter().map(|(name, value)| (*name, value.as_json())));
        Bytes::copy_from_slice(body.text().as_bytes())
    }
}

impl<'c, S: Exchange, R: ScimResource> List<'c, S, R> {
    /// Reads one page, the one that begins at [`starting_at`](Self::starting_at).
    ///
    /// # Errors
    /// [`Error::Refused`] with 400 `invalidFilter` for a filter that the server does not take, and everything
    /// [`Error`] lists.
    pub async fn page(&self) -> Result<Page<R>> {
        let endpoint = R::RESOURCE_TYPE.endpoint;
        let plan = if self.by_post {
            Plan::new(Method::POST, format!("{endpoint}/.search")).with_body(self.search())
        } else {
            Plan::new(Method::GET, format!("{endpoint}{}", self.query()))
        };
        let answer = self.client.send(plan).await?;
        let json = self.client.parse(&answer)?;
        let list = ListResponse::read(json.as_json(), self.start_index)
            .map_err(|error| Error::unreadable(answer.status, error))?;
        let resources = list.resources.map(|json| self.client.decode_json(&answer, json));
        Ok(Page {
            total_results: list.total_results,
            start_index: self.start_index,
            resources: resources.collect::<Result<_>>()?,
        })
    }

    /// Returns how many resources match; none is sent.
    ///
    /// # Errors
    /// Those of [`page`](Self::page).
    pub async fn total(mut self) -> Result<u64> {
        self.page_size = Some(0);
        Ok(self.page().await?.total_results)
    }

    /// Returns the first resource that matches, if there is one.
    ///
    /// # Errors
    /// Those of [`page`](Self::page).
    pub async fn first(mut self) -> Result<Option<R>> {
        self.page_size = Some(1);
        Ok(self.page().await?.resources.into_iter().next())
    }

    /// Returns all pages, one after the other.
    #[must_use]
    pub fn pages(self) -> Pages<'c, S, R> {
        Pages {
            list: self,
            read: VecDeque::new(),
            total_results: 0,
            is_done: false,
        }
    }

    /// Returns all resources, one after the other, as a [`Stream`]: page by page, each read when the stream is asked
    /// for more than the last one held. It ends with the first error.
    ///
    /// ```
    /// use std::pin::pin;
    ///
    /// use futures_util::TryStreamExt;
    /// use scim::client::{Client, Error, Exchange};
    /// use scim::resources::User;
    ///
    /// async fn names(client: &Client<impl Exchange>) -> Result<Vec<String>, Error> {
    ///     let people = pin!(client.list::<User>().page_size(500).stream());
    ///     people.map_ok(|user| user.user_name).try_collect().await
    /// }
    /// ```
    pub fn stream(self) -> impl Stream<Item = Result<R>> + use<'c, S, R> {
        try_unfold(self.pages(), async |mut pages| {
            Ok(pages.next().await?.map(|resource| (resource, pages)))
        })
    }

    /// Reads all resources at once, which is wise only if they are known to be few.
    ///
    /// # Errors
    /// Those of [`page`](Self::page).
    pub async fn all(self) -> Result<Vec<R>> {
        let mut pages = self.pages();
        let mut all = Vec::new();
        while let Some(page) = pages.next_page().await? {
            all.extend(page.resources);
        }
        Ok(all)
    }
}

impl<S, R> Debug for List<'_, S, R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_tuple("List").field(&self.query()).finish()
    }
}

/// Some of the resources that match.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<R> {
    /// How many match in all.
    pub total_results: u64,
    /// Which of them is the first of this page, counted from 1.
    pub start_index: u64,
    /// The resources.
    pub resources: Vec<R>,
}

/// The pages of a [`List`], each read when it is asked for.
///
/// Resources that come or go while pages are read move the others: one may be seen twice or not at all, as RFC 7644
/// section 3.4.2.4 warns. If that matters, sort by what does not change.
pub struct Pages<'c, S, R> {
    list: List<'c, S, R>,
    read: VecDeque<R>,
    total_results: u64,
    is_done: bool,
}

impl<S: Exchange, R: ScimResource> Pages<'_, S, R> {
    /// Returns the next page, or what [`next`](Self::next) has left of the current one; `None` after the last. A page
    /// is never empty.
    ///
    /// # Errors
    /// Those of [`List::page`]. The same page can be asked for again.
    pub async fn next_page(&mut self) -> Result<Option<Page<R>>> {
        if !self.read.is_empty() {
            let left = self.read.len() as u64;
            return Ok(Some(Page {
                total_results: self.total_results,
                start_index: self.list.start_index.saturating_sub(left),
                resources: self.read.drain(..).collect(),
            }));
        }
        if self.is_done {
            return Ok(None);
        }
        let page = self.list.page().await?;
        // The number that came is what counts: a server may cut pages shorter than it was asked to.
        self.list.start_index += page.resources.len() as u64;
        self.total_results = page.total_results;
        self.is_done = page.resources.is_empty() || self.list.start_index > page.total_results;
        Ok((!page.resources.is_empty()).then_some(page))
    }

    /// Returns the next resource; `None` after the last.
    ///
    /// # Errors
    /// Those of [`List::page`]. The same resource can be asked for again.
    pub async fn next(&mut self) -> Result<Option<R>> {
        if self.read.is_empty()
            && let Some(page) = self.next_page().await?
        {
            self.read.extend(page.resources);
        }
        Ok(self.read.pop_front())
    }
}

impl<S, R> Debug for Pages<'_, S, R> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("list", &self.list)
            .field("is_done", &self.is_done)
            .finish_non_exhaustive()
    }
}

struct ListResponse<'j> {
    total_results: u64,
    resources: crate::value::json::Elements<'j>,
}

impl<'j> ListResponse<'j> {
    fn read(json: Json<'j>, asked: u64) -> Result<Self, crate::Error> {
        let is_list = json.get("schemas").is_some_and(|schemas| {
            schemas.elements().any(|urn| {
                urn.as_str()
                    .is_some_and(|urn| urn.eq_ignore_ascii_case(LIST_RESPONSE))
            })
        });
        if !is_list {
            return Err(crate::Error::invalid_syntax("The answer is no ListResponse."));
        }
        let number = |name| {
            let number = json.get(name)?.as_i64()?;
            u64::try_from(number).ok()
        };
        let total_results = number("totalResults").ok_or_else(|| {
            crate::Error::invalid_value("must be an integer that is not negative").at("totalResults")
        })?;
        let resources = json.get("Resources").unwrap_or(Json::NULL).elements();
        // A server that ignores startIndex would send its first page for ever.
        let start = number("startIndex").unwrap_or(asked);
        if start != asked && resources.clone().next().is_some() {
            return Err(crate::Error::invalid_value(format!(
                "is {start} in an answer to a request for {asked}"
            ))
            .at("startIndex"));
        }
        Ok(Self {
            total_results,
            resources,
        })
    }
}
