//! Trees observed from the wire contract's own parser.
//!
//! Each line of `golden.jsonl` is a text and its tree; ours must be equal to
//! the byte, key order included.

use parlance_text::{Options, ast, parse};

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
