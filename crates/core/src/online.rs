//! Connections that stay open, and what they make of their users (contract section 11.7): online while
//! one of them is in use, away while none is, offline a while after the last ended. This node's
//! connections are in its memory; the store holds one row for each user and node, so that nodes agree,
//! and what others see follows from those rows. One worker writes them, many users in one change.

use crate::error::Result;
use crate::id::{Chance, UserId};
use crate::store::{Store, online};
use crate::time::{Clock, Ms};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How long after the last connection's end a user is offline, in milliseconds: whoever reconnects
/// meanwhile was never away.
pub const GRACE: Ms = 5000;
/// How often a node that shares its store says that it lives, and how long it counts as living.
const SIGN: Ms = 15_000;
const LIFE: Ms = 60_000;
/// Users of one change.
const TOGETHER: usize = 100;
/// How long to wait before trying a store again that did not answer, in milliseconds.
const RETRY: Ms = 500;

/// The connections of this node.
pub(crate) struct Online {
    node: String,
    clock: Clock,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    users: HashMap<UserId, Connections>,
    /// Users whose row may have to change, by when that is due.
    due: BTreeSet<(Ms, UserId)>,
}

/// One user's.
#[derive(Default)]
struct Connections {
    /// Sockets, and whether each is away.
    sockets: HashMap<u64, bool>,
    /// What the store says: away or not; `None` for no connection.
    stored: Option<bool>,
    due: Option<Ms>,
}

impl Connections {
    /// What they say: away, if all of them are; `None` for no connection.
    fn away(&self) -> Option<bool> {
        (!self.sockets.is_empty()).then(|| self.sockets.values().all(|away| *away))
    }
}

/// A user's row, as it should be.
pub(crate) struct Wanted {
    pub(crate) user: UserId,
    pub(crate) away: Option<bool>,
}

impl Online {
    /// Of a node that is called as chance wants.
    pub(crate) fn new(chance: &Chance, clock: &Clock) -> Self {
        let node = chance.id(clock.now());
        Self { node, clock: clock.clone(), state: Mutex::default(), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a user's connections say: away or not; `None` for no connection.
    pub(crate) fn of(&self, user: &UserId) -> Option<bool> {
        self.state().users.get(user)?.away()
    }

    fn change(&self, user: &UserId, how: impl FnOnce(&mut HashMap<u64, bool>)) {
        let now = self.clock.now();
        let mut state = self.state();
        let of = state.users.entry(user.clone()).or_default();
        how(&mut of.sockets);
        let at = if of.sockets.is_empty() { now + GRACE } else { now };
        let before = of.due.replace(at);
        if let Some(before) = before {
            state.due.remove(&(before, user.clone()));
        }
        state.due.insert((at, user.clone()));
        drop(state);
        self.changed.notify_one();
    }

    /// A socket of a user's begins.
    pub(crate) fn begin(&self, user: &UserId, socket: u64) {
        self.change(user, |sockets| {
            sockets.insert(socket, false);
        });
    }

    /// A socket is away, or in use again.
    pub(crate) fn set_away(&self, user: &UserId, socket: u64, away: bool) {
        self.change(user, |sockets| {
            if let Some(was) = sockets.get_mut(&socket) {
                *was = away;
            }
        });
    }

    /// A socket ended.
    pub(crate) fn end(&self, user: &UserId, socket: u64) {
        self.change(user, |sockets| {
            sockets.remove(&socket);
        });
    }

    /// Rows that have to change now.
    fn take(&self) -> Vec<Wanted> {
        let now = self.clock.now();
        let mut state = self.state();
        let mut wanted = Vec::new();
        while wanted.len() < TOGETHER
            && let Some((at, user)) = state.due.pop_first()
        {
            if at > now {
                state.due.insert((at, user));
                break;
            }
            if let Some(of) = state.users.get_mut(&user) {
                of.due = None;
                let away = of.away();
                if away != of.stored {
                    wanted.push(Wanted { user, away });
                } else if away.is_none() {
                    state.users.remove(&user);
                }
            }
        }
        wanted
    }

    /// Rows that were written, or that are to be tried again.
    fn settle(&self, wanted: Vec<Wanted>, written: bool) {
        let now = self.clock.now();
        let mut state = self.state();
        for Wanted { user, away } in wanted {
            let Some(of) = state.users.get_mut(&user) else {
                continue;
            };
            if written {
                of.stored = away;
                if of.away().is_none() && away.is_none() {
                    state.users.remove(&user);
                }
            } else if of.due.is_none() {
                of.due = Some(now);
                state.due.insert((now, user));
            }
        }
    }

    /// The store has no row of this node any more: all are written again.
    fn forget(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        let State { users, due } = &mut *state;
        for (user, of) in users.iter_mut() {
            of.stored = None;
            if of.due.is_none() {
                of.due = Some(now);
                due.insert((now, user.clone()));
            }
        }
    }

    fn next(&self) -> Option<Ms> {
        self.state().due.first().map(|(at, _)| *at)
    }
}

/// Writes what changes, for as long as the core lives.
pub(crate) async fn run(of: Arc<Online>, store: Store) {
    let mut sign = Ms::MIN;
    loop {
        let now = of.clock.now();
        if sign <= now {
            match online::live(&store, &of.node, (now, now - LIFE)).await {
                Ok(lived) => {
                    if !lived {
                        of.forget();
                    }
                    // Nobody buries a node whose store is its own.
                    sign = if store.is_shared() { now + SIGN } else { Ms::MAX };
                }
                Err(error) => {
                    tracing::warn!(%error, "connections of other nodes cannot be looked at");
                    sign = now + RETRY;
                }
            }
        }
        let wanted = of.take();
        if wanted.is_empty() {
            let until = of.next().unwrap_or(Ms::MAX).min(sign);
            tokio::select! {
                () = of.changed.notified() => {}
                () = of.clock.sleep_until(until), if until < Ms::MAX => {}
            }
            continue;
        }
        let written = online::write(&store, &of.node, &wanted, now).await;
        if let Err(error) = &written {
            tracing::warn!(%error, "who is there cannot be written down");
        }
        let failed = written.is_err();
        of.settle(wanted, !failed);
        if failed {
            of.clock.sleep(RETRY).await;
        }
    }
}

/// This node ends: nobody is connected to it any more.
pub(crate) async fn leave(of: &Online, store: &Store) -> Result<()> {
    online::leave(store, &of.node, of.clock.now()).await
}
