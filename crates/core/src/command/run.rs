//! Carrying out what the operator asks.

use super::{Account, Answer, CreateUser, ENTRIES, Request, Secret, SettingLine, USERS};
use crate::account::{Authority, NewUser, User, fold};
use crate::audit::{Entry, OPERATOR};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::list::count;
use crate::login::Password;
use crate::setting::{self, Setting};
use crate::store::{audit, factors, operator, users};
use crate::{Core, account};
use serde_json::{Value, json};
use std::future::Future;

/// What stands in the audit for a value that is a secret.
const HIDDEN: &str = "(hidden)";

impl Core {
    /// Does what the operator asks; the caller has made sure that it is the operator.
    pub async fn execute(&self, request: Request) -> Result<Answer> {
        match request {
            Request::CreateUser(new) => Box::pin(self.operator_creates(new)).await,
            Request::ListUsers { after } => self.operator_lists(after).await,
            Request::ResetPassword { user, password } => {
                Box::pin(self.operator_resets(&user, &password)).await
            }
            Request::RevokeSessions { user } => self.operator_revokes(&user).await,
            Request::SetActive { user, active } => self.operator_switches(&user, active).await,
            Request::SetRoles { user, roles } => self.operator_assigns(&user, &roles).await,
            Request::CreateToken { user } => Box::pin(self.operator_logs_in(&user)).await,
            Request::GetSetting { id } => {
                let known = setting::known(&id).ok_or(Error::NoSetting(id))?;
                Ok(Answer::Settings(vec![self.line(self.settings().get(known))]))
            }
            Request::SetSetting { id, value } => self.operator_sets(&id, &value).await,
            Request::ListSettings => {
                let all = self.settings().all().into_iter();
                Ok(Answer::Settings(all.map(|setting| self.line(setting)).collect()))
            }
            Request::Audit { mut filter, after, newest_first, limit } => {
                filter.actor = match filter.actor {
                    Some(actor) => Some(self.actor(actor).await?),
                    None => None,
                };
                let limit = limit.clamp(1, ENTRIES);
                let page = audit::Page { filter: &filter, after, newest_first, limit };
                let entries = audit::list(self.store(), &page).await?;
                let full = count(entries.len()) == limit;
                let next = entries.last().filter(|_| full).map(Entry::place);
                Ok(Answer::Audit { entries, next })
            }
        }
    }

    /// Runs a change of the operator's, whose row in the audit is part of it.
    async fn noted<T>(
        &self,
        action: &str,
        detail: Value,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let at = self.clock().now();
        let entry = Entry {
            id: self.chance().id(at),
            at,
            actor: OPERATOR.to_owned(),
            name: OPERATOR.to_owned(),
            ip: String::new(),
            action: action.to_owned(),
            room: None,
            detail: detail.to_string(),
        };
        audit::NOTE.scope(audit::Note::new(entry), work).await
    }

    /// The account of this username, or of this id.
    async fn named(&self, name: &str) -> Result<User> {
        match users::by_username(self.store(), &fold(name)).await? {
            Some(user) => Ok(user),
            None => self.user(&UserId::from(name)).await,
        }
    }

    /// Who stands in the audit for this name: an account's id, or whatever was said.
    pub(crate) async fn actor(&self, name: String) -> Result<String> {
        match users::by_username(self.store(), &fold(&name)).await? {
            Some(user) if name != OPERATOR => Ok(user.id.to_string()),
            _ => Ok(name),
        }
    }

    async fn operator_creates(&self, new: CreateUser) -> Result<Answer> {
        let roles = self.role_ids(&new.roles)?;
        let password = new.password.map(|secret| Password::plain(&secret.0)).transpose()?;
        let existing = match &new.id {
            _ if !new.upsert => None,
            Some(id) => users::by_id(self.store(), &UserId::from(id.as_str())).await?,
            None => users::by_username(self.store(), &fold(&new.username)).await?,
        };
        let action = if existing.is_some() { "user.update" } else { "user.create" };
        let id = match (existing, new.id) {
            (Some(user), _) => user.id.to_string(),
            (None, Some(id)) => id,
            // Known beforehand, for the audit.
            (None, None) => self.chance().id(self.clock().now()),
        };
        let detail = json!({
            "user": id,
            "username": new.username,
            "roles": roles,
            "email": new.email,
            "name": new.name,
            "password": password.is_some(),
        });
        let account = NewUser {
            id: Some(id),
            username: new.username,
            name: new.name.unwrap_or_default(),
            email: new.email.map(|address| (address, true)),
            password,
            roles,
            ..NewUser::default()
        };
        let work = async {
            if new.upsert {
                self.upsert_user(account).await
            } else {
                self.create_user(Authority::Operator, account).await
            }
        };
        self.noted(action, detail, work).await.map(|user| Answer::User(self.line_of(user)))
    }

    async fn operator_lists(&self, after: Option<(String, String)>) -> Result<Answer> {
        let page = operator::users_after(self.store(), after, USERS).await?;
        let full = count(page.len()) == USERS;
        let users: Vec<Account> = page.into_iter().map(|user| self.line_of(user)).collect();
        let last = users.last().filter(|_| full);
        let next = last.map(|user| (user.username.clone().unwrap_or_default(), user.id.clone()));
        Ok(Answer::Users { users, next })
    }

    async fn operator_resets(&self, name: &str, password: &Secret) -> Result<Answer> {
        let password = Password::plain(&password.0)?;
        let user = self.named(name).await?;
        let work = self.set_password(Authority::Operator, &user.id, &password);
        self.noted("user.password", of(&user), work).await?;
        self.now(&user).await
    }

    async fn operator_revokes(&self, name: &str) -> Result<Answer> {
        let user = self.named(name).await?;
        let now = self.clock().now();
        let work = operator::end_sessions(self.store(), &user.id, now);
        let sessions = self.noted("user.sessions", of(&user), work).await?;
        self.live().forget_user(&user.id);
        Ok(Answer::Revoked { user: self.line_of(user), sessions })
    }

    async fn operator_switches(&self, name: &str, active: bool) -> Result<Answer> {
        let user = self.named(name).await?;
        let action = if active { "user.activate" } else { "user.deactivate" };
        let work = self.set_active(Authority::Operator, &user.id, active);
        self.noted(action, of(&user), work).await?;
        self.now(&user).await
    }

    async fn operator_assigns(&self, name: &str, roles: &[String]) -> Result<Answer> {
        let roles = self.role_ids(roles)?;
        let user = self.named(name).await?;
        let mut detail = of(&user);
        detail["from"] = json!(user.roles);
        detail["to"] = json!(roles);
        let now = self.clock().now();
        let shall = User { roles, ..user.clone() };
        let work = operator::set_roles(self.store(), &user, &shall, now);
        self.noted("user.roles", detail, work).await?;
        self.live().forget_user(&user.id);
        self.now(&user).await
    }

    async fn operator_logs_in(&self, name: &str) -> Result<Answer> {
        let user = self.named(name).await?;
        if !user.active {
            return Err(Error::Deactivated);
        }
        // Whoever may read the data directory needs no factor, but what changes meanwhile counts.
        let secrets = factors::find(self.store(), &user.id).await?.ok_or(Error::NoUser)?;
        let detail = of(&user);
        let work = self.start_session(user, &secrets, None);
        let session = self.noted("token.create", detail, work).await?;
        let user = self.line_of(account::User::clone(&session.user));
        Ok(Answer::Token { user, token: Secret(session.token), expires: session.expires })
    }

    async fn operator_sets(&self, id: &str, value: &Secret) -> Result<Answer> {
        let known = setting::known(id).ok_or_else(|| Error::NoSetting(id.to_owned()))?;
        let before = self.line(self.settings().get(known));
        let hidden = || Value::from(HIDDEN);
        let to = if known.is_secret() { hidden() } else { Value::from(value.0.as_str()) };
        let from = before.value.unwrap_or_else(hidden);
        let detail = json!({"setting": id, "from": from, "to": to});
        let value = Value::from(value.0.as_str());
        self.noted("setting.set", detail, self.overwrite_setting(id, &value)).await?;
        Ok(Answer::Settings(vec![self.line(self.settings().get(known))]))
    }

    /// The account as it is after a change.
    async fn now(&self, user: &User) -> Result<Answer> {
        Ok(Answer::User(self.line_of(self.user(&user.id).await?)))
    }

    /// An account, with its roles as people call them.
    fn line_of(&self, user: User) -> Account {
        Account {
            id: user.id.to_string(),
            username: user.username,
            name: user.name,
            emails: user.emails.into_iter().map(|email| email.address).collect(),
            roles: self.role_names(&user.roles),
            active: user.active,
            created: user.created,
            last_login: user.last_login,
        }
    }

    fn line(&self, setting: Setting) -> SettingLine {
        let Setting { known, value, .. } = setting;
        SettingLine {
            id: known.id.to_owned(),
            value: (!known.is_secret()).then_some(value),
            changed: self.settings().is_changed(known.id),
        }
    }
}

/// An account, as the audit names it.
fn of(user: &User) -> Value {
    json!({"user": user.id.as_str(), "username": user.handle()})
}
