//! The fields that the portal shows of a person of the identity provider: each with its name here, and where SCIM has it.

use serde_json::Value;

use super::keyword::{Keyword, keywords};

keywords! {
    /// A field of a person.
    Field {
        /// The name under which the person signs in.
        Username = "userName",
        /// The given name.
        FirstName = "name.givenName",
        /// The family name.
        LastName = "name.familyName",
        /// The address at work.
        Email = "emails[type eq \"work\"].value",
        /// The number of the mobile phone.
        MobileNumber = "phoneNumbers[type eq \"mobile\"].value",
        /// The number at work.
        WorkNumber = "phoneNumbers[type eq \"work\"].value",
        /// The position.
        Position = "title",
        /// The street of the address at work.
        StreetAddress = "addresses[type eq \"work\"].streetAddress",
        /// Its city.
        City = "addresses[type eq \"work\"].locality",
        /// Its state.
        State = "addresses[type eq \"work\"].region",
        /// Its postal code.
        PostalCode = "addresses[type eq \"work\"].postalCode",
        /// Its country.
        Country = "addresses[type eq \"work\"].country",
        /// Whether the person may sign in.
        Status = "active",
    }
}

impl Field {
    /// Returns the name of the field in the portal.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Username => "Username",
            Self::FirstName => "First Name",
            Self::LastName => "Last Name",
            Self::Email => "E-mail",
            Self::MobileNumber => "Mobile Number",
            Self::WorkNumber => "Work Number",
            Self::Position => "Position",
            Self::StreetAddress => "Street Address",
            Self::City => "City",
            Self::State => "State",
            Self::PostalCode => "Postal Code",
            Self::Country => "Country",
            Self::Status => "Status",
        }
    }
}

/// A person as the identity provider describes them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity(Value);

impl Identity {
    /// Reads the document of a person (RFC 7643 section 4.1). Of anything else nothing is known.
    pub(crate) fn read(document: &[u8]) -> Self {
        Self(serde_json::from_slice(document).unwrap_or_default())
    }

    /// Returns the fields that have a value, in the order in which people read them.
    pub(crate) fn fields(&self) -> Vec<(Field, String)> {
        let fields = Field::ALL.iter();
        fields
            .filter_map(|field| Some((*field, self.value(*field)?)))
            .collect()
    }

    fn value(&self, field: Field) -> Option<String> {
        let path = field.word();
        let found = match path.split_once("[type eq \"") {
            Some((attribute, rest)) => {
                let (kind, rest) = rest.split_once("\"]")?;
                let mut values = self.0.get(attribute)?.as_array()?.iter();
                let of_kind = |value: &&Value| {
                    let found = value.get("type").and_then(Value::as_str);
                    found.is_some_and(|found| found.eq_ignore_ascii_case(kind))
                };
                values.find(of_kind)?.get(rest.strip_prefix('.')?)?
            }
            None => path.split('.').try_fold(&self.0, |value, name| value.get(name))?,
        };
        match found {
            Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Value::Bool(is_active) => Some(if *is_active { "Active" } else { "Disabled" }.to_owned()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Feature row 51: each attribute that has a field here is read from where SCIM has it.
    #[test]
    fn each_field_is_read_from_its_attribute() {
        let person = json!({
            "userName": "priya@x.example", "title": "Lead", "active": false,
            "name": { "givenName": "Priya", "familyName": "Raman" },
            "emails": [{ "type": "home", "value": "home@x.example" }, { "type": "Work", "value": "work@x.example" }],
            "phoneNumbers": [{ "type": "work", "value": "+47 1" }, { "type": "mobile", "value": "+47 2" }],
            "addresses": [{ "type": "work", "streetAddress": "Kaigata 14", "locality": "Bergen", "region": "Vestland",
                "postalCode": "5015", "country": "NO" }],
        });
        let fields = Identity::read(person.to_string().as_bytes()).fields();
        let said: Vec<_> = fields
            .iter()
            .map(|(field, value)| (field.label(), value.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                ("Username", "priya@x.example"),
                ("First Name", "Priya"),
                ("Last Name", "Raman"),
                ("E-mail", "work@x.example"),
                ("Mobile Number", "+47 2"),
                ("Work Number", "+47 1"),
                ("Position", "Lead"),
                ("Street Address", "Kaigata 14"),
                ("City", "Bergen"),
                ("State", "Vestland"),
                ("Postal Code", "5015"),
                ("Country", "NO"),
                ("Status", "Disabled"),
            ]
        );
        for nothing in [
            "",
            "[]",
            r#"{"name":"x","emails":{},"title":" ","addresses":[7]}"#,
        ] {
            assert!(
                Identity::read(nothing.as_bytes()).fields().is_empty(),
                "{nothing}"
            );
        }
    }
}
