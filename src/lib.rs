//! convertalk.
pub mod desired;
pub mod lead;
pub mod workspace;
