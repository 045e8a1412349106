//! Delivery of published events to the listeners of this node, in the order of the log.
//! Every listener has a bounded queue; one that does not keep up is cut off rather than waited for,
//! and catches up from the log by position.

use crate::event::Event;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

/// Listeners of this node, and how far the log was published.
#[derive(Default)]
pub(crate) struct Bus {
    listeners: Mutex<Vec<mpsc::Sender<Arc<Event>>>>,
    position: watch::Sender<i64>,
}

/// One listener's end: events in order, then `None` when it was too slow or the core is gone.
pub struct Subscription(mpsc::Receiver<Arc<Event>>);

impl Subscription {
    /// The next event; `None` when the listener was cut off.
    pub async fn next(&mut self) -> Option<Arc<Event>> {
        self.0.recv().await
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
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        self.position.send_replace(event.position);
        listeners.retain(|listener| listener.try_send(event.clone()).is_ok());
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
}
