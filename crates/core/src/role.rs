//! Roles: what permissions are granted to, and accounts are given (contract sections 9.4 and 13.1). They are
//! rows; the built-in ones are written at the first start, and are neither renamed nor removed. Whoever asks
//! for a role by its id asks a snapshot that a change replaces at once on its own node, and on others by the
//! log (ruling A14); the change itself asks the row again, so that nobody is given a role that is gone.

use crate::Core;
use crate::account::User;
use crate::caller::{Admin, Caller, Perm};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::list::{Document, ListQuery, Page};
use crate::store::{profiles, roles};
use crate::time::Ms;

/// Roles there may be.
pub(crate) const MOST: i64 = 200;
/// Characters of a name and of a description.
const MAX_NAME: usize = 120;
const MAX_DESCRIPTION: usize = 1000;
/// How often a change is tried again when the same account is changed at the same time.
const TRIES: usize = 16;

/// Where a role is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// By an account, in all rooms.
    Users,
    /// By a member, in one room; direct rooms have no such roles.
    Subscriptions,
}

impl Scope {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "Users",
            Self::Subscriptions => "Subscriptions",
        }
    }

    /// The scope of this name on the wire.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Users, Self::Subscriptions].into_iter().find(|scope| scope.name() == name)
    }
}

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// What accounts and permissions name it by; of a built-in one, its name too.
    pub id: String,
    /// What people call it; no two roles share a name.
    pub name: String,
    /// A word for administrators. With one, a role of scope [`Scope::Users`] is shown to everybody.
    pub description: String,
    /// Where it is held.
    pub scope: Scope,
    /// Is it built in?
    pub protected: bool,
    /// Shall who holds it have a second factor? For clients, which ask for one.
    pub mandatory_2fa: bool,
    /// When it last changed; the server's first start if never.
    pub updated: Ms,
}

impl Role {
    /// May everybody know who holds it?
    pub(crate) fn is_public(&self) -> bool {
        self.scope == Scope::Users && !self.description.is_empty()
    }
}

/// What a role shall be; what is `None` stays, or is as usual of a new one.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Its description; none, usually.
    pub description: Option<String>,
    /// Its scope; usually [`Scope::Users`].
    pub scope: Option<Scope>,
    /// Shall who holds it have a second factor? Usually not.
    pub mandatory_2fa: Option<bool>,
}

/// The built-in roles: id, scope, description.
pub(crate) const BUILT_IN: [(&str, Scope, &str); 11] = [
    ("admin", Scope::Users, "Admin"),
    ("anonymous", Scope::Users, ""),
    ("app", Scope::Users, "App"),
    ("bot", Scope::Users, ""),
    ("guest", Scope::Users, ""),
    ("leader", Scope::Subscriptions, "Leader"),
    ("livechat-agent", Scope::Users, "Livechat Agent"),
    ("livechat-manager", Scope::Users, "Livechat Manager"),
    ("moderator", Scope::Subscriptions, "Moderator"),
    ("owner", Scope::Subscriptions, "Owner"),
    ("user", Scope::Users, ""),
];

/// Is this the id of a built-in role, which is always there?
pub(crate) fn is_built_in(id: &str) -> bool {
    BUILT_IN.iter().any(|(known, ..)| *known == id)
}

/// A snapshot of all roles, by id.
#[derive(Debug)]
pub(crate) struct Roles(Vec<Role>);

impl Roles {
    pub(crate) fn new(all: Vec<Role>) -> Self {
        Self(all)
    }

    fn get(&self, id: &str) -> Option<&Role> {
        self.0.iter().find(|role| role.id == id)
    }

    /// The role of this id; else the one of this name.
    fn named(&self, text: &str) -> Option<&Role> {
        self.get(text).or_else(|| self.0.iter().find(|role| role.name == text))
    }
}

impl Core {
    /// Every role, by id.
    pub fn roles(&self) -> Vec<Role> {
        self.live().roles().0.clone()
    }

    /// The role of this id, or, where `by_name`, else the one of this name.
    pub fn role(&self, text: &str, by_name: bool) -> Option<Role> {
        let roles = self.live().roles();
        let found = if by_name { roles.named(text) } else { roles.get(text) };
        found.cloned()
    }

    /// Are all of these ids of roles? [`Error::NoRole`] names one that is not.
    pub(crate) fn check_role_ids(&self, ids: &[String]) -> Result<()> {
        let roles = self.live().roles();
        match ids.iter().find(|id| roles.get(id).is_none()) {
            Some(unknown) => Err(Error::NoRole(unknown.clone())),
            None => Ok(()),
        }
    }

    /// The ids of roles that the operator calls by id or by name.
    pub(crate) fn role_ids(&self, named: &[String]) -> Result<Vec<String>> {
        let roles = self.live().roles();
        let one = |name: &String| match roles.named(name) {
            Some(role) => Ok(role.id.clone()),
            None => Err(Error::NoRole(name.clone())),
        };
        named.iter().map(one).collect()
    }

    /// What people call the roles of these ids; one that is not here is called by its id.
    pub(crate) fn role_names(&self, ids: &[String]) -> Vec<String> {
        let roles = self.live().roles();
        let one = |id: &String| roles.get(id).map_or_else(|| id.clone(), |role| role.name.clone());
        ids.iter().map(one).collect()
    }

    /// Makes a role. [`Error::RoleNameTaken`] if a role has the name, or has it as its id.
    pub async fn add_role(&self, admin: Admin<'_>, wanted: Wanted) -> Result<Role> {
        admin.holds(Perm::AccessPermissions)?;
        let wanted = checked(wanted)?;
        let now = self.clock().now();
        let role = Role {
            id: self.chance().id(now),
            name: wanted.name,
            description: wanted.description.unwrap_or_default(),
            scope: wanted.scope.unwrap_or(Scope::Users),
            protected: false,
            mandatory_2fa: wanted.mandatory_2fa.unwrap_or(false),
            updated: now,
        };
        roles::add(self.store(), &role).await?;
        self.live().reload_roles(self.store()).await?;
        Ok(role)
    }

    /// Changes a role. A built-in one keeps its name and its scope: [`Error::RoleProtected`].
    pub async fn update_role(&self, admin: Admin<'_>, id: &str, wanted: Wanted) -> Result<Role> {
        admin.holds(Perm::AccessPermissions)?;
        let wanted = checked(wanted)?;
        let gone = || Error::NoRole(id.to_owned());
        let was = self.role(id, false).ok_or_else(gone)?;
        let other = wanted.name != was.name || wanted.scope.is_some_and(|scope| scope != was.scope);
        if was.protected && other {
            return Err(Error::RoleProtected);
        }
        roles::update(self.store(), id, &wanted, self.clock().now()).await?;
        self.live().reload_roles(self.store()).await?;
        self.role(id, false).ok_or_else(gone)
    }

    /// Removes a role that nobody has, and takes it out of every permission's grant.
    pub async fn remove_role(&self, admin: Admin<'_>, id: &str) -> Result<()> {
        admin.holds(Perm::AccessPermissions)?;
        let role = self.role(id, false).ok_or_else(|| Error::NoRole(id.to_owned()))?;
        if role.protected {
            return Err(Error::RoleProtected);
        }
        roles::remove(self.store(), &role.id, self.clock().now()).await?;
        self.live().reload_permissions(self.store()).await?;
        self.live().reload_roles(self.store()).await
    }

    /// Gives an account a role, for all rooms. The role `admin` needs `assign-admin-role` too.
    pub async fn give_role(&self, admin: Admin<'_>, user: &UserId, role: &Role) -> Result<()> {
        admin.holds(Perm::AccessPermissions)?;
        if role.id == "admin" {
            self.admin(admin.caller, Perm::AssignAdminRole)?;
        }
        // Nobody would hold it in a room, and in all of them it was not made to be.
        if role.scope == Scope::Subscriptions {
            return Err(Error::RoleOfRooms);
        }
        self.set_role(user, role, true).await
    }

    /// Takes a role from an account; never the last administrator's ([`Error::LastAdmin`]).
    pub async fn take_role(&self, admin: Admin<'_>, user: &UserId, role: &Role) -> Result<()> {
        admin.holds(Perm::AccessPermissions)?;
        self.set_role(user, role, false).await
    }

    async fn set_role(&self, id: &UserId, role: &Role, on: bool) -> Result<()> {
        for _ in 0..TRIES {
            let was = self.user(id).await?;
            match (was.roles.contains(&role.id), on) {
                (true, true) => return Err(Error::RoleHeld),
                (false, false) => return Err(Error::RoleNotHeld),
                _ => {}
            }
            let mut user = was.clone();
            if on {
                user.roles.push(role.id.clone());
            } else {
                user.roles.retain(|one| *one != role.id);
            }
            let now = self.clock().now();
            let update =
                profiles::Update { was: &was, user: &user, password: None, keep: None, job: "" };
            if profiles::set(self.store(), &update, now).await? {
                self.live().forget_user(id);
                return Ok(());
            }
        }
        Err(Error::unavailable("too many changes at once"))
    }

    /// Accounts that have a role, by username or as the query says.
    pub async fn users_with_role(
        &self,
        admin: Admin<'_>,
        role: &Role,
        query: &ListQuery,
        document: Document<User>,
    ) -> Result<Page<User>> {
        admin.holds(Perm::AccessPermissions)?;
        roles::holders(self.store(), &role.id, query, document).await
    }

    /// Roles that were removed at this time or later: id and time.
    pub async fn removed_roles(&self, _: &Caller, since: Ms) -> Result<Vec<(String, Ms)>> {
        roles::removed(self.store(), since).await
    }
}

/// A name that people can read, and texts that are not too long.
fn checked(wanted: Wanted) -> Result<Wanted> {
    let name = wanted.name.trim().to_owned();
    let unusable = name.is_empty()
        || name.chars().count() > MAX_NAME
        || name.chars().any(char::is_control)
        // What is made here has such ids: a name must not look like another role's.
        || crate::id::looks_made_here(&name);
    if unusable {
        return Err(Error::Bad("name"));
    }
    if wanted.description.as_ref().is_some_and(|text| text.chars().count() > MAX_DESCRIPTION) {
        return Err(Error::Bad("description"));
    }
    Ok(Wanted { name, ..wanted })
}

#[cfg(test)]
mod tests {
    use super::{BUILT_IN, Wanted, checked};

    #[test]
    fn the_built_in_ones_are_in_order() {
        assert!(BUILT_IN.is_sorted_by_key(|(id, ..)| *id));
    }

    #[test]
    fn names_are_short_and_readable() {
        let named = |name: &str| checked(Wanted { name: name.to_owned(), ..Wanted::default() });
        assert_eq!(named(" editor ").expect("a name").name, "editor");
        let long = "x".repeat(121);
        for bad in ["", " ", "a\nb", "0123456789abcdef01234567", &long] {
            assert!(named(bad).is_err(), "{bad}");
        }
        let description = Some("x".repeat(1001));
        let wordy = Wanted { name: "x".to_owned(), description, ..Wanted::default() };
        assert!(checked(wordy).is_err());
    }
}
