//! How the core is doing, in a few numbers for whoever watches it: read when somebody asks, so that it
//! costs nothing while nobody does.

use crate::Core;
use crate::error::Result;
pub use crate::store::Load;
use crate::store::events;

/// The numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vitals {
    /// The newest position of the event log that this node has published.
    pub published: i64,
    /// The newest position in the store: what is between the two is still to be published.
    pub newest: i64,
    /// Sessions in this node's memory: those used lately.
    pub sessions: usize,
    /// Sockets of this node that are told something.
    pub sockets: usize,
    /// How busy the store is.
    pub load: Load,
}

impl Core {
    /// The numbers as they are now.
    pub async fn vitals(&self) -> Result<Vitals> {
        let published = self.0.bus.position();
        let newest = events::newest(self.store()).await?;
        Ok(Vitals {
            published,
            newest,
            sessions: self.live().sessions(),
            sockets: self.sockets(),
            load: self.store().load(),
        })
    }
}
