//! The known differences of mingo from MongoDB, each as narrow as it could be made.
//!
//! Where mingo disagrees about a filter and a document, the filter is judged once more, leaf by
//! leaf: a leaf that a known difference touches may say either, the others say what the matcher
//! says. Only if the whole is then undecided is the disagreement excused. The README beside this
//! says for each difference what MongoDB does.

use std::collections::BTreeSet;

use parlance_query::Filter;
use serde_json::{Value, json};

use crate::facts::{Facts, imprecise, is_date, is_document, units_differ};

/// The names of the differences that played a part.
pub(crate) type Found = BTreeSet<&'static str>;

/// What a filter says of a document; `None` if known differences decide.
pub(crate) fn judge(filter: &Value, doc: &Value, found: &mut Found) -> Option<bool> {
    let parts = filter.as_object().into_iter().flatten().map(|(key, value)| {
        let parts = || value.as_array().into_iter().flatten();
        match key.as_str() {
            "$comment" => Some(true),
            "$and" => all(parts().map(|f| judge(f, doc, found))),
            "$or" => any(parts().map(|f| judge(f, doc, found))),
            "$nor" => any(parts().map(|f| judge(f, doc, found))).map(|truth| !truth),
            path => field(path, value, doc, found),
        }
    });
    all(parts)
}

/// True if all are, false if one is; otherwise undecided.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    // All of them are looked at, so that each difference is found.
    let parts: Vec<_> = parts.collect();
    if parts.contains(&Some(false)) {
        Some(false)
    } else if parts.contains(&None) {
        None
    } else {
        Some(true)
    }
}

fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(parts.map(|part| part.map(|truth| !truth))).map(|truth| !truth)
}

fn field(path: &str, value: &Value, doc: &Value, found: &mut Found) -> Option<bool> {
    let operators = value.as_object().filter(|map| {
        map.keys().any(|key| key.starts_with('$')) && !map.keys().any(|key| is_form(key))
    });
    let Some(operators) = operators else {
        let word = if is_pattern(value) { "$regex" } else { "$eq" };
        return leaf(path, word, value, value, doc, found);
    };
    let parts =
        operators.iter().filter(|(word, _)| *word != "$options").map(|(word, operand)| match word
            .as_str()
        {
            "$not" => field(path, operand, doc, found).map(|truth| !truth),
            "$elemMatch" => element(path, operand, doc, found),
            "$all" if operand[0].get("$elemMatch").is_some() => {
                let each = operand.as_array().into_iter().flatten();
                all(each.map(|e| element(path, &e["$elemMatch"], doc, found)))
            }
            "$regex" => {
                let mut pair = json!({ word: operand });
                if let Some(options) = value.get("$options") {
                    pair["$options"] = options.clone();
                }
                leaf(path, word, &pair, &pair, doc, found)
            }
            _ => leaf(path, word, operand, &json!({word: operand}), doc, found),
        });
    all(parts)
}

fn is_form(key: &str) -> bool {
    matches!(key, "$date" | "$oid" | "$regularExpression") || key.starts_with("$number")
}

fn is_pattern(value: &Value) -> bool {
    value.get("$regularExpression").is_some()
}

/// A test that the matcher can be asked about by itself.
fn leaf(
    path: &str,
    word: &str,
    operand: &Value,
    test: &Value,
    doc: &Value,
    found: &mut Found,
) -> Option<bool> {
    let facts = Facts::of(doc, path);
    let plain = undressed(operand);
    let known = on_the_way(&facts, word, &plain).or_else(|| at_the_end(path, &facts, word, &plain));
    if let Some(name) = known {
        found.insert(name);
        return None;
    }
    let text = json!({path: test}).to_string();
    Some(Filter::parse(&text, &crate::limits()).is_ok_and(|filter| filter.matches(doc)))
}

/// `$elemMatch`, element by element.
fn element(path: &str, inner: &Value, doc: &Value, found: &mut Found) -> Option<bool> {
    let facts = Facts::of(doc, path);
    if let Some(name) = on_the_way(&facts, "$elemMatch", inner) {
        found.insert(name);
        return None;
    }
    let operators = inner.as_object().is_some_and(|map| {
        map.keys()
            .next()
            .is_some_and(|k| k.starts_with('$') && !matches!(k.as_str(), "$and" | "$or" | "$nor"))
    });
    let items = facts.ends.iter().filter_map(|end| end.as_array()).flatten();
    let parts = items.map(|item| match (operators, item) {
        (true, Value::Array(_)) => {
            found.insert("element-array");
            None
        }
        (true, item) => field("field", inner, &json!({"field": item}), found),
        (false, item) if is_document(item) => judge(inner, item, found),
        (false, _) => {
            found.insert("element-scalar");
            None
        }
    });
    any(parts)
}

/// Whether a test accepts what is missing.
fn accepts_missing(word: &str, operand: &Value) -> bool {
    match word {
        "$eq" | "$ne" | "$gte" | "$lte" => operand.is_null(),
        "$in" | "$nin" | "$all" => operand.as_array().is_some_and(|set| set.contains(&Value::Null)),
        "$exists" => true,
        _ => false,
    }
}

/// Whether a test looks at an array as a whole.
fn sees_arrays(word: &str, operand: &Value) -> bool {
    let lists = || operand.as_array().is_some_and(|set| set.iter().any(Value::is_array));
    match word {
        "$size" | "$elemMatch" | "$type" => true,
        "$eq" | "$ne" => operand.is_array(),
        "$in" | "$nin" | "$all" => lists(),
        _ => false,
    }
}

fn on_the_way(facts: &Facts<'_>, word: &str, operand: &Value) -> Option<&'static str> {
    let missing = accepts_missing(word, operand);
    let name = if facts.nested {
        "nested-on-the-way"
    } else if facts.odd_number {
        "odd-number"
    } else if facts.member || (facts.without && missing) || (facts.beyond && missing) {
        "position-or-name"
    } else if facts.ends_at_position {
        "position-of-array"
    } else if facts.entered > 0 && facts.hole && missing {
        "missing-in-array"
    } else if facts.entered > 0 && sees_arrays(word, operand) {
        "array-of-array"
    } else if facts.entered > 0 && facts.any_end(Value::is_array) {
        "arrays-in-entered"
    } else if facts.entered > 1 {
        "entered-twice"
    } else {
        return None;
    };
    Some(name)
}

fn at_the_end(path: &str, facts: &Facts<'_>, word: &str, operand: &Value) -> Option<&'static str> {
    let lists = || operand.as_array().is_some_and(|set| set.iter().any(Value::is_array));
    let in_array = || facts.ends.iter().filter_map(|end| end.as_array()).flatten();
    let name = match word {
        "$eq" | "$ne" if path.contains('.') && in_array().any(Value::is_array) => {
            "nested-at-the-end"
        }
        "$regex" if in_array().any(Value::is_array) => "nested-at-the-end",
        "$gt" | "$gte" | "$lt" | "$lte" if operand.is_array() => "order-of-arrays",
        "$gt" | "$gte" | "$lt" | "$lte" if is_document(operand) && facts.any_value(is_document) => {
            "order-of-documents"
        }
        "$gte" | "$lte" if operand.is_null() && facts.ends.is_empty() => "order-of-missing",
        "$gt" | "$gte" | "$lt" | "$lte"
            if facts.any_value(|value| units_differ(value, operand)) =>
        {
            "utf-16"
        }
        "$in" | "$nin" if lists() && facts.any_end(Value::is_array) => "set-of-arrays",
        "$all" if !facts.any_end(Value::is_array) && facts.entered == 0 => "all-of-scalar",
        "$all" if lists() => "set-of-arrays",
        "$type" => return types(facts, operand),
        "$mod" => return modulo(facts, operand),
        "$regex" => return pattern(facts, operand),
        _ => "",
    };
    if !name.is_empty() {
        return Some(name);
    }
    let mut patterns = operand.as_array().into_iter().flatten().filter(|item| is_pattern(item));
    if let Some(name) = patterns.find_map(|item| pattern(facts, item)) {
        return Some(name);
    }
    let numbers = imprecise(operand) && facts.any_value(imprecise);
    numbers.then_some("imprecise")
}

fn types(facts: &Facts<'_>, operand: &Value) -> Option<&'static str> {
    let kinds = operand.as_array().map_or(std::slice::from_ref(operand), Vec::as_slice);
    let width = ["int", "long", "double", "decimal"];
    let sized = |kind: &Value| match kind {
        Value::String(name) => width.contains(&name.as_str()),
        kind => [1, 16, 18, 19].contains(&kind.as_i64().unwrap_or(0)),
    };
    if facts.any_end(Value::is_array) {
        Some("type-of-elements")
    } else if kinds.iter().any(sized) && facts.any_end(Value::is_number) {
        Some("type-of-number")
    } else if kinds.contains(&json!("undefined")) && facts.ends.iter().all(|end| end.is_null()) {
        Some("type-undefined")
    } else {
        None
    }
}

fn modulo(facts: &Facts<'_>, operand: &Value) -> Option<&'static str> {
    let fraction = |value: &Value| value.as_f64().is_some_and(|f| f.fract() != 0.0);
    if facts.any_value(|value| !value.is_number()) {
        Some("modulo-of-other")
    } else if facts.any_value(fraction) || fraction(&operand[0]) {
        Some("modulo-of-fraction")
    } else {
        facts.any_value(imprecise).then_some("imprecise")
    }
}

fn pattern(facts: &Facts<'_>, operand: &Value) -> Option<&'static str> {
    let pair = operand.get("$regularExpression").unwrap_or(operand);
    let names = ["pattern", "$regex"];
    let source = names.iter().find_map(|name| pair.get(name)?.as_str()).unwrap_or_default();
    let any_character = [".", "[^"].iter().any(|class| source.contains(class));
    let pairs = |s: &str| s.chars().any(|c| c.len_utf16() > 1);
    let surrogates = facts.any_value(|value| value.as_str().is_some_and(pairs));
    (any_character && surrogates).then_some("regex-surrogates")
}

/// A value without the forms of Extended JSON, except dates.
fn undressed(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(undressed).collect(),
        Value::Object(map) => {
            let inner = |key: &str| map.get(key).and_then(Value::as_str);
            if let Some(text) = inner("$oid") {
                text.into()
            } else if let Some(text) =
                ["$numberInt", "$numberLong", "$numberDouble"].iter().find_map(|key| inner(key))
            {
                serde_json::from_str(text).unwrap_or(Value::Null)
            } else if is_date(value) || is_pattern(value) {
                value.clone()
            } else {
                map.iter().map(|(key, inner)| (key.clone(), undressed(inner))).collect()
            }
        }
        scalar => scalar.clone(),
    }
}

/// Why a document's place among others under these keys may differ.
pub(crate) fn sorting(keys: &[(String, i8)], doc: &Value, docs: &[Value]) -> Option<&'static str> {
    keys.iter().find_map(|(path, way)| {
        let facts = Facts::of(doc, path);
        let arrays = facts.ends.iter().filter_map(|end| end.as_array());
        let other = |items: &Vec<Value>| {
            (*way < 0 && items.len() > 1)
                || items.iter().any(|item| !item.is_string() && !item.is_number())
                || items.iter().any(|item| is_elsewhere(item, path, doc, docs))
        };
        if facts.entered > 0 || facts.numbered || arrays.into_iter().any(other) {
            Some("sort-by-array")
        } else if facts.any_end(is_document) {
            Some("sort-by-document")
        } else if facts.any_end(imprecise) {
            Some("imprecise")
        } else {
            facts
                .any_value(|value| value.as_str().is_some_and(|s| s.contains('\u{fffd}')))
                .then_some("utf-16")
        }
    })
}

/// Whether another document has what an element of a document's array is: mingo keeps documents of
/// one value together, and takes these for two.
fn is_elsewhere(item: &Value, path: &str, doc: &Value, docs: &[Value]) -> bool {
    let same =
        |value: &Value| value == item || (item.is_number() && value.as_f64() == item.as_f64());
    docs.iter().any(|other| other != doc && Facts::of(other, path).any_value(same))
}

/// Why a projection of a document may differ.
pub(crate) fn projecting(fields: &Value, doc: &Value, error: &Value) -> Option<&'static str> {
    let excludes = |value: &Value| value.as_i64() == Some(0);
    fields.as_object().into_iter().flatten().find_map(|(path, value)| {
        let facts = Facts::of(doc, path);
        let number = path.split('.').any(|name| name.parse::<usize>().is_ok());
        if facts.numbered || (number && facts.nested) {
            Some("fields-by-position")
        } else if excludes(value) && facts.nested {
            Some("fields-nested")
        } else if error.is_string() && facts.hole {
            Some("fields-throws")
        } else {
            None
        }
    })
}
