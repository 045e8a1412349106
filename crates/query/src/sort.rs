//! The `sort` parameter: keys in the order written, each ascending or descending.
//!
//! The order is `MongoDB`'s: types have an order among them, missing counts as null, and an array is
//! represented by its least element ascending and its greatest descending. Ties are the caller's,
//! who appends the id so that pages never overlap.

use std::cmp::Ordering;

use serde_json::Value;

use crate::filter::secret_in;
use crate::json::{self, Json};
use crate::path::{Path, Segment, member};
use crate::value::View;
use crate::{Error, Limits};

/// An order of documents; without keys all are equal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sort(pub Vec<Key>);

/// One key of a sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The dotted path.
    pub path: String,
    /// Greatest first.
    pub descending: bool,
}

impl Sort {
    /// Reads `{"path": 1, "other": -1}`.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, Error> {
        let members = json::object(text, limits).map_err(Error::Sort)?;
        if members.len() > limits.sort_keys {
            return Err(Error::Sort(format!("more than {} keys", limits.sort_keys)));
        }
        let mut keys: Vec<Key> = Vec::with_capacity(members.len());
        for (path, json) in members {
            Path::strict(&path).map_err(Error::Sort)?;
            if keys.iter().any(|key| key.path == path) {
                return Err(Error::Sort(format!("{path:?} twice")));
            }
            let descending = match direction(&json) {
                Some(1) => false,
                Some(-1) => true,
                _ => return Err(Error::Sort(format!("{path:?} needs 1 or -1"))),
            };
            keys.push(Key { path, descending });
        }
        Ok(Self(keys))
    }

    /// The order of two documents, ties included.
    pub fn compare(&self, a: &Value, b: &Value) -> Ordering {
        self.by(|key, _| key.of(a).order(key.of(b)))
    }

    /// What [`Self::compare`] looks at in a document, to keep instead of it.
    pub fn key(&self, doc: &Value) -> SortKey {
        SortKey(self.0.iter().map(|key| key.of(doc).keep()).collect())
    }

    /// The order of two documents of which the keys were kept.
    pub fn compare_keys(&self, a: &SortKey, b: &SortKey) -> Ordering {
        self.by(|_, n| a.found(n).order(b.found(n)))
    }

    /// The order of a document and a kept key: what is not among the best needs no key made.
    pub fn compare_to(&self, doc: &Value, kept: &SortKey) -> Ordering {
        self.by(|key, n| key.of(doc).order(kept.found(n)))
    }

    fn by(&self, compare: impl Fn(&Key, usize) -> Ordering) -> Ordering {
        for (n, key) in self.0.iter().enumerate() {
            let found = compare(key, n);
            if found.is_ne() {
                return if key.descending { found.reverse() } else { found };
            }
        }
        Ordering::Equal
    }

    /// The paths that are looked at.
    pub fn paths(&self) -> Vec<&str> {
        self.0.iter().map(|key| key.path.as_str()).collect()
    }

    /// Refuses a sort by anything `secret` names, as [`crate::Filter::refuse`] does. Whole documents
    /// sort by what is in them, so a rule must name the parents of its secrets as well.
    pub fn refuse(&self, secret: &dyn Fn(&str) -> bool) -> Result<(), Error> {
        let refused = self.0.iter().find_map(|key| secret_in(&key.path, secret));
        refused.map_or(Ok(()), |path| Err(Error::Secret(path)))
    }
}

/// Whole numbers, however they are written: `1`, `1.0`, `1e0`.
pub(crate) fn direction(json: &Json) -> Option<i8> {
    let Json::Number(n) = json else { return None };
    [-1_i8, 0, 1].into_iter().find(|one| n.as_f64() == Some(f64::from(*one)))
}

/// What represents one document under each key of a sort.
#[derive(Debug, Clone, PartialEq)]
pub struct SortKey(Vec<Kept>);

/// What represents a document under one key, for keeping.
#[derive(Debug, Clone, PartialEq)]
enum Kept {
    Empty,
    Missing,
    Value(Value),
}

impl SortKey {
    fn found(&self, n: usize) -> Found<'_> {
        self.0.get(n).map_or(Found::Missing, Found::of)
    }

    /// Bytes it holds, roughly and rather too many: to keep many within a bound.
    pub fn size(&self) -> usize {
        let kept = |kept: &Kept| match kept {
            Kept::Value(value) => weight(value),
            Kept::Empty | Kept::Missing => 0,
        };
        self.0.iter().map(|key| size_of::<Kept>() + kept(key)).sum()
    }
}

/// What a value takes in memory: an object's members come in nodes of eleven.
fn weight(value: &Value) -> usize {
    const NODE: usize = 700;
    let own = size_of::<Value>();
    own + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => {
            NODE * (1 + map.len() / 6)
                + map.iter().map(|(key, value)| key.len() + weight(value)).sum::<usize>()
        }
        _ => 0,
    }
}

/// What represents a document under one key.
#[derive(Clone, Copy)]
enum Found<'v> {
    /// An array without elements, which sorts before everything.
    Empty,
    /// Nothing, which sorts as null.
    Missing,
    Value(&'v Value),
}

impl<'v> Found<'v> {
    fn of(kept: &'v Kept) -> Self {
        match kept {
            Kept::Empty => Self::Empty,
            Kept::Missing => Self::Missing,
            Kept::Value(value) => Self::Value(value),
        }
    }

    fn keep(self) -> Kept {
        match self {
            Self::Empty => Kept::Empty,
            Self::Missing => Kept::Missing,
            Self::Value(value) => Kept::Value(value.clone()),
        }
    }

    /// `None` for what sorts before everything.
    fn view(self) -> Option<View<'v>> {
        match self {
            Self::Empty => None,
            Self::Missing => Some(View::Null),
            Self::Value(value) => Some(View::of(value)),
        }
    }

    fn order(self, other: Self) -> Ordering {
        match (self.view(), other.view()) {
            (Some(a), Some(b)) => a.order(b),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }
}

impl Key {
    fn of<'v>(&self, doc: &'v Value) -> Found<'v> {
        let mut best = None;
        walk(doc, Some(&self.path), &mut |found| {
            let better = match best {
                None => true,
                Some(old) if self.descending => found.order(old).is_gt(),
                Some(old) => found.order(old).is_lt(),
            };
            if better {
                best = Some(found);
            }
        });
        best.unwrap_or(Found::Missing)
    }
}

/// Offers every value that can represent `value` under the rest of a path.
fn walk<'v>(value: &'v Value, path: Option<&str>, offer: &mut dyn FnMut(Found<'v>)) {
    let Some(path) = path else {
        return leaf(value, offer);
    };
    // Names are short: looking at each byte is faster than preparing a search.
    let (name, tail) = match path.bytes().position(|b| b == b'.') {
        Some(at) => (&path[..at], Some(&path[at + 1..])),
        None => (path, None),
    };
    match value {
        Value::Array(items) => {
            let index = Segment::new(name).index;
            match index.and_then(|i| items.get(i)) {
                Some(item) => walk(item, tail, offer),
                None => entered(items, path, offer),
            }
        }
        _ => match member(value, name) {
            Some(inner) => walk(inner, tail, offer),
            None => offer(Found::Missing),
        },
    }
}

/// A path goes on inside the documents of an array, not inside arrays in it.
fn entered<'v>(items: &'v [Value], path: &str, offer: &mut dyn FnMut(Found<'v>)) {
    for item in items {
        match item {
            Value::Array(_) => offer(Found::Missing),
            other => walk(other, Some(path), offer),
        }
    }
    if items.is_empty() {
        offer(Found::Missing);
    }
}

fn leaf<'v>(value: &'v Value, offer: &mut dyn FnMut(Found<'v>)) {
    match value {
        Value::Array(items) if items.is_empty() => offer(Found::Empty),
        Value::Array(items) => items.iter().for_each(|item| offer(Found::Value(item))),
        other => offer(Found::Value(other)),
    }
}
