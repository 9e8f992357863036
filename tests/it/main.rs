//! The integration tests, in one binary: each runs the real program against a real server on loopback.

mod api;
mod doubts;
mod faults;
mod listing;
mod quickstart;
mod scale;
mod scenarios;
mod story;
mod workspace;
mod world;
