//! Reading one line.
//!
//! A recursive walk: every construct that needs a closing mark is tried and,
//! without one, dropped. What dropped tries cost is counted as waste; when a
//! text has wasted its allowance no further try is made, so depth and time are
//! bounded whatever the text.

use crate::Options;
use crate::address;
use crate::ast::{Emoji, Inline};
use crate::emoji;
use crate::letter::in_name;
use crate::link::{self, Finder, Run};
use crate::out::Out;
use crate::stamp;

const BOLD: u8 = 1;
const ITALIC: u8 = 2;
const STRIKE: u8 = 4;
const LABEL: u8 = 8;

/// What directly encloses the place that is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Line,
    /// A list line after `* `, where a stray `*` ends it.
    Star,
    Spoiler,
    Bold,
    Italic,
    Strike,
    Label,
}

/// The enclosing construct and the emphases open around it.
#[derive(Clone, Copy)]
struct Within {
    kind: Kind,
    used: u8,
}

impl Within {
    fn open(self, kind: Kind, flag: u8) -> Self {
        Self { kind, used: self.used | flag }
    }

    /// Whole lines and spoilers know more constructs than emphasis does.
    fn is_wide(self) -> bool {
        matches!(self.kind, Kind::Line | Kind::Star | Kind::Spoiler)
    }
}

/// Bytes after which a mention or channel sign is part of a word.
pub(crate) fn is_text(b: u8) -> bool {
    matches!(b, 0x21..=0x27 | 0x2B..=0x5A | 0x61..=0x7A | 0x80..)
}

/// A walk over one text.
pub(crate) struct Walk<'t> {
    pub(crate) text: &'t str,
    pub(crate) bytes: &'t [u8],
    pub(crate) options: &'t Options<'t>,
    pub(crate) steps: usize,
    waste: usize,
    finder: Finder,
    words: Run,
    /// No `\)` at or after this place.
    no_katex: usize,
    /// The next `](` at or after the place asked last.
    label_end: (usize, usize),
}

impl<'t> Walk<'t> {
    pub(crate) fn new(text: &'t str, options: &'t Options<'t>) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            options,
            steps: 0,
            waste: 0,
            finder: Finder::default(),
            words: Run::default(),
            no_katex: usize::MAX,
            label_end: (usize::MAX, 0),
        }
    }

    /// Reads from `from` to the end of the line; the nodes and where it ended.
    pub(crate) fn line(&mut self, from: usize) -> (Vec<Inline>, usize) {
        self.within_line(from, Kind::Line)
    }

    /// The same for a list line after `* `.
    pub(crate) fn star_line(&mut self, from: usize) -> (Vec<Inline>, usize) {
        self.within_line(from, Kind::Star)
    }

    fn within_line(&mut self, from: usize, kind: Kind) -> (Vec<Inline>, usize) {
        let mut out = Out::new();
        let end = self.sequence(from, Within { kind, used: 0 }, &mut out);
        (out.finish(), end)
    }

    fn sequence(&mut self, from: usize, within: Within, out: &mut Out) -> usize {
        let mut at = from;
        while let Some(b) = self.bytes.get(at).copied() {
            let stop = match within.kind {
                Kind::Line | Kind::Star => false,
                Kind::Bold => b == b'*' && (out.is_after_text() || !self.is_starred_emoticon(at)),
                Kind::Italic => b == b'_',
                Kind::Strike => b == b'~',
                Kind::Spoiler => b == b'|' && self.bytes.get(at + 1) == Some(&b'|'),
                Kind::Label => {
                    b == b']' && matches!(self.bytes[at + 1..], [b'(', ..] | [b' ', b'[', ..])
                }
            };
            if stop || (matches!(b, b'\n' | b'\r') && within.kind != Kind::Label) {
                break;
            }
            let end = self.item(at, b, within, out);
            if end == at {
                break;
            }
            at = end;
        }
        at
    }

    /// `*)` is an emoticon before it is a closing mark.
    fn is_starred_emoticon(&self, at: usize) -> bool {
        self.options.emoticons && emoji::emoticon(&self.bytes[at..]).is_some()
    }

    /// Reads one item; where it ends.
    fn item(&mut self, at: usize, b: u8, within: Within, out: &mut Out) -> usize {
        self.steps += 1;
        if matches!(b, b' ' | b'\t') {
            let len = self.bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
            self.steps += len;
            out.blank(&self.text[at..at + len]);
            return at + len;
        }
        if within.kind != Kind::Label
            && (out.is_empty() || matches!(self.bytes[at - 1], b' ' | b'\t'))
            && let Some(end) = self.dull(at)
        {
            out.text(&self.text[at..end]);
            return end;
        }
        let found = match b {
            b'*' | b'_' | b'~' => self.emphasis(at, b, within),
            _ if within.kind == Kind::Label => None,
            b'|' if matches!(within.kind, Kind::Line | Kind::Star) => self.spoiler(at, within),
            b'`' => self.code(at),
            b'[' | b'<' | b'!' => self.bracket(at, b, within),
            b'@' | b'#' => self.mention(at, b),
            b'\\' if within.is_wide() => self.backslash(at),
            b'+' if within.is_wide() => self.phone(at),
            _ => None,
        };
        if let Some((nodes, end)) = found {
            for node in nodes {
                out.node(node);
            }
            return end;
        }
        if let Some(end) = self.word(at, b, within, out) {
            return end;
        }
        if within.kind == Kind::Star && b == b'*' {
            return at;
        }
        self.any(at, within, out)
    }

    /// A word of nothing but letters, digits and harmless signs.
    fn dull(&mut self, at: usize) -> Option<usize> {
        let mut end = at;
        while let Some(b) = self.bytes.get(end) {
            match b {
                b'a'..=b'z'
                | b'A'..=b'Z'
                | b'0'..=b'9'
                | b','
                | b'?'
                | b'"'
                | b'/'
                | 0xC3..=0xDF
                | 0xE3..=0xEE => {}
                b'.' => match self.bytes.get(end + 1) {
                    None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'.') => {}
                    _ => return None,
                },
                0x80..=0xBF if end > at => {}
                b' ' | b'\t' | b'\n' | b'\r' => break,
                _ => return None,
            }
            end += 1;
        }
        self.steps += end - at;
        (end > at && !self.text[at..end].starts_with("localhost")).then_some(end)
    }

    /// Whatever starts with a letter, digit or other plain sign.
    fn word(&mut self, at: usize, b: u8, within: Within, out: &mut Out) -> Option<usize> {
        if within.is_wide()
            && let Some((node, end)) = self.address(at)
        {
            out.node(node);
            return Some(end);
        }
        if b.is_ascii_alphanumeric() && within.used & ITALIC == 0 {
            let end =
                self.words.end(self.bytes, at, &mut self.steps, |b| b.is_ascii_alphanumeric());
            if self.bytes.get(end) == Some(&b'_') {
                let more = usize::from(self.bytes.get(end + 1) == Some(&b'_'));
                let end = end + 1 + more;
                out.text(&self.text[at..end]);
                return Some(end);
            }
        }
        if within.kind == Kind::Label {
            return None;
        }
        // Beyond the basic plane the original sees halves, of which the first
        // is not followed by the sign.
        if b >= 0xF0
            && let Some(end) = self.emoji(at, within, out)
        {
            return Some(end);
        }
        if is_text(b)
            && let Some(end) = self.glued(at)
        {
            out.text(&self.text[at..end]);
            return Some(end);
        }
        if b == b'c'
            && within.is_wide()
            && self.options.colors
            && let Some((rgba, len)) = stamp::color(&self.text[at..])
        {
            out.node(Inline::Color(rgba));
            return Some(at + len);
        }
        self.emoji(at, within, out)
    }

    /// An emoji; named ones need something other than text before them.
    fn emoji(&mut self, at: usize, within: Within, out: &mut Out) -> Option<usize> {
        if self.bytes[at] < 0x80 && out.is_after_text() {
            return None;
        }
        let (emoji, len) = emoji::at(&self.text[at..], self.options.emoticons)?;
        if within.kind == Kind::Spoiler
            && self.bytes.get(at + len) == Some(&b'|')
            && matches!(emoji, Emoji::Code { emoticon: true, .. })
        {
            return None;
        }
        self.steps += len;
        out.node(Inline::Emoji(emoji));
        Some(at + len)
    }

    /// A character that stands for itself, with what it draws into the text.
    fn any(&mut self, at: usize, within: Within, out: &mut Out) -> usize {
        let first = self.text[at..].chars().next().map_or(1, char::len_utf8);
        let mut end = at + first;
        while let Some(to) = self.drawn(end, within) {
            end = to;
        }
        out.text(&self.text[at..end]);
        end
    }

    /// What a character draws into the text after it.
    fn drawn(&mut self, at: usize, within: Within) -> Option<usize> {
        if matches!(within.kind, Kind::Line | Kind::Bold | Kind::Italic)
            && self.bytes.get(at).is_some_and(|b| *b >= 0x80)
            && let Some(len) = emoji::unicode(&self.text[at..])
        {
            self.steps += len;
            let end = at + len;
            // A sign right after such an emoji starts no mention either.
            let after = self.text[..end].char_indices().next_back().map_or(end, |(at, _)| at);
            return Some(self.glued(after).unwrap_or(end));
        }
        if !within.is_wide() {
            return None;
        }
        let end = self
            .finder
            .drawn(self.bytes, at, &mut self.steps)
            .or_else(|| link::phone(self.bytes, at))?;
        self.steps += end - at;
        Some(end)
    }

    /// An e-mail address or URL.
    fn address(&mut self, at: usize) -> Option<(Inline, usize)> {
        if let Some((start, end)) = self.finder.email(self.bytes, at, &mut self.steps) {
            let node = address::mail(&self.text[start..end], self.options.custom_domains);
            return Some((node, end));
        }
        let end = self.finder.url(self.bytes, at, &mut self.steps)?;
        Some((address::auto(&self.text[at..end], self.options.custom_domains), end))
    }

    /// `x@name` and `x#name`: no mention inside a word.
    fn glued(&mut self, at: usize) -> Option<usize> {
        let mut chars = self.text[at..].char_indices();
        chars.next();
        let (sign, c) = chars.next()?;
        if !matches!(c, '@' | '#') {
            return None;
        }
        let from = at + sign + 1;
        // One character of the name is drawn in; the rest is read anew.
        let len = self.text[from..]
            .chars()
            .next()
            .filter(|c| in_name(*c) && !matches!(c, '.' | '-' | '_'))?
            .len_utf8();
        Some(from + len)
    }
}

mod mark;
