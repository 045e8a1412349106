//! Bodies in: read whole up to the limit, and parsed once. Clients cut texts at UTF-16 units and can
//! split a pair, so a lone surrogate escape becomes U+FFFD instead of an error (ruling B5); a NUL
//! character is refused, because one engine could not store it.

use axum::body::Body;
use axum::http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use parlance_core::depth::{DEEPEST, is_deeper};
use serde_json::{Map, Value};
use std::time::Duration;

/// How long a client may take to send a body.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why a body could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyError {
    /// Larger than the limit.
    TooLarge,
    /// The connection broke, or the encoding of the transfer did.
    Broken,
    /// Not JSON, or nested too deep.
    NotJson,
    /// JSON, and not an object.
    NotObject,
    /// A NUL character somewhere.
    Nul,
}

/// Reads a body whole, up to `limit` bytes.
pub async fn read(body: Body, limit: usize) -> Result<Vec<u8>, BodyError> {
    let whole = tokio::time::timeout(PATIENCE, Limited::new(body, limit).collect());
    let Ok(read) = whole.await else { return Err(BodyError::Broken) };
    match read {
        Ok(all) => Ok(all.to_bytes().to_vec()),
        Err(error) if error.downcast_ref::<LengthLimitError>().is_some() => {
            Err(BodyError::TooLarge)
        }
        Err(_) => Err(BodyError::Broken),
    }
}

/// The members of a JSON object, or of a form where the content type says so. Nothing at all is an
/// object without members.
pub fn object(headers: &HeaderMap, bytes: &[u8]) -> Result<Map<String, Value>, BodyError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    let map = if kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let pairs = form_urlencoded::parse(bytes);
        pairs.map(|(key, value)| (key.into_owned(), Value::from(value.into_owned()))).collect()
    } else if bytes.iter().all(u8::is_ascii_whitespace) {
        Map::new()
    } else {
        match json(bytes)? {
            Value::Object(map) => map,
            _ => return Err(BodyError::NotObject),
        }
    };
    if map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)) {
        return Err(BodyError::Nul);
    }
    if map.values().any(|value| is_deeper(value, DEEPEST)) {
        return Err(BodyError::NotJson);
    }
    Ok(map)
}

/// Parses JSON, with lone surrogates repaired.
pub fn json(bytes: &[u8]) -> Result<Value, BodyError> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        Err(_) => match repaired(bytes) {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| BodyError::NotJson),
            None => Err(BodyError::NotJson),
        },
    }
}

/// Is there a NUL character somewhere?
pub fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(all) => all.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// The text with every lone surrogate escape turned into `\ufffd`; `None` if there was none.
fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = bytes.to_vec();
    let (mut at, mut changed) = (0, false);
    while at < out.len() {
        if out[at] != b'\\' {
            at += 1;
            continue;
        }
        let Some(unit) = escape(&out, at) else {
            at += 2; // another escape: its second byte is not the start of one
            continue;
        };
        let paired = matches!(unit, 0xD800..=0xDBFF)
            && escape(&out, at + 6).is_some_and(|low| matches!(low, 0xDC00..=0xDFFF));
        if paired {
            at += 12;
            continue;
        }
        if matches!(unit, 0xD800..=0xDFFF) {
            out[at + 2..at + 6].copy_from_slice(b"fffd");
            changed = true;
        }
        at += 6;
    }
    changed.then_some(out)
}

/// The unit of a `\uXXXX` at this place.
fn escape(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{BodyError, json, object};
    use axum::http::HeaderMap;
    use serde_json::json;

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        let cases = [
            (r#"{"a":"x\ud83d"}"#, "x\u{fffd}"),
            (r#"{"a":"\ude00x"}"#, "\u{fffd}x"),
            (r#"{"a":"\ud83d\ud83d\ude00"}"#, "\u{fffd}😀"),
            (r#"{"a":"\\ud83d\ud83d"}"#, "\\ud83d\u{fffd}"),
            (r#"{"a":"\ud83d\n"}"#, "\u{fffd}\n"),
        ];
        for (text, want) in cases {
            assert_eq!(json(text.as_bytes()), Ok(json!({ "a": want })), "{text}");
        }
    }

    #[test]
    fn bad_bodies_are_told_apart() {
        let none = HeaderMap::new();
        assert_eq!(object(&none, b"{"), Err(BodyError::NotJson));
        assert_eq!(object(&none, b"[1]"), Err(BodyError::NotObject));
        assert_eq!(object(&none, br#"{"a":["\u0000"]}"#), Err(BodyError::Nul));
        assert_eq!(object(&none, b" "), Ok(serde_json::Map::new()));
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(40), "]".repeat(40));
        assert_eq!(object(&none, deep.as_bytes()), Err(BodyError::NotJson));
        assert_eq!(object(&none, "[".repeat(100_000).as_bytes()), Err(BodyError::NotJson));
    }
}
