//! The `MeepaChat` contract, endpoint by endpoint.

mod auth;
mod bad_input;
mod calls;
mod cookies;
mod dms;
mod messages;
mod pages;
mod rate;
mod users;
