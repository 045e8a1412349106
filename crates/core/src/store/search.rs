//! Searching messages: of one room, or of all rooms of a member.

use super::fields::{OfMessages, OfMessagesAnywhere};
use super::listing::Listing;
use super::messages::{columns, read};
use super::{Store, Value};
use crate::error::Result;
use crate::id::{RoomId, UserId};
use crate::list::{Document, ListQuery, Page};
use crate::message::Message;

const STAR: &str = " LEFT JOIN stars st
    ON st.message = m.id AND st.usr = $2 AND st.room = m.room";

/// The messages that a filter finds, newest first or as the query says.
pub(crate) async fn messages(
    store: &Store,
    room: Option<&RoomId>,
    reader: &UserId,
    query: &ListQuery,
    document: Document<Message>,
) -> Result<Page<Message>> {
    let condition = match room {
        Some(_) => "m.room = $1 AND $2 = $2",
        None => "$1 = $1 AND m.room IN (SELECT s.room FROM members s WHERE s.usr = $2)",
    };
    let room = room.map_or("", RoomId::as_str);
    let args: Vec<Value> = vec![room.into(), reader.into()];
    let listing = Listing {
        columns: columns!(),
        from: "messages m",
        joins: &[("st.", STAR)],
        condition: condition.to_owned(),
        args,
        order: "m.ts DESC, m.id DESC",
        id: "m.id",
        place: Some(("m.ts", "<")),
        fixed: None,
        fields: if room.is_empty() { &OfMessagesAnywhere } else { &OfMessages },
    };
    listing.page(store, query, read, document).await
}
