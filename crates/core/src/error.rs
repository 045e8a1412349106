//! Every reason for which the core says no, one variant each, free of HTTP: a face renders them in
//! one exhaustive match, so a new reason cannot be forgotten there. `Internal` carries its cause
//! for the log only; `Unavailable` is the store's weather (a full disk, a database that is away).

use crate::caller::Perm;
use crate::factor::{Ask, Method};
use crate::id::RoomId;
use crate::login::Rule;
use crate::time::Ms;
use std::sync::Arc;

/// Why a call was refused or failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// No token, an unknown token, or a token of somebody else.
    #[error("not logged in")]
    NotLoggedIn,
    /// Unknown user or wrong password: the two are not told apart.
    #[error("unknown user or wrong password")]
    BadCredentials,
    /// The account exists and the password is right, but it is deactivated.
    #[error("the account is not active")]
    Deactivated,
    /// The account has no role at all.
    #[error("the account has no roles")]
    NoRoles,
    /// An account of an app, which nobody logs in to.
    #[error("an app does not log in")]
    AppAccount,
    /// The server wants a proved e-mail address, and the account has none.
    #[error("no e-mail address of the account was proved")]
    UnprovedEmail,
    /// Too many failed logins: no password is looked at for a while.
    #[error("too many failed logins")]
    LoginBlocked(Blocked),
    /// A second factor is needed, and none was given.
    #[error("a second factor is needed")]
    FactorRequired(Box<Ask>),
    /// The second factor that was given is wrong, used up or too old.
    #[error("the second factor is not valid")]
    FactorInvalid(Method),
    /// Too many wrong second factors.
    #[error("too many wrong second factors")]
    FactorExhausted,
    /// The account has this factor already.
    #[error("the second factor is on already")]
    FactorOn,
    /// The user has a personal access token of this name.
    #[error("a token with this name exists")]
    TokenExists,
    /// The user has no personal access token of this name.
    #[error("no such token")]
    NoToken,
    /// More personal access tokens than one user may have.
    #[error("too many tokens")]
    TooManyTokens,
    /// The password breaks these rules of the server.
    #[error("the password breaks the policy")]
    WeakPassword(Vec<Rule>),
    /// A link to choose another password that was used, or is too old, or never was.
    #[error("the link is no longer good")]
    ResetOver,
    /// A resume token that is dead.
    #[error("the session is over")]
    SessionOver,
    /// The caller lacks a permission.
    #[error("permission {} is missing", .0.id())]
    Lacks(Perm),
    /// The room exists, and the caller may not be in it.
    #[error("no access to the room")]
    NoAccess,
    /// No such room (or, on routes that must not tell, not the caller's).
    #[error("no such room")]
    NoRoom,
    /// `dm.messages.others` named something that is not a direct room.
    #[error("no direct room with this id")]
    NoDirectRoom(RoomId),
    /// A room or a message that the caller may not write to or read, without saying why.
    #[error("not allowed")]
    NotAllowed,
    /// The other side blocked the caller, or the caller the other side.
    #[error("the room is blocked")]
    Blocked,
    /// Nobody may write here now.
    #[error("the room is read-only")]
    ReadOnly,
    /// Longer than the setting allows.
    #[error("the message is too long")]
    TooLong {
        /// UTF-16 units allowed.
        max: i64,
    },
    /// A client's own time is more than a minute off.
    #[error("the message's time is out of sync")]
    OutOfSync {
        /// What the client said.
        message: Ms,
        /// What the server's clock says.
        server: Ms,
    },
    /// The text may not mention everyone.
    #[error("this mention is not allowed")]
    MentionNotAllowed(&'static str),
    /// A message with this id exists, and it is not this one.
    #[error("a message with this id exists")]
    DuplicateMessage,
    /// A key was used before, for something else.
    #[error("this key was used for another message")]
    DuplicateKey,
    /// A write with this key was made before (or is being made): its answer is the one to give.
    #[error("this key was used before")]
    Retried,
    /// The thread does not exist in this room, or threads are off.
    #[error("no such thread")]
    NoThread,
    /// No message with this id.
    #[error("no such message")]
    NoMessage,
    /// The page behind a URL cannot be had, or may not be asked: which of the two is not told.
    #[error("no preview of this URL")]
    NoPreview,
    /// Not an emoji known here.
    #[error("unknown emoji")]
    UnknownEmoji,
    /// A feature that a setting switches off.
    #[error("{0:?} is switched off")]
    SwitchedOff(Feature),
    /// The time for it is over.
    #[error("too late for {0:?}")]
    TooLate(Feature),
    /// The caller has no subscription to the room.
    #[error("not subscribed to the room")]
    NotSubscribed,
    /// Closing what is closed.
    #[error("the room is closed already")]
    AlreadyClosed,
    /// No such user, or none of those named.
    #[error("no such user")]
    NoUser,
    /// A conversation may not have this many members.
    #[error("too many members")]
    TooManyMembers {
        /// Members allowed, the caller included.
        max: i64,
    },
    /// An id from outside that is taken, or that could be mistaken for another.
    #[error("this id cannot be used")]
    BadId,
    /// The username has letters that are not allowed, or is reserved.
    #[error("not a usable username")]
    BadUsername(String),
    /// The username belongs to somebody.
    #[error("the username is taken")]
    UsernameTaken(String),
    /// Not an e-mail address.
    #[error("not an e-mail address")]
    BadEmail(String),
    /// The address belongs to somebody.
    #[error("the e-mail address is taken")]
    EmailTaken(String),
    /// The name has letters that are not allowed.
    #[error("not a usable name")]
    BadName,
    /// The password is empty or too long to hash.
    #[error("not a usable password")]
    BadPassword,
    /// Nobody may register.
    #[error("registration is closed")]
    RegistrationClosed,
    /// A role that does not exist.
    #[error("no such role")]
    NoRole(String),
    /// Another role has this name, or this id.
    #[error("the name of the role is taken")]
    RoleNameTaken(String),
    /// A built-in role, which is neither removed nor renamed.
    #[error("the role is protected")]
    RoleProtected,
    /// A role that somebody has, which is not removed.
    #[error("the role is in use")]
    RoleInUse,
    /// A role that is held in one room, which no direct room has.
    #[error("the role is not one of accounts")]
    RoleOfRooms,
    /// The account has the role already.
    #[error("the account has the role")]
    RoleHeld,
    /// The account does not have the role.
    #[error("the account does not have the role")]
    RoleNotHeld,
    /// More roles than there may be.
    #[error("too many roles")]
    TooManyRoles,
    /// A permission that does not exist.
    #[error("no such permission")]
    NoPermission(String),
    /// A setting that does not exist.
    #[error("no such setting")]
    NoSetting(String),
    /// A value that the setting cannot have.
    #[error("not a value of this setting")]
    BadSetting(String),
    /// A status that does not exist.
    #[error("no such status")]
    BadStatus,
    /// A text of a profile is longer than it may be.
    #[error("{field} is too long")]
    FieldTooLong {
        /// `bio` or `nickname`.
        field: &'static str,
        /// Characters allowed.
        max: usize,
    },
    /// A field that the operator defined has a value that it cannot have.
    #[error("a custom field: {0:?}")]
    BadCustomField(CustomField),
    /// A preference that does not exist, or a value that it cannot have.
    #[error("not a preference: {0}")]
    BadPreference(String),
    /// The password must be given again for this.
    #[error("the password is needed for this")]
    PasswordNeeded,
    /// The password that was given for this is wrong.
    #[error("the password given for this is wrong")]
    PasswordWrong,
    /// No administrator would be left.
    #[error("no administrator would be left")]
    LastAdmin,
    /// A filter, sort or projection that cannot be taken.
    #[error("{0}")]
    Query(#[from] parlance_query::Error),
    /// Answering exactly would need more reading than one request may cause.
    #[error("too much to read for a condition on {field}")]
    TooBroad {
        /// The field that no index serves.
        field: String,
    },
    /// An argument the contract does not allow; the text is for the client.
    #[error("{0}")]
    Bad(&'static str),
    /// A list of ids that is not one.
    #[error("not a list of ids")]
    BadIdList(&'static str),
    /// A position that the event log no longer reaches back to.
    #[error("the position is too old")]
    PositionTooOld,
    /// A range that ends before it begins.
    #[error("the range ends before it begins")]
    BadRange,
    /// As many exports wait to be made as may, of this account's or in all.
    #[error("too many exports are waiting")]
    TooManyExports,
    /// No such export, or not the caller's, or not there yet, or not any more.
    #[error("no such export")]
    NoExport,
    /// The audit could not be written, so what it would have told of is not given (ruling B12).
    #[error("the audit cannot be written: {0}")]
    Unaudited(Arc<str>),
    /// The store cannot take this now: full, away, or too busy. Trying again may help.
    #[error("the store is not available: {0}")]
    Unavailable(Arc<str>),
    /// A fault of ours; the cause is for the log.
    #[error("internal: {0}")]
    Internal(Arc<str>),
}

/// What failed logins are counted against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// One account, from one address.
    User,
    /// One address, on any account.
    Address,
}

/// What a setting can switch off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Reading other people's direct messages (`dm.messages.others`).
    OthersMessages,
    /// Pins.
    Pinning,
    /// Stars.
    Starring,
    /// Threads.
    Threads,
    /// Editing this message.
    Editing,
    /// Deleting this message.
    Deleting,
    /// Reading what messages said before they were edited.
    EditHistory,
    /// Link previews.
    Previews,
    /// Changing one's status and its text.
    Status,
    /// Choosing the status `offline`.
    Invisible,
    /// Choosing another password by a link that is sent.
    PasswordReset,
    /// Second factors by mail: nothing says how to send mail, or the setting is off.
    EmailCodes,
    /// Changing one's own profile.
    Profile,
    /// Changing one's username.
    Username,
    /// Changing one's real name.
    RealName,
    /// Changing one's e-mail address.
    Email,
    /// Changing one's password.
    Password,
    /// Saying of one's own address that it was proved.
    Verification,
    /// Changing one's picture.
    Avatar,
    /// Removing one's own account.
    OwnDeletion,
}

/// What is wrong with a field that the operator defined (`Accounts_CustomFields`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomField {
    /// It must have a value.
    Required(String),
    /// Its value is none of those it may have, or no text.
    Invalid(String),
    /// Its value is longer than this.
    TooLong(String, u64),
    /// Its value is shorter than this.
    TooShort(String, u64),
}

/// The result of nearly everything here.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal(cause.to_string().into())
    }

    pub(crate) fn unavailable(cause: impl std::fmt::Display) -> Self {
        Self::Unavailable(cause.to_string().into())
    }
}
