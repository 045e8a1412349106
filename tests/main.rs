//! The tests of the server: HTTP to the real app on a real store. They run on `SQLite`, and on
//! `PostgreSQL` where `PARLANCE_TEST_PG` holds a URL (one schema per test).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what went wrong by failing"
)]

mod accounts;
mod app;
mod cli;
mod cross;
mod docs;
mod found;
mod import;
mod meepachat;
mod preview;
mod query;
mod realtime;
mod rocketchat;
mod seeds;
mod settings;
mod smoke;
mod store;
mod trust;
