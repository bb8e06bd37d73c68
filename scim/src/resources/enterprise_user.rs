//! The enterprise extension of the User resource (RFC 7643 section 4.3).

use crate::value::Reference;
use crate::{ScimComplex, ScimExtension};

/// The extensions of [`User`](crate::resources::User): the enterprise extension alone.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct Enterprise {
    /// The facts that an organization keeps of its people.
    #[scim(extension)]
    pub enterprise: Option<EnterpriseUser>,
}

/// The facts that an organization keeps of its people (RFC 7643 section 4.3).
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimExtension)]
#[scim(
    schema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    description = "The facts that an organization keeps of its people"
)]
pub struct EnterpriseUser {
    /// The number under which the organization keeps the person.
    pub employee_number: Option<String>,
    /// The name of the cost center.
    pub cost_center: Option<String>,
    /// The name of the organization.
    pub organization: Option<String>,
    /// The name of the division.
    pub division: Option<String>,
    /// The name of the department.
    pub department: Option<String>,
    /// The person's manager.
    pub manager: Option<Manager>,
}

/// A person's manager, who is another user.
#[derive(Debug, Clone, PartialEq, Eq, Default, ScimComplex)]
pub struct Manager {
    /// The id of the manager.
    #[scim(case_exact)]
    pub value: Option<String>,
    /// The URI of the manager.
    #[scim(rename = "$ref", reference_types("User"))]
    pub reference: Option<Reference>,
    /// The name of the manager, as the service knows it.
    #[scim(mutability = "readOnly")]
    pub display_name: Option<String>,
}
