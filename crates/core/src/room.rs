//! Conversations: making one exactly once, listing them, opening and closing one's view of them.
//! [`Access`] is the proof that a caller is a member and may read; every function about a room's
//! content takes one. A room knows its kind, name and members as data: nothing here assumes that a
//! room is between two.

use crate::account::{User, fold};
use crate::caller::{Admin, Caller};
use crate::error::{Error, Result};
use crate::id::{RoomId, UserId, pair};
use crate::list::{ListQuery, Page, count};
use crate::message::Message;
use crate::store::{members, rooms, users};
use crate::time::Ms;
use crate::{Core, Perm, audit, setting};
use serde_json::Value;

/// Members that any setting may allow at most.
const MOST_MEMBERS: i64 = 100;

/// A conversation as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// Its id; of a 1:1 room the two user ids, sorted and joined.
    pub id: RoomId,
    /// `d`: direct.
    pub kind: String,
    /// When it was made.
    pub ts: Ms,
    /// When it last changed.
    pub updated: Ms,
    /// Who made it, if known.
    pub creator: Option<UserId>,
    /// Members when it was made.
    pub users_count: i64,
    /// JSON array of user ids, sorted.
    pub uids: String,
    /// JSON array of usernames.
    pub usernames: String,
    /// Its topic.
    pub topic: Option<String>,
    /// Nobody may write, if true; absent if the document has no such key.
    pub read_only: Option<bool>,
    /// Messages that count as unread for members.
    pub seq: i64,
    /// The number of messages on the wire.
    pub msgs: i64,
    /// The number of messages stored.
    pub stored: i64,
    /// The newest ordinary message's time; stays when that is deleted.
    pub lm: Option<Ms>,
    /// The newest top-level message.
    pub last_id: Option<crate::MessageId>,
    /// Its time, or that of the room's making.
    pub activity: Ms,
    /// JSON object of carried members.
    pub body: String,
    /// The newest top-level message, where a listing joined it.
    pub last: Option<Box<Message>>,
}

/// A user's own view of a room.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Whose.
    pub user: UserId,
    /// The subscription's id.
    pub id: String,
    /// Since when.
    pub ts: Ms,
    /// When it last changed by itself.
    pub updated: Ms,
    /// Shown although nothing was written yet.
    pub opened: bool,
    /// Closed while the room's `seq` was this.
    pub closed_seq: Option<i64>,
    /// Read up to this `seq`.
    pub read_seq: i64,
    /// Unread messages that mention the member.
    pub mentions: i64,
    /// Unread messages that mention everyone.
    pub group_mentions: i64,
    /// When the member last looked.
    pub last_seen: Option<Ms>,
    /// The other side blocked this member.
    pub blocked: bool,
    /// This member blocked the other side.
    pub blocker: bool,
    /// The member's account is off.
    pub disabled: bool,
    /// The room's name for this member.
    pub name: String,
    /// The room's display name for this member.
    pub fname: String,
    /// JSON object of carried members.
    pub body: String,
}

impl Member {
    /// Messages not read yet.
    pub fn unread(&self, room: &Room) -> i64 {
        (room.seq - self.read_seq).max(0)
    }

    /// Hidden by the member since the newest message?
    pub fn is_closed(&self, room: &Room) -> bool {
        self.closed_seq.is_some_and(|seq| seq >= room.seq)
    }

    /// Shown in the member's list on the Rocket.Chat face (contract section 6.4).
    pub fn is_open(&self, room: &Room) -> bool {
        let fresh_pair = room.seq == 0 && room.users_count == 2 && room.last_id.is_none();
        !self.is_closed(room) && (self.opened || !fresh_pair)
    }
}

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

/// A room with its members in the order of joining; `None` for an account that is gone.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The room, with its newest message.
    pub room: Room,
    /// Ids and accounts of all members.
    pub members: Vec<(UserId, Option<User>)>,
}

pub(crate) struct NewRoom {
    pub(crate) id: RoomId,
    pub(crate) ts: Ms,
    pub(crate) creator: UserId,
    pub(crate) key: String,
    pub(crate) uids: String,
    pub(crate) usernames: String,
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

/// What a listing said, and whether the room was made by it.
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
        self.open_among(caller, others, exclude_self).await
    }

    /// Opens the conversation of the caller with one other account, by id.
    pub async fn open_with(&self, caller: &Caller, other: &UserId) -> Result<Opened> {
        self.admin(caller, Perm::CreateD).map_err(|_| Error::NotAllowed)?;
        let others = if other == caller.id() { vec![] } else { vec![self.user(other).await?] };
        self.open_among(caller, others, false).await
    }

    async fn open_among(
        &self,
        caller: &Caller,
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
            all.insert(0, caller.user());
        }
        let ids: Vec<&str> = all.iter().map(|user| user.id.as_str()).collect();
        let mut key = member_key(&ids);
        if exclude_self && ids.len() > 2 {
            // Whether others have a group of their own is nobody's business who is not in it (the
            // id of a pair's room says nothing): a group made for others is one of its own.
            key = format!("{}>{key}", caller.id());
        }
        // A lost race is found on the second look; a foreign room under the composed id, never
        // by this key, makes the third try take an id of its own (ruling A9), which may lose a race
        // again: the fourth look finds the winner.
        for attempt in 0..4 {
            if let Some(found) = rooms::by_members(self.store(), &key, caller.id()).await? {
                if exclude_self {
                    return Ok(Opened { room: found.room, created: false });
                }
                return self.reopen(caller, found, &all).await;
            }
            let new = self.new_room(caller, &all, &key, attempt > 1);
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

    async fn reopen(
        &self,
        caller: &Caller,
        found: rooms::ByMembers,
        all: &[&User],
    ) -> Result<Opened> {
        if found.members < count(all.len()) || !found.open {
            let now = self.clock().now();
            let members = self.new_members(caller, all, now);
            members::complete(self.store(), &found.room.id, &members, caller.id(), now).await?;
        }
        Ok(Opened { room: found.room, created: false })
    }

    fn new_members(&self, caller: &Caller, all: &[&User], now: Ms) -> Vec<NewMember> {
        let member = |(place, user): (usize, &&User)| {
            let (name, fname) = names_for(&user.id, all);
            NewMember {
                user: user.id.clone(),
                id: self.chance().id(now),
                place: count(place),
                opened: user.id == *caller.id() || all.len() != 2,
                name,
                fname,
            }
        };
        let mut members: Vec<NewMember> = all.iter().enumerate().map(member).collect();
        // Whoever asks, rows are locked in one order, so that two who ask at once do not deadlock.
        members.sort_by(|a, b| a.user.cmp(&b.user));
        members
    }

    fn new_room(&self, caller: &Caller, all: &[&User], key: &str, own_id: bool) -> NewRoom {
        let now = self.clock().now();
        let id = match all {
            [a, b] if !own_id => pair(&a.id, &b.id),
            _ => self.chance().id(now).into(),
        };
        let mut uids: Vec<&str> = all.iter().map(|user| user.id.as_str()).collect();
        uids.sort_unstable();
        let mut by_name = all.to_vec();
        by_name.sort_by_key(|user| (fold(user.shown_name()), user.handle().to_owned()));
        let usernames: Vec<&str> = by_name.iter().map(|user| user.handle()).collect();
        let usernames = Value::from(usernames).to_string();
        // What the original's apps layer adds to every room (contract section 6.1).
        let body = format!(r#"{{"default":false,"sysMes":true,"_USERNAMES":{usernames}}}"#);
        NewRoom {
            id,
            ts: now,
            creator: caller.id().clone(),
            key: key.to_owned(),
            uids: Value::from(uids).to_string(),
            usernames,
            body,
            members: self.new_members(caller, all, now),
        }
    }

    /// Access to a room by its id: [`Error::NoAccess`] if it is there and foreign (or is the id of
    /// a 1:1 room that may or may not be there), [`Error::NoRoom`] if there is none.
    pub async fn access(&self, caller: &Caller, room: &str) -> Result<Access> {
        let found = rooms::with_member(self.store(), room, caller.id()).await?;
        if let Some((room, member)) = found {
            return if self.may_read_rooms(caller) {
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

    /// Shows a room in the caller's list.
    pub async fn open_room(&self, caller: &Caller, access: &Access) -> Result<()> {
        if access.member.opened && access.member.closed_seq.is_none() {
            return Ok(());
        }
        members::open(self.store(), &access.room.id, caller.id(), self.clock().now()).await
    }

    /// Hides a room from the caller's list until its next message.
    pub async fn close_room(&self, caller: &Caller, access: &Access) -> Result<()> {
        if !access.member.is_open(&access.room) {
            return Err(Error::AlreadyClosed);
        }
        members::close(self.store(), &access.room.id, caller.id(), self.clock().now()).await
    }

    /// The caller's rooms, closed ones too, by creation or as the query says.
    pub async fn dm_list(
        &self,
        caller: &Caller,
        query: &ListQuery,
        document: &(dyn Fn(&Room) -> Value + Sync),
    ) -> Result<Page<Room>> {
        rooms::list(self.store(), caller.id(), query, document).await
    }

    /// Every direct room, for who may see them all; every answer leaves a row in the audit.
    pub async fn dm_list_everyone(
        &self,
        admin: Admin<'_>,
        ip: &str,
        query: &ListQuery,
        document: &(dyn Fn(&Room) -> Value + Sync),
    ) -> Result<Page<Room>> {
        admin.holds(Perm::ViewRoomAdministration)?;
        let page = rooms::list_all(self.store(), admin.caller.id(), query, document).await?;
        let range = (None, None);
        let read = audit::Read { action: "dm.list.everyone", room: None, query, range };
        self.audit(admin, ip, read, page.items.len()).await?;
        Ok(page)
    }

    /// The caller's open conversations by activity, newest first, before a time (and, at that time,
    /// before an id). Conversations that share the last one's activity come along, up to a hundred.
    pub async fn dm_recent(
        &self,
        caller: &Caller,
        before: Option<(Ms, Option<&str>)>,
        limit: usize,
    ) -> Result<Recent> {
        const TIES: usize = 100;
        // Without an id the time is excluded; no id sorts below the empty text.
        let (time, id) = before.map_or((Ms::MAX, ""), |(time, id)| (time, id.unwrap_or("")));
        let most = count(limit + TIES + 1);
        let mut all = rooms::recent(self.store(), caller.id(), time, id, most).await?;
        let edge = limit.checked_sub(1).and_then(|last| all.get(last)).map(|c| c.room.activity);
        let tied = all.iter().skip(limit).take_while(|c| Some(c.room.activity) == edge).count();
        let end = limit + tied.min(TIES);
        let more = all.len() > end;
        all.truncate(end);
        Ok(Recent { conversations: all, more })
    }

    /// One conversation of the caller's, with its members.
    pub async fn conversation(&self, caller: &Caller, room: &RoomId) -> Result<Conversation> {
        let found = rooms::conversation(self.store(), caller.id(), room).await?;
        found.ok_or(Error::NoRoom)
    }

    /// Blocks or unblocks the other side of a 1:1 room.
    pub async fn set_block(&self, caller: &Caller, access: &Access, block: bool) -> Result<()> {
        let now = self.clock().now();
        members::set_block(self.store(), &access.room.id, caller.id(), block, now).await
    }

    /// Makes a room read-only for all but who may write there nevertheless, or writable again.
    pub async fn set_read_only(&self, admin: Admin<'_>, room: &RoomId, on: bool) -> Result<()> {
        admin.holds(Perm::EditRoom)?;
        members::set_read_only(self.store(), room, on, self.clock().now()).await
    }
}

/// A page of conversations.
#[derive(Clone, Debug)]
pub struct Recent {
    /// Newest activity first.
    pub conversations: Vec<Conversation>,
    /// Are there older ones?
    pub more: bool,
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
