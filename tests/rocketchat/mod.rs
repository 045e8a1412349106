//! The Rocket.Chat contract, endpoint by endpoint.

mod dm_messages;
