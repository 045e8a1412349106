//! The parameters that every list takes (contract section 4): offset, count, sort, query, fields.
//! What a caller may never see can be neither read, sorted nor filtered on: names that are always
//! secret are refused here, before the core sees the query.

use crate::call::Call;
use crate::error::Failure;
use crate::routes::{Answer, List};
use crate::schema::{self, Kind};
use crate::{reply, wire};
use parlance_core::Ms;
use parlance_core::list::{ListQuery, Page, count};
use parlance_core::setting::{self, Settings};
use parlance_http::json::{Dates, Object};
use parlance_query::{Fields, Filter, Limits, Sort};
use serde_json::{Value, json};

/// Never returned and never asked about, on any list (contract section 4.3).
pub(crate) const ALWAYS: &[&str] = &["joinCode", "members", "importIds", "e2e"];
/// Secrets of accounts: no permission shows them.
const SECRET: &[&str] = &["services", "password", "inviteToken", "tokens", "loginTokens"];

/// What a list says of itself behind its items.
pub(crate) struct Given {
    pub(crate) count: i64,
    pub(crate) offset: i64,
    pub(crate) total: i64,
}

impl Given {
    /// Most lists say it in this order.
    pub(crate) fn tell(o: &mut Object<'_>, given: &Self) {
        o.number("count", given.count);
        o.number("offset", given.offset);
        o.number("total", given.total);
    }
}

/// A list's parameters, read.
pub(crate) struct Paging {
    pub(crate) query: ListQuery,
    fields: Option<Fields>,
}

/// Which of the dangerous parameters a route reads, and how.
#[derive(Clone, Copy)]
pub(crate) struct Reads {
    /// `query`: the operators that it may use; `None` if it is not read at all.
    query: Option<Operators>,
    fields: bool,
}

#[derive(Clone, Copy)]
enum Operators {
    All,
    Only(&'static [&'static str]),
}

impl Reads {
    /// `query` and `fields`.
    pub(crate) const BOTH: Self = Self { query: Some(Operators::All), fields: true };
    pub(crate) const QUERY: Self = Self { query: Some(Operators::All), fields: false };
    pub(crate) const FIELDS: Self = Self { query: None, fields: true };
    pub(crate) const NEITHER: Self = Self { query: None, fields: false };
    /// Both, with the few operators that the contract allows for accounts (section 4.4; what
    /// `$options` says belongs to `$regex`).
    pub(crate) const OF_USERS: Self =
        Self { query: Some(Operators::Only(&["$or", "$and", "$regex", "$options"])), fields: true };
}

impl Paging {
    /// Reads the parameters; `hidden` are further names that this caller may not see.
    pub(crate) fn read(call: &Call, reads: Reads, hidden: &[&str]) -> Result<Self, Failure> {
        let limits = limits(&call.settings);
        let mode = call.settings.text(&setting::UNSAFE_QUERY);
        let query = match reads.query {
            Some(operators) => text_of(call, "query")?.map(|raw| (raw, operators)),
            None => None,
        };
        let fields = if reads.fields { text_of(call, "fields")? } else { None };
        if mode == "strict" && (query.is_some() || fields.is_some()) {
            return Err(Failure::Schema("must NOT have additional properties".to_owned()));
        }
        let on = mode == "on";
        let secret = |path: &str| {
            let first = path.split('.').next().unwrap_or(path);
            ALWAYS.contains(&first) || SECRET.contains(&first) || hidden.contains(&first)
        };
        let filter = match query.filter(|_| on) {
            Some((raw, operators)) => filter(raw, operators, &limits, &secret)?,
            None => Filter::all(),
        };
        let sort = match text_of(call, "sort")? {
            Some(raw) => Some(sort(raw, &limits, &secret)?),
            None => None,
        };
        let fields = match fields.filter(|_| on) {
            Some(raw) => {
                let parsed = Fields::parse(raw, &limits).map_err(|_| invalid("fields", raw))?;
                let removed: Vec<&str> =
                    ALWAYS.iter().chain(SECRET).chain(hidden).copied().collect();
                Some(parsed.without(&removed))
            }
            None => None,
        };
        let (offset, limit) = window(call)?;
        let after = cursor(call)?;
        // An empty sort means no ordering of one's own.
        let sort = sort.filter(|sort| !sort.0.is_empty());
        if after.is_some() && (sort.is_some() || offset > 0) {
            let text =
                "A cursor is a place in the list's own order: it goes without sort and offset";
            return Err(Failure::coded("error-invalid-cursor", text));
        }
        let scan = call.settings.number(&setting::QUERY_ROWS).clamp(100, 10_000_000);
        let time = call.settings.number(&setting::QUERY_TIME).clamp(1, 60_000);
        let by = call.caller().ok().map(|caller| caller.id().clone());
        let query = ListQuery { filter, sort, after, offset, limit, total: true, scan, time, by };
        Ok(Self { query, fields })
    }

    /// Adds a condition of the route's own.
    pub(crate) fn narrow(&mut self, filter: Filter) {
        let own = std::mem::replace(&mut self.query.filter, Filter::all());
        self.query.filter = own.and(filter);
    }

    /// The cursor of the page behind this one, if there may be one: `total` counts all.
    pub(crate) fn next<'i, T>(
        &self,
        items: &'i [T],
        total: i64,
        place: impl Fn(&'i T) -> (Ms, &'i str),
    ) -> Option<String> {
        let query = &self.query;
        let full = query.limit == Some(count(items.len()));
        let behind = query.after.is_some() || query.offset + count(items.len()) < total;
        let last = items.last().filter(|_| full && behind && query.sort.is_none())?;
        let (ts, id) = place(last);
        Some(self::place(ts, id))
    }

    pub(crate) fn offset(&self) -> i64 {
        self.query.offset
    }

    /// Writes one document, as `write` prints it and `fields` projects it.
    pub(crate) fn item<T>(
        &self,
        object: &mut Object<'_>,
        name: &str,
        item: &T,
        write: impl Fn(&mut String, &T, Dates),
    ) -> Result<(), Failure> {
        Ok(self.write(object.key(name), item, &write)?)
    }

    fn write<T>(
        &self,
        out: &mut String,
        item: &T,
        write: &impl Fn(&mut String, &T, Dates),
    ) -> parlance_core::Result<()> {
        let Some(fields) = &self.fields else {
            write(out, item, Dates::Iso);
            return Ok(());
        };
        let mut text = String::new();
        write(&mut text, item, Dates::Iso);
        let document = serde_json::from_str(&text).map_err(|error| {
            let cause = format!("a document does not parse: {error}");
            parlance_core::Error::Internal(cause.into())
        })?;
        out.push_str(&fields.project(document).to_string());
        Ok(())
    }

    /// Writes the items, each as `write` prints it and `fields` projects it.
    pub(crate) fn items<T>(
        &self,
        object: &mut Object<'_>,
        name: &str,
        items: &[T],
        write: impl Fn(&mut String, &T, Dates),
    ) -> Result<(), Failure> {
        let mut broken = Ok(());
        object.array(name, items, |out, item| {
            if broken.is_ok() {
                broken = self.write(out, item, &write);
            }
        });
        Ok(broken?)
    }

    /// The answer that is a page of a list that is short and in memory, in an order of its own.
    pub(crate) fn short<T: 'static>(
        &self,
        name: &str,
        all: Vec<T>,
        write: fn(&mut String, &T, Dates),
    ) -> Answer {
        let document = wire::document(write);
        let with = |item: T| (document(&item), item);
        let mut found: Vec<(Value, T)> = all.into_iter().map(with).collect();
        found.retain(|(document, _)| self.query.filter.matches(document));
        if let Some(sort) = &self.query.sort {
            // The sort is stable: ties stay in the list's own order.
            found.sort_by(|(a, _), (b, _)| sort.compare(a, b));
        }
        let total = count(found.len());
        let offset = usize::try_from(self.offset()).unwrap_or(usize::MAX);
        let limit = self.query.limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
        let page = found.into_iter().skip(offset).take(limit).map(|(_, item)| item);
        let page: Vec<T> = page.collect();
        wire::try_success(|o| {
            self.items(o, name, &page, write)?;
            Given::tell(o, &Given { count: count(page.len()), offset: self.offset(), total });
            Ok(())
        })
    }

    /// The answer that is a list: its items, each as `write` prints it and `fields` projects it, then
    /// what `tail` says of them.
    pub(crate) fn list<T: Send + 'static>(
        self,
        name: &str,
        page: Page<T>,
        write: impl Fn(&mut String, &T, Dates) + Send + Sync + 'static,
        tail: impl FnOnce(&mut Object<'_>, &Given) + Send + 'static,
    ) -> List {
        let (offset, all) = (self.offset(), self.query.limit.is_none());
        let whole = all && self.query.after.is_none();
        let tail = move |o: &mut Object<'_>, count| {
            // Where all was given, what came in the meantime counts too.
            let given = if whole && count > 0 { offset.saturating_add(count) } else { 0 };
            tail(o, &Given { count, offset, total: page.total.max(given) });
        };
        let write = move |out: &mut String, item: &T| self.write(out, item, &write);
        Ok(reply::list(name, &page.items, page.more, write, tail)?)
    }
}

/// What one request may ask for, as the settings say, within what the store can take.
fn limits(settings: &Settings) -> Limits {
    let most = |known, most| {
        let number = settings.number(known).clamp(1, most);
        usize::try_from(number).unwrap_or(1)
    };
    Limits {
        text: most(&setting::QUERY_TEXT, 1 << 20),
        // Deeper is not read by the JSON reader either.
        depth: most(&setting::QUERY_DEPTH, 100),
        // SQLite takes conditions nested 1,000 deep, and 32,766 arguments.
        nodes: most(&setting::QUERY_NODES, 900),
        in_values: most(&setting::QUERY_VALUES, 20_000),
        regexes: most(&setting::QUERY_REGEXES, 100),
        regex_text: most(&setting::QUERY_REGEX_TEXT, 1 << 16),
        regex_size: most(&setting::QUERY_REGEX_SIZE, 1 << 26),
        sort_keys: most(&setting::QUERY_SORT_KEYS, 64),
        fields: most(&setting::QUERY_FIELDS, 1000),
    }
}

fn filter(
    raw: &str,
    operators: Operators,
    limits: &Limits,
    secret: &dyn Fn(&str) -> bool,
) -> Result<Filter, Failure> {
    let parsed = match operators {
        Operators::All => Filter::parse(raw, limits),
        Operators::Only(operators) => Filter::parse_only(raw, limits, operators),
    };
    let filter = parsed.map_err(|_| invalid("query", raw))?;
    filter.refuse(secret).map_err(|_| invalid("query", raw))?;
    Ok(filter)
}

fn sort(raw: &str, limits: &Limits, secret: &dyn Fn(&str) -> bool) -> Result<Sort, Failure> {
    let sort = Sort::parse(raw, limits).map_err(|_| invalid("sort", raw))?;
    sort.refuse(secret).map_err(|_| invalid("sort", raw))?;
    Ok(sort)
}

/// The contract's error for a parameter that cannot be taken.
pub(crate) fn invalid(what: &str, raw: &str) -> Failure {
    let code = match what {
        "sort" => "error-invalid-sort",
        "fields" => "error-invalid-fields",
        _ => "error-invalid-query",
    };
    Failure::detailed(
        code,
        format!("Invalid {what} parameter provided: \"{raw}\""),
        json!({"helperMethod": "parseJsonQuery"}),
    )
}

/// A parameter that must be one text.
fn text_of<'a>(call: &'a Call, name: &str) -> Result<Option<&'a str>, Failure> {
    // `query[x]=y` is how the original's parser writes an object.
    let bracketed = |key: &String| key.strip_prefix(name).is_some_and(|rest| rest.starts_with('['));
    if call.query.keys().any(bracketed) {
        return Err(Failure::Schema("must be string".to_owned()));
    }
    match call.query.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    }
}

/// A place in a list's own order, as clients carry it.
pub(crate) fn place(ts: Ms, id: &str) -> String {
    format!("{ts}_{id}")
}

/// `cursor`: the place behind which a page begins.
pub(crate) fn cursor(call: &Call) -> Result<Option<(Ms, String)>, Failure> {
    let bad = || Failure::coded("error-invalid-cursor", "Invalid cursor");
    let Some(value) = call.query.get("cursor") else {
        return Ok(None);
    };
    let (ts, id) = value.as_str().and_then(|text| text.split_once('_')).ok_or_else(bad)?;
    Ok(Some((ts.parse().map_err(|_| bad())?, id.to_owned())))
}

/// Offset and limit; `None` for all (contract section 4.1, ruling B5).
pub(crate) fn window(call: &Call) -> Result<(i64, Option<i64>), Failure> {
    let settings = &call.settings;
    let most = settings.number(&setting::UPPER_COUNT).max(1);
    let usual = settings.number(&setting::DEFAULT_COUNT).clamp(1, most);
    let limit = match whole(call, "count")? {
        Some(0) if settings.on(&setting::INFINITE_COUNT) => None,
        None | Some(0) => Some(usual),
        Some(count) => Some(count.min(most)),
    };
    Ok((whole(call, "offset")?.unwrap_or(0), limit))
}

/// A number that is not negative. Larger ones than there can be documents are cut.
#[expect(clippy::cast_possible_truncation, reason = "cut to what fits before the cast")]
fn whole(call: &Call, name: &str) -> Result<Option<i64>, Failure> {
    // An empty one is none; the routes with a schema have refused it before.
    let Some(value) = call.query.get(name).filter(|value| **value != "") else {
        return Ok(None);
    };
    schema::fits(Kind::Count, value).map_err(Failure::Schema)?;
    let text = schema::text(value);
    // Fits, so it is a number; one that is not whole is cut, as the original's parser does.
    let number = text.parse::<i64>().ok();
    let cut = || text.parse::<f64>().map_or(0, |number| number.min(9e15) as i64);
    Ok(Some(number.unwrap_or_else(cut)))
}

/// One of the two id lists of `dm.messages`: a JSON array of texts, or a comma-separated list
/// (section 4.5, ruling B11).
pub(crate) fn ids(call: &Call, name: &'static str) -> Result<Vec<String>, Failure> {
    const MOST: usize = 100;
    let Some(text) = call.param(name) else {
        return Ok(Vec::new());
    };
    let ids: Vec<String> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(|_| parlance_core::Error::BadIdList(name))?
    } else {
        text.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect()
    };
    // An escape in the array can hold the character that no text here has.
    if ids.len() > MOST || ids.iter().any(|id| id.contains('\0')) {
        return Err(parlance_core::Error::BadIdList(name).into());
    }
    Ok(ids)
}
