//! Dotted paths, split once, and the walk from a document to the values a path names.
//!
//! The walk is `MongoDB`'s: an array in the middle is entered element by element, an array at the
//! end offers its elements and then itself, and a number is both an index and a member name.
//! "Missing" is a value of its own (`None`), because null and `$exists` tell it apart.

use serde_json::{Map, Value};

use crate::value::document;

/// More segments than any document here has levels.
const SEGMENTS: usize = 32;

/// A dotted path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    full: Box<str>,
    segments: Box<[Segment]>,
}

/// One name of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    pub(crate) name: Box<str>,
    pub(crate) index: Option<usize>,
}

impl Path {
    /// Splits a path of a filter: `parent` is where an `$elemMatch` around it looks.
    pub(crate) fn within(parent: &str, text: &str) -> Result<Self, String> {
        let segments: Box<[Segment]> = text.split('.').map(Segment::new).collect();
        if segments.len() > SEGMENTS {
            return Err(format!("a path of more than {SEGMENTS} names"));
        }
        if let Some(bad) = segments.iter().find(|s| s.name.starts_with('$')) {
            return Err(format!("a path must not name {}", bad.name));
        }
        if text.contains('\0') {
            return Err("a path must not contain U+0000".to_owned());
        }
        let full = if parent.is_empty() { text.into() } else { format!("{parent}.{text}").into() };
        Ok(Self { full, segments })
    }

    /// Splits a path that must not have empty names: those of sorts and projections.
    pub(crate) fn strict(text: &str) -> Result<Self, String> {
        let path = Self::within("", text)?;
        if path.segments.iter().any(|s| s.name.is_empty()) {
            return Err(format!("{text:?} has an empty name"));
        }
        Ok(path)
    }

    /// The element that a value-`$elemMatch` looks at.
    pub(crate) fn element(parent: &str) -> Self {
        Self { full: parent.into(), segments: Box::default() }
    }

    /// The path from the document's root.
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// Whether `test` accepts any of the values this path names; `spread` offers the elements of
    /// an array at the end as well.
    pub(crate) fn any<F>(&self, root: &Value, spread: bool, test: &mut F) -> bool
    where
        F: FnMut(Option<&Value>) -> bool,
    {
        if self.segments.is_empty() {
            return test(Some(root));
        }
        descend(root, &self.segments, spread, test)
    }
}

impl Segment {
    pub(crate) fn new(name: &str) -> Self {
        let canonical =
            name == "0" || (!name.starts_with('0') && name.bytes().all(|b| b.is_ascii_digit()));
        let index = if canonical { name.parse().ok() } else { None };
        Self { name: name.into(), index }
    }
}

/// The member of a document; a wrapped scalar has none.
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    get(document(value.as_object()?)?, name)
}

/// Above this a map is searched as the tree it is.
const FEW: usize = 24;

/// The member of a map. Most documents have few, and a walk that compares lengths first reads none
/// of the other names; a search by order would read about half of them.
fn get<'v>(map: &'v Map<String, Value>, name: &str) -> Option<&'v Value> {
    if map.len() > FEW {
        return map.get(name);
    }
    map.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn descend<F>(root: &Value, path: &[Segment], spread: bool, test: &mut F) -> bool
where
    F: FnMut(Option<&Value>) -> bool,
{
    let mut at = root;
    let mut rest = path;
    while let Some((segment, tail)) = rest.split_first() {
        let next = match at {
            // Only the root can be an array here: an element that `$elemMatch` entered.
            Value::Array(items) => segment.index.and_then(|i| items.get(i)),
            other => member(other, &segment.name),
        };
        let Some(next) = next else { return test(None) };
        if let Value::Array(items) = next {
            return enter(next, items, tail, spread, test);
        }
        at = next;
        rest = tail;
    }
    test(Some(at))
}

fn enter<F>(array: &Value, items: &[Value], path: &[Segment], spread: bool, test: &mut F) -> bool
where
    F: FnMut(Option<&Value>) -> bool,
{
    let Some((segment, tail)) = path.split_first() else {
        return (spread && items.iter().any(|item| test(Some(item)))) || test(Some(array));
    };
    items.iter().enumerate().any(|(i, item)| {
        let named = segment.index == Some(i);
        match item {
            Value::Object(map) if document(map).is_some() => {
                descend(item, path, spread, test)
                    || (named && tail.is_empty() && test(Some(item)))
                    || (named && !tail.is_empty() && descend(item, tail, spread, test))
            }
            _ if !named => false,
            _ if tail.is_empty() => test(Some(item)),
            Value::Array(inner) => enter(item, inner, tail, spread, test),
            _ => false,
        }
    })
}
