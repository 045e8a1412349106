//! Finding people: by how their names begin, and by page. Whoever may not see everybody finds those of its own rooms, at the cost of reading those rooms' members.

use super::listing::Listing;
use super::{Store, Value, users};
use crate::account::User;
use crate::error::Result;
use crate::id::UserId;
use crate::list::{Document, ListQuery, Page};
use parlance_query::sql::{Column, FieldMap};

/// Names are read from the few people that the caller shares a room with, whatever the text is.
const NEAR: &str = concat!(
    "SELECT ",
    users::columns!(),
    " FROM (SELECT DISTINCT o.usr FROM members m JOIN members o ON o.room = m.room
            WHERE m.usr = $4) page
        JOIN users u ON u.id = page.usr
      WHERE u.active AND (u.fold >= $1 AND u.fold < $2 OR u.name_fold >= $1 AND u.name_fold < $2)
      ORDER BY u.fold, u.id LIMIT $3"
);

/// Active users in a room of this one's whose username or name begins with this folded text.
pub(crate) async fn near(
    store: &Store,
    user: &UserId,
    fold: &str,
    limit: i64,
) -> Result<Vec<User>> {
    let end = format!("{fold}\u{10FFFF}");
    let args: [Value; 4] = [fold.into(), end.into(), limit.into(), user.into()];
    let rows = store.read(NEAR, args).await?;
    rows.into_iter().map(|mut row| users::read(&mut row)).collect()
}

/// Active accounts with a username, by name or as the query says.
pub(crate) async fn list(
    store: &Store,
    query: &ListQuery,
    document: Document<User>,
) -> Result<Page<User>> {
    let listing = Listing {
        columns: users::columns!(),
        from: "users u",
        joins: &[],
        condition: "u.active AND u.username IS NOT NULL".to_owned(),
        args: Vec::new(),
        order: "coalesce(u.name_fold, ''), u.id",
        id: "u.id",
        place: None,
        fixed: None,
        fields: &OfDirectory,
        among: None,
    };
    listing.page(store, query, users::read, document).await
}

/// The names of an entry's document, as SQL sees them.
struct OfDirectory;

impl FieldMap for OfDirectory {
    fn column(&self, path: &str) -> Option<Column> {
        Some(match path {
            "_id" => Column::Text("u.id"),
            "username" => Column::Text("u.username"),
            "name" => Column::Text("u.name"),
            "createdAt" => Column::Date("u.created"),
            _ => return None,
        })
    }
}
