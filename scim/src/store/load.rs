//! The whole state of a resource, for the application itself.

use std::sync::Arc;

use http::StatusCode;
use http_body_util::BodyExt;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::projection::{Base, Projection, fill_holes};
use crate::record::ScimResource;
use crate::store::{Answer, Document, Precondition, Store, Stored};
use crate::value::{Cx, Intent, Json, Strict};

/// Returns the whole state of a resource with all its edges, or `None` if there is none: for the application's own
/// eyes, as it has what no client is shown, but for what no schema knows (`#[scim(extra)]`). A write does not need it:
/// [`Write::decide`](crate::store::Write::decide) is told what is there.
///
/// ```
/// use std::sync::Arc;
///
/// use scim::resources::User;
/// use scim::store::{Memory, Store, Write, load};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let (store, cx) = (Memory::new(), Arc::new(()));
/// store.write(Write::create(&cx, "2819", User::new("bjensen"))).await?;
/// let babs = load::<User, _, _>(&store, &cx, "2819").await?.unwrap();
/// assert_eq!(babs.resource.user_name, "bjensen");
/// assert_eq!(babs.version.as_str(), "1");
/// # Ok::<_, scim::Error>(())
/// # }).unwrap();
/// ```
///
/// # Errors
/// Those of [`Store::get`]; 500 for state that does not fit the struct any more.
pub async fn load<R, C, S>(store: &S, cx: &Arc<C>, id: &str) -> Result<Option<Stored<R>>>
where
    R: ScimResource,
    C: Send + Sync + 'static,
    S: Store<R, C> + ?Sized,
{
    let everything = Projection::everything(R::RESOURCE_TYPE);
    let rendered = match store.get(cx, id, &everything, &Precondition::None).await {
        Ok(Answer::Typed(stored)) => return Ok(Some(*stored)),
        Ok(Answer::Rendered(rendered)) => rendered,
        Ok(Answer::NotModified(_)) => {
            return Err(Error::internal("a store has answered 304 to no condition"));
        }
        Err(error) if error.status() == StatusCode::NOT_FOUND => return Ok(None),
        Err(error) => return Err(error),
    };
    let document = match rendered.document {
        Document::Whole(bytes) => bytes,
        Document::Parts(body) => body.collect().await?.to_bytes(),
    };
    let mut text = Vec::new();
    fill_holes(&document, Base::Relative, &mut text);
    let limits = Limits::default();
    let json = Json::parse(&text, &limits).map_err(Error::internal)?;
    let mut cx = Cx::new(Intent::Stored, &Strict, &limits);
    let resource = R::decode(json, &mut cx).map_err(Error::internal)?;
    Ok(Some(Stored {
        resource,
        version: rendered.version,
    }))
}
