//! The exact text of some conditions and orders.
#![expect(clippy::unwrap_used, reason = "tables of cases")]

mod messages;

use messages::Messages;
use parlance_query::{Arg, Filter, Limits, Sort, compile, order_by};

fn sql(text: &str) -> (String, Vec<Arg>, bool) {
    let compiled = compile(&Filter::parse(text, &Limits::default()).unwrap(), &Messages, 3);
    (compiled.sql, compiled.args, compiled.exact)
}

#[test]
fn texts_of_conditions() {
    let text = |s: &str| Arg::Text(s.to_owned());
    for (filter, expected, args, exact) in [
        ("{}", "TRUE", vec![], true),
        (r#"{"ts":{"$gt":{"$date":5}}}"#, "(m.ts > $3)", vec![Arg::Int(5)], true),
        (r#"{"msg":{"$ne":"a"}}"#, "NOT ((m.msg = $3) IS TRUE)", vec![text("a")], true),
        (
            r#"{"msg":{"$in":["b","a",null]}}"#,
            "((m.msg IS NULL) OR (m.msg IN ($3, $4)))",
            vec![text("a"), text("b")],
            true,
        ),
        (
            r#"{"mentions._id":"x"}"#,
            "EXISTS (SELECT 1 FROM mentioned x WHERE x.message = m.id AND (x.usr = $3))",
            vec![text("x")],
            true,
        ),
        (
            r#"{"n":{"$gt":1.5,"$lt":1e30}}"#,
            "((m.n > $3) AND (m.n IS NOT NULL))",
            vec![Arg::Int(1)],
            true,
        ),
        (r#"{"n":"1","msg":"x"}"#, "FALSE", vec![], true),
        (r#"{"n":1.5,"other":1}"#, "FALSE", vec![], true),
        (r#"{"$nor":[{"n":1.5}]}"#, "TRUE", vec![], true),
        (r#"{"msg":"a\u0000b"}"#, "FALSE", vec![], true),
        (r#"{"pinned":true,"t":"d","ghost":null}"#, "(m.pinned)", vec![], true),
        (r#"{"pinned":false}"#, "(m.pinned = $3)", vec![Arg::Bool(false)], true),
        (r#"{"pinned":{"$ne":true}}"#, "NOT ((m.pinned) IS TRUE)", vec![], true),
        (
            r#"{"msg":{"$regex":"a"},"n":1}"#,
            "((m.msg IS NOT NULL) AND (m.n = $3))",
            vec![Arg::Int(1)],
            false,
        ),
        (r#"{"other":1,"n":1}"#, "(m.n = $3)", vec![Arg::Int(1)], false),
        (r#"{"$or":[{"other":1},{"n":1}]}"#, "TRUE", vec![], false),
        (r#"{"$nor":[{"other":1},{"n":1}]}"#, "NOT ((m.n = $3) IS TRUE)", vec![Arg::Int(1)], false),
        (r#"{"$nor":[{"other":1,"n":1}]}"#, "TRUE", vec![], false),
        (r#"{"$or":[{"other":1},{"t":"d"}]}"#, "TRUE", vec![], true),
    ] {
        let found = sql(filter);
        assert_eq!(found, (expected.to_owned(), args, exact), "{filter}");
    }
}

#[test]
fn texts_of_orders() {
    let order = |text: &str| order_by(&Sort::parse(text, &Limits::default()).unwrap(), &Messages);
    assert_eq!(
        order(r#"{"ts":-1,"msg":1}"#).unwrap(),
        "m.ts DESC NULLS LAST, m.msg ASC NULLS FIRST"
    );
    assert_eq!(order(r#"{"t":1,"ghost":-1}"#).unwrap(), "");
    assert_eq!(order("{}").unwrap(), "");
    assert_eq!(order(r#"{"ts":1,"tags":1}"#), None);
    assert_eq!(order(r#"{"other":1}"#), None);
}

#[test]
fn what_is_left_to_the_matcher() {
    let residual = |text: &str| {
        let filter = Filter::parse(text, &Limits::default()).unwrap();
        filter.residual(&Messages).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(residual(r#"{"ts":{"$gt":{"$date":1}},"t":{"$regex":"d"}}"#), [""; 0]);
    assert_eq!(
        residual(r#"{"msg":{"$regex":"a"},"other.x":1,"$or":[{"msg":{"$regex":"b"}}]}"#),
        ["msg", "other.x"]
    );
    assert_eq!(residual(r#"{"urls":{"$elemMatch":{"url":"x"}},"tags":null}"#), ["urls", "tags"]);
}
