//! The integration tests, in one binary: each runs the real program against a real server on loopback.

mod api;
mod doubts;
mod faults;
mod guards;
mod listing;
mod moving;
mod quickstart;
mod runs;
mod saved;
mod scale;
mod scenarios;
mod schemas;
mod secrets;
mod story;
mod workspace;
mod world;
