//! Bold, italic and struck text, and the labels of links.
//!
//! Each knows its own selection of constructs, and none stands in itself. Emoji
//! do not follow a plain character in bold and italic text; that memory is kept
//! beyond a dropped try, as in the original.

use super::{BOLD, ITALIC, Place, STRIKE, Walk};
use crate::ast::Inline;
use crate::class::{self, ALNUM};
use crate::out::Out;

impl Walk<'_> {
    /// Marks with nothing but blanks between them are text.
    pub(super) fn hollow(&mut self, at: usize, mark: u8, out: &mut Out) -> Option<usize> {
        let opened = self.same(at);
        if opened == self.no_hollow {
            return None;
        }
        let blanks = self.bytes[opened..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        self.steps += blanks;
        let close = opened + blanks;
        if blanks == 0 || self.bytes.get(close) != Some(&mark) {
            self.no_hollow = opened;
            return None;
        }
        let end = self.same(close);
        out.text(&self.text[at..end]);
        Some(end)
    }

    pub(super) fn emphasis(&mut self, at: usize, b: u8, out: &mut Out) -> Option<usize> {
        let flag = match b {
            b'*' => BOLD,
            b'_' => ITALIC,
            _ => STRIKE,
        };
        if self.open & flag != 0 || self.is_spent() {
            return None;
        }
        self.open |= flag;
        let before = self.steps;
        let end = match b {
            b'*' => self.bold(at, out),
            b'_' => self.italic(at, out),
            _ => self.strike(at, out),
        };
        self.open &= !flag;
        if end.is_none() {
            self.waste += self.steps - before;
        }
        end
    }

    /// Two marks if two stand here.
    fn mark(&self, at: usize, b: u8) -> usize {
        1 + usize::from(self.bytes.get(at + 1) == Some(&b))
    }

    /// The place after a closing mark of that length.
    fn closed(&self, at: usize, b: u8, len: usize) -> Option<usize> {
        let rest = self.bytes.get(at..at + len)?;
        rest.iter().all(|c| *c == b).then_some(at + len)
    }

    fn bold(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let len = self.mark(at, b'*');
        if let Some(end) = self.bold_within(at, len, out) {
            return Some(end);
        }
        // One mark, and an emoticon that begins with the other.
        if len == 2 { self.bold_within(at, 1, out) } else { None }
    }

    fn bold_within(&mut self, at: usize, len: usize, out: &mut Out) -> Option<usize> {
        let mut inside = Out::new();
        self.bold_glued = false;
        let mut next = at + len;
        while let Some(b) = self.bytes.get(next).copied() {
            let end = match self.in_bold(next, &mut inside) {
                None if !self.bold_glued => self.emoticon_within(next, Place::Bold, &mut inside),
                found => found,
            };
            match end {
                Some(end) => {
                    self.bold_glued = false;
                    next = end;
                }
                None if matches!(b, b'\n' | b'*') => break,
                None => (next, self.bold_glued) = self.single(next, &mut inside),
            }
        }
        // Reading an inside forgets, whether or not it is closed.
        self.bold_glued = false;
        if next == at + len {
            return None;
        }
        let end = self.closed(next, b'*', len)?;
        out.node(Inline::Bold(inside.finish()));
        Some(end)
    }

    fn italic(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let len = self.mark(at, b'_');
        let glued = self.italic_glued;
        let (mut inside, mut next) = self.italic_within(at + len);
        let close = self.closed(next, b'_', len).filter(|_| next > at + len);
        if let Some(close) = close {
            let word = if len == 2 {
                class::run(&self.bytes[close..], ALNUM)
            } else {
                self.bytes[close..].iter().take_while(|b| b.is_ascii_alphabetic()).count()
            };
            if word > 0 {
                self.steps += word;
                return Some(self.word_italic(at, (inside, next), close + word, out));
            }
        }
        self.italic_glued = false;
        if glued {
            (inside, next) = self.italic_within(at + len);
        }
        // Reading an inside forgets, whether or not it is closed.
        self.italic_glued = false;
        let end = self.closed(next, b'_', len).filter(|_| next > at + len)?;
        out.node(Inline::Italic(inside));
        Some(end)
    }

    /// `_x_y` is text when a letter follows; what stands in it is read all the
    /// same.
    fn word_italic(
        &mut self,
        at: usize,
        inside: (Vec<Inline>, usize),
        end: usize,
        out: &mut Out,
    ) -> usize {
        let (nodes, next) = inside;
        let len = self.mark(at, b'_');
        // Each mark and the word after are pieces of their own.
        let mut pieces = Out::new();
        pieces.text(&self.text[at..at + len]);
        for node in nodes {
            pieces.node(node);
        }
        pieces.text(&self.text[next..next + len]);
        pieces.text(&self.text[next + len..end]);
        for node in pieces.finish() {
            out.node(node);
        }
        end
    }

    fn italic_within(&mut self, from: usize) -> (Vec<Inline>, usize) {
        let mut inside = Out::new();
        let mut next = from;
        while let Some(b) = self.bytes.get(next).copied() {
            let end = match self.in_italic(next, &mut inside) {
                None if !self.italic_glued => {
                    self.emoticon_within(next, Place::Italic, &mut inside)
                }
                found => found,
            };
            match end {
                Some(end) => {
                    self.italic_glued = false;
                    next = end;
                }
                None if matches!(b, b'\n' | b'_') => break,
                None => (next, self.italic_glued) = self.single(next, &mut inside),
            }
        }
        (inside.finish(), next)
    }

    fn strike(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let len = self.mark(at, b'~');
        let mut inside = Out::new();
        let mut next = at + len;
        while let Some(b) = self.bytes.get(next).copied() {
            match self.in_strike(next, b, &mut inside) {
                Some(end) => next = end,
                None if matches!(b, b'\n' | b'~') => break,
                None => (next, _) = self.single(next, &mut inside),
            }
        }
        if next == at + len {
            return None;
        }
        let end = self.closed(next, b'~', len)?;
        out.node(Inline::Strike(inside.finish()));
        Some(end)
    }

    /// A plain character within emphasis, and whether it is glued to what
    /// follows: of a wide one the second half may stand before a mention.
    fn single(&mut self, at: usize, out: &mut Out) -> (usize, bool) {
        self.steps += 1;
        let end = at + class::width(self.bytes[at]);
        if self.bytes[at] >= 0xF0
            && let Some(end) = self.word_sign(at, out)
        {
            return (end, false);
        }
        out.text(&self.text[at..end]);
        (end, true)
    }

    fn emoticon_within(&mut self, at: usize, place: Place, out: &mut Out) -> Option<usize> {
        let (emoticon, end) = self.emoticon(at)?;
        if !self.fits_emoticon(end, place) {
            return None;
        }
        out.node(Inline::Emoji(emoticon));
        Some(end)
    }

    /// What every emphasis knows.
    fn common(&mut self, at: usize, b: u8, out: &mut Out) -> Option<usize> {
        self.steps += 1;
        match b {
            b' ' | b'\t' => self.blank(at, out),
            b'`' => self.code(at, b, out),
            b'[' => self.reference(at, out),
            b'<' => self.angle(at, out).or_else(|| self.mention(at, b, out)),
            _ => self.mention(at, b, out),
        }
    }

    /// The items of bold text, without emoticons.
    pub(super) fn in_bold(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let b = *self.bytes.get(at)?;
        if let Some(end) = self.common(at, b, out) {
            return Some(end);
        }
        let end = match b {
            b'_' | b'~' => self.emphasis(at, b, out),
            _ => self.opening(at, b, out),
        };
        if end.is_some() || self.bold_glued { end } else { self.emoji(at, b, out) }
    }

    /// The items of italic text, without emoticons.
    pub(super) fn in_italic(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let b = *self.bytes.get(at)?;
        if let Some(end) = self.common(at, b, out) {
            return Some(end);
        }
        let end = if matches!(b, b'*' | b'~') { self.emphasis(at, b, out) } else { None };
        if end.is_some() || self.italic_glued { end } else { self.emoji(at, b, out) }
    }

    /// The items of struck text.
    fn in_strike(&mut self, at: usize, b: u8, out: &mut Out) -> Option<usize> {
        if b == b'<'
            && let Some(end) = self.timestamp(at, out)
        {
            return Some(end);
        }
        if let Some(end) = self.common(at, b, out) {
            return Some(end);
        }
        let end = match b {
            b'_' | b'*' => self.emphasis(at, b, out),
            _ => self.opening(at, b, out),
        };
        if end.is_some() {
            return end;
        }
        if let Some(end) = self.emoji(at, b, out) {
            return Some(end);
        }
        let (emoticon, end) = self.emoticon(at)?;
        out.node(Inline::Emoji(emoticon));
        Some(end)
    }

    /// The label of a link and where it ends.
    pub(super) fn label(&mut self, from: usize) -> (Vec<Inline>, usize) {
        let mut out = Out::new();
        let mut at = from;
        while let Some(b) = self.bytes.get(at).copied() {
            self.steps += 1;
            let item = match b {
                b' ' | b'\t' => self.blank(at, &mut out),
                b'*' | b'_' | b'~' => self.emphasis(at, b, &mut out),
                _ => self.opening(at, b, &mut out),
            };
            at = match item {
                Some(end) => end,
                None if b == b']' && self.is_label_end(at) => break,
                None => {
                    let end = at + class::width(b);
                    out.text(&self.text[at..end]);
                    end
                }
            };
        }
        (out.finish(), at)
    }

    /// `](x`, or `] [y](`
    fn is_label_end(&mut self, at: usize) -> bool {
        match &self.bytes[at + 1..] {
            [b'(', _, ..] => true,
            [b' ', b'[', rest @ ..] => {
                let len = rest.iter().position(|b| *b == b']').unwrap_or(rest.len());
                self.steps += len;
                rest[len..].starts_with(b"](")
            }
            _ => false,
        }
    }
}
