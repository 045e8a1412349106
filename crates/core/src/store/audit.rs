//! Rows of the audit: written once, never changed. A row of the operator's is part of the change that it
//! tells of, so that there is one exactly if that happened.

use super::{Change, Rows, Store, Value};
use crate::audit::{Entry, Filter, Place};
use crate::error::Result;
use std::sync::atomic::{AtomicBool, Ordering};

tokio::task_local! {
    /// The row that the running change of the operator's has to make.
    pub(crate) static NOTE: Note;
}

const ADD: &str = "INSERT INTO audit (id, ts, actor, name, ip, action, room, detail)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const COLUMNS: &str = "id, ts, actor, name, ip, action, room, detail";

/// A row, and whether it was made.
pub(crate) struct Note {
    entry: Entry,
    made: AtomicBool,
}

impl Note {
    pub(crate) fn new(entry: Entry) -> Self {
        Self { entry, made: AtomicBool::new(false) }
    }
}

/// Which rows, and in which order.
pub(crate) struct Page<'a> {
    pub(crate) filter: &'a Filter,
    pub(crate) after: Option<Place>,
    pub(crate) newest_first: bool,
    pub(crate) limit: i64,
}

/// A row to be written with what it tells of.
pub(super) fn add_to(change: &mut Change, entry: &Entry) {
    let args: [Value; 8] = [
        entry.id.as_str().into(),
        entry.at.into(),
        entry.actor.as_str().into(),
        entry.name.as_str().into(),
        entry.ip.as_str().into(),
        entry.action.as_str().into(),
        entry.room.as_deref().into(),
        entry.detail.as_str().into(),
    ];
    change.run(ADD, args);
}

pub(crate) async fn add(store: &Store, entry: &Entry) -> Result<()> {
    let mut change = Change::new();
    add_to(&mut change, entry);
    store.write(change).await.map(drop)
}

/// Adds the row of the operator's running change, as the last statement; says whether there is one.
pub(super) fn noted(change: &mut Change) -> bool {
    let note = |note: &Note| {
        let missing = !note.made.load(Ordering::Acquire);
        if missing {
            add_to(change, &note.entry);
        }
        missing
    };
    NOTE.try_with(note).unwrap_or(false)
}

/// The rows of the change itself; the row is made if it is.
pub(super) fn made(noted: bool, result: Result<Vec<Rows>>) -> Result<Vec<Rows>> {
    if !noted {
        return result;
    }
    let mut rows = result?;
    rows.pop();
    // The note is there: this is the task that asked for it.
    let _ = NOTE.try_with(|note| note.made.store(true, Ordering::Release));
    Ok(rows)
}

/// A page of the rows that the filter asks for. The text names only what is asked, so that an index
/// leads each of them.
pub(crate) async fn list(store: &Store, page: &Page<'_>) -> Result<Vec<Entry>> {
    let (mut conditions, mut args) = (vec!["TRUE".to_owned()], Vec::<Value>::new());
    let mut ask = |condition: &str, arg: Value| {
        args.push(arg);
        conditions.push(format!("{condition} ${}", args.len()));
    };
    let filter = page.filter;
    for (column, wanted) in
        [("actor", &filter.actor), ("room", &filter.room), ("action", &filter.action)]
    {
        if let Some(wanted) = wanted {
            ask(&format!("{column} ="), wanted.into());
        }
    }
    if let Some(since) = filter.since {
        ask("ts >=", since.into());
    }
    if let Some(until) = filter.until {
        ask("ts <", until.into());
    }
    let (sign, way) = if page.newest_first { ("<", "DESC") } else { (">", "ASC") };
    if let Some(place) = &page.after {
        args.push(place.at.into());
        args.push(place.id.as_str().into());
        let (ts, id) = (args.len() - 1, args.len());
        conditions.push(format!("ts {sign}= ${ts} AND (ts {sign} ${ts} OR id {sign} ${id})"));
    }
    args.push(page.limit.into());
    let sql = format!(
        "SELECT {COLUMNS} FROM audit WHERE {} ORDER BY ts {way}, id {way} LIMIT ${}",
        conditions.join(" AND "),
        args.len()
    );
    let entry = |mut row: super::Row| {
        Ok(Entry {
            id: row.text()?,
            at: row.int()?,
            actor: row.text()?,
            name: row.text()?,
            ip: row.text()?,
            action: row.text()?,
            room: row.opt_text()?,
            detail: row.text()?,
        })
    };
    store.read(sql, args).await?.into_iter().map(entry).collect()
}
