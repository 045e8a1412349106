//! Previews of messages, after the save: a bounded queue, and a few messages at the same time on each
//! node. The change stands only if the message still holds what was read, so that an edit or a
//! deletion meanwhile wins; a message that a crash took out of the queue stays as it is.

use super::Previews;
use crate::error::{Error, Result};
use crate::id::{MessageId, UserId};
use crate::links::Urls;
use crate::live::Live;
use crate::setting;
use crate::store::{Store, edits, messages};
use crate::time::Clock;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use futures_util::stream;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Messages that are filled at the same time.
const WORKERS: usize = 4;

/// A message whose URLs want previews.
pub(crate) struct Job {
    pub(crate) message: MessageId,
    pub(crate) author: UserId,
}

/// What filling needs; it does not keep the core alive.
pub(crate) struct Filler {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) live: Arc<Live>,
    pub(crate) previews: Arc<Previews>,
}

impl Filler {
    /// Fills what comes, for as long as the core lives.
    pub(crate) async fn run(self, queue: mpsc::Receiver<Job>) {
        let jobs =
            stream::unfold(queue, async |mut queue| queue.recv().await.map(|job| (job, queue)));
        jobs.for_each_concurrent(WORKERS, async |job| match self.fill(&job).await {
            // Changed or gone meanwhile.
            Ok(()) | Err(Error::NoMessage) => {}
            Err(error) => tracing::warn!(%error, "a message stays without previews"),
        })
        .await;
    }

    async fn fill(&self, job: &Job) -> Result<()> {
        let settings = self.live.settings();
        let found = messages::by_id(&self.store, job.message.as_str(), &job.author).await?;
        let found = found.filter(|_| settings.on(&setting::EMBED));
        let Some(message) = found else { return Ok(()) };
        let Some(mut urls) = Urls::of(&message.body) else { return Ok(()) };
        let wanted = urls.wanted(settings.text(&setting::SITE_URL));
        let asked = wanted.iter().map(|(_, url)| self.previews.preview(url, &settings));
        let mut filled = false;
        for ((place, _), preview) in wanted.iter().zip(join_all(asked).await) {
            if let Some(preview) = preview {
                urls.fill(*place, &preview);
                filled = true;
            }
        }
        if !filled {
            return Ok(());
        }
        let (was, now) = (message.body.as_str(), self.clock.now());
        edits::fill(&self.store, &message.id, was, &urls.body(), now).await
    }
}
