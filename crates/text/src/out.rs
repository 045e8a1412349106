//! Collecting the nodes of one line.
//!
//! Neighbouring plain pieces melt together, and an emoji that touches text or
//! another emoji turns back into text. Both depend on raw neighbours only, so
//! one piece of memory, the kind of the last piece, is enough.

use crate::ast::{Emoji, Inline};

/// What the last piece was, before any melting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Blank,
    Text,
    Emoji,
    Node,
}

/// The nodes collected so far.
pub(crate) struct Out {
    nodes: Vec<Inline>,
    last: Last,
    /// The last node is a named emoji; true when what came before spoils it.
    pending: Option<bool>,
}

impl Out {
    pub(crate) fn new() -> Self {
        Self { nodes: Vec::new(), last: Last::Nothing, pending: None }
    }

    pub(crate) fn blank(&mut self, text: &str) {
        self.settle(false);
        self.melt(text);
        self.last = Last::Blank;
    }

    pub(crate) fn text(&mut self, text: &str) {
        if text.chars().all(is_blank) {
            return self.blank(text);
        }
        self.settle(true);
        self.melt(text);
        self.last = Last::Text;
    }

    pub(crate) fn node(&mut self, node: Inline) {
        match node {
            Inline::Emoji(emoji) => self.emoji(emoji),
            Inline::Plain(text) => self.text(&text),
            node => {
                self.settle(false);
                self.nodes.push(node);
                self.last = Last::Node;
            }
        }
    }

    fn emoji(&mut self, emoji: Emoji) {
        self.settle(true);
        if matches!(emoji, Emoji::Code { .. }) {
            self.pending = Some(matches!(self.last, Last::Text | Last::Emoji));
        }
        self.nodes.push(Inline::Emoji(emoji));
        self.last = Last::Emoji;
    }

    /// Decides the pending emoji, now that its right neighbour is known.
    fn settle(&mut self, spoils: bool) {
        let Some(before) = self.pending.take() else {
            return;
        };
        if !(before || spoils) {
            return;
        }
        if let Some(Inline::Emoji(Emoji::Code { value, emoticon, .. })) = self.nodes.pop() {
            if emoticon {
                self.melt(&value);
            } else {
                self.melt(&format!(":{value}:"));
            }
        }
    }

    fn melt(&mut self, text: &str) {
        if let Some(Inline::Plain(before)) = self.nodes.last_mut() {
            before.push_str(text);
        } else {
            self.nodes.push(Inline::Plain(text.to_owned()));
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Inline> {
        self.settle(false);
        self.nodes
    }
}

/// White space as the original trims it.
fn is_blank(c: char) -> bool {
    c == '\u{feff}' || c != '\u{85}' && c.is_whitespace()
}
