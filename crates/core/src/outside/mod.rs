//! The one way out: whatever this server asks of another server goes through one client. A stranger's
//! URL decides where to, so everything about it is bounded: addresses, ports, redirects, time, bytes,
//! requests at once. A host is resolved once for each hop, all its addresses are judged, and the
//! connection goes to one of exactly those: a name that changes its address in between gains nothing.

mod connect;
mod guard;
mod resolver;

pub(crate) use guard::Policy;
pub use resolver::Resolver;

use crate::error::Error;
use crate::time::{Clock, Ms};
use connect::Answer;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

/// Time for one page with all its redirects, the wait for a place included, in milliseconds.
pub(crate) const MOST_TIME: Ms = 10_000;
const MOST_REDIRECTS: usize = 5;
/// The longest URL that is followed, in bytes.
pub(crate) const MOST_URL: usize = 2048;
/// Requests at the same time; more wait.
const PLACES: usize = 16;
/// Addresses of one host that are tried.
const MOST_TRIES: usize = 4;

/// How this server reaches others.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    /// Where the addresses of a host come from.
    pub resolver: Resolver,
    /// Certificates (DER) of authorities that are believed beside the public ones.
    pub authorities: Vec<Vec<u8>>,
}

/// Why nothing came: for the log only. Whoever asked learns that there is nothing, and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failed(&'static str);

/// What a server answered.
#[derive(Debug, Default)]
pub(crate) struct Fetched {
    pub(crate) content_type: Option<String>,
    pub(crate) content_length: Option<String>,
    /// The beginning of an HTML page, up to the end of its head; `None` for anything else.
    pub(crate) html: Option<Vec<u8>>,
}

/// Makes requests to other servers.
pub(crate) struct Client {
    clock: Clock,
    resolver: Resolver,
    tls: TlsConnector,
    places: Semaphore,
}

impl Client {
    pub(crate) fn new(outside: Outside, clock: Clock) -> crate::Result<Self> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        for authority in outside.authorities {
            roots.add(authority.into()).map_err(Error::internal)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Error::internal)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            clock,
            resolver: outside.resolver,
            tls: Arc::new(config).into(),
            places: Semaphore::new(PLACES),
        })
    }

    /// Gets the page behind a URL, as far as the policy and the bounds let it.
    pub(crate) async fn get(&self, url: Url, policy: &Policy) -> Result<Fetched, Failed> {
        let work = Box::pin(async {
            let _place = self.places.acquire().await.map_err(|_| Failed("closed"))?;
            self.follow(url, policy).await
        });
        tokio::select! {
            biased;
            () = self.clock.sleep(MOST_TIME) => Err(Failed("too slow")),
            fetched = work => fetched,
        }
    }

    async fn follow(&self, mut url: Url, policy: &Policy) -> Result<Fetched, Failed> {
        for _ in 0..=MOST_REDIRECTS {
            let host = policy.host(&url)?;
            let addresses = self.addresses(&host, &url, policy).await?;
            match self.exchange(&addresses, &host, &url).await? {
                Answer::Page(fetched) => return Ok(fetched),
                Answer::Moved(place) => {
                    url = url.join(&place).map_err(|_| Failed("redirect to no URL"))?;
                }
            }
        }
        Err(Failed("too many redirects"))
    }

    /// The addresses of a host, if the policy likes every one of them.
    async fn addresses(
        &self,
        host: &Host<String>,
        url: &Url,
        policy: &Policy,
    ) -> Result<Vec<SocketAddr>, Failed> {
        let mut all = match host {
            Host::Ipv4(address) => vec![IpAddr::V4(*address)],
            Host::Ipv6(address) => vec![IpAddr::V6(*address)],
            Host::Domain(name) => self.resolver.resolve(name).await?,
        };
        if all.is_empty() {
            return Err(Failed("no such host"));
        }
        // One bad address spoils the name: nobody but an attacker mixes them.
        if !all.iter().all(|address| policy.likes(*address)) {
            return Err(Failed("refused address"));
        }
        all.sort_by_key(IpAddr::is_ipv6);
        all.truncate(MOST_TRIES);
        let port = url.port_or_known_default().ok_or(Failed("no port"))?;
        Ok(all.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }
}
