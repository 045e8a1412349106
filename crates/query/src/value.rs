//! How two JSON values compare, across types, as `MongoDB` compares them.
//!
//! A document of this server writes a date as `{"$date": <ms>}`; here that is a scalar of its own
//! type. JSON objects carry no key order in this process, so documents compare by sorted keys:
//! two that differ only in key order are equal (`MongoDB` would tell them apart).

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

/// A number without loss: JSON integers and doubles compare exactly with each other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Num {
    Int(i128),
    Float(f64),
}

impl Num {
    pub(crate) fn of(number: &Number) -> Self {
        if let Some(i) = number.as_i64() {
            Self::Int(i.into())
        } else if let Some(u) = number.as_u64() {
            Self::Int(u.into())
        } else {
            Self::Float(number.as_f64().unwrap_or(f64::NAN))
        }
    }

    /// The whole part, if it is within 64 bits.
    pub(crate) fn whole(self) -> Option<i64> {
        match self {
            Self::Int(i) => i64::try_from(i).ok(),
            Self::Float(f) => trunc(f).and_then(|i| i64::try_from(i).ok()),
        }
    }

    /// The integer at or below, and whether that is the number itself; `None` far out.
    pub(crate) fn floor(self) -> Option<(i128, bool)> {
        match self {
            Self::Int(i) => Some((i, true)),
            Self::Float(f) => Some((trunc(f.floor())?, f.fract() == 0.0)),
        }
    }

    pub(crate) fn is_nan(self) -> bool {
        matches!(self, Self::Float(f) if f.is_nan())
    }

    /// Numeric order; "not a number" is below every number and equal to itself.
    pub(crate) fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::Int(a), Self::Float(b)) => int_float(a, b),
            (Self::Float(a), Self::Int(b)) => int_float(b, a).reverse(),
            (Self::Float(a), Self::Float(b)) => {
                a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
            }
        }
    }
}

/// Beyond this every double is far outside of 64 bits, and casts stay exact below it.
const FAR: f64 = 1e30;

/// The whole part of a finite double that is not far out.
#[expect(clippy::cast_possible_truncation, reason = "bounded by FAR, well inside 128 bits")]
fn trunc(f: f64) -> Option<i128> {
    (f.abs() < FAR).then_some(f as i128)
}

fn int_float(i: i128, f: f64) -> Ordering {
    match trunc(f) {
        Some(whole) => {
            i.cmp(&whole).then_with(|| 0.0_f64.partial_cmp(&f.fract()).unwrap_or(Ordering::Equal))
        }
        None if f > 0.0 => Ordering::Less,
        None => Ordering::Greater,
    }
}

/// A JSON value with its type as `MongoDB` sees it.
#[derive(Clone, Copy)]
pub(crate) enum View<'a> {
    Null,
    Number(Num),
    Text(&'a str),
    Document(&'a Map<String, Value>),
    Array(&'a [Value]),
    Bool(bool),
    Date(i64),
}

impl<'a> View<'a> {
    pub(crate) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => Self::Number(Num::of(n)),
            Value::String(s) => Self::Text(s),
            Value::Array(items) => Self::Array(items),
            Value::Object(map) => wrapped(map).unwrap_or(Self::Document(map)),
        }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Null => 1,
            Self::Number(_) => 2,
            Self::Text(_) => 3,
            Self::Document(_) => 4,
            Self::Array(_) => 5,
            Self::Bool(_) => 6,
            Self::Date(_) => 7,
        }
    }

    /// The order of two values of one type; `None` when the types differ.
    pub(crate) fn bracketed(self, other: Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Null, Self::Null) => Ordering::Equal,
            (Self::Number(a), Self::Number(b)) => a.order(b),
            (Self::Text(a), Self::Text(b)) => texts(a, b),
            (Self::Document(a), Self::Document(b)) => documents(a, b),
            (Self::Array(a), Self::Array(b)) => arrays(a, b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(&b),
            (Self::Date(a), Self::Date(b)) => a.cmp(&b),
            _ => return None,
        })
    }

    /// `MongoDB`'s order across all types.
    pub(crate) fn order(self, other: Self) -> Ordering {
        self.bracketed(other).unwrap_or_else(|| self.rank().cmp(&other.rank()))
    }
}

/// A scalar that JSON has no form for: a date, or a number that is not finite.
fn wrapped(map: &Map<String, Value>) -> Option<View<'_>> {
    if map.len() != 1 {
        return None;
    }
    let (key, value) = map.iter().next()?;
    match key.as_str() {
        "$date" => value.as_i64().map(View::Date),
        "$numberDouble" => value.as_str()?.parse().ok().map(|f: f64| View::Number(Num::Float(f))),
        _ => None,
    }
}

/// The members, if this object is a document and not a wrapped scalar.
pub(crate) fn document(map: &Map<String, Value>) -> Option<&Map<String, Value>> {
    wrapped(map).is_none().then_some(map)
}

/// `MongoDB`'s order of two values, across types.
pub fn order(a: &Value, b: &Value) -> Ordering {
    View::of(a).order(View::of(b))
}

/// Byte order. An empty text points nowhere, and some processors take 100 ns to find out in the
/// vector instructions of a comparison; so it is not compared.
fn texts(a: &str, b: &str) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return a.len().cmp(&b.len());
    }
    a.as_bytes().cmp(b.as_bytes())
}

fn arrays(a: &[Value], b: &[Value]) -> Ordering {
    a.iter()
        .zip(b)
        .map(|(a, b)| order(a, b))
        .find(|o| o.is_ne())
        .unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Member by member in key order: first the types, then the names, then the values.
fn documents(a: &Map<String, Value>, b: &Map<String, Value>) -> Ordering {
    let (left, right) = (sorted(a), sorted(b));
    for ((l, x), (r, y)) in left.iter().zip(&right) {
        let (x, y) = (View::of(x), View::of(y));
        let found = x.rank().cmp(&y.rank()).then_with(|| l.cmp(r)).then_with(|| x.order(y));
        if found.is_ne() {
            return found;
        }
    }
    left.len().cmp(&right.len())
}

fn sorted(map: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut members: Vec<_> = map.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    members
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_have_an_order() {
        let ascending = [
            json!(null),
            json!({"$numberDouble": "NaN"}),
            json!({"$numberDouble": "-Infinity"}),
            json!(-1.5),
            json!(0),
            json!(1),
            json!(1.5),
            json!(u64::MAX),
            json!({"$numberDouble": "Infinity"}),
            json!(""),
            json!("B"),
            json!("a"),
            json!({}),
            json!({"a": 1}),
            json!({"a": 2}),
            json!({"b": 1}),
            json!({"a": "x"}),
            json!([]),
            json!([1]),
            json!([1, 1]),
            json!([2]),
            json!(false),
            json!(true),
            json!({"$date": 0}),
            json!({"$date": 1}),
        ];
        for (i, a) in ascending.iter().enumerate() {
            for (j, b) in ascending.iter().enumerate() {
                assert_eq!(order(a, b), i.cmp(&j), "{a} {b}");
            }
        }
    }

    #[test]
    fn integers_and_doubles_compare_exactly() {
        // 2^53 + 1 has no double: a lossy comparison would call these equal.
        assert_eq!(
            order(&json!(9_007_199_254_740_993_i64), &json!(9_007_199_254_740_992.0)),
            Ordering::Greater
        );
        assert_eq!(order(&json!(i64::MAX), &json!(9.223_372_036_854_776e18)), Ordering::Less);
        assert_eq!(order(&json!(-1), &json!(-1.5)), Ordering::Greater);
        assert_eq!(order(&json!(1), &json!(1.0)), Ordering::Equal);
        assert_eq!(order(&json!(-0.0), &json!(0)), Ordering::Equal);
    }
}
