//! Trees observed from the wire contract's own parser.
//!
//! Each line of `golden.jsonl` is a text and its tree; ours must be equal to
//! the byte, key order included.

use parlance_text::{Options, ast, parse, parse_at};

fn md(text: &str) -> Option<String> {
    parse(text, &Options::default()).md_json()
}

#[test]
fn trees_are_equal() -> Result<(), serde_json::Error> {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("golden.jsonl").lines() {
        let (text, tree): (String, String) = serde_json::from_str(line)?;
        count += 1;
        if md(&text).as_deref() != Some(tree.as_str()) {
            wrong.push(text);
        }
    }
    assert!(count > 900, "{count}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn empty_text_has_no_tree() {
    assert_eq!(md(""), None);
}

#[test]
fn schemes_that_run_code_stay_text() {
    for text in [
        "[a](javascript:alert(1))",
        "[a](JavaScript:x)",
        "[a](data:text/html,x)",
        "[a](vbscript:x)",
        "![a](data:image/png;base64,x)",
        "![a](javascript:x)",
        "<javascript:a|b>",
        "javascript://a.com",
        "*[a](javascript:x)*",
        "||[a](data:x)||",
        "- [a](javascript:x)",
    ] {
        let tree = md(text).unwrap_or_default();
        assert!(!tree.contains("LINK") && !tree.contains("IMAGE"), "{text}: {tree}");
    }
}

#[test]
fn names_and_addresses() {
    let parsed = parse(
        "@bob hi @all, @bob `@no` #dev\n> @ann.b. (https://a.com/x) *https://b.com*\n\
         ```\n@code https://code.com\n```\n- [x] [t](http://c.com) google.com a@b.com",
        &Options::default(),
    );
    assert_eq!(parsed.mentions(), ["bob", "all", "ann.b."]);
    assert_eq!(parsed.channels(), ["dev"]);
    assert_eq!(parsed.urls(), ["https://a.com/x", "https://b.com", "http://c.com"]);
}

#[test]
fn options_switch_constructs_off() {
    let off =
        Options { colors: false, emoticons: false, katex_parenthesis: false, ..Options::default() };
    let parsed = parse("color:#fff :) \\(x\\)", &off);
    let [ast::Block::Paragraph(nodes)] = parsed.md.as_slice() else {
        unreachable!("{:?}", parsed.md)
    };
    assert!(nodes.iter().all(|node| matches!(node, ast::Inline::Plain(_))), "{nodes:?}");
    let custom = Options { custom_domains: &["wiki.intern"], ..Options::default() };
    assert!(parse("wiki.intern", &custom).md_json().is_some_and(|md| md.contains("LINK")));
    assert!(md("wiki.intern").is_some_and(|md| !md.contains("LINK")));
}

#[test]
fn dollars_make_formulas() {
    let on = Options { katex_dollar: true, ..Options::default() };
    let block = |text: &str| parse(text, &on).md.into_iter().next();
    assert_eq!(block("$$x\ny$$"), Some(ast::Block::Katex("x\ny".to_owned())));
    // Which mark closes does not depend on the opening one.
    assert_eq!(block("\\[x$$"), Some(ast::Block::Katex("x".to_owned())));
    let line = |nodes: Vec<ast::Inline>| Some(ast::Block::Paragraph(nodes));
    let plain = |text: &str| ast::Inline::Plain(text.to_owned());
    let katex = |text: &str| ast::Inline::Katex(text.to_owned());
    assert_eq!(block("a $x$ b"), line(vec![plain("a "), katex("x"), plain(" b")]));
    assert_eq!(block("$5 and $6"), line(vec![katex("5 and "), plain("6")]));
    assert_eq!(block("$x"), line(vec![plain("$x")]));
    assert!(md("$x$").is_some_and(|md| !md.contains("KATEX")));
}

#[test]
fn a_time_of_day_needs_a_day() {
    let at = |text: &str| parse_at(text, &Options::default(), 1_790_000_000).md_json();
    assert!(at("<t:10:00+02:00>").is_some_and(|md| md.contains(r#""timestamp":"1789977600""#)));
    assert!(at("<t:10:00:30-02:00:R>").is_some_and(|md| md.contains(r#""format":"R""#)));
    assert!(at("<t:10:00>").is_some_and(|md| md.contains(r#""timestamp":"0""#)));
    assert!(md("<t:10:00+02:00>").is_some_and(|md| !md.contains("TIMESTAMP")));
    for now in [i64::MIN, i64::MAX] {
        let parsed = parse_at("<t:10:00-02:00>", &Options::default(), now);
        assert!(parsed.md_json().is_some_and(|md| md.contains("TIMESTAMP")));
    }
}

/// Any slicing of hostile text parses, and every tree is bounded.
#[test]
fn nothing_panics() {
    let hostile = "*_~||`[é](😀👨\u{200d}\u{fe0f}\\(\\[<t:1700000000:>@#:a.b@c.de+1(2)-3\r\n> - [ ] ```\n1. color:#ff\u{0}";
    let places: Vec<usize> = hostile.char_indices().map(|(at, _)| at).collect();
    for from in &places {
        for to in &places {
            if from < to {
                let text = hostile[*from..*to].repeat(3);
                assert!(md(&text).is_some());
            }
        }
    }
}

#[test]
fn addresses_are_found_wherever_they_stand_outside_code() {
    for (text, want) in [
        ("# see https://a.com now", &["https://a.com"][..]),
        ("(https://a.com) httphttp http://b.com, http://.", &["https://a.com", "http://b.com"]),
        ("httphttps://a.com", &["https://a.com"]),
        ("`https://a.com` https://a.com https://a.com", &["https://a.com"]),
    ] {
        let parsed = parlance_text::parse(text, &parlance_text::Options::default());
        assert_eq!(parsed.urls(), want, "{text}");
    }
}
