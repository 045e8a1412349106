//! What the operator asks from the shell, as values: one request, one answer. A command line makes the
//! request and carries it out itself, or hands it to the server that holds the data directory
//! (a line of JSON each way), so it does the same with and without a running server. Whoever can ask
//! could read the data directory, so nothing here asks for a token. Every change leaves a row in the
//! audit, in the change itself.

mod line;
mod run;

pub use line::{MAX_REQUEST, Reply};

use crate::audit::{Entry, Filter, Place};
use crate::error::Error;
use crate::setting::{self, Default};
use crate::time::Ms;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Accounts in one answer at most.
pub const USERS: i64 = 200;
/// Rows of the audit in one answer at most.
pub const ENTRIES: i64 = 500;

/// A password or a token on its way. Its `Debug` shows nothing.
#[derive(Clone, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What the operator asks. An account is named by its username or its id.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Make an account, or bring one up to date.
    CreateUser(CreateUser),
    /// Accounts by username, from behind this username and id.
    ListUsers {
        /// Where the page before this one ended.
        after: Option<(String, String)>,
    },
    /// Give an account another password, which ends its sessions.
    ResetPassword {
        /// Whose.
        user: String,
        /// The new one.
        password: Secret,
    },
    /// End every session of an account.
    RevokeSessions {
        /// Whose.
        user: String,
    },
    /// Switch an account on or off.
    SetActive {
        /// Whose.
        user: String,
        /// On?
        active: bool,
    },
    /// Give an account these roles instead of those it has.
    SetRoles {
        /// Whose.
        user: String,
        /// Role ids.
        roles: Vec<String>,
    },
    /// Begin a session for an account.
    CreateToken {
        /// Whose.
        user: String,
    },
    /// One setting.
    GetSetting {
        /// Its id.
        id: String,
    },
    /// Change a setting.
    SetSetting {
        /// Its id.
        id: String,
        /// The value as text: numbers, `true`, lists as JSON.
        value: Secret,
    },
    /// All settings.
    ListSettings,
    /// A page of the audit.
    Audit {
        /// Which rows.
        filter: Filter,
        /// Where the page before this one ended.
        after: Option<Place>,
        /// Newest first, or oldest first.
        newest_first: bool,
        /// Rows at most; never more than [`ENTRIES`].
        limit: i64,
    },
}

/// An account to be made.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CreateUser {
    /// The username.
    pub username: String,
    /// An address; counts as proved.
    pub email: Option<String>,
    /// The name others see.
    pub name: Option<String>,
    /// Roles, by id or by name; empty for `user`, or for those that an account that is here has.
    pub roles: Vec<String>,
    /// A chosen id.
    pub id: Option<String>,
    /// Change the account if it is there already.
    pub upsert: bool,
    /// The password; `None` for none, or for the one that an account that is here has.
    pub password: Option<Secret>,
}

/// What the operator hears.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// An account as it is now.
    User(Account),
    /// A page of accounts.
    Users {
        /// At most [`USERS`] of them.
        users: Vec<Account>,
        /// Where the next page begins; `None` when this was the last.
        next: Option<(String, String)>,
    },
    /// Sessions of an account ended.
    Revoked {
        /// Whose.
        user: Account,
        /// How many.
        sessions: u64,
    },
    /// A session began.
    Token {
        /// Whose.
        user: Account,
        /// Shown once, stored hashed.
        token: Secret,
        /// When it ends; `None` for never.
        expires: Option<Ms>,
    },
    /// Settings, by id.
    Settings(Vec<SettingLine>),
    /// A page of the audit.
    Audit {
        /// The rows.
        entries: Vec<Entry>,
        /// Where the next page begins; `None` when this was the last.
        next: Option<Place>,
    },
}

/// An account, as the operator sees it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// Its username; absent on some imported accounts.
    pub username: Option<String>,
    /// The name others see.
    pub name: Option<String>,
    /// Its addresses.
    pub emails: Vec<String>,
    /// The names of its roles.
    pub roles: Vec<String>,
    /// May it log in and write?
    pub active: bool,
    /// When it was made.
    pub created: Ms,
    /// When it last logged in.
    pub last_login: Option<Ms>,
}

/// A setting, as the operator sees it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SettingLine {
    /// Its id.
    pub id: String,
    /// What it holds; `None` for a secret, which is never shown.
    pub value: Option<Value>,
    /// Did somebody give it a value?
    pub changed: bool,
}

/// Why the operator's request failed, in words for a person.
pub fn explain(error: &Error) -> String {
    match error {
        Error::NoRole(role) => format!("there is no role {role}"),
        Error::UsernameTaken(name) => format!("the username {name} is taken"),
        Error::EmailTaken(address) => format!("the e-mail address {address} is taken"),
        Error::BadUsername(name) => format!("{name} is not a usable username"),
        Error::BadId => "the id is taken, or cannot be used".to_owned(),
        Error::NoSetting(id) => {
            let like = setting::nearest(id).map(|id| format!("; the nearest is {id}"));
            format!("there is no setting {id}{}", like.unwrap_or_default())
        }
        Error::BadSetting(id) => {
            let kind = match setting::known(id).map(|known| known.default) {
                Some(Default::Flag(_)) => ": true or false",
                Some(Default::Number(_)) => ": a whole number",
                Some(Default::List) => ": a list of texts, as JSON",
                Some(Default::Text(_)) | None => "",
            };
            format!("not a value of {id}{kind}")
        }
        other => other.to_string(),
    }
}
