//! JSON out, written straight into text: stored fragments are spliced as they are, never parsed and
//! printed again, which is most of what an answer costs (house rule 8).

use parlance_core::{Ms, time};

/// How a time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    /// `"2023-01-25T02:00:18.095Z"`: REST on both faces.
    Iso,
    /// `{"$date":1674612018095}`: EJSON, for filters and the socket.
    Ejson,
}

/// An object being written. Call [`Object::end`] last.
pub struct Object<'a> {
    out: &'a mut String,
    dates: Dates,
    first: bool,
}

impl<'a> Object<'a> {
    /// Opens an object at the end of `out`.
    pub fn new(out: &'a mut String, dates: Dates) -> Self {
        out.push('{');
        Self { out, dates, first: true }
    }

    /// Goes on with an object that has members already.
    pub fn resume(out: &'a mut String, dates: Dates) -> Self {
        Self { out, dates, first: false }
    }

    /// Writes a key; what is appended to the returned text must be one JSON value.
    pub fn key(&mut self, key: &str) -> &mut String {
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        text(self.out, key);
        self.out.push(':');
        self.out
    }

    /// A text.
    pub fn text(&mut self, key: &str, value: &str) {
        text(self.key(key), value);
    }

    /// A text, if there is one.
    pub fn text_if(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    /// A whole number.
    pub fn number(&mut self, key: &str, value: i64) {
        let out = self.key(key);
        out.push_str(&value.to_string());
    }

    /// A flag.
    pub fn flag(&mut self, key: &str, value: bool) {
        self.key(key).push_str(if value { "true" } else { "false" });
    }

    /// A time.
    pub fn date(&mut self, key: &str, ms: Ms) {
        let dates = self.dates;
        date(self.key(key), ms, dates);
    }

    /// A time, if there is one.
    pub fn date_if(&mut self, key: &str, ms: Option<Ms>) {
        if let Some(ms) = ms {
            self.date(key, ms);
        }
    }

    /// Stored JSON, as it is.
    pub fn raw(&mut self, key: &str, json: &str) {
        self.key(key).push_str(json);
    }

    /// Stored JSON, if there is any.
    pub fn raw_if(&mut self, key: &str, json: Option<&str>) {
        if let Some(json) = json {
            self.raw(key, json);
        }
    }

    /// The members of a stored object, spliced in as they are.
    pub fn members(&mut self, object: &str) {
        let inner = object.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let Some(inner) = inner.map(str::trim).filter(|inner| !inner.is_empty()) else {
            return;
        };
        if !self.first {
            self.out.push(',');
        }
        self.first = false;
        self.out.push_str(inner);
    }

    /// An array, one element per item, each written by `write`.
    pub fn array<T>(
        &mut self,
        key: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut String, T),
    ) {
        let out = self.key(key);
        out.push('[');
        for (n, item) in items.into_iter().enumerate() {
            if n > 0 {
                out.push(',');
            }
            write(out, item);
        }
        out.push(']');
    }

    /// An object inside this one.
    pub fn object(&mut self, key: &str, write: impl FnOnce(&mut Object<'_>)) {
        let dates = self.dates;
        let mut inner = Object::new(self.key(key), dates);
        write(&mut inner);
        inner.end();
    }

    /// Closes the object.
    pub fn end(self) {
        self.out.push('}');
    }
}

/// Appends a time.
pub fn date(out: &mut String, ms: Ms, dates: Dates) {
    match dates {
        Dates::Iso => {
            out.push('"');
            time::write_iso(out, ms);
            out.push('"');
        }
        Dates::Ejson => {
            out.push_str("{\"$date\":");
            out.push_str(&ms.to_string());
            out.push('}');
        }
    }
}

/// The bytes that JSON does not take as they are.
const ESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Appends a text in quotes, escaped.
pub fn text(out: &mut String, value: &str) {
    out.push('"');
    let (bytes, mut from) = (value.as_bytes(), 0);
    // Most texts have nothing to escape: find the next byte that does, copy up to it at once.
    while let Some(next) = bytes[from..].iter().position(|byte| ESCAPED[usize::from(*byte)]) {
        let (at, byte) = (from + next, bytes[from + next]);
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            _ => "",
        };
        out.push_str(&value[from..at]);
        if escape.is_empty() {
            out.push_str("\\u00");
            out.push(char::from(b"0123456789abcdef"[usize::from(byte >> 4)]));
            out.push(char::from(b"0123456789abcdef"[usize::from(byte & 15)]));
        } else {
            out.push_str(escape);
        }
        from = at + 1;
    }
    out.push_str(&value[from..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{Dates, Object, text};

    #[test]
    fn text_is_escaped_as_serde_does() {
        for value in ["", "plain", "a\"b\\c\n\t\r\u{8}\u{c}\u{1}\u{1f}é😀\u{7f}"] {
            let mut out = String::new();
            text(&mut out, value);
            assert_eq!(out, serde_json::Value::from(value).to_string());
        }
    }

    #[test]
    fn members_are_spliced() {
        let mut out = String::new();
        let mut object = Object::new(&mut out, Dates::Iso);
        object.members("{}");
        object.members(r#"{"a":1,"b":[]}"#);
        object.date("c", 0);
        object.object("d", |d| d.flag("e", true));
        object.end();
        assert_eq!(out, r#"{"a":1,"b":[],"c":"1970-01-01T00:00:00.000Z","d":{"e":true}}"#);
    }
}
