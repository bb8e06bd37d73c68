//! Types that can never be an attribute, with the reason.

use scim::ScimComplex;

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Boxed {
    a: Option<Box<String>>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Tree {
    children: Vec<Tree>,
    parent: Option<Box<Tree>>,
}

#[derive(Debug, Clone, PartialEq, ScimComplex)]
struct Borrowed {
    text: &'static str,
}

fn main() {}
