//! Sending: the checks in the contract's order (section 7.3), the text parsed once, and one change.
//! Checks here give the precise refusal; the change checks the same rights again under the rows it
//! locks (ruling A5), so nothing that happens in between lets a message through.

use crate::access::Access;
use crate::bad_words::masked;
use crate::caller::{Caller, Perm};
use crate::content::Mentions;
use crate::error::{Error, Feature, Result};
use crate::id::{MessageId, RoomId, UserId, is_id};
use crate::list::count;
use crate::message::{Author, Message};
use crate::preview::Job;
use crate::store::{messages, rooms};
use crate::time::Ms;
use crate::{Core, setting};
use serde_json::{Map, Value};

/// Members carried with one message, as JSON, in bytes: a page of messages must fit in memory.
pub(crate) const MAX_CARRIED: usize = 64 * 1024;
/// A client's own time may be off by this much, in milliseconds.
const OUT_OF_SYNC: Ms = 60_000;
/// The longest key of a client's own for a send, in characters.
pub const MAX_KEY: usize = 64;

/// Which limit the text is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextLimit {
    /// `Message_MaxAllowedSize`, in UTF-16 units.
    Utf16,
    /// `MeepaChat_Max_Content`, in Unicode scalars.
    Scalars,
}

/// What somebody wants to send.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The client's own id for it; `None` for one made here.
    pub id: Option<String>,
    /// The text.
    pub text: String,
    /// `Some("e2e")` for an encrypted message; `None` for an ordinary one.
    pub kind: Option<String>,
    /// The message it answers.
    pub thread: Option<String>,
    /// Show the answer in the room too?
    pub tshow: bool,
    /// The time the client gives it: checked, then ignored (ruling A4).
    pub client_ts: Option<Ms>,
    /// The client's own key, so that a retry finds the first try.
    pub key: Option<String>,
    /// Members that are carried as they are; the face has checked them.
    pub body: Map<String, Value>,
    /// Only these URLs may be previewed; `None` for all.
    pub preview_urls: Option<Vec<String>>,
    /// Find URLs in the text?
    pub parse_urls: bool,
    /// How long may the text be?
    pub limit: TextLimit,
}

impl NewMessage {
    /// An ordinary message with this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            id: None,
            text: text.into(),
            kind: None,
            thread: None,
            tshow: false,
            client_ts: None,
            key: None,
            body: Map::new(),
            preview_urls: None,
            parse_urls: true,
            limit: TextLimit::Utf16,
        }
    }
}

/// A message that is stored.
#[derive(Clone, Debug)]
pub struct Sent {
    /// As stored.
    pub message: Message,
    /// It was stored before: this was a retry.
    pub replayed: bool,
}

/// A message ready to be written; time and names come from the store.
pub(crate) struct Draft {
    pub(crate) id: MessageId,
    pub(crate) room: RoomId,
    pub(crate) author: UserId,
    pub(crate) kind: Option<String>,
    pub(crate) msg: String,
    pub(crate) mentions: Mentions,
    pub(crate) body: String,
    pub(crate) thread: Option<MessageId>,
    pub(crate) tshow: bool,
    pub(crate) although_read_only: bool,
    pub(crate) key: Option<String>,
    /// Has it URLs that want previews?
    pub(crate) previews: bool,
}

impl Draft {
    pub(crate) fn into_message(self, sent: messages::Sent) -> Message {
        Message {
            id: self.id,
            room: self.room,
            author: Author { id: self.author, username: sent.username, name: sent.name },
            ts: sent.ts,
            updated: sent.ts,
            kind: self.kind,
            msg: self.msg,
            mentions: self.mentions.json,
            body: self.body,
            reactions: None,
            thread: self.thread,
            tshow: self.tshow.then_some(true),
            tcount: None,
            tlm: None,
            replies: None,
            pinned: None,
            pinned_at: None,
            pinned_by: None,
            edited_at: None,
            edited_by: None,
            origin: None,
            starred_by: None,
        }
    }
}

/// The size of carried members, in bytes.
pub(crate) fn size(body: &Map<String, Value>) -> usize {
    body.values().map(|value| value.to_string().len()).sum()
}

impl Core {
    /// Sends a message; on `Ok` it is on disk. Sending the same again (by id or by key) gives the
    /// stored message (ruling B9).
    pub async fn send(&self, caller: &Caller, access: &Access, new: NewMessage) -> Result<Sent> {
        let draft = self.draft(caller, access, new).await?;
        self.send_draft(caller, draft).await
    }

    /// Sends a message to several rooms. What one of them would refuse by what is known now is sent
    /// to none; what changes between this check and a room's own write stops the rest.
    pub async fn send_to_all(
        &self,
        caller: &Caller,
        rooms: &[&Access],
        new: &NewMessage,
    ) -> Result<Vec<Sent>> {
        let mut drafts = Vec::with_capacity(rooms.len());
        for access in rooms {
            drafts.push(self.draft(caller, access, new.clone()).await?);
        }
        let mut sent = Vec::with_capacity(drafts.len());
        for draft in drafts {
            sent.push(self.send_draft(caller, draft).await?);
        }
        Ok(sent)
    }

    /// Checks everything that can be known before the write.
    async fn draft(&self, caller: &Caller, access: &Access, new: NewMessage) -> Result<Draft> {
        self.check_text(&new)?;
        self.check_time(new.client_ts)?;
        let although_read_only = self.check_writable(caller, access)?;
        if new.id.as_deref().is_some_and(|id| !is_id(id)) {
            return Err(Error::BadId);
        }
        if new.key.as_ref().is_some_and(|key| key.is_empty() || key.chars().count() > MAX_KEY) {
            return Err(Error::Bad("clientId"));
        }
        let thread = self.thread_root(access, new.thread.as_deref()).await?;
        let new = match new.kind {
            // Nobody here can read it.
            Some(_) => new,
            None => NewMessage { text: masked(&self.settings(), new.text), ..new },
        };
        let content = self.read_text(caller, access, &new, &[]).await?;
        let now = self.clock().now();
        Ok(Draft {
            id: new.id.unwrap_or_else(|| self.chance().id(now)).into(),
            room: access.room.id.clone(),
            author: caller.id().clone(),
            kind: new.kind,
            msg: new.text,
            mentions: content.mentions,
            body: content.body,
            tshow: new.tshow && thread.is_some(),
            thread,
            although_read_only,
            key: new.key,
            previews: content.previews,
        })
    }

    async fn send_draft(&self, caller: &Caller, draft: Draft) -> Result<Sent> {
        match messages::send(self.store(), &draft, self.clock().now()).await {
            Ok(sent) => {
                let previews = draft.previews;
                let message = draft.into_message(sent);
                self.want_previews(&message, previews);
                Ok(Sent { message, replayed: false })
            }
            Err(refusal) => self.explain(caller, draft, refusal).await,
        }
    }

    /// Has the URLs of a message that is stored previewed, some time after.
    pub(crate) fn want_previews(&self, message: &Message, has_some: bool) {
        if has_some {
            let (message, author) = (message.id.clone(), message.author.id.clone());
            self.previews().want(Job { message, author });
        }
    }

    pub(crate) fn check_text(&self, new: &NewMessage) -> Result<()> {
        let settings = self.settings();
        if size(&new.body) > MAX_CARRIED {
            return Err(Error::TooLong { max: count(MAX_CARRIED) });
        }
        if new.text.contains('\0') {
            return Err(Error::Bad("msg"));
        }
        let (length, max) = match new.limit {
            TextLimit::Utf16 => {
                (new.text.encode_utf16().count(), settings.number(&setting::MAX_SIZE))
            }
            TextLimit::Scalars => {
                (new.text.chars().count(), settings.number(&setting::MEEPA_MAX_SIZE))
            }
        };
        if i64::try_from(length).unwrap_or(i64::MAX) > max {
            return Err(Error::TooLong { max });
        }
        Ok(())
    }

    fn check_time(&self, message: Option<Ms>) -> Result<()> {
        let server = self.clock().now();
        match message {
            Some(message) if message.abs_diff(server) > OUT_OF_SYNC.unsigned_abs() => {
                Err(Error::OutOfSync { message, server })
            }
            _ => Ok(()),
        }
    }

    /// May the caller write here? `true` if although the room is read-only.
    pub(crate) fn check_writable(&self, caller: &Caller, access: &Access) -> Result<bool> {
        let member = &access.member;
        if member.disabled {
            return Err(Error::NotAllowed);
        }
        if member.blocked || member.blocker {
            return Err(Error::Blocked);
        }
        let although = self.may(caller, Perm::PostReadonly);
        if access.room.read_only == Some(true) && !although {
            return Err(Error::ReadOnly);
        }
        Ok(although)
    }

    /// The root of the thread that a reply goes to: a reply to a reply goes to its root.
    async fn thread_root(
        &self,
        access: &Access,
        parent: Option<&str>,
    ) -> Result<Option<MessageId>> {
        let Some(parent) = parent else {
            return Ok(None);
        };
        if !self.settings().on(&setting::THREADS) {
            return Err(Error::SwitchedOff(Feature::Threads));
        }
        let found = messages::by_id(self.store(), parent, &access.member.user).await?;
        let found = found.filter(|found| found.room == access.room.id).ok_or(Error::NoThread)?;
        Ok(Some(found.thread.unwrap_or(found.id)))
    }

    /// A send that the store refused: a retry of what is stored, or the precise reason.
    async fn explain(&self, caller: &Caller, draft: Draft, refusal: Error) -> Result<Sent> {
        let store = self.store();
        let stored = match (&refusal, &draft.key) {
            (Error::DuplicateMessage, _) => {
                messages::by_id(store, draft.id.as_str(), caller.id()).await?
            }
            (Error::DuplicateKey, Some(key)) => {
                messages::by_key(store, caller.id(), &draft.room, key).await?
            }
            (Error::Blocked | Error::ReadOnly, _) => {
                // Whichever it was: is the membership still there, and what does it say now?
                let found = rooms::with_member(store, draft.room.as_str(), caller.id()).await?;
                let (room, member) = found.ok_or(Error::NotAllowed)?;
                self.check_writable(caller, &Access { room, member })?;
                return Err(refusal);
            }
            _ => return Err(refusal),
        };
        // Nothing under this id: then it was the account that may not write any more.
        let stored = stored.ok_or(Error::NotAllowed)?;
        let same = Some(stored).filter(|stored| {
            stored.author.id == draft.author
                && stored.room == draft.room
                && stored.is_of(&draft.msg)
                && stored.thread == draft.thread
        });
        same.map(|message| Sent { message, replayed: true }).ok_or(refusal)
    }
}
