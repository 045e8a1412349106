//! Conversations: what a room and a membership are, listing them, opening and closing one's view of
//! them. A room knows its kind, name and members as data: nothing here assumes that a room is
//! between two.

use crate::access::Access;
use crate::account::User;
use crate::caller::{Admin, Caller};
use crate::error::{Error, Result};
use crate::id::{RoomId, UserId};
use crate::list::{Document, ListQuery, Page, count};
use crate::message::Message;
use crate::reading::{Counting, Membership};
use crate::store::rooms::Whose;
use crate::store::{Store, members, rooms, sidebar};
use crate::time::Ms;
use crate::{Core, Perm, audit, setting};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Map, Value};

/// How often a change is tried again when the same thing is changed at the same time.
pub(crate) const TRIES: usize = 16;

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
    /// May members react although it is read-only? Absent until a member was switched off or on.
    pub react_read_only: Option<bool>,
    /// Does a member have words that count as a mention?
    pub highlights: bool,
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
    /// Marked as unread by the member, and not read since.
    pub marked: bool,
    /// When the member last looked.
    pub last_seen: Option<Ms>,
    /// The newest reply in a thread that the member follows.
    pub last_reply: Option<Ms>,
    /// The other side blocked this member.
    pub blocked: bool,
    /// This member blocked the other side.
    pub blocker: bool,
    /// The member's account is off.
    pub disabled: bool,
    /// The other side's account is off; absent until it was switched off or on.
    pub archived: Option<bool>,
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

    /// Those of them that count.
    pub fn counted(&self, room: &Room, counting: Counting) -> i64 {
        let unread = self.unread(room);
        match counting {
            Counting::All => unread,
            Counting::Mentions => {
                unread.min(self.mentions + self.group_mentions + i64::from(self.marked))
            }
        }
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

/// A room with its members in the order of joining; `None` for an account that is gone.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// The room, with its newest message.
    pub room: Room,
    /// Ids and accounts of all members.
    pub members: Vec<(UserId, Option<User>)>,
}

impl Core {
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
        document: Document<Room>,
    ) -> Result<Page<Room>> {
        let whose = (Whose::Own, self.shows_last());
        let page = rooms::list(self.store(), whose, caller.id(), query, document).await?;
        self.show_page(page).await
    }

    /// Has a room's document its newest message?
    fn shows_last(&self) -> bool {
        self.settings().on(&setting::STORE_LAST)
    }

    /// The same, each room with what a list shows beside it: the caller's membership and the other
    /// members' accounts; `None` beside a room that is gone by then.
    pub async fn dm_list_beside(
        &self,
        caller: &Caller,
        query: &ListQuery,
        document: Document<Room>,
    ) -> Result<Page<(Room, Option<Beside>)>> {
        let Page { items, total, more } = self.dm_list(caller, query, document).await?;
        let counting = self.counting();
        let items = beside(self.store(), caller.id(), items, counting).await?;
        let (store, user) = (self.store().clone(), caller.id().clone());
        let more = more.map(|more| {
            more.and_then(move |rooms| {
                let (store, user) = (store.clone(), user.clone());
                async move { beside(&store, &user, rooms, counting).await }
            })
            .boxed()
        });
        Ok(Page { items, total, more })
    }

    /// Every direct room, for who may see them all; every answer leaves a row in the audit.
    pub async fn dm_list_everyone(
        &self,
        admin: Admin<'_>,
        ip: &str,
        query: &ListQuery,
        document: Document<Room>,
    ) -> Result<Page<Room>> {
        admin.holds(Perm::ViewRoomAdministration)?;
        let whose = (Whose::All, self.shows_last());
        let page = rooms::list(self.store(), whose, admin.caller.id(), query, document).await?;
        let range = (None, None);
        let read = audit::Read { action: "dm.list.everyone", room: None, query, range };
        self.audit(admin, ip, read, audit::given(&page, query)).await?;
        self.show_page(page).await
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
        let read = |most| rooms::recent(self.store(), caller.id(), time, id, count(most));
        let mut all = read(limit + 1).await?;
        // Only where the page's edge is a tie is there more to read than is given.
        if let [.., last, next] = &all[..]
            && all.len() > limit
            && last.room.activity == next.room.activity
        {
            all = read(limit + TIES + 1).await?;
        }
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

    /// Removes a direct room of the caller's, or any one for who administers rooms, with all in it:
    /// [`Error::NotAllowed`] for a room that the caller may not see.
    pub async fn delete_room(&self, caller: &Caller, room: &str) -> Result<()> {
        let found = match self.access(caller, room).await {
            Ok(access) => Some(access.room),
            Err(Error::NoRoom | Error::NoAccess)
                if self.may(caller, Perm::ViewRoomAdministration) =>
            {
                rooms::by_id(self.store(), room).await?
            }
            Err(Error::NoRoom | Error::NoAccess) => None,
            Err(other) => return Err(other),
        };
        let found = found.filter(|room| room.kind == "d").ok_or(Error::NotAllowed)?;
        self.admin(caller, Perm::DeleteD)?;
        rooms::remove(self.store(), &found.id, self.clock().now()).await
    }

    /// Changes the members that a client keeps with a membership (favourite, notifications, …).
    pub async fn change_membership(
        &self,
        caller: &Caller,
        room: &str,
        change: impl Fn(&mut Map<String, Value>) + Send,
    ) -> Result<()> {
        for _ in 0..TRIES {
            let found = rooms::with_member(self.store(), room, caller.id()).await?;
            let (room, member) = found.ok_or(Error::NotSubscribed)?;
            let mut body: Map<String, Value> =
                serde_json::from_str(&member.body).map_err(Error::internal)?;
            change(&mut body);
            let (place, now) = ((&room.id, caller.id()), self.clock().now());
            let body = Value::Object(body).to_string();
            if members::set_body(self.store(), place, &member.body, &body, now).await? {
                return Ok(());
            }
        }
        Err(Error::unavailable("too many changes at once"))
    }

    /// Makes a room read-only for all but who may write there nevertheless, or writable again.
    pub async fn set_read_only(&self, admin: Admin<'_>, room: &RoomId, on: bool) -> Result<()> {
        admin.holds(Perm::EditRoom)?;
        members::set_read_only(self.store(), room, on, self.clock().now()).await
    }
}

/// What a list shows beside a room: the reader's membership and the other members' accounts.
pub type Beside = (Membership, Vec<User>);

async fn beside(
    store: &Store,
    user: &UserId,
    rooms: Vec<Room>,
    counting: Counting,
) -> Result<Vec<(Room, Option<Beside>)>> {
    let ids: Vec<&RoomId> = rooms.iter().map(|room| &room.id).collect();
    let mut beside = sidebar::beside(store, user, &ids, counting).await?;
    let with = rooms.into_iter().map(|room| {
        let beside = beside.remove(room.id.as_str());
        (room, beside)
    });
    Ok(with.collect())
}

/// A page of conversations.
#[derive(Clone, Debug)]
pub struct Recent {
    /// Newest activity first.
    pub conversations: Vec<Conversation>,
    /// Are there older ones?
    pub more: bool,
}
