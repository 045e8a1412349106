//! [`Access`] is the proof that a caller is a member of a room and may read it; every function about a
//! room's content takes one. The resolver finds a room as the contract's routes name it (section 5.1,
//! rulings B3 and B4): by room id first, and never by a name that somebody could choose.

use crate::Core;
use crate::account::fold;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::open::member_key;
use crate::room::{Member, Room};
use crate::store::{rooms, users};

/// Proof that a caller is a member of a room and may read it.
#[derive(Clone, Debug)]
pub struct Access {
    pub(crate) room: Room,
    pub(crate) member: Member,
}

impl Access {
    /// The room.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// The caller's membership.
    pub fn member(&self) -> &Member {
        &self.member
    }
}

impl Core {
    /// Access to a room by its id: [`Error::NoAccess`] if it is there and foreign (or is the id of
    /// a 1:1 room that may or may not be there), [`Error::NoRoom`] if there is none.
    pub async fn access(&self, caller: &Caller, room: &str) -> Result<Access> {
        let found = rooms::with_member(self.store(), room, caller.id()).await?;
        if let Some((room, member)) = found {
            return if self.may_read_rooms(caller.user()) {
                Ok(Access { room, member })
            } else {
                Err(Error::NoAccess)
            };
        }
        let there = rooms::by_id(self.store(), room).await?.is_some();
        if there || users::is_foreign_pair(self.store(), room, caller.id()).await? {
            return Err(Error::NoAccess);
        }
        Err(Error::NoRoom)
    }

    /// Access to the direct room that the contract's resolver finds under `roomId` (section 5.1,
    /// ruling B3): an exact room id, else a user id, whose conversation is made if it is not there.
    pub async fn resolve_room(&self, caller: &Caller, id: &str) -> Result<Access> {
        match self.access(caller, id).await {
            Err(Error::NoRoom) => {
                let other = UserId::from(id.strip_prefix('@').unwrap_or(id));
                let other = self.user(&other).await.map_err(no_room)?;
                self.access_with(caller, &other.id).await
            }
            other => other.and_then(direct),
        }
    }

    /// Access to the caller's conversation with the user under `username`: an exact username, else
    /// an id, else a room's id.
    pub async fn resolve_username(&self, caller: &Caller, name: &str) -> Result<Access> {
        let name = name.strip_prefix('@').unwrap_or(name);
        let named = users::by_username(self.store(), &fold(name)).await?;
        let user = match named.filter(|user| user.username.as_deref() == Some(name)) {
            Some(user) => user.id,
            None => match users::by_id(self.store(), &UserId::from(name)).await? {
                Some(user) => user.id,
                None => return self.access(caller, name).await.and_then(direct),
            },
        };
        self.access_with(caller, &user).await
    }

    /// Access to the conversation with one other account: as it is, closed or not, or made if it is
    /// not there. Only making one needs the right to.
    async fn access_with(&self, caller: &Caller, other: &UserId) -> Result<Access> {
        let key = member_key(&[caller.id().as_str(), other.as_str()]);
        let room = match rooms::by_members(self.store(), &key, caller.id()).await? {
            Some(found) => found.room.id,
            None => self.open_with(caller, other).await.map_err(no_room)?.room.id,
        };
        self.access(caller, room.as_str()).await
    }
}

impl Core {
    /// The caller's conversation with the user of this exact username or this id; `None` if there is
    /// none. Makes nothing.
    pub async fn existing_direct(&self, caller: &Caller, name: &str) -> Result<Option<Access>> {
        let name = name.strip_prefix('@').unwrap_or(name);
        let named = match self.user_named(name).await {
            Ok(user) if user.username.as_deref() == Some(name) => Some(user.id),
            Ok(_) | Err(Error::NoUser) => None,
            Err(other) => return Err(other),
        };
        let other = named.unwrap_or_else(|| UserId::from(name));
        let key = member_key(&[caller.id().as_str(), other.as_str()]);
        match rooms::by_members(self.store(), &key, caller.id()).await? {
            Some(found) => self.access(caller, found.room.id.as_str()).await.map(Some),
            None => Ok(None),
        }
    }
}

/// The resolver finds direct rooms only.
fn direct(access: Access) -> Result<Access> {
    if access.room.kind == "d" { Ok(access) } else { Err(Error::NoRoom) }
}

/// Under the resolver, whoever cannot be written to is a room that is not there.
fn no_room(error: Error) -> Error {
    match error {
        Error::NoUser | Error::NotAllowed => Error::NoRoom,
        other => other,
    }
}
