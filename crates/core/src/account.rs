//! Accounts: what a user is, who may make one, and the rules for names (ruling A9, contract 8.4).
//! A username is unique ignoring case, is never an existing id, and never has the form of an id made
//! here, so that neither face can be led to take a name for an id. The first visitor is never
//! administrator: the first administrator comes from the operator.

use crate::caller::{Admin, Caller, Perm};
use crate::error::{Error, Feature, Result};
use crate::id::{UserId, is_id, looks_made_here};
use crate::list::{Document, ListQuery, Page};
use crate::login::{NewSession, Password};
use crate::store::factors::Secrets;
use crate::store::users;
use crate::time::Ms;
use crate::{Core, custom_field, setting};
use serde_json::{Value, json};

/// The longest username, real name and status text, in characters.
const MAX_USERNAME: usize = 64;
const MAX_NAME: usize = 120;
pub(crate) const MAX_STATUS_TEXT: usize = 120;

/// The built-in bot.
pub const ROCKET_CAT: &str = "rocket.cat";

/// One e-mail address of an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Email {
    /// As written.
    pub address: String,
    /// Was it proved?
    pub verified: bool,
}

impl Email {
    pub(crate) fn list(json: &str) -> Result<Vec<Self>> {
        if json == "[]" {
            return Ok(Vec::new());
        }
        let list: Vec<Value> = serde_json::from_str(json).map_err(Error::internal)?;
        Ok(list.iter().filter_map(Self::read).collect())
    }

    pub(crate) fn read(value: &Value) -> Option<Self> {
        let verified = value.get("verified").and_then(Value::as_bool).unwrap_or(false);
        Some(Self { address: value.get("address")?.as_str()?.to_owned(), verified })
    }

    pub(crate) fn print(list: &[Self]) -> String {
        let one = |email: &Self| json!({"address": email.address, "verified": email.verified});
        Value::Array(list.iter().map(one).collect()).to_string()
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Who, for ever.
    pub id: UserId,
    /// The name others write; absent on some imported accounts.
    pub username: Option<String>,
    /// The name others see.
    pub name: Option<String>,
    /// `user`, `bot` or `app`.
    pub kind: String,
    /// May it log in and write?
    pub active: bool,
    /// Role ids.
    pub roles: Vec<String>,
    /// Addresses.
    pub emails: Vec<Email>,
    /// `online`, `away`, `busy` or `offline`: what others see.
    pub status: String,
    /// What the user chose.
    pub status_default: String,
    /// What the user wrote beside it.
    pub status_text: String,
    /// When it was made.
    pub created: Ms,
    /// When it last changed.
    pub updated: Ms,
    /// When it last logged in.
    pub last_login: Option<Ms>,
    /// Can it log in with a password?
    pub has_password: bool,
    /// Carried members of the document, as JSON text.
    pub body: String,
    /// JSON object of the preferences that the user chose.
    pub preferences: String,
    /// JSON array of words that count as a mention of the user.
    pub highlights: Option<String>,
}

impl User {
    /// The name others see: the real name, or the username.
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().filter(|name| !name.is_empty()).unwrap_or_else(|| self.handle())
    }

    /// The username; the id of an account without one.
    pub fn handle(&self) -> &str {
        self.username.as_deref().unwrap_or(self.id.as_str())
    }
}

/// What the store writes of a new account.
pub(crate) struct NewAccount {
    pub(crate) user: User,
    pub(crate) password: Option<String>,
}

/// What somebody says of an account that is to be made.
#[derive(Clone, Debug, Default)]
pub struct NewUser {
    /// A chosen id (people migrate accounts); `None` for a fresh one.
    pub id: Option<String>,
    /// The username.
    pub username: String,
    /// The real name; the username when empty.
    pub name: String,
    /// An address, and whether it counts as proved.
    pub email: Option<(String, bool)>,
    /// The password; `None` for an account that cannot log in with one.
    pub password: Option<Password>,
    /// Role ids; empty for `user`.
    pub roles: Vec<String>,
    /// Is it switched off at first?
    pub inactive: bool,
    /// What it shows beside its status.
    pub status_text: String,
    /// Carried members of the document (bio, nickname, …).
    pub body: serde_json::Map<String, Value>,
}

/// By whose right an account is made or changed.
#[derive(Clone, Copy, Debug)]
pub enum Authority<'a> {
    /// An administrator of the matching permission.
    Admin(Admin<'a>),
    /// Whoever holds the data directory.
    Operator,
}

impl Authority<'_> {
    pub(crate) fn holds(&self, perm: Perm) -> Result<()> {
        match self {
            Self::Admin(admin) => admin.holds(perm),
            Self::Operator => Ok(()),
        }
    }
}

/// May somebody be called this?
pub(crate) fn check_name(name: &str) -> Result<()> {
    let bad = name.contains(['<', '>', '/', '\\', '\0']) || name.chars().count() > MAX_NAME;
    if bad { Err(Error::BadName) } else { Ok(()) }
}

/// A name as it is compared: without case.
pub fn fold(name: &str) -> String {
    name.to_lowercase()
}

/// Looks like an address: something, one `@`, a domain.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    !local.is_empty()
        && text.len() <= 254
        && domain.contains(|c: char| c.is_alphanumeric())
        && !domain.contains('@')
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

impl Core {
    /// Makes an account for somebody else.
    pub async fn create_user(&self, by: Authority<'_>, new: NewUser) -> Result<User> {
        by.holds(Perm::CreateUser)?;
        self.check_role_ids(&new.roles)?;
        if let Authority::Admin(admin) = by
            && new.roles.iter().any(|role| role == "admin")
            && !self.may(admin.caller, Perm::AssignAdminRole)
        {
            return Err(Error::Lacks(Perm::AssignAdminRole));
        }
        Ok(self.add_user(new, matches!(by, Authority::Operator)).await?.user)
    }

    /// Makes an account for oneself, where that is open.
    pub async fn register(&self, new: NewUser) -> Result<User> {
        Ok(self.register_account(new).await?.user)
    }

    async fn register_account(&self, mut new: NewUser) -> Result<NewAccount> {
        let settings = self.settings();
        if settings.text(&setting::REGISTRATION) != "Public" {
            return Err(Error::RegistrationClosed);
        }
        new.id = None;
        new.roles = Vec::new();
        new.inactive = settings.on(&setting::MANUAL_APPROVAL);
        let email = new.email.take().map(|(address, _)| address).unwrap_or_default();
        if email.is_empty() {
            return Err(Error::BadEmail(email));
        }
        new.email = Some((email, false));
        self.add_user(new, false).await
    }

    /// Registers and logs in, as `MeepaChat`'s contract has it in one call.
    pub async fn register_and_login(&self, new: NewUser) -> Result<NewSession> {
        let NewAccount { user, password } = self.register_account(new).await?;
        self.admit(&user)?;
        let secrets = Secrets { password, ..Secrets::default() };
        self.start_session(user, &secrets, None).await
    }

    pub(crate) async fn add_user(&self, new: NewUser, operator: bool) -> Result<NewAccount> {
        // Said before the password is hashed, which is what costs; the change says it again.
        let named = users::by_username(self.store(), &fold(&new.username)).await?;
        if named.is_some_and(|named| new.id.as_deref() != Some(named.id.as_str())) {
            return Err(Error::UsernameTaken(new.username));
        }
        let account = self.prepare_user(new, operator).await?;
        users::add(self.store(), &account).await?;
        Ok(account)
    }

    pub(crate) async fn prepare_user(&self, new: NewUser, operator: bool) -> Result<NewAccount> {
        self.check_username(&new.username, operator)?;
        let name = if new.name.trim().is_empty() { &new.username } else { new.name.trim() };
        check_name(name)?;
        let mut emails = Vec::new();
        if let Some((address, verified)) = new.email.filter(|(address, _)| !address.is_empty()) {
            if !is_email(&address) {
                return Err(Error::BadEmail(address));
            }
            emails.push(Email { address, verified });
        }
        let mut body = new.body;
        if let Some(values) = body.remove("customFields") {
            let values = values.as_object().cloned().unwrap_or_default();
            let kept = custom_field::checked(&self.settings(), &values)?;
            if !kept.is_empty() {
                body.insert("customFields".to_owned(), kept.into());
            }
        }
        let now = self.clock().now();
        let id = match new.id {
            Some(id) if is_id(&id) => id,
            Some(_) => return Err(Error::BadId),
            None => self.chance().id(now),
        };
        if let Some(password) = new.password.as_ref().filter(|_| !operator) {
            self.check_password(password)?;
        }
        let password = match &new.password {
            Some(password) => Some(self.passwords().hash(password).await?),
            None => None,
        };
        let roles = if new.roles.is_empty() { vec!["user".to_owned()] } else { new.roles };
        let user = User {
            id: id.into(),
            name: Some(name.to_owned()),
            username: Some(new.username),
            kind: if roles.iter().any(|r| r == "bot") { "bot" } else { "user" }.to_owned(),
            active: !new.inactive,
            roles,
            emails,
            status: "offline".to_owned(),
            status_default: "online".to_owned(),
            status_text: new.status_text.chars().take(MAX_STATUS_TEXT).collect(),
            created: now,
            updated: now,
            last_login: None,
            has_password: password.is_some(),
            body: Value::Object(body).to_string(),
            preferences: "{}".to_owned(),
            highlights: None,
        };
        Ok(NewAccount { user, password })
    }

    pub(crate) fn check_username(&self, name: &str, operator: bool) -> Result<()> {
        let bad = || Error::BadUsername(name.to_owned());
        let settings = self.settings();
        let rule = format!("^(?:{})$", settings.text(&setting::USERNAME_RULE));
        let rule = regex::Regex::new(&rule).map_err(Error::internal)?;
        let reserved = settings.text(&setting::RESERVED_NAMES).split(',');
        let blocked = settings.text(&setting::BLOCKED_NAMES).split(',');
        let name_fold = fold(name);
        // The operator's own first account may be called admin; nobody else's may.
        let refused = ["all", "here"].into_iter().chain(blocked);
        let refused = refused.chain(reserved.filter(|_| !operator)).map(str::trim);
        if name.is_empty()
            || name.chars().count() > MAX_USERNAME
            || !rule.is_match(name)
            || looks_made_here(name)
            || refused.filter(|word| !word.is_empty()).any(|word| fold(word) == name_fold)
        {
            return Err(bad());
        }
        Ok(())
    }

    /// The account of this id.
    pub async fn user(&self, id: &UserId) -> Result<User> {
        users::by_id(self.store(), id).await?.ok_or(Error::NoUser)
    }

    /// The account of this username, in any case.
    pub async fn user_named(&self, username: &str) -> Result<User> {
        users::by_username(self.store(), &fold(username)).await?.ok_or(Error::NoUser)
    }

    /// Those of these usernames that exist, in no order.
    pub async fn users_named(&self, usernames: &[String]) -> Result<Vec<User>> {
        let folds: Vec<String> = usernames.iter().map(|name| fold(name)).collect();
        users::by_usernames(self.store(), &folds).await
    }

    /// All accounts, by username or as the query says.
    pub async fn users(
        &self,
        _: &Caller,
        query: &ListQuery,
        document: Document<User>,
    ) -> Result<Page<User>> {
        users::list(self.store(), query, document).await
    }

    /// Sets what the caller shows of itself (or another account, for who may edit others): a status, a
    /// text, or both.
    pub async fn set_status(
        &self,
        caller: &Caller,
        user: &UserId,
        status: Option<&str>,
        text: Option<&str>,
    ) -> Result<()> {
        if user != caller.id() {
            self.admin(caller, Perm::EditOtherUserInfo)?;
        }
        if !self.settings().on(&setting::STATUS_MESSAGE) {
            return Err(Error::SwitchedOff(Feature::Status));
        }
        if let Some(status) = status {
            self.check_status(status)?;
        }
        let text = text.map(|text| text.chars().take(MAX_STATUS_TEXT).collect::<String>());
        let now = self.clock().now();
        users::set_status(self.store(), user, status, text.as_deref(), now).await
    }

    /// Gives an account another password; its sessions end.
    pub async fn set_password(
        &self,
        by: Authority<'_>,
        id: &UserId,
        password: &Password,
    ) -> Result<()> {
        by.holds(Perm::EditOtherUserPassword)?;
        if matches!(by, Authority::Admin(_)) {
            self.check_password(password)?;
        }
        let hash = self.passwords().hash(password).await?;
        users::set_password(self.store(), id, &hash, self.clock().now()).await?;
        self.live().forget_user(id);
        Ok(())
    }
}
