//! Constructs that begin with a mark: spoilers, links, mentions, code, formulas.
//!
//! Each puts its node out and says where it ends, or does nothing; none touches
//! what was put out before, so a dropped try leaves no trace but its cost.

use super::{REFERENCE, Walk};
use crate::address;
use crate::ast::Inline;
use crate::class::{self, TEXT};
use crate::letter::in_name;
use crate::link::phone;
use crate::out::Out;
use crate::stamp;

impl Walk<'_> {
    /// `||x||`
    pub(super) fn spoiler(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let is_mark = |bytes: &[u8], at: usize| bytes[at..].starts_with(b"||");
        if !is_mark(self.bytes, at) || self.is_spent() {
            return None;
        }
        let before = self.steps;
        let mut inside = Out::new();
        let mut next = at + 2;
        while !self.is_line_end(next) && !is_mark(self.bytes, next) {
            self.glued = false;
            next = if let Some(end) = self.item(next, &mut inside) {
                end
            } else {
                self.glued = true;
                self.any(next, &mut inside)
            };
        }
        if next > at + 2 && is_mark(self.bytes, next) {
            out.node(Inline::Spoiler(inside.finish()));
            return Some(next + 2);
        }
        self.waste += self.steps - before;
        None
    }

    pub(super) fn code(&mut self, at: usize, b: u8, out: &mut Out) -> Option<usize> {
        if b != b'`' {
            return None;
        }
        let rest = &self.bytes[at + 1..];
        let len = rest.iter().position(|b| matches!(b, b'`' | b'\n'))?;
        self.steps += len;
        if len == 0 || rest[len] != b'`' {
            return None;
        }
        out.node(Inline::Code(self.text[at + 1..at + 1 + len].to_owned()));
        Some(at + len + 2)
    }

    pub(super) fn timestamp(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let (node, len) = stamp::timestamp(&self.text[at..], self.now)?;
        self.steps += len;
        out.node(node);
        Some(at + len)
    }

    /// Whether a `](` stands after this place; searching again from a later
    /// one is free until the one that was found is passed.
    fn has_label_end(&mut self, from: usize) -> bool {
        let (asked, found) = self.label_end;
        if !(asked <= from && from <= found) {
            let found = self.text[from..].find("](").map_or(self.text.len(), |len| from + len);
            self.steps += found - from;
            self.label_end = (from, found);
        }
        self.label_end.1 < self.text.len()
    }

    /// `[label](target)`
    pub(super) fn reference(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        if self.open & REFERENCE != 0 || self.is_spent() || !self.has_label_end(at + 1) {
            return None;
        }
        let before = self.steps;
        self.open |= REFERENCE;
        let (mut label, close) = self.label(at + 1);
        self.open &= !REFERENCE;
        let end = self.bytes[close..].starts_with(b"](").then(|| self.target(close + 2)).flatten();
        let Some(end) = end else {
            self.waste += self.steps - before;
            return None;
        };
        let src = href(&self.text[close + 2..end]);
        if label.is_empty() {
            label.push(Inline::Plain(src.clone()));
        }
        out.node(Inline::Link { src, label });
        Some(end + 1)
    }

    /// Where a target ends that a `)` closes and that runs nothing.
    fn target(&mut self, from: usize) -> Option<usize> {
        let end = self.finder.target(self.bytes, from, &mut self.steps)?;
        let is_closed = self.bytes.get(end) == Some(&b')');
        (is_closed && !address::is_dangerous(&self.text[from..end])).then_some(end)
    }

    /// `![label](target)`
    pub(super) fn image(&mut self, at: usize, b: u8, out: &mut Out) -> Option<usize> {
        if b != b'!' || self.bytes.get(at + 1) != Some(&b'[') || self.is_spent() {
            return None;
        }
        let before = self.steps;
        let found = self.image_parts(at + 2);
        let Some((close, end)) = found else {
            self.waste += self.steps - before;
            return None;
        };
        let label = &self.text[at + 2..close];
        let src = href(&self.text[close + 2..end]);
        let label = if label.is_empty() { src.clone() } else { label.to_owned() };
        out.node(Inline::Image { src, label });
        Some(end + 1)
    }

    /// Where the label and the target of a picture end.
    fn image_parts(&mut self, from: usize) -> Option<(usize, usize)> {
        let blanks =
            |at: usize| self.bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let words = from + blanks(from);
        let text = class::run(&self.bytes[words..], TEXT);
        let close = if text > 0 { words + text + blanks(words + text) } else { from };
        self.steps += words + text - from;
        if !self.bytes[close..].starts_with(b"](") {
            return None;
        }
        Some((close, self.target(close + 2)?))
    }

    /// `<target|label>`
    pub(super) fn angle(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        if self.open & REFERENCE != 0 || self.is_spent() {
            return None;
        }
        let before = self.steps;
        let Some((bar, end)) = self.angle_parts(at) else {
            self.waste += self.steps - before;
            return None;
        };
        let src = href(&self.text[at + 1..bar]);
        let label = vec![Inline::Plain(self.text[bar + 1..end].to_owned())];
        out.node(Inline::Link { src, label });
        Some(end + 1)
    }

    /// Where the bar and the closing bracket of `<target|label>` stand.
    fn angle_parts(&mut self, at: usize) -> Option<(usize, usize)> {
        let bar = self.finder.angle(self.bytes, at + 1, &mut self.steps)?;
        if self.bytes.get(bar) != Some(&b'|') || address::is_dangerous(&self.text[at + 1..bar]) {
            return None;
        }
        let label = &self.bytes[bar + 1..];
        let len = label.iter().position(|b| *b < b' ' || matches!(b, b'<' | b'>' | b'|'))?;
        self.steps += len;
        (len > 0 && label[len] == b'>').then_some((bar, bar + 1 + len))
    }

    /// `@name`, `@name@server`, `@name:server`, `#name`
    pub(super) fn mention(&mut self, at: usize, b: u8, out: &mut Out) -> Option<usize> {
        // Of a character in two halves only the second one stands before a sign.
        if b < 0xF0
            && let Some(end) = self.word_sign(at, out)
        {
            return Some(end);
        }
        if b == b'#' {
            let end = self.name(at + 1)?;
            out.node(Inline::MentionChannel(self.text[at + 1..end].to_owned()));
            return Some(end);
        }
        if b != b'@' {
            return None;
        }
        let from = self.same(at);
        let mut end = self.name(from)?;
        if matches!(self.bytes.get(end), Some(b'@' | b':'))
            && let Some(server) = self.name(end + 1)
        {
            end = server;
        }
        out.node(Inline::MentionUser(self.text[from..end].to_owned()));
        Some(end)
    }

    fn name(&mut self, from: usize) -> Option<usize> {
        let rest = &self.text[from..];
        let len = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
        self.steps += len;
        (len > 0).then_some(from + len)
    }

    /// `\(x\)` or `$x$`; which mark closes does not depend on the opening one.
    pub(super) fn katex(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let (round, dollar) = (self.options.katex_parenthesis, self.options.katex_dollar);
        let rest = &self.bytes[at..];
        let from = match rest {
            [b'\\', b'(', ..] if round => at + 2,
            [b'$', ..] if dollar => at + 1,
            _ => return None,
        };
        if at >= self.no_katex {
            return None;
        }
        let mut end = from;
        while let Some(b) = self.bytes.get(end) {
            let close = match b {
                b'\\' if round && self.bytes.get(end + 1) == Some(&b')') => 2,
                b'$' if dollar => 1,
                _ => {
                    end += 1;
                    continue;
                }
            };
            self.steps += end - at;
            out.node(Inline::Katex(self.text[from..end].to_owned()));
            return Some(end + close);
        }
        self.steps += end - at;
        self.no_katex = at;
        None
    }

    /// A mark that is meant literally.
    pub(super) fn escape(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let next = *self.bytes.get(at + 1)?;
        if self.bytes[at] != b'\\' || !matches!(next, b'#' | b'*' | b'.' | b'_' | b'`' | b'~') {
            return None;
        }
        out.text(&self.text[at + 1..at + 2]);
        Some(at + 2)
    }

    pub(super) fn phone(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let end = phone(self.bytes, at)?;
        let text = &self.text[at..end];
        self.steps += text.len();
        let label = Inline::Plain(text.to_owned());
        match address::tel(text) {
            Some(src) => out.node(Inline::Link { src, label: vec![label] }),
            None => out.node(label),
        }
        Some(end)
    }
}

/// The target as the tree wants it: telephone numbers get their scheme.
fn href(src: &str) -> String {
    if phone(src.as_bytes(), 0) != Some(src.len()) {
        return src.to_owned();
    }
    let digits: String = src.chars().filter(char::is_ascii_digit).collect();
    format!("tel:{digits}")
}
