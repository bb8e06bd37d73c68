//! Attributes and their characteristics (RFC 7643 section 7).

use crate::fold::Fold;
use crate::schema::Schema;

macro_rules! keywords {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Returns the keyword as it stands in a schema document.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

keywords! {
    /// The data type of an attribute (RFC 7643 section 2.3).
    Type {
        /// Unicode text.
        String = "string",
        /// `true` or `false`.
        Boolean = "boolean",
        /// A number with a fraction.
        Decimal = "decimal",
        /// A number without a fraction.
        Integer = "integer",
        /// A point in time, as xsd:dateTime.
        DateTime = "dateTime",
        /// Bytes, as base64.
        Binary = "binary",
        /// A URI.
        Reference = "reference",
        /// A set of sub-attributes.
        Complex = "complex",
    }
}

keywords! {
    /// The rule for who may change an attribute, and when (RFC 7643 section 7).
    Mutability {
        /// Anybody, at any time.
        ReadWrite = "readWrite",
        /// The service only.
        ReadOnly = "readOnly",
        /// The client, once.
        Immutable = "immutable",
        /// The client, who can never read it back.
        WriteOnly = "writeOnly",
    }
}

keywords! {
    /// When an attribute is part of an answer (RFC 7643 section 7).
    Returned {
        /// Unless the client excludes it.
        Default = "default",
        /// Whatever the client says.
        Always = "always",
        /// Never.
        Never = "never",
        /// If the client asks for it, or has just written it.
        Request = "request",
    }
}

keywords! {
    /// Among what the values of an attribute must differ (RFC 7643 section 7).
    Uniqueness {
        /// They may repeat.
        None = "none",
        /// Among the resources of one type and tenant.
        Server = "server",
        /// Among all resources of one type.
        Global = "global",
    }
}

/// A format that the RFC prescribes for the values of an attribute, beyond their data type, and that clients break so
/// often that only some policies ask for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A country code of two capital letters (ISO 3166-1): `addresses.country` (RFC 7643 section 4.1.2).
    Country,
    /// A language tag (RFC 5646): `locale` (RFC 7643 section 4.1.1).
    LanguageTag,
    /// A name of the IANA time zone database: `timezone` (RFC 7643 section 4.1.1).
    TimeZone,
    /// Exactly one X.509 certificate in DER: `x509Certificates.value` (RFC 7643 section 4.1.2). It is only looked at with
    /// the feature `x509`.
    Certificate,
}

impl Format {
    /// Returns the data type of the attributes that may have the format.
    #[must_use]
    pub const fn kind(self) -> Type {
        match self {
            Self::Country | Self::LanguageTag | Self::TimeZone => Type::String,
            Self::Certificate => Type::Binary,
        }
    }
}

/// The properties that a Rust type gives to the attributes it can hold; a field's `#[scim(…)]` overrides them.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// The data type.
    pub kind: Type,
    /// Whether the attribute is an array.
    pub multi_valued: bool,
    /// Whether a resource without the attribute is refused.
    pub required: bool,
    /// Suggested values.
    pub canonical_values: &'static [&'static str],
    /// Whether comparison regards case.
    pub case_exact: bool,
    /// The rule for who may change it.
    pub mutability: Mutability,
    /// When it is returned.
    pub returned: Returned,
    /// Among what its values differ.
    pub uniqueness: Uniqueness,
    /// The resource types a reference may point to; also `external` and `uri`.
    pub reference_types: &'static [&'static str],
    /// The sub-attributes of a complex attribute.
    pub sub_attributes: &'static [Attribute],
}

impl Shape {
    /// Makes a single-valued, required attribute with the RFC's defaults (RFC 7643 section 2.2).
    #[must_use]
    pub const fn new(kind: Type) -> Self {
        Self {
            kind,
            multi_valued: false,
            required: true,
            canonical_values: &[],
            case_exact: matches!(kind, Type::Binary | Type::Reference),
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            reference_types: &[],
            sub_attributes: &[],
        }
    }

    /// Makes a complex attribute with these sub-attributes.
    #[must_use]
    pub const fn complex(sub_attributes: &'static [Attribute]) -> Self {
        let mut shape = Self::new(Type::Complex);
        shape.sub_attributes = sub_attributes;
        shape
    }

    /// Returns the shape of `Option<T>` for that of `T`: the same, not required.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// Returns the shape of `Vec<T>` for that of `T`: the same, multi-valued and not required.
    #[must_use]
    pub const fn multiple(mut self) -> Self {
        self.multi_valued = true;
        self.required = false;
        self
    }

    /// Sets the suggested values.
    #[must_use]
    pub const fn with_canonical_values(mut self, values: &'static [&'static str]) -> Self {
        self.canonical_values = values;
        self
    }

    /// Returns the shape of one element of a multi-valued attribute.
    #[must_use]
    pub const fn element(mut self) -> Self {
        self.multi_valued = false;
        self
    }
}

/// The meaning of an entry of an attribute table.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    /// An attribute of the struct's own schema.
    Plain,
    /// `id`, `externalId` or `meta`: every resource has them, no schema lists them (RFC 7643 section 3.1).
    Common,
    /// A schema extension: the name is its URN, the sub-attributes are its attributes (RFC 7643 section 3.3).
    Extension(&'static Schema),
}

/// One attribute of a schema (RFC 7643 section 7).
#[derive(Debug, Clone, Copy)]
pub struct Attribute {
    /// The name in its canonical spelling; the URN for an extension.
    pub name: &'static str,
    /// A description for people.
    pub description: &'static str,
    /// The characteristics.
    pub shape: Shape,
    /// How values are made comparable, where that is not the plain rule of `case_exact`.
    pub fold: Option<Fold>,
    /// The format of its values, which some policies check.
    pub format: Option<Format>,
    /// Whether stores keep an index on it.
    pub indexed: bool,
    /// Whether, as a sub-attribute, it tells the elements of a multi-valued attribute apart.
    pub key: bool,
    /// Whether a store keeps the values as rows of their own, because there may be a million.
    pub edges: bool,
    /// Whether the value is handed on and never stored, as a password is.
    pub transient: bool,
    /// The thing that the entry stands for.
    pub role: Role,
}

impl Attribute {
    /// Makes an attribute of this name and shape.
    #[must_use]
    pub const fn new(name: &'static str, shape: Shape) -> Self {
        Self {
            name,
            description: "",
            shape,
            fold: None,
            format: None,
            indexed: false,
            key: false,
            edges: false,
            transient: false,
            role: Role::Plain,
        }
    }

    /// Returns how two values of this attribute are compared.
    #[must_use]
    pub const fn fold(&self) -> Fold {
        match self.fold {
            Some(fold) => fold,
            None if self.shape.case_exact => Fold::Exact,
            None => Fold::CaseInsensitive,
        }
    }

    /// Returns whether the entry stands for a schema extension.
    #[must_use]
    pub const fn is_extension(&self) -> bool {
        matches!(self.role, Role::Extension(_))
    }

    /// Returns whether the attribute is a set of sub-attributes.
    #[must_use]
    pub const fn is_complex(&self) -> bool {
        matches!(self.shape.kind, Type::Complex)
    }

    /// Returns the index of the sub-attribute `name`, ignoring case.
    #[must_use]
    pub fn sub_attribute(&self, name: &str) -> Option<(usize, &'static Attribute)> {
        position(self.shape.sub_attributes, name)
    }
}

/// The attribute `schemas` (RFC 7643 section 3), which no table lists because the service computes it.
pub(crate) static SCHEMAS: Attribute = Attribute::new("schemas", {
    let mut shape = Shape::new(Type::Reference).multiple();
    shape.required = true;
    shape.case_exact = false;
    shape
});

/// Finds the place of the attribute `name` in a table, ignoring case (RFC 7643 section 2.1).
#[must_use]
pub fn position<'a>(attributes: &'a [Attribute], name: &str) -> Option<(usize, &'a Attribute)> {
    position_from(attributes, name, 0)
}

/// Finds the same place with a search that begins at `start` and goes on in front of it. Documents mostly keep to the order of
/// their schema: whoever reads one member after the other begins behind the last one that was found.
pub(crate) fn position_from<'a>(
    attributes: &'a [Attribute],
    name: &str,
    start: usize,
) -> Option<(usize, &'a Attribute)> {
    let (before, behind) = attributes.split_at_checked(start).unwrap_or((attributes, &[]));
    let find = |attributes: &'a [Attribute]| {
        let mut attributes = attributes.iter().enumerate();
        // Nearly every name is spelt as in the schema, and to see that takes one comparison of memory.
        attributes.find(|(_, attribute)| {
            attribute.name.len() == name.len()
                && (attribute.name == name || attribute.name.eq_ignore_ascii_case(name))
        })
    };
    find(behind)
        .map(|(index, attribute)| (start + index, attribute))
        .or_else(|| find(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7643 section 2.1: wherever the search begins, the attribute is found, whatever the case of its name.
    #[test]
    fn the_start_of_a_search_does_not_change_its_result() {
        let table = ["id", "userName", "name"].map(|name| Attribute::new(name, Shape::new(Type::String)));
        for start in 0..=4 {
            for (index, name) in ["ID", "username", "name"].into_iter().enumerate() {
                let found = position_from(&table, name, start).map(|(index, _)| index);
                assert_eq!(found, Some(index), "{name} from {start}");
            }
            assert!(position_from(&table, "nickName", start).is_none());
        }
    }
}
