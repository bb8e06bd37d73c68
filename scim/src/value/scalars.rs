//! The standard types that are attribute values by themselves.

use crate::error::{Error, Result};
use crate::schema::{Shape, Type};
use crate::value::{Binary, DateTime, Json, Reference, Scalar, View};

fn wrong_type(want: &str, json: Json<'_>) -> Error {
    Error::invalid_value(format!("must be {want}, but is {}", json.describe()))
}

fn text<'j>(json: Json<'j>, want: &str) -> Result<std::borrow::Cow<'j, str>> {
    json.as_str().ok_or_else(|| wrong_type(want, json))
}

impl Scalar for String {
    const TYPE: Type = Type::String;

    fn view(&self) -> View<'_> {
        View::text(self)
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        text(json, "a string").map(Into::into)
    }
}

impl Scalar for bool {
    const TYPE: Type = Type::Boolean;

    fn view(&self) -> View<'_> {
        View::Bool(*self)
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        json.as_bool().ok_or_else(|| wrong_type("true or false", json))
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Scalar for $integer {
            const TYPE: Type = Type::Integer;

            fn view(&self) -> View<'_> {
                View::Int(i64::from(*self))
            }

            fn parse(json: Json<'_>) -> Result<Self> {
                json.as_i64().and_then(|value| value.try_into().ok()).ok_or_else(|| {
                    let want = format!("an integer from {} to {}", Self::MIN, Self::MAX);
                    wrong_type(&want, json)
                })
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32);

impl Scalar for f64 {
    const TYPE: Type = Type::Decimal;

    fn view(&self) -> View<'_> {
        View::Decimal(*self)
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        json.as_f64().ok_or_else(|| wrong_type("a number", json))
    }
}

impl Scalar for DateTime {
    const TYPE: Type = Type::DateTime;

    fn view(&self) -> View<'_> {
        View::Time(*self)
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        Self::parse(&text(json, "a date and time such as 2026-01-31T08:00:00Z")?)
    }
}

impl Scalar for Binary {
    const TYPE: Type = Type::Binary;

    fn view(&self) -> View<'_> {
        View::Binary(self.as_bytes().into())
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        Self::parse(&text(json, "base64 text")?)
    }
}

impl Scalar for Reference {
    const TYPE: Type = Type::Reference;
    const SHAPE: Shape = {
        let mut shape = Shape::new(Type::Reference);
        shape.reference_types = &["external"];
        shape
    };

    fn view(&self) -> View<'_> {
        if self.is_resource() {
            View::Relative(self.as_str().into())
        } else {
            View::text(self.as_str())
        }
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        Self::read(&text(json, "a URI")?)
    }

    fn parse_stored(json: Json<'_>) -> Result<Self> {
        Ok(Self::read_stored(&text(json, "a URI")?))
    }
}
