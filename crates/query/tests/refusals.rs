//! What is refused: operators, shapes, sizes and secrets.
#![expect(clippy::too_many_lines, reason = "tables of cases")]

use parlance_query::{Error, Filter, Limits, Sort};
use proptest::prelude::*;

fn refused(text: &str) -> bool {
    matches!(Filter::parse(text, &Limits::default()), Err(Error::Query(_)))
}

#[test]
fn filters_that_are_not_filters() {
    for text in [
        "",
        " ",
        "[]",
        "1",
        "null",
        "{",
        r#"{"a":1}x"#,
        r#"{"a":1e999}"#,
        r"{a:1}",
        r#"{"a":NaN}"#,
        r#"{"$and":[]}"#,
        r#"{"$or":[]}"#,
        r#"{"$nor":[]}"#,
        r#"{"$or":{}}"#,
        r#"{"$or":[1]}"#,
        r#"{"$where":"1"}"#,
        r#"{"$expr":{}}"#,
        r#"{"$text":{}}"#,
        r#"{"$jsonSchema":{}}"#,
        r#"{"$regex":"x"}"#,
        r#"{"$comment":{"$where":"1"}}"#,
        r#"{"a":{"$comment":"x"}}"#,
        r#"{"__proto__":1}"#,
        r#"{"constructor":1}"#,
        r#"{"$or":[{"prototype":1}]}"#,
        r#"{"a":{"$where":"1"}}"#,
        r#"{"a":{"$function":{}}}"#,
        r#"{"a":{"$geoWithin":{}}}"#,
        r#"{"$and":[{"$or":[{"a":{"$not":{"$near":1}}}]}]}"#,
        r#"{"a":{"$elemMatch":{"$where":"1"}}}"#,
        r#"{"a":{"$elemMatch":{"b":{"$expr":1}}}}"#,
        r#"{"a":{"b":{"$gt":1}}}"#,
        r#"{"a":{"$gt":{"$gt":1}}}"#,
        r#"{"a":{"$gt":1,"b":2}}"#,
        r#"{"a":{"b":2,"$gt":1}}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"a.$":1}"#,
        r#"{"a.$gt":1}"#,
        r#"{"ts.$date":1}"#,
        "{\"a\\u0000\":1}",
        r#"{"a":{"$in":1}}"#,
        r#"{"a":{"$in":[{"$regex":"x"}]}}"#,
        r#"{"a":{"$in":[{"$gt":1}]}}"#,
        r#"{"a":{"$nin":null}}"#,
        r#"{"a":{"$all":1}}"#,
        r#"{"a":{"$all":[{"$gt":1}]}}"#,
        r#"{"a":{"$all":[{"$elemMatch":{"x":1}},1]}}"#,
        r#"{"a":{"$elemMatch":1}}"#,
        r#"{"a":{"$not":1}}"#,
        r#"{"a":{"$not":{}}}"#,
        r#"{"a":{"$not":{"b":1}}}"#,
        r#"{"a":{"$not":null}}"#,
        r#"{"a":{"$size":-1}}"#,
        r#"{"a":{"$size":1.5}}"#,
        r#"{"a":{"$size":"1"}}"#,
        r#"{"a":{"$mod":[0,1]}}"#,
        r#"{"a":{"$mod":[1]}}"#,
        r#"{"a":{"$mod":[1,2,3]}}"#,
        r#"{"a":{"$mod":["4",0]}}"#,
        r#"{"a":{"$type":"strin"}}"#,
        r#"{"a":{"$type":0}}"#,
        r#"{"a":{"$type":[]}}"#,
        r#"{"a":{"$type":2.5}}"#,
        r#"{"a":{"$options":"i"}}"#,
        r#"{"a":{"$regex":1}}"#,
        r#"{"a":{"$regex":"x","$options":"g"}}"#,
        r#"{"a":{"$regex":"(?=x)"}}"#,
        r#"{"a":{"$regex":"(x)\\1"}}"#,
        r#"{"a":{"$regex":"("}}"#,
        r#"{"a":{"$regex":"x","$regex":"y"}}"#,
        r#"{"a":{"$regex":"\\p{L}{9999}"}}"#,
        r#"{"a":{"$eq":{"$regularExpression":{"pattern":"x","options":""}}}}"#,
        r#"{"a":{"$regularExpression":"x"}}"#,
        r#"{"a":{"$regularExpression":{"pattern":"x","options":"","z":1}}}"#,
        r#"{"a":{"$date":"tomorrow"}}"#,
        r#"{"a":{"$date":null}}"#,
        r#"{"a":{"$date":1,"$gt":2}}"#,
        r#"{"a":{"$oid":1}}"#,
        r#"{"a":{"$numberInt":"3000000000"}}"#,
        r#"{"a":{"$minKey":1}}"#,
        r#"{"a":{"$binary":"x"}}"#,
        r#"{"a":{"$undefined":true}}"#,
        r#"{"a":[{"$where":"1"}]}"#,
        r#"{"a":{"$exists":{"$where":"1"}}}"#,
    ] {
        assert!(refused(text), "{text} should be refused");
    }
}

#[test]
fn sizes() {
    let text = |n: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(n));
    assert!(!refused(&text(8000)) && refused(&text(8192)));
    let nested = |n: usize| format!(r#"{{"a":{}1{}}}"#, "[".repeat(n), "]".repeat(n));
    assert!(!refused(&nested(11)) && refused(&nested(12)) && refused(&nested(4000)));
    let nor = |n: usize| format!("{}{{}}{}", r#"{"$nor":["#.repeat(n), "]}".repeat(n));
    assert!(!refused(&nor(5)) && refused(&nor(6)));
    let values = |n: usize| format!(r#"{{"a":{{"$in":[{}0]}}}}"#, "1,".repeat(n - 1));
    assert!(!refused(&values(500)) && refused(&values(501)));
    let nodes = |n: usize| format!(r#"{{"$or":[{}{{"a":1}}]}}"#, r#"{"a":1},"#.repeat(n - 1));
    assert!(!refused(&nodes(199)) && refused(&nodes(200)));
    let pattern = |n: usize| format!(r#"{{"a":{{"$regex":"{}"}}}}"#, "x".repeat(n));
    assert!(!refused(&pattern(512)) && refused(&pattern(513)));
    let patterns =
        |n: usize| format!(r#"{{"$or":[{}{{}}]}}"#, r#"{"a":{"$regex":"x"}},"#.repeat(n));
    assert!(!refused(&patterns(16)) && refused(&patterns(17)));
    let path = |n: usize| format!(r#"{{"a{}":1}}"#, ".a".repeat(n));
    assert!(!refused(&path(31)) && refused(&path(32)));
}

#[test]
fn sorts() {
    let parse = |text: &str| Sort::parse(text, &Limits::default());
    assert_eq!(parse("{}").unwrap(), Sort::default());
    assert_eq!(parse(r#"{"a":1.0,"b":-1}"#).unwrap().paths(), ["a", "b"]);
    for text in [
        "",
        "[]",
        "1",
        r#"{"a":0}"#,
        r#"{"a":2}"#,
        r#"{"a":"1"}"#,
        r#"{"a":true}"#,
        r#"{"a":"asc"}"#,
        r#"{"a":1,"a":1}"#,
        r#"{"":1}"#,
        r#"{"a.":1}"#,
        r#"{"a..b":1}"#,
        r#"{"$a":1}"#,
        r#"{"a":{"$meta":"x"}}"#,
        r#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1}"#,
    ] {
        assert!(matches!(parse(text), Err(Error::Sort(_))), "{text}");
    }
}

#[test]
fn secrets() {
    let secret = |path: &str| path == "services" || path == "u.emails";
    for text in [
        r#"{"services":1}"#,
        r#"{"services.password.bcrypt":{"$regex":"^a"}}"#,
        r#"{"$or":[{"a":1},{"$nor":[{"services.0.x":null}]}]}"#,
        r#"{"u.emails.0.address":1}"#,
        r#"{"u.0.emails":1}"#,
        r#"{"u":{"$elemMatch":{"emails":1}}}"#,
        r#"{"u":{"$gt":{"emails":"a"}}}"#,
        r#"{"u":{"$in":[{"emails":{"x":1}}]}}"#,
        r#"{"u":[{"emails":1}]}"#,
        r#"{"a":{"$not":{"$eq":1}},"services":{"$exists":true}}"#,
        r#"{"u":{"$elemMatch":{"0.emails":1}}}"#,
    ] {
        let filter = Filter::parse(text, &Limits::default()).unwrap();
        assert!(matches!(filter.refuse(&secret), Err(Error::Secret(_))), "{text}");
    }
    for text in [r"{}", r#"{"servicesx":1,"emails":1,"u":1,"a.services":1}"#] {
        let filter = Filter::parse(text, &Limits::default()).unwrap();
        assert_eq!(filter.refuse(&secret), Ok(()), "{text}");
    }
    let sort = Sort::parse(r#"{"a":1,"services.x":1}"#, &Limits::default()).unwrap();
    assert_eq!(sort.refuse(&secret), Err(Error::Secret("services.x".to_owned())));
}

#[test]
fn paths() {
    let text = r#"{"a.b":{"$gt":1,"$lt":2},"$or":[{"c":1},{"d":{"$elemMatch":{"e.f":1}}}],"g":{"$elemMatch":{"$gt":1}}}"#;
    let filter = Filter::parse(text, &Limits::default()).unwrap();
    assert_eq!(filter.paths(), ["a.b", "a.b", "c", "d", "d.e.f", "g", "g"]);
    assert!(!filter.is_all() && Filter::all().is_all());
    assert!(Filter::all().and(Filter::all()).is_all());
    let pinned = Filter::parse(r#"{"pinned":true}"#, &Limits::default()).unwrap();
    let either = Filter::one_of("mentions._id", vec!["a".into(), "b".into()]).unwrap();
    assert_eq!(Filter::all().and(pinned.clone()), pinned);
    let both = pinned.and(either);
    assert_eq!(both.paths(), ["pinned", "mentions._id"]);
    assert!(both.matches(&serde_json::json!({"pinned": true, "mentions": [{"_id": "b"}]})));
    assert!(!Filter::none().matches(&serde_json::json!({})));
    assert!(Filter::parse(r#"{"$comment":"x"}"#, &Limits::default()).unwrap().is_all());
}

proptest! {
    #[test]
    fn no_text_breaks_a_parser(text in "[\\[\\]{}\":,$a-z0-9.\\\\ -]{0,60}") {
        let limits = Limits::default();
        let _ = Filter::parse(&text, &limits);
        let _ = Sort::parse(&text, &limits);
        let _ = parlance_query::Fields::parse(&text, &limits);
        let dated = format!(r#"{{"a":{{"$date":"{}"}}}}"#, text.replace(['"', '\\'], ":"));
        let _ = Filter::parse(&dated, &limits);
    }
}
