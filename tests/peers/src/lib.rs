//! The data that the benchmarks work on: the same filters and the same person for everybody who is measured.

pub mod by_hand;
pub mod samples;
