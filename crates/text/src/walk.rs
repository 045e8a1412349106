//! Walking a finished tree.
//!
//! Mentions, channels and URLs are read off the tree instead of the text, so
//! code, escapes and link labels are already settled.

use std::collections::HashSet;

use crate::ast::{Block, Inline};

/// What `pick` takes from the inline nodes, in text order, each once.
pub(crate) fn collect<'t>(
    blocks: &'t [Block],
    pick: impl Fn(&'t Inline) -> Option<&'t String>,
) -> Vec<&'t str> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut take = |node: &'t Inline| {
        if let Some(text) = pick(node)
            && seen.insert(text.as_str())
        {
            found.push(text.as_str());
        }
    };
    for block in blocks {
        match block {
            Block::Paragraph(line) => visit(line, &mut take),
            Block::Quote(lines) | Block::UnorderedList(lines) | Block::SpoilerBlock(lines) => {
                lines.iter().for_each(|line| visit(line, &mut take));
            }
            Block::OrderedList(lines) => lines.iter().for_each(|(_, line)| visit(line, &mut take)),
            Block::Tasks(lines) => lines.iter().for_each(|(_, line)| visit(line, &mut take)),
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
