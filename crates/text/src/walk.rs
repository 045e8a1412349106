//! Walking a finished tree.
//!
//! Mentions, channels and URLs are read off the tree instead of the text, so
//! code, escapes and link labels are already settled.

use std::collections::HashSet;

use crate::ast::{Block, Inline};

/// What `pick` puts forward from the inline nodes and `head` from the text of
/// headings, in text order, each once.
pub(crate) fn collect<'t>(
    blocks: &'t [Block],
    mut head: impl FnMut(&'t str, &mut dyn FnMut(&'t str)),
    mut pick: impl FnMut(&'t Inline, &mut dyn FnMut(&'t str)),
) -> Vec<&'t str> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut put = |text: &'t str| {
        if seen.insert(text) {
            found.push(text);
        }
    };
    for block in blocks {
        if let Block::Heading { text, .. } = block {
            head(text, &mut put);
        }
        let mut take = |node: &'t Inline| pick(node, &mut put);
        match block {
            Block::Paragraph(line) => visit(line, &mut take),
            Block::Quote(lines) | Block::UnorderedList(lines) | Block::Spoiler(lines) => {
                for line in lines {
                    visit(line, &mut take);
                }
            }
            Block::OrderedList(lines) => {
                for (_, line) in lines {
                    visit(line, &mut take);
                }
            }
            Block::Tasks(lines) => {
                for (_, line) in lines {
                    visit(line, &mut take);
                }
            }
            _ => {}
        }
    }
    found
}

fn visit<'t>(nodes: &'t [Inline], take: &mut impl FnMut(&'t Inline)) {
    for node in nodes {
        take(node);
        match node {
            Inline::Bold(inside)
            | Inline::Italic(inside)
            | Inline::Strike(inside)
            | Inline::Spoiler(inside)
            | Inline::Link { label: inside, .. } => visit(inside, take),
            _ => {}
        }
    }
}

/// Web addresses among links, pictures and plain text; `steps` counts the bytes
/// of text that were looked at.
pub(crate) fn web<'t>(node: &'t Inline, put: &mut dyn FnMut(&'t str), steps: &mut usize) {
    match node {
        Inline::Link { src, .. } | Inline::Image { src, .. } if starts_web(src) => put(src),
        // The tree keeps `(https://x.org)` as text; it is an address all the same.
        Inline::Plain(text) => addresses(text, put, steps),
        _ => {}
    }
}

/// Web addresses in a text. Each byte is passed once: an address, or what only
/// began like one, is never looked at again.
pub(crate) fn addresses<'t>(text: &'t str, put: &mut dyn FnMut(&'t str), steps: &mut usize) {
    let mut rest = text;
    while let Some(at) = rest.find("http") {
        *steps += at + "http".len();
        rest = &rest[at..];
        if !starts_web(rest) {
            rest = &rest["http".len()..];
            continue;
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || "()<>[]{}\"'`|*\\".contains(c))
            .unwrap_or(rest.len());
        *steps += end;
        let url = rest[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '~', '_']);
        if starts_web(url) {
            put(url);
        }
        rest = &rest[end..];
    }
    *steps += rest.len();
}

/// Whether it is an http(s) address with something after the slashes.
fn starts_web(src: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| {
        src.len() > scheme.len()
            && src.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme))
    })
}
