//! The types of values, for `$type`.
//!
//! JSON tells integers from other numbers but not their width: an integer that fits 32 bits is an
//! `int`, a larger one a `long`. Types that no document here can have are known and match nothing.

use serde_json::Value;

use crate::json::Json;
use crate::parse::number;
use crate::value::{Num, View};

/// A type that a value here can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A number written with a fraction or exponent.
    Double,
    /// A string.
    Text,
    /// A document.
    Document,
    /// An array.
    Array,
    /// True or false.
    Bool,
    /// A date.
    Date,
    /// A null that is there.
    Null,
    /// An integer of at most 32 bits.
    Int,
    /// A larger integer.
    Long,
}

impl Kind {
    /// The type of a value.
    pub(crate) fn of(value: &Value) -> Self {
        match View::of(value) {
            View::Null => Self::Null,
            View::Number(Num::Int(i)) if i32::try_from(i).is_ok() => Self::Int,
            View::Number(Num::Int(i)) if i64::try_from(i).is_ok() => Self::Long,
            View::Number(_) => Self::Double,
            View::Text(_) => Self::Text,
            View::Document(_) => Self::Document,
            View::Array(_) => Self::Array,
            View::Bool(_) => Self::Bool,
            View::Date(_) => Self::Date,
        }
    }
}

/// The operand of `$type`: a name, a number, or an array of them.
pub(crate) fn parse(json: &Json) -> Result<Vec<Kind>, String> {
    let mut found = Vec::new();
    let one = std::slice::from_ref(json);
    for item in if let Json::Array(items) = json { items } else { one } {
        let kinds = match item {
            Json::Text(name) => named(name),
            other => number(other)?.and_then(|n| {
                let code = n.whole()?;
                if n.order(Num::Int(code.into())).is_eq() { numbered(code) } else { None }
            }),
        };
        found.extend_from_slice(kinds.ok_or("unknown $type")?);
    }
    if matches!(json, Json::Array(items) if items.is_empty()) {
        return Err("$type needs at least one type".to_owned());
    }
    Ok(found)
}

/// A type's alias; types that no document here can have are known and match nothing.
fn named(name: &str) -> Option<&'static [Kind]> {
    Some(match name {
        "number" => &[Kind::Double, Kind::Int, Kind::Long],
        "double" => &[Kind::Double],
        "string" => &[Kind::Text],
        "object" => &[Kind::Document],
        "array" => &[Kind::Array],
        "bool" => &[Kind::Bool],
        "date" => &[Kind::Date],
        "null" => &[Kind::Null],
        "int" => &[Kind::Int],
        "long" => &[Kind::Long],
        "binData"
        | "undefined"
        | "objectId"
        | "regex"
        | "dbPointer"
        | "javascript"
        | "symbol"
        | "javascriptWithScope"
        | "timestamp"
        | "decimal"
        | "minKey"
        | "maxKey" => &[],
        _ => return None,
    })
}

fn numbered(code: i64) -> Option<&'static [Kind]> {
    Some(match code {
        1 => &[Kind::Double],
        2 => &[Kind::Text],
        3 => &[Kind::Document],
        4 => &[Kind::Array],
        8 => &[Kind::Bool],
        9 => &[Kind::Date],
        10 => &[Kind::Null],
        16 => &[Kind::Int],
        18 => &[Kind::Long],
        5..=7 | 11..=15 | 17 | 19 | -1 | 127 => &[],
        _ => return None,
    })
}
