//! What the operator does to accounts, by holding the data directory: bring one up to date, see
//! whether there is an administrator, and have the built-in bot there. What is not given stays.

use crate::Core;
use crate::account::{Authority, NewUser, ROCKET_CAT, User, fold};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::store::{roles, users};

impl Core {
    /// The operator's way to make an account or bring one up to date: the one of
    /// the id if there is an id, else the one of the username.
    pub async fn upsert_user(&self, new: NewUser) -> Result<User> {
        let existing = match &new.id {
            Some(id) => users::by_id(self.store(), &UserId::from(id.as_str())).await?,
            None => users::by_username(self.store(), &fold(&new.username)).await?,
        };
        let Some(existing) = existing else {
            return self.create_user(Authority::Operator, new).await;
        };
        let (named, addressed) = (!new.name.trim().is_empty(), new.email.is_some());
        let (roleless, body) = (new.roles.is_empty(), new.body.is_empty());
        let mut account = self.prepare_user(new, true).await?;
        let user = &mut account.user;
        user.id = existing.id.clone();
        user.created = existing.created;
        user.updated = user.updated.max(existing.updated + 1);
        if !named {
            user.name.clone_from(&existing.name);
        }
        if !addressed {
            user.emails.clone_from(&existing.emails);
        }
        if roleless {
            user.roles.clone_from(&existing.roles);
            user.kind.clone_from(&existing.kind);
        }
        if body {
            user.body.clone_from(&existing.body);
        }
        let job = self.chance().id(self.clock().now());
        users::replace(self.store(), &account, &existing, &job).await?;
        self.wake_worker();
        self.live().forget_user(&account.user.id);
        self.user(&account.user.id).await
    }

    /// Is there an administrator yet?
    pub async fn has_admin(&self) -> Result<bool> {
        roles::is_held(self.store(), "admin").await
    }

    /// The built-in bot that every client knows by id.
    pub(crate) async fn ensure_rocket_cat(&self) -> Result<()> {
        if users::by_id(self.store(), &UserId::from(ROCKET_CAT)).await?.is_some() {
            return Ok(());
        }
        let new = NewUser {
            id: Some(ROCKET_CAT.to_owned()),
            username: ROCKET_CAT.to_owned(),
            name: "Rocket.Cat".to_owned(),
            roles: vec!["bot".to_owned()],
            ..NewUser::default()
        };
        match self.add_user(new, true).await {
            // Another node made it first.
            Ok(_) | Err(Error::BadId | Error::UsernameTaken(_)) => Ok(()),
            Err(other) => Err(other),
        }
    }
}
