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

/// What a handler works with. Cheap to clone.
#[derive(Clone)]
pub struct Edge(Arc<Parts>);

struct Parts {
    core: Core,
    options: EdgeOptions,
    limits: limit::Limits,
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
}

impl Default for EdgeOptions {
    fn default() -> Self {
        Self {
            body_limit: 1024 * 1024 + 64 * 1024,
            trusted_proxies: Vec::new(),
            root_url: "http://localhost:3000".to_owned(),
        }
    }
}

impl Edge {
    /// An edge over a core.
    pub fn new(core: Core, options: EdgeOptions) -> Self {
        Self(Arc::new(Parts { core, options, limits: limit::Limits::default() }))
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
