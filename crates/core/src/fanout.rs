//! From events to people: one task per node follows the published log, reads what each piece of it tells
//! of, and hands it to the sockets of those whom it concerns. Who is a member is read with the content,
//! after the event: whoever left is told nothing more (ruling A14). What is read is the newest, so a
//! piece with ten messages of a room tells of the room once, at its end.

mod piece;

use crate::bus::Bus;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::id::UserId;
use crate::notice::{Delivery, Notice, To, Topic};
use crate::store::{events, fanout};
use crate::time::{Clock, Ms};
use crate::{Core, Inner};
use piece::Audience;
use std::sync::{Arc, Weak};

/// Positions handed out at once: what a socket that reads has room for, whatever they tell of.
const PIECE: usize = 128;
/// Positions told at once on a socket, of what was missed.
const MISSED: i64 = 64;
/// How long to wait before trying a store again that did not answer, in milliseconds.
const RETRY: Ms = 500;

/// The task of one core; it ends with it.
pub(crate) struct Fanout {
    pub(crate) core: Weak<Inner>,
    pub(crate) bus: Arc<Bus>,
    pub(crate) clock: Clock,
}

/// What a user missed.
#[derive(Clone, Debug)]
pub struct Missed {
    /// In the order of the log.
    pub notices: Vec<Arc<Delivery>>,
    /// Up to where the log was looked through.
    pub position: i64,
    /// Is there more behind that?
    pub more: bool,
}

impl Fanout {
    /// Hands on everything after `position`.
    pub(crate) async fn run(self, mut position: i64) {
        let mut positions = self.bus.positions();
        self.bus.begin(position);
        loop {
            let published = *positions.borrow_and_update();
            if published <= position || self.bus.skip(published) {
                position = position.max(published);
                if positions.changed().await.is_err() {
                    return;
                }
                continue;
            }
            let Some(core) = self.core.upgrade().map(Core) else {
                return;
            };
            position = match core.hand_out((position, published)).await {
                Ok(reached) => reached,
                Err(Error::PositionTooOld) => {
                    self.bus.cut_all();
                    published
                }
                Err(error) => {
                    tracing::warn!(%error, "what happened cannot be told");
                    drop(core);
                    self.clock.sleep(RETRY).await;
                    position
                }
            };
        }
    }
}

impl Core {
    /// Hands out the next piece of the log after `from`, of what is published; where it ends.
    async fn hand_out(&self, (from, published): (i64, i64)) -> Result<i64> {
        let bus = &self.0.bus;
        let (events, more) = match bus.since(from, PIECE) {
            Some(events) => {
                let more = (events.len() == PIECE).then(|| events.last().map(|e| e.position));
                (events, more.flatten())
            }
            None => self.read_log(from).await?,
        };
        let published = more.unwrap_or(published).min(published);
        let events = events.iter().filter(|event| event.position <= published);
        let events: Vec<Event> = events.map(|event| (**event).clone()).collect();
        let end = published;
        bus.begin(end);
        let here = |user: &UserId| bus.has(user);
        let mut told = self.told_of(&events, Audience { here: &here, only: None }).await?;
        told.push((To::All(Topic::Position), Delivery::new(Notice::Position(end))));
        bus.hand_out(end, &told).await;
        Ok(end)
    }

    /// The log after `from`, for who does not follow it closely; and where this piece of it ends, if
    /// there may be more behind.
    async fn read_log(&self, from: i64) -> Result<(Vec<Arc<Event>>, Option<i64>)> {
        let (tail, floor) = events::since(self.store(), from, PIECE).await?;
        if from.saturating_add(1) < floor {
            return Err(Error::PositionTooOld);
        }
        let last = tail.events.last().map(|(position, _)| *position);
        let more = last.filter(|_| tail.events.len() == PIECE);
        Ok((tail.events.into_iter().filter_map(|(_, event)| event.map(Arc::new)).collect(), more))
    }

    /// What the caller missed after `since`, up to `until` or what is published: of the rooms it is in
    /// now, in the order of the log. [`Error::PositionTooOld`] where the log does not reach back so far.
    pub async fn missed(&self, caller: &Caller, since: i64, until: Option<i64>) -> Result<Missed> {
        let published = self.0.bus.position();
        // Who is told it on a socket that may break off gets it in pieces that it can go on from.
        let window = if until.is_some() { MISSED } else { fanout::WINDOW };
        let published = until.map_or(published, |until| until.min(published));
        let since = since.clamp(0, published);
        if since < published && since.saturating_add(1) < events::floor(self.store()).await? {
            return Err(Error::PositionTooOld);
        }
        let end = published.min(since.saturating_add(window));
        let mut notices = Vec::new();
        if since < end && self.may_read_rooms(caller.user()) {
            let events = fanout::missed(self.store(), caller.id(), (since, end)).await?;
            let here = |user: &UserId| user == caller.id();
            let only = Some(caller.id());
            let told = self.told_of(&events, Audience { here: &here, only }).await?;
            notices = told.into_iter().map(|(_, delivery)| delivery).collect();
        }
        Ok(Missed { notices, position: end, more: end < published })
    }

    /// The newest position of the log that this node has published.
    pub fn position(&self) -> i64 {
        self.0.bus.position()
    }
}
