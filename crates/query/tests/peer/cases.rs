//! Random filters, sorts and projections over a set of documents.
//!
//! Most operands are taken from the documents themselves, at the path they are compared with, so
//! that a filter divides its set. Dates and numbers wear one of their Extended JSON forms.

use serde_json::{Map, Number, Value, json};

use crate::chance::Chance;
use crate::documents::{Shape, anything, scalar};

/// One question that all readers answer.
#[derive(Debug, Clone)]
pub(crate) enum Case {
    Filter(Value),
    Sort(Vec<(String, i8)>),
    Fields(Value),
}

/// What cases are made over.
pub(crate) struct Over<'d> {
    pub(crate) shape: Shape,
    pub(crate) docs: &'d [Value],
}

impl Over<'_> {
    pub(crate) fn case(&self, chance: &mut Chance) -> Case {
        match chance.below(10) {
            0 => Case::Sort(self.sort(chance)),
            1 => Case::Fields(self.fields(chance)),
            _ => Case::Filter(self.filter(chance, 2)),
        }
    }

    fn sort(&self, chance: &mut Chance) -> Vec<(String, i8)> {
        let mut keys: Vec<(String, i8)> = Vec::new();
        for _ in 0..chance.below(4) {
            let path = *chance.pick(self.shape.paths());
            if keys.iter().all(|(old, _)| old != path) {
                keys.push((path.to_owned(), if chance.hit(50) { 1 } else { -1 }));
            }
        }
        keys
    }

    /// Names of one kind, none inside another, which mingo and MongoDB refuse.
    fn fields(&self, chance: &mut Chance) -> Value {
        let inside = |a: &str, b: &str| a == b || b.starts_with(&format!("{a}."));
        let value = if chance.hit(60) { json!(1) } else { json!(0) };
        let mut map = Map::new();
        for _ in 0..chance.below(5) {
            let path = *chance.pick(self.shape.paths());
            if path != "_id" && !map.keys().any(|old| inside(old, path) || inside(path, old)) {
                map.insert(path.to_owned(), value.clone());
            }
        }
        if chance.hit(25) {
            map.insert("_id".to_owned(), if chance.hit(70) { json!(0) } else { value });
        }
        Value::Object(map)
    }

    fn filter(&self, chance: &mut Chance, levels: usize) -> Value {
        let mut map = Map::new();
        if levels > 0 && chance.hit(25) {
            let word = *chance.pick(&["$and", "$or", "$or", "$nor"]);
            let parts = (0..=chance.below(3)).map(|_| self.filter(chance, levels - 1));
            map.insert(word.to_owned(), parts.collect());
        }
        if map.is_empty() || chance.hit(20) {
            let path = *chance.pick(self.shape.paths());
            map.insert(path.to_owned(), self.condition(chance, path));
        }
        if chance.hit(10) {
            let path = *chance.pick(self.shape.paths());
            map.insert(path.to_owned(), self.condition(chance, path));
        }
        if chance.hit(1) {
            map.insert("$comment".to_owned(), json!("why"));
        }
        Value::Object(map)
    }

    fn condition(&self, chance: &mut Chance, path: &str) -> Value {
        if chance.hit(20) {
            let value = if chance.hit(5) { pattern(chance) } else { self.operand(chance, path) };
            return value;
        }
        let mut tests = self.tests(chance, path);
        if chance.hit(10) {
            tests.append(&mut self.tests(chance, path));
        }
        let tests = Value::Object(tests);
        if !chance.hit(12) {
            return tests;
        }
        json!({"$not": if chance.hit(10) { pattern(chance) } else { tests }})
    }

    fn tests(&self, chance: &mut Chance, path: &str) -> Map<String, Value> {
        let (word, operand) = match chance.below(24) {
            0..=1 => ("$eq", self.operand(chance, path)),
            2..=3 => ("$ne", self.operand(chance, path)),
            4..=5 => ("$gt", self.operand(chance, path)),
            6..=7 => ("$gte", self.operand(chance, path)),
            8..=9 => ("$lt", self.operand(chance, path)),
            10..=11 => ("$lte", self.operand(chance, path)),
            12..=13 => ("$in", self.list(chance, path, true)),
            14 => ("$nin", self.list(chance, path, true)),
            15 => {
                ("$exists", chance.pick(&[json!(true), json!(false), json!(1), json!(0)]).clone())
            }
            16 => ("$type", kinds(chance)),
            17..=18 => {
                let mut map = Map::new();
                map.insert("$regex".to_owned(), (*chance.pick(PATTERNS)).into());
                if chance.hit(40) {
                    map.insert("$options".to_owned(), (*chance.pick(OPTIONS)).into());
                }
                return map;
            }
            19..=20 => ("$all", self.all(chance, path)),
            21 => ("$size", chance.below(4).into()),
            22 => {
                let divisor = chance.pick(&[json!(2), json!(4), json!(-3), json!(3.0)]).clone();
                ("$mod", json!([divisor, chance.pick(&[0, 0, 1, -1])]))
            }
            _ => ("$elemMatch", self.element(chance, path)),
        };
        Map::from_iter([(word.to_owned(), operand)])
    }

    fn list(&self, chance: &mut Chance, path: &str, patterns: bool) -> Value {
        let items = (0..chance.below(4)).map(|_| {
            if patterns && chance.hit(5) { pattern(chance) } else { self.operand(chance, path) }
        });
        items.collect()
    }

    fn all(&self, chance: &mut Chance, path: &str) -> Value {
        if chance.hit(75) {
            return self.list(chance, path, true);
        }
        (0..=chance.below(2)).map(|_| json!({"$elemMatch": self.element(chance, path)})).collect()
    }

    fn element(&self, chance: &mut Chance, path: &str) -> Value {
        if chance.hit(50) {
            return Value::Object(self.tests(chance, path));
        }
        let name = *chance.pick(&["_id", "username", "url", "a", "b", "b.c", "0"]);
        let below = format!("{path}.{name}");
        let mut map = Map::new();
        map.insert(name.to_owned(), self.condition(chance, &below));
        if chance.hit(15) {
            map = Map::from_iter([("$or".to_owned(), json!([map, {"a": scalar(chance)}]))]);
        }
        Value::Object(map)
    }

    /// A value to compare with.
    fn operand(&self, chance: &mut Chance, path: &str) -> Value {
        let taken = if chance.hit(65) { reach(chance, self.docs, path) } else { None };
        let value = match taken {
            Some(Value::Number(n)) if chance.hit(20) => beside(chance, &n),
            Some(value) => value,
            None if chance.hit(10) => Value::Null,
            None if chance.hit(20) => anything(chance, 2),
            None => scalar(chance),
        };
        dressed(chance, value)
    }
}

/// A value at a path of some document, any element of an array on the way.
fn reach(chance: &mut Chance, docs: &[Value], path: &str) -> Option<Value> {
    let mut at = chance.pick(docs);
    for name in path.split('.') {
        let mut taken = false;
        while let (Value::Array(items), false) = (at, taken) {
            let named = name.parse::<usize>().ok().and_then(|i| items.get(i));
            taken = named.is_some();
            at = match named {
                Some(item) => item,
                None if items.is_empty() => return None,
                None => chance.pick(items),
            };
        }
        if !taken {
            at = at.get(name)?;
        }
    }
    match at {
        Value::Array(items) if !items.is_empty() && chance.hit(80) => {
            Some(chance.pick(items).clone())
        }
        other => Some(other.clone()),
    }
}

/// A number a half away, or one.
fn beside(chance: &mut Chance, n: &Number) -> Value {
    let step = *chance.pick(&[0.5, -0.5, 1.0, -1.0]);
    n.as_f64().map(|f| f + step).into()
}

/// The same value in a form of Extended JSON, sometimes.
fn dressed(chance: &mut Chance, value: Value) -> Value {
    match &value {
        Value::Object(map) if map.contains_key("$date") => match value["$date"].as_i64() {
            Some(1_795_161_600_000) => json!({"$date": "2026-11-20T08:00:00Z"}),
            Some(1_795_161_601_500) => json!({"$date": "2026-11-20T09:00:01.5+01:00"}),
            Some(ms) if chance.hit(30) => json!({"$date": {"$numberLong": ms.to_string()}}),
            _ => value,
        },
        Value::Number(n) if chance.hit(10) => match n.as_i64() {
            Some(i) if i32::try_from(i).is_ok() => json!({"$numberInt": i.to_string()}),
            Some(i) => json!({"$numberLong": i.to_string()}),
            None => json!({"$numberDouble": n.to_string()}),
        },
        Value::String(text) if chance.hit(5) => json!({ "$oid": text }),
        _ => value,
    }
}

const PATTERNS: &[&str] = &[
    "a",
    "^a",
    "b$",
    "^$",
    "o w",
    "[a-c]",
    "h.llo",
    "(a|b)",
    "l{2}",
    "é",
    "É",
    "привет",
    "^П",
    r"\d",
    r"^\w+$",
    r"\s",
    "日",
    "^.$",
    "^b",
    "",
    "[^a]",
];

const OPTIONS: &[&str] = &["", "i", "i", "m", "s", "im"];

fn pattern(chance: &mut Chance) -> Value {
    let options = *chance.pick(OPTIONS);
    json!({"$regularExpression": {"pattern": chance.pick(PATTERNS), "options": options}})
}

fn kinds(chance: &mut Chance) -> Value {
    let one = |chance: &mut Chance| {
        chance
            .pick(&[
                json!("string"),
                json!("number"),
                json!("number"),
                json!("int"),
                json!("long"),
                json!("double"),
                json!("decimal"),
                json!("bool"),
                json!("date"),
                json!("array"),
                json!("object"),
                json!("null"),
                json!("undefined"),
                json!("regex"),
                json!("objectId"),
                json!(1),
                json!(2),
                json!(3),
                json!(4),
                json!(8),
                json!(9),
                json!(10),
                json!(16),
                json!(18),
            ])
            .clone()
    };
    if chance.hit(25) { json!([one(chance), one(chance)]) } else { one(chance) }
}
