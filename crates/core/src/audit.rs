//! The audit: every successful read of other people's messages and every export that is taken on, with
//! who, when, from where, which room and which range. The row is written before the answer leaves;
//! without it there is no answer.
//! A read of everything is written down before it begins, with as many as there are then. What an
//! administrator changes of settings, permissions, accounts and rooms stands here too, and all that the
//! operator changes from the shell (`command`): such a row is part of the change.

use crate::caller::{Admin, Caller};
use crate::command::ENTRIES;
use crate::error::{Error, Result};
use crate::id::RoomId;
use crate::list::{ListQuery, Page, Pieces, count};
use crate::store::audit;
use crate::time::Ms;
use crate::{Core, Perm};
use futures_util::stream::{self, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::future::Future;

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

/// What an administrator is about to change.
#[derive(Debug)]
pub struct Told<'a> {
    /// The call.
    pub action: &'a str,
    /// The room, where it is one.
    pub room: Option<String>,
    /// What of it changes, without secrets.
    pub detail: Value,
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
        let room = read.room.as_ref().map(RoomId::to_string);
        let entry = self.entry(admin.caller, ip, (read.action, room), &detail);
        let added = audit::add(self.store(), &entry).await;
        added.map_err(|error| Error::Unaudited(error.to_string().into()))
    }

    /// A row about what somebody does now.
    pub(crate) fn entry(
        &self,
        caller: &Caller,
        ip: &str,
        (action, room): (&str, Option<String>),
        detail: &Value,
    ) -> Entry {
        let user = caller.user();
        let now = self.clock().now();
        Entry {
            id: self.chance().id(now),
            at: now,
            actor: user.id.to_string(),
            name: user.handle().to_owned(),
            ip: ip.to_owned(),
            action: action.to_owned(),
            room,
            detail: detail.to_string(),
        }
    }

    /// Does an administrator's work. The first change that it makes has the row as part of it, so that there
    /// is one exactly if something was changed.
    pub async fn told<T>(
        &self,
        caller: &Caller,
        ip: &str,
        told: Told<'_>,
        work: impl Future<Output = T>,
    ) -> T {
        let entry = self.entry(caller, ip, (told.action, told.room), &told.detail);
        audit::NOTE.scope(audit::Note::new(entry), work).await
    }

    /// A page of the audit, newest first: what the filter asks for behind a place, `limit` rows and never
    /// more than [`ENTRIES`].
    pub async fn audit_log(
        &self,
        admin: Admin<'_>,
        filter: Filter,
        after: Option<Place>,
        limit: i64,
    ) -> Result<Vec<Entry>> {
        admin.holds(Perm::ViewRoomAdministration)?;
        let filter = self.resolved(filter).await?;
        let limit = limit.clamp(1, ENTRIES);
        let page = audit::Page { filter: &filter, after, newest_first: true, limit };
        audit::list(self.store(), &page).await
    }

    /// All that the filter asks for, oldest first, piece by piece.
    pub async fn audit_export(&self, admin: Admin<'_>, filter: Filter) -> Result<Pieces<Entry>> {
        admin.holds(Perm::ViewRoomAdministration)?;
        let filter = self.resolved(filter).await?;
        let state = (self.store().clone(), filter, None::<Place>, false);
        let pieces = stream::try_unfold(state, |(store, filter, after, ended)| async move {
            if ended {
                return Ok(None);
            }
            let page = audit::Page { filter: &filter, after, newest_first: false, limit: ENTRIES };
            let entries = audit::list(&store, &page).await?;
            let (after, ended) = (entries.last().map(Entry::place), count(entries.len()) < ENTRIES);
            Ok(Some((entries, (store, filter, after, ended))))
        });
        Ok(pieces.boxed())
    }

    /// The filter with the id of whom it names.
    async fn resolved(&self, filter: Filter) -> Result<Filter> {
        let actor = match filter.actor {
            Some(actor) => Some(self.actor(actor).await?),
            None => None,
        };
        Ok(Filter { actor, ..filter })
    }
}
