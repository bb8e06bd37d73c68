//! `jiff::Timestamp`: a dateTime attribute.

use ::jiff::Timestamp;

use crate::error::{Error, Result};
use crate::schema::Type;
use crate::value::{DateTime, Json, Scalar, View};

impl Scalar for Timestamp {
    const TYPE: Type = Type::DateTime;

    fn view(&self) -> View<'_> {
        View::Time(DateTime::from(*self))
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        let time = <DateTime as Scalar>::parse(json)?;
        time.to_timestamp().ok_or_else(|| {
            Error::invalid_value("is not a valid time here; expected one of the years -9999 to 9999")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::JsonBuf;

    #[test]
    fn timestamps_are_instants() {
        let parse = |text: &str| <Timestamp as Scalar>::parse(JsonBuf::string(text).as_json());
        assert_eq!(
            parse("2011-08-01T21:32:44.882Z").unwrap(),
            parse("2011-08-01T23:32:44.882+02:00").unwrap()
        );
        assert_eq!(parse("2011-08-01").unwrap_err().status(), 400);
    }
}
