//! What both wire contracts share at the edge: the state a handler works with, bodies in, JSON out,
//! and who is calling from where. Nothing here knows either contract; a face renders its own errors.

pub mod body;
pub mod cors;
pub mod ip;
pub mod json;
pub mod limit;
pub mod metrics;
pub mod reset;

use parlance_core::Core;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// WebSockets at the same time, where the operator says nothing.
pub const MOST_SOCKETS: usize = 20_000;

/// What a handler works with. Cheap to clone.
#[derive(Clone)]
pub struct Edge(Arc<Parts>);

struct Parts {
    core: Core,
    options: EdgeOptions,
    limits: limit::Limits,
    sockets: Arc<Semaphore>,
    stop: watch::Sender<bool>,
}

/// What the operator decides about the edge.
#[derive(Clone, Debug)]
pub struct EdgeOptions {
    /// The largest body taken, in bytes.
    pub body_limit: usize,
    /// Networks whose `X-Forwarded-For` and `X-Real-IP` are believed.
    pub trusted_proxies: Vec<ip::Network>,
    /// The public address, without a slash at the end: `http://localhost:3000`.
    pub root_url: String,
    /// WebSockets at the same time; more are told to come again later.
    pub most_sockets: usize,
}

impl Default for EdgeOptions {
    fn default() -> Self {
        Self {
            body_limit: 1024 * 1024 + 64 * 1024,
            trusted_proxies: Vec::new(),
            root_url: "http://localhost:3000".to_owned(),
            most_sockets: MOST_SOCKETS,
        }
    }
}

impl Edge {
    /// An edge over a core.
    pub fn new(core: Core, options: EdgeOptions) -> Self {
        let sockets = Arc::new(Semaphore::new(options.most_sockets.min(Semaphore::MAX_PERMITS)));
        let limits = limit::Limits::default();
        Self(Arc::new(Parts { core, options, limits, sockets, stop: watch::Sender::new(false) }))
    }

    /// A place for a socket, kept until it is dropped; `None` if all are taken.
    pub fn socket(&self) -> Option<OwnedSemaphorePermit> {
        self.0.sockets.clone().try_acquire_owned().ok()
    }

    /// Turns to true when sockets have to end.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stop.subscribe()
    }

    /// Has all sockets end, and waits until they have.
    pub async fn stop(&self) {
        self.0.stop.send_replace(true);
        let all = u32::try_from(self.0.options.most_sockets).unwrap_or(u32::MAX);
        // An error would mean that nobody can have a place any more.
        let _ = self.0.sockets.acquire_many(all).await;
    }

    /// The domain.
    pub fn core(&self) -> &Core {
        &self.0.core
    }

    /// What the operator decided.
    pub fn options(&self) -> &EdgeOptions {
        &self.0.options
    }

    /// How often callers have called.
    pub fn limits(&self) -> &limit::Limits {
        &self.0.limits
    }

    /// Do browsers reach the server over TLS? Then cookies say `Secure`.
    pub fn is_https(&self) -> bool {
        self.0.options.root_url.starts_with("https://")
    }
}
