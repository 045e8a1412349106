//! The members of a document that comes from outside, taken out one by one; what nobody takes is
//! what is carried. `MongoDB`'s extended JSON becomes plain JSON first (dates ISO text, numbers
//! numbers, object ids text), so that nothing after it has to know that there is such a thing.

use crate::id::is_id;
use crate::time::{Ms, iso, parse};
use serde_json::{Map, Value};

/// Why a line was refused, for the person who reads the report. Never quotes a value.
pub(super) type Reason = String;

/// Makes plain JSON of extended JSON, at every depth.
pub(super) fn plain(value: Value) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(plain).collect(),
        Value::Object(all) => {
            if let Some(short) = all.iter().next().filter(|_| all.len() == 1).and_then(wrapped) {
                return short;
            }
            all.into_iter().map(|(key, value)| (key, plain(value))).collect()
        }
        other => other,
    }
}

/// The plain form of `{"$date": …}` and its like.
fn wrapped((key, value): (&String, &Value)) -> Option<Value> {
    let number = |value: &Value| match value {
        Value::Number(_) => value.as_i64(),
        Value::String(text) => text.parse::<i64>().ok(),
        _ => None,
    };
    match key.as_str() {
        "$date" => {
            let ms = match value {
                Value::String(text) => parse(text),
                Value::Object(all) => all.get("$numberLong").and_then(number),
                other => other.as_i64(),
            };
            // A time that cannot be written stays what it is, and is refused where it is read.
            ms.filter(|ms| (FIRST..=LAST).contains(ms)).map(|ms| iso(ms).into())
        }
        "$oid" => value.as_str().map(Value::from),
        "$numberInt" | "$numberLong" => number(value).map(Value::from),
        "$numberDouble" => value.as_str()?.parse::<f64>().ok().map(Value::from),
        _ => None,
    }
}

/// A document that is being taken apart. A member that is `null` counts as absent once it is asked
/// for, and is carried as it is otherwise.
pub(super) struct Fields(Map<String, Value>);

/// What no answer ever holds.
const NEVER: [&str; 4] = ["joinCode", "members", "importIds", "e2e"];
/// Half of what every client can hold, so that there is room to count on.
const MOST: i64 = 1 << 52;
/// The years 0 to 9998: a room's times go on from the newest one that it has.
const FIRST: Ms = -62_167_219_200_000;
const LAST: Ms = 253_370_764_799_999;

impl Fields {
    pub(super) fn new(document: Map<String, Value>) -> Self {
        Self(document)
    }

    /// What is left, as JSON text, without what is never returned (contract section 4.3).
    pub(super) fn rest(mut self) -> String {
        self.0.retain(|key, _| !NEVER.contains(&key.as_str()));
        Value::Object(self.0).to_string()
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key).filter(|value| !value.is_null())
    }

    /// Looks without taking.
    pub(super) fn peek(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    /// Drops every member whose key begins like this.
    pub(super) fn drop_all(&mut self, start: &str) {
        self.0.retain(|key, _| !key.starts_with(start));
    }

    /// A text. `PostgreSQL` holds no NUL, so neither engine does.
    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, Reason> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::String(text)) if text.contains('\0') => {
                Err(format!("{key} holds a NUL character"))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("{key} is not a text")),
        }
    }

    /// An id that must be there.
    pub(super) fn id(&mut self, key: &str) -> Result<String, Reason> {
        let id = self.text(key)?.ok_or_else(|| format!("{key} is missing"))?;
        if is_id(&id) { Ok(id) } else { Err(format!("{key} is not usable as an id")) }
    }

    /// An id that may be absent.
    pub(super) fn id_if(&mut self, key: &str) -> Result<Option<String>, Reason> {
        if self.peek(key).is_some() { self.id(key).map(Some) } else { Ok(None) }
    }

    pub(super) fn date(&mut self, key: &str) -> Result<Option<Ms>, Reason> {
        match self.take(key) {
            None => Ok(None),
            Some(value) => {
                let at = value.as_str().and_then(parse).or_else(|| value.as_i64());
                let at = at.ok_or_else(|| format!("{key} is not a time"))?;
                if !(FIRST..=LAST).contains(&at) {
                    return Err(format!("{key} is not in the years 0 to 9998"));
                }
                Ok(Some(at))
            }
        }
    }

    pub(super) fn need_date(&mut self, key: &str) -> Result<Ms, Reason> {
        self.date(key)?.ok_or_else(|| format!("{key} is missing"))
    }

    pub(super) fn number(&mut self, key: &str) -> Result<Option<i64>, Reason> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let number = value.as_i64().or_else(|| whole(value.as_f64()?));
        let number = number.ok_or_else(|| format!("{key} is not a whole number"))?;
        if number > MOST {
            return Err(format!("{key} is too large"));
        }
        Ok(Some(number.max(0)))
    }

    pub(super) fn flag(&mut self, key: &str) -> Result<Option<bool>, Reason> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        value.as_bool().map(Some).ok_or_else(|| format!("{key} is not true or false"))
    }

    pub(super) fn list(&mut self, key: &str) -> Result<Option<Vec<Value>>, Reason> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Array(all)) => Ok(Some(all)),
            Some(_) => Err(format!("{key} is not a list")),
        }
    }

    pub(super) fn texts(&mut self, key: &str) -> Result<Option<Vec<String>>, Reason> {
        let Some(all) = self.list(key)? else {
            return Ok(None);
        };
        let text = |value: Value| match value {
            Value::String(text) => Some(text),
            _ => None,
        };
        let texts = all.into_iter().map(text).collect::<Option<Vec<_>>>();
        texts.map(Some).ok_or_else(|| format!("{key} is not a list of texts"))
    }

    pub(super) fn object(&mut self, key: &str) -> Result<Option<Map<String, Value>>, Reason> {
        match self.take(key) {
            None => Ok(None),
            Some(Value::Object(all)) => Ok(Some(all)),
            Some(_) => Err(format!("{key} is not an object")),
        }
    }
}

/// JavaScript writes whole numbers as doubles.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole, and far inside the range")]
    let whole = number as i64;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::plain;
    use serde_json::json;

    #[test]
    fn extended_json_becomes_plain() {
        let document = json!({"_id": {"$oid": "65400fc3a2f73c7460e18e9f"}, "n": {"$numberLong": "7"},
            "deep": [{"at": {"$date": {"$numberLong": "1674612018095"}}}],
            "iso": {"$date": "2023-01-25T02:00:18.095Z"}, "ms": {"$date": 1_674_612_018_095_i64},
            "kept": {"$date": "never"}, "other": {"$regex": "x"}});
        let at = "2023-01-25T02:00:18.095Z";
        assert_eq!(
            plain(document),
            json!({"_id": "65400fc3a2f73c7460e18e9f", "n": 7, "deep": [{"at": at}], "iso": at,
                "ms": at, "kept": {"$date": "never"}, "other": {"$regex": "x"}})
        );
    }
}
