//! The SQL of a filter and a sort, run on `SQLite` beside the matcher.
//!
//! The SQL must return every document that matches, and no other when it says it is exact.
#![expect(clippy::unwrap_used, clippy::too_many_lines, reason = "tables of cases")]

mod messages;

use messages::Messages;
use parlance_query::{Arg, Filter, Limits, Sort, compile, order_by};
use proptest::prelude::*;
use rusqlite::types::{ToSqlOutput, Value as Cell};
use rusqlite::{Connection, ToSql};
use serde_json::{Map, Value, json};

const TABLES: &str = "
    CREATE TABLE messages (id TEXT PRIMARY KEY, msg TEXT, n BIGINT, pinned BOOLEAN, ts BIGINT, usr TEXT);
    CREATE TABLE tags (message TEXT, tag TEXT);
    CREATE TABLE mentioned (message TEXT, usr TEXT);";

fn insert(db: &Connection, doc: &Value) {
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let id = text(&doc["_id"]);
    db.execute(
        "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)",
        (
            &id,
            text(&doc["msg"]),
            doc["n"].as_i64(),
            doc["pinned"].as_bool(),
            doc["ts"]["$date"].as_i64(),
            text(&doc["u"]["_id"]),
        ),
    )
    .unwrap();
    for tag in doc["tags"].as_array().into_iter().flatten() {
        db.execute("INSERT INTO tags VALUES (?, ?)", (&id, text(tag))).unwrap();
    }
    for user in doc["mentions"].as_array().into_iter().flatten() {
        if let Some(user) = text(&user["_id"]) {
            db.execute("INSERT INTO mentioned VALUES (?, ?)", (&id, user)).unwrap();
        }
    }
}

struct Bound<'a>(&'a Arg);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(match self.0 {
            Arg::Null => Cell::Null,
            Arg::Int(i) => Cell::Integer(*i),
            Arg::Text(s) => Cell::Text(s.clone()),
            Arg::Bool(b) => Cell::Integer((*b).into()),
        }))
    }
}

/// The ids that a statement returns; its own arguments come after one of the caller's.
fn select(db: &Connection, condition: &str, order: &str, args: &[Arg]) -> Vec<String> {
    let sql =
        format!("SELECT m.id FROM messages m WHERE 1 = $1 AND {condition} ORDER BY {order} m.id");
    let mut statement = db.prepare(&sql).unwrap();
    statement.raw_bind_parameter(1, 1).unwrap();
    assert_eq!(statement.parameter_count(), args.len() + 1, "{sql}");
    for (i, arg) in args.iter().enumerate() {
        let at = statement.parameter_index(&format!("${}", i + 2)).unwrap().unwrap();
        statement.raw_bind_parameter(at, Bound(arg)).unwrap();
    }
    let mut rows = statement.raw_query();
    let mut ids = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        ids.push(row.get(0).unwrap());
    }
    ids
}

fn ids<'d>(docs: impl IntoIterator<Item = &'d Value>) -> Vec<String> {
    docs.into_iter().map(|d| d["_id"].as_str().unwrap().to_owned()).collect()
}

/// Runs a filter both ways and compares.
fn check(db: &Connection, docs: &[Value], filter: &Value) {
    let parsed = Filter::parse(&filter.to_string(), &Limits::default()).unwrap();
    let compiled = compile(&parsed, &Messages, 2);
    let selected = select(db, &compiled.sql, "", &compiled.args);
    let matching = ids(docs.iter().filter(|d| parsed.matches(d)));
    let lost: Vec<_> = matching.iter().filter(|id| !selected.contains(id)).collect();
    assert!(lost.is_empty(), "{filter}: {compiled:?} lost {lost:?}");
    assert!(!compiled.exact || selected == matching, "{filter}: {compiled:?} {selected:?}");
    let residual = parsed.residual(&Messages);
    assert!(compiled.exact || !residual.is_empty(), "{filter}: {compiled:?}");
}

fn word() -> impl Strategy<Value = Value> {
    prop::sample::select(vec!["", "a", "b", "ab", "B", "é", "m1", "d"]).prop_map(Value::from)
}

fn integer() -> impl Strategy<Value = Value> {
    let values = [-1, 0, 1, 2, 3, 5_000_000_000, i64::MAX, i64::MIN, 9_007_199_254_740_993];
    prop::sample::select(values.to_vec()).prop_map(Value::from)
}

fn date() -> impl Strategy<Value = Value> {
    (0_i64..4).prop_map(|ms| json!({ "$date": ms }))
}

fn scalar() -> impl Strategy<Value = Value> {
    let odd = [
        json!(null),
        json!(1.5),
        json!(-0.5),
        json!(2.0),
        json!(1e300),
        json!(-1e300),
        json!(u64::MAX),
        json!(9.223_372_036_854_776e18),
        json!({"$numberDouble": "Infinity"}),
        json!("a\0"),
        json!("a\0b"),
    ];
    prop_oneof![
        4 => word(),
        3 => integer(),
        2 => date(),
        2 => any::<bool>().prop_map(Value::from),
        2 => prop::sample::select(odd.to_vec()),
    ]
}

fn operand() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => scalar(),
        1 => prop::collection::vec(scalar(), 0..3).prop_map(Value::from),
        1 => scalar().prop_map(|v| json!({"_id": v})),
    ]
}

/// A document whose columns hold what the map says, and whose other members hold anything.
fn document() -> impl Strategy<Value = Value> {
    let member = |name: &'static str, value: BoxedStrategy<Value>| {
        prop::option::of(value).prop_map(move |v| v.map(|v| (name.to_owned(), v)))
    };
    let mention = prop::option::of(word()).prop_map(|id| match id {
        Some(id) => json!({"_id": id, "username": "x"}),
        None => json!({"username": "x"}),
    });
    (
        member("msg", word().boxed()),
        member("n", integer().boxed()),
        member("pinned", any::<bool>().prop_map(Value::from).boxed()),
        member("ts", date().boxed()),
        member("u", word().prop_map(|id| json!({"_id": id})).boxed()),
        member("tags", prop::collection::vec(word(), 0..3).prop_map(Value::from).boxed()),
        member("mentions", prop::collection::vec(mention, 0..3).prop_map(Value::from).boxed()),
        member("extra", operand().boxed()),
    )
        .prop_map(|(a, b, c, d, e, f, g, h)| {
            let mut map: Map<String, Value> =
                [a, b, c, d, e, f, g, h].into_iter().flatten().collect();
            map.insert("t".to_owned(), json!("d"));
            Value::Object(map)
        })
}

fn documents() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(document(), 1..8).prop_map(|mut docs| {
        for (i, doc) in docs.iter_mut().enumerate() {
            doc["_id"] = json!(format!("m{i}"));
        }
        docs
    })
}

fn path() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "_id",
        "msg",
        "n",
        "pinned",
        "ts",
        "u._id",
        "t",
        "ghost",
        "tags",
        "mentions._id",
        "extra",
        "mentions",
    ])
}

fn test() -> BoxedStrategy<Value> {
    let values = || prop::collection::vec(operand(), 0..4).prop_map(Value::from);
    let leaf = prop_oneof![
        4 => operand(),
        6 => (prop::sample::select(vec!["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]), operand())
            .prop_map(|(op, v)| json!({op: v})),
        3 => (prop::sample::select(vec!["$in", "$nin", "$all"]), values()).prop_map(|(op, v)| json!({op: v})),
        1 => any::<bool>().prop_map(|b| json!({"$exists": b})),
        1 => prop::sample::select(vec!["string", "number", "int", "long", "bool", "date", "array", "null", "object"])
            .prop_map(|t| json!({"$type": t})),
        1 => prop::sample::select(vec!["a", "^b", "x"]).prop_map(|r| json!({"$regex": r, "$options": "i"})),
        1 => (1..4, 0..3).prop_map(|(d, r)| json!({"$mod": [d, r]})),
        1 => (0..3).prop_map(|n| json!({"$size": n})),
        1 => operand().prop_map(|v| json!({"$elemMatch": {"$gte": v}})),
        1 => word().prop_map(|v| json!({"$elemMatch": {"_id": v}})),
        1 => (word(), operand()).prop_map(|(r, v)| {
            json!({"$in": [v, {"$regularExpression": {"pattern": r, "options": ""}}]})
        }),
    ];
    leaf.prop_flat_map(|v| {
        let operators = v.as_object().is_some_and(|m| m.keys().any(|k| k.starts_with('$')))
            && v.get("$date").is_none()
            && v.get("$numberDouble").is_none();
        let negated = if operators { json!({"$not": v}) } else { v.clone() };
        prop_oneof![3 => Just(v), 1 => Just(negated)]
    })
    .boxed()
}

fn filter() -> impl Strategy<Value = Value> {
    let leaf = prop::collection::vec((path(), test()), 0..3).prop_map(|tests| {
        Value::Object(tests.into_iter().map(|(p, t)| (p.to_owned(), t)).collect())
    });
    leaf.prop_recursive(3, 12, 3, |inner| {
        (prop::sample::select(vec!["$and", "$or", "$nor"]), prop::collection::vec(inner, 1..4))
            .prop_map(|(op, parts)| json!({op: parts}))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn sql_bounds_what_matches(docs in documents(), filter in filter()) {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(TABLES).unwrap();
        for doc in &docs {
            insert(&db, doc);
        }
        check(&db, &docs, &filter);
    }

    #[test]
    fn sql_orders_as_the_documents_do(mut docs in documents(), keys in prop::collection::vec((path(), any::<bool>()), 0..4)) {
        let db = Connection::open_in_memory().unwrap();
        db.execute_batch(TABLES).unwrap();
        for doc in &docs {
            insert(&db, doc);
        }
        let keys: Map<String, Value> =
            keys.into_iter().map(|(p, down)| (p.to_owned(), json!(if down { -1 } else { 1 }))).collect();
        let sort = Sort::parse(&Value::Object(keys).to_string(), &Limits::default()).unwrap();
        if let Some(mut order) = order_by(&sort, &Messages) {
            if !order.is_empty() {
                order.push(',');
            }
            docs.sort_by(|a, b| sort.compare(a, b));
            prop_assert_eq!(select(&db, "TRUE", &order, &[]), ids(&docs), "{}", order);
        }
    }
}

/// Documents that differ in one column at a time, and one with none.
fn one_of_each() -> Vec<Value> {
    let values = |name: &str, values: &[Value]| -> Vec<Value> {
        values.iter().map(|v| json!({"t": "d", name: v})).collect()
    };
    let whole = [i64::MIN, -2, -1, 0, 1, 2, 3, 5_000_000_000, 9_007_199_254_740_993, i64::MAX];
    let users = [json!([]), json!([{"_id": "a"}, {}]), json!([{"_id": "b"}]), json!([{"name": 1}])];
    let mut docs = [
        values("none", &[json!(1)]),
        values("msg", &["", "a", "a\u{1}", "ab", "b", "é"].map(Value::from)),
        values("n", &whole.map(Value::from)),
        values("pinned", &[json!(true), json!(false)]),
        values("ts", &[-1, 0, 1, 2].map(|ms| json!({ "$date": ms }))),
        values("u", &[json!({"_id": "a"}), json!({"_id": "b"})]),
        values("tags", &[json!([]), json!(["a"]), json!(["a", "b"]), json!(["a\u{1}"])]),
        values("mentions", &users),
        values("extra", &[json!(1), json!("a"), json!(["a"]), json!(null)]),
    ]
    .concat();
    for (i, doc) in docs.iter_mut().enumerate() {
        doc["_id"] = json!(format!("m{i:02}"));
    }
    docs
}

/// Every kind of condition with every kind of operand.
fn every_test() -> Vec<Value> {
    let operands = [
        json!(null),
        json!(true),
        json!(false),
        json!(""),
        json!("a"),
        json!("b"),
        json!("d"),
        json!("m05"),
        json!("a\0"),
        json!("a\0b"),
        json!("\0"),
        json!(-2),
        json!(0),
        json!(1),
        json!(1.0),
        json!(1.5),
        json!(-1.5),
        json!(0.5),
        json!(5_000_000_000.5),
        json!(1e300),
        json!(-1e300),
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(9.223_372_036_854_776e18),
        json!(-9.223_372_036_854_776e18),
        json!(9_007_199_254_740_992.0),
        json!({"$numberDouble": "Infinity"}),
        json!({"$numberDouble": "-Infinity"}),
        json!({"$numberDouble": "NaN"}),
        json!({"$date": 0}),
        json!({"$date": 1}),
        json!([]),
        json!(["a"]),
        json!(["a", "b"]),
        json!([1]),
        json!({}),
        json!({"_id": "a"}),
    ];
    let pattern = json!({"$regularExpression": {"pattern": "a", "options": ""}});
    let mut tests = Vec::new();
    for v in &operands {
        for op in ["$eq", "$gt", "$gte", "$lt", "$lte"] {
            tests.push(json!({op: v}));
        }
        for set in [
            json!([v]),
            json!([v, "b"]),
            json!([v, null]),
            json!([v, pattern]),
            json!([v, null, pattern]),
        ] {
            tests.push(json!({"$in": set}));
        }
        tests.extend([json!({"$all": [v]}), json!({"$elemMatch": {"$gte": v}})]);
    }
    let types = [
        "double", "string", "object", "array", "bool", "date", "null", "int", "long", "number",
        "regex",
    ];
    tests.extend(types.map(|name| json!({ "$type": name })));
    tests.extend([
        json!({"$type": ["string", "array"]}),
        json!({"$exists": true}),
        json!({"$regex": "a"}),
    ]);
    tests.extend([0, 1, 2].map(|n| json!({ "$size": n })));
    tests.extend([
        json!({"$mod": [2, 1]}),
        json!({"$elemMatch": {"_id": "a"}}),
        json!({"$all": []}),
    ]);
    tests
}

#[test]
fn every_test_on_every_column() {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch(TABLES).unwrap();
    let docs = one_of_each();
    for doc in &docs {
        insert(&db, doc);
    }
    for test in every_test() {
        for path in [
            "_id",
            "msg",
            "n",
            "pinned",
            "ts",
            "u._id",
            "t",
            "ghost",
            "tags",
            "mentions._id",
            "extra",
        ] {
            check(&db, &docs, &json!({path: test}));
            check(&db, &docs, &json!({path: {"$not": test}}));
        }
    }
}
