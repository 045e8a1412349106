//! The `MeepaChat` contract, endpoint by endpoint.

mod auth;
mod bad_input;
mod calls;
mod dms;
mod messages;
mod users;
