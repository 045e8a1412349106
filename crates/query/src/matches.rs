//! A filter on a JSON value: the exact reader, and what the SQL is tested against.
//!
//! Paths are split and patterns compiled while parsing, so that a document costs look-ups and
//! comparisons and no allocation.

use serde_json::Value;

use crate::filter::{Filter, Op, Set, Test};
use crate::kind::Kind;
use crate::value::View;

impl Filter {
    /// Whether a document matches.
    pub fn matches(&self, doc: &Value) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|f| f.matches(doc)),
            Self::Or(parts) => parts.iter().any(|f| f.matches(doc)),
            Self::Not(inner) => !inner.matches(doc),
            Self::Field { path, test } => {
                path.any(doc, test.spreads(), &mut |found| test.accepts(found))
            }
        }
    }
}

impl Filter {
    /// Whether a document matches of which only the values that the filter looks at are known,
    /// each by its path, and none of them an array: a row of scalar columns.
    pub fn matches_row<'v>(&self, value: &dyn Fn(&str) -> Option<&'v Value>) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|f| f.matches_row(value)),
            Self::Or(parts) => parts.iter().any(|f| f.matches_row(value)),
            Self::Not(inner) => !inner.matches_row(value),
            Self::Field { path, test } => test.accepts(value(path.as_str())),
        }
    }
}

impl Test {
    /// Whether the elements of an array are asked too; the rest ask for the array itself.
    fn spreads(&self) -> bool {
        !matches!(self, Self::Size(_) | Self::Element(_) | Self::Document(_) | Self::Exists)
    }

    /// Whether one value passes; `None` is a missing one.
    pub(crate) fn accepts(&self, found: Option<&Value>) -> bool {
        match self {
            Self::Compare(op, operand) => compare(*op, found, operand),
            Self::In(set) => set.accepts(found),
            Self::Exists => found.is_some(),
            Self::Type(kinds) => found.is_some_and(|v| kinds.contains(&Kind::of(v))),
            Self::Regex(pattern) => {
                found.and_then(Value::as_str).is_some_and(|s| pattern.is_match(s))
            }
            Self::Mod(divisor, remainder) => found.is_some_and(|v| {
                matches!(View::of(v), View::Number(n)
                    if n.whole().is_some_and(|n| n.wrapping_rem(*divisor) == *remainder))
            }),
            Self::Size(size) => {
                items(found).is_some_and(|items| u64::try_from(items.len()) == Ok(*size))
            }
            Self::Element(inner) => {
                items(found).is_some_and(|items| items.iter().any(|item| inner.matches(item)))
            }
            Self::Document(inner) => items(found).is_some_and(|items| {
                items.iter().any(|item| {
                    matches!(View::of(item), View::Document(_) | View::Array(_))
                        && inner.matches(item)
                })
            }),
        }
    }
}

impl Set {
    fn accepts(&self, found: Option<&Value>) -> bool {
        let Some(value) = found else {
            return self.has_null();
        };
        if let Value::String(text) = value {
            return self.texts.binary_search(text).is_ok()
                || self.patterns.iter().any(|p| p.is_match(text));
        }
        let view = View::of(value);
        self.others
            .iter()
            .any(|o| view.bracketed(View::of(o)).is_some_and(std::cmp::Ordering::is_eq))
    }
}

fn items(found: Option<&Value>) -> Option<&Vec<Value>> {
    found.and_then(Value::as_array)
}

/// Values of different types never compare, but missing equals null.
fn compare(op: Op, found: Option<&Value>, operand: &Value) -> bool {
    match found {
        None => operand.is_null() && op.with_equal(),
        Some(value) => {
            View::of(value).bracketed(View::of(operand)).is_some_and(|order| op.accepts(order))
        }
    }
}
