//! Reading one line.
//!
//! A recursive walk: every construct that needs a closing mark is tried and,
//! without one, dropped. What dropped tries cost is counted as waste; when a
//! text has wasted its allowance no further try is made, so depth and time are
//! bounded whatever the text.

use crate::address;
use crate::ast::{Emoji, Inline};
use crate::class::{self, ALNUM, TEXT};
use crate::letter::in_name;
use crate::link::{Finder, Run, phone};
use crate::out::Out;
use crate::{MAX_WASTE_BASE, MAX_WASTE_PER_BYTE, Options};
use crate::{emoji, stamp};

mod emphasis;
mod mark;

/// Constructs that do not stand in themselves.
const BOLD: u8 = 1;
const ITALIC: u8 = 2;
const STRIKE: u8 = 4;
const REFERENCE: u8 = 8;

/// Where an emoticon may stand, and what else may then.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Line,
    Bold,
    Italic,
}

/// A walk over one text.
pub(crate) struct Walk<'t> {
    pub(crate) text: &'t str,
    pub(crate) bytes: &'t [u8],
    pub(crate) options: &'t Options<'t>,
    pub(crate) steps: usize,
    /// The moment of parsing, in seconds.
    now: Option<i64>,
    waste: usize,
    finder: Finder,
    words: Run,
    /// A run of one sign, such as `****`.
    signs: Run,
    /// After a run of marks that ends here nothing but text follows.
    no_hollow: usize,
    /// The constructs that are open here.
    open: u8,
    /// A single character stands before this place: no emoji follows it. The
    /// same within bold and italic text; a dropped try leaves its mark.
    glued: bool,
    bold_glued: bool,
    italic_glued: bool,
    /// No URL begins here: it was tried as part of the text before.
    no_url: usize,
    /// No end of a formula at or after this place.
    no_katex: usize,
    /// No `](` after this place, or where the next one stands.
    label_end: (usize, usize),
    /// A chain of emoticons, and whether something fit follows it.
    chain: (usize, usize, Place, bool),
}

impl<'t> Walk<'t> {
    pub(crate) fn new(text: &'t str, options: &'t Options<'t>, now: Option<i64>) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            options,
            steps: 0,
            now,
            waste: 0,
            finder: Finder::default(),
            words: Run::default(),
            signs: Run::default(),
            no_hollow: usize::MAX,
            open: 0,
            glued: false,
            bold_glued: false,
            italic_glued: false,
            no_url: usize::MAX,
            no_katex: usize::MAX,
            label_end: (usize::MAX, 0),
            chain: (1, 0, Place::Line, false),
        }
    }

    pub(crate) fn is_line_end(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), None | Some(b'\n' | b'\r'))
    }

    /// Where the run of the sign that stands here ends.
    fn same(&mut self, at: usize) -> usize {
        self.signs.same(self.bytes, at, &mut self.steps)
    }

    /// Whether dropped tries have used up what the text may cost.
    fn is_spent(&self) -> bool {
        self.waste > MAX_WASTE_BASE + MAX_WASTE_PER_BYTE * self.bytes.len()
    }

    /// Reads from `from` to the end of the line; the nodes and where it ended.
    pub(crate) fn line(&mut self, from: usize) -> (Vec<Inline>, usize) {
        let mut out = Out::new();
        let mut at = from;
        self.glued = false;
        while !self.is_line_end(at) {
            if let Some(end) = self.dull(at) {
                out.text(&self.text[at..end]);
                self.glued = true;
                at = end;
            } else if let Some(end) = self.item(at, &mut out) {
                self.glued = false;
                at = end;
            } else {
                self.glued = true;
                at = self.any(at, &mut out);
            }
        }
        (out.finish(), at)
    }

    /// The same for a list line after `* `, which a stray `*` ends.
    pub(crate) fn star_line(&mut self, from: usize) -> (Vec<Inline>, usize) {
        let mut out = Out::new();
        let mut at = from;
        while !self.is_line_end(at) {
            self.glued = false;
            at = match self.item(at, &mut out) {
                Some(end) => end,
                None if self.bytes[at] == b'*' => break,
                None => self.any(at, &mut out),
            };
        }
        (out.finish(), at)
    }

    /// A word of nothing but letters, digits and harmless signs.
    fn dull(&mut self, at: usize) -> Option<usize> {
        if at > 0 && !matches!(self.bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r') {
            return None;
        }
        let end = self.dull_end(at);
        self.steps += end.unwrap_or_else(|end| end) - at;
        end.ok().filter(|end| *end > at && !self.text[at..*end].starts_with("localhost"))
    }

    /// Where a dull word ends, or how far one was sought.
    fn dull_end(&self, at: usize) -> Result<usize, usize> {
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
                    _ => return Err(end),
                },
                0x80..=0xBF if end > at => {}
                b' ' | b'\t' | b'\n' | b'\r' => break,
                _ => return Err(end),
            }
            end += 1;
        }
        Ok(end)
    }

    /// Reads one item, if one begins here; where it ends.
    fn item(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        if let Some(end) = self.before_emoticon(at, out) {
            return Some(end);
        }
        if !self.glued
            && let Some((emoticon, end)) = self.emoticon(at)
            && self.fits_emoticon(end, Place::Line)
        {
            out.node(Inline::Emoji(emoticon));
            return Some(end);
        }
        self.after_emoticon(at, out)
    }

    /// The items that go before an emoticon.
    fn before_emoticon(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let b = *self.bytes.get(at)?;
        self.steps += 1;
        let found = match b {
            b' ' | b'\t' => return self.blank(at, out),
            b'<' => self.timestamp(at, out).or_else(|| self.angle(at, out)),
            b'[' => self.reference(at, out),
            b'+' => self.phone(at, out),
            b'|' => self.spoiler(at, out),
            b'*' | b'_' | b'~' => self.hollow(at, b, out).or_else(|| self.emphasis(at, b, out)),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
        if let Some(end) = self.address(at, b, out) {
            return Some(end);
        }
        self.opening(at, b, out)
            .or_else(|| self.mention(at, b, out))
            .or_else(|| if self.glued { None } else { self.emoji(at, b, out) })
            .or_else(|| self.code(at, b, out))
            .or_else(|| self.image(at, b, out))
    }

    /// The items that go after one.
    fn after_emoticon(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        match self.bytes.get(at)? {
            b'c' if self.options.colors => {
                let (rgba, len) = stamp::color(&self.text[at..])?;
                out.node(Inline::Color(rgba));
                Some(at + len)
            }
            b'\\' | b'$' => self.katex(at, out).or_else(|| self.escape(at, out)),
            _ => None,
        }
    }

    fn blank(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        let len = self.bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        if len == 0 {
            return None;
        }
        self.steps += len;
        out.blank(&self.text[at..at + len]);
        Some(at + len)
    }

    /// A character that stands for itself, with what it draws into the text:
    /// a telephone number and a URL.
    fn any(&mut self, at: usize, out: &mut Out) -> usize {
        // The original sees two halves of such a character; the second one may
        // stand before a mention.
        if self.bytes[at] >= 0xF0
            && let Some(end) = self.word_sign(at, out)
        {
            self.glued = false;
            return end;
        }
        let end = self.drawn(at);
        out.text(&self.text[at..end]);
        end
    }

    fn drawn(&mut self, at: usize) -> usize {
        let mut end = at + class::width(self.bytes[at]);
        if let Some(number) = phone(self.bytes, end) {
            self.steps += number - end;
            end = number;
        }
        if self.bytes.get(end).is_none_or(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')) {
            return end;
        }
        if let Some(url) = self.finder.drawn(self.bytes, end, &mut self.steps) {
            return url;
        }
        self.no_url = end;
        end
    }

    /// An e-mail address or URL.
    fn address(&mut self, at: usize, b: u8, out: &mut Out) -> Option<usize> {
        if (b.is_ascii_alphanumeric() || b >= 0x80)
            && let Some((start, end)) = self.finder.email(self.text, at, &mut self.steps)
        {
            out.node(address::mail(&self.text[start..end]));
            return Some(end);
        }
        if self.no_url == at {
            return None;
        }
        let end = self.finder.url(self.bytes, at, &mut self.steps)?;
        out.node(address::auto(&self.text[at..end], self.options.custom_domains));
        Some(end)
    }

    /// `word_` is text: what follows is not italic.
    fn opening(&mut self, at: usize, b: u8, out: &mut Out) -> Option<usize> {
        if self.open & ITALIC != 0 || !class::is(b, ALNUM) {
            return None;
        }
        let end = self.words.alnum(self.bytes, at, &mut self.steps);
        if self.bytes.get(end) != Some(&b'_') {
            return None;
        }
        let end = end + 1 + usize::from(self.bytes.get(end + 1) == Some(&b'_'));
        out.text(&self.text[at..end]);
        Some(end)
    }

    fn emoji(&mut self, at: usize, b: u8, out: &mut Out) -> Option<usize> {
        if b != b':' && b < 0x80 {
            return None;
        }
        let (emoji, len) = emoji::at(&self.text[at..], false, &mut self.steps)?;
        out.node(Inline::Emoji(emoji));
        Some(at + len)
    }

    fn emoticon(&self, at: usize) -> Option<(Emoji, usize)> {
        if !self.options.emoticons {
            return None;
        }
        let (emoji, len) = emoji::emoticon(&self.text[at..])?;
        Some((emoji, at + len))
    }

    /// Whether an emoticon may end here: before a blank, a `*`, the end, or
    /// something that is not plain text.
    fn fits_emoticon(&mut self, from: usize, place: Place) -> bool {
        let (start, end, known, fits) = self.chain;
        if known == place && start <= from && from <= end {
            return fits;
        }
        let before = self.steps;
        let mut scratch = Out::new();
        let mut at = from;
        let fits = loop {
            self.steps += 1;
            if matches!(self.bytes.get(at), None | Some(b' ' | b'\t' | b'\n' | b'\r' | b'*'))
                || place == Place::Italic && self.bytes[at] == b'_'
            {
                break true;
            }
            let item = match place {
                Place::Line => self.before_emoticon(at, &mut scratch),
                Place::Bold => self.in_bold(at, &mut scratch),
                Place::Italic => self.in_italic(at, &mut scratch),
            };
            if item.is_some() {
                break true;
            }
            let Some((_, end)) = self.emoticon(at) else {
                break place == Place::Line && self.after_emoticon(at, &mut scratch).is_some();
            };
            at = end;
        };
        self.chain = (from, at, place, fits);
        self.waste += self.steps - before;
        fits
    }

    /// `x@name` and `x#name`: no mention inside a word. Takes the first
    /// character of the name; the rest is read anew. Of several signs one stays.
    fn word_sign(&mut self, at: usize, out: &mut Out) -> Option<usize> {
        if !class::is(self.bytes[at], TEXT) {
            return None;
        }
        let sign = at + class::width(self.bytes[at]);
        let from = match self.bytes.get(sign)? {
            b'@' => self.same(sign),
            b'#' => sign + 1,
            _ => return None,
        };
        let first = self.text[from..].chars().next()?;
        if !in_name(first) || matches!(first, '.' | '-' | '_') {
            return None;
        }
        let end = from + first.len_utf8();
        let mut text = self.text[at..=sign].to_owned();
        text.push_str(&self.text[from..end]);
        out.text(&text);
        Some(end)
    }
}
