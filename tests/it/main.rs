//! The integration tests, in one binary: each runs the real program against a real server on loopback.

mod api;
mod arbitrary;
mod base;
mod doubts;
mod edit;
mod faults;
mod fmt;
mod forms;
mod fuzz;
mod guards;
mod laws;
mod listing;
mod model;
mod moving;
mod pull;
mod quickstart;
mod runs;
mod saved;
mod scale;
mod scenarios;
mod schemas;
mod secrets;
mod story;
mod volume;
mod workspace;
mod world;
