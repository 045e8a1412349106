//! How much there is of everything, for who may know. Counting reads whole tables, so it is done at most
//! once an hour, by one caller for all, and kept in memory until then.

use crate::Core;
use crate::caller::{Admin, Perm};
use crate::error::Result;
use crate::store::statistics;
use crate::time::Ms;
use std::sync::Arc;

/// How long counts are given again, in milliseconds.
const HOUR: Ms = 3_600_000;

/// Counts at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// When they were made.
    pub at: Ms,
    /// Accounts.
    pub users: i64,
    /// Those that may log in.
    pub active: i64,
    /// Those of applications.
    pub apps: i64,
    /// Active ones whose only role is `guest`.
    pub guests: i64,
    /// Active ones that show `online`.
    pub online: i64,
    /// Active ones that show `away`.
    pub away: i64,
    /// Active ones that show `busy`.
    pub busy: i64,
    /// The newest login.
    pub last_login: Option<Ms>,
    /// Rooms.
    pub rooms: i64,
    /// Direct ones.
    pub direct: i64,
    /// Messages.
    pub messages: i64,
    /// Those in direct rooms.
    pub direct_messages: i64,
    /// Messages with replies.
    pub threads: i64,
    /// Pinned messages.
    pub pinned: i64,
    /// Stars that somebody gave.
    pub starred: i64,
}

/// The last counts; whoever makes new ones has the others wait for them.
pub(crate) type Kept = tokio::sync::Mutex<Option<Arc<Statistics>>>;

impl Core {
    /// The counts, not older than an hour.
    pub async fn statistics(&self, admin: Admin<'_>) -> Result<Arc<Statistics>> {
        admin.holds(Perm::ViewStatistics)?;
        let mut kept = self.kept_statistics().lock().await;
        let now = self.clock().now();
        if let Some(known) =
            kept.as_ref().filter(|known| now.abs_diff(known.at) < HOUR.unsigned_abs())
        {
            return Ok(known.clone());
        }
        let fresh = Arc::new(statistics::count(self.store(), now).await?);
        *kept = Some(fresh.clone());
        Ok(fresh)
    }
}
