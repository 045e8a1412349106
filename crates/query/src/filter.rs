//! A filter: a tree of conditions on dotted paths, with `MongoDB`'s meaning.
//!
//! The tree has few shapes, so that its two readers stay short: `$ne`, `$nin`, `$nor` and
//! `$exists: false` are negations, `$all` is a conjunction, and what can never match is an empty
//! `Or`. Both readers get the same tree; only parsing knows the operators' names.

use std::cmp::Ordering;

use serde_json::Value;

use crate::columns::{Answer, leaf};
use crate::kind::Kind;
use crate::path::Path;
use crate::pattern::Pattern;
use crate::sql::FieldMap;
use crate::{Error, Limits, parse};

/// A condition on documents.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// All of these; of none: every document.
    And(Vec<Filter>),
    /// Any of these; of none: no document.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// What a path names passes a test.
    Field {
        /// Where to look.
        path: Path,
        /// What to ask.
        test: Test,
    },
}

/// A question about one value, or about its being missing.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Compares within the operand's type.
    Compare(Op, Value),
    /// Equals any of a set.
    In(Set),
    /// Is there at all.
    Exists,
    /// Is of one of these types.
    Type(Vec<Kind>),
    /// Is a string in which the pattern is found.
    Regex(Pattern),
    /// Divided by the first number leaves the second.
    Mod(i64, i64),
    /// Is an array of this length.
    Size(u64),
    /// Is an array with an element that passes; its paths begin at the element.
    Element(Box<Filter>),
    /// Is an array with a document (or array) in it that matches; its paths begin there.
    Document(Box<Filter>),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Equal.
    Eq,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
}

impl Op {
    /// Whether values in this order pass.
    pub fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Gt => order.is_gt(),
            Self::Gte => order.is_ge(),
            Self::Lt => order.is_lt(),
            Self::Lte => order.is_le(),
        }
    }

    /// Whether equal values pass.
    pub fn with_equal(self) -> bool {
        self.accepts(Ordering::Equal)
    }
}

/// The values of an `$in`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Set {
    /// The strings, sorted.
    pub(crate) texts: Vec<String>,
    /// Values of other types.
    pub(crate) others: Vec<Value>,
    /// Regular expressions.
    pub(crate) patterns: Vec<Pattern>,
}

impl Set {
    /// Takes the values apart by type.
    pub fn new(values: Vec<Value>, patterns: Vec<Pattern>) -> Self {
        let mut set = Self { patterns, ..Self::default() };
        for value in values {
            match value {
                Value::String(text) => set.texts.push(text),
                other => set.others.push(other),
            }
        }
        set.texts.sort_unstable();
        set.texts.dedup();
        set
    }

    /// Whether null is among them.
    pub(crate) fn has_null(&self) -> bool {
        self.others.iter().any(Value::is_null)
    }
}

impl Filter {
    /// Reads a filter from Extended JSON text.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, Error> {
        parse::filter(text, limits, None).map_err(Error::Query)
    }

    /// Reads a filter that may use these operators and no others.
    pub fn parse_only(text: &str, limits: &Limits, operators: &[&str]) -> Result<Self, Error> {
        parse::filter(text, limits, Some(operators)).map_err(Error::Query)
    }

    /// The filter that every document matches.
    pub fn all() -> Self {
        Self::And(Vec::new())
    }

    /// The filter that no document matches.
    pub fn none() -> Self {
        Self::Or(Vec::new())
    }

    /// Whether this is the filter that every document matches.
    pub fn is_all(&self) -> bool {
        matches!(self, Self::And(parts) if parts.is_empty())
    }

    /// Both filters at once.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::every(vec![self, other].into_iter().filter(|f| !f.is_all()).collect())
    }

    /// What `path` names equals one of these values.
    pub fn one_of(path: &str, values: Vec<Value>) -> Result<Self, Error> {
        let path = Path::within("", path).map_err(Error::Query)?;
        Ok(Self::Field { path, test: Test::In(Set::new(values, Vec::new())) })
    }

    /// A conjunction, without a level for a single part.
    pub(crate) fn every(mut parts: Vec<Self>) -> Self {
        match parts.pop() {
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Self::And(parts)
            }
            None => Self::all(),
        }
    }

    /// The negation.
    pub(crate) fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Every path that is looked at, from the document's root, in the order written.
    pub fn paths(&self) -> Vec<&str> {
        let mut found = Vec::new();
        self.visit(&mut |path, _| found.push(path.as_str()));
        found
    }

    /// Refuses a filter that looks at anything `secret` names. Each path is asked for with every
    /// shorter path it begins with, as written and without array positions, and so are the members
    /// of documents that are compared with; so a rule can be a list of plain names.
    pub fn refuse(&self, secret: &dyn Fn(&str) -> bool) -> Result<(), Error> {
        let mut refused = None;
        self.visit(&mut |path, test| {
            if refused.is_none() {
                refused = secret_in(path.as_str(), secret)
                    .or_else(|| operands(test).find_map(|v| inside(path.as_str(), v, secret)));
            }
        });
        refused.map_or(Ok(()), |path| Err(Error::Secret(path)))
    }

    /// The paths that [`crate::compile`] leaves to the matcher, for a message that names them.
    pub fn residual(&self, map: &dyn FieldMap) -> Vec<&str> {
        let mut found = Vec::new();
        self.each(&mut |path, test| {
            let open = |column| matches!(leaf(column, test), Answer::Between { .. });
            if map.column(path.as_str()).is_none_or(open) && !found.contains(&path.as_str()) {
                found.push(path.as_str());
            }
        });
        found
    }

    /// Visits the conditions, not entering `$elemMatch`.
    fn each<'f>(&'f self, visit: &mut dyn FnMut(&'f Path, &'f Test)) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|f| f.each(visit)),
            Self::Not(inner) => inner.each(visit),
            Self::Field { path, test } => visit(path, test),
        }
    }

    /// Visits all conditions, those inside `$elemMatch` too.
    fn visit<'f>(&'f self, visit: &mut dyn FnMut(&'f Path, &'f Test)) {
        self.each(&mut |path, test| {
            visit(path, test);
            if let Test::Element(inner) | Test::Document(inner) = test {
                inner.visit(visit);
            }
        });
    }
}

/// The values a test compares with.
fn operands(test: &Test) -> impl Iterator<Item = &Value> {
    let (one, many) = match test {
        Test::Compare(_, value) => (Some(value), [].as_slice()),
        Test::In(set) => (None, set.others.as_slice()),
        _ => (None, [].as_slice()),
    };
    one.into_iter().chain(many)
}

/// The first of a path's beginnings that is secret.
pub(crate) fn secret_in(path: &str, secret: &dyn Fn(&str) -> bool) -> Option<String> {
    let number = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    let plain: Vec<&str> = path.split('.').filter(|name| !number(name)).collect();
    [path.to_owned(), plain.join(".")].into_iter().find(|path| {
        let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
        ends.into_iter().any(|end| secret(&path[..end]))
    })
}

/// The first secret path among the members of a compared document.
fn inside(path: &str, value: &Value, secret: &dyn Fn(&str) -> bool) -> Option<String> {
    match value {
        Value::Object(map) => map.iter().find_map(|(key, inner)| {
            let below = format!("{path}.{key}");
            secret_in(&below, secret).or_else(|| inside(&below, inner, secret))
        }),
        Value::Array(items) => items.iter().find_map(|item| inside(path, item, secret)),
        _ => None,
    }
}
