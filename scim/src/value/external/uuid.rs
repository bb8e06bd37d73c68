//! `uuid::Uuid`: a string attribute.

use ::uuid::Uuid;

use crate::error::{Error, Result};
use crate::filter::Text;
use crate::schema::Type;
use crate::value::{Json, Scalar, View};

impl Scalar for Uuid {
    const TYPE: Type = Type::String;

    fn view(&self) -> View<'_> {
        View::Str(self.hyphenated().to_string().into())
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        let text = json.as_str();
        text.and_then(|text| Uuid::try_parse(&text).ok()).ok_or_else(|| {
            let found = json.describe();
            Error::invalid_value(format!(
                "must be a UUID such as 2819c223-7f76-453a-919d-413861904646, but is {found}"
            ))
        })
    }
}

impl Text for Uuid {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::JsonBuf;

    #[test]
    fn uuids_are_read_in_any_form_and_shown_hyphenated() {
        let json = JsonBuf::string("2819C2237F76453A919D413861904646");
        let uuid = Uuid::parse(json.as_json()).unwrap();
        assert_eq!(
            Scalar::view(&uuid).to_json().text(),
            r#""2819c223-7f76-453a-919d-413861904646""#
        );
        assert_eq!(
            Uuid::parse(JsonBuf::string("7").as_json()).unwrap_err().status(),
            400
        );
        assert_eq!(Uuid::parse(Json::TRUE).unwrap_err().status(), 400);
    }
}
