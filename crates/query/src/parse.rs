//! From the text of a `query` parameter to a [`Filter`].
//!
//! Operators are an allow-list: an unknown one is refused wherever it stands. What `MongoDB` refuses
//! is refused here too (empty `$and`, `$in` without an array, `$regex` inside `$in` …), so that a
//! client's mistake never turns into a page of other documents.

use crate::Limits;
use crate::ejson;
use crate::filter::{Filter, Op, Set, Test};
use crate::json::{self, Json};
use crate::kind;
use crate::path::Path;
use crate::pattern::Pattern;
use crate::value::{Num, View};

type Members = [(String, Json)];

/// Names that are never data, whatever the client's language makes of them.
const FORBIDDEN: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// Reads a filter; `only` names the operators that it may use, if not all.
pub(crate) fn filter(text: &str, limits: &Limits, only: Option<&[&str]>) -> Result<Filter, String> {
    let members = json::object(text, limits)?;
    Parser { limits, only, nodes: 0, values: 0, patterns: 0 }.document(&members, "")
}

struct Parser<'l> {
    limits: &'l Limits,
    only: Option<&'l [&'l str]>,
    nodes: usize,
    values: usize,
    patterns: usize,
}

impl Parser<'_> {
    /// Conditions on a document: paths and logical operators.
    fn document(&mut self, members: &Members, parent: &str) -> Result<Filter, String> {
        let mut parts = Vec::new();
        for (key, json) in members {
            self.node()?;
            self.allowed(key)?;
            match key.as_str() {
                "$and" => parts.push(Filter::every(self.list(key, json, parent)?)),
                "$or" => parts.push(Filter::Or(self.list(key, json, parent)?)),
                "$nor" => parts.push(Filter::Or(self.list(key, json, parent)?).negated()),
                "$comment" => comment(json)?,
                _ if key.starts_with('$') => return Err(format!("unknown operator {key}")),
                _ if parent.is_empty() && FORBIDDEN.contains(&key.as_str()) => {
                    return Err(format!("{key} is not a field"));
                }
                _ => parts.push(self.field(&Path::within(parent, key)?, json)?),
            }
        }
        Ok(Filter::every(parts))
    }

    fn list(&mut self, key: &str, json: &Json, parent: &str) -> Result<Vec<Filter>, String> {
        let items = array(key, json)?;
        if items.is_empty() {
            return Err(format!("{key} needs at least one filter"));
        }
        let each = items.iter().map(|item| match item {
            Json::Object(members) => self.document(members, parent),
            other => Err(format!("{key} needs objects, not {}", other.name())),
        });
        each.collect()
    }

    /// One path: operators, or a value it must equal.
    fn field(&mut self, path: &Path, json: &Json) -> Result<Filter, String> {
        match json {
            Json::Object(members) if is_operators(members) => self.tests(path, members),
            _ => Ok(self.equal(path, json)?),
        }
    }

    fn tests(&mut self, path: &Path, members: &Members) -> Result<Filter, String> {
        let mut parts = Vec::new();
        for (key, json) in members {
            self.node()?;
            self.allowed(key)?;
            if let Some(part) = self.test(path, key, json, members)? {
                parts.push(part);
            }
        }
        Ok(Filter::every(parts))
    }

    fn test(
        &mut self,
        path: &Path,
        key: &str,
        json: &Json,
        all: &Members,
    ) -> Result<Option<Filter>, String> {
        let on = |test| Filter::Field { path: path.clone(), test };
        Ok(Some(match key {
            "$eq" => self.compare(path, Op::Eq, json)?,
            "$ne" => self.compare(path, Op::Eq, json)?.negated(),
            "$gt" => self.compare(path, Op::Gt, json)?,
            "$gte" => self.compare(path, Op::Gte, json)?,
            "$lt" => self.compare(path, Op::Lt, json)?,
            "$lte" => self.compare(path, Op::Lte, json)?,
            "$in" => on(Test::In(self.set(key, json)?)),
            "$nin" => on(Test::In(self.set(key, json)?)).negated(),
            "$exists" if truthy(json)? => on(Test::Exists),
            "$exists" => on(Test::Exists).negated(),
            "$type" => on(Test::Type(kind::parse(json)?)),
            "$regex" => on(Test::Regex(self.regex(json, all)?)),
            "$options" if all.iter().any(|(k, _)| k == "$regex") => return Ok(None),
            "$not" => self.not(path, json)?,
            "$all" => self.all(path, json)?,
            "$elemMatch" => on(self.element(path, json)?),
            "$size" => on(Test::Size(size(json)?)),
            "$mod" => modulo(json).map(|(d, r)| on(Test::Mod(d, r)))?,
            _ => return Err(format!("unknown operator {key}")),
        }))
    }

    /// Equality with a value, or a match of a regular expression written as one.
    fn equal(&mut self, path: &Path, json: &Json) -> Result<Filter, String> {
        match ejson::pattern(json)? {
            Some((source, flags)) => {
                let test = Test::Regex(self.pattern(source, flags)?);
                Ok(Filter::Field { path: path.clone(), test })
            }
            None => self.compare(path, Op::Eq, json),
        }
    }

    /// A comparison; the items of an array count as values.
    fn compare(&mut self, path: &Path, op: Op, json: &Json) -> Result<Filter, String> {
        if let Json::Array(items) = json {
            items.iter().try_for_each(|_| self.value())?;
        }
        compare(path, op, json)
    }

    fn set(&mut self, key: &str, json: &Json) -> Result<Set, String> {
        let (mut values, mut patterns) = (Vec::new(), Vec::new());
        for item in array(key, json)? {
            self.value()?;
            match ejson::pattern(item)? {
                Some((text, flags)) => patterns.push(self.pattern(text, flags)?),
                None => values.push(ejson::value(item)?),
            }
        }
        Ok(Set::new(values, patterns))
    }

    fn regex(&mut self, json: &Json, all: &Members) -> Result<Pattern, String> {
        let count = |name: &str| all.iter().filter(|(k, _)| k == name).count();
        if count("$regex") > 1 || count("$options") > 1 {
            return Err("$regex or $options twice".to_owned());
        }
        let options = match all.iter().find(|(k, _)| k == "$options") {
            Some((_, Json::Text(flags))) => Some(flags.as_str()),
            Some(_) => return Err("$options needs a string".to_owned()),
            None => None,
        };
        match (json, ejson::pattern(json)?) {
            (Json::Text(text), _) => self.pattern(text, options.unwrap_or("")),
            (_, Some((_, flags))) if options.is_some() && !flags.is_empty() => {
                Err("options twice: in the expression and in $options".to_owned())
            }
            (_, Some((text, flags))) => self.pattern(text, options.unwrap_or(flags)),
            _ => Err("$regex needs a string".to_owned()),
        }
    }

    fn not(&mut self, path: &Path, json: &Json) -> Result<Filter, String> {
        if let Some((text, flags)) = ejson::pattern(json)? {
            let test = Test::Regex(self.pattern(text, flags)?);
            return Ok(Filter::Field { path: path.clone(), test }.negated());
        }
        match json {
            Json::Object(members) if is_operators(members) => {
                Ok(self.tests(path, members)?.negated())
            }
            _ => Err("$not needs operators or a regular expression".to_owned()),
        }
    }

    fn all(&mut self, path: &Path, json: &Json) -> Result<Filter, String> {
        let items = array("$all", json)?;
        let is_element = |item: &Json| matches!(item, Json::Object(m) if m.first().is_some_and(|(k, _)| k == "$elemMatch"));
        let elements = items.iter().filter(|item| is_element(item)).count();
        if elements > 0 && elements < items.len() {
            return Err("$all mixes $elemMatch with values".to_owned());
        }
        let mut parts = Vec::new();
        for item in items {
            self.value()?;
            self.node()?;
            parts.push(match item {
                Json::Object(members) if elements > 0 => match members.as_slice() {
                    [(_, inner)] => {
                        self.node()?;
                        Filter::Field { path: path.clone(), test: self.element(path, inner)? }
                    }
                    _ => return Err("$elemMatch in $all stands alone".to_owned()),
                },
                _ => self.equal(path, item)?,
            });
        }
        Ok(if parts.is_empty() { Filter::none() } else { Filter::every(parts) })
    }

    fn element(&mut self, path: &Path, json: &Json) -> Result<Test, String> {
        let Json::Object(members) = json else {
            return Err(format!("$elemMatch needs an object, not {}", json.name()));
        };
        let logical = |key: &str| matches!(key, "$and" | "$or" | "$nor" | "$comment");
        match members.first() {
            Some((key, _)) if key.starts_with('$') && !logical(key) => {
                let inner = self.tests(&Path::element(path.as_str()), members)?;
                Ok(Test::Element(Box::new(inner)))
            }
            _ => Ok(Test::Document(Box::new(self.document(members, path.as_str())?))),
        }
    }

    fn pattern(&mut self, text: &str, flags: &str) -> Result<Pattern, String> {
        self.patterns += 1;
        if self.patterns > self.limits.regexes {
            return Err(format!("more than {} regular expressions", self.limits.regexes));
        }
        Pattern::new(text, flags, self.limits)
    }

    fn allowed(&self, key: &str) -> Result<(), String> {
        match self.only {
            Some(only) if key.starts_with('$') && !only.contains(&key) => {
                Err(format!("{key} is not allowed here"))
            }
            _ => Ok(()),
        }
    }

    fn node(&mut self) -> Result<(), String> {
        self.nodes += 1;
        let over = self.nodes > self.limits.nodes;
        if over { Err(format!("more than {} conditions", self.limits.nodes)) } else { Ok(()) }
    }

    fn value(&mut self) -> Result<(), String> {
        self.values += 1;
        let over = self.values > self.limits.in_values;
        if over { Err(format!("more than {} values", self.limits.in_values)) } else { Ok(()) }
    }
}

/// Whether an object is operators rather than a value: its first key says so, as in `MongoDB`.
fn is_operators(members: &Members) -> bool {
    members.first().is_some_and(|(key, _)| key.starts_with('$')) && !ejson::is_wrapper(members)
}

fn comment(json: &Json) -> Result<(), String> {
    match json {
        Json::Text(_) => Ok(()),
        other => Err(format!("$comment needs a string, not {}", other.name())),
    }
}

fn array<'j>(key: &str, json: &'j Json) -> Result<&'j [Json], String> {
    match json {
        Json::Array(items) => Ok(items),
        other => Err(format!("{key} needs an array, not {}", other.name())),
    }
}

/// A comparison; no document holds a "not a number", so one with it is never true.
fn compare(path: &Path, op: Op, json: &Json) -> Result<Filter, String> {
    let value = ejson::value(json)?;
    if matches!(View::of(&value), View::Number(n) if n.is_nan()) {
        return Ok(Filter::none());
    }
    Ok(Filter::Field { path: path.clone(), test: Test::Compare(op, value) })
}

/// `MongoDB`'s truth: everything but false, null and zero.
fn truthy(json: &Json) -> Result<bool, String> {
    let value = ejson::value(json)?;
    Ok(match View::of(&value) {
        View::Null | View::Bool(false) => false,
        View::Number(n) => n.order(Num::Int(0)).is_ne(),
        _ => true,
    })
}

pub(crate) fn number(json: &Json) -> Result<Option<Num>, String> {
    let value = ejson::value(json)?;
    Ok(match View::of(&value) {
        View::Number(n) => Some(n),
        _ => None,
    })
}

fn size(json: &Json) -> Result<u64, String> {
    let found = number(json)?.and_then(|n| {
        let whole = n.whole()?;
        let exact = n.order(Num::Int(whole.into())).is_eq();
        if exact { u64::try_from(whole).ok() } else { None }
    });
    found.ok_or_else(|| "$size needs a whole number of at least 0".to_owned())
}

fn modulo(json: &Json) -> Result<(i64, i64), String> {
    let bad = || "$mod needs a divisor that is not 0 and a remainder".to_owned();
    let Json::Array(items) = json else {
        return Err(bad());
    };
    let [divisor, remainder] = items.as_slice() else {
        return Err(bad());
    };
    let whole = |json| number(json).map(|n| n.and_then(Num::whole));
    match (whole(divisor)?, whole(remainder)?) {
        (Some(d), Some(r)) if d != 0 => Ok((d, r)),
        _ => Err(bad()),
    }
}
