//! Placeholder until the model stands.
fn main() {}
