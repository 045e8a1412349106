//! What SQL cannot say of a filter or a sort, answered exactly: the rows that SQL can narrow down to
//! stream past, the matcher decides, and only the ids of the page are kept and read whole.
//! Rows, time and memory are bounded; past a bound the caller hears which field asks too much
//! (rulings A10, A15), never a part of the answer.

use super::among::{Among, Arm};
use super::listing::{Listing, Reader};
use super::{Plan, READ_BUDGET, Read, Row, Store, Stream, Turn, Value, too_broad};
use crate::error::{Error, Result};
use crate::list::{Document, ListQuery, count};
use crate::time::Ms;
use parlance_query::sql::Column;
use parlance_query::{Filter, Sort, SortKey};
use serde_json::{Value as Json, json};
use std::collections::HashMap;

/// Documents read whole by one statement.
const FETCH: usize = 500;
/// Sorted entries beyond the page that are kept before they are thrown away together.
const SLACK: usize = 1024;

/// What SQL says of a query: its condition, the order if it has one, and the filter's rest.
pub(super) struct Narrowed {
    pub(super) condition: String,
    pub(super) args: Vec<Value>,
    pub(super) order: Option<String>,
    pub(super) rest: Filter,
}

/// How a row that streams past becomes an answer to the rest of the filter.
enum Judge<T> {
    /// Each path of the filter is a column: these are all that is read.
    Columns(Vec<(String, Column)>),
    /// The whole document is made.
    Document(Reader<T>, Document<T>),
}

/// A row that passes, with what it is sorted by where the order is ours.
struct Passed(Option<SortKey>);

/// The work of a scan: what the matcher asks, on a thread of its own.
struct Work<T> {
    query: ListQuery,
    /// Does the route's own order fall?
    descending: bool,
    rest: Filter,
    /// An order that SQL does not have.
    sort: Option<Sort>,
    judge: Judge<T>,
    turn: Turn,
}

impl Listing {
    /// How many a query finds that SQL cannot answer by itself, and the ids of its page.
    pub(super) async fn scan<T: Send + 'static>(
        &self,
        store: &Store,
        query: &ListQuery,
        narrowed: Narrowed,
        read: Reader<T>,
        document: Document<T>,
        turn: &Turn,
    ) -> Result<(i64, Vec<String>)> {
        let Narrowed { condition, mut args, order, rest } = narrowed;
        let sort_is_sql = order.is_some();
        let sort = if sort_is_sql { None } else { query.sort.clone() };
        let judge = match self.columns_of(&rest) {
            Some(columns) if sort.is_none() => Judge::Columns(columns),
            _ => Judge::Document(read, document),
        };
        let columns = judge.columns(self.columns);
        // Where in the order a row stands is read along, so that the total counts the rows before it.
        let place = self.place.filter(|_| query.after.is_some());
        let sql = if let Some(among) = &self.among {
            self.union(among, &columns, &condition, &mut args)
        } else {
            let order = order.as_deref().unwrap_or(self.order);
            let time = place.map_or("NULL", |(time, _)| time);
            let (id, tables) = (self.id, self.tables(&[&columns, &condition, order, time]));
            args.push(query.scan.saturating_add(1).into());
            let most = args.len();
            format!(
                "SELECT {id}, {time}, {columns} FROM {tables} WHERE {condition} \
                 ORDER BY {order} LIMIT ${most}"
            )
        };
        // Who wants no total may soon have enough.
        let soon = !query.total && sort_is_sql;
        let plan = if soon || self.among.is_some() { Plan::ByIndex } else { Plan::Free };
        let rows = store.stream(Read::new(sql, args), plan, turn).await?;
        let descending = place.is_some_and(|(_, sign)| sign == "<");
        let work = Work { query: query.clone(), descending, rest, sort, judge, turn: turn.clone() };
        let found = tokio::task::spawn_blocking(move || work.find(rows)).await;
        let (total, ids) = found.map_err(Error::internal)??;
        Ok((count(total), ids))
    }

    /// What the arms of an index lead to, in the order of time and id: each arm in that order, so that
    /// an engine can merge them as they are read. What stands in several comes once behind the other.
    /// Without a limit: a planner would take it for a wish to read whole rooms for their first rows.
    fn union(
        &self,
        among: &Among,
        columns: &str,
        condition: &str,
        args: &mut Vec<Value>,
    ) -> String {
        let (arms, more) = among.arms(args.len() + 1);
        args.extend(more);
        let sign = if among.descending { "DESC" } else { "ASC" };
        let joins = self.joins_for(&[columns, condition]);
        let arm = |arm: Arm| {
            format!(
                "SELECT * FROM (SELECT {} AS id, {} AS ts, {columns} FROM {}{joins} \
                 WHERE {} AND ({condition}) ORDER BY 2 {sign}, 1 {sign}) arm",
                self.id, arm.time, arm.from, arm.condition
            )
        };
        let arms: Vec<String> = arms.into_iter().map(arm).collect();
        format!("{} ORDER BY 2 {sign}, 1 {sign}", arms.join(" UNION ALL "))
    }

    /// The column of each path of a filter, if each has one that holds a single value.
    fn columns_of(&self, rest: &Filter) -> Option<Vec<(String, Column)>> {
        let mut found: Vec<(String, Column)> = Vec::new();
        for path in rest.paths() {
            let column = self.fields.column(path)?;
            expression(column)?;
            if !found.iter().any(|(known, _)| *known == path) {
                found.push((path.to_owned(), column));
            }
        }
        Some(found)
    }

    /// The documents of these ids, in this order. One that is gone by now is left out.
    pub(super) async fn fetch<T>(
        &self,
        store: &Store,
        ids: &[String],
        read: Reader<T>,
        turn: &Turn,
    ) -> Result<Vec<T>> {
        let (mut items, mut size) = (Vec::with_capacity(ids.len()), 0);
        for ids in ids.chunks(FETCH) {
            if turn.is_over() {
                return Err(too_broad());
            }
            size += self.fetch_piece(store, ids, read, &mut items).await?;
            if size > READ_BUDGET {
                return Err(too_broad());
            }
        }
        Ok(items)
    }

    /// Adds the documents of these few ids; returns their size in bytes.
    pub(super) async fn fetch_piece<T>(
        &self,
        store: &Store,
        ids: &[String],
        read: Reader<T>,
        items: &mut Vec<T>,
    ) -> Result<usize> {
        let mut args = self.args.clone();
        let numbers = (1..=ids.len()).map(|n| format!("${}", args.len() + n));
        let numbers = numbers.collect::<Vec<_>>().join(", ");
        args.extend(ids.iter().map(Value::from));
        // `IS TRUE` keeps the route's own condition from being what an index is chosen for.
        let sql = format!(
            "SELECT {}, {} FROM {} WHERE (({}) IS TRUE) AND {} IN ({numbers})",
            self.id,
            self.columns,
            self.tables(&[self.columns]),
            self.condition,
            self.id
        );
        let (mut whole, mut size) = (HashMap::with_capacity(ids.len()), 0);
        for mut row in store.read(sql, args).await? {
            size += row.size();
            whole.insert(row.text()?, read(&mut row)?);
        }
        items.extend(ids.iter().filter_map(|id| whole.remove(id)));
        Ok(size)
    }
}

impl<T> Work<T> {
    /// How many pass, and the ids of the page.
    fn find(self, mut rows: Stream) -> Result<(usize, Vec<String>)> {
        let (mut found, mut seen, mut last) = (Found::default(), 0, String::new());
        while let Some(batch) = rows.blocking_next()? {
            seen += count(batch.len());
            if seen > self.query.scan {
                return Err(too_broad());
            }
            for mut row in batch {
                let place = (row.text()?, row.opt_int()?);
                if place.0 == last {
                    continue; // found by two terms
                }
                last.clone_from(&place.0);
                if let Some(Passed(key)) = self.judge.accept(row, &self.rest, self.sort.as_ref())? {
                    if self.is_before(&place) {
                        found.total += 1;
                    } else {
                        found.add(place.0, key, &self.query, self.sort.as_ref())?;
                    }
                }
                if self.turn.is_over() {
                    return Err(too_broad());
                }
                if !self.query.total && self.sort.is_none() && found.is_full(&self.query) {
                    return Ok((0, found.page(&self.query, None)));
                }
            }
        }
        let total = if self.query.total { found.total } else { 0 };
        Ok((total, found.page(&self.query, self.sort.as_ref())))
    }

    /// Does a row stand before the page that a cursor asks for?
    fn is_before(&self, (id, ts): &(String, Option<Ms>)) -> bool {
        let Some((after, last)) = &self.query.after else {
            return false;
        };
        let order = (ts.unwrap_or(*after), id).cmp(&(*after, last));
        if self.descending { order.is_ge() } else { order.is_le() }
    }
}

impl<T> Judge<T> {
    /// The columns to read after the id.
    fn columns(&self, all: &str) -> String {
        match self {
            Self::Document(..) => all.to_owned(),
            Self::Columns(columns) => {
                let expressions = columns.iter().filter_map(|(_, column)| expression(*column));
                expressions.collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Whether a row passes.
    fn accept(&self, mut row: Row, rest: &Filter, sort: Option<&Sort>) -> Result<Option<Passed>> {
        Ok(match self {
            Self::Columns(columns) => {
                let mut values = Vec::with_capacity(columns.len());
                for (path, column) in columns {
                    values.push((path.as_str(), scalar(&mut row, *column)?));
                }
                let value = |path: &str| {
                    let found = values.iter().find(|(known, _)| *known == path);
                    found.and_then(|(_, value)| value.as_ref())
                };
                rest.matches_row(&value).then_some(Passed(None))
            }
            Self::Document(read, document) => {
                let document = document(&read(&mut row)?);
                let key = || sort.map(|sort| sort.key(&document));
                rest.matches(&document).then(|| Passed(key()))
            }
        })
    }
}

/// The SQL of a column that holds one value.
fn expression(column: Column) -> Option<&'static str> {
    match column {
        Column::Text(sql) | Column::Int(sql) | Column::Bool(sql) | Column::Date(sql) => Some(sql),
        Column::Each { .. } | Column::Const(_) | Column::Never => None,
    }
}

/// A column's value as documents have it; `None` if it is missing.
fn scalar(row: &mut Row, column: Column) -> Result<Option<Json>> {
    Ok(match column {
        Column::Text(_) => row.opt_text()?.map(Json::String),
        Column::Int(_) => row.opt_int()?.map(Json::from),
        Column::Bool(_) => row.opt_bool()?.map(Json::from),
        Column::Date(_) => row.opt_int()?.map(|ms| json!({ "$date": ms })),
        Column::Each { .. } | Column::Const(_) | Column::Never => None,
    })
}

/// What passed: how many, and of which the page is made.
#[derive(Default)]
struct Found {
    total: usize,
    /// In SQL's order: the page itself.
    ids: Vec<String>,
    /// In an order of ours: the best, up to the end of the page, and some more.
    keys: Vec<(SortKey, String)>,
    size: usize,
}

impl Found {
    fn add(
        &mut self,
        id: String,
        key: Option<SortKey>,
        query: &ListQuery,
        sort: Option<&Sort>,
    ) -> Result<()> {
        self.total += 1;
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let limit = limit(query);
        let (Some(key), Some(sort)) = (key, sort) else {
            if self.total > offset && self.ids.len() < limit {
                self.size += size_of::<String>() + id.len();
                self.ids.push(id);
            }
            return if self.size > READ_BUDGET { Err(too_broad()) } else { Ok(()) };
        };
        self.size += key.size() + size_of::<String>() + id.len();
        self.keys.push((key, id));
        let end = offset.saturating_add(limit);
        if self.keys.len() >= end.saturating_mul(2).saturating_add(SLACK) {
            self.order(sort);
            self.keys.truncate(end);
            self.size = self.keys.iter().map(|(key, id)| key.size() + id.len()).sum();
        }
        if self.size > READ_BUDGET { Err(too_broad()) } else { Ok(()) }
    }

    /// Is the page whole, in SQL's order?
    fn is_full(&self, query: &ListQuery) -> bool {
        self.ids.len() >= limit(query)
    }

    /// Ties are broken by id, so that pages never overlap.
    fn order(&mut self, sort: &Sort) {
        self.keys.sort_unstable_by(|(a, x), (b, y)| sort.compare_keys(a, b).then_with(|| x.cmp(y)));
    }

    /// The ids of the page, in order.
    fn page(mut self, query: &ListQuery, sort: Option<&Sort>) -> Vec<String> {
        let Some(sort) = sort else {
            return self.ids;
        };
        self.order(sort);
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        self.keys.into_iter().skip(offset).take(limit(query)).map(|(_, id)| id).collect()
    }
}

fn limit(query: &ListQuery) -> usize {
    query.limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0))
}
