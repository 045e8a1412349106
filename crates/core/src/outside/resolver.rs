//! Names to addresses: by the machine, or as a test says.

use super::Failed;
use std::fmt;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Lookups at the same time. One that is given up on goes on in its thread and keeps its place.
const PLACES: usize = 16;

type Answers = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// Where the addresses of hosts come from: the machine, or a test.
#[derive(Clone)]
pub struct Resolver(Source);

#[derive(Clone)]
enum Source {
    Machine(Arc<Semaphore>),
    Set(Arc<Answers>),
}

impl Default for Resolver {
    fn default() -> Self {
        Self(Source::Machine(Arc::new(Semaphore::new(PLACES))))
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::Machine(_) => "Resolver::Machine",
            Source::Set(_) => "Resolver::Set",
        })
    }
}

impl Resolver {
    /// A resolver that asks a test, each time anew.
    pub fn set(answers: impl Fn(&str) -> Vec<IpAddr> + Send + Sync + 'static) -> Self {
        Self(Source::Set(Arc::new(answers)))
    }

    /// All addresses of a host; none if there is no such host.
    pub(super) async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Failed> {
        let places = match &self.0 {
            Source::Set(answers) => return Ok(answers(host)),
            Source::Machine(places) => places.clone(),
        };
        let place = places.acquire_owned().await.map_err(|_| Failed("closed"))?;
        let host = host.to_owned();
        let look_up = move || {
            let _place = place;
            let found = (host.as_str(), 0).to_socket_addrs().map_err(|_| Failed("no such host"))?;
            Ok(found.map(|address| address.ip()).collect())
        };
        tokio::task::spawn_blocking(look_up).await.map_err(|_| Failed("no answer"))?
    }
}
