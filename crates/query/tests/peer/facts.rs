//! What a path meets on its way through a document, as far as mingo goes another way than MongoDB.
//!
//! A walk of its own, not the crate's: what excuses a difference must not share its mistakes.

use serde_json::Value;

/// What was met.
#[derive(Debug, Default)]
pub(crate) struct Facts<'d> {
    /// Arrays that were entered element by element.
    pub(crate) entered: usize,
    /// An element of one has no more of the path.
    pub(crate) hole: bool,
    /// The path ends early: at a position that an array does not have, or at a scalar there.
    pub(crate) beyond: bool,
    /// A number was asked of an array.
    pub(crate) numbered: bool,
    /// An element of an entered array is an array.
    pub(crate) nested: bool,
    /// A number was a position of an array, one of whose documents has a member of that name.
    pub(crate) member: bool,
    /// A number was a position of an array that has documents without a member of that name.
    pub(crate) without: bool,
    /// A number that is a position to one reader only, as `00`.
    pub(crate) odd_number: bool,
    /// The last name was the position of an array in an array.
    pub(crate) ends_at_position: bool,
    /// What is at the end.
    pub(crate) ends: Vec<&'d Value>,
}

impl<'d> Facts<'d> {
    pub(crate) fn of(doc: &'d Value, path: &str) -> Self {
        let names: Vec<&str> = path.split('.').collect();
        let mut facts = Self::default();
        facts.walk(doc, &names);
        facts
    }

    fn walk(&mut self, at: &'d Value, names: &[&str]) {
        let Some((name, rest)) = names.split_first() else {
            self.ends.push(at);
            return;
        };
        match at {
            Value::Array(items) if is_number(name) => self.position(items, name, rest),
            Value::Array(items) => {
                self.entered += 1;
                self.hole |= items.is_empty();
                for item in items {
                    match item {
                        Value::Array(_) => self.nested = true,
                        item if is_document(item) => self.walk(item, names),
                        _ => self.hole = true,
                    }
                }
            }
            at if is_document(at) => match at.get(name) {
                Some(inner) => self.walk(inner, rest),
                None => self.hole |= self.entered > 0,
            },
            _ => self.hole |= self.entered > 0,
        }
    }

    fn position(&mut self, items: &'d [Value], name: &str, rest: &[&str]) {
        self.numbered = true;
        self.odd_number |= name.len() > 1 && name.starts_with('0');
        for item in items.iter().filter(|item| is_document(item)) {
            self.member |= item.get(name).is_some();
            self.without |= item.get(name).is_none();
        }
        match name.parse::<usize>().ok().and_then(|i| items.get(i)) {
            None => self.beyond = true,
            Some(item) => {
                self.beyond |= !rest.is_empty() && !item.is_array() && !is_document(item);
                self.ends_at_position |= rest.is_empty() && item.is_array();
                self.walk(item, rest);
            }
        }
    }

    /// What is at the end, and what is in the arrays there.
    pub(crate) fn values(&self) -> impl Iterator<Item = &'d Value> {
        let elements = self.ends.iter().filter_map(|end| end.as_array()).flatten();
        self.ends.iter().copied().chain(elements)
    }

    pub(crate) fn any_end(&self, test: impl Fn(&Value) -> bool) -> bool {
        self.ends.iter().any(|end| test(end))
    }

    pub(crate) fn any_value(&self, test: impl Fn(&Value) -> bool) -> bool {
        self.values().any(test)
    }
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
}

/// An object that is not a date.
pub(crate) fn is_document(value: &Value) -> bool {
    value.is_object() && !is_date(value)
}

pub(crate) fn is_date(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.len() == 1 && map.contains_key("$date"))
}

/// Whether a number inside a value is one that JavaScript cannot hold.
pub(crate) fn imprecise(value: &Value) -> bool {
    match value {
        Value::Number(n) => n.as_f64().is_some_and(|f| f.abs() > 9_007_199_254_740_991.0),
        Value::Array(items) => items.iter().any(imprecise),
        Value::Object(map) => map.values().any(imprecise),
        _ => false,
    }
}

/// Whether UTF-16 orders two texts in a value and an operand otherwise than UTF-8.
pub(crate) fn units_differ(value: &Value, operand: &Value) -> bool {
    match (value, operand) {
        (Value::String(a), Value::String(b)) => {
            a.encode_utf16().cmp(b.encode_utf16()) != a.as_bytes().cmp(b.as_bytes())
        }
        _ => false,
    }
}
