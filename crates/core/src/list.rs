//! What a caller may ask of any list: a filter, an order, a place and a size.
//! The route's own conditions are the list function's, never the caller's: a filter is only ever
//! joined to them by AND.

use crate::error::Result;
use crate::id::UserId;
use crate::time::Ms;
use futures_util::stream::{BoxStream, StreamExt};
use parlance_query::{Filter, Sort};
use serde_json::Value;
use std::sync::Arc;

/// Filter, order, offset and limit of one listing.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// Which of the documents that the route allows.
    pub filter: Filter,
    /// In which order; `None` for the route's own.
    pub sort: Option<Sort>,
    /// Only what comes after this place in the route's own order: a time and an id.
    pub after: Option<(Ms, String)>,
    /// How many to pass over.
    pub offset: i64,
    /// How many to give; `None` for all, in pieces.
    pub limit: Option<i64>,
    /// Count what matches, paging aside? Without that a listing ends with its page.
    pub total: bool,
    /// How many documents may be looked at one by one, where SQL cannot answer.
    pub scan: i64,
    /// How long a filter or a sort of the caller's own may take.
    pub time: Ms,
    /// Who asks: others get their turns too.
    pub by: Option<UserId>,
}

impl ListQuery {
    /// The first `limit` in the route's own order.
    pub fn first(limit: i64) -> Self {
        Self {
            filter: Filter::all(),
            sort: None,
            after: None,
            offset: 0,
            limit: Some(limit),
            total: true,
            scan: 20_000,
            time: 5_000,
            by: None,
        }
    }
}

/// How a face shows an item of a list to filters and sorts: dates marked as dates.
pub type Document<T> = Arc<dyn Fn(&T) -> Value + Send + Sync>;

/// A piece of a listing, and how many there are in all.
pub struct Page<T> {
    /// The piece.
    pub items: Vec<T>,
    /// What matches, paging aside; 0 if nobody asked ([`ListQuery::total`]).
    pub total: i64,
    /// What follows where all was asked for: piece after piece, none of them empty, read only when
    /// somebody wants it. Nothing is held in between, so a slow reader keeps nobody waiting.
    pub more: Option<Pieces<T>>,
}

/// The rest of a list, in pieces that fit in memory.
pub type Pieces<T> = BoxStream<'static, Result<Vec<T>>>;

impl<T> Page<T> {
    /// A page that nothing follows.
    pub(crate) fn whole(items: Vec<T>, total: i64) -> Self {
        Self { items, total, more: None }
    }

    /// The items and all that follow, in memory: for lists that are known to be short.
    pub async fn all(self) -> Result<Vec<T>> {
        let Self { mut items, more, .. } = self;
        if let Some(mut more) = more {
            while let Some(piece) = more.next().await {
                items.extend(piece?);
            }
        }
        Ok(items)
    }
}

/// The contract's own filters of `dm.messages` (section 4.5).
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// Mentioning any of these users; empty for no condition.
    pub mentioned: Vec<String>,
    /// Starred by any of these users; empty for no condition.
    pub starred: Vec<String>,
    /// Pinned ones only.
    pub pinned: bool,
}

impl Marks {
    /// No condition at all?
    pub fn is_empty(&self) -> bool {
        self.mentioned.is_empty() && self.starred.is_empty() && !self.pinned
    }
}

/// A length as the wire and the store count: no list here is near the limit.
pub fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
