//! Searching messages: of one room, or of all rooms of a member. Where the index of terms can serve a
//! search, its rows come from there, and the filter decides on them as on any others.

use super::fields::{OfMessages, OfMessagesAnywhere};
use super::listing::Listing;
use super::messages::{columns, read};
use super::terms::{self, Among};
use super::{Store, Value};
use crate::error::Result;
use crate::id::UserId;
use crate::list::{Document, ListQuery, Page};
use crate::message::Message;
use crate::room::Room;
use crate::search::Group;
use crate::time::Ms;

/// Messages of a term that are counted.
const COUNTED: i64 = 1000;
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
    let among = match room {
        Some(room) => among_room(store, room, terms).await?,
        None => among_all(terms),
    };
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

/// The group of fewest messages, and of each of its alternatives the rarest terms; `None` if the room
/// is as soon read.
async fn among_room(store: &Store, room: &Room, terms: Terms) -> Result<Option<Among>> {
    let Terms { groups, range, descending } = terms;
    let mut all: Vec<&str> = groups.iter().flatten().flatten().map(String::as_str).collect();
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        return Ok(None);
    }
    let counts = terms::counts(store, &room.id, &all, COUNTED).await?;
    let count = |term: &String| {
        let place = all.binary_search(&term.as_str()).ok();
        place.and_then(|place| counts.get(place)).copied().unwrap_or(COUNTED)
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
    let best = best.filter(|(messages, _)| messages.saturating_mul(PART) < room.stored);
    Ok(best.map(|(_, any)| Among { one_room: true, descending, any: few(any), range }))
}

/// The group of the longest words: to count in every room would cost as much as it saves.
fn among_all(terms: Terms) -> Option<Among> {
    let Terms { groups, range, descending } = terms;
    let shortest = |group: &Group| {
        let longest = |terms: &Vec<String>| terms.iter().map(String::len).max();
        group.iter().filter_map(longest).min()
    };
    let mut any = groups.into_iter().max_by_key(shortest)?;
    for terms in &mut any {
        terms.sort_by_key(|term| std::cmp::Reverse(term.len()));
    }
    Some(Among { one_room: false, descending, any: few(any), range })
}

fn few(mut any: Group) -> Group {
    for terms in &mut any {
        terms.truncate(ASKED);
    }
    any
}
