//! Who is here: a few people by how their names begin, all of them by page, and those whose role is
//! shown to everybody. Whoever may not look outside its rooms finds those who are in them, and no
//! others.

use crate::Core;
use crate::account::{User, fold};
use crate::caller::{Caller, Perm};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::list::{Document, ListQuery, Page, count};
use crate::store::{directory, roles, users};
use std::collections::HashSet;

/// People of one answer at most.
const MOST: i64 = 200;
/// Accounts with a shown role that are told of.
const MOST_ROLED: i64 = 1000;

impl Core {
    /// May the caller find people it shares no room with?
    pub fn sees_outside(&self, caller: &Caller) -> bool {
        self.may(caller, Perm::ViewOutsideRoom) && self.may(caller, Perm::ViewDRoom)
    }

    /// Active users whose username or name begins with `text`, at most `limit`; for who may not look
    /// outside its rooms, those who share one with it.
    pub async fn spotlight(&self, caller: &Caller, text: &str, limit: i64) -> Result<Vec<User>> {
        let (text, limit) = (fold(text.trim()), limit.clamp(1, MOST));
        if self.sees_outside(caller) {
            return users::search(self.store(), &text, limit).await;
        }
        if !self.may_read_rooms(caller.user()) {
            return Ok(Vec::new());
        }
        directory::near(self.store(), caller.id(), &text, limit).await
    }

    /// Active accounts, by name or as the query says: [`Error::Lacks`] for who may not look outside
    /// its rooms.
    pub async fn directory(
        &self,
        caller: &Caller,
        query: &ListQuery,
        document: Document<User>,
    ) -> Result<Page<User>> {
        if !self.sees_outside(caller) {
            return Err(Error::Lacks(Perm::ViewOutsideRoom));
        }
        directory::list(self.store(), query, document).await
    }

    /// Accounts with a role that is shown to everybody: one for all rooms, with a description.
    pub async fn users_in_public_roles(&self, _: &Caller) -> Result<Vec<User>> {
        let mut found: Vec<User> = Vec::new();
        for role in self.roles().iter().filter(|role| role.is_public()) {
            let left = MOST_ROLED - count(found.len());
            if left <= 0 {
                break;
            }
            let some = roles::some_with(self.store(), &role.id, left).await?;
            let known: HashSet<UserId> = found.iter().map(|user| user.id.clone()).collect();
            found.extend(some.into_iter().filter(|user| !known.contains(&user.id)));
        }
        found.sort_by(|a, b| a.id.as_str().cmp(b.id.as_str()));
        Ok(found)
    }
}
