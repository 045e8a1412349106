//! What `MongoDB`'s documentation says about each operator, as a table.
#![expect(clippy::unwrap_used, clippy::too_many_lines, reason = "tables of cases")]

use parlance_query::{Filter, Limits, Sort, order};
use serde_json::{Value, json};

fn matches(filter: &str, doc: &Value) -> bool {
    Filter::parse(filter, &Limits::default()).unwrap().matches(doc)
}

/// Each filter with documents that match and documents that do not.
fn check(table: &[(&str, &[Value], &[Value])]) {
    for (filter, yes, no) in table {
        for doc in *yes {
            assert!(matches(filter, doc), "{filter} should match {doc}");
        }
        for doc in *no {
            assert!(!matches(filter, doc), "{filter} should not match {doc}");
        }
    }
}

#[test]
fn equality() {
    check(&[
        ("{}", &[json!({}), json!({"a": 1})], &[]),
        (
            r#"{"a":1}"#,
            &[json!({"a": 1}), json!({"a": 1.0}), json!({"a": [2, 1]})],
            &[json!({"a": "1"}), json!({"a": true}), json!({}), json!({"a": [[1]]})],
        ),
        (
            r#"{"a":null}"#,
            &[json!({}), json!({"a": null}), json!({"a": [null]})],
            &[json!({"a": 0}), json!({"a": []}), json!({"a": ""})],
        ),
        (
            r#"{"a":[1,2]}"#,
            &[json!({"a": [1, 2]}), json!({"a": [0, [1, 2]]})],
            &[json!({"a": [2, 1]}), json!({"a": [1, 2, 3]})],
        ),
        (r#"{"a":[]}"#, &[json!({"a": []}), json!({"a": [[]]})], &[json!({}), json!({"a": [1]})]),
        (
            r#"{"a":{"x":1,"y":2}}"#,
            &[json!({"a": {"x": 1, "y": 2}}), json!({"a": [{"x": 1, "y": 2}]})],
            &[json!({"a": {"x": 1}}), json!({"a": {"x": 1, "y": 2, "z": 3}})],
        ),
        (r#"{"a":{}}"#, &[json!({"a": {}})], &[json!({"a": {"x": 1}}), json!({})]),
        (
            r#"{"a":{"$ne":1}}"#,
            &[json!({}), json!({"a": 2}), json!({"a": "1"})],
            &[json!({"a": 1}), json!({"a": [1, 2]})],
        ),
        (r#"{"a":{"$ne":null}}"#, &[json!({"a": 0}), json!({"a": []})], &[json!({})]),
        (r#"{"a":1,"a":2}"#, &[json!({"a": [1, 2]})], &[json!({"a": 1}), json!({"a": 2})]),
        (r#"{"a":{"$eq":1,"$eq":2}}"#, &[json!({"a": [1, 2]})], &[json!({"a": 1})]),
    ]);
}

#[test]
fn extended_json() {
    let day = json!({"a": {"$date": 1000}});
    check(&[
        (r#"{"a":{"$date":1000}}"#, std::slice::from_ref(&day), &[json!({"a": 1000})]),
        (r#"{"a":{"$date":"1970-01-01T00:00:01Z"}}"#, std::slice::from_ref(&day), &[]),
        (r#"{"a":{"$date":{"$numberLong":"1000"}}}"#, std::slice::from_ref(&day), &[]),
        (
            r#"{"a":{"$gt":{"$date":999}}}"#,
            std::slice::from_ref(&day),
            &[json!({"a": 2000}), json!({"a": "2000"}), json!({})],
        ),
        (r#"{"a":{"$gt":999}}"#, &[json!({"a": 1000})], std::slice::from_ref(&day)),
        (r#"{"a.x":null}"#, std::slice::from_ref(&day), &[]),
        (r#"{"a":{"$oid":"5f"}}"#, &[json!({"a": "5f"})], &[]),
        (r#"{"a":{"$numberInt":"5"}}"#, &[json!({"a": 5})], &[]),
        (r#"{"a":{"$numberDouble":"1.5"}}"#, &[json!({"a": 1.5})], &[]),
        (r#"{"a":{"$lt":{"$numberDouble":"Infinity"}}}"#, &[json!({"a": u64::MAX})], &[json!({})]),
        (r#"{"a":{"$lte":{"$numberDouble":"NaN"}}}"#, &[], &[json!({"a": 1}), json!({})]),
        (r#"{"a":{"$ne":{"$InfNaN":0}}}"#, &[json!({"a": 1}), json!({})], &[]),
        (
            r#"{"a":{"$regularExpression":{"pattern":"^B","options":"i"}}}"#,
            &[json!({"a": "bc"})],
            &[json!({"a": "ab"})],
        ),
        (r#"{"a":{"$regexp":"^B","$flags":"i"}}"#, &[json!({"a": "bc"})], &[json!({"a": "ab"})]),
    ]);
}

#[test]
fn comparisons_stay_in_their_type() {
    check(&[
        (
            r#"{"a":{"$gt":1.5}}"#,
            &[json!({"a": 2}), json!({"a": [1, 2]})],
            &[
                json!({"a": 1}),
                json!({"a": "2"}),
                json!({"a": true}),
                json!({"a": null}),
                json!({}),
            ],
        ),
        (r#"{"a":{"$gte":null}}"#, &[json!({}), json!({"a": null})], &[json!({"a": 1})]),
        (r#"{"a":{"$gt":null}}"#, &[], &[json!({}), json!({"a": null}), json!({"a": 1})]),
        (
            r#"{"a":{"$lt":"b"}}"#,
            &[json!({"a": "a"}), json!({"a": "B"}), json!({"a": ""})],
            &[json!({"a": "b"}), json!({"a": 1})],
        ),
        (r#"{"a":{"$gt":false}}"#, &[json!({"a": true})], &[json!({"a": false}), json!({"a": 1})]),
        (r#"{"a":{"$gt":[1]}}"#, &[json!({"a": [1, 0]}), json!({"a": [2]})], &[json!({"a": 5})]),
        (r#"{"a":{"$gt":{"x":1}}}"#, &[json!({"a": {"x": 2}})], &[json!({"a": 2})]),
        (
            r#"{"a":{"$gt":1,"$lt":3}}"#,
            &[json!({"a": 2}), json!({"a": [0, 5]})],
            &[json!({"a": 3})],
        ),
        // Read to the nearest double, not to one beside it.
        (r#"{"a":9007199254740991.0}"#, &[json!({"a": 9_007_199_254_740_991_i64})], &[]),
        (r#"{"a":{"$gt":9007199254740992.0}}"#, &[json!({"a": 9_007_199_254_740_993_i64})], &[]),
    ]);
}

#[test]
fn sets_and_arrays() {
    check(&[
        (
            r#"{"a":{"$in":[1,"x"]}}"#,
            &[json!({"a": 1}), json!({"a": ["x"]})],
            &[json!({}), json!({"a": 2})],
        ),
        (r#"{"a":{"$in":[null]}}"#, &[json!({}), json!({"a": null})], &[json!({"a": []})]),
        (r#"{"a":{"$in":[]}}"#, &[], &[json!({}), json!({"a": 1})]),
        (r#"{"a":{"$nin":[]}}"#, &[json!({}), json!({"a": 1})], &[]),
        (r#"{"a":{"$nin":[1]}}"#, &[json!({}), json!({"a": 2})], &[json!({"a": [1, 2]})]),
        (r#"{"a":{"$in":[[1,2]]}}"#, &[json!({"a": [1, 2]})], &[json!({"a": 1})]),
        (
            r#"{"a":{"$in":[{"$regularExpression":{"pattern":"^x","options":""}},2]}}"#,
            &[json!({"a": "xy"}), json!({"a": 2})],
            &[json!({"a": "y"})],
        ),
        (
            r#"{"a":{"$all":[1,2]}}"#,
            &[json!({"a": [2, 1, 3]})],
            &[json!({"a": [1]}), json!({"a": 1})],
        ),
        (r#"{"a":{"$all":[1]}}"#, &[json!({"a": 1})], &[]),
        (r#"{"a":{"$all":[[1,2]]}}"#, &[json!({"a": [1, 2]}), json!({"a": [[1, 2]]})], &[]),
        (r#"{"a":{"$all":[]}}"#, &[], &[json!({"a": []}), json!({})]),
        (
            r#"{"a":{"$all":[{"$elemMatch":{"x":1}},{"$elemMatch":{"x":2}}]}}"#,
            &[json!({"a": [{"x": 1}, {"x": 2}]})],
            &[json!({"a": [{"x": 1}]})],
        ),
        (
            r#"{"a":{"$size":2}}"#,
            &[json!({"a": [1, 2]})],
            &[json!({"a": [[1, 2]]}), json!({"a": 2}), json!({})],
        ),
        (r#"{"a":{"$size":0}}"#, &[json!({"a": []})], &[json!({})]),
        (
            r#"{"a":{"$elemMatch":{"$gt":1,"$lt":3}}}"#,
            &[json!({"a": [0, 2]})],
            &[json!({"a": [0, 5]}), json!({"a": 2}), json!({"a": [[2]]})],
        ),
        (
            r#"{"a":{"$elemMatch":{"x":1,"y":2}}}"#,
            &[json!({"a": [{"x": 1, "y": 2}]})],
            &[json!({"a": [{"x": 1}, {"y": 2}]}), json!({"a": {"x": 1, "y": 2}})],
        ),
        (r#"{"a":{"$elemMatch":{"0":1}}}"#, &[json!({"a": [[1]]})], &[json!({"a": [1]})]),
        (
            r#"{"a":{"$elemMatch":{"$or":[{"x":1},{"y.z":2}]}}}"#,
            &[json!({"a": [{"y": {"z": 2}}]})],
            &[],
        ),
        (
            r#"{"a":{"$elemMatch":{"$ne":1}}}"#,
            &[json!({"a": [1, 2]})],
            &[json!({"a": [1]}), json!({})],
        ),
        (
            r#"{"a":{"$elemMatch":{"$elemMatch":{"$eq":1}}}}"#,
            &[json!({"a": [[1]]})],
            &[json!({"a": [1]})],
        ),
        (
            r#"{"a":{"$not":{"$elemMatch":{"x":1}}}}"#,
            &[json!({}), json!({"a": []})],
            &[json!({"a": [{"x": 1}]})],
        ),
    ]);
}

#[test]
fn presence_types_and_numbers() {
    let all = [json!({"a": 1}), json!({"a": null}), json!({"a": []})];
    check(&[
        (r#"{"a":{"$exists":true}}"#, &all, &[json!({})]),
        (r#"{"a":{"$exists":"no"}}"#, &all, &[json!({})]),
        (r#"{"a":{"$exists":false}}"#, &[json!({})], &all),
        (r#"{"a":{"$exists":0}}"#, &[json!({})], &all),
        (r#"{"a":{"$exists":null}}"#, &[json!({})], &all),
        (
            r#"{"a.b":{"$exists":true}}"#,
            &[json!({"a": [{"c": 1}, {"b": 1}]})],
            &[json!({"a": [1]}), json!({"a": 1})],
        ),
        (
            r#"{"a":{"$type":"string"}}"#,
            &[json!({"a": "x"}), json!({"a": ["x"]})],
            &[json!({"a": 1})],
        ),
        (r#"{"a":{"$type":2}}"#, &[json!({"a": "x"})], &[json!({"a": 1})]),
        (r#"{"a":{"$type":"array"}}"#, &[json!({"a": []}), json!({"a": [1]})], &[json!({"a": 1})]),
        (
            r#"{"a":{"$type":["null","bool"]}}"#,
            &[json!({"a": null}), json!({"a": true})],
            &[json!({})],
        ),
        (
            r#"{"a":{"$type":"number"}}"#,
            &[json!({"a": 1}), json!({"a": 1.5})],
            &[json!({"a": {"$date": 1}})],
        ),
        (r#"{"a":{"$type":"date"}}"#, &[json!({"a": {"$date": 1}})], &[json!({"a": {}})]),
        (r#"{"a":{"$type":"object"}}"#, &[json!({"a": {}})], &[json!({"a": {"$date": 1}})]),
        (
            r#"{"a":{"$type":"int"}}"#,
            &[json!({"a": 1})],
            &[json!({"a": 5_000_000_000_i64}), json!({"a": 1.5})],
        ),
        (r#"{"a":{"$type":"long"}}"#, &[json!({"a": 5_000_000_000_i64})], &[json!({"a": 1})]),
        (r#"{"a":{"$type":"regex"}}"#, &[], &[json!({"a": "x"})]),
        (
            r#"{"a":{"$mod":[4,0]}}"#,
            &[json!({"a": 8}), json!({"a": 8.9}), json!({"a": 0})],
            &[json!({"a": 9}), json!({"a": "8"}), json!({})],
        ),
        (r#"{"a":{"$mod":[4,-1]}}"#, &[json!({"a": -5})], &[json!({"a": 3})]),
        (r#"{"a":{"$mod":[-1,0]}}"#, &[json!({"a": i64::MIN})], &[json!({"a": u64::MAX})]),
    ]);
}

#[test]
fn logic() {
    check(&[
        (r#"{"$and":[{"a":1},{"b":2}]}"#, &[json!({"a": 1, "b": 2})], &[json!({"a": 1})]),
        (r#"{"$or":[{"a":1},{"b":2}]}"#, &[json!({"a": 1}), json!({"b": 2})], &[json!({})]),
        (r#"{"$nor":[{"a":1},{"b":2}]}"#, &[json!({}), json!({"a": 2})], &[json!({"a": 1})]),
        (
            r#"{"a":{"$not":{"$gt":1}}}"#,
            &[json!({"a": 1}), json!({}), json!({"a": "x"})],
            &[json!({"a": [0, 2]})],
        ),
        (r#"{"a":{"$not":{"$gt":1,"$lt":3}}}"#, &[json!({"a": 3})], &[json!({"a": 2})]),
        (r#"{"a":{"$not":{"$regex":"x"}}}"#, &[json!({"a": "y"}), json!({})], &[json!({"a": "x"})]),
        (
            r#"{"a":{"$not":{"$regularExpression":{"pattern":"x","options":""}}}}"#,
            &[json!({})],
            &[json!({"a": "x"})],
        ),
        (r#"{"a":1,"$comment":"why"}"#, &[json!({"a": 1})], &[json!({"a": 2})]),
        (r#"{"$or":[{}]}"#, &[json!({})], &[]),
    ]);
}

#[test]
fn regular_expressions() {
    check(&[
        (
            r#"{"a":{"$regex":"g"}}"#,
            &[json!({"a": "fig"}), json!({"a": ["x", "g"]})],
            &[json!({"a": 1}), json!({})],
        ),
        (r#"{"a":{"$regex":"^g","$options":"i"}}"#, &[json!({"a": "GO"})], &[json!({"a": "ago"})]),
        (
            r#"{"a":{"$options":"m","$regex":"^b$"}}"#,
            &[json!({"a": "a\nb"})],
            &[json!({"a": "ab"})],
        ),
        (r#"{"a":{"$regex":"a.b"}}"#, &[json!({"a": "axb"})], &[json!({"a": "a\nb"})]),
        (r#"{"a":{"$regex":"a.b","$options":"s"}}"#, &[json!({"a": "a\nb"})], &[]),
        (
            r#"{"a":{"$regex":"a b # c","$options":"x"}}"#,
            &[json!({"a": "ab"})],
            &[json!({"a": "a b"})],
        ),
        (r#"{"a":{"$regex":"a\\/b\\-c"}}"#, &[json!({"a": "a/b-c"})], &[]),
        (r#"{"a":{"$regex":"É","$options":"i"}}"#, &[json!({"a": "é"})], &[json!({"a": "e"})]),
    ]);
}

#[test]
fn dotted_paths() {
    check(&[
        (
            r#"{"a.b":1}"#,
            &[
                json!({"a": {"b": 1}}),
                json!({"a": [{"b": 2}, {"b": 1}]}),
                json!({"a": [{"b": [1]}]}),
            ],
            &[json!({"a": 1}), json!({"a.b": 1}), json!({"a": [[{"b": 1}]]})],
        ),
        (
            r#"{"a.b":null}"#,
            &[json!({}), json!({"a": 1}), json!({"a": {"b": null}}), json!({"a": [{"b": 1}, {}]})],
            &[json!({"a": [1]}), json!({"a": []}), json!({"a": [{"b": 1}]})],
        ),
        (
            r#"{"a.0":1}"#,
            &[json!({"a": [1, 2]}), json!({"a": {"0": 1}}), json!({"a": [{"0": 1}]})],
            &[json!({"a": [2, 1]})],
        ),
        (r#"{"a.1.b":1}"#, &[json!({"a": [{}, {"b": 1}]})], &[json!({"a": [{"b": 1}]})]),
        (r#"{"a.0.b":1}"#, &[json!({"a": [[{"b": 1}]]})], &[]),
        (r#"{"a.0.1":1}"#, &[json!({"a": [[0, 1]]})], &[json!({"a": [[1, 0]]})]),
        (r#"{"a.00":1}"#, &[json!({"a": {"00": 1}})], &[json!({"a": [1]})]),
        (
            r#"{"a.b.c":{"$size":1}}"#,
            &[json!({"a": [{"b": {"c": [1]}}]})],
            &[json!({"a": [{"b": [{"c": 1}]}]})],
        ),
        (r#"{"":1}"#, &[json!({"": 1})], &[json!({})]),
    ]);
}

#[test]
fn sorting_across_types() {
    let limits = Limits::default();
    let ascending = [
        json!([]),
        json!(null),
        json!(-1),
        json!(0.5),
        json!("B"),
        json!("a"),
        json!({"x": 1}),
        json!([[1]]),
        json!(false),
        json!({"$date": 5}),
    ];
    let up = Sort::parse(r#"{"a":1}"#, &limits).unwrap();
    let down = Sort::parse(r#"{"a":-1}"#, &limits).unwrap();
    for (i, a) in ascending.iter().enumerate() {
        for (j, b) in ascending.iter().enumerate() {
            let (a, b) = (json!({"a": a}), json!({"a": b}));
            assert_eq!(up.compare(&a, &b), i.cmp(&j), "{a} {b}");
            assert_eq!(down.compare(&a, &b), j.cmp(&i), "{a} {b}");
            for (sort, order) in [(&up, i.cmp(&j)), (&down, j.cmp(&i))] {
                assert_eq!(sort.compare_keys(&sort.key(&a), &sort.key(&b)), order, "{a} {b}");
                assert_eq!(sort.compare_to(&a, &sort.key(&b)), order, "{a} {b}");
            }
        }
    }
    let equal = |sort: &Sort, a: Value, b: Value| assert!(sort.compare(&a, &b).is_eq(), "{a} {b}");
    equal(&up, json!({}), json!({"a": null}));
    equal(&up, json!({"a": [3, 1]}), json!({"a": 1}));
    equal(&down, json!({"a": [3, 1]}), json!({"a": 3}));
    let nested = Sort::parse(r#"{"a.b":1}"#, &limits).unwrap();
    equal(&nested, json!({"a": [{"b": 3}, {"b": 2}]}), json!({"a": {"b": 2}}));
    equal(&nested, json!({"a": [{"b": 3}, 1]}), json!({}));
    equal(&nested, json!({"a": []}), json!({"a": 1}));
    let indexed = Sort::parse(r#"{"a.1":1}"#, &limits).unwrap();
    equal(&indexed, json!({"a": [1, 7]}), json!({"a": {"1": 7}}));
    let two = Sort::parse(r#"{"value":-1,"_id":1}"#, &limits).unwrap();
    assert_eq!(two.paths(), ["value", "_id"]);
    assert!(
        two.compare(&json!({"value": 1, "_id": "b"}), &json!({"value": 1, "_id": "a"})).is_gt()
    );
    assert!(order(&json!(1), &json!("1")).is_lt());
}
