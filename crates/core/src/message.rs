//! A message, and reading them: one by id, a room's by page. JSON that is only carried (`md`,
//! `urls`, `attachments`, …) stays the text it was stored as; a face writes it out as it is.

use crate::access::Access;
use crate::caller::Caller;
use crate::error::{Error, Feature, Result};
use crate::id::{MessageId, RoomId, UserId};
use crate::list::{Document, ListQuery, Marks, Page};
use crate::store::messages;
use crate::time::Ms;
use crate::{Admin, Core, Perm, audit, setting};

/// Who wrote a message, as known when it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Author {
    /// The account.
    pub id: UserId,
    /// Its username then.
    pub username: String,
    /// Its name then; absent on old imports.
    pub name: Option<String>,
}

/// A message as stored, and the reader's own star on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its id: the client's own, or one made here.
    pub id: MessageId,
    /// Its room.
    pub room: RoomId,
    /// Who wrote it.
    pub author: Author,
    /// When: strictly rising within a room.
    pub ts: Ms,
    /// When it last changed.
    pub updated: Ms,
    /// `None` for an ordinary message, else the kind of system message.
    pub kind: Option<String>,
    /// The text as written.
    pub msg: String,
    /// JSON array of the mentioned, if the document has the key.
    pub mentions: Option<String>,
    /// JSON object of carried members.
    pub body: String,
    /// JSON object of reactions by short name.
    pub reactions: Option<String>,
    /// The thread's root, of a reply.
    pub thread: Option<MessageId>,
    /// A reply that is shown in the room too.
    pub tshow: Option<bool>,
    /// Replies, of a root.
    pub tcount: Option<i64>,
    /// The newest reply's time, of a root.
    pub tlm: Option<Ms>,
    /// JSON array of followers, of a root.
    pub replies: Option<String>,
    /// `Some(false)` after a pin was taken off.
    pub pinned: Option<bool>,
    /// When it was pinned.
    pub pinned_at: Option<Ms>,
    /// JSON object: who pinned it.
    pub pinned_by: Option<String>,
    /// When it was edited.
    pub edited_at: Option<Ms>,
    /// JSON object: who edited it.
    pub edited_by: Option<String>,
    /// The hash of its text as first sent, once it was edited.
    pub origin: Option<String>,
    /// The reader, if the reader starred it. Other people's stars are never read.
    pub starred_by: Option<UserId>,
}

impl Message {
    /// Is this what stays of a deleted message?
    pub(crate) fn is_stub(&self) -> bool {
        self.kind.as_deref() == Some("rm")
    }

    /// Was this its text when it was sent? An edited message knows the hash of that.
    pub(crate) fn is_of(&self, text: &str) -> bool {
        match &self.origin {
            None => self.msg == text,
            Some(origin) => *origin == crate::edit::origin(text),
        }
    }
}

impl Core {
    /// The messages of a room, newest first or as the query says.
    pub async fn messages(
        &self,
        caller: &Caller,
        access: &Access,
        query: &ListQuery,
        marks: &Marks,
        document: Document<Message>,
    ) -> Result<Page<Message>> {
        let (store, room) = (self.store(), &access.room.id);
        let page = messages::list(store, room, caller.id(), query, marks, document).await?;
        self.show_page(page).await
    }

    /// Anybody's direct messages, for who may read them (`dm.messages.others`): permission, then
    /// the setting, then the room, as the contract orders them. The answer exists only if its
    /// row in the audit does (ruling B12).
    pub async fn messages_of_others(
        &self,
        admin: Admin<'_>,
        ip: &str,
        room: Option<&str>,
        query: &ListQuery,
        document: Document<Message>,
    ) -> Result<Page<Message>> {
        admin.holds(Perm::ViewRoomAdministration)?;
        if !self.settings().on(&setting::DM_HISTORY) {
            return Err(Error::SwitchedOff(Feature::OthersMessages));
        }
        let room = room.ok_or(Error::Bad("roomId"))?;
        let found = crate::store::rooms::by_id(self.store(), room).await?;
        let Some(found) = found.filter(|found| found.kind == "d") else {
            return Err(Error::NoDirectRoom(RoomId::from(room)));
        };
        let reader = admin.caller.id();
        let page =
            messages::list(self.store(), &found.id, reader, query, &Marks::default(), document)
                .await?;
        let times = page.items.iter().map(|message| message.ts);
        // Where all is given, nobody knows yet where it begins.
        let oldest = times.clone().min().filter(|_| page.more.is_none());
        let range = (oldest, times.max());
        let read = audit::Read { action: "dm.messages.others", room: Some(found.id), query, range };
        self.audit(admin, ip, read, audit::given(&page, query)).await?;
        self.show_page(page).await
    }

    /// One message, if the caller may read its room. `None` for a foreign one and for none alike.
    pub async fn message(&self, caller: &Caller, id: &str) -> Result<Option<(Message, Access)>> {
        let Some(message) = messages::by_id(self.store(), id, caller.id()).await? else {
            return Ok(None);
        };
        match self.access(caller, message.room.as_str()).await {
            Ok(access) => Ok(Some((message, access))),
            Err(Error::NoRoom | Error::NoAccess | Error::NotAllowed) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Top-level messages of a room, newest first, before the message `before` if it is given;
    /// [`Error::NoMessage`] if that is not a message of this room.
    pub async fn messages_before(
        &self,
        caller: &Caller,
        access: &Access,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Message>> {
        let store = self.store();
        let from = match before {
            None => (Ms::MAX, MessageId::from("")),
            Some(id) => {
                let found = messages::by_id(store, id, caller.id()).await?;
                let found = found.filter(|found| found.room == access.room.id);
                found.map(|found| (found.ts, found.id)).ok_or(Error::NoMessage)?
            }
        };
        let place = (from.0, from.1.as_str());
        messages::page(store, &access.room.id, caller.id(), place, limit).await
    }
}
