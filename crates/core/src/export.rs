//! Exports of a room's messages: ordered by a member who may mail messages, made by a worker of whichever
//! node is free, and kept in the store for some days. Nothing of them is in files, so that every node gives
//! what another made, and an order that a crash left behind is taken up again. How an export looks is the
//! face's: it gives the worker its [`Writer`], and its word for how it ended.

mod worker;

use crate::access::Access;
use crate::caller::{Admin, Caller, Perm};
use crate::error::{Error, Result};
use crate::id::{RoomId, UserId};
use crate::message::Message;
use crate::room::Room;
use crate::store::exports;
use crate::time::Ms;
use crate::{Core, setting};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// Orders of one account, and of all, that may wait.
pub(crate) const MOST_WAITING_OF_ONE: i64 = 3;
pub(crate) const MOST_WAITING: i64 = 1000;
/// Exports of one account that are kept: the oldest go.
pub(crate) const MOST_KEPT: i64 = 10;

/// What somebody orders.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// How it shall look, by a name that the face's writer knows.
    pub format: &'static str,
    /// Messages not before this; `None` for no bound.
    pub from: Option<Ms>,
    /// Messages not after this; `None` for all that there are when it is made.
    pub to: Option<Ms>,
}

/// An export.
#[derive(Clone, Debug)]
pub struct Export {
    /// Its id: 128 bits of chance.
    pub id: String,
    /// Who ordered it: nobody else gets it.
    pub owner: UserId,
    /// The room.
    pub room: RoomId,
    /// How it looks.
    pub format: String,
    /// Messages not before this.
    pub from: Option<Ms>,
    /// Messages not after this.
    pub to: Option<Ms>,
    /// When it was ordered.
    pub asked: Ms,
    /// Bytes, once it is made.
    pub size: i64,
    /// Pieces that [`Core::export_part`] gives, once it is made.
    pub parts: i64,
}

/// An order in the hands of one attempt to make it.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) export: Export,
    /// The attempt's own name.
    pub(crate) holder: String,
    /// The how manieth it is.
    pub(crate) tries: i64,
}

/// How an order ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It is there.
    Ready,
    /// The room is gone, or its owner may not export it any more.
    NoAccess,
    /// It would be larger than the setting allows.
    TooLarge {
        /// Bytes allowed.
        max: i64,
    },
    /// It could not be made, however often it was tried.
    GivenUp,
}

/// How a face writes an export, a piece after the other.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    /// What comes before the messages.
    pub head: fn(&mut String, &Export, &Room),
    /// A message, oldest first; the flag says that it is the first one.
    pub message: fn(&mut String, &Export, &Message, bool),
    /// What comes after them.
    pub foot: fn(&mut String, &Export),
    /// What its owner is told at the end; the text is the site's address.
    pub word: fn(&Export, Ending, &str) -> String,
}

/// Wakes the worker of this node.
#[derive(Default)]
pub(crate) struct Orders {
    wake: Notify,
    begun: AtomicBool,
}

impl Core {
    /// Takes an order for an export of a room that the caller is in. It is on disk, and in the audit, when
    /// this returns, and is made later. [`Error::BadRange`], [`Error::TooManyExports`].
    pub async fn order_export(
        &self,
        admin: Admin<'_>,
        ip: &str,
        access: &Access,
        wanted: Wanted,
    ) -> Result<()> {
        admin.holds(Perm::MailMessages)?;
        if wanted.from.zip(wanted.to).is_some_and(|(from, to)| from > to) {
            return Err(Error::BadRange);
        }
        let (room, now) = (&access.room.id, self.clock().now());
        let new = Export {
            id: self.chance().key(),
            owner: admin.caller.id().clone(),
            room: room.clone(),
            format: wanted.format.to_owned(),
            from: wanted.from,
            to: wanted.to,
            asked: now,
            size: 0,
            parts: 0,
        };
        let detail = json!({"export": new.id, "format": new.format, "oldest": new.from,
            "newest": new.to});
        let entry = self.entry(admin.caller, ip, ("rooms.export", Some(room.to_string())), &detail);
        exports::add(self.store(), &new, &entry).await.map_err(|error| match error {
            // One change holds both rows: what keeps either off keeps the audit's off (ruling B12).
            Error::Internal(why) | Error::Unavailable(why) => Error::Unaudited(why),
            other => other,
        })?;
        self.0.orders.wake.notify_one();
        Ok(())
    }

    /// The caller's own export of this id, made and not too old: [`Error::NoExport`] for any other.
    pub async fn export(&self, caller: &Caller, id: &str) -> Result<Export> {
        let found = exports::find(self.store(), id, caller.id(), self.clock().now()).await?;
        found.ok_or(Error::NoExport)
    }

    /// The piece of this number, from 0: [`Error::NoExport`] if the export went meanwhile.
    pub async fn export_part(&self, export: &Export, n: i64) -> Result<String> {
        exports::part(self.store(), &export.id, n).await?.ok_or(Error::NoExport)
    }

    /// Has the exports that are ordered made here, from now on, written like this; to be called where
    /// tasks can be spawned. Nothing happens if that was begun before.
    pub fn begin_exports(&self, writer: Writer) {
        if self.0.orders.begun.swap(true, Ordering::Relaxed) {
            return;
        }
        let worker = worker::Worker {
            core: Arc::downgrade(&self.0),
            orders: self.0.orders.clone(),
            clock: self.clock().clone(),
            writer,
        };
        self.0.add_task(tokio::spawn(worker.run()));
    }

    /// How long exports are kept, in milliseconds.
    fn export_life(&self) -> Ms {
        self.settings().number(&setting::EXPORT_DAYS).clamp(1, 3650) * 86_400_000
    }
}
