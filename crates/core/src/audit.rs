//! The audit: every successful read of other people's messages and every export that is taken on, with
//! who, when, from where, which room and which range. The row is written before the answer leaves;
//! without it there is no answer.
//! A read of everything is written down before it begins, with as many as there are then. What the
//! operator changes from the shell stands here too (`command`).

use crate::caller::Admin;
use crate::error::{Error, Result};
use crate::id::RoomId;
use crate::list::{ListQuery, Page, count};
use crate::store::audit;
use crate::time::Ms;
use crate::{Core, Perm};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Who acts from the shell, without an account.
pub const OPERATOR: &str = "operator";

/// What was read.
pub(crate) struct Read<'a> {
    pub(crate) action: &'static str,
    pub(crate) room: Option<RoomId>,
    pub(crate) query: &'a ListQuery,
    /// Times of the oldest and newest message given; no oldest where all are.
    pub(crate) range: (Option<Ms>, Option<Ms>),
}

/// One row of the audit.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Entry {
    /// Its own id.
    pub id: String,
    /// When.
    pub at: Ms,
    /// The account's id; [`OPERATOR`] for a command of the operator's.
    pub actor: String,
    /// Its username then.
    pub name: String,
    /// The address it came from.
    pub ip: String,
    /// The call.
    pub action: String,
    /// The room, where it was one.
    pub room: Option<String>,
    /// JSON object: of a read, offset and count asked for, conditions, how many were given, and their
    /// times; of a change, what was changed.
    pub detail: String,
}

impl Entry {
    /// Where it stands in the order of the audit.
    pub fn place(&self) -> Place {
        Place { at: self.at, id: self.id.clone() }
    }
}

/// A place in the order of the audit.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Place {
    /// The time of the row there.
    pub at: Ms,
    /// Its id.
    pub id: String,
}

/// Which rows of the audit; what is `None` does not matter.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Filter {
    /// From this time on.
    pub since: Option<Ms>,
    /// Before this time.
    pub until: Option<Ms>,
    /// By this account (username or id), or [`OPERATOR`].
    pub actor: Option<String>,
    /// About this room.
    pub room: Option<String>,
    /// This call or command.
    pub action: Option<String>,
}

/// How many a list gives, or will give once it is read to its end.
pub(crate) fn given<T>(page: &Page<T>, query: &ListQuery) -> i64 {
    match page.more {
        None => count(page.items.len()),
        Some(_) => page.total.saturating_sub(query.offset),
    }
}

impl Core {
    pub(crate) async fn audit(
        &self,
        admin: Admin<'_>,
        ip: &str,
        read: Read<'_>,
        given: i64,
    ) -> Result<()> {
        let fields: Vec<&str> = read.query.filter.paths();
        let detail = json!({
            "offset": read.query.offset,
            "count": read.query.limit,
            "conditions": fields,
            "given": given,
            "oldest": read.range.0,
            "newest": read.range.1,
        });
        let entry = self.entry(admin, ip, (read.action, read.room.as_ref()), &detail);
        let added = audit::add(self.store(), &entry).await;
        added.map_err(|error| Error::Unaudited(error.to_string().into()))
    }

    /// A row about what an administrator does now.
    pub(crate) fn entry(
        &self,
        admin: Admin<'_>,
        ip: &str,
        (action, room): (&str, Option<&RoomId>),
        detail: &Value,
    ) -> Entry {
        let user = admin.caller.user();
        let now = self.clock().now();
        Entry {
            id: self.chance().id(now),
            at: now,
            actor: user.id.to_string(),
            name: user.handle().to_owned(),
            ip: ip.to_owned(),
            action: action.to_owned(),
            room: room.map(RoomId::to_string),
            detail: detail.to_string(),
        }
    }

    /// The newest rows of the audit, newest first.
    pub async fn audit_log(&self, admin: Admin<'_>, limit: i64) -> Result<Vec<Entry>> {
        admin.holds(Perm::ViewRoomAdministration)?;
        let filter = Filter::default();
        let limit = limit.clamp(1, 1000);
        let page = audit::Page { filter: &filter, after: None, newest_first: true, limit };
        audit::list(self.store(), &page).await
    }
}
