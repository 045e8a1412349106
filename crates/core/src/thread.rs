//! Threads (contract section 9.1): lists of them and of their replies, following and reading. A thread
//! is named by its root's id, and a foreign one is one that is not there.

use crate::access::Access;
use crate::caller::Caller;
use crate::error::{Error, Feature, Result};
use crate::list::{Document, ListQuery, Page};
use crate::message::Message;
use crate::store::threads;
use crate::time::Ms;
use crate::{Core, setting};
use parlance_query::Filter;
use serde_json::json;

pub use crate::store::threads::Roots;

/// What changed in a thread or in a room's threads, and what went.
pub type Changes = (Vec<Message>, Vec<(String, Ms)>);

impl Core {
    fn check_threads(&self) -> Result<()> {
        let on = self.settings().on(&setting::THREADS);
        if on { Ok(()) } else { Err(Error::SwitchedOff(Feature::Threads)) }
    }

    /// Threads of a room, those with the newest reply first.
    pub async fn threads(
        &self,
        caller: &Caller,
        access: &Access,
        which: Roots,
        query: &ListQuery,
        document: Document<Message>,
    ) -> Result<Page<Message>> {
        self.check_threads()?;
        let (store, room) = (self.store(), &access.room.id);
        let page = threads::roots(store, room, caller.id(), which, query, document).await?;
        self.show_page(page).await
    }

    /// The root of a thread, by the id of it or of one of its replies; [`Error::NoThread`] if there
    /// is none that the caller may read.
    pub async fn thread(&self, caller: &Caller, id: &str) -> Result<(Message, Access)> {
        self.check_threads()?;
        let (message, access) = self.message(caller, id).await?.ok_or(Error::NoThread)?;
        match &message.thread {
            None => Ok((message, access)),
            Some(root) => self.message(caller, root.as_str()).await?.ok_or(Error::NoThread),
        }
    }

    /// The replies of a thread, oldest first.
    pub async fn replies(
        &self,
        caller: &Caller,
        (root, access): &(Message, Access),
        query: &ListQuery,
        document: Document<Message>,
    ) -> Result<Page<Message>> {
        let place = (&root.id, &access.room.id);
        threads::replies(self.store(), place, caller.id(), query, document).await
    }

    /// A room's threads that changed after `since`, and what went of the room.
    pub async fn threads_since(
        &self,
        caller: &Caller,
        access: &Access,
        since: Ms,
    ) -> Result<Changes> {
        self.check_threads()?;
        let (mut changed, gone) = self.changes(caller, access, since).await?;
        changed.retain(|message| message.tcount.is_some());
        Ok((changed, gone))
    }

    /// The replies of a thread that changed after `since`, and what went of its room.
    pub async fn replies_since(
        &self,
        caller: &Caller,
        (root, access): &(Message, Access),
        since: Ms,
    ) -> Result<Changes> {
        let (mut changed, gone) = self.changes(caller, access, since).await?;
        changed.retain(|message| message.thread.as_ref() == Some(&root.id));
        Ok((changed, gone))
    }

    /// Has the caller follow a thread, or not any more.
    pub async fn follow(
        &self,
        caller: &Caller,
        (root, access): &(Message, Access),
        on: bool,
    ) -> Result<()> {
        let (place, now) = ((&root.id, &access.room.id), self.clock().now());
        threads::follow(self.store(), place, caller.id(), on, now).await
    }

    /// A thread is read by the caller.
    pub async fn read_thread(
        &self,
        caller: &Caller,
        (root, access): &(Message, Access),
    ) -> Result<()> {
        let (place, now) = ((&root.id, &access.room.id), self.clock().now());
        threads::read_by(self.store(), place, caller.id(), now).await
    }
}

/// A filter on messages whose text holds this text, in any case.
pub fn holding(text: &str) -> Result<Filter> {
    let pattern = regex::escape(text);
    let filter = json!({"msg": {"$regex": pattern, "$options": "i"}}).to_string();
    Ok(Filter::parse(&filter, &parlance_query::Limits::default())?)
}
