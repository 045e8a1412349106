//! Delivery on this node. Published events go to listeners in the order of the log; what becomes of them
//! for people (`fanout.rs`) goes to the sockets of just those people, because the audience of a direct
//! message is short. Every queue is bounded in number and in bytes: a reader that is slower than that is
//! cut off rather than waited for, and loses nothing that it cannot fetch again by position.

use crate::event::Event;
use crate::id::UserId;
use crate::notice::{Delivery, To, Topic};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

/// What may wait for one socket: deliveries, and bytes of what they hold.
const MOST_WAITING: usize = 1024;
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// So many deliveries are handed out at once; then those who have more than this to read get a moment.
const AT_ONCE: usize = 128;
const BUSY: usize = MOST_WAITING / 2;
/// The moment. Who does not use it gets no other until it has read everything.
const MOMENT: Duration = Duration::from_millis(20);

/// Events that are remembered.
const RECENT: usize = 1024;

/// Whose the sockets are that nobody is logged in on: no account's id, and so told nothing of one.
const NOBODY: &str = "";

/// Listeners and sockets of this node, and how far the log was published.
#[derive(Default)]
pub(crate) struct Bus {
    listeners: Mutex<Vec<mpsc::Sender<Arc<Event>>>>,
    position: watch::Sender<i64>,
    recent: Mutex<Recent>,
    sockets: Mutex<Sockets>,
    /// Rung when a socket has read what waited for it.
    read: Notify,
}

/// The newest events, so that whoever follows the log closely need not read it.
#[derive(Default)]
struct Recent {
    /// Every event after this position is there, up to the published one.
    after: i64,
    events: VecDeque<Arc<Event>>,
}

/// One listener's end: events in order, then `None` when it was too slow or the core is gone.
pub struct Subscription(mpsc::Receiver<Arc<Event>>);

impl Subscription {
    /// The next event; `None` when the listener was cut off.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        self.0.recv().await
    }
}

/// The sockets by whose they are. One lock for all of them: it is held for the pushes of one piece of the
/// log, so that a socket begins either before a piece or after it.
#[derive(Default)]
struct Sockets {
    of: HashMap<UserId, Vec<Outlet>>,
    count: usize,
    next: u64,
    /// Everything up to this position was handed out, or is being handed out to those who were there.
    position: i64,
}

/// The bus's end of a socket.
#[derive(Clone)]
struct Outlet {
    id: u64,
    /// What came before this position is not for it: it was not there.
    since: i64,
    sender: mpsc::Sender<Arc<Delivery>>,
    shared: Arc<Shared>,
}

/// What both ends of a socket know.
#[derive(Default)]
struct Shared {
    /// The topics that the socket wants to hear of, by their bits.
    topics: AtomicU32,
    /// Bytes that wait.
    bytes: AtomicUsize,
    /// Rung when the socket is cut off.
    cut: Notify,
    /// It was waited for and did not read.
    slow: AtomicBool,
}

impl Outlet {
    /// Hands over a delivery; `false` for one that has no room for it.
    fn push(&self, delivery: &Arc<Delivery>) -> bool {
        if self.sender.capacity() == MOST_WAITING {
            self.shared.slow.store(false, Ordering::Relaxed);
        }
        let weight = delivery.weight();
        let waiting = self.shared.bytes.fetch_add(weight, Ordering::Relaxed);
        let fits = waiting == 0 || waiting + weight <= MOST_BYTES;
        let pushed = fits && self.sender.try_send(delivery.clone()).is_ok();
        if !pushed {
            self.shared.cut.notify_one();
        }
        pushed
    }

    /// Has it much to read, and deserves a moment for it?
    fn is_busy(&self) -> bool {
        let free = self.sender.capacity();
        free < MOST_WAITING - BUSY && !self.shared.slow.load(Ordering::Relaxed)
    }

    fn wants(&self, topic: Topic) -> bool {
        self.shared.topics.load(Ordering::Relaxed) & topic.bit() != 0
    }
}

/// A socket's end: what its user is told, from when it was plugged in until it is dropped.
pub(crate) struct Plug {
    bus: Arc<Bus>,
    user: UserId,
    id: u64,
    since: i64,
    receiver: mpsc::Receiver<Arc<Delivery>>,
    shared: Arc<Shared>,
}

impl Plug {
    /// The next delivery; `None` when the socket was cut off because it is too slow.
    pub(crate) async fn next(&mut self) -> Option<Arc<Delivery>> {
        let delivery = self.receiver.recv().await?;
        self.shared.bytes.fetch_sub(delivery.weight(), Ordering::Relaxed);
        Some(delivery)
    }

    /// The next delivery, if one waits.
    pub(crate) fn try_next(&mut self) -> Option<Arc<Delivery>> {
        let Ok(delivery) = self.receiver.try_recv() else {
            self.bus.read.notify_one();
            return None;
        };
        self.shared.bytes.fetch_sub(delivery.weight(), Ordering::Relaxed);
        Some(delivery)
    }

    /// The position after which it is told everything.
    pub(crate) fn since(&self) -> i64 {
        self.since
    }

    /// Returns when it was cut off.
    pub(crate) async fn cut(&self) {
        self.shared.cut.notified().await;
    }

    /// Hears of what concerns everybody, too.
    pub(crate) fn want(&self, topic: Topic) {
        self.shared.topics.fetch_or(topic.bit(), Ordering::Relaxed);
    }

    /// Hears of it no more.
    pub(crate) fn leave(&self, topic: Topic) {
        self.shared.topics.fetch_and(!topic.bit(), Ordering::Relaxed);
    }

    /// Which socket of this node it is.
    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for Plug {
    fn drop(&mut self) {
        let mut sockets = self.bus.sockets();
        if let Some(own) = sockets.of.get_mut(&self.user) {
            let before = own.len();
            own.retain(|outlet| outlet.id != self.id);
            let gone = before - own.len();
            if own.is_empty() {
                sockets.of.remove(&self.user);
            }
            sockets.count -= gone;
        }
    }
}

impl Bus {
    pub(crate) fn listen(&self, capacity: usize) -> Subscription {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        Subscription(receiver)
    }

    /// Hands an event to everyone who listens; who has no room for it listens no more.
    pub(crate) fn publish(&self, event: &Arc<Event>) {
        let mut recent = self.recent();
        if recent.events.len() >= RECENT
            && let Some(oldest) = recent.events.pop_front()
        {
            recent.after = oldest.position;
        }
        recent.events.push_back(event.clone());
        drop(recent);
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        self.position.send_replace(event.position);
        listeners.retain(|listener| listener.try_send(event.clone()).is_ok());
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The log begins here, for this node: nothing before is among the recent events.
    pub(crate) fn start(&self, position: i64) {
        self.recent().after = position;
        self.reach(position);
    }

    /// The first `most` events after `from`; `None` if they are too many to be remembered.
    pub(crate) fn since(&self, from: i64, most: usize) -> Option<Vec<Arc<Event>>> {
        let recent = self.recent();
        if from < recent.after {
            return None;
        }
        let first = recent.events.partition_point(|event| event.position <= from);
        Some(recent.events.iter().skip(first).take(most).cloned().collect())
    }

    /// The newest position that was handed out.
    pub(crate) fn position(&self) -> i64 {
        *self.position.borrow()
    }

    /// The same, to wait for more.
    pub(crate) fn positions(&self) -> watch::Receiver<i64> {
        self.position.subscribe()
    }

    /// Everything up to this position was handed out, or is nothing that this version knows.
    pub(crate) fn reach(&self, position: i64) {
        self.position.send_if_modified(|reached| {
            let more = *reached < position;
            *reached = position.max(*reached);
            more
        });
    }

    fn sockets(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Plugs a socket in that nobody is logged in on: it is told what concerns everybody.
    pub(crate) fn plug_nobody(self: &Arc<Self>) -> Plug {
        self.plug(&NOBODY.into())
    }

    /// Plugs a socket of a user's in.
    pub(crate) fn plug(self: &Arc<Self>, user: &UserId) -> Plug {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        let shared = Arc::new(Shared::default());
        let mut sockets = self.sockets();
        sockets.next += 1;
        sockets.count += 1;
        let (id, since) = (sockets.next, sockets.position);
        let outlet = Outlet { id, since, sender, shared: shared.clone() };
        sockets.of.entry(user.clone()).or_default().push(outlet);
        drop(sockets);
        Plug { bus: self.clone(), user: user.clone(), id, since, receiver, shared }
    }

    /// How many sockets there are.
    pub(crate) fn count(&self) -> usize {
        self.sockets().count
    }

    /// Has this user a socket here?
    pub(crate) fn has(&self, user: &UserId) -> bool {
        self.sockets().of.contains_key(user)
    }

    /// A piece of the log that ends at `position` is going to be handed out: whoever is plugged in from
    /// now on begins after it.
    pub(crate) fn begin(&self, position: i64) {
        let mut sockets = self.sockets();
        sockets.position = sockets.position.max(position);
    }

    /// The same if there is nobody to hand it to; `false` if there is somebody.
    pub(crate) fn skip(&self, position: i64) -> bool {
        let mut sockets = self.sockets();
        if sockets.count == 0 {
            sockets.position = sockets.position.max(position);
        }
        sockets.count == 0
    }

    /// Hands out what became of the piece of the log that ends at `position`.
    pub(crate) async fn hand_out(&self, position: i64, deliveries: &[(To, Arc<Delivery>)]) {
        for some in deliveries.chunks(AT_ONCE) {
            let busy = self.push(some, |outlet| outlet.since < position);
            // What comes in a burst is no sign that its reader is slow.
            let read = async {
                while busy.values().any(Outlet::is_busy) {
                    self.read.notified().await;
                }
            };
            if !busy.is_empty() && tokio::time::timeout(MOMENT, read).await.is_err() {
                for outlet in busy.values().filter(|outlet| outlet.is_busy()) {
                    outlet.shared.slow.store(true, Ordering::Relaxed);
                }
            }
        }
    }

    /// Hands out what has no position, to all sockets but one.
    pub(crate) fn hint(&self, deliveries: &[(To, Arc<Delivery>)], but: u64) {
        // Typing alone makes nobody wait for anybody.
        drop(self.push(deliveries, |outlet| outlet.id != but));
    }

    /// Hands deliveries to all that they concern; gives those who have much to read then, by
    /// their ids.
    fn push(
        &self,
        deliveries: &[(To, Arc<Delivery>)],
        concerns: impl Fn(&Outlet) -> bool,
    ) -> HashMap<u64, Outlet> {
        let mut sockets = self.sockets();
        let mut cut = 0;
        let mut busy = HashMap::new();
        for (to, delivery) in deliveries {
            let mut send = |own: &mut Vec<Outlet>, fits: &dyn Fn(&Outlet) -> bool| {
                let before = own.len();
                own.retain(|one| {
                    if !concerns(one) || !fits(one) {
                        return true;
                    }
                    let pushed = one.push(delivery);
                    if pushed && one.is_busy() {
                        busy.entry(one.id).or_insert_with(|| one.clone());
                    }
                    pushed
                });
                cut += before - own.len();
            };
            match to {
                To::One(user) => {
                    if let Some(own) = sockets.of.get_mut(user) {
                        send(own, &|_| true);
                    }
                }
                To::All(topic) => {
                    for own in sockets.of.values_mut() {
                        send(own, &|one| one.wants(*topic));
                    }
                }
            }
        }
        if cut > 0 {
            sockets.count -= cut;
            sockets.of.retain(|_, own| !own.is_empty());
            tracing::info!(cut, "sockets that read too slowly were cut off");
        }
        busy
    }

    /// Cuts every socket off: what they should have been told is not known any more.
    pub(crate) fn cut_all(&self) {
        let mut sockets = self.sockets();
        sockets.of.values().flatten().for_each(|one| one.shared.cut.notify_one());
        sockets.of.clear();
        sockets.count = 0;
    }
}

#[cfg(test)]
mod tests;
