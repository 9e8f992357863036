//! The integration tests, in one binary: each runs the real program against a real server on loopback.

mod api;
mod arbitrary;
mod doubts;
mod faults;
mod fuzz;
mod laws;
mod listing;
mod model;
mod quickstart;
mod scale;
mod scenarios;
mod story;
mod volume;
mod workspace;
mod world;
