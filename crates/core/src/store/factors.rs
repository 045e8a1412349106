//! What an account can prove itself with beside its password: the columns of `users` that no listing
//! reads, and one-time codes by their keyed hash. They stand in the account's own row, so that a login
//! that was checked against others ends with the write that begins its session.

use super::{Change, Store, Value, events, tokens, users};
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::factor::Method;
use crate::id::UserId;
use crate::time::Ms;

const SECRETS: &str = "SELECT password, totp, totp_pending, email_factor FROM users WHERE id = $1";
const SET_PENDING: &str = "UPDATE users SET totp_pending = $2 WHERE id = $1 AND totp IS NULL";
const SET_TOTP: &str = "UPDATE users SET totp = totp_pending, totp_pending = NULL, totp_step = $3
    WHERE id = $1 AND totp_pending = $2 AND totp IS NULL";
const CLEAR_TOTP: &str = "UPDATE users SET totp = NULL, totp_pending = NULL
    WHERE id = $1 AND totp IS NOT NULL";
const USE_STEP: &str = "UPDATE users SET totp_step = $2 WHERE id = $1 AND totp_step < $2";
const SET_EMAIL: &str = "UPDATE users SET email_factor = $2 WHERE id = $1";
const ADD_CODE: &str = "INSERT INTO codes (hash, usr, kind, created, expires)
    VALUES ($1, $2, $3, $4, $5)";
const DROP_CODES: &str = "DELETE FROM codes WHERE usr = $1 AND kind = $2";
const USE_CODE: &str = "DELETE FROM codes
    WHERE hash = $1 AND usr = $2 AND kind = $3 AND (expires IS NULL OR expires > $4)";
const COUNT_CODES: &str = "SELECT count(*) FROM codes WHERE usr = $1 AND kind = $2";
const NEWEST_CODE: &str = "SELECT created, expires FROM codes WHERE usr = $1 AND kind = $2
    ORDER BY created DESC LIMIT 1";
const CODE_OF: &str = "SELECT usr FROM codes WHERE hash = $1 AND kind = $2 AND expires > $3";

/// What a one-time code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeKind {
    /// In the place of a code of the lost authenticator program.
    Recovery,
    /// Sent by mail, as a second factor.
    Email,
    /// Sent by mail, to choose another password.
    Reset,
}

impl CodeKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Recovery => "recovery",
            Self::Email => "email",
            Self::Reset => "reset",
        }
    }
}

/// What an account is checked against.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    /// The password's hash.
    pub(crate) password: Option<String>,
    /// The TOTP secret, sealed.
    pub(crate) totp: Option<String>,
    /// The one of an enrolment that is not proved yet.
    pub(crate) pending: Option<String>,
    /// Are codes sent by mail a factor?
    pub(crate) email: bool,
}

/// What this account is checked against.
pub(crate) async fn find(store: &Store, user: &UserId) -> Result<Option<Secrets>> {
    let rows = store.read(SECRETS, [user.into()]).await?;
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let (password, totp, pending) = (row.opt_text()?, row.opt_text()?, row.opt_text()?);
    Ok(Some(Secrets { password, totp, pending, email: row.bool()? }))
}

/// Begins an enrolment; [`Error::FactorOn`] if there is a secret already.
pub(crate) async fn set_pending(store: &Store, user: &UserId, sealed: &str) -> Result<()> {
    let mut change = Change::new();
    change.expect(1, Error::FactorOn, SET_PENDING, [user.into(), sealed.into()]);
    store.write(change).await.map(drop)
}

/// Who changes its factors, by the token it is logged in with, and when.
pub(crate) struct Owner<'a> {
    pub(crate) user: &'a UserId,
    pub(crate) token: &'a str,
    pub(crate) now: Ms,
}

/// Ends the enrolment of the secret `pending`, with recovery codes by their hashes: the user's other
/// sessions end.
pub(crate) async fn set_totp(
    store: &Store,
    owner: &Owner<'_>,
    pending: &str,
    step: i64,
    codes: &[String],
) -> Result<()> {
    let mut change = Change::new();
    tokens::while_alive(&mut change, owner.user, owner.token);
    let invalid = Error::FactorInvalid(Method::Totp);
    change.expect(1, invalid, SET_TOTP, [owner.user.into(), pending.into(), step.into()]);
    put_recovery(&mut change, owner, codes);
    tokens::remove_others(&mut change, owner.user, owner.token, owner.now);
    events::add(&mut change, owner.now, Kind::User, None, None, owner.user.as_str());
    store.write(change).await.map(drop)
}

fn put_recovery(change: &mut Change, owner: &Owner<'_>, codes: &[String]) {
    let kind = CodeKind::Recovery.name();
    change.run(DROP_CODES, [owner.user.into(), kind.into()]);
    for hash in codes {
        let args: [Value; 5] =
            [hash.into(), owner.user.into(), kind.into(), owner.now.into(), Value::Null];
        change.run(ADD_CODE, args);
    }
}

/// Puts other recovery codes in the place of those that are left.
pub(crate) async fn set_recovery(store: &Store, owner: &Owner<'_>, codes: &[String]) -> Result<()> {
    let mut change = Change::new();
    tokens::while_alive(&mut change, owner.user, owner.token);
    put_recovery(&mut change, owner, codes);
    store.write(change).await.map(drop)
}

/// Takes the TOTP secret and the recovery codes away.
pub(crate) async fn clear_totp(store: &Store, owner: &Owner<'_>) -> Result<()> {
    let mut change = Change::new();
    tokens::while_alive(&mut change, owner.user, owner.token);
    change.expect(1, Error::FactorInvalid(Method::Totp), CLEAR_TOTP, [owner.user.into()]);
    change.run(DROP_CODES, [owner.user.into(), CodeKind::Recovery.name().into()]);
    events::add(&mut change, owner.now, Kind::User, None, None, owner.user.as_str());
    store.write(change).await.map(drop)
}

/// Uses the code of a step up; [`Error::FactorInvalid`] if that one or a later one was used before.
pub(crate) async fn use_step(store: &Store, user: &UserId, step: i64) -> Result<()> {
    let mut change = Change::new();
    change.expect(1, Error::FactorInvalid(Method::Totp), USE_STEP, [user.into(), step.into()]);
    store.write(change).await.map(drop)
}

/// Switches codes by mail on or off; on ends the user's other sessions.
pub(crate) async fn set_email(store: &Store, owner: &Owner<'_>, on: bool) -> Result<()> {
    let mut change = Change::new();
    tokens::while_alive(&mut change, owner.user, owner.token);
    change.run(SET_EMAIL, [owner.user.into(), on.into()]);
    change.run(DROP_CODES, [owner.user.into(), CodeKind::Email.name().into()]);
    if on {
        tokens::remove_others(&mut change, owner.user, owner.token, owner.now);
    }
    events::add(&mut change, owner.now, Kind::User, None, None, owner.user.as_str());
    store.write(change).await.map(drop)
}

/// Keeps a code in the place of those of its kind.
pub(crate) async fn put_code(
    store: &Store,
    (user, kind): (&UserId, CodeKind),
    hash: &str,
    (now, expires): (Ms, Ms),
) -> Result<()> {
    let mut change = Change::new();
    change.run(DROP_CODES, [user.into(), kind.name().into()]);
    let args = [hash.into(), user.into(), kind.name().into(), now.into(), expires.into()];
    change.run(ADD_CODE, args);
    store.write(change).await.map(drop)
}

/// Uses a code up; [`Error::FactorInvalid`] if there is none that is still good.
pub(crate) async fn use_code(
    store: &Store,
    (user, kind): (&UserId, CodeKind),
    (hash, method): (&str, Method),
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    let args = [hash.into(), user.into(), kind.name().into(), now.into()];
    change.expect(1, Error::FactorInvalid(method), USE_CODE, args);
    store.write(change).await.map(drop)
}

/// How many codes of a kind are left.
pub(crate) async fn count_codes(store: &Store, user: &UserId, kind: CodeKind) -> Result<i64> {
    let rows = store.read(COUNT_CODES, [user.into(), kind.name().into()]).await?;
    rows.into_iter().next().map_or(Ok(0), |mut row| row.int())
}

/// When the newest code of a kind was made, and when it ends.
pub(crate) async fn newest_code(
    store: &Store,
    user: &UserId,
    kind: CodeKind,
) -> Result<Option<(Ms, Option<Ms>)>> {
    let rows = store.read(NEWEST_CODE, [user.into(), kind.name().into()]).await?;
    rows.into_iter().next().map(|mut row| Ok((row.int()?, row.opt_int()?))).transpose()
}

/// Whose reset code this is, while it is good.
pub(crate) async fn reset_of(store: &Store, hash: &str, now: Ms) -> Result<Option<UserId>> {
    let args = [hash.into(), CodeKind::Reset.name().into(), now.into()];
    let rows = store.read(CODE_OF, args).await?;
    rows.into_iter().next().map(|mut row| Ok(row.text()?.into())).transpose()
}

/// Uses a reset code up and sets the password; every session of the account ends.
pub(crate) async fn reset(
    store: &Store,
    (user, hash): (&UserId, &str),
    password: &str,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    let args = [hash.into(), user.into(), CodeKind::Reset.name().into(), now.into()];
    change.expect(1, Error::ResetOver, USE_CODE, args);
    users::put_password(&mut change, user, password, now);
    store.write(change).await.map(drop)
}

/// A link that was sent for the password before it is dead, as part of the change of it.
pub(super) fn drop_resets(change: &mut Change, user: &UserId) {
    change.run(DROP_CODES, [user.into(), CodeKind::Reset.name().into()]);
}
