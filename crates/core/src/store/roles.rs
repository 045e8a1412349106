//! Roles and who has them. An account's own list is `users.roles`; `holders` is the same by role, so that
//! who has one is found without looking at everybody, and is written by every change that writes the list.
//! A change that gives somebody a role, or grants it something, takes the role's row first, as its removal
//! does: of the two, the second finds what the first left.

use super::fields::OfUsers;
use super::listing::Listing;
use super::{Change, Store, Value, events, rename, users};
use crate::account::User;
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::list::{Document, ListQuery, Page};
use crate::role::{BUILT_IN, MOST, Role, Scope, Wanted, is_built_in};
use crate::time::Ms;

const ALL: &str = "SELECT id, name, description, scope, protected, mandatory_2fa, updated
    FROM roles ORDER BY id";
const SEED: &str = "INSERT INTO roles
        (id, name, description, scope, protected, mandatory_2fa, updated)
    VALUES ($1, $1, $2, $3, TRUE, FALSE, $4) ON CONFLICT DO NOTHING";
const TOO_MANY: &str = "SELECT id FROM roles ORDER BY id LIMIT 1 OFFSET $1";
const ADD: &str = "INSERT INTO roles
        (id, name, description, scope, protected, mandatory_2fa, updated)
    SELECT CAST($1 AS KEYTEXT), CAST($2 AS KEYTEXT), $3, $4, FALSE, $5, $6
    WHERE NOT EXISTS (SELECT 1 FROM roles x WHERE x.id = $2 OR x.name = $2)
    ON CONFLICT DO NOTHING";
const NAME_TAKEN: &str = "SELECT id FROM roles WHERE (name = $1 OR id = $1) AND id <> $2";
const UPDATE: &str = "UPDATE roles SET name = $2, description = coalesce($3, description),
        scope = coalesce($4, scope), mandatory_2fa = coalesce($5, mandatory_2fa),
        updated = CASE WHEN updated >= $6 THEN updated + 1 ELSE $6 END
    WHERE id = $1";
const LOCK: &str = "UPDATE roles SET updated = updated WHERE id = $1";
const REMOVE: &str = "DELETE FROM roles WHERE id = $1 AND NOT protected";
const IN_USE: &str = "SELECT usr FROM holders WHERE role = $1 LIMIT 1";
/// `$1` is the role as it stands in a JSON array.
const TELL_GRANTS: &str = "INSERT INTO events (pos, ts, kind, room, audience, ref)
    SELECT event_pos(), CAST($2 AS BIGINT), 'permissions', NULL, NULL, id FROM permissions
    WHERE roles LIKE '%' || CAST($1 AS KEYTEXT) || '%'";
const UNGRANT: &str = "UPDATE permissions SET updated = $2, roles = replace(replace(replace(roles,
        '[' || CAST($1 AS KEYTEXT) || ',', '['), ',' || CAST($1 AS KEYTEXT), ''),
        '[' || CAST($1 AS KEYTEXT) || ']', '[]')
    WHERE roles LIKE '%' || CAST($1 AS KEYTEXT) || '%'";
const BURY: &str = "INSERT INTO tombstones (kind, id, room, usr, ts)
    VALUES ('role', $1, '', NULL, $2) ON CONFLICT DO NOTHING";
const REMOVED: &str = "SELECT id, ts FROM tombstones
    WHERE room = '' AND kind = 'role' AND ts >= $1 ORDER BY ts, id";

/// The name stands in the account's row, as this change leaves it.
const HOLD: &str = "INSERT INTO holders (usr, role, name)
    SELECT u.id, CAST($2 AS KEYTEXT), coalesce(u.username, '') FROM users u WHERE u.id = $1
    ON CONFLICT DO NOTHING";
const LET_GO: &str = "DELETE FROM holders WHERE usr = $1";
const SOME_WITH: &str = concat!(
    "SELECT ",
    users::columns!(),
    " FROM holders h JOIN users u ON u.id = h.usr
      WHERE h.role = $1 ORDER BY h.name, h.usr LIMIT $2"
);

/// Every role, by id.
pub(crate) async fn all(store: &Store) -> Result<Vec<Role>> {
    let mut all = Vec::new();
    for mut row in store.read(ALL, []).await? {
        let (id, name, description, scope) = (row.text()?, row.text()?, row.text()?, row.text()?);
        all.push(Role {
            id,
            name,
            description,
            scope: Scope::named(&scope).ok_or_else(|| Error::internal("a role's scope"))?,
            protected: row.bool()?,
            mandatory_2fa: row.bool()?,
            updated: row.int()?,
        });
    }
    Ok(all)
}

/// Writes the built-in roles that are not there.
pub(crate) async fn seed(store: &Store, born: Ms) -> Result<()> {
    let known = all(store).await?;
    let mut change = Change::new();
    for (id, scope, description) in BUILT_IN {
        if !known.iter().any(|role| role.id == id) {
            change.run(SEED, [id.into(), description.into(), scope.name().into(), born.into()]);
        }
    }
    if change.0.is_empty() {
        return Ok(());
    }
    store.write(change).await.map(drop)
}

pub(crate) async fn add(store: &Store, role: &Role) -> Result<()> {
    let mut change = Change::new();
    change.expect(0, Error::TooManyRoles, TOO_MANY, [(MOST - 1).into()]);
    let args: [Value; 6] = [
        role.id.as_str().into(),
        role.name.as_str().into(),
        role.description.as_str().into(),
        role.scope.name().into(),
        role.mandatory_2fa.into(),
        role.updated.into(),
    ];
    change.expect(1, Error::RoleNameTaken(role.name.clone()), ADD, args);
    events::add(&mut change, role.updated, Kind::Roles, None, None, &role.id);
    store.write(change).await.map(drop)
}

/// Changes what is wanted otherwise; the caller has seen that it may be.
pub(crate) async fn update(store: &Store, id: &str, wanted: &Wanted, now: Ms) -> Result<()> {
    let mut change = Change::new();
    let name = wanted.name.as_str();
    let taken = Error::RoleNameTaken(name.to_owned());
    change.expect(0, taken, NAME_TAKEN, [name.into(), id.into()]);
    let args: [Value; 6] = [
        id.into(),
        name.into(),
        wanted.description.as_deref().into(),
        wanted.scope.map(Scope::name).into(),
        wanted.mandatory_2fa.into(),
        now.into(),
    ];
    change.expect(1, Error::NoRole(id.to_owned()), UPDATE, args);
    events::add(&mut change, now, Kind::Roles, None, None, id);
    store.write(change).await.map(drop)
}

/// Removes a role that nobody has, and from every grant.
pub(crate) async fn remove(store: &Store, id: &str, now: Ms) -> Result<()> {
    let mut change = Change::new();
    change.expect(1, Error::NoRole(id.to_owned()), REMOVE, [id.into()]);
    change.expect(0, Error::RoleInUse, IN_USE, [id.into()]);
    change.run(TELL_GRANTS, [rename::quoted(id).into(), now.into()]);
    change.run(UNGRANT, [rename::quoted(id).into(), now.into()]);
    change.run(BURY, [id.into(), now.into()]);
    events::add(&mut change, now, Kind::Roles, None, None, id);
    store.write(change).await.map(drop)
}

/// Lets the change pass only if these roles are there, and keeps them there until it is made.
pub(super) fn keep<'a>(change: &mut Change, ids: impl IntoIterator<Item = &'a String>) {
    // The built-in ones are always there.
    for id in ids.into_iter().filter(|id| !is_built_in(id)) {
        change.expect(1, Error::NoRole(id.clone()), LOCK, [id.into()]);
    }
}

/// The same of roles that permissions are granted to.
pub(super) fn keep_granted(change: &mut Change, grants: &[(String, Vec<String>)]) {
    let mut ids: Vec<&String> = grants.iter().flat_map(|(_, roles)| roles).collect();
    ids.sort();
    ids.dedup();
    keep(change, ids);
}

/// Writes down that an account has its roles, of an account that had none.
pub(super) fn hold(change: &mut Change, user: &User) {
    for role in &user.roles {
        change.run(HOLD, [(&user.id).into(), role.into()]);
    }
}

/// Brings who has which role up to date with an account that was changed, and tells of it.
pub(super) fn follow(change: &mut Change, was: &User, user: &User, now: Ms) {
    if (&was.roles, &was.username) == (&user.roles, &user.username) {
        return;
    }
    change.run(LET_GO, [(&user.id).into()]);
    hold(change, user);
    let moved =
        [(Kind::RoleGiven, &user.roles, &was.roles), (Kind::RoleTaken, &was.roles, &user.roles)];
    for (kind, these, those) in moved {
        for role in these.iter().filter(|role| !those.contains(role)) {
            let told = format!("{role} {}", user.id);
            events::add(change, now, kind, None, None, &told);
        }
    }
}

/// Accounts that have a role, by username, at most `limit`.
pub(crate) async fn some_with(store: &Store, role: &str, limit: i64) -> Result<Vec<User>> {
    let rows = store.read(SOME_WITH, [role.into(), limit.into()]).await?;
    rows.into_iter().map(|mut row| users::read(&mut row)).collect()
}

/// Accounts that have a role, by username or as the query says.
pub(crate) async fn holders(
    store: &Store,
    role: &str,
    query: &ListQuery,
    document: Document<User>,
) -> Result<Page<User>> {
    let listing = Listing {
        columns: users::columns!(),
        from: "holders h",
        joins: &[("u.", " JOIN users u ON u.id = h.usr")],
        condition: "h.role = $1".to_owned(),
        args: vec![role.into()],
        order: "h.name, h.usr",
        id: "h.usr",
        place: None,
        fixed: None,
        fields: &OfUsers,
        among: None,
    };
    listing.page(store, query, users::read, document).await
}

/// Roles that were removed at this time or later.
pub(crate) async fn removed(store: &Store, since: Ms) -> Result<Vec<(String, Ms)>> {
    let rows = store.read(REMOVED, [since.into()]).await?;
    rows.into_iter().map(|mut row| Ok((row.text()?, row.int()?))).collect()
}

/// Is there anybody with a role?
pub(crate) async fn is_held(store: &Store, role: &str) -> Result<bool> {
    let rows = store.read(IN_USE, [role.into()]).await?;
    Ok(!rows.is_empty())
}
