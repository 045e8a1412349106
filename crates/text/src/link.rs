//! Finding addresses: URLs, e-mail, telephone numbers, link targets.
//!
//! These functions look at bytes and say how far a candidate reaches; whether
//! it becomes a link is decided by the host's ending. Runs that were walked
//! once are remembered, so a long word is not walked again from each letter.

use crate::class::{self, ALNUM, DRAWN, EXTRA, LOCAL, SCHEME, STOP, TARGET, TARGET_EXTRA, USER};
use crate::letter::in_word;

/// Longest scheme, in bytes.
const MAX_SCHEME: usize = 32;

/// A run of one class of bytes that was walked before.
#[derive(Default, Clone, Copy)]
pub(crate) struct Run {
    start: usize,
    end: usize,
}

impl Run {
    fn holds(self, at: usize) -> bool {
        self.start <= at && at < self.end
    }

    /// The end of the run of one sign that `from` stands in.
    pub(crate) fn same(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> usize {
        if !self.holds(from) {
            let sign = bytes[from];
            let len = bytes[from..].iter().take_while(|b| **b == sign).count();
            *steps += len;
            *self = Self { start: from, end: from + len };
        }
        self.end
    }

    /// The end of the run of letters and digits that `from` stands in.
    pub(crate) fn alnum(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> usize {
        if !self.holds(from) {
            let len = class::run(&bytes[from..], ALNUM);
            *steps += len;
            *self = Self { start: from, end: from + len };
        }
        self.end
    }
}

/// What ends a body: nothing but closing punctuation before a blank.
#[derive(Clone, Copy)]
struct Body {
    /// What it may consist of.
    inside: u16,
    /// What is closing punctuation.
    extra: u16,
    /// Whether the end of the text counts as a blank.
    to_end: bool,
    /// Whether a closed pair of parentheses may stand in it.
    pairs: bool,
}

/// A URL that stands on its own.
const AUTO: Body = Body { inside: 0, extra: EXTRA, to_end: true, pairs: false };
/// A URL glued to what stands before it, or between `<` and `|`.
const GLUED: Body = Body { inside: DRAWN, extra: EXTRA, to_end: true, pairs: false };
/// The target of `[label](target)`.
const PAREN: Body = Body { inside: TARGET, extra: TARGET_EXTRA, to_end: false, pairs: true };

/// What is remembered while one text is walked.
#[derive(Default)]
pub(crate) struct Finder {
    labels: Run,
    locals: Run,
    /// The last `@` after which no domain was found.
    no_domain: usize,
    /// The place from which `://` was looked for last, and where it stands.
    scheme: (usize, usize),
    /// The last `://` after which no host was found.
    no_host: usize,
}

impl Finder {
    /// One unit of a host: a character, or a dash or low line and what follows.
    fn unit(bytes: &[u8], at: usize) -> Option<usize> {
        let b = *bytes.get(at)?;
        if b >= 0x80 {
            return Some(at + class::width(b));
        }
        if matches!(b, b'-' | b'_') {
            let next = *bytes.get(at + 1)?;
            return (!class::is(next, STOP)).then(|| at + 1 + class::width(next));
        }
        let sign = b == b'@' || class::is(b, STOP | EXTRA | USER);
        (!sign || b.is_ascii_alphanumeric()).then_some(at + 1)
    }

    /// One label of a host; where it ends.
    fn label(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        let joins = |b: u8| matches!(b, b'-' | b'_');
        let first = *bytes.get(from)?;
        // A walk from within a known label meets it again unless it begins
        // within a chain of dashes.
        if self.labels.holds(from)
            && (!joins(first) || from == self.labels.start || !joins(bytes[from - 1]))
            && Self::unit(bytes, from).is_some()
        {
            return Some(self.labels.end);
        }
        let mut end = from;
        while let Some(next) = Self::unit(bytes, end) {
            end = next;
        }
        *steps += end - from;
        if end == from {
            return None;
        }
        self.labels = Run { start: from, end };
        Some(end)
    }

    /// A host with a point in it, or `localhost`; where it ends.
    fn domain(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        if bytes[from..].starts_with(b"localhost") {
            return Some(from + 9);
        }
        if bytes.get(from) == Some(&b'_') {
            return None;
        }
        let mut end = self.label(bytes, from, steps)?;
        if bytes.get(end) != Some(&b'.') {
            return None;
        }
        let first = end;
        while bytes.get(end) == Some(&b'.') {
            let Some(next) = self.label(bytes, end + 1, steps) else {
                break;
            };
            *steps += 1;
            end = next;
        }
        (end > first).then_some(end)
    }

    /// A host and perhaps a port; where they end.
    fn host(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        let end = self.domain(bytes, from, steps)?;
        if bytes.get(end) != Some(&b':') {
            return Some(end);
        }
        Some(digits(bytes, end + 1).unwrap_or(end))
    }

    /// Scheme, user and host, or a bare host; where they end.
    fn head(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        *steps += 1;
        if let Some(at) = self.slashes(bytes, from, steps)
            && at != self.no_host
        {
            let host = user(bytes, at, steps);
            if let Some(end) = self.host(bytes, host, steps) {
                return Some(end);
            }
            self.no_host = at;
        }
        self.host(bytes, from, steps)
    }

    /// The place after `scheme://`.
    fn slashes(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        if !class::is(*bytes.get(from)?, SCHEME) {
            return None;
        }
        let (asked, found) = self.scheme;
        if asked == 0 || !(asked - 1 <= from && from <= found) {
            let rest = &bytes[from..];
            let len = rest.windows(3).position(|w| w == b"://").unwrap_or(rest.len());
            *steps += len;
            self.scheme = (from + 1, from + len);
        }
        let colon = self.scheme.1;
        let len = colon - from;
        if colon >= bytes.len() || len == 0 || len > MAX_SCHEME {
            return None;
        }
        *steps += len;
        (class::run(&bytes[from..colon], SCHEME) == len).then_some(colon + 3)
    }

    /// A URL on its own; where it ends.
    pub(crate) fn url(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        let end = self.head(bytes, from, steps)?;
        Some(body(bytes, end, AUTO, steps))
    }

    /// A URL that text before it draws in; where it ends.
    pub(crate) fn drawn(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        let end = self.head(bytes, from, steps)?;
        Some(body(bytes, end, GLUED, steps))
    }

    /// The target of `[label](target)`; where it ends.
    pub(crate) fn target(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        self.reference(bytes, from, PAREN, steps)
    }

    /// The target of `<target|label>`; where it ends.
    pub(crate) fn angle(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        self.reference(bytes, from, GLUED, steps)
    }

    fn reference(
        &mut self,
        bytes: &[u8],
        from: usize,
        kind: Body,
        steps: &mut usize,
    ) -> Option<usize> {
        if let Some(end) = self.head(bytes, from, steps) {
            return Some(body(bytes, end, kind, steps));
        }
        let rest = &bytes[from..];
        let len = class::run(&rest[..rest.len().min(MAX_SCHEME)], SCHEME);
        if len > 0 && rest.get(len) == Some(&b':') {
            let end = body(bytes, from + len + 1, kind, steps);
            if end > from + len + 1 {
                return Some(end);
            }
        }
        phone(bytes, from)
    }

    /// An e-mail address, perhaps after `mailto:`; its start and end.
    pub(crate) fn email(
        &mut self,
        text: &str,
        from: usize,
        steps: &mut usize,
    ) -> Option<(usize, usize)> {
        let bytes = text.as_bytes();
        let start = if bytes[from..].starts_with(b"mailto:") { from + 7 } else { from };
        let first = *bytes.get(start)?;
        if !(first.is_ascii_alphanumeric() || first >= 0x80 && starts_word(text, start)) {
            return None;
        }
        if !self.locals.holds(start) {
            let end = local_end(text, start);
            *steps += end - start;
            self.locals = Run { start, end };
        }
        let at = self.locals.end;
        if bytes.get(at) != Some(&b'@') || at == self.no_domain {
            return None;
        }
        let end = self.domain(bytes, at + 1, steps);
        if end.is_none() {
            self.no_domain = at;
        }
        end.map(|end| (start, end))
    }
}

fn starts_word(text: &str, at: usize) -> bool {
    text[at..].chars().next().is_some_and(in_word)
}

/// Where the part of an address before the `@` ends; a point in it stands
/// before a letter or digit.
fn local_end(text: &str, from: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = from;
    while let Some(b) = bytes.get(end) {
        let len = match b {
            b'.' if starts_word(text, end + 1) => 1,
            b if class::is(*b, LOCAL) => 1,
            b if *b >= 0x80 && starts_word(text, end) => class::width(*b),
            _ => break,
        };
        end += len;
    }
    end
}

/// The place after a user and perhaps a password before a host.
fn user(bytes: &[u8], from: usize, steps: &mut usize) -> usize {
    let name = from + class::run(&bytes[from..], USER);
    let mut end = name;
    if name > from && bytes.get(name) == Some(&b':') {
        let secret = class::run(&bytes[name + 1..], USER);
        end = if secret > 0 { name + 1 + secret } else { name };
    }
    *steps += end - from;
    if end > from && bytes.get(end) == Some(&b'@') { end + 1 } else { from }
}

/// Where what follows a host ends.
fn body(bytes: &[u8], from: usize, kind: Body, steps: &mut usize) -> usize {
    let mut at = from;
    while let Some(b) = bytes.get(at).copied() {
        if matches!(b, b' ' | b'\t') || kind.inside == 0 && matches!(b, b'\n' | b'\r') {
            break;
        }
        let mut end = at + 1;
        if class::is(b, kind.extra) {
            end = at + class::run(&bytes[at..], kind.extra);
            match bytes.get(end) {
                None if kind.to_end => break,
                Some(b' ' | b'\t' | b'\n' | b'\r') => break,
                _ => {}
            }
        }
        if kind.inside != 0 {
            let len = class::run(&bytes[at..end], kind.inside);
            if len < end - at {
                at += len;
                match pair(bytes, at, steps).filter(|_| kind.pairs) {
                    Some(end) => at = end,
                    None => break,
                }
                continue;
            }
        }
        at = end;
    }
    *steps += at - from;
    at
}

/// The place after a pair of parentheses.
fn pair(bytes: &[u8], at: usize, steps: &mut usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'(') {
        return None;
    }
    let rest = &bytes[at + 1..];
    let len = rest.iter().position(|b| !class::is(*b, DRAWN) || *b == b' ')?;
    *steps += len;
    (rest[len] == b')').then_some(at + len + 2)
}

fn digits(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let len = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
    (len > 0).then_some(at + len)
}

/// A telephone number; where it ends.
pub(crate) fn phone(bytes: &[u8], from: usize) -> Option<usize> {
    if bytes.get(from) != Some(&b'+') {
        return None;
    }
    let tail = |at: usize| (bytes.get(at) == Some(&b'-')).then(|| digits(bytes, at + 1)).flatten();
    if bytes.get(from + 1) == Some(&b'(') {
        let area = digits(bytes, from + 2)?;
        if bytes.get(area) != Some(&b')') {
            return None;
        }
        if let Some(end) = tail(area + 1) {
            return Some(end);
        }
        let end = digits(bytes, area + 1)?;
        return Some(tail(end).unwrap_or(end));
    }
    let end = digits(bytes, from + 1)?;
    Some(tail(end).unwrap_or(end))
}
