//! The integration tests, in one binary: each runs the real program against a real server on loopback.

mod api;
mod arbitrary;
mod base;
mod doubts;
mod faults;
mod fuzz;
mod guards;
mod laws;
mod listing;
mod live;
mod model;
mod moving;
mod pipelines;
mod quickstart;
mod reports;
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
