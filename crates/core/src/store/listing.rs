//! One way to page through documents: filter, order, offset, limit, total.
//! What SQL can say exactly runs there, with paging and total in the database. The rest is answered
//! exactly too, by reading what SQL can narrow down to and asking the matcher about each document,
//! up to a bound; past the bound the caller is told which field asks too much (rulings A10, A15).

use super::{Read, Row, Sql, Store, Value};
use crate::error::{Error, Result};
use crate::list::{ListQuery, Page, count};
use parlance_query::sql::{self, Column, FieldMap};
use serde_json::Value as Json;

/// Let others run after this many documents.
const BREATH: usize = 256;

/// A listing as SQL knows it; `condition` holds the route's own conditions over `args`.
pub(crate) struct Listing<'a> {
    pub(crate) columns: &'static str,
    pub(crate) from: &'static str,
    pub(crate) condition: String,
    pub(crate) args: Vec<Value>,
    pub(crate) order: &'static str,
    /// The column that settles ties.
    pub(crate) id: &'static str,
    /// The statements for no filter and no sort, over the same arguments: page and total.
    pub(crate) fixed: Option<(&'static str, &'static str)>,
    pub(crate) fields: &'a (dyn FieldMap + Sync),
}

type Reader<T> = fn(&mut Row) -> Result<T>;

impl Listing<'_> {
    pub(crate) async fn page<T: Send>(
        &self,
        store: &Store,
        query: &ListQuery,
        read: Reader<T>,
        document: &(dyn Fn(&T) -> Json + Sync),
    ) -> Result<Page<T>> {
        let compiled = sql::compile(&query.filter, self.fields, self.args.len() + 1);
        let order = match &query.sort {
            None => Some(self.order.to_owned()),
            Some(sort) => sql::order_by(sort, self.fields).map(|by| self.settle(&by)),
        };
        let plain = query.filter.is_all() && query.sort.is_none();
        let mut args = self.args.clone();
        args.extend(compiled.args.into_iter().map(Value::from));
        let condition = format!("({}) AND ({})", self.condition, compiled.sql);
        match (order, self.fixed) {
            (Some(_), Some((page, total))) if plain => {
                self.exact(store, query, (page.into(), total.into()), args, read).await
            }
            (Some(order), _) if compiled.exact => {
                let n = args.len();
                let page = format!(
                    "SELECT {} FROM {} WHERE {condition} ORDER BY {order} LIMIT ${} OFFSET ${}",
                    self.columns,
                    self.from,
                    n + 1,
                    n + 2
                );
                let total = format!("SELECT count(*) FROM {} WHERE {condition}", self.from);
                self.exact(store, query, (page.into(), total.into()), args, read).await
            }
            (order, _) => self.scan(store, query, condition, args, order, read, document).await,
        }
    }

    /// Ties are broken by id, so that pages never overlap.
    fn settle(&self, by: &str) -> String {
        if by.is_empty() { self.order.to_owned() } else { format!("{by}, {}", self.id) }
    }

    async fn exact<T>(
        &self,
        store: &Store,
        query: &ListQuery,
        (page, total): (Sql, Sql),
        args: Vec<Value>,
        read: Reader<T>,
    ) -> Result<Page<T>> {
        let mut page_args = args.clone();
        page_args.push(query.limit.unwrap_or(i64::MAX).into());
        page_args.push(query.offset.into());
        let reads = vec![Read { sql: page, args: page_args }, Read { sql: total, args }];
        let mut answers = store.read_all(reads).await?.into_iter();
        let rows = answers.next().unwrap_or_default();
        let items = rows.into_iter().map(|mut row| read(&mut row)).collect::<Result<_>>()?;
        let total = answers.next().and_then(|rows| rows.into_iter().next());
        let mut total = total.ok_or_else(|| Error::internal("a count gave no row"))?;
        Ok(Page { items, total: total.int()? })
    }

    /// Reads what SQL can narrow down to, and has the matcher decide.
    #[expect(clippy::too_many_arguments, reason = "the pieces of one statement, used once")]
    async fn scan<T>(
        &self,
        store: &Store,
        query: &ListQuery,
        condition: String,
        mut args: Vec<Value>,
        order: Option<String>,
        read: Reader<T>,
        document: &(dyn Fn(&T) -> Json + Sync),
    ) -> Result<Page<T>> {
        let ordered = order.is_some();
        let order = order.unwrap_or_else(|| self.order.to_owned());
        args.push(query.scan.saturating_add(1).into());
        let sql = format!(
            "SELECT {} FROM {} WHERE {condition} ORDER BY {order} LIMIT ${}",
            self.columns,
            self.from,
            args.len()
        );
        let rows = store.read(sql, args).await?;
        if count(rows.len()) > query.scan {
            return Err(Error::TooBroad { field: self.culprit(query) });
        }
        let mut found = Vec::new();
        for (n, mut row) in rows.into_iter().enumerate() {
            let item = read(&mut row)?;
            let document = document(&item);
            if query.filter.matches(&document) {
                // The document is only kept where it is still needed: to sort by.
                found.push((item, if ordered { Json::Null } else { document }));
            }
            if n % BREATH == BREATH - 1 {
                tokio::task::yield_now().await;
            }
        }
        if let (false, Some(sort)) = (ordered, &query.sort) {
            // Stable, and the rows came in an order that ends with the id.
            found.sort_by(|(_, a), (_, b)| {
                let id = |document: &Json| document["_id"].as_str().unwrap_or("").to_owned();
                sort.compare(a, b).then_with(|| id(a).cmp(&id(b)))
            });
        }
        let total = count(found.len());
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX);
        let limit = query.limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
        let items = found.into_iter().skip(offset).take(limit).map(|(item, _)| item).collect();
        Ok(Page { items, total })
    }

    /// The first field of the query that no column serves.
    fn culprit(&self, query: &ListQuery) -> String {
        let filtered = query.filter.residual(self.fields).into_iter();
        let sorted = query.sort.iter().flat_map(|sort| sort.paths());
        let unsorted = sorted.filter(|path| {
            self.fields.column(path).is_none_or(|column| matches!(column, Column::Each { .. }))
        });
        filtered.chain(unsorted).next().unwrap_or("query").to_owned()
    }
}
