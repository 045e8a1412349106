//! Link previews: what a page behind a URL says of itself (contract section 7.5). A page is fetched once
//! for all who ask within some minutes, and whatever goes wrong is one answer, so that nobody learns
//! from here what is in the network of this server.

mod fill;
mod page;

pub(crate) use fill::{Filler, Job};

use crate::Core;
use crate::access::Access;
use crate::error::{Error, Feature, Result};
use crate::links;
use crate::outside::{Client, MOST_TIME, MOST_URL, Outside, Policy};
use crate::setting::{self, Settings};
use crate::time::{Clock, Ms};
use quick_cache::sync::Cache;
use serde_json::{Map, Value};
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use url::Url;

/// Pages that are remembered, of some 12 KiB at most.
const MOST_KNOWN: usize = 512;
/// How long a page is remembered, in milliseconds, and that there was none.
const KEEP: Ms = 600_000;
const KEEP_NONE: Ms = 60_000;
/// Members who wait for a preview at the same time; more are told to try again.
const MOST_ASKING: usize = 32;
/// Messages that wait to be filled; what does not fit stays without previews.
const MOST_WAITING: usize = 1024;

/// What a page says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preview {
    /// `pageTitle`, `ogTitle` and the like: texts.
    pub meta: Map<String, Value>,
    /// `contentType` and `contentLength`, as far as the page has them.
    pub headers: Map<String, Value>,
}

/// A page, or that there was none, as of a time.
#[derive(Clone)]
struct Known {
    at: Ms,
    /// The policy that it was asked under: another one asks again.
    under: u64,
    preview: Option<Arc<Preview>>,
}

impl Known {
    fn is_fresh(&self, now: Ms, under: u64) -> bool {
        let keep = if self.preview.is_some() { KEEP } else { KEEP_NONE };
        self.under == under && (0..keep).contains(&now.saturating_sub(self.at))
    }
}

/// The previews of a node.
pub(crate) struct Previews {
    client: Client,
    clock: Clock,
    known: Cache<String, Known>,
    asking: Semaphore,
    waiting: mpsc::Sender<Job>,
}

impl Previews {
    /// The previews, and the queue of messages that a [`Filler`] is to fill.
    pub(crate) fn new(outside: Outside, clock: Clock) -> Result<(Self, mpsc::Receiver<Job>)> {
        let (waiting, queue) = mpsc::channel(MOST_WAITING);
        let previews = Self {
            client: Client::new(outside, clock.clone())?,
            clock,
            known: Cache::new(MOST_KNOWN),
            asking: Semaphore::new(MOST_ASKING),
            waiting,
        };
        Ok((previews, queue))
    }

    /// Has a message filled some time after; its sender does not wait.
    pub(crate) fn want(&self, job: Job) {
        if self.waiting.try_send(job).is_err() {
            tracing::debug!("too many messages wait for previews: one goes without");
        }
    }

    /// What the page says, if it may be asked and answers.
    async fn preview(&self, url: &str, settings: &Settings) -> Option<Arc<Preview>> {
        if url.len() > MOST_URL {
            return None;
        }
        let parsed = Url::parse(url).ok()?;
        let (now, under) = (self.clock.now(), Policy::mark(settings));
        self.known.remove_if(url, |known| !known.is_fresh(now, under));
        // Who asks for a page that is on its way waits for that one.
        let known = tokio::select! {
            biased;
            () = self.clock.sleep(MOST_TIME) => return None,
            known = self.known.get_value_or_guard_async(url) => known,
        };
        let guard = match known {
            Ok(known) => return known.preview,
            Err(guard) => guard,
        };
        let preview = self.fetch(parsed, &Policy::of(settings)).await.map(Arc::new);
        // An error says that it was removed meanwhile: then it is not remembered.
        let _ = guard.insert(Known { at: self.clock.now(), under, preview: preview.clone() });
        preview
    }

    async fn fetch(&self, url: Url, policy: &Policy) -> Option<Preview> {
        let fetched = match self.client.get(url, policy).await {
            Ok(fetched) => fetched,
            Err(why) => {
                // Without the URL, which may hold a secret.
                tracing::debug!(%why, "no preview");
                return None;
            }
        };
        let mut headers = Map::new();
        for (name, value) in
            [("contentType", &fetched.content_type), ("contentLength", &fetched.content_length)]
        {
            if let Some(value) = value {
                headers.insert(name.to_owned(), value.as_str().into());
            }
        }
        let meta = match fetched.html {
            None => Map::new(),
            // Apart from those who serve requests: a page is long, and a stranger's.
            Some(html) => {
                let read = move || page::meta(&html, fetched.content_type.as_deref());
                tokio::task::spawn_blocking(read).await.ok()?
            }
        };
        Some(Preview { meta, headers })
    }
}

impl Core {
    /// What the page behind a URL says of itself, for a member of some room: [`Error::NoPreview`] if
    /// there is no such page, it does not answer or may not be asked, all the same.
    pub async fn url_preview(&self, _: &Access, url: &str) -> Result<Arc<Preview>> {
        let settings = self.settings();
        if !settings.on(&setting::EMBED) {
            return Err(Error::SwitchedOff(Feature::Previews));
        }
        if links::is_ours(url, settings.text(&setting::SITE_URL)) {
            return Err(Error::NoPreview);
        }
        let previews = self.previews();
        let _asking = previews.asking.try_acquire().map_err(Error::unavailable)?;
        previews.preview(url, &settings).await.ok_or(Error::NoPreview)
    }
}
