//! Mounts `scim` services in an `axum` router.
