//! What is read on every request, in bounded memory: settings, permissions, roles and live tokens.
//! The store is the truth. A change is followed by a reload or an invalidation on its own node
//! before it is answered, and through the event log on others. A fill carries the epoch at which its
//! read began and is dropped if an invalidation came between, so that an old read can't bring a dead
//! token back (ruling A14).

use crate::account::User;
use crate::caller::Permissions;
use crate::error::Result;
use crate::id::UserId;
use crate::role::Roles;
use crate::setting::Settings;
use crate::store::{Store, roles, server};
use crate::time::Ms;
use quick_cache::sync::Cache;
use std::sync::{Arc, PoisonError, RwLock};

/// Tokens kept at most.
const SESSIONS: usize = 65_536;

/// A token that was found in the store.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) hash: Arc<str>,
    pub(crate) user: Arc<User>,
    pub(crate) expires: Option<Ms>,
}

pub(crate) struct Live {
    settings: RwLock<Arc<Settings>>,
    permissions: RwLock<Arc<Permissions>>,
    roles: RwLock<Arc<Roles>>,
    /// One reload at a time, so that the newest read is the one that stays.
    reloading: tokio::sync::Mutex<()>,
    sessions: Cache<Arc<str>, Session>,
    /// Raised by every invalidation.
    epoch: RwLock<u64>,
    born: Ms,
}

impl Live {
    pub(crate) async fn load(store: &Store, born: Ms) -> Result<Self> {
        let settings = Settings::new(server::settings(store).await?, born);
        let permissions = Permissions::new(&server::permissions(store).await?, born);
        let roles = Roles::new(roles::all(store).await?);
        Ok(Self {
            settings: RwLock::new(Arc::new(settings)),
            permissions: RwLock::new(Arc::new(permissions)),
            roles: RwLock::new(Arc::new(roles)),
            reloading: tokio::sync::Mutex::new(()),
            sessions: Cache::new(SESSIONS),
            epoch: RwLock::new(0),
            born,
        })
    }

    /// When the store was first opened.
    pub(crate) fn born(&self) -> Ms {
        self.born
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn permissions(&self) -> Arc<Permissions> {
        self.permissions.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn roles(&self) -> Arc<Roles> {
        self.roles.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) async fn reload_settings(&self, store: &Store) -> Result<()> {
        let _one = self.reloading.lock().await;
        let fresh = Arc::new(Settings::new(server::settings(store).await?, self.born));
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    pub(crate) async fn reload_permissions(&self, store: &Store) -> Result<()> {
        let _one = self.reloading.lock().await;
        let fresh = Arc::new(Permissions::new(&server::permissions(store).await?, self.born));
        *self.permissions.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    pub(crate) async fn reload_roles(&self, store: &Store) -> Result<()> {
        let _one = self.reloading.lock().await;
        let fresh = Arc::new(Roles::new(roles::all(store).await?));
        *self.roles.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// The session of this token hash, if it is known.
    pub(crate) fn session(&self, hash: &str) -> Option<Session> {
        self.sessions.get(hash)
    }

    /// How many sessions are known.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Read before the store is: [`Live::keep`] wants it back.
    pub(crate) fn epoch(&self) -> u64 {
        *self.epoch.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a session that was read at `epoch`, unless something was invalidated since.
    pub(crate) fn keep(&self, session: Session, epoch: u64) {
        let now = self.epoch.read().unwrap_or_else(PoisonError::into_inner);
        if *now == epoch {
            self.sessions.insert(session.hash.clone(), session);
        }
    }

    /// Forgets one token.
    pub(crate) fn forget_token(&self, hash: &str) {
        let mut epoch = self.epoch.write().unwrap_or_else(PoisonError::into_inner);
        *epoch += 1;
        self.sessions.remove(hash);
    }

    /// Forgets every token of a user: the account changed, or the sessions ended.
    pub(crate) fn forget_user(&self, user: &UserId) {
        let mut epoch = self.epoch.write().unwrap_or_else(PoisonError::into_inner);
        *epoch += 1;
        self.sessions.retain(|_, session| session.user.id != *user);
    }

    /// Forgets all tokens: events were missed.
    pub(crate) fn forget_all(&self) {
        let mut epoch = self.epoch.write().unwrap_or_else(PoisonError::into_inner);
        *epoch += 1;
        self.sessions.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Cache, Live, Permissions, Roles, RwLock, Session, Settings, User};
    use crate::id::UserId;
    use std::collections::BTreeMap;

    fn live() -> Live {
        Live {
            settings: RwLock::new(Arc::new(Settings::new(BTreeMap::new(), 0))),
            permissions: RwLock::new(Arc::new(Permissions::new(&BTreeMap::new(), 0))),
            roles: RwLock::new(Arc::new(Roles::new(Vec::new()))),
            reloading: tokio::sync::Mutex::new(()),
            sessions: Cache::new(16),
            epoch: RwLock::new(0),
            born: 0,
        }
    }

    fn session(hash: &str, user: &str) -> Session {
        let user = User {
            id: user.into(),
            username: None,
            name: None,
            kind: "user".to_owned(),
            active: true,
            roles: Vec::new(),
            emails: Vec::new(),
            status: String::new(),
            status_default: String::new(),
            status_text: String::new(),
            created: 0,
            updated: 0,
            last_login: None,
            has_password: false,
            body: String::new(),
            preferences: String::new(),
            highlights: None,
        };
        Session { hash: hash.into(), user: Arc::new(user), expires: None }
    }

    #[test]
    fn a_read_from_before_an_invalidation_is_not_kept() {
        let live = live();
        let forget: [&dyn Fn(); 3] =
            [&|| live.forget_token("a"), &|| live.forget_user(&UserId::from("ann")), &|| {
                live.forget_all();
            }];
        for forget in forget {
            // The store answered before the session ended, and the answer is kept after.
            let epoch = live.epoch();
            forget();
            live.keep(session("a", "ann"), epoch);
            assert!(live.session("a").is_none());
            // Kept first, it is forgotten; and a fresh answer is kept.
            live.keep(session("a", "ann"), live.epoch());
            assert!(live.session("a").is_some());
            forget();
            assert!(live.session("a").is_none());
        }
    }

    #[test]
    fn forgetting_one_leaves_the_others() {
        let live = live();
        for (hash, user) in [("a", "ann"), ("b", "ann"), ("c", "bob")] {
            live.keep(session(hash, user), live.epoch());
        }
        live.forget_token("a");
        assert!(live.session("a").is_none() && live.session("b").is_some());
        live.forget_user(&UserId::from("ann"));
        assert!(live.session("b").is_none() && live.session("c").is_some());
    }
}
