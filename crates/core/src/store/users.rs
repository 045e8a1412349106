//! Accounts: finding, making and changing them. A username is found by its folded form, an e-mail
//! address by its own table; both are unique by key, so a race ends in a refusal and never in two.

use super::fields::OfUsers;
use super::listing::Listing;
use super::{Change, Row, Store, Value, events, factors, rename, roles, tokens};
use crate::account::{Email, NewAccount, User};
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::UserId;
use crate::list::{Document, ListQuery, Page};
use crate::time::Ms;
use std::collections::HashSet;

/// Two ids joined are not looked for beyond this many bytes.
const LONGEST_PAIR: usize = 2 * crate::id::MAX_ID;

/// The columns that [`read`] takes, in its order.
macro_rules! columns {
    () => {
        "u.id, u.username, u.name, u.kind, u.active, u.roles, u.emails, u.status, \
         u.status_default, u.status_text, u.created, u.updated, u.last_login, \
         u.password IS NOT NULL, u.body, u.preferences, u.highlights"
    };
}
pub(crate) use columns;

const BY_ID: &str = concat!("SELECT ", columns!(), " FROM users u WHERE u.id = $1");
const BY_FOLD: &str = concat!("SELECT ", columns!(), " FROM users u WHERE u.fold = $1");
const SECRET: &str = concat!("SELECT ", columns!(), ", u.password FROM users u WHERE u.id = $1");
const SECRET_BY_FOLD: &str =
    concat!("SELECT ", columns!(), ", u.password FROM users u WHERE u.fold = $1");
const SECRET_BY_EMAIL: &str = concat!(
    "SELECT ",
    columns!(),
    ", u.password FROM emails e JOIN users u ON u.id = e.usr WHERE e.fold = $1"
);
/// At most so many by each of the two names, each from its index, whatever the text begins like.
const SEARCH: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM users u WHERE u.id IN (
        SELECT page.id FROM (SELECT a.id FROM users a WHERE a.active AND a.fold >= $1 AND a.fold < $2
            ORDER BY a.fold LIMIT $3) page
        UNION SELECT page.id FROM (SELECT b.id FROM users b WHERE b.active AND b.name_fold >= $1
            AND b.name_fold < $2 ORDER BY b.name_fold LIMIT $3) page)
      ORDER BY u.fold, u.id LIMIT $3"
);
/// The id of an account that is gone stays taken: what it wrote is still there.
const ID_TAKEN: &str = "SELECT id FROM users WHERE id = $1 OR fold = $2
    UNION ALL SELECT id FROM tombstones WHERE kind = 'user' AND id = $1";
const ADD: &str = "INSERT INTO users (id, username, fold, name, name_fold, kind, active, password,
        roles, emails, status, status_default, status_text, created, updated, last_login, body,
        preferences, highlights)
    SELECT CAST($1 AS KEYTEXT), CAST($2 AS KEYTEXT), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
        $14, $15, $16, $17, $18, $19
    WHERE NOT EXISTS (SELECT 1 FROM users x WHERE x.id = $2 AND x.id <> $1)
        AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.id = $2)
    ON CONFLICT DO NOTHING";
/// What an update does not say stays as it is now, not as it was when somebody looked.
const REPLACE: &str = "UPDATE users SET username = $2, fold = $3, name = $4, name_fold = $5,
        kind = $6, password = coalesce($7, password), roles = $8, emails = $9, body = $11,
        updated = CASE WHEN updated >= $10 THEN updated + 1 ELSE $10 END WHERE id = $1";
pub(super) const NAME_TAKEN: &str = "SELECT id FROM users WHERE (fold = $1 OR id = $2) AND id <> $3
    UNION ALL SELECT id FROM rooms WHERE id = $2";
pub(super) const ADD_EMAIL: &str = "INSERT INTO emails (fold, usr) VALUES ($1, $2)
    ON CONFLICT (fold) DO UPDATE SET usr = excluded.usr WHERE emails.usr = excluded.usr";
pub(super) const DROP_EMAILS: &str = "DELETE FROM emails WHERE usr = $1";
const SET_STATUS: &str = "UPDATE users SET status_default = coalesce($2, status_default),
        status = coalesce($2, status), status_text = coalesce($3, status_text),
        updated = CASE WHEN updated >= $4 THEN updated + 1 ELSE $4 END WHERE id = $1";
const SET_PASSWORD: &str = "UPDATE users SET password = $2,
        updated = CASE WHEN updated >= $3 THEN updated + 1 ELSE $3 END WHERE id = $1";

/// Reads the columns of [`columns!`].
pub(crate) fn read(row: &mut Row) -> Result<User> {
    // Nearly every account has this one role: not worth a parser for each.
    let roles = |text: String| match text.as_str() {
        "[\"user\"]" => Ok(vec!["user".to_owned()]),
        text => serde_json::from_str(text).map_err(Error::internal),
    };
    Ok(User {
        id: row.text()?.into(),
        username: row.opt_text()?,
        name: row.opt_text()?,
        kind: row.text()?,
        active: row.bool()?,
        roles: roles(row.text()?)?,
        emails: Email::list(&row.text()?)?,
        status: row.text()?,
        status_default: row.text()?,
        status_text: row.text()?,
        created: row.int()?,
        updated: row.int()?,
        last_login: row.opt_int()?,
        has_password: row.bool()?,
        body: row.text()?,
        preferences: row.text()?,
        highlights: row.opt_text()?,
    })
}

async fn one(store: &Store, sql: &'static str, arg: Value) -> Result<Option<User>> {
    let rows = store.read(sql, [arg]).await?;
    rows.into_iter().next().map(|mut row| read(&mut row)).transpose()
}

pub(crate) async fn by_id(store: &Store, id: &UserId) -> Result<Option<User>> {
    one(store, BY_ID, id.into()).await
}

pub(crate) async fn by_username(store: &Store, fold: &str) -> Result<Option<User>> {
    one(store, BY_FOLD, fold.into()).await
}

/// All users with these folded names that there are.
pub(crate) async fn by_usernames(store: &Store, folds: &[String]) -> Result<Vec<User>> {
    let reads = folds.iter().map(|fold| super::Read::new(BY_FOLD, [fold.into()])).collect();
    let rows = store.read_all(reads).await?.into_iter().flatten();
    rows.map(|mut row| read(&mut row)).collect()
}

async fn secret(
    store: &Store,
    sql: &'static str,
    arg: Value,
) -> Result<Option<(User, Option<String>)>> {
    let rows = store.read(sql, [arg]).await?;
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(None);
    };
    Ok(Some((read(&mut row)?, row.opt_text()?)))
}

pub(crate) async fn secret_by_id(
    store: &Store,
    id: &UserId,
) -> Result<Option<(User, Option<String>)>> {
    secret(store, SECRET, id.into()).await
}

pub(crate) async fn secret_by_username(
    store: &Store,
    fold: &str,
) -> Result<Option<(User, Option<String>)>> {
    secret(store, SECRET_BY_FOLD, fold.into()).await
}

pub(crate) async fn secret_by_email(
    store: &Store,
    fold: &str,
) -> Result<Option<(User, Option<String>)>> {
    secret(store, SECRET_BY_EMAIL, fold.into()).await
}

/// All accounts, by username or as the query says.
pub(crate) async fn list(
    store: &Store,
    query: &ListQuery,
    document: Document<User>,
) -> Result<Page<User>> {
    let listing = Listing {
        columns: columns!(),
        from: "users u",
        joins: &[],
        condition: "TRUE".to_owned(),
        args: Vec::new(),
        // An account without a username comes first, from an index, on both engines.
        order: "coalesce(u.username, ''), u.id",
        id: "u.id",
        place: None,
        fixed: None,
        fields: &OfUsers,
        among: None,
    };
    listing.page(store, query, read, document).await
}

/// Active users whose username or name begins with this folded text, by username.
pub(crate) async fn search(store: &Store, fold: &str, limit: i64) -> Result<Vec<User>> {
    // Everything that begins with the text lies below the text with the last character behind it.
    let end = format!("{fold}\u{10FFFF}");
    let rows = store.read(SEARCH, [fold.into(), end.into(), limit.into()]).await?;
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

/// Is this text two existing users' ids, sorted and joined? Then it is the id of their 1:1 room,
/// whether that exists or not (ruling B4), and foreign unless the caller is one of them. Looks up
/// every way to cut the text, by key.
pub(crate) async fn is_foreign_pair(store: &Store, text: &str, caller: &UserId) -> Result<bool> {
    if text.len() > LONGEST_PAIR {
        return Ok(false);
    }
    let cuts = text.char_indices().skip(1).map(|(at, _)| text.split_at(at));
    let cuts: Vec<(&str, &str)> = cuts.filter(|(low, high)| low <= high).collect();
    if cuts.is_empty() {
        return Ok(false);
    }
    let numbers: Vec<String> = (1..=cuts.len() * 2).map(|n| format!("${n}")).collect();
    let sql = format!("SELECT id FROM users WHERE id IN ({})", numbers.join(", "));
    let args: Vec<Value> = cuts.iter().flat_map(|(a, b)| [(*a).into(), (*b).into()]).collect();
    let rows = store.read(sql, args).await?;
    let ids = rows.into_iter().map(|mut row| row.text()).collect::<Result<HashSet<_>>>()?;
    let mine = |id: &str| id == caller.as_str();
    let mut pairs = cuts.iter().filter(|(a, b)| ids.contains(*a) && ids.contains(*b)).peekable();
    Ok(pairs.peek().is_some() && !pairs.any(|(a, b)| mine(a) || mine(b)))
}

/// Is this text two existing users' ids, sorted and joined?
pub(crate) async fn is_pair(store: &Store, text: &str) -> Result<bool> {
    is_foreign_pair(store, text, &UserId::from("")).await
}

pub(super) fn args(user: &User, password: Option<&str>) -> Result<[Value; 19]> {
    let fold = |text: &Option<String>| Value::from(text.as_deref().map(crate::account::fold));
    Ok([
        (&user.id).into(),
        user.username.as_deref().into(),
        fold(&user.username),
        user.name.as_deref().into(),
        fold(&user.name),
        user.kind.as_str().into(),
        user.active.into(),
        password.into(),
        serde_json::to_string(&user.roles).map_err(Error::internal)?.into(),
        Email::print(&user.emails).into(),
        user.status.as_str().into(),
        user.status_default.as_str().into(),
        user.status_text.as_str().into(),
        user.created.into(),
        user.updated.into(),
        user.last_login.into(),
        user.body.as_str().into(),
        user.preferences.as_str().into(),
        user.highlights.as_deref().into(),
    ])
}

/// Makes an account, or says which of its names is taken.
pub(crate) async fn add(store: &Store, new: &NewAccount) -> Result<()> {
    let mut change = Change::new();
    roles::keep(&mut change, &new.user.roles);
    add_to(&mut change, new)?;
    store.write(change).await.map(drop)
}

/// Makes an account as part of a larger change.
pub(crate) fn add_to(change: &mut Change, new: &NewAccount) -> Result<()> {
    let user = &new.user;
    let taken = Error::UsernameTaken(user.username.clone().unwrap_or_default());
    // An id from outside must not be somebody's name either (ruling A9).
    let id_fold = if user.username.as_deref() == Some(user.id.as_str()) {
        Value::Null
    } else {
        crate::account::fold(user.id.as_str()).into()
    };
    change.expect(0, Error::BadId, ID_TAKEN, [(&user.id).into(), id_fold]);
    change.expect(1, taken, ADD, args(user, new.password.as_deref())?);
    roles::hold(change, user);
    finish(change, user);
    Ok(())
}

/// Replaces an account's names, roles, addresses and carried members, and its password if there is
/// a new one, which ends its sessions. What follows from another name follows here too.
pub(crate) async fn replace(store: &Store, new: &NewAccount, was: &User, job: &str) -> Result<()> {
    let user = &new.user;
    let mut change = Change::new();
    roles::keep(&mut change, user.roles.iter().filter(|role| !was.roles.contains(role)));
    if let Some(name) = &user.username {
        let taken = Error::UsernameTaken(name.clone());
        let names = [crate::account::fold(name).into(), name.into(), (&user.id).into()];
        change.expect(0, taken, NAME_TAKEN, names);
    }
    let [id, username, fold, name, name_fold, kind, _, password, roles, emails, ..] =
        args(user, new.password.as_deref())?;
    let (updated, body) = (user.updated.into(), user.body.as_str().into());
    let names = [id, username, fold, name, name_fold, kind, password, roles, emails, updated, body];
    change.expect(1, Error::NoUser, REPLACE, names);
    if new.password.is_some() {
        factors::drop_resets(&mut change, &user.id);
        tokens::remove_all(&mut change, &user.id, user.updated);
    }
    rename::follow(&mut change, was, user, job, user.updated);
    roles::follow(&mut change, was, user, user.updated);
    change.run(DROP_EMAILS, [(&user.id).into()]);
    finish(&mut change, user);
    store.write(change).await.map(drop)
}

pub(super) fn finish(change: &mut Change, user: &User) {
    for email in &user.emails {
        let taken = Error::EmailTaken(email.address.clone());
        let fold = crate::account::fold(&email.address);
        change.expect(1, taken, ADD_EMAIL, [fold.into(), (&user.id).into()]);
    }
    events::add(change, user.updated, Kind::User, None, None, user.id.as_str());
}

pub(crate) async fn set_status(
    store: &Store,
    id: &UserId,
    status: Option<&str>,
    text: Option<&str>,
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    let args = [id.into(), status.into(), text.into(), now.into()];
    change.expect(1, Error::NoUser, SET_STATUS, args);
    events::add(&mut change, now, Kind::Status, None, None, id.as_str());
    store.write(change).await.map(drop)
}

/// Gives an account another password; every session of it ends.
pub(crate) async fn set_password(store: &Store, id: &UserId, hash: &str, now: Ms) -> Result<()> {
    let mut change = Change::new();
    put_password(&mut change, id, hash, now);
    store.write(change).await.map(drop)
}

/// The same as part of a larger change.
pub(crate) fn put_password(change: &mut Change, id: &UserId, hash: &str, now: Ms) {
    change.expect(1, Error::NoUser, SET_PASSWORD, [id.into(), hash.into(), now.into()]);
    factors::drop_resets(change, id);
    tokens::remove_all(change, id, now);
    events::add(change, now, Kind::User, None, None, id.as_str());
}
