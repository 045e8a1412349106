//! Searching messages: of one room, or of all rooms of a member. Where the index of terms can serve a
//! search, its rows come from there, and the filter decides on them as on any others.

use super::among::{self, Among};
use super::fields::{OfMessages, OfMessagesAnywhere};
use super::listing::Listing;
use super::messages::{columns, read};
use super::{Store, Value};
use crate::error::Result;
use crate::id::UserId;
use crate::list::{Document, ListQuery, Page};
use crate::message::Message;
use crate::room::Room;
use crate::search::Group;
use crate::time::Ms;

/// Messages of a term that are counted at most.
const COUNTED: i64 = 20_000;
/// A term that stands in so large a part of a room saves nothing.
const PART: i64 = 8;
/// Terms that a message is asked for; more narrow a search no further.
const ASKED: usize = 4;

const STAR: &str = " LEFT JOIN stars st
    ON st.message = m.id AND st.usr = $2 AND st.room = m.room";

/// What a search is about.
pub(crate) struct Terms {
    /// Of each group one alternative stands in a message, with all its terms; the index may serve any
    /// of the groups. Empty where it cannot serve.
    pub(crate) groups: Vec<Group>,
    /// Not before the first time, and before the second.
    pub(crate) range: (Ms, Ms),
    pub(crate) descending: bool,
}

/// The messages that a filter finds, newest first or as the query says.
pub(crate) async fn messages(
    store: &Store,
    room: Option<&Room>,
    reader: &UserId,
    query: &ListQuery,
    terms: Terms,
    document: Document<Message>,
) -> Result<Page<Message>> {
    let among = narrowed(store, room, reader, terms).await?;
    let condition = match (room, &among) {
        (Some(_), _) => "m.room = $1 AND $2 = $2",
        (None, None) => "$1 = $1 AND m.room IN (SELECT s.room FROM members s WHERE s.usr = $2)",
        // Asked of each row, so that the index leads.
        (None, Some(_)) => {
            "$1 = $1 AND EXISTS (SELECT 1 FROM members s WHERE s.room = m.room AND s.usr = $2)"
        }
    };
    let id = room.map_or("", |room| room.id.as_str());
    let args: Vec<Value> = vec![id.into(), reader.into()];
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
        fields: if room.is_some() { &OfMessages } else { &OfMessagesAnywhere },
        among,
    };
    listing.page(store, query, read, document).await
}

/// The group of fewest messages, and of each of its alternatives the rarest terms; `None` if all the
/// messages are as soon read.
async fn narrowed(
    store: &Store,
    room: Option<&Room>,
    reader: &UserId,
    terms: Terms,
) -> Result<Option<Among>> {
    let Terms { groups, range, descending } = terms;
    let mut all: Vec<&str> = groups.iter().flatten().flatten().map(String::as_str).collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return Ok(None);
    }
    let stored = match room {
        Some(room) => room.stored,
        None => among::stored(store, reader).await?,
    };
    let enough = (stored / PART).clamp(1, COUNTED);
    let id = room.map(|room| &room.id);
    let counts = among::counts(store, id, reader, &all, enough).await?;
    let count = |term: &String| {
        let place = all.binary_search(&term.as_str()).ok();
        place.and_then(|place| counts.get(place)).copied().unwrap_or(enough)
    };
    let counted = groups.iter().map(|group| {
        let mut group = group.clone();
        let mut messages = 0;
        for terms in &mut group {
            terms.sort_by_key(count);
            messages += terms.first().map_or(0, count);
        }
        (messages, group)
    });
    let best = counted.min_by_key(|(messages, _)| *messages);
    let best = best.filter(|(messages, _)| messages.saturating_mul(PART) < stored);
    let one_room = room.is_some();
    Ok(best.map(|(_, any)| Among { one_room, descending, any: few(any), range }))
}

fn few(mut any: Group) -> Group {
    for terms in &mut any {
        terms.truncate(ASKED);
    }
    any
}
