//! The Rocket.Chat wire contract.
