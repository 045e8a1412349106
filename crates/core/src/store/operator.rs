//! What only the operator's commands read and change: accounts page by page, roles, all sessions.

use super::{Change, Store, Value, events, roles, tokens, users};
use crate::account::User;
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::UserId;
use crate::time::Ms;

/// In the order of the index, from the place where the page before ended.
const USERS: &str = concat!(
    "SELECT ",
    users::columns!(),
    " FROM users u WHERE coalesce(u.username, '') >= $1
        AND (coalesce(u.username, '') > $1 OR u.id > $2)
      ORDER BY coalesce(u.username, ''), u.id LIMIT $3"
);
const SET_ROLES: &str = "UPDATE users SET roles = $2,
        kind = CASE WHEN $3 THEN 'bot' WHEN kind = 'bot' THEN 'user' ELSE kind END,
        updated = CASE WHEN updated >= $4 THEN updated + 1 ELSE $4 END WHERE id = $1";

/// Accounts by username and id, from behind this one.
pub(crate) async fn users_after(
    store: &Store,
    after: Option<(String, String)>,
    limit: i64,
) -> Result<Vec<User>> {
    let (username, id) = after.unwrap_or_default();
    let rows = store.read(USERS, [username.into(), id.into(), limit.into()]).await?;
    rows.into_iter().map(|mut row| users::read(&mut row)).collect()
}

/// Gives an account the roles that it has as `user` shows it.
pub(crate) async fn set_roles(store: &Store, was: &User, user: &User, now: Ms) -> Result<()> {
    let id = &user.id;
    let bot = user.roles.iter().any(|role| role == "bot");
    let text = serde_json::to_string(&user.roles).map_err(Error::internal)?;
    let mut change = Change::new();
    roles::keep(&mut change, &user.roles);
    let args: [Value; 4] = [id.into(), text.into(), bot.into(), now.into()];
    change.expect(1, Error::NoUser, SET_ROLES, args);
    roles::follow(&mut change, was, user, now);
    events::add(&mut change, now, Kind::User, None, None, id.as_str());
    store.write(change).await.map(drop)
}

/// Ends every session of an account; gives how many there were.
pub(crate) async fn end_sessions(store: &Store, id: &UserId, now: Ms) -> Result<u64> {
    let mut change = Change::new();
    tokens::remove_all(&mut change, id, now);
    let rows = store.write(change).await?;
    Ok(rows.first().map_or(0, |ended| ended.affected))
}
