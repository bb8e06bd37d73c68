//! `url::Url`: a reference to something outside, always absolute (RFC 7643 section 2.3.7).

use ::url::Url;

use crate::error::{Error, Result};
use crate::filter::Text;
use crate::schema::{Shape, Type};
use crate::value::{Json, Scalar, View};

impl Scalar for Url {
    const TYPE: Type = Type::Reference;
    const SHAPE: Shape = {
        let mut shape = Shape::new(Type::Reference);
        shape.reference_types = &["external"];
        shape
    };

    fn view(&self) -> View<'_> {
        View::text(self.as_str())
    }

    fn parse(json: Json<'_>) -> Result<Self> {
        let text = json.as_str();
        text.and_then(|text| Url::parse(&text).ok()).ok_or_else(|| {
            let found = json.describe();
            Error::invalid_value(format!(
                "must be a URL such as https://example.com/photo.png, but is {found}"
            ))
        })
    }
}

impl Text for Url {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::JsonBuf;

    #[test]
    fn urls_are_absolute() {
        let url = <Url as Scalar>::parse(JsonBuf::string("HTTPS://example.com/a b").as_json()).unwrap();
        assert_eq!(url.as_str(), "https://example.com/a%20b");
        assert_eq!(
            <Url as Scalar>::parse(JsonBuf::string("Users/7").as_json())
                .unwrap_err()
                .status(),
            400
        );
    }
}
