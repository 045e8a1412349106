//! The one publisher of a node: it tails the event log and hands events on in order (ruling A3).
//! On `PostgreSQL` a position may become visible before a lower one commits. A gap is therefore held
//! until every transaction that was running when it was seen has ended: then it is either filled or
//! was given up for good. Nothing is skipped, and nothing waits for a transaction that came later.

use crate::bus::Bus;
use crate::error::Error;
use crate::event::{Event, Kind};
use crate::id::UserId;
use crate::live::Live;
use crate::setting;
use crate::store::Store;
use crate::store::events::{self, Tail};
use crate::time::{Clock, Ms};
use std::collections::HashSet;
use std::sync::Arc;

/// How often a store that others write to is looked at, in milliseconds.
const POLL: Ms = 250;
/// How long a gap is waited for at first, in milliseconds; twice as long each time, up to [`POLL`].
const FIRST_PAUSE: Ms = 5;
/// How long to wait before trying a store again that did not answer, in milliseconds.
const RETRY: Ms = 500;
/// Trim the log once per this many events.
const TRIM_EVERY: usize = 10_000;

pub(crate) struct Publisher {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) live: Arc<Live>,
    pub(crate) bus: Arc<Bus>,
}

impl Publisher {
    /// Publishes everything after `position`, for as long as the core lives.
    pub(crate) async fn run(self, position: i64) {
        let mut gate = Gate { position, ..Gate::default() };
        // What is still on its way below the first position will not be among the events.
        let mut settling = Some(self.bound().await);
        // A node that is restarted often trims too.
        let mut since_trim = TRIM_EVERY;
        let mut looked = self.clock.now();
        let mut early = HashSet::new();
        let mut pause = FIRST_PAUSE;
        loop {
            // Before anything is handed on: who hears of an event finds the log as the settings want it.
            if since_trim >= TRIM_EVERY {
                since_trim = 0;
                self.trim().await;
            }
            let tail = match events::after(&self.store, gate.position).await {
                Ok(tail) => tail,
                Err(error) => {
                    self.wait_for_store(&error).await;
                    continue;
                }
            };
            if let Some(bound) = settling
                && (tail.horizon >= bound || self.clock.now() - looked >= POLL)
            {
                // Until all of them have ended, what they end or change is looked for again and again.
                self.catch_up().await;
                looked = self.clock.now();
                settling = settling.filter(|_| tail.horizon < bound);
            }
            let ready = gate.pass(tail);
            let unheld = gate.gap && gate.held.is_none();
            if unheld {
                // Taken after the gap was seen, so whoever may fill it runs below this.
                gate.hold(self.bound().await);
            }
            since_trim += ready.len();
            // Most gaps have settled by the time they are seen: those are looked at again at once.
            let idle = ready.is_empty() && !unheld;
            for event in ready {
                self.apply(&event).await;
                self.bus.publish(&Arc::new(event));
            }
            self.bus.reach(gate.position);
            if gate.gap {
                self.apply_early(gate.position, &mut early).await;
            } else {
                early.clear();
                pause = FIRST_PAUSE;
            }
            if idle {
                self.wait(gate.gap.then_some(pause)).await;
                pause = (pause * 2).min(POLL);
            }
        }
    }

    /// A gap may stay for as long as some other transaction runs. What ends sessions or changes
    /// rights needs no order and does not wait for it (ruling A14).
    async fn apply_early(&self, position: i64, early: &mut HashSet<i64>) {
        match events::urgent(&self.store, position).await {
            Ok(urgent) if urgent.len() < events::MOST_URGENT => {
                for event in urgent {
                    if early.insert(event.position) {
                        self.apply(&event).await;
                    }
                }
            }
            Ok(_) => self.catch_up().await,
            Err(error) => self.wait_for_store(&error).await,
        }
    }

    /// A transaction number above all that have written anything by now, however long it takes.
    async fn bound(&self) -> i64 {
        loop {
            match events::bound(&self.store).await {
                Ok(bound) => return bound,
                Err(error) => self.wait_for_store(&error).await,
            }
        }
    }

    /// The store cannot be read, so that invalidations may be missing: better to ask it for every
    /// token than to trust the memory.
    async fn wait_for_store(&self, error: &Error) {
        tracing::warn!(%error, "the event log cannot be followed");
        self.live.forget_all();
        self.clock.sleep(RETRY).await;
    }

    /// Reads everything that is kept in memory again.
    async fn catch_up(&self) {
        self.live.forget_all();
        self.reload(Kind::Settings).await;
        self.reload(Kind::Permissions).await;
        self.reload(Kind::Roles).await;
    }

    /// Reads settings, permissions or roles again, for as long as it takes: what is missed now would be
    /// missing until the next change.
    async fn reload(&self, kind: Kind) {
        loop {
            let done = match kind {
                Kind::Settings => self.live.reload_settings(&self.store).await,
                Kind::Roles => self.live.reload_roles(&self.store).await,
                _ => self.live.reload_permissions(&self.store).await,
            };
            match done {
                Ok(()) => return,
                Err(error @ Error::Unavailable(_)) => self.wait_for_store(&error).await,
                Err(error) => {
                    tracing::error!(%error, kind = kind.name(), "a change cannot be taken over");
                    return;
                }
            }
        }
    }

    /// Waits for the next commit here; for a shared store, or a gap to close, also for the clock.
    async fn wait(&self, gap: Option<Ms>) {
        let committed = self.store.committed.notified();
        if gap.is_some() || self.store.is_shared() {
            tokio::select! {
                () = committed => {}
                () = self.clock.sleep(gap.unwrap_or(POLL)) => {}
            }
        } else {
            committed.await;
        }
    }

    /// Brings this node's memory up to date with what the event says (ruling A14).
    async fn apply(&self, event: &Event) {
        match event.kind {
            Kind::Settings | Kind::Permissions | Kind::Roles => self.reload(event.kind).await,
            Kind::User | Kind::UserDeleted => {
                self.live.forget_user(&UserId::from(event.reference.as_str()));
            }
            Kind::Session => match &event.audience {
                Some(user) if event.reference.is_empty() => self.live.forget_user(user),
                _ => self.live.forget_token(&event.reference),
            },
            _ => {}
        }
    }

    async fn trim(&self) {
        let settings = self.live.settings();
        let rows = settings.number(&setting::LOG_ROWS).max(1000);
        let days = settings.number(&setting::LOG_DAYS).clamp(1, 36_500);
        let oldest = self.clock.now() - days * 86_400_000;
        if let Err(error) = events::trim(&self.store, rows, oldest).await {
            tracing::warn!(%error, "the event log could not be trimmed");
        }
    }
}

/// Where the publisher stands, and the gaps it waits at.
#[derive(Default)]
struct Gate {
    position: i64,
    /// The newest position that was visible.
    newest: i64,
    /// What the gaps wait for; `None` while that is not known.
    held: Option<Hold>,
    /// The log has a gap behind the position.
    gap: bool,
}

/// Whoever may still fill a gap below `newest` is a transaction below `bound`: it drew its number
/// before its position, and its position before `newest` became visible.
#[derive(Clone, Copy)]
struct Hold {
    bound: i64,
    newest: i64,
}

impl Gate {
    /// Has the gaps that are known wait for the transactions below `bound`.
    fn hold(&mut self, bound: i64) {
        self.held = Some(Hold { bound, newest: self.newest });
    }

    /// The events that may be published now; moves the position past them.
    fn pass(&mut self, tail: Tail) -> Vec<Event> {
        let mut ready = Vec::new();
        self.gap = false;
        self.newest = tail.events.last().map_or(self.position, |(position, _)| *position);
        let settled = self.held.filter(|held| tail.horizon >= held.bound);
        for (position, event) in tail.events {
            let follows = position == self.position + 1 || tail.horizon == i64::MAX;
            if !follows && settled.is_none_or(|held| position > held.newest) {
                self.gap = true;
                break;
            }
            self.position = position;
            ready.extend(event);
        }
        if settled.is_some() || !self.gap {
            self.held = None;
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;
    use crate::event::{Event, Kind};
    use crate::store::events::Tail;

    fn tail(positions: &[i64], horizon: i64) -> Tail {
        let event = |&position: &i64| {
            let event = Event {
                position,
                at: 0,
                kind: Kind::User,
                room: None,
                audience: None,
                reference: String::new(),
            };
            (position, Some(event))
        };
        Tail { events: positions.iter().map(event).collect(), horizon }
    }

    fn passed(gate: &mut Gate, tail: Tail) -> Vec<i64> {
        gate.pass(tail).iter().map(|event| event.position).collect()
    }

    #[test]
    fn a_late_commit_below_a_visible_position_is_waited_for() {
        let mut gate = Gate { position: 4, ..Gate::default() };
        // 6 belongs to transaction 101, which still runs; 7 is committed.
        assert_eq!(passed(&mut gate, tail(&[5, 7], 101)), [5]);
        assert!(gate.gap);
        gate.hold(104);
        assert_eq!(passed(&mut gate, tail(&[7], 101)), [] as [i64; 0]);
        assert_eq!(passed(&mut gate, tail(&[6, 7], 103)), [6, 7]);
        assert!(!gate.gap && gate.held.is_none());
    }

    #[test]
    fn a_gap_of_a_transaction_that_gave_up_is_passed_when_all_older_ones_ended() {
        let mut gate = Gate { position: 4, ..Gate::default() };
        assert_eq!(passed(&mut gate, tail(&[6], 100)), [] as [i64; 0]);
        gate.hold(102);
        assert_eq!(passed(&mut gate, tail(&[6], 102)), [6]);
    }

    #[test]
    fn one_look_settles_every_gap_that_was_there_and_none_that_came_later() {
        let mut gate = Gate { position: 4, ..Gate::default() };
        assert_eq!(passed(&mut gate, tail(&[6, 8, 11], 100)), [] as [i64; 0]);
        gate.hold(102);
        // 13 was drawn by a transaction that the bound says nothing about.
        assert_eq!(passed(&mut gate, tail(&[6, 8, 11, 13], 102)), [6, 8, 11]);
        assert!(gate.gap && gate.held.is_none());
        gate.hold(105);
        assert_eq!(passed(&mut gate, tail(&[12, 13], 104)), [12, 13]);
        assert!(!gate.gap && gate.held.is_none());
    }

    #[test]
    fn a_single_writer_has_no_gaps_to_wait_for() {
        let mut gate = Gate::default();
        assert_eq!(passed(&mut gate, tail(&[2, 9], i64::MAX)), [2, 9]);
    }
}
