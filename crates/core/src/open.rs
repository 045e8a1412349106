//! Making a conversation exactly once (contract section 5.2): the exact member set is its key, and
//! whoever loses a race finds the winner's room on the next look. A 1:1 room has the id that clients
//! compute; where that is somebody else's already, it gets one of its own (ruling A9).

use crate::account::{User, fold};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::id::{RoomId, UserId, pair};
use crate::list::count;
use crate::room::Room;
use crate::store::{members, rooms, users};
use crate::time::Ms;
use crate::{Core, Perm, setting};
use serde_json::Value;

/// Members that any setting may allow at most.
const MOST_MEMBERS: i64 = 100;

pub(crate) struct NewRoom {
    pub(crate) id: RoomId,
    pub(crate) ts: Ms,
    pub(crate) creator: UserId,
    pub(crate) key: String,
    pub(crate) uids: String,
    pub(crate) usernames: Vec<String>,
    pub(crate) body: String,
    pub(crate) members: Vec<NewMember>,
}

pub(crate) struct NewMember {
    pub(crate) user: UserId,
    pub(crate) id: String,
    pub(crate) place: i64,
    pub(crate) opened: bool,
    pub(crate) name: String,
    pub(crate) fname: String,
}

/// The key of an exact member set. Ids hold no spaces, so joining by one is unambiguous; a key that
/// would be too long for an index is hashed.
pub(crate) fn member_key(ids: &[&str]) -> String {
    const LONGEST: usize = 1000;
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    let key = ids.join(" ");
    if key.len() > LONGEST { crate::login::token_hash(&key) } else { key }
}

/// A name and a display name for the room as one member sees it: everybody else's.
pub(crate) fn names_for(user: &UserId, all: &[&User]) -> (String, String) {
    let mut others: Vec<&&User> = all.iter().filter(|other| other.id != *user).collect();
    if others.is_empty() {
        others = all.iter().collect();
    }
    let join = |name: fn(&User) -> &str| {
        others.iter().map(|other| name(other)).collect::<Vec<_>>().join(", ")
    };
    (join(User::handle), join(User::shown_name))
}

/// The room that was opened, and whether it was made for that.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The room.
    pub room: Room,
    /// Was it made just now?
    pub created: bool,
}

impl Core {
    /// Opens the conversation of the caller with these usernames (the caller's own is dropped),
    /// making it if there is none (contract section 5.2). One room per member set, whoever asks
    /// how often at once.
    pub async fn open_direct(
        &self,
        caller: &Caller,
        usernames: &[&str],
        exclude_self: bool,
    ) -> Result<Opened> {
        self.admin(caller, Perm::CreateD).map_err(|_| Error::NotAllowed)?;
        let own = fold(caller.user().handle());
        let max = self.settings().number(&setting::MAX_MEMBERS).clamp(2, MOST_MEMBERS);
        let mut folds: Vec<String> = Vec::new();
        for name in usernames {
            let name = fold(name.trim().trim_start_matches('@'));
            if name != own && !folds.contains(&name) {
                folds.push(name);
            }
            // Said at the first one too many: a list may be as long as a body.
            if count(folds.len()) + i64::from(!exclude_self) > max {
                return Err(Error::TooManyMembers { max });
            }
        }
        let others = users::by_usernames(self.store(), &folds).await?;
        if others.len() != folds.len() {
            return Err(Error::NoUser);
        }
        self.open_among(caller.user(), others, exclude_self).await
    }

    /// Opens the conversation of the caller with one other account, by id.
    pub async fn open_with(&self, caller: &Caller, other: &UserId) -> Result<Opened> {
        self.admin(caller, Perm::CreateD).map_err(|_| Error::NotAllowed)?;
        let others = if other == caller.id() { vec![] } else { vec![self.user(other).await?] };
        self.open_among(caller.user(), others, false).await
    }

    /// The conversation of an account with these others, made by it if it is not there.
    pub(crate) async fn open_among(
        &self,
        by: &User,
        others: Vec<User>,
        exclude_self: bool,
    ) -> Result<Opened> {
        if exclude_self && others.len() < 2 {
            return Err(Error::NoUser);
        }
        if others.is_empty() && !self.settings().on(&setting::SELF_DM) {
            return Err(Error::NoUser);
        }
        let mut all: Vec<&User> = others.iter().collect();
        if !exclude_self {
            all.insert(0, by);
        }
        let ids: Vec<&str> = all.iter().map(|user| user.id.as_str()).collect();
        let mut key = member_key(&ids);
        if exclude_self && ids.len() > 2 {
            // Whether others have a group of their own is nobody's business who is not in it (the
            // id of a pair's room says nothing): a group made for others is one of its own.
            key = format!("{}>{key}", by.id);
        }
        // A lost race is found on the second look; a foreign room under the composed id, never
        // by this key, makes the third try take an id of its own (ruling A9), which may lose a race
        // again: the fourth look finds the winner.
        for attempt in 0..4 {
            if let Some(found) = rooms::by_members(self.store(), &key, &by.id).await? {
                if exclude_self {
                    return Ok(Opened { room: found.room, created: false });
                }
                return self.reopen(by, found, &all).await;
            }
            let new = self.new_room(by, &all, &key, attempt > 1);
            match rooms::add(self.store(), &new).await {
                Ok(()) => {
                    let made = rooms::by_id(self.store(), new.id.as_str()).await?;
                    return Ok(Opened { room: made.ok_or(Error::NoRoom)?, created: true });
                }
                Err(Error::BadId) => {}
                Err(other) => return Err(other),
            }
        }
        Err(Error::unavailable("the room could not be made"))
    }

    async fn reopen(&self, by: &User, found: rooms::ByMembers, all: &[&User]) -> Result<Opened> {
        if found.members < count(all.len()) || !found.open {
            let now = self.clock().now();
            let members = self.new_members(by, all, now);
            members::complete(self.store(), &found.room.id, &members, &by.id, now).await?;
        }
        Ok(Opened { room: found.room, created: false })
    }

    fn new_members(&self, by: &User, all: &[&User], now: Ms) -> Vec<NewMember> {
        let member = |(place, user): (usize, &&User)| {
            let (name, fname) = names_for(&user.id, all);
            NewMember {
                user: user.id.clone(),
                id: self.chance().id(now),
                place: count(place),
                opened: user.id == by.id || all.len() != 2,
                name,
                fname,
            }
        };
        let mut members: Vec<NewMember> = all.iter().enumerate().map(member).collect();
        // Whoever asks, rows are locked in one order, so that two who ask at once do not deadlock.
        members.sort_by(|a, b| a.user.cmp(&b.user));
        members
    }

    fn new_room(&self, by: &User, all: &[&User], key: &str, own_id: bool) -> NewRoom {
        let now = self.clock().now();
        let id = match all {
            [a, b] if !own_id => pair(&a.id, &b.id),
            _ => self.chance().id(now).into(),
        };
        let mut uids: Vec<&str> = all.iter().map(|user| user.id.as_str()).collect();
        uids.sort_unstable();
        let mut by_name = all.to_vec();
        by_name.sort_by_key(|user| (fold(user.shown_name()), user.handle().to_owned()));
        let usernames: Vec<String> = by_name.iter().map(|user| user.handle().to_owned()).collect();
        // What the original's apps layer adds to every room (contract section 6.1).
        let body = format!(
            r#"{{"default":false,"sysMes":true,"_USERNAMES":{}}}"#,
            Value::from(usernames.as_slice())
        );
        NewRoom {
            id,
            ts: now,
            creator: by.id.clone(),
            key: key.to_owned(),
            uids: Value::from(uids).to_string(),
            usernames,
            body,
            members: self.new_members(by, all, now),
        }
    }
}
