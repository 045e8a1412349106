//! Extended JSON: the values that plain JSON has no form for.
//!
//! An operand becomes a `serde_json::Value` in the form documents have here: dates as
//! `{"$date": <ms>}`, object ids as their text. Any other key with a dollar sign is refused, so no
//! operator can hide inside a value.

use serde_json::{Map, Number, Value};

use crate::json::Json;
use crate::value::{Num, View};

/// Keys that make an object a value rather than operators.
const WRAPPERS: [&str; 8] = [
    "$date",
    "$oid",
    "$numberInt",
    "$numberLong",
    "$numberDouble",
    "$InfNaN",
    "$regularExpression",
    "$regexp",
];

/// Whether an object is one of the extended forms.
pub(crate) fn is_wrapper(members: &[(String, Json)]) -> bool {
    members.first().is_some_and(|(key, _)| WRAPPERS.contains(&key.as_str()))
}

/// A pattern and its flags, if an object is a regular expression: `$regularExpression` of
/// Extended JSON, or `$regexp` with `$flags` of EJSON.
pub(crate) fn pattern(json: &Json) -> Result<Option<(&str, &str)>, String> {
    let Json::Object(members) = json else {
        return Ok(None);
    };
    let bad = || "a regular expression needs a pattern and options, both strings".to_owned();
    match members.as_slice() {
        [(key, Json::Object(inner))] if key == "$regularExpression" => {
            pair(inner, "pattern", "options").ok_or_else(bad).map(Some)
        }
        [(key, _), ..] if key == "$regularExpression" => Err(bad()),
        [(key, _), ..] if key == "$regexp" => {
            pair(members, "$regexp", "$flags").ok_or_else(bad).map(Some)
        }
        _ => Ok(None),
    }
}

fn pair<'a>(
    members: &'a [(String, Json)],
    first: &str,
    second: &str,
) -> Option<(&'a str, &'a str)> {
    match members {
        [(a, Json::Text(x))] if a == first => Some((x, "")),
        [(a, Json::Text(x)), (b, Json::Text(y))] if a == first && b == second => Some((x, y)),
        [(b, Json::Text(y)), (a, Json::Text(x))] if a == first && b == second => Some((x, y)),
        _ => None,
    }
}

/// An operand as a value.
pub(crate) fn value(json: &Json) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => Value::Number(n.clone()),
        Json::Text(s) => Value::String(s.clone()),
        Json::Array(items) => Value::Array(items.iter().map(value).collect::<Result<_, _>>()?),
        Json::Object(members) => match members.as_slice() {
            [(key, inner)] if key.starts_with('$') => wrapped(key, inner)?,
            members => plain(members)?,
        },
    })
}

fn plain(members: &[(String, Json)]) -> Result<Value, String> {
    let mut map = Map::new();
    for (key, inner) in members {
        if key.starts_with('$') {
            return Err(format!("{key} is not allowed inside a value"));
        }
        if map.insert(key.clone(), value(inner)?).is_some() {
            return Err(format!("{key:?} twice in a value"));
        }
    }
    Ok(Value::Object(map))
}

fn wrapped(key: &str, inner: &Json) -> Result<Value, String> {
    let found = match (key, inner) {
        ("$date", _) => date(inner).map(|ms| tagged("$date", ms.into())),
        ("$oid", Json::Text(hex)) => Some(Value::String(hex.clone())),
        ("$numberInt", _) => integer(inner).and_then(|i| i32::try_from(i).ok()).map(Value::from),
        ("$numberLong", _) => integer(inner).map(Value::from),
        ("$numberDouble", Json::Number(n)) => Some(Value::Number(n.clone())),
        ("$numberDouble", Json::Text(text)) => double(text),
        ("$InfNaN", Json::Number(n)) => match n.as_i64() {
            Some(1) => double("Infinity"),
            Some(-1) => double("-Infinity"),
            Some(0) => double("NaN"),
            _ => None,
        },
        _ => return Err(format!("{key} is not allowed as a value")),
    };
    found.ok_or_else(|| format!("{key} with a value it cannot have"))
}

fn tagged(key: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(key.to_owned(), value)]))
}

fn double(text: &str) -> Option<Value> {
    let f: f64 = text.parse().ok()?;
    match Number::from_f64(f) {
        Some(n) => Some(Value::Number(n)),
        None => Some(tagged("$numberDouble", f.to_string().into())),
    }
}

fn integer(json: &Json) -> Option<i64> {
    match json {
        Json::Text(text) => text.parse().ok(),
        Json::Number(n) => n.as_i64(),
        _ => None,
    }
}

/// Milliseconds since 1970.
fn date(json: &Json) -> Option<i64> {
    match json {
        Json::Number(n) => Num::of(n).whole(),
        Json::Text(text) => iso(text),
        Json::Object(_) => match View::of(&value(json).ok()?) {
            View::Number(n) => n.whole(),
            _ => None,
        },
        _ => None,
    }
}

/// `2026-11-20`, `2026-11-20T08:00Z`, `2026-11-20T08:00:01.5+01:00`; without a zone it is UTC.
fn iso(text: &str) -> Option<i64> {
    let (day, clock) = match text.split_once(['T', 't', ' ']) {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let [year, month, dom] = split::<3>(day, '-')?;
    let days = days(digits(year, 4)?, digits(month, 2)?, digits(dom, 2)?)?;
    let ms = clock.map_or(Some(0), time)?;
    Some(days * 86_400_000 + ms)
}

/// Milliseconds of a time of day, its zone taken off.
fn time(text: &str) -> Option<i64> {
    let (clock, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(clock) => (clock, 0),
        None => match text.rfind(['+', '-']) {
            Some(at) => (&text[..at], zone(&text[at..])?),
            None => (text, 0),
        },
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let (hour, minute, second) = match split::<3>(whole, ':') {
        Some([h, m, s]) => (digits(h, 2)?, digits(m, 2)?, digits(s, 2)?),
        None if fraction == "0" => {
            let [h, m] = split::<2>(whole, ':')?;
            (digits(h, 2)?, digits(m, 2)?, 0)
        }
        None => return None,
    };
    if hour > 23 || minute > 59 || second > 59 || fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let ms = digits(&format!("{fraction:0<9}"), 9)? / 1_000_000;
    Some(((hour * 60 + minute - offset) * 60 + second) * 1000 + ms)
}

/// Minutes east of Greenwich of `+01:00` or `+0100`.
fn zone(text: &str) -> Option<i64> {
    let (sign, rest) = text.split_at_checked(1)?;
    let digits_only = rest.replacen(':', "", 1);
    let number = digits(&digits_only, 4)?;
    let (hours, minutes) = (number / 100, number % 100);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let total = hours * 60 + minutes;
    Some(if sign == "-" { -total } else { total })
}

fn split<const N: usize>(text: &str, at: char) -> Option<[&str; N]> {
    let parts: Vec<&str> = text.split(at).collect();
    parts.try_into().ok()
}

fn digits(text: &str, len: usize) -> Option<i64> {
    let plain = text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// Days since 1970 of a day of the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if day < 1 || day > length {
        return None;
    }
    // Years that begin in March put the leap day last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_years = y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    Some(of_years + (153 * m + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::iso;

    #[test]
    fn dates() {
        for (text, ms) in [
            ("1970-01-01", Some(0)),
            ("1970-01-01T00:00:00.000Z", Some(0)),
            ("2026-11-20T08:00Z", Some(1_795_161_600_000)),
            ("2026-11-20T08:00:01.5Z", Some(1_795_161_601_500)),
            ("2026-11-20T09:00:00.000+01:00", Some(1_795_161_600_000)),
            ("2026-11-20T06:30:00-0130", Some(1_795_161_600_000)),
            ("2000-02-29", Some(951_782_400_000)),
            ("1969-12-31T23:59:59.999Z", Some(-1)),
            ("0001-01-01", Some(-62_135_596_800_000)),
            ("1900-02-29", None),
            ("2026-13-01", None),
            ("2026-11-20T24:00Z", None),
            ("2026-11-20T", None),
            ("2026-11-20T08:00:00.Z", None),
            ("26-11-20", None),
            ("", None),
            ("yesterday", None),
        ] {
            assert_eq!(iso(text), ms, "{text}");
        }
    }
}
