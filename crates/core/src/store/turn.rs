//! Turns for reads that callers compose: there are fewer of them than readers, so that what needs no
//! search never waits for one, and one user takes half of them at most, so that others get theirs.
//! A turn lasts as long as its work, whatever becomes of the caller.

use crate::error::{Error, Result};
use crate::id::UserId;
use crate::time::{Clock, Ms};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All turns there are.
pub(super) struct Turns {
    all: Arc<Semaphore>,
    /// Turns of one user at most.
    most: usize,
    /// Those who have a turn or wait for one.
    users: Mutex<HashMap<UserId, Arc<Semaphore>>>,
}

impl Turns {
    pub(super) fn new(readers: usize) -> Self {
        let turns = readers.saturating_sub(1).max(1);
        Self {
            all: Arc::new(Semaphore::new(turns)),
            most: (turns / 2).max(1),
            users: Mutex::default(),
        }
    }

    /// A turn that ends `time` ms from now; [`Error::Unavailable`] if none comes in that time.
    pub(super) async fn take(self: &Arc<Self>, time: Ms, by: Option<&UserId>) -> Result<Turn> {
        let deadline = Clock::default().now().saturating_add(time);
        let patience = Duration::from_millis(time.unsigned_abs());
        let places =
            tokio::time::timeout(patience, self.places(by)).await.unwrap_or_else(|_| {
                Err(Error::unavailable("other searches take all the time there is"))
            })?;
        Ok(Turn { _places: Arc::new(places), deadline, gone: Arc::default() })
    }

    async fn places(self: &Arc<Self>, by: Option<&UserId>) -> Result<Places> {
        let mut own = by.map(|user| Own { turns: self.clone(), user: user.clone(), place: None });
        if let Some(own) = &mut own {
            let share = self.share(&own.user);
            own.place = Some(share.acquire_owned().await.map_err(Error::unavailable)?);
        }
        let one = self.all.clone().acquire_owned().await.map_err(Error::unavailable)?;
        Ok(Places { _one: one, _own: own })
    }

    fn share(&self, user: &UserId) -> Arc<Semaphore> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Semaphore::new(self.most));
        users.entry(user.clone()).or_insert_with(new).clone()
    }
}

/// A place among all and among one's own.
struct Places {
    _one: OwnedSemaphorePermit,
    _own: Option<Own>,
}

/// A user's own place, or the wait for it.
struct Own {
    turns: Arc<Turns>,
    user: UserId,
    place: Option<OwnedSemaphorePermit>,
}

impl Drop for Own {
    fn drop(&mut self) {
        self.place = None;
        let mut users = self.turns.users.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever holds a place or waits for one holds the share too.
        if users.get(&self.user).is_some_and(|share| Arc::strong_count(share) == 1) {
            users.remove(&self.user);
        }
    }
}

/// What a read that a caller composed holds as long as it runs, whatever becomes of the caller: its
/// turn; and by what it ends.
#[derive(Clone)]
pub(crate) struct Turn {
    _places: Arc<Places>,
    /// By the machine's time: what is bounded is work, whatever clock a test has set.
    deadline: Ms,
    gone: Arc<AtomicBool>,
}

impl Turn {
    /// Must the work end, because its time is over or nobody wants it any more?
    pub(crate) fn is_over(&self) -> bool {
        self.gone.load(Ordering::Relaxed) || Clock::default().now() > self.deadline
    }

    /// Milliseconds left, at least one.
    pub(super) fn left(&self) -> Ms {
        self.deadline.saturating_sub(Clock::default().now()).max(1)
    }

    /// Tells the work that its caller is gone, when that is dropped.
    pub(crate) fn caller(&self) -> Gone {
        Gone(self.gone.clone())
    }
}

/// A caller that waits; dropping it ends what it waits for.
pub(crate) struct Gone(Arc<AtomicBool>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
