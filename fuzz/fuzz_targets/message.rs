//! Any bytes, read as a message with any options.
//!
//! Holds the promises of `parlance-text` that no example can show: it never
//! panics, its tree is JSON of bounded depth, its steps are bounded by a line
//! through the text's length, and it makes up no name and no address.
#![no_main]

use libfuzzer_sys::fuzz_target;
use parlance_text::{MAX_DEPTH, Options, ast, parse_at};

/// Steps per byte, and in any text: what tries without a closing mark may
/// waste, and as much again for what the last of them was still walking.
const STEPS_PER_BYTE: usize = 8 * parlance_text::MAX_WASTE_PER_BYTE;
const STEPS: usize = 8 * parlance_text::MAX_WASTE_BASE;

fn depth(nodes: &[ast::Inline]) -> usize {
    let inside = nodes.iter().map(|node| match node {
        ast::Inline::Bold(value)
        | ast::Inline::Italic(value)
        | ast::Inline::Strike(value)
        | ast::Inline::Spoiler(value)
        | ast::Inline::Link { label: value, .. } => depth(value),
        _ => 0,
    });
    1 + inside.max().unwrap_or(0)
}

fn lines(block: &ast::Block) -> Vec<&[ast::Inline]> {
    match block {
        ast::Block::Paragraph(line) => vec![line],
        ast::Block::Quote(lines)
        | ast::Block::UnorderedList(lines)
        | ast::Block::Spoiler(lines) => lines.iter().map(Vec::as_slice).collect(),
        ast::Block::OrderedList(lines) => lines.iter().map(|(_, line)| line.as_slice()).collect(),
        ast::Block::Tasks(lines) => lines.iter().map(|(_, line)| line.as_slice()).collect(),
        _ => Vec::new(),
    }
}

fuzz_target!(|data: (u8, i64, &[u8])| {
    let (switches, now, bytes) = data;
    let text = String::from_utf8_lossy(bytes);
    let on = |bit: u8| switches & (1 << bit) != 0;
    let options = Options {
        colors: on(0),
        emoticons: on(1),
        katex_parenthesis: on(2),
        katex_dollar: on(3),
        custom_domains: if on(4) { &["intern", "wiki.corp"] } else { &[] },
    };
    let parsed = parse_at(&text, &options, now);

    assert_eq!(parsed.md.is_empty(), text.is_empty());
    let steps = parsed.steps();
    assert!(steps <= STEPS_PER_BYTE * text.len() + STEPS, "{steps} steps for {}", text.len());
    let (_, finding) = parsed.urls_counted();
    assert!(finding <= 2 * text.len(), "{finding} steps to find addresses in {}", text.len());
    for line in parsed.md.iter().flat_map(lines) {
        assert!(depth(line) <= MAX_DEPTH, "{line:?}");
    }
    if let Some(md) = parsed.md_json() {
        let tree: serde_json::Value = serde_json::from_str(&md).expect("JSON");
        assert!(tree.as_array().is_some_and(|blocks| !blocks.is_empty()));
    }
    for name in parsed.mentions().into_iter().chain(parsed.channels()).chain(parsed.urls()) {
        assert!(!name.is_empty() && text.contains(name), "{name:?}");
    }
});
