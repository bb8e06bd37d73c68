//! A locker with attributes that the crate has no types for, in the three ways there are:
//!
//! * [`Floor`] is a scalar of its own: two functions say how it looks and how it is read.
//! * [`State`] is an enum: its variants become the canonical values.
//! * [`Visits`] has its own idea of PATCH: `add` counts up instead of setting, through the handler [`Counter`].
//!
//! Run it with `cargo run -p custom-attribute`, then try the lines that it prints.

use scim::path::Path;
use scim::schema::{Shape, Type};
use scim::service::{NoContext, ScimService};
use scim::store::Memory;
use scim::value::{Action, Change, Cx, Edit, Handler, Json, Meta, ResourceId, View};
use scim::{Error, Result, Scalar, ScimEnum, ScimResource};

/// A locker in the changing room.
#[derive(Debug, Clone, PartialEq, ScimResource)]
#[scim(schema = "urn:example:scim:schemas:2.0:Locker")]
struct Locker {
    id: ResourceId,
    meta: Meta,
    /// The number on the door.
    #[scim(unique = "server")]
    number: String,
    /// The floor the locker is on; the basement is -1.
    floor: Floor,
    /// The state of the locker.
    state: Option<State>,
    /// How often the locker has been opened.
    #[scim(with = "Counter")]
    visits: Visits,
}

/// A floor of the building.
#[derive(Debug, Clone, PartialEq)]
struct Floor(i64);

impl Scalar for Floor {
    const TYPE: Type = Type::Integer;

    fn view(&self) -> View<'_> {
        View::Int(self.0)
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        match json.as_i64() {
            Some(floor @ -1..=12) => Ok(Self(floor)),
            _ => Err(Error::invalid_value(format!(
                "must be a floor between -1 and 12, but is {}",
                json.describe()
            ))),
        }
    }
}

/// The state of a locker.
#[derive(Debug, Clone, Copy, PartialEq, ScimEnum)]
enum State {
    Free,
    Taken,
    OutOfOrder,
}

/// How often a locker has been opened.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Visits(i64);

/// Counts: `add` adds up, `replace` sets, `remove` starts again at 0.
struct Counter;

impl Counter {
    fn count(json: Json<'_>) -> Result<i64> {
        let count = json.as_i64().filter(|count| *count >= 0);
        count.ok_or_else(|| Error::invalid_value(format!("must be a count, but is {}", json.describe())))
    }
}

impl Handler<Visits> for Counter {
    const SHAPE: Shape = Shape::new(Type::Integer).optional();

    type Paths<R: 'static> = Path<R, i64>;

    fn view(visits: &Visits) -> View<'_> {
        View::Int(visits.0)
    }

    fn decode(json: Json<'_>, _: &mut Cx<'_>) -> Result<Visits> {
        Self::count(json).map(Visits)
    }

    fn absent() -> Option<Visits> {
        Some(Visits::default())
    }

    fn apply(visits: &mut Visits, edit: Edit<'_>, _: &mut Cx<'_>) -> Result<Change> {
        let before = *visits;
        visits.0 = match edit.action {
            Action::Add(count) => before.0.saturating_add(Self::count(count)?),
            Action::Replace(count) => Self::count(count)?,
            Action::Remove => 0,
            Action::RemoveNamed(count) if Self::count(count)? == before.0 => 0,
            Action::RemoveNamed(_) => before.0,
        };
        Ok(Change::when(*visits != before))
    }
}

fn service() -> Result<ScimService<()>> {
    ScimService::builder(NoContext)
        .resource::<Locker, _>(Memory::new())
        .build()
}

#[tokio::main]
#[allow(clippy::print_stdout, reason = "an example talks to the person who runs it")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let url = format!("http://{}/scim/v2/Lockers", listener.local_addr()?);
    println!("curl {url} -H 'Content-Type: application/scim+json' -d '{{\"number\": \"7\", \"floor\": 2}}'");
    println!("curl {url}?filter=floor+gt+1");
    axum::serve(listener, scim_axum::mount("/scim/v2", service()?)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use scim::limits::Limits;
    use scim::patch::Patch;
    use scim::policy::Policy;
    use scim::value::Intent;

    use super::*;

    fn locker(text: &str) -> Result<Locker> {
        let (policy, limits) = (Policy::tolerant(), Limits::default());
        Locker::decode(
            Json::parse(text.as_bytes(), &limits)?,
            &mut Cx::new(Intent::Create, &policy, &limits),
        )
    }

    fn patched(locker: &Locker, operations: &str) -> Result<Locker> {
        let body = format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":{operations}}}"#
        );
        let patch = Patch::<Locker>::parse(body.as_bytes(), &Policy::tolerant(), &Limits::default())?;
        Ok(patch.apply(locker)?.resource.unwrap_or_else(|| locker.clone()))
    }

    #[test]
    fn a_scalar_of_its_own_says_what_is_wrong_with_a_value() {
        let error = locker(r#"{"number":"7","floor":13}"#).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Attribute floor must be a floor between -1 and 12, but is the number 13."
        );
    }

    #[test]
    fn the_variants_of_an_enum_are_its_canonical_values() {
        let state = Locker::RESOURCE_TYPE
            .schema
            .attributes
            .iter()
            .find(|attribute| attribute.name == "state");
        assert_eq!(
            state.unwrap().shape.canonical_values,
            ["free", "taken", "outOfOrder"]
        );
        let taken = locker(r#"{"number":"7","floor":2,"state":"Taken"}"#).unwrap();
        assert_eq!(taken.state, Some(State::Taken));
    }

    #[test]
    fn a_handler_has_its_own_idea_of_patch() {
        let new = locker(r#"{"number":"7","floor":2}"#).unwrap();
        let twice = r#"[{"op":"add","path":"visits","value":2},{"op":"add","path":"visits","value":3}]"#;
        let visited = patched(&new, twice).unwrap();
        assert_eq!(visited.visits, Visits(5));
        let anew = patched(&visited, r#"[{"op":"remove","path":"visits"}]"#).unwrap();
        assert_eq!(anew.visits, Visits(0));
        assert_eq!(
            patched(&anew, r#"[{"op":"add","path":"visits","value":-1}]"#)
                .unwrap_err()
                .status(),
            400
        );
    }
}
