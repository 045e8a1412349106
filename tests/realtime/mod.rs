//! The socket (contract section 11), from outside: a client over TCP to the real app.

mod bad_input;
pub(crate) mod client;
mod logins;
mod messages;
mod resume;
mod sockets;
