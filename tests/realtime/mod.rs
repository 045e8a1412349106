//! The socket (contract section 11), from outside: a client over TCP to the real app.

mod bad_input;
pub(crate) mod client;
mod foreign;
mod limits;
mod logins;
mod messages;
mod methods;
mod people;
mod presence;
mod resume;
mod revoked;
mod sockets;
mod subs;
mod views;
