//! Constructs that begin with a mark: emphasis, links, mentions, code.
//!
//! Each returns the nodes and where they end, or nothing; none touches what
//! was collected before, so a dropped try leaves no trace but its cost.

use super::{BOLD, ITALIC, Kind, LABEL, STRIKE, Walk, Within, in_name, link, stamp};
use crate::address;
use crate::ast::Inline;
use crate::out::Out;
use crate::{MAX_WASTE_BASE, MAX_WASTE_PER_BYTE};

type Found = Option<(Vec<Inline>, usize)>;

#[expect(clippy::unnecessary_wraps, reason = "every caller answers with a find or nothing")]
fn one(node: Inline, end: usize) -> Found {
    Some((vec![node], end))
}

impl Walk<'_> {
    fn is_spent(&self) -> bool {
        self.waste > MAX_WASTE_BASE + MAX_WASTE_PER_BYTE * self.bytes.len()
    }

    /// The inside of a construct and the place after its closing mark.
    fn enclosed(&mut self, at: usize, mark: &[u8], within: Within) -> Found {
        if !self.bytes[at..].starts_with(mark) || self.is_spent() {
            return None;
        }
        let before = self.steps;
        let mut out = Out::new();
        let end = self.sequence(at + mark.len(), within, &mut out);
        let solid = out.is_solid() || (within.kind == Kind::Spoiler && !out.is_empty());
        if solid && self.bytes[end..].starts_with(mark) {
            return Some((out.finish(), end + mark.len()));
        }
        self.waste += self.steps - before;
        None
    }

    pub(super) fn emphasis(&mut self, at: usize, b: u8, within: Within) -> Found {
        let (kind, flag, marks): (_, _, [&[u8]; 2]) = match b {
            b'*' => (Kind::Bold, BOLD, [b"**", b"*"]),
            b'_' => (Kind::Italic, ITALIC, [b"__", b"_"]),
            _ => (Kind::Strike, STRIKE, [b"~~", b"~"]),
        };
        if within.used & flag != 0 {
            return None;
        }
        if let Some(end) = self.hollow(at, b) {
            return one(Inline::Plain(self.text[at..end].to_owned()), end);
        }
        let inside = within.open(kind, flag);
        for mark in marks {
            let Some((nodes, end)) = self.enclosed(at, mark, inside) else {
                continue;
            };
            return match kind {
                Kind::Bold => one(Inline::Bold(nodes), end),
                Kind::Strike => one(Inline::Strike(nodes), end),
                _ => self.italic(nodes, mark, end),
            };
        }
        None
    }

    /// Marks with nothing but blanks between them are text.
    fn hollow(&mut self, at: usize, mark: u8) -> Option<usize> {
        let marks =
            |from: usize| self.bytes[from..].iter().take(2).take_while(|b| **b == mark).count();
        let blank = at + marks(at);
        let blanks = self.bytes[blank..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let close = blank + blanks;
        let end = close + marks(close);
        self.steps += end - at;
        (close > blank && end > close).then_some(end)
    }

    /// `_x_` is only text when a letter follows.
    fn italic(&mut self, nodes: Vec<Inline>, mark: &[u8], end: usize) -> Found {
        let letters = self.bytes[end..].iter().take_while(|b| b.is_ascii_alphabetic()).count();
        if letters == 0 {
            return one(Inline::Italic(nodes), end);
        }
        self.steps += letters;
        let mark = if mark.len() == 2 { "__" } else { "_" };
        let mut all = Vec::with_capacity(nodes.len() + 2);
        all.push(Inline::Plain(mark.to_owned()));
        all.extend(nodes);
        all.push(Inline::Plain(format!("{mark}{}", &self.text[end..end + letters])));
        Some((all, end + letters))
    }

    pub(super) fn spoiler(&mut self, at: usize, within: Within) -> Found {
        let (nodes, end) = self.enclosed(at, b"||", within.open(Kind::Spoiler, 0))?;
        one(Inline::Spoiler(nodes), end)
    }

    pub(super) fn code(&mut self, at: usize) -> Found {
        let rest = &self.bytes[at + 1..];
        let len = rest.iter().position(|b| matches!(b, b'`' | b'\n' | b'\r'))?;
        self.steps += len;
        if len == 0 || rest[len] != b'`' {
            return None;
        }
        one(Inline::Code(self.text[at + 1..at + 1 + len].to_owned()), at + len + 2)
    }

    pub(super) fn bracket(&mut self, at: usize, b: u8, within: Within) -> Found {
        match b {
            b'!' if within.is_wide() => self.image(at),
            b'[' if within.used & LABEL == 0 => self.reference(at, within),
            b'<' => {
                if (within.is_wide() || within.kind == Kind::Strike)
                    && let Some((node, len)) = stamp::timestamp(&self.text[at..])
                {
                    return one(node, at + len);
                }
                if within.used & LABEL == 0 { self.angle(at) } else { None }
            }
            _ => None,
        }
    }

    /// The next `](` from here; searching again from a later place is free
    /// until that one is passed.
    fn label_close(&mut self, from: usize) -> Option<usize> {
        let (asked, found) = self.label_end;
        if asked <= from && from <= found {
            return (found < self.text.len()).then_some(found);
        }
        let found = self.text[from..].find("](").map_or(self.text.len(), |len| from + len);
        self.steps += found - from;
        self.label_end = (from, found);
        (found < self.text.len()).then_some(found)
    }

    /// `[label](target)`
    fn reference(&mut self, at: usize, within: Within) -> Found {
        self.label_close(at + 1)?;
        if self.is_spent() {
            return None;
        }
        let before = self.steps;
        let mut out = Out::new();
        let inside = Within { kind: Kind::Label, used: within.used | LABEL };
        let close = self.sequence(at + 1, inside, &mut out);
        let end = if self.bytes[close..].starts_with(b"](") {
            link::target(self.bytes, close + 2, &mut self.steps)
                .filter(|end| self.bytes.get(*end) == Some(&b')'))
        } else {
            None
        };
        let Some(end) = end.filter(|end| !address::is_dangerous(&self.text[close + 2..*end]))
        else {
            self.waste += self.steps - before;
            return None;
        };
        let src = &self.text[close + 2..end];
        let mut label = out.finish();
        if label.is_empty() {
            label.push(Inline::Plain(href(src)));
        }
        one(Inline::Link { src: href(src), label }, end + 1)
    }

    /// `![label](target)`
    fn image(&mut self, at: usize) -> Found {
        if self.bytes.get(at + 1) != Some(&b'[') || self.is_spent() {
            return None;
        }
        let close = self.label_close(at + 2)?;
        let label = &self.text[at + 2..close];
        if !label.bytes().all(|b| b == b' ' || super::is_text(b)) {
            self.waste += label.len();
            self.steps += label.len();
            return None;
        }
        let before = self.steps;
        let end = link::target(self.bytes, close + 2, &mut self.steps)
            .filter(|end| self.bytes.get(*end) == Some(&b')'))
            .filter(|end| !address::is_dangerous(&self.text[close + 2..*end]));
        let Some(end) = end else {
            self.waste += self.steps - before;
            return None;
        };
        let src = href(&self.text[close + 2..end]);
        let label = if label.is_empty() { src.clone() } else { label.to_owned() };
        one(Inline::Image { src, label }, end + 1)
    }

    /// `<target|label>`
    fn angle(&mut self, at: usize) -> Found {
        if self.is_spent() {
            return None;
        }
        let before = self.steps;
        let found = self.angle_parts(at);
        let Some((bar, end)) = found else {
            self.waste += self.steps - before;
            return None;
        };
        let src = &self.text[at + 1..bar];
        let label = vec![Inline::Plain(self.text[bar + 1..end].to_owned())];
        one(Inline::Link { src: href(src), label }, end + 1)
    }

    /// Where the bar and the closing bracket of `<target|label>` stand.
    fn angle_parts(&mut self, at: usize) -> Option<(usize, usize)> {
        let bar = link::target(self.bytes, at + 1, &mut self.steps)?;
        if self.bytes.get(bar) != Some(&b'|') || address::is_dangerous(&self.text[at + 1..bar]) {
            return None;
        }
        let label = &self.bytes[bar + 1..];
        let len = label.iter().position(|b| *b < b' ' || matches!(b, b'<' | b'>' | b'|'))?;
        self.steps += len;
        (len > 0 && label[len] == b'>').then_some((bar, bar + 1 + len))
    }

    /// `@name`, `@name@server`, `@name:server`, `#name`
    pub(super) fn mention(&mut self, at: usize, b: u8) -> Found {
        if let Some(end) = self.glued(at) {
            return one(Inline::Plain(self.text[at..end].to_owned()), end);
        }
        let mut end = self.name(at + 1)?;
        if b == b'#' {
            return one(Inline::MentionChannel(self.text[at + 1..end].to_owned()), end);
        }
        if matches!(self.bytes.get(end), Some(b'@' | b':'))
            && let Some(server) = self.name(end + 1)
        {
            end = server;
        }
        one(Inline::MentionUser(self.text[at + 1..end].to_owned()), end)
    }

    fn name(&mut self, from: usize) -> Option<usize> {
        let rest = &self.text[from..];
        let len = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
        self.steps += len;
        (len > 0).then_some(from + len)
    }

    /// An escape or a formula.
    pub(super) fn backslash(&mut self, at: usize) -> Found {
        let next = *self.bytes.get(at + 1)?;
        if next == b'(' && self.options.katex_parenthesis && at < self.no_katex {
            let rest = &self.text[at + 2..];
            if let Some(len) = rest.find("\\)") {
                self.steps += len;
                return one(Inline::Katex(rest[..len].to_owned()), at + len + 4);
            }
            self.steps += rest.len();
            self.no_katex = at;
        }
        if matches!(next, b'#' | b'*' | b'.' | b'_' | b'`' | b'~') {
            return one(Inline::Plain(char::from(next).to_string()), at + 2);
        }
        None
    }

    pub(super) fn phone(&mut self, at: usize) -> Found {
        let end = link::phone(self.bytes, at)?;
        let text = &self.text[at..end];
        self.steps += text.len();
        let label = Inline::Plain(text.to_owned());
        match address::tel(text) {
            Some(src) => one(Inline::Link { src, label: vec![label] }, end),
            None => one(label, end),
        }
    }
}

/// The target as the tree wants it: telephone numbers get their scheme.
fn href(src: &str) -> String {
    if !src.starts_with('+') || src.contains([':', '.']) {
        return src.to_owned();
    }
    let digits: String = src.chars().filter(char::is_ascii_digit).collect();
    format!("tel:{digits}")
}
