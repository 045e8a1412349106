//! Who is there. An account shows what its user chose; what its connections say comes in at
//! [`Core::connection`], the one place that knows of them. Nothing here keeps anything: the store does.

use crate::Core;
use crate::account::User;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::setting;
use crate::store::presence;
use crate::time::Ms;

/// Ids that one call may ask for.
pub const MOST_IDS: usize = 1000;
/// Who asks for what changed since longer ago is told of everybody, in milliseconds.
const MEMORY: Ms = 10 * 60_000;

/// Of whom somebody asks.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// Of everybody.
    All,
    /// Of these.
    Ids(&'a [String]),
    /// Of those that changed since then.
    Since(Ms),
}

/// Who is there.
#[derive(Clone, Debug)]
pub struct Present {
    /// Accounts.
    pub users: Vec<User>,
    /// Is whoever is not among them offline?
    pub full: bool,
}

impl Core {
    /// What an account's connections to this node say of it.
    pub fn connection(&self, user: &UserId) -> &'static str {
        match self.online().of(user) {
            None => "offline",
            Some(true) => "away",
            Some(false) => "online",
        }
    }

    /// Who is there, of those asked for.
    pub async fn presence(&self, caller: &Caller, asked: Asked<'_>) -> Result<Present> {
        if self.settings().on(&setting::PRESENCE_OFF) {
            return Ok(Present { users: Vec::new(), full: true });
        }
        let store = self.store();
        match asked {
            Asked::Ids(ids) if ids.len() > MOST_IDS => Err(Error::Bad("ids")),
            Asked::Ids(ids) => {
                Ok(Present { users: presence::among(store, ids).await?, full: false })
            }
            Asked::Since(at) if self.clock().now().saturating_sub(at) < MEMORY => {
                let users = presence::changed(store, caller.id(), at).await?;
                Ok(Present { users, full: false })
            }
            Asked::Since(_) | Asked::All => {
                Ok(Present { users: presence::present(store).await?, full: true })
            }
        }
    }

    /// May an account be called this now? Its own name always may.
    pub async fn is_free_username(&self, caller: &Caller, name: &str) -> Result<bool> {
        if caller.user().username.as_deref() == Some(name) {
            return Ok(true);
        }
        if self.check_username(name, false).is_err() {
            return Ok(false);
        }
        match self.user_named(name).await {
            Ok(user) => Ok(user.id == *caller.id()),
            Err(Error::NoUser) => Ok(!self.is_id_taken(name).await?),
            Err(other) => Err(other),
        }
    }

    /// Is this an account's id? Then nobody may be called so (ruling A9).
    async fn is_id_taken(&self, id: &str) -> Result<bool> {
        match self.user(&UserId::from(id)).await {
            Ok(_) => Ok(true),
            Err(Error::NoUser) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// A username for the caller that is free: made of the name, else of the address, with a number
    /// where that is taken.
    pub async fn suggest_username(&self, caller: &Caller) -> Result<String> {
        let user = caller.user();
        let plain = |text: &str| {
            let mut out = String::new();
            for c in text.to_lowercase().chars() {
                let c =
                    if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '.' };
                if c != '.' || !(out.is_empty() || out.ends_with('.')) {
                    out.push(c);
                }
            }
            out.trim_matches('.').to_owned()
        };
        let local = user.emails.first().and_then(|email| email.address.split('@').next());
        let mut wanted: Vec<String> =
            [user.name.as_deref(), local].into_iter().flatten().map(plain).collect();
        wanted.push("user".to_owned());
        wanted.retain(|name| !name.is_empty());
        for name in &wanted {
            if self.is_free_username(caller, name).await? {
                return Ok(name.clone());
            }
        }
        let base = wanted.first().map_or("user", String::as_str);
        for n in 1..=20 {
            let name = format!("{base}-{n}");
            if self.is_free_username(caller, &name).await? {
                return Ok(name);
            }
        }
        // So many of the same name: chance finds one that is free.
        Ok(format!("{base}-{}", &self.new_id()[16..]))
    }
}
