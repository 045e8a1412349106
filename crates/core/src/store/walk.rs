//! A list of everything (`count=0`), in pieces: memory holds one piece, whatever the list's length.
//! In the list's own order each piece is a read of its own that begins where the last one ended, so
//! nothing is skipped or given twice while others write, and no reader is held for a slow client.
//! Any other order is settled once, as ids, and their documents follow piece by piece.

use super::listing::{Listing, Prepared, Reader, reads, total};
use super::scan::Narrowed;
use super::{Read, Row, Store, Value};
use crate::error::Result;
use crate::id::UserId;
use crate::list::{Document, ListQuery, Page};
use crate::time::Ms;
use futures_util::{StreamExt, stream};
use parlance_query::Filter;

/// Documents of one piece. A message carries up to some 100 KiB.
const PIECE: usize = 100;
/// The same, for a statement.
const LIMIT: i64 = 100;

/// A time and an id.
type Place = (Ms, String);

/// A walk along the list's own order.
struct Ordered<T> {
    store: Store,
    /// The statement of a piece that begins behind a place.
    sql: String,
    args: Vec<Value>,
    /// The place where the last piece ended.
    after: Place,
    /// How long a piece may take and who asks, where a filter of the caller's decides.
    turn: Option<(Ms, Option<UserId>)>,
    read: Reader<T>,
}

impl Listing {
    /// Everything that a query asks for, from its offset on.
    pub(super) async fn walk<T: Send + 'static>(
        &self,
        store: &Store,
        query: &ListQuery,
        read: Reader<T>,
        document: Document<T>,
    ) -> Result<Page<T>> {
        let prepared = self.prepare(query);
        match prepared {
            Prepared { condition, args, order: Some(_), rest: None }
                if query.sort.is_none() && self.place.is_some() =>
            {
                self.ordered(store, query, &condition, args, read).await
            }
            Prepared { condition, args, order: Some(order), rest: None } => {
                let turn = store.turn(query.time, query.by.as_ref()).await?;
                let (page, count) = self.statements(query, self.id, &condition, &order, args.len());
                let reads = reads(query, page.into(), count.into(), args);
                let mut answers = store.read_costly(reads, &turn).await?.into_iter();
                let rows = answers.next().unwrap_or_default();
                let ids = rows.into_iter().map(|mut row| row.text()).collect::<Result<_>>()?;
                self.by_id(store, ids, total(answers.next())?, read).await
            }
            Prepared { condition, args, order, rest } => {
                let turn = store.turn(query.time, query.by.as_ref()).await?;
                let rest = rest.unwrap_or_else(Filter::all);
                let narrowed = Narrowed { condition, args, order, rest };
                let _caller = turn.caller();
                let (total, ids) = self.scan(store, query, narrowed, read, document, &turn).await?;
                self.by_id(store, ids, total, read).await
            }
        }
    }

    /// The documents of these ids.
    async fn by_id<T: Send + 'static>(
        &self,
        store: &Store,
        mut ids: Vec<String>,
        total: i64,
        read: Reader<T>,
    ) -> Result<Page<T>> {
        if ids.is_empty() {
            return Ok(Page::whole(Vec::new(), total));
        }
        let rest = ids.split_off(ids.len().min(PIECE));
        let mut items = Vec::with_capacity(ids.len());
        self.fetch_piece(store, &ids, read, &mut items).await?;
        if rest.is_empty() {
            return Ok(Page::whole(items, total));
        }
        let state = (self.clone(), store.clone(), rest.into_iter());
        let more = stream::try_unfold(state, move |(listing, store, mut rest)| async move {
            let mut items = Vec::with_capacity(PIECE);
            // What is gone by now is left out, and a piece with nothing left is no piece.
            while items.is_empty() {
                let ids: Vec<String> = rest.by_ref().take(PIECE).collect();
                if ids.is_empty() {
                    return Ok(None);
                }
                listing.fetch_piece(&store, &ids, read, &mut items).await?;
            }
            Ok(Some((items, (listing, store, rest))))
        });
        Ok(Page { items, total, more: Some(more.boxed()) })
    }

    /// The documents in the list's own order; the first piece and the total are of one snapshot.
    async fn ordered<T: Send + 'static>(
        &self,
        store: &Store,
        query: &ListQuery,
        condition: &str,
        args: Vec<Value>,
        read: Reader<T>,
    ) -> Result<Page<T>> {
        // A listing without a place never comes here.
        let time = self.place.map_or("NULL", |(time, _)| time);
        let columns = format!("{}, {time}, {}", self.id, self.columns);
        let first = ListQuery { limit: Some(LIMIT), ..query.clone() };
        let next = ListQuery { after: Some((0, String::new())), offset: 0, ..first.clone() };
        let statement = |query| self.statements(query, &columns, condition, self.order, args.len());
        let (page, count) = statement(&first);
        let count = match self.fixed {
            // The kept count is the same count.
            Some((_, count)) if query.filter.is_all() => count.into(),
            _ => count.into(),
        };
        let turn = (!query.filter.is_all()).then(|| (query.time, query.by.clone()));
        let reads = reads(&first, page.into(), count, args.clone());
        let mut answers = answers(store, reads, turn.as_ref()).await?.into_iter();
        let (items, after) = taken(answers.next().unwrap_or_default(), read)?;
        let total = total(answers.next())?;
        let Some(after) = after else {
            return Ok(Page::whole(items, total));
        };
        let (sql, _) = statement(&next);
        let walk = Ordered { store: store.clone(), sql, args, after, turn, read };
        let more = stream::try_unfold(Some(walk), |walk| async {
            match walk {
                Some(walk) => walk.step().await,
                None => Ok(None),
            }
        });
        Ok(Page { items, total, more: Some(more.boxed()) })
    }
}

impl<T> Ordered<T> {
    /// The next piece, and the walk behind it.
    async fn step(mut self) -> Result<Option<(Vec<T>, Option<Self>)>> {
        let mut args = self.args.clone();
        args.extend([self.after.0.into(), (&self.after.1).into(), LIMIT.into(), 0.into()]);
        let reads = vec![Read::new(self.sql.clone(), args)];
        let rows = answers(&self.store, reads, self.turn.as_ref()).await?.pop().unwrap_or_default();
        let (items, after) = taken(rows, self.read)?;
        if items.is_empty() {
            return Ok(None);
        }
        let walk = after.map(|after| {
            self.after = after;
            self
        });
        Ok(Some((items, walk)))
    }
}

/// The answers of reads, in a turn if they hold a filter of a caller's.
async fn answers(
    store: &Store,
    reads: Vec<Read>,
    turn: Option<&(Ms, Option<UserId>)>,
) -> Result<Vec<Vec<Row>>> {
    match turn {
        Some((time, by)) => store.read_costly(reads, &store.turn(*time, by.as_ref()).await?).await,
        None => store.read_all(reads).await,
    }
}

/// The documents of a piece, and its end if another piece may follow.
fn taken<T>(rows: Vec<Row>, read: Reader<T>) -> Result<(Vec<T>, Option<Place>)> {
    let (mut items, mut end) = (Vec::with_capacity(rows.len()), None);
    let full = rows.len() >= PIECE;
    for mut row in rows {
        let (id, ts) = (row.text()?, row.int()?);
        items.push(read(&mut row)?);
        end = Some((ts, id));
    }
    Ok((items, end.filter(|_| full)))
}
