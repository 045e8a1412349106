//! Changing accounts (contract section 8.4): one's own, with the password where that matters, and other
//! people's, by permission. All that is asked for is checked first and happens in one change, or nothing
//! does; another password ends every other session of the account.

use crate::account::{self, Email, MAX_STATUS_TEXT, User};
use crate::caller::{Caller, Perm};
use crate::error::{Error, Feature, Result};
use crate::id::UserId;
use crate::login::Password;
use crate::setting::Known;
use crate::store::{profiles, users};
use crate::{Core, custom_field, setting};
use serde_json::{Map, Value};

/// Characters of a bio and of a nickname.
const MAX_BIO: usize = 260;
const MAX_NICKNAME: usize = 120;
/// How often a change is tried again when the same account is changed at the same time.
const TRIES: usize = 16;

/// What shall be otherwise about an account; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The name others see.
    pub name: Option<String>,
    /// The name others write.
    pub username: Option<String>,
    /// The address; there is only one then.
    pub email: Option<String>,
    /// Was the address proved?
    pub verified: Option<bool>,
    /// The password.
    pub password: Option<Password>,
    /// Must it be changed at the next login?
    pub require_password_change: Option<bool>,
    /// May it log in and write?
    pub active: Option<bool>,
    /// Role ids.
    pub roles: Option<Vec<String>>,
    /// `online`, `away`, `busy` or `offline`.
    pub status: Option<String>,
    /// What stands beside it.
    pub status_text: Option<String>,
    /// A few words about oneself; empty for none.
    pub bio: Option<String>,
    /// Another name; empty for none.
    pub nickname: Option<String>,
    /// Values of the fields that the operator defined.
    pub custom_fields: Option<Map<String, Value>>,
}

fn differs(wanted: Option<&String>, now: Option<&str>) -> bool {
    wanted.is_some_and(|wanted| !wanted.is_empty() && Some(wanted.as_str()) != now)
}

impl Changes {
    fn is_rename(&self, user: &User) -> bool {
        differs(self.username.as_ref(), user.username.as_deref())
    }

    fn is_new_name(&self, user: &User) -> bool {
        differs(self.name.as_ref(), user.name.as_deref())
    }

    fn is_new_email(&self, user: &User) -> bool {
        let now = user.emails.first().map(|email| email.address.as_str());
        differs(self.email.as_ref(), now)
    }

    fn is_new_status(&self, user: &User) -> bool {
        self.status.as_ref().is_some_and(|status| *status != user.status_default)
            || self.status_text.as_ref().is_some_and(|text| *text != user.status_text)
    }
}

impl Core {
    /// Changes an account for who may edit others, or one's own as far as that needs no password.
    pub async fn update_user(
        &self,
        caller: &Caller,
        id: &UserId,
        changes: &Changes,
    ) -> Result<User> {
        let own = id == caller.id();
        if !own {
            self.admin(caller, Perm::EditOtherUserInfo)?;
        }
        if own && changes.verified == Some(true) {
            return Err(Error::SwitchedOff(Feature::Verification));
        }
        let user = self.user(id).await?;
        if changes.active.is_some() {
            self.admin(caller, Perm::EditOtherUserActiveStatus)?;
        }
        self.check_roles(caller, &user, changes)?;
        self.check_editable_profile(caller, &user, changes)?;
        let others = self.may(caller, Perm::EditOtherUserInfo);
        if changes.password.is_some() && !self.may(caller, Perm::EditOtherUserPassword) {
            return Err(Error::SwitchedOff(Feature::Password));
        }
        if changes.is_new_email(&user) && !others {
            return Err(Error::PasswordNeeded);
        }
        self.change_account(id, changes, own.then_some(caller)).await
    }

    fn check_roles(&self, caller: &Caller, user: &User, changes: &Changes) -> Result<()> {
        let Some(roles) = &changes.roles else {
            return Ok(());
        };
        self.check_role_ids(roles)?;
        let admin = |roles: &[String]| roles.iter().any(|role| role == "admin");
        let same = roles.iter().all(|role| user.roles.contains(role))
            && user.roles.iter().all(|role| roles.contains(role));
        if admin(roles) != admin(&user.roles) {
            self.admin(caller, Perm::AssignAdminRole)?;
        }
        if !same {
            self.admin(caller, Perm::AssignRoles)?;
        }
        Ok(())
    }

    /// What the settings do not let users change is left to who may edit others.
    fn check_editable_profile(
        &self,
        caller: &Caller,
        user: &User,
        changes: &Changes,
    ) -> Result<()> {
        if self.may(caller, Perm::EditOtherUserInfo) {
            return Ok(());
        }
        let settings = self.settings();
        let allowed = |asked: bool, switch: &Known, feature: Feature| {
            if asked && !settings.on(switch) { Err(Error::SwitchedOff(feature)) } else { Ok(()) }
        };
        allowed(true, &setting::PROFILE_CHANGE, Feature::Profile)?;
        allowed(changes.is_rename(user), &setting::USERNAME_CHANGE, Feature::Username)?;
        allowed(changes.is_new_status(user), &setting::STATUS_MESSAGE, Feature::Status)?;
        allowed(changes.is_new_name(user), &setting::NAME_CHANGE, Feature::RealName)?;
        allowed(changes.is_new_email(user), &setting::EMAIL_CHANGE, Feature::Email)
    }

    /// Changes one's own account. Another address or password needs the password that is there:
    /// [`Error::PasswordNeeded`] without it, [`Error::PasswordWrong`] if it is another.
    pub async fn update_own(
        &self,
        caller: &Caller,
        changes: &Changes,
        current: Option<&Password>,
    ) -> Result<User> {
        let settings = self.settings();
        if !settings.on(&setting::PROFILE_CHANGE) {
            return Err(Error::SwitchedOff(Feature::Profile));
        }
        let user = self.user(caller.id()).await?;
        self.check_editable_profile(caller, &user, changes)?;
        if changes.password.is_some() && !settings.on(&setting::PASSWORD_CHANGE) {
            return Err(Error::SwitchedOff(Feature::Password));
        }
        if changes.password.is_some() || changes.is_new_email(&user) {
            let current = current.ok_or(Error::PasswordNeeded)?;
            if !self.is_password_of(caller.id(), current).await? {
                return Err(Error::PasswordWrong);
            }
        }
        self.change_account(caller.id(), changes, Some(caller)).await
    }

    /// Is this the account's password? Wrong ones count with wrong second factors.
    pub(crate) async fn is_password_of(&self, id: &UserId, password: &Password) -> Result<bool> {
        let stored = users::secret_by_id(self.store(), id).await?.and_then(|(_, stored)| stored);
        self.take_factor_attempt(id.as_str())?;
        let fits = self.passwords().fits(password, stored, None).await?;
        if fits {
            self.forget_factor_attempts(id.as_str());
        }
        Ok(fits)
    }

    /// Makes the changes, whoever else changes the account meanwhile; `keep`: whose session stays when
    /// the password changes.
    async fn change_account(
        &self,
        id: &UserId,
        changes: &Changes,
        keep: Option<&Caller>,
    ) -> Result<User> {
        // Said before the password is hashed, which is what costs.
        self.changed(&self.user(id).await?, changes)?;
        let password = match &changes.password {
            Some(password) => {
                self.check_password(password)?;
                Some(self.passwords().hash(password).await?)
            }
            None => None,
        };
        for _ in 0..TRIES {
            let was = self.user(id).await?;
            let user = self.changed(&was, changes)?;
            if user == was && password.is_none() {
                return Ok(was);
            }
            let now = self.clock().now();
            let update = profiles::Update {
                was: &was,
                user: &user,
                password: password.as_deref(),
                keep: keep.map(|caller| &*caller.token_hash),
                job: &self.chance().id(now),
            };
            if profiles::set(self.store(), &update, now).await? {
                self.live().forget_user(id);
                self.wake_worker();
                return self.user(id).await;
            }
        }
        Err(Error::unavailable("too many changes at once"))
    }

    /// The account as it shall be.
    fn changed(&self, was: &User, changes: &Changes) -> Result<User> {
        let mut user = was.clone();
        if let Some(name) = changes.name.as_ref().filter(|_| changes.is_new_name(was)) {
            account::check_name(name)?;
            user.name = Some(name.clone());
        }
        if let Some(name) = changes.username.as_ref().filter(|_| changes.is_rename(was)) {
            self.check_username(name, false)?;
            user.username = Some(name.clone());
        }
        if let Some(address) = changes.email.as_ref().filter(|_| changes.is_new_email(was)) {
            if !account::is_email(address) {
                return Err(Error::BadEmail(address.clone()));
            }
            user.emails = vec![Email { address: address.clone(), verified: false }];
        }
        if let (Some(verified), Some(email)) = (changes.verified, user.emails.first_mut()) {
            email.verified = verified;
        }
        user.active = changes.active.unwrap_or(user.active);
        if let Some(roles) = &changes.roles {
            user.roles.clone_from(roles);
            if roles.is_empty() {
                user.roles.push("user".to_owned());
            }
        }
        if let Some(status) = &changes.status {
            self.check_status(status)?;
            user.status.clone_from(status);
            user.status_default.clone_from(status);
        }
        if let Some(text) = &changes.status_text {
            user.status_text = text.chars().take(MAX_STATUS_TEXT).collect();
        }
        user.body = self.changed_body(&was.body, changes)?;
        Ok(user)
    }

    fn changed_body(&self, was: &str, changes: &Changes) -> Result<String> {
        let mut body: Map<String, Value> = serde_json::from_str(was).map_err(Error::internal)?;
        for (field, text, max) in
            [("bio", &changes.bio, MAX_BIO), ("nickname", &changes.nickname, MAX_NICKNAME)]
        {
            let Some(text) = text else { continue };
            if text.chars().count() > max {
                return Err(Error::FieldTooLong { field, max });
            }
            if text.is_empty() {
                body.remove(field);
            } else {
                body.insert(field.to_owned(), text.as_str().into());
            }
        }
        match changes.require_password_change {
            Some(true) => drop(body.insert("requirePasswordChange".to_owned(), true.into())),
            Some(false) => drop(body.remove("requirePasswordChange")),
            // Whoever has a new password has done what was asked.
            None if changes.password.is_some() => drop(body.remove("requirePasswordChange")),
            None => {}
        }
        let settings = self.settings();
        if let Some(values) =
            changes.custom_fields.as_ref().filter(|_| settings.has_account_fields())
        {
            // A field that is not named stays as it is.
            let known = body.get("customFields").and_then(Value::as_object).cloned();
            let mut all = known.unwrap_or_default();
            all.extend(values.clone());
            let checked = custom_field::checked(&settings, &all)?;
            body.insert("customFields".to_owned(), Value::Object(checked));
        }
        Ok(Value::Object(body).to_string())
    }

    /// May anybody show this status?
    pub(crate) fn check_status(&self, status: &str) -> Result<()> {
        match status {
            "offline" if !self.settings().on(&setting::INVISIBLE) => {
                Err(Error::SwitchedOff(Feature::Invisible))
            }
            "online" | "away" | "busy" | "offline" => Ok(()),
            _ => Err(Error::BadStatus),
        }
    }

    /// Takes a picture off an account: the caller's, or another's for who may do that.
    pub async fn reset_avatar(&self, caller: &Caller, id: &UserId) -> Result<()> {
        self.check_avatar(caller, id)?;
        for _ in 0..TRIES {
            let was = self.user(id).await?;
            let mut body: Map<String, Value> =
                serde_json::from_str(&was.body).map_err(Error::internal)?;
            let had = ["avatarOrigin", "avatarETag"].map(|name| body.remove(name).is_some());
            if !had.contains(&true) {
                return Ok(());
            }
            let user = User { body: Value::Object(body).to_string(), ..was.clone() };
            if profiles::set_avatar(self.store(), &was, &user, self.clock().now()).await? {
                self.live().forget_user(id);
                return Ok(());
            }
        }
        Err(Error::unavailable("too many changes at once"))
    }

    /// May the caller change this account's picture?
    pub fn check_avatar(&self, caller: &Caller, id: &UserId) -> Result<()> {
        let others = self.may(caller, Perm::EditOtherUserAvatar);
        if !others && !self.settings().on(&setting::AVATAR_CHANGE) {
            return Err(Error::SwitchedOff(Feature::Avatar));
        }
        if !others && id != caller.id() {
            return Err(Error::Lacks(Perm::EditOtherUserAvatar));
        }
        Ok(())
    }
}
