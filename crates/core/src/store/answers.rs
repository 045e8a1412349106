//! Answers to writes that carry a client's key (ruling B9). The row that claims a key is part of the first
//! change that the write makes: it is there exactly if that happened, whatever becomes of the process,
//! and of many who send the same at once one makes the change.

use super::{Change, Rows, Store, Value};
use crate::error::{Error, Result};
use crate::retry::{Answer, Claim};
use crate::time::Ms;
use std::sync::Arc;
use std::sync::atomic::Ordering;

tokio::task_local! {
    /// The claim that the running write has to make.
    pub(crate) static CLAIM: Arc<Claim>;
}

/// How long a key is kept.
const DAY: Ms = 86_400_000;
/// Keys of one user kept at most: the oldest go.
const MOST: i64 = 10_000;

const ADD: &str = "INSERT INTO answers (usr, route, name, hash, ts) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (usr, route, name) DO UPDATE SET hash = excluded.hash, ts = excluded.ts,
        status = NULL, body = NULL WHERE answers.ts < $6";
const TRIM: &str = "DELETE FROM answers WHERE usr = $1 AND (ts < $2 OR ts <= (SELECT a.ts
    FROM answers a WHERE a.usr = $1 ORDER BY a.ts DESC LIMIT 1 OFFSET $3))";
const KEEP: &str = "UPDATE answers SET status = $4, body = $5
    WHERE usr = $1 AND route = $2 AND name = $3";
const FIND: &str = "SELECT hash, status, body FROM answers
    WHERE usr = $1 AND route = $2 AND name = $3 AND ts >= $4";

/// The change with the claim of the running write, if it has one to make.
pub(super) fn claimed(change: Change) -> (Change, Option<Arc<Claim>>) {
    let claim = CLAIM.try_with(Arc::clone).ok();
    let Some(claim) = claim.filter(|claim| !claim.made.load(Ordering::Acquire)) else {
        return (change, None);
    };
    let mut with = Change::new();
    let old = claim.at.saturating_sub(DAY);
    with.run(TRIM, [claim.user.as_str().into(), old.into(), MOST.into()]);
    let args: [Value; 6] = [
        claim.user.as_str().into(),
        claim.route.as_str().into(),
        claim.key.as_str().into(),
        claim.hash.as_str().into(),
        claim.at.into(),
        old.into(),
    ];
    with.expect(1, Error::Retried, ADD, args);
    with.0.extend(change.0);
    (with, Some(claim))
}

/// The rows of the change itself; the claim is made if it is.
pub(super) fn made(claim: Option<Arc<Claim>>, result: Result<Vec<Rows>>) -> Result<Vec<Rows>> {
    let Some(claim) = claim else {
        return result;
    };
    let mut rows = result?;
    claim.made.store(true, Ordering::Release);
    // The claim's own two statements come first.
    Ok(rows.split_off(2.min(rows.len())))
}

/// What was answered under a claim's key, if it was used within a day.
pub(crate) async fn find(store: &Store, claim: &Claim) -> Result<Option<Answer>> {
    let args: [Value; 4] = [
        claim.user.as_str().into(),
        claim.route.as_str().into(),
        claim.key.as_str().into(),
        claim.at.saturating_sub(DAY).into(),
    ];
    let Some(mut row) = store.read(FIND, args).await?.into_iter().next() else {
        return Ok(None);
    };
    if row.text()? != claim.hash {
        return Err(Error::DuplicateKey);
    }
    let status = row.opt_int()?;
    let body = row.opt_text()?;
    Ok(Some(match status.zip(body) {
        Some((status, body)) => Answer::Given { status, body },
        None => Answer::Coming,
    }))
}

/// Keeps what was answered.
pub(crate) async fn keep(store: &Store, claim: &Claim, status: i64, body: &str) -> Result<()> {
    let mut change = Change::new();
    let args: [Value; 5] = [
        claim.user.as_str().into(),
        claim.route.as_str().into(),
        claim.key.as_str().into(),
        status.into(),
        body.into(),
    ];
    change.run(KEEP, args);
    store.write(change).await.map(drop)
}
