//! convertalk.
pub mod desired;
pub mod duration;
pub mod lead;
pub mod sandbox;
pub mod workspace;
