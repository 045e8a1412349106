//! Where devices can be reached. One row per device and app: whoever names a device last has it, and
//! the rows go with the session they came with, by key.

use super::{Change, Store, Value};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::push::Device;
use crate::time::Ms;

/// Devices an account may have: those not heard of for longest go when more come.
const MOST: i64 = 20;

/// Locks the session, so that a logout comes before or after, and never in between.
const HOLD: &str = "UPDATE tokens SET created = created WHERE hash = $1 AND usr = $2";
const BY_ID: &str = "SELECT id, created FROM push_tokens WHERE usr = $1 AND id = $2";
const BY_VALUE: &str =
    "SELECT id, created FROM push_tokens WHERE value = $1 AND app = $2 AND usr = $3";
const DROP_ID: &str = "DELETE FROM push_tokens WHERE usr = $1 AND id = $2";
const DROP_VALUE: &str = "DELETE FROM push_tokens WHERE value = $1 AND app = $2";
const ADD: &str = "INSERT INTO push_tokens (usr, id, session, kind, value, app, created, updated)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
const DROP_OLD: &str = "DELETE FROM push_tokens WHERE usr = $1 AND id <> $2 AND id NOT IN (
    SELECT id FROM push_tokens WHERE usr = $1 AND id <> $2 ORDER BY updated DESC, id LIMIT $3)";
const REMOVE: &str = "DELETE FROM push_tokens WHERE value = $1 AND usr = $2";

/// The id and the birth of what is known of a device: under this id, else under its token and app.
pub(crate) async fn known(
    store: &Store,
    user: &UserId,
    id: Option<&str>,
    (value, app): (&str, &str),
) -> Result<Option<(String, Ms)>> {
    let rows = match id {
        Some(id) => store.read(BY_ID, [user.into(), id.into()]).await?,
        None => store.read(BY_VALUE, [value.into(), app.into(), user.into()]).await?,
    };
    rows.into_iter().next().map(|mut row| Ok((row.text()?, row.int()?))).transpose()
}

/// Keeps a device in the place of what is known of it, its token and its id;
/// [`Error::NotLoggedIn`] if the session is over, `false` if somebody else named it meanwhile.
pub(crate) async fn keep(store: &Store, device: &Device) -> Result<bool> {
    let (user, id) = (&device.user, device.id.as_str());
    let (value, app) = (device.value.as_str(), device.app.as_str());
    let session = device.session.as_str();
    let mut change = Change::new();
    change.expect(1, Error::NotLoggedIn, HOLD, [session.into(), user.into()]);
    change.run(DROP_ID, [user.into(), id.into()]);
    change.run(DROP_VALUE, [value.into(), app.into()]);
    let row: [Value; 8] = [
        user.into(),
        id.into(),
        session.into(),
        device.kind.name().into(),
        value.into(),
        app.into(),
        device.created.into(),
        device.updated.into(),
    ];
    change.expect(1, Error::BadId, ADD, row);
    change.run(DROP_OLD, [user.into(), id.into(), (MOST - 1).into()]);
    match store.write(change).await {
        Ok(_) => Ok(true),
        Err(Error::BadId) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Forgets the user's devices with this token; `false` if there were none.
pub(crate) async fn remove(store: &Store, user: &UserId, value: &str) -> Result<bool> {
    let mut change = Change::new();
    change.run(REMOVE, [value.into(), user.into()]);
    let rows = store.write(change).await?;
    Ok(rows.first().is_some_and(|rows| rows.affected > 0))
}
