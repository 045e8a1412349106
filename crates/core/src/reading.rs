//! Marking rooms read and unread (contract sections 6.5 and 9.3).

use crate::Core;
use crate::access::Access;
use crate::account::User;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::history::Stretch;
use crate::message::Message;
use crate::room::{Member, Room};
use crate::setting;
use crate::store::{history, members, reading};
use crate::time::Ms;

/// Which messages that are not read a member's counter counts (`Unread_Count_DM`). What makes a room stand
/// out is that there are any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// All of them.
    All,
    /// Those that mention the member or everyone, and one where the member marked the room as unread.
    Mentions,
}

/// A user's own view of a room, with the room.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The room, without its newest message.
    pub room: Room,
    /// The user's view of it.
    pub member: Member,
    /// Messages not read yet that count.
    pub unread: i64,
    /// Threads with replies that the user has not read.
    pub threads: Vec<UnreadThread>,
}

/// A thread with replies that a follower has not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnreadThread {
    /// The thread's root.
    pub root: String,
    /// A reply names the follower.
    pub named: bool,
    /// A reply names everyone.
    pub everyone: bool,
}

/// A membership that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its id.
    pub id: String,
    /// The room's.
    pub room: String,
    /// When.
    pub at: Ms,
}

impl Membership {
    pub(crate) fn new(room: Room, member: Member, counting: Counting) -> Self {
        let unread = member.counted(&room, counting);
        Self { room, member, unread, threads: Vec::new() }
    }
}

impl Core {
    /// Which unread messages count now.
    pub fn counting(&self) -> Counting {
        match self.settings().text(&setting::UNREAD_DM) {
            "mentions_only" => Counting::Mentions,
            _ => Counting::All,
        }
    }

    /// The caller's memberships that changed after `since` (all of them without it), in the order
    /// of their rooms' making; and those that ended since.
    pub async fn memberships(
        &self,
        caller: &Caller,
        since: Option<Ms>,
    ) -> Result<(Vec<Membership>, Vec<Ended>)> {
        let all =
            members::all(self.store(), caller.id(), since.unwrap_or(Ms::MIN), self.counting())
                .await?;
        let ended = match since {
            Some(since) => members::ended(self.store(), caller.id(), since).await?,
            None => Vec::new(),
        };
        Ok((all, ended))
    }

    /// Who has looked at a room since a time, with the accounts, in the order of joining. Where one of
    /// two blocked the other, neither is told when the other looks.
    pub async fn readers(&self, access: &Access, since: Ms) -> Result<Vec<(Member, Option<User>)>> {
        let mut found = members::readers(self.store(), &access.room.id, since).await?;
        let own = &access.member;
        if own.blocked || own.blocker {
            found.retain(|(member, _)| member.user == own.user);
        }
        Ok(found)
    }

    /// The caller's memberships that ended after `since`.
    pub async fn ended(&self, caller: &Caller, since: Ms) -> Result<Vec<Ended>> {
        members::ended(self.store(), caller.id(), since).await
    }

    /// The caller's membership in a room, if there is one.
    pub async fn membership(&self, caller: &Caller, room: &str) -> Result<Option<Membership>> {
        members::one(self.store(), caller.id(), room, self.counting()).await
    }

    /// All of a room is read now; its threads too, if `threads`.
    pub async fn mark_read(&self, caller: &Caller, access: &Access, threads: bool) -> Result<()> {
        let now = self.clock().now();
        reading::read(self.store(), &access.room.id, caller.id(), threads, now).await
    }

    /// A room is unread again: from this message on, which must be somebody else's
    /// ([`Error::NotAllowed`]), or from its newest; [`Error::NoMessage`] if there is none.
    pub async fn mark_unread(
        &self,
        caller: &Caller,
        access: &Access,
        from: Option<Message>,
    ) -> Result<()> {
        let from = match from {
            Some(message) if message.author.id == *caller.id() => return Err(Error::NotAllowed),
            Some(message) => message,
            None => {
                let newest = (0, 1);
                let (store, room) = (self.store(), &access.room.id);
                let found =
                    history::page(store, room, caller.id(), &Stretch::all(), newest).await?;
                found.into_iter().next().ok_or(Error::NoMessage)?
            }
        };
        let (seen, now) = (from.ts.saturating_sub(1), self.clock().now());
        reading::unread(self.store(), &access.room.id, caller.id(), seen, now).await
    }
}
