//! Generated code uses nothing of the module it stands in, and passes its lints.
#![deny(missing_docs, unreachable_pub, unsafe_code, unused, nonstandard_style, unused_qualifications, private_interfaces)]

/// A module in which the names of the prelude mean something else.
pub mod hostile {
    #![allow(dead_code, missing_docs)]

    pub struct Result;
    pub struct Option<T>(T);
    pub struct String;
    pub struct Vec<T>(T);
    pub struct Box;
    pub struct Some;
    pub struct None;
    pub struct Ok;
    pub struct Err;
    pub trait Default {}
    pub trait Clone {}
    pub trait Copy {}
    pub trait Send {}
    pub trait Sync {}
    pub trait Debug {}
    pub mod std {}
    pub mod core {}
    pub mod scim {}
    pub fn or_absent() {}

    type Text = ::std::string::String;
    use ::std::option::Option as Maybe;

    #[derive(::std::fmt::Debug, ::std::clone::Clone, PartialEq, ::scim::ScimComplex)]
    pub struct Holder {
        pub value: Text,
        #[scim(mutability = "readOnly")]
        pub display: Maybe<Text>,
        private: Maybe<Private>,
    }

    #[derive(::std::fmt::Debug, ::std::clone::Clone, PartialEq, ::scim::ScimEnum)]
    enum Private {
        Some,
        None,
        #[scim(other)]
        Other(Text),
    }

    #[derive(::std::fmt::Debug, ::std::clone::Clone, PartialEq, ::scim::ScimResource)]
    #[scim(schema = "urn:example:Hostile")]
    pub struct Hostile {
        pub id: ::scim::value::ResourceId,
        pub meta: ::scim::value::Meta,
        pub holders: ::std::vec::Vec<Holder>,
        #[scim(extension)]
        pub audit: ::std::option::Option<Audit>,
        #[scim(extra)]
        pub extra: ::scim::value::Extra,
    }

    #[derive(::std::fmt::Debug, ::std::clone::Clone, PartialEq, ::scim::ScimExtension)]
    #[scim(schema = "urn:example:Audit")]
    pub struct Audit {
        pub r#type: Maybe<Text>,
    }
}

mod inner {
    use scim::value::{Meta, ResourceId};
    use scim::{ScimComplex, ScimResource};

    #[derive(Debug, Clone, PartialEq, ScimResource)]
    #[scim(schema = "urn:example:Crate")]
    pub(crate) struct Inner {
        pub(crate) id: ResourceId,
        pub(crate) meta: Meta,
        pub(crate) part: Option<Part>,
    }

    #[derive(Debug, Clone, PartialEq, ScimComplex)]
    pub(crate) struct Part {
        pub(crate) value: String,
    }
}

/// A public struct with documentation.
#[derive(Debug, Clone, PartialEq, scim::ScimComplex)]
pub struct Public {
    /// A public field with documentation.
    pub value: String,
}

fn main() {
    _ = inner::Inner::paths().part().value().path();
    _ = hostile::Hostile::paths().holders().value().path();
}
