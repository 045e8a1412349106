//! What belongs to the server itself: when it was born, its settings and its permissions.

use super::{Change, Store, events, roles};
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::time::Ms;
use serde_json::Value;
use std::collections::BTreeMap;

const BORN: &str = "INSERT INTO meta (name, value) VALUES ('born', $1) ON CONFLICT DO NOTHING";
const WHEN_BORN: &str = "SELECT value FROM meta WHERE name = 'born'";
const TOUCH: &str = "INSERT INTO meta (name, value) VALUES ('touched', $1)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const ADD_KEY_CHECK: &str =
    "INSERT INTO meta (name, value) VALUES ('key_check', $1) ON CONFLICT DO NOTHING";
const KEY_CHECK: &str = "SELECT value FROM meta WHERE name = 'key_check'";
const SETTINGS: &str = "SELECT id, value, updated FROM settings";
const SET_SETTING: &str = "INSERT INTO settings (id, value, updated) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET value = excluded.value, updated = excluded.updated";
const PERMISSIONS: &str = "SELECT id, roles, updated FROM permissions";
const SET_PERMISSION: &str = "INSERT INTO permissions (id, roles, updated) VALUES ($1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET roles = excluded.roles, updated = excluded.updated";

/// When this store was first opened.
pub(crate) async fn born(store: &Store, now: Ms) -> Result<Ms> {
    if let Some(mut row) = store.read(WHEN_BORN, []).await?.into_iter().next() {
        return row.text()?.parse().map_err(Error::internal);
    }
    let mut change = Change::new();
    change.run(BORN, [now.to_string().into()]);
    store.write(change).await?;
    // Another node may have been first.
    let rows = store.read(WHEN_BORN, []).await?;
    let row = rows.into_iter().next();
    let born = row.ok_or_else(|| Error::internal("never born"))?.text()?;
    born.parse().map_err(Error::internal)
}

/// What stands for the key that this store's secrets are sealed with: this one, if there was none.
pub(crate) async fn key_check(store: &Store, check: &str) -> Result<String> {
    let mut change = Change::new();
    change.run(ADD_KEY_CHECK, [check.into()]);
    store.write(change).await?;
    let row = store.read(KEY_CHECK, []).await?.into_iter().next();
    row.ok_or_else(|| Error::internal("no key was ever used"))?.text()
}

/// Writes something small, to know that it can be done.
pub(crate) async fn touch(store: &Store, now: Ms) -> Result<()> {
    let mut change = Change::new();
    change.run(TOUCH, [now.to_string().into()]);
    store.write(change).await.map(drop)
}

/// The settings that were changed: id to value and time.
pub(crate) async fn settings(store: &Store) -> Result<BTreeMap<String, (Value, Ms)>> {
    let mut changed = BTreeMap::new();
    for mut row in store.read(SETTINGS, []).await? {
        let (id, value, updated) = (row.text()?, row.text()?, row.int()?);
        changed.insert(id, (serde_json::from_str(&value).map_err(Error::internal)?, updated));
    }
    Ok(changed)
}

pub(crate) async fn set_setting(store: &Store, id: &str, value: &Value, now: Ms) -> Result<()> {
    let mut change = Change::new();
    change.run(SET_SETTING, [id.into(), value.to_string().into(), now.into()]);
    events::add(&mut change, now, Kind::Settings, None, None, id);
    store.write(change).await.map(drop)
}

/// The permissions that were changed: id to roles and time.
pub(crate) async fn permissions(store: &Store) -> Result<BTreeMap<String, (Vec<String>, Ms)>> {
    let mut changed = BTreeMap::new();
    for mut row in store.read(PERMISSIONS, []).await? {
        let (id, roles, updated) = (row.text()?, row.text()?, row.int()?);
        changed.insert(id, (serde_json::from_str(&roles).map_err(Error::internal)?, updated));
    }
    Ok(changed)
}

pub(crate) async fn set_permissions(
    store: &Store,
    grants: &[(String, Vec<String>)],
    now: Ms,
) -> Result<()> {
    let mut change = Change::new();
    roles::keep_granted(&mut change, grants);
    for (id, roles) in grants {
        let roles = serde_json::to_string(roles).map_err(Error::internal)?;
        change.run(SET_PERMISSION, [id.into(), roles.into(), now.into()]);
        events::add(&mut change, now, Kind::Permissions, None, None, id);
    }
    store.write(change).await.map(drop)
}
