//! Safe retries of any write by a client's own key (`Idempotency-Key`, ruling B9): the same key with the
//! same content gives the first answer, with other content a refusal; also after a restart, and from
//! many connections at once. A write that changed nothing leaves no trace and runs again.

use crate::Core;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::store::answers::{self, CLAIM};
use crate::time::Ms;
use sha2::{Digest as _, Sha256};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How long an answer that is being made is waited for, and between two looks.
const PATIENCE: Ms = 10_000;
const LOOK: Ms = 20;

/// A write under a client's key, before it is known whether it is the first.
#[derive(Debug)]
pub struct Claim {
    pub(crate) user: UserId,
    pub(crate) route: String,
    pub(crate) key: String,
    pub(crate) hash: String,
    pub(crate) at: Ms,
    /// The change that holds the claim is on disk.
    pub(crate) made: AtomicBool,
}

/// What is known of a key that was used before.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The first answer.
    Given {
        /// Its status.
        status: i64,
        /// Its body.
        body: String,
    },
    /// The first write is not answered yet.
    Coming,
}

/// What stands for all that was asked: its parts, hashed each with its length.
pub fn hash(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

impl Core {
    /// Runs a write under a client's key, once: `work` gives status and body. `hash` stands for all
    /// that was asked. [`Error::DuplicateKey`] if the key was used for something else,
    /// [`Error::Retried`] if the first write never came to its answer.
    pub async fn once<W>(
        &self,
        caller: &Caller,
        (route, key, hash): (&str, &str, &str),
        work: W,
    ) -> Result<(i64, String)>
    where
        W: Future<Output = (i64, String)>,
    {
        let claim = Arc::new(Claim {
            user: caller.id().clone(),
            route: route.to_owned(),
            key: key.to_owned(),
            hash: hash.to_owned(),
            at: self.clock().now(),
            made: AtomicBool::new(false),
        });
        if let Some(answer) = self.answered(&claim).await? {
            return Ok(answer);
        }
        let (status, body) = CLAIM.scope(claim.clone(), work).await;
        if claim.made.load(Ordering::Acquire) {
            // The write stands whether its answer can be kept or not.
            if let Err(error) = answers::keep(self.store(), &claim, status, &body).await {
                tracing::warn!(%error, "the answer to a keyed write is not kept");
            }
            return Ok((status, body));
        }
        // Nothing was changed, or another was first.
        Ok(self.answered(&claim).await?.unwrap_or((status, body)))
    }

    /// The first answer under a claim's key, waited for if it is coming; `None` if there was no
    /// write.
    async fn answered(&self, claim: &Claim) -> Result<Option<(i64, String)>> {
        let machine = crate::Clock::default();
        let deadline = machine.now().saturating_add(PATIENCE);
        loop {
            match answers::find(self.store(), claim).await? {
                None => return Ok(None),
                Some(Answer::Given { status, body }) => return Ok(Some((status, body))),
                Some(Answer::Coming) if machine.now() > deadline => return Err(Error::Retried),
                Some(Answer::Coming) => machine.sleep(LOOK).await,
            }
        }
    }
}
