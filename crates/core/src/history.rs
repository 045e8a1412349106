//! Reading a room by time (contract sections 5.9 and 9.1): a stretch of its messages, and what changed
//! or went since a client last asked.

use crate::access::Access;
use crate::caller::{Admin, Caller, Perm};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::list::{Page, Pieces, count};
use crate::message::Message;
use crate::room::{Member, Room};
use crate::store::{history, rooms};
use crate::time::Ms;
use crate::{Core, setting};
use serde_json::Value;

pub use crate::store::history::{Side, Stretch};

/// A page of a room's history.
pub struct History {
    /// Newest first.
    pub messages: Vec<Message>,
    /// What follows where all was asked for.
    pub more: Option<Pieces<Message>>,
    /// How many lie between the stretch's beginning and the oldest given, and the first of them;
    /// `None` if nobody asked.
    pub unread: Option<(i64, Option<Message>)>,
}

impl Core {
    /// A stretch of a room's messages, newest first. `unread` asks what was left out before them.
    pub async fn history(
        &self,
        caller: &Caller,
        access: &Access,
        mut stretch: Stretch,
        page: (i64, Option<i64>),
        unread: bool,
    ) -> Result<History> {
        let (store, room, reader) = (self.store(), &access.room.id, caller.id());
        stretch.hidden = self.hidden_kinds(access)?;
        let (offset, limit) = page;
        let at_once = limit.unwrap_or(history::PIECE);
        let messages = history::page(store, room, reader, &stretch, (offset, at_once)).await?;
        let messages = self.show(messages).await?;
        let full = count(messages.len()) == at_once;
        if let (None, true, Some(last)) = (limit, full, messages.last()) {
            stretch.before = Some((last.ts, last.id.to_string()));
            let more = Some(history::pieces(store, room, reader, stretch));
            let rest = self.show_page(Page { items: Vec::new(), total: 0, more }).await?;
            // Where all is given, nothing is left out.
            let unread = unread.then_some((0, None));
            return Ok(History { messages, more: rest.more, unread });
        }
        let unread = match messages.last() {
            Some(oldest) if unread && stretch.from > Ms::MIN && oldest.ts > stretch.from => {
                let before = Stretch { to: oldest.ts.saturating_sub(1), ..stretch };
                let (first, count) = history::oldest(store, room, reader, &before).await?;
                Some((count, self.show(first.into_iter().collect()).await?.pop()))
            }
            _ => unread.then_some((0, None)),
        };
        Ok(History { messages, more: None, unread })
    }

    /// A stretch of a room's messages, oldest first, `limit` at most.
    pub async fn history_up(
        &self,
        caller: &Caller,
        access: &Access,
        mut stretch: Stretch,
        limit: i64,
    ) -> Result<Vec<Message>> {
        stretch.hidden = self.hidden_kinds(access)?;
        let room = &access.room.id;
        let found = history::page_up(self.store(), room, caller.id(), &stretch, limit).await?;
        self.show(found).await
    }

    /// The oldest message of a stretch, and how many there are in it.
    pub async fn oldest(
        &self,
        caller: &Caller,
        access: &Access,
        mut stretch: Stretch,
    ) -> Result<(Option<Message>, i64)> {
        stretch.hidden = self.hidden_kinds(access)?;
        let (store, room) = (self.store(), &access.room.id);
        let (first, count) = history::oldest(store, room, caller.id(), &stretch).await?;
        Ok((self.show(first.into_iter().collect()).await?.pop(), count))
    }

    /// Kinds of system messages that a room does not show: its own list stands in place of the server's.
    fn hidden_kinds(&self, access: &Access) -> Result<Vec<String>> {
        let own = serde_json::from_str::<Value>(&access.room.body).map_err(Error::internal)?;
        Ok(match own["sysMes"].as_array() {
            Some(kinds) => kinds.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            None => self.settings().list(&setting::HIDDEN_KINDS),
        })
    }

    /// What was written or changed in a room after `since`, newest first, and what went, last first.
    pub async fn changes(
        &self,
        caller: &Caller,
        access: &Access,
        since: Ms,
    ) -> Result<(Vec<Message>, Vec<(String, Ms)>)> {
        let range = (since, Ms::MAX);
        let (store, room) = (self.store(), &access.room.id);
        let (changed, gone) = history::changes(store, room, caller.id(), range).await?;
        Ok((self.show(changed).await?, gone))
    }

    /// A page of what was written or changed in a room, by the time of that, nearest first.
    pub async fn changes_page(
        &self,
        caller: &Caller,
        access: &Access,
        side: Side,
        limit: i64,
    ) -> Result<Vec<Message>> {
        let (store, room) = (self.store(), &access.room.id);
        let found = history::changes_page(store, room, caller.id(), side, limit).await?;
        self.show(found).await
    }

    /// A page of what went from a room, by the time of that, nearest first.
    pub async fn goings_page(
        &self,
        access: &Access,
        side: Side,
        limit: i64,
    ) -> Result<Vec<(String, Ms)>> {
        history::goings(self.store(), &access.room.id, side, limit).await
    }

    /// Messages of a room that went after `since`, the last first, and how many in all.
    pub async fn deleted(
        &self,
        access: &Access,
        since: Ms,
        page: (i64, Option<i64>),
    ) -> Result<(Vec<(String, Ms)>, i64)> {
        history::gone(self.store(), &access.room.id, (since, Ms::MAX), page).await
    }

    /// A room as another of its members sees it, for who may administer rooms.
    pub async fn view_of(
        &self,
        admin: Admin<'_>,
        user: &UserId,
        room: &str,
    ) -> Result<(Room, Member)> {
        admin.holds(Perm::ViewRoomAdministration)?;
        rooms::with_member(self.store(), room, user).await?.ok_or(Error::NoAccess)
    }
}
