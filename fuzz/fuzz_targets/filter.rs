//! Any bytes as a filter and messages: the SQL must give what the matcher gives.
//!
//! The bytes before the first NUL are the filter's text, the rest chooses the documents, so that
//! both grow apart from each other. The table is made once and its rows are replaced.
#![no_main]

#[path = "../../crates/query/tests/peer/columns.rs"]
#[allow(dead_code)]
mod columns;

use columns::{EMPTY, Messages, Stored, schema};
use libfuzzer_sys::fuzz_target;
use parlance_query::{Arg, Filter, Limits, compile, rest};
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Map, Value, json};

thread_local! {
    static DB: Connection = {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(&schema("TEXT")).unwrap();
        db
    };
}

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|b| *b == 0).unwrap_or(data.len());
    let Ok(text) = std::str::from_utf8(&data[..end]) else { return };
    let limits = Limits::default();
    let Ok(filter) = Filter::parse(text, &limits) else { return };
    assert!(text.len() <= limits.text);
    let mut choices = Choices(data.get(end + 1..).unwrap_or_default());
    let docs: Vec<Value> = (0..4).map(|i| message(&mut choices, i)).collect();
    let negated = Filter::Not(Box::new(filter.clone()));
    DB.with(|db| {
        let rows: String = docs.iter().map(|doc| Messages.insert(doc)).collect();
        db.execute_batch(&format!("BEGIN; {EMPTY} {rows} COMMIT;")).unwrap();
        check(db, &limits, &filter, &docs);
        check(db, &limits, &negated, &docs);
    });
    secrets(&filter, &docs);
});

/// At least what matches is selected; no more if the SQL is exact, or once the rest is asked.
fn check(db: &Connection, limits: &Limits, filter: &Filter, docs: &[Value]) {
    let compiled = compile(filter, &Messages, 1);
    assert!(compiled.args.len() <= 2 * (limits.nodes + limits.in_values), "{compiled:?}");
    let sql = format!("SELECT m.id FROM messages m WHERE {} ORDER BY m.id", compiled.sql);
    let mut statement = db.prepare(&sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
    assert_eq!(statement.parameter_count(), compiled.args.len(), "{sql}");
    for (i, arg) in compiled.args.iter().enumerate() {
        let cell = match arg {
            Arg::Null => Cell::Null,
            Arg::Int(i) => Cell::Integer(*i),
            Arg::Text(s) => Cell::Text(s.clone()),
            Arg::Bool(b) => Cell::Integer((*b).into()),
        };
        statement.raw_bind_parameter(i + 1, cell).unwrap();
    }
    let mut rows = statement.raw_query();
    let mut selected: Vec<String> = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        selected.push(row.get(0).unwrap());
    }
    let rest = rest(filter, &Messages);
    for doc in docs {
        let accepted = selected.iter().any(|id| doc["_id"] == id.as_str());
        let matches = filter.matches(doc);
        assert!(accepted || !matches, "lost: {compiled:?} of {filter:?}: {doc}");
        assert!(!accepted || !compiled.exact || matches, "not exact: {compiled:?}: {doc}");
        assert!(!accepted || rest.matches(doc) == matches, "rest: {rest:?} of {filter:?}: {doc}");
    }
}

/// A filter that is not refused names no secret, and cannot tell whether one is there.
fn secrets(filter: &Filter, docs: &[Value]) {
    let secret = |path: &str| ["tmid", "extra", "u.name"].contains(&path);
    if filter.refuse(&secret).is_err() {
        return;
    }
    for path in filter.paths() {
        let number = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
        let plain: Vec<&str> = path.split('.').filter(|name| !number(name)).collect();
        assert!(!secret(plain.first().unwrap_or(&"")), "{path}");
        assert!(!plain.starts_with(&["u", "name"]), "{path}");
    }
    for doc in docs {
        let mut without = doc.clone();
        if let Value::Object(map) = &mut without {
            map.remove("tmid");
            map.remove("extra");
        }
        assert_eq!(filter.matches(doc), filter.matches(&without), "{filter:?} sees in {doc}");
    }
}

/// Bytes as choices; when they are used up, the first choice.
struct Choices<'d>(&'d [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        (*first).into()
    }

    fn pick(&mut self, of: &[Value]) -> Value {
        of[self.byte() % of.len()].clone()
    }
}

fn word(choices: &mut Choices<'_>) -> Value {
    choices.pick(&["", "a", "b", "ab", "B", "é", "É", "u1", "1", "a\nb"].map(Value::from))
}

fn whole(choices: &mut Choices<'_>) -> Value {
    let numbers = [0, 1, 2, 3, -1, 4_294_967_296, 9_007_199_254_740_993, i64::MAX, i64::MIN];
    choices.pick(&numbers.map(Value::from))
}

fn date(choices: &mut Choices<'_>) -> Value {
    choices.pick(&[0_i64, 1, 2, -1, 1_795_161_600_000].map(|ms| json!({ "$date": ms })))
}

fn flag(choices: &mut Choices<'_>) -> Value {
    (choices.byte() % 2 == 1).into()
}

fn anything(choices: &mut Choices<'_>, levels: usize) -> Value {
    match choices.byte() % if levels == 0 { 6 } else { 8 } {
        0 => Value::Null,
        1 => flag(choices),
        2 => whole(choices),
        3 => choices.pick(&[json!(1.5), json!(2.0), json!(-0.5), json!(1e300)]),
        4 => date(choices),
        5 => word(choices),
        6 => (0..choices.byte() % 4).map(|_| anything(choices, levels - 1)).collect(),
        _ => {
            let members = (0..choices.byte() % 4).map(|_| {
                let name = ["a", "b", "_id", "0"][choices.byte() % 4];
                (name.to_owned(), anything(choices, levels - 1))
            });
            members.collect::<Map<_, _>>().into()
        }
    }
}

fn author(choices: &mut Choices<'_>) -> Value {
    members(choices, &[("_id", word), ("username", word), ("name", word)])
}

/// A member and how to make it.
type Member = (&'static str, fn(&mut Choices<'_>) -> Value);

fn members(choices: &mut Choices<'_>, of: &[Member]) -> Value {
    let mut map = Map::new();
    for (name, make) in of {
        if choices.byte() % 4 > 0 {
            map.insert((*name).to_owned(), make(choices));
        }
    }
    map.into()
}

fn message(choices: &mut Choices<'_>, number: usize) -> Value {
    let mut doc = members(
        choices,
        &[
            ("msg", word),
            ("ts", date),
            ("u", author),
            ("t", word),
            ("tmid", word),
            ("tshow", flag),
            ("tcount", whole),
            ("pinned", flag),
            ("starred", |choices| json!([{ "_id": word(choices) }])),
            ("mentions", |choices| (0..choices.byte() % 4).map(|_| author(choices)).collect()),
            ("extra", |choices| anything(choices, 3)),
            ("b", |choices| anything(choices, 3)),
        ],
    );
    doc["_id"] = format!("m{number}").into();
    doc
}
