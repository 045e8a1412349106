//! The `fields` parameter: which members of an answer's objects a caller wants, or does not.
//!
//! Names are either all wanted or all unwanted; as in the contract, one wanted name makes the
//! unwanted ones void, except `_id`. Names a caller may never have are kept apart and taken out
//! last, so no way of writing a projection brings them back.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::json;
use crate::path::Path;
use crate::sort::direction;
use crate::value::document;
use crate::{Error, Limits};

/// A projection; the default one changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// The names that are kept; without any, all are.
    wanted: Vec<String>,
    /// The names that are taken out.
    unwanted: Tree,
    /// What `wanted` says, as a tree.
    kept: Tree,
}

/// Dotted names by their first name; a leaf stands for everything below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tree(BTreeMap<String, Option<Tree>>);

impl Fields {
    /// Reads `{"name": 1, "u.username": 1}` or `{"name": 0}`.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, Error> {
        let members = json::object(text, limits).map_err(Error::Fields)?;
        if members.len() > limits.fields {
            return Err(Error::Fields(format!("more than {} names", limits.fields)));
        }
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        for (name, json) in members {
            Path::strict(&name).map_err(Error::Fields)?;
            if wanted.contains(&name) || unwanted.contains(&name) {
                return Err(Error::Fields(format!("{name:?} twice")));
            }
            match direction(&json) {
                Some(1) => wanted.push(name),
                Some(0) => unwanted.push(name),
                _ => return Err(Error::Fields(format!("{name:?} needs 1 or 0"))),
            }
        }
        if !wanted.is_empty() {
            unwanted.retain(|name| name == "_id");
        }
        Ok(Self::new(wanted, Tree::of(&unwanted)))
    }

    fn new(wanted: Vec<String>, unwanted: Tree) -> Self {
        let mut kept = Tree::of(&wanted);
        if !wanted.is_empty() {
            kept.insert("_id");
        }
        Self { wanted, unwanted, kept }
    }

    /// Takes out what a caller may never have: wishes for it are dropped, and should none remain
    /// the projection keeps everything else.
    #[must_use]
    pub fn without(self, removed: &[&str]) -> Self {
        let Self { mut wanted, mut unwanted, .. } = self;
        wanted.retain(|name| {
            let first = name.split('.').next().unwrap_or(name);
            !removed.iter().any(|r| *r == name || *r == first)
        });
        for name in removed {
            unwanted.insert(name);
        }
        Self::new(wanted, unwanted)
    }

    /// Whether this projection changes nothing.
    pub fn is_all(&self) -> bool {
        self.wanted.is_empty() && self.unwanted.0.is_empty()
    }

    /// Whether an object may keep a member of this name: a serialiser can leave the others out.
    pub fn wants(&self, name: &str) -> bool {
        !matches!(self.unwanted.0.get(name), Some(None))
            && (self.wanted.is_empty() || self.kept.0.contains_key(name))
    }

    /// The document with what the projection leaves of it.
    pub fn project(&self, mut doc: Value) -> Value {
        if let Value::Object(map) = &mut doc {
            if !self.wanted.is_empty() {
                self.kept.keep(map);
            }
            self.unwanted.take(map);
        }
        doc
    }
}

impl Tree {
    fn of(names: &[String]) -> Self {
        let mut tree = Self::default();
        for name in names {
            tree.insert(name);
        }
        tree
    }

    /// Adds a dotted name; the broader of two that overlap counts.
    fn insert(&mut self, name: &str) {
        match name.split_once('.') {
            None => drop(self.0.insert(name.to_owned(), None)),
            Some((first, rest)) => {
                let below = self.0.entry(first.to_owned()).or_insert_with(|| Some(Self::default()));
                if let Some(below) = below {
                    below.insert(rest);
                }
            }
        }
    }

    fn keep(&self, map: &mut Map<String, Value>) {
        map.retain(|name, value| match self.0.get(name) {
            None => false,
            Some(None) => true,
            Some(Some(below)) => below.keep_in(value),
        });
    }

    /// Whether anything is left: scalars have no members, so a name inside them keeps nothing.
    fn keep_in(&self, value: &mut Value) -> bool {
        match value {
            Value::Object(map) if document(map).is_some() => self.keep(map),
            Value::Array(items) => items.retain_mut(|item| self.keep_in(item)),
            _ => return false,
        }
        true
    }

    fn take(&self, map: &mut Map<String, Value>) {
        for (name, below) in &self.0 {
            match below {
                None => drop(map.remove(name)),
                Some(below) => map.get_mut(name).into_iter().for_each(|v| below.take_in(v)),
            }
        }
    }

    fn take_in(&self, value: &mut Value) {
        match value {
            Value::Object(map) if document(map).is_some() => self.take(map),
            Value::Array(items) => items.iter_mut().for_each(|item| self.take_in(item)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(text: &str, removed: &[&str]) -> Value {
        let doc = json!({
            "_id": "i", "name": "n", "u": {"_id": "x", "username": "y"}, "at": {"$date": 1},
            "list": [{"a": 1, "b": 2}, 3, [{"a": 4, "b": 5}]], "services": {"password": "s"},
        });
        Fields::parse(text, &Limits::default()).unwrap().without(removed).project(doc)
    }

    #[test]
    fn projections() {
        for (text, expected) in [
            (r#"{"name":1}"#, json!({"_id": "i", "name": "n"})),
            (r#"{"name":1,"_id":0}"#, json!({"name": "n"})),
            (r#"{"name":1,"u":0}"#, json!({"_id": "i", "name": "n"})),
            (r#"{"_id":1}"#, json!({"_id": "i"})),
            (r#"{"u.username":1}"#, json!({"_id": "i", "u": {"username": "y"}})),
            (r#"{"u.username":1,"u":1}"#, json!({"_id": "i", "u": {"_id": "x", "username": "y"}})),
            (r#"{"list.a":1}"#, json!({"_id": "i", "list": [{"a": 1}, [{"a": 4}]]})),
            (r#"{"name.x":1,"at.x":1,"no":1}"#, json!({"_id": "i"})),
        ] {
            assert_eq!(shown(text, &[]), expected, "{text}");
        }
        assert_eq!(
            shown(r#"{"list.a":0,"u":0.0,"_id":0,"services":0,"at":0}"#, &[]),
            json!({"name": "n", "list": [{"b": 2}, 3, [{"b": 5}]]}),
        );
    }

    #[test]
    fn removed_names_never_come_back() {
        for text in [r"{}", r#"{"services":1}"#, r#"{"services.password":1}"#, r#"{"u":0}"#] {
            assert_eq!(shown(text, &["services"]).get("services"), None, "{text}");
            assert_eq!(shown(text, &["services"]).get("name"), Some(&json!("n")), "{text}");
        }
        assert_eq!(
            shown(r#"{"services":1,"name":1}"#, &["services.password"]),
            json!({"_id": "i", "name": "n", "services": {}}),
        );
        assert_eq!(shown(r#"{"u":1,"services":1}"#, &["u"]).get("u"), None);
    }

    #[test]
    fn wishes() {
        let parse = |text| Fields::parse(text, &Limits::default()).unwrap().without(&["services"]);
        let some = parse(r#"{"u.username":1,"services":1}"#);
        assert!(some.wants("u") && some.wants("_id"));
        assert!(!some.wants("name") && !some.wants("services"));
        let most = parse(r#"{"name":0,"u.username":0}"#);
        assert!(most.wants("u") && most.wants("_id"));
        assert!(!most.wants("name") && !most.wants("services"));
    }

    #[test]
    fn errors() {
        for text in [
            "",
            "[]",
            "1",
            r#"{"a":2}"#,
            r#"{"a":true}"#,
            r#"{"a":"1"}"#,
            r#"{"a":{}}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"":1}"#,
            r#"{"a..b":1}"#,
            r#"{"a.$":1}"#,
            r#"{"a":-1}"#,
        ] {
            let found = Fields::parse(text, &Limits::default());
            assert!(matches!(found, Err(Error::Fields(_))), "{text}");
        }
        assert!(Fields::parse("{}", &Limits::default()).unwrap().is_all());
    }
}
