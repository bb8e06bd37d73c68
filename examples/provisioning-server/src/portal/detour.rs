//! Requests that a page cannot be shown for: something else comes first, or it never can be.

use axum::response::{IntoResponse, Redirect, Response};

use super::problem::Problem;
use crate::domain::fault::Fault;

/// An answer in the place of the page that was asked for.
#[derive(Debug)]
pub(super) enum Detour {
    /// To another page.
    To(String),
    Problem(Problem),
}

impl From<Problem> for Detour {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Fault> for Detour {
    fn from(fault: Fault) -> Self {
        Self::Problem(fault.into())
    }
}

impl IntoResponse for Detour {
    fn into_response(self) -> Response {
        match self {
            Self::To(path) => Redirect::to(&path).into_response(),
            Self::Problem(problem) => problem.into_response(),
        }
    }
}
