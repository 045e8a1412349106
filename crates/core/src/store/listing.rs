//! One way to page through documents: filter, order, offset, limit, total.
//! What SQL can say exactly runs there, with paging and total in the database; the rest is the work
//! of `scan.rs`, and everything at once that of `walk.rs`. A caller's own conditions only ever narrow
//! the route's: the two are joined by AND, and the route's stand in SQL, out of a filter's reach.

use super::among::Among;
use super::scan::Narrowed;
use super::{Read, Row, Sql, Store, Value};
use crate::error::{Error, Result};
use crate::list::{Document, ListQuery, Page};
use parlance_query::Filter;
use parlance_query::sql::{self, Column, FieldMap, Scalars};

/// Conditions on child tables that are joined at once.
const CHILD_TABLES: usize = 8;

/// A LEFT JOIN that finds at most one row, and how its columns begin.
pub(crate) type Join = (&'static str, &'static str);

/// A listing as SQL knows it; `condition` holds the route's own conditions over `args`.
#[derive(Clone)]
pub(crate) struct Listing {
    pub(crate) columns: &'static str,
    pub(crate) from: &'static str,
    /// What the columns need beside it; each may need those before it.
    pub(crate) joins: &'static [Join],
    pub(crate) condition: String,
    pub(crate) args: Vec<Value>,
    pub(crate) order: &'static str,
    /// The column that settles ties.
    pub(crate) id: &'static str,
    /// The column that `order` begins with, and the sign of what comes after: a cursor is a place in
    /// that order. `None` where there are no cursors.
    pub(crate) place: Option<(&'static str, &'static str)>,
    /// The statements for no filter and no sort, over the same arguments: page and total.
    pub(crate) fixed: Option<(&'static str, &'static str)>,
    pub(crate) fields: &'static dyn FieldMap,
    /// Where to look for what the filter finds, if an index of its own knows: in the order of time.
    pub(crate) among: Option<Among>,
}

pub(super) type Reader<T> = fn(&mut Row) -> Result<T>;

/// What SQL makes of a query.
pub(super) struct Prepared {
    /// The route's own condition and what SQL can say of the filter, over `args`.
    pub(super) condition: String,
    pub(super) args: Vec<Value>,
    /// `None` for an order that SQL does not have.
    pub(super) order: Option<String>,
    /// What SQL cannot say of the filter; `None` if it says all of it.
    pub(super) rest: Option<Filter>,
}

impl Listing {
    /// The documents that a query asks for. Without a limit they come in pieces.
    pub(crate) async fn page<T: Send + 'static>(
        &self,
        store: &Store,
        query: &ListQuery,
        read: Reader<T>,
        document: Document<T>,
    ) -> Result<Page<T>> {
        if query.limit.is_none() {
            return self.walk(store, query, read, document).await.map_err(|e| self.named(query, e));
        }
        let Prepared { condition, args, order, rest } = self.prepare(query);
        if query.filter.is_all() && query.sort.is_none() {
            let (page, total) = match self.fixed {
                Some((page, total)) if query.after.is_none() => (page.into(), total.into()),
                fixed => {
                    let (columns, n) = (self.columns, args.len());
                    let (page, total) = self.statements(query, columns, &condition, self.order, n);
                    // The kept count is the same count.
                    (page.into(), fixed.map_or(total.into(), |(_, total)| total.into()))
                }
            };
            return exact(store.read_all(reads(query, page, total, args)).await?, read);
        }
        let turn = store.turn(query.time, query.by.as_ref()).await?;
        let answer = match (order, rest) {
            (Some(order), None) => {
                let (columns, n) = (self.columns, args.len());
                let (page, total) = self.statements(query, columns, &condition, &order, n);
                let reads = reads(query, page.into(), total.into(), args);
                let answers = store.read_costly(reads, &turn).await;
                answers.and_then(|answers| exact(answers, read))
            }
            (order, rest) => {
                let rest = rest.unwrap_or_else(Filter::all);
                let narrowed = Narrowed { condition, args, order, rest };
                // Dropped with this call, so that work for nobody ends.
                let _caller = turn.caller();
                match self.scan(store, query, narrowed, read, document, &turn).await {
                    Ok((total, ids)) => {
                        let items = self.fetch(store, &ids, read, &turn).await;
                        items.map(|items| Page::whole(items, total))
                    }
                    Err(error) => Err(error),
                }
            }
        };
        answer.map_err(|error| self.named(query, error))
    }

    /// What SQL makes of a query.
    pub(super) fn prepare(&self, query: &ListQuery) -> Prepared {
        // What asks many child tables at once would keep a planner busy; the matcher takes it.
        let few = Scalars(self.fields);
        let many = sql::child_tables(&query.filter, self.fields) > CHILD_TABLES;
        let fields: &dyn FieldMap = if many { &few } else { self.fields };
        let compiled = sql::compile(&query.filter, fields, self.args.len() + 1);
        let order = match &query.sort {
            None => Some(self.order.to_owned()),
            Some(sort) => sql::order_by(sort, fields).map(|by| self.settle(&by)),
        };
        let mut args = self.args.clone();
        args.extend(compiled.args.into_iter().map(Value::from));
        let condition = format!("({}) AND ({})", self.condition, compiled.sql);
        let rest = (!compiled.exact).then(|| sql::rest(&query.filter, fields));
        Prepared { condition, args, order, rest }
    }

    /// An error with the field's name that asked too much.
    fn named(&self, query: &ListQuery, error: Error) -> Error {
        match error {
            Error::TooBroad { .. } => Error::TooBroad { field: self.culprit(query) },
            other => other,
        }
    }

    /// Ties are broken by id, so that pages never overlap.
    fn settle(&self, by: &str) -> String {
        if by.is_empty() { self.order.to_owned() } else { format!("{by}, {}", self.id) }
    }

    /// Page and total over `n` arguments; the page has those of its place and size behind them.
    pub(super) fn statements(
        &self,
        query: &ListQuery,
        columns: &str,
        condition: &str,
        order: &str,
        n: usize,
    ) -> (String, String) {
        let tables = self.tables(&[condition]);
        let total = format!("SELECT count(*) FROM {tables} WHERE {condition}");
        let (mut page, mut n) = (condition.to_owned(), n);
        if let (Some((time, sign)), Some(_)) = (self.place, &query.after) {
            let (ts, id) = (n + 1, n + 2);
            page = format!(
                "{page} AND ({time} {sign} ${ts} OR ({time} = ${ts} AND {} {sign} ${id}))",
                self.id
            );
            n += 2;
        }
        let page = format!(
            "SELECT {columns} FROM {} WHERE {page} ORDER BY {order} LIMIT ${} OFFSET ${}",
            self.tables(&[columns, condition, order]),
            n + 1,
            n + 2
        );
        (page, total)
    }

    /// The tables that these pieces of a statement name: a join that only fills columns is not paid
    /// for where they are not read.
    pub(super) fn tables(&self, pieces: &[&str]) -> String {
        format!("{}{}", self.from, self.joins_for(pieces))
    }

    /// The joins beside the first table that these pieces need.
    pub(super) fn joins_for(&self, pieces: &[&str]) -> String {
        let named = |(start, _): &Join| pieces.iter().any(|piece| piece.contains(start));
        let joins = self.joins.iter().rposition(named).map_or(0, |last| last + 1);
        self.joins.iter().take(joins).map(|(_, join)| *join).collect()
    }

    /// The field of the query that asks most: the first that no column serves, else the first.
    fn culprit(&self, query: &ListQuery) -> String {
        let filtered = query.filter.residual(self.fields).into_iter();
        let sorted = || query.sort.iter().flat_map(|sort| sort.paths());
        let unsorted = sorted().filter(|path| {
            self.fields.column(path).is_none_or(|column| matches!(column, Column::Each { .. }))
        });
        let all = query.filter.paths().into_iter().chain(sorted());
        filtered.chain(unsorted).chain(all).next().unwrap_or("query").to_owned()
    }
}

/// The reads of a listing, over the same arguments: page, and total if somebody wants it.
pub(super) fn reads(query: &ListQuery, page: Sql, total: Sql, args: Vec<Value>) -> Vec<Read> {
    let mut page_args = args.clone();
    if let Some((ts, id)) = &query.after {
        page_args.extend([(*ts).into(), id.into()]);
    }
    page_args.push(query.limit.unwrap_or(i64::MAX).into());
    page_args.push(query.offset.into());
    let mut reads = vec![Read { sql: page, args: page_args }];
    if query.total {
        reads.push(Read { sql: total, args });
    }
    reads
}

fn exact<T>(answers: Vec<Vec<Row>>, read: Reader<T>) -> Result<Page<T>> {
    let mut answers = answers.into_iter();
    let rows = answers.next().unwrap_or_default();
    let items = rows.into_iter().map(|mut row| read(&mut row)).collect::<Result<_>>()?;
    Ok(Page::whole(items, total(answers.next())?))
}

/// The answer of a statement that counts; 0 where nobody asked.
pub(super) fn total(rows: Option<Vec<Row>>) -> Result<i64> {
    match rows.map(|rows| rows.into_iter().next()) {
        None => Ok(0),
        Some(Some(mut row)) => row.int(),
        Some(None) => Err(Error::internal("a count gave no row")),
    }
}
