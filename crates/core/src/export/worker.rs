//! Who makes the exports of a node: one at a time, in bounded memory, page by page into parts. An order is
//! held by a lease that every part renews; an attempt whose process died is followed by another when that
//! is over. The last change ends the order and tells its owner, so that both happen once or not at all.

use super::{Ending, Job, Orders, Writer};
use crate::account::{ROCKET_CAT, User};
use crate::caller::Perm;
use crate::content::Mentions;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::room::Room;
use crate::send::{Draft, NewMessage};
use crate::store::exports::{self, End};
use crate::store::{rooms, users};
use crate::time::{Clock, Ms};
use crate::{Core, Inner, setting};
use std::sync::{Arc, Weak};

/// The largest part, in bytes.
const PART: usize = 256 * 1024;
/// Messages read at once.
const PAGE: usize = 20;
/// How long an order is held without a sign of life, in milliseconds.
const LEASE: Ms = 60_000;
/// Attempts before an order is given up.
const MOST_TRIES: i64 = 3;
/// How long to wait after a fault of the store, in milliseconds.
const RETRY: Ms = 1000;
/// How often orders of other nodes are looked for, and how long nothing at all may be looked for.
const POLL: Ms = 5000;
const HOUR: Ms = 3_600_000;

/// The worker of one core; it ends with it.
pub(super) struct Worker {
    pub(super) core: Weak<Inner>,
    pub(super) orders: Arc<Orders>,
    pub(super) clock: Clock,
    pub(super) writer: Writer,
}

impl Worker {
    pub(super) async fn run(self) {
        let mut fresh = true;
        // Held while there is something to do, and not while waiting for it.
        while let Some(core) = self.core.upgrade().map(Core) {
            let until = match core.make_exports(&self.writer, &mut fresh).await {
                Ok(until) => until,
                Err(error) => {
                    tracing::warn!(%error, "exports cannot be made");
                    self.clock.now() + RETRY
                }
            };
            drop(core);
            tokio::select! {
                () = self.orders.wake.notified() => {}
                () = self.clock.sleep_until(until) => {}
            }
        }
    }
}

/// Why an attempt ends before there is an export.
enum Stop {
    /// The order ends with it.
    Ended(Ending),
    /// Another attempt may go on.
    Fault(Error),
}

type Attempt<T> = std::result::Result<T, Stop>;

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

/// An export being written.
struct Book<'a> {
    core: &'a Core,
    job: &'a Job,
    text: String,
    size: usize,
    parts: i64,
    most: usize,
    /// When the lease was last renewed.
    held: Ms,
}

impl Book<'_> {
    /// Writes the parts that are full; all that there is, if `all`.
    async fn flush(&mut self, all: bool) -> Attempt<()> {
        if self.size + self.text.len() > self.most {
            let max = i64::try_from(self.most).unwrap_or(i64::MAX);
            return Err(Stop::Ended(Ending::TooLarge { max }));
        }
        let now = self.core.clock().now();
        let (mut rest, store) = (self.text.as_str(), self.core.store());
        while rest.len() >= PART || (all && !rest.is_empty()) {
            let (part, behind) = rest.split_at(rest.floor_char_boundary(PART));
            exports::add_part(store, self.job, self.parts, part, now + LEASE).await?;
            self.parts += 1;
            self.size += part.len();
            self.held = now;
            rest = behind;
        }
        let written = self.text.len() - rest.len();
        self.text.drain(..written);
        if now - self.held > LEASE / 4 {
            exports::renew(store, self.job, now + LEASE).await?;
            self.held = now;
        }
        Ok(())
    }
}

impl Core {
    /// Does one thing that is due, if there is one; returns when to look again. `fresh` says that the
    /// worker has just begun.
    pub(crate) async fn make_exports(&self, writer: &Writer, fresh: &mut bool) -> Result<Ms> {
        let store = self.store();
        if *fresh && !store.is_shared() {
            // Nobody else can be at it: whoever was is gone.
            exports::free(store).await?;
        }
        *fresh = false;
        let now = self.clock().now();
        let most = now + if store.is_shared() { POLL } else { HOUR };
        let next = exports::next(store).await?.map_or(most, |next| next.min(most));
        if next > now {
            return Ok(next);
        }
        match exports::take(store, &self.chance().key(), now, now + LEASE).await? {
            Some(job) => self.make(writer, &job).await?,
            None => exports::sweep(store, now).await?,
        }
        Ok(now)
    }

    /// One attempt.
    async fn make(&self, writer: &Writer, job: &Job) -> Result<()> {
        let Some(owner) = users::by_id(self.store(), &job.export.owner).await? else {
            return Ok(()); // the order went with its owner
        };
        let made = if job.tries > MOST_TRIES {
            Err(Stop::Ended(Ending::GivenUp))
        } else {
            self.write_export(writer, job, &owner).await
        };
        let mut ended = match made {
            Ok((size, parts)) => {
                let goes = self.clock().now() + self.export_life();
                let end = End::Done { size, parts, goes };
                self.end(writer, job, &owner, (end, Ending::Ready)).await
            }
            Err(stop) => Err(stop),
        };
        if let Err(Stop::Ended(ending)) = ended {
            ended = self.end(writer, job, &owner, (End::Failed, ending)).await;
        }
        match ended {
            Ok(()) | Err(Stop::Ended(_)) => Ok(()),
            Err(Stop::Fault(Error::NoExport)) => {
                tracing::warn!("another attempt took an export over");
                Ok(())
            }
            Err(Stop::Fault(error)) => Err(error),
        }
    }

    /// The room, if its owner may export it now.
    async fn exportable(&self, job: &Job, owner: &User) -> Attempt<Room> {
        let may =
            owner.active && self.holds(owner, Perm::MailMessages) && self.may_read_rooms(owner);
        let found = rooms::with_member(self.store(), job.export.room.as_str(), &owner.id).await?;
        found.filter(|_| may).map(|(room, _)| room).ok_or(Stop::Ended(Ending::NoAccess))
    }

    /// Writes an export's parts; returns its size and their number.
    async fn write_export(&self, writer: &Writer, job: &Job, owner: &User) -> Attempt<(i64, i64)> {
        let (store, export) = (self.store(), &job.export);
        let room = self.exportable(job, owner).await?;
        let now = self.clock().now();
        while exports::clear(store, job, now + LEASE).await? > 0 {}
        let newest = exports::newest(store, &room.id).await?;
        let until = newest.ok_or(Stop::Ended(Ending::NoAccess))?.min(export.to.unwrap_or(Ms::MAX));
        let most = self.settings().number(&setting::EXPORT_BYTES).clamp(1024, 1 << 40);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let mut book =
            Book { core: self, job, text: String::new(), size: 0, parts: 0, most, held: now };
        (writer.head)(&mut book.text, export, &room);
        let (mut place, mut limit) = ((export.from.unwrap_or(Ms::MIN), String::new()), PAGE);
        let mut first = true;
        loop {
            let after = (place.0, place.1.as_str());
            let page = exports::page(store, (&room.id, &owner.id), after, until, limit).await;
            let page = match page {
                // A page of very large messages: one by one, then.
                Err(Error::TooBroad { .. }) if limit > 1 => {
                    limit = 1;
                    continue;
                }
                page => page?,
            };
            for message in &page {
                (writer.message)(&mut book.text, export, message, first);
                first = false;
            }
            book.flush(false).await?;
            match page.last().filter(|_| page.len() == limit) {
                Some(last) => place = (last.ts, last.id.to_string()),
                None => break,
            }
        }
        (writer.foot)(&mut book.text, export);
        book.flush(true).await?;
        Ok((i64::try_from(book.size).unwrap_or(i64::MAX), book.parts))
    }

    /// Ends an order, and tells its owner in the same change. Whoever does not want to hear the bot is
    /// not told.
    async fn end(
        &self,
        writer: &Writer,
        job: &Job,
        owner: &User,
        (end, ending): (End, Ending),
    ) -> Attempt<()> {
        let settings = self.settings();
        let site = settings.text(&setting::SITE_URL).trim_end_matches('/');
        let text = (writer.word)(&job.export, ending, site);
        for silent in [false, false, true] {
            let word = if silent { None } else { self.word(owner, &text).await? };
            let ended = exports::end(self.store(), job, end, word.as_ref(), self.clock().now());
            match ended.await {
                Err(Error::NoAccess) => return Err(Stop::Ended(Ending::NoAccess)),
                // The owner blocks the bot, or their room went while this was written.
                Err(Error::Blocked | Error::ReadOnly | Error::DuplicateMessage)
                    if word.is_some() => {}
                other => return Ok(other?),
            }
        }
        Ok(())
    }

    /// What the bot says to an account, in the room of the two; `None` where there can be none.
    async fn word(&self, owner: &User, text: &str) -> Result<Option<Draft>> {
        let cat = users::by_id(self.store(), &UserId::from(ROCKET_CAT)).await?;
        let Some(cat) = cat.filter(|cat| cat.id != owner.id) else {
            return Ok(None);
        };
        let room = match self.open_among(&cat, vec![owner.clone()], false).await {
            Ok(opened) => opened.room,
            Err(Error::NoUser) => return Ok(None),
            Err(other) => return Err(other),
        };
        let body = self.own_words(&NewMessage::text(text));
        Ok(Some(Draft {
            id: self.chance().id(self.clock().now()).into(),
            room: room.id,
            author: cat.id,
            kind: None,
            msg: text.to_owned(),
            mentions: Mentions { json: Some("[]".to_owned()), ..Mentions::default() },
            body,
            thread: None,
            tshow: false,
            although_read_only: true,
            key: None,
            previews: false,
        }))
    }
}
