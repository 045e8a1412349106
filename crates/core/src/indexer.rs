//! The one indexer of a node: it fills the index of searches behind the senders, never for them. It
//! follows the event log to the rooms where something was written, and reads there what the index does
//! not cover; a walk through all rooms replaces the log where that was trimmed, or tells nothing (an
//! import, an older store). Nodes share their places in both, and each step is made by one of them.
//! While others write it takes a small part of the time only: a search reads what is not covered.

use crate::bus::Bus;
use crate::error::{Error, Result};
use crate::event::Kind;
use crate::id::Chance;
use crate::live::Live;
use crate::setting;
use crate::store::terms::{self, Move, Step};
use crate::store::{Store, events};
use crate::time::{Clock, Ms};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::watch;

/// Messages of one change: more hold the writer up, fewer cost more.
const PACK: usize = 128;
/// Rooms that the log is followed to together.
const ROOMS: usize = 32;
/// How long messages are left to gather, in milliseconds: many of one room cost less than as many of one
/// each.
const GATHER: Ms = 2000;
/// How often a walk is looked for that nothing tells of, in milliseconds.
const LOOK: Ms = 30_000;
/// How long to wait after another node was faster, or a text changed meanwhile, in milliseconds.
const AGAIN: Ms = 20;
/// How long to wait before trying a store again that did not answer, in milliseconds.
const RETRY: Ms = 500;
/// Changes of others during a step that make it one among many.
const FEW: i64 = 4;
/// How many times as long as a step others have the store for themselves then.
const REST: Ms = 15;

/// How far the index is.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// The newest wish that was heard before the indexer looked.
    wish: u64,
    /// Everything up to this position of the log is covered.
    position: i64,
}

/// The core's end: wishes to have everything covered now, and how far it is.
pub(crate) struct Index {
    wishes: watch::Sender<u64>,
    progress: watch::Receiver<Progress>,
}

impl Index {
    /// Has the indexer look now; the number of this wish.
    pub(crate) fn wish(&self) -> u64 {
        let mut wish = 0;
        self.wishes.send_modify(|wishes| {
            *wishes += 1;
            wish = *wishes;
        });
        wish
    }

    /// Waits until a wish was heard and a position is covered; an error when the indexer is gone.
    pub(crate) async fn covered(&self, wish: u64, position: i64) -> Result<()> {
        let mut progress = self.progress.clone();
        let covered = progress.wait_for(|now| now.wish >= wish && now.position >= position);
        covered.await.map(drop).map_err(Error::unavailable)
    }
}

pub(crate) struct Indexer {
    store: Store,
    live: Arc<Live>,
    bus: Arc<Bus>,
    wishes: watch::Receiver<u64>,
    progress: watch::Sender<Progress>,
    /// The machine's, whatever clock a test has set: what it bounds is work.
    clock: Clock,
}

impl Indexer {
    pub(crate) fn new(store: Store, live: Arc<Live>, bus: Arc<Bus>) -> (Self, Index) {
        let (wishes, heard) = watch::channel(0);
        let (progress, seen) = watch::channel(Progress::default());
        let clock = Clock::default();
        let indexer = Self { store, live, bus, wishes: heard, progress, clock };
        (indexer, Index { wishes, progress: seen })
    }

    /// Follows the log for as long as the core lives.
    pub(crate) async fn run(mut self) {
        let mut positions = self.bus.positions();
        loop {
            let wish = *self.wishes.borrow_and_update();
            positions.borrow_and_update();
            match self.cover().await {
                Ok(position) => {
                    self.progress.send_replace(Progress { wish, position });
                    self.wait(&mut positions).await;
                }
                // Another node was faster, or a text changed under the step.
                Err(Error::PositionTooOld | Error::NoRoom) => self.clock.sleep(AGAIN).await,
                Err(error) => {
                    tracing::warn!(%error, "the index of searches cannot be filled");
                    self.clock.sleep(RETRY).await;
                }
            }
        }
    }

    /// Waits for the log to grow and then a little, or for somebody who does not want to wait.
    async fn wait(&mut self, positions: &mut watch::Receiver<i64>) {
        let grown = async {
            if positions.changed().await.is_ok() {
                self.clock.sleep(GATHER).await;
            }
        };
        tokio::select! {
            () = grown => {}
            () = self.clock.sleep(LOOK) => {}
            heard = self.wishes.changed() => if heard.is_err() {
                // The core is gone, and ends this task.
                std::future::pending::<()>().await;
            },
        }
    }

    /// Covers everything that was published by now, and every walk; returns how far in the log.
    async fn cover(&self) -> Result<i64> {
        // What comes later is left to gather.
        let published = self.bus.position();
        loop {
            if !self.live.settings().on(&setting::SEARCH_INDEX) {
                if !terms::clear(&self.store).await? {
                    return Ok(i64::MAX);
                }
                continue;
            }
            let places = terms::places(&self.store).await?;
            let Some(was) = places.position else {
                terms::begin(&self.store, None, published, &walk()).await?;
                continue;
            };
            let position: i64 = was.parse().map_err(Error::internal)?;
            let (tail, floor) = events::since(&self.store, position, events::PAGE).await?;
            if position.saturating_add(1) < floor {
                terms::begin(&self.store, Some(&was), published, &walk()).await?;
                continue;
            }
            let (mut reached, mut rooms) = (position, BTreeSet::new());
            for (at, event) in tail.events.into_iter().take_while(|(at, _)| *at <= published) {
                let kind = event.as_ref().map(|event| event.kind);
                if let Some(Kind::MessageNew | Kind::MessageChanged | Kind::MessageDeleted) = kind {
                    rooms.extend(event.and_then(|event| event.room).map(|room| room.to_string()));
                }
                reached = at;
                if rooms.len() >= ROOMS {
                    break;
                }
            }
            if reached > position {
                let moved = Move::position(&was, reached);
                self.rooms(rooms.into_iter().collect(), Some(moved)).await?;
            }
            if let Some(walk) = &places.walk {
                self.walk(walk).await?;
            } else if reached == position {
                return Ok(position.max(published));
            }
        }
    }

    /// The next rooms of a walk.
    async fn walk(&self, walk: &str) -> Result<()> {
        let (name, cursor) = walk.split_once(' ').unwrap_or((walk, ""));
        let (behind, last) = terms::rooms(&self.store, cursor).await?;
        for rooms in behind.chunks(ROOMS) {
            self.rooms(rooms.to_vec(), None).await?;
        }
        let next = last.map(|last| format!("{name} {last}"));
        terms::write(&self.store, Vec::new(), Some(Move::walk(walk, next.as_deref()))).await
    }

    /// Covers these rooms, which are in order, in as many steps as it takes; the last one moves on.
    async fn rooms(&self, rooms: Vec<String>, mut moved: Option<Move>) -> Result<()> {
        let most = (PACK / rooms.len().max(1)).max(8);
        let mut left: Vec<(String, usize)> = rooms.into_iter().map(|room| (room, most)).collect();
        loop {
            let (began, position) = (self.clock.now(), self.bus.position());
            let (mut steps, mut messages) = (Vec::new(), 0);
            let mut rest = Vec::new();
            for (room, most) in left {
                if messages >= PACK {
                    rest.push((room, most));
                    continue;
                }
                if let Some(step) = self.read(&room, most).await? {
                    if !step.whole {
                        rest.push((room, if step.stuck { most.saturating_mul(4) } else { most }));
                    }
                    messages += step.messages();
                    steps.push(step);
                }
            }
            rest.sort_unstable();
            let last = rest.is_empty();
            // A room in which nothing was found is as far as it was.
            steps.retain(|step| step.messages() > 0);
            terms::write(&self.store, steps, moved.take_if(|_| last)).await?;
            if self.bus.position() - position > FEW {
                let took = (self.clock.now() - began).clamp(1, RETRY);
                self.clock.sleep(took * REST).await;
            }
            if last {
                return Ok(());
            }
            left = rest;
        }
    }

    /// One room. One that cannot be read stays as it is, and holds up no other: its messages are
    /// searched as they are.
    async fn read(&self, room: &str, most: usize) -> Result<Option<Step>> {
        match terms::read(&self.store, room, crate::list::count(most)).await {
            Err(error @ (Error::Internal(_) | Error::TooBroad { .. })) => {
                tracing::warn!(%error, room, "a room cannot be covered by the index of searches");
                Ok(None)
            }
            other => other,
        }
    }
}

/// A name for a walk, so that one that began anew is not taken for the one before.
fn walk() -> String {
    Chance::default().token()
}
