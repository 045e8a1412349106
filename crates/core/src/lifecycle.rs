//! The life of accounts (contract section 6.3): switched on and off, removed by an administrator or by
//! their owner, switched off when nobody used them. The last active administrator is neither switched
//! off nor removed, and the built-in bot is not removed.

use crate::account::{Authority, ROCKET_CAT, User};
use crate::caller::{Admin, Caller, Perm};
use crate::error::{Error, Feature, Result};
use crate::id::UserId;
use crate::list::count;
use crate::login::Password;
use crate::store::lifecycle;
use crate::{Core, setting};
use serde_json::json;
use subtle::ConstantTimeEq as _;

/// Accounts looked at at once.
const BATCH: i64 = 100;
/// How often a removal is tried again when the account is changed at the same time.
const TRIES: usize = 16;

fn is_active_admin(user: &User) -> bool {
    user.active && user.roles.iter().any(|role| role == "admin")
}

impl Core {
    /// Switches an account on or off; off ends its sessions and its writing at once.
    pub async fn set_active(&self, by: Authority<'_>, id: &UserId, active: bool) -> Result<()> {
        by.holds(Perm::EditOtherUserActiveStatus)
            .or_else(|_| by.holds(Perm::ManageModerationActions))?;
        let user = self.user(id).await?;
        if user.active == active {
            return Ok(());
        }
        let guard = !active && matches!(by, Authority::Admin(_)) && is_active_admin(&user);
        let now = self.clock().now();
        lifecycle::set_active(self.store(), id, active, guard, now).await?;
        self.live().forget_user(id);
        Ok(())
    }

    /// Removes an account for good.
    pub async fn delete_user(&self, admin: Admin<'_>, id: &UserId) -> Result<()> {
        admin.holds(Perm::DeleteUser)?;
        self.remove_account(id).await
    }

    /// Removes the caller's own account, where the settings let users do that. `proof` is the
    /// password's hexadecimal SHA-256; the username of an account without a password.
    pub async fn delete_own_account(&self, caller: &Caller, proof: &str) -> Result<()> {
        if !self.settings().on(&setting::OWN_DELETION) {
            return Err(Error::SwitchedOff(Feature::OwnDeletion));
        }
        let user = self.user(caller.id()).await?;
        if user.has_password {
            let password = Password::digest(proof).map_err(|_| Error::PasswordWrong)?;
            if !self.is_password_of(&user.id, &password).await? {
                return Err(Error::PasswordWrong);
            }
        } else if !bool::from(user.handle().as_bytes().ct_eq(proof.as_bytes())) {
            return Err(Error::PasswordWrong);
        }
        self.remove_account(&user.id).await
    }

    async fn remove_account(&self, id: &UserId) -> Result<()> {
        if id.as_str() == ROCKET_CAT {
            return Err(Error::NotAllowed);
        }
        for _ in 0..TRIES {
            let user = self.user(id).await?;
            let now = self.clock().now();
            let job = self.chance().id(now);
            let erasure = self.settings().text(&setting::ERASURE).to_owned();
            let args = json!({"erasure": erasure, "old": user.handle()}).to_string();
            let guard = is_active_admin(&user);
            let left = (job.as_str(), args);
            if lifecycle::remove(self.store(), &user, left, guard, now).await? {
                self.live().forget_user(id);
                self.wake_worker();
                return Ok(());
            }
        }
        Err(Error::unavailable("too many changes at once"))
    }

    /// Switches every active account of a role off that has not logged in for so many days, but for
    /// the last administrator; returns how many that were.
    pub async fn deactivate_idle(&self, admin: Admin<'_>, days: i64, role: &str) -> Result<i64> {
        admin.holds(Perm::EditOtherUserActiveStatus)?;
        let days = days.clamp(0, 36_500);
        let mut place = (self.clock().now() - days * 86_400_000, String::new());
        let mut off = 0;
        loop {
            let page = lifecycle::idle(self.store(), (place.0, &place.1), BATCH).await?;
            let full = count(page.len()) == BATCH;
            if let Some(last) = page.last() {
                place = (last.last_login, last.user.to_string());
            }
            for idle in page {
                let roles: Vec<String> =
                    serde_json::from_str(&idle.roles).map_err(Error::internal)?;
                if !roles.iter().any(|one| one == role) {
                    continue;
                }
                match self.set_active(Authority::Admin(admin), &idle.user, false).await {
                    Ok(()) => off += 1,
                    // The last administrator stays, and who is gone meanwhile needs nothing.
                    Err(Error::LastAdmin | Error::NoUser) => {}
                    Err(other) => return Err(other),
                }
            }
            if !full {
                return Ok(off);
            }
        }
    }
}
