//! What a core is made from: where its data is, and whatever tests and operators decide about it.

use crate::id::Chance;
use crate::store::{Database, StoreOptions};
use crate::time::Clock;
use crate::{Outside, login, mail, secret};

/// What a core is made from.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the data is.
    pub database: Database,
    /// Threads and limits of the store.
    pub store: StoreOptions,
    /// Where the time comes from.
    pub clock: Clock,
    /// Where ids, tokens and salts come from.
    pub chance: Chance,
    /// What a password costs to check.
    pub hashing: login::Hashing,
    /// How other servers are reached.
    pub outside: Outside,
    /// What secrets are sealed with; without one, a key that nobody has after the process ends.
    pub key: Option<secret::Key>,
    /// How letters leave.
    pub mail: mail::Mail,
    /// Whether tokens may be made for users (`users.createToken`).
    pub create_tokens: login::CreateTokens,
    /// Sessions that one user may have; the oldest end.
    pub most_tokens: i64,
}

impl Options {
    /// The options of a server, for this database.
    pub fn new(database: Database) -> Self {
        Self {
            database,
            store: StoreOptions::default(),
            clock: Clock::default(),
            chance: Chance::default(),
            hashing: login::Hashing::default(),
            outside: Outside::default(),
            key: None,
            mail: mail::Mail::default(),
            create_tokens: login::CreateTokens::default(),
            most_tokens: 50,
        }
    }
}
