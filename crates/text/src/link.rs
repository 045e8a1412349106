//! Finding addresses: URLs, e-mail, telephone numbers, link targets.
//!
//! These functions look at bytes and say how far a candidate reaches; whether
//! it becomes a link is decided by the host's ending. Runs that were walked
//! once are remembered, so a long word is not walked again from each letter.

/// Longest scheme, in bytes.
const MAX_SCHEME: usize = 32;

/// A run of one class of bytes that was walked before.
#[derive(Default, Clone, Copy)]
pub(crate) struct Run {
    start: usize,
    end: usize,
}

impl Run {
    /// The end of the run that `from` stands in.
    pub(crate) fn end(
        &mut self,
        bytes: &[u8],
        from: usize,
        steps: &mut usize,
        mut within: impl FnMut(u8) -> bool,
    ) -> usize {
        if from < self.start || from >= self.end {
            let len = bytes[from..].iter().position(|b| !within(*b)).unwrap_or(bytes.len() - from);
            *steps += len;
            *self = Self { start: from, end: from + len };
        }
        self.end
    }
}

fn is_label(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b >= 0x80 || matches!(b, b'-' | b'_' | b'^' | b'{' | b'}')
}

fn starts_label(b: u8) -> bool {
    is_label(b) && b != b'-' && b != b'_'
}

fn starts_local(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b >= 0x80
}

fn is_local(b: u8) -> bool {
    starts_local(b)
        || matches!(
            b,
            b'!' | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'='
                | b'^'
                | b'_'
                | b'`'
                | b'{'
                | b'|'
                | b'}'
                | b'~'
                | b'.'
        )
}

fn ends_body(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

fn is_extra(b: u8) -> bool {
    matches!(
        b,
        b'!' | b'"' | b'%' | b'\'' | b'(' | b')' | b'*' | b',' | b'.' | b':' | b';' | b'=' | b'~'
    )
}

/// What is remembered while one text is walked.
#[derive(Default)]
pub(crate) struct Finder {
    labels: Run,
    locals: Run,
    users: Run,
    /// The last `@` after which no domain was found.
    no_domain: usize,
    no_host: usize,
}

impl Finder {
    /// One label of a host; where it ends.
    fn label(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        if !starts_label(*bytes.get(from)?) {
            return None;
        }
        let mut end = self.labels.end(bytes, from, steps, is_label);
        while matches!(bytes[end - 1], b'-' | b'_') {
            end -= 1;
        }
        (end > from).then_some(end)
    }

    /// A host with a point in it, or `localhost`; where it ends.
    fn host(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        let mut end = self.label(bytes, from, steps)?;
        let mut labels = 1;
        while bytes.get(end) == Some(&b'.') {
            let under = usize::from(bytes.get(end + 1) == Some(&b'_'));
            let Some(next) = self.label(bytes, end + 1 + under, steps) else {
                break;
            };
            *steps += 1;
            end = next;
            labels += 1;
        }
        (labels > 1 || bytes[from..].starts_with(b"localhost")).then_some(end)
    }

    /// A URL with or without a scheme; where it ends.
    pub(crate) fn url(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        if let Some(host_end) = self.address(bytes, from, steps) {
            return Some(self.body(bytes, host_end, steps));
        }
        let host_end = self.visitor(bytes, from, steps)?;
        Some(target_body(bytes, host_end, steps, true))
    }

    /// A user without a scheme, where signs of a path may stand in the name.
    fn visitor(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        if !starts_local(bytes[from]) {
            return None;
        }
        let at =
            self.users.end(bytes, from, steps, |b| is_local(b) || matches!(b, b'/' | b'?' | b'#'));
        if bytes.get(at) != Some(&b'@') || at == self.no_host {
            return None;
        }
        let dash = usize::from(bytes.get(at + 1) == Some(&b'-'));
        let end = self
            .host(bytes, at + 1 + dash, steps)
            .filter(|_| !bytes[at + 1..].starts_with(b"localhost"));
        if end.is_none() {
            self.no_host = at;
        }
        end
    }

    /// A URL that text before it draws in; it ends where a link target would.
    pub(crate) fn drawn(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        let host_end = self.address(bytes, from, steps)?;
        Some(target_body(bytes, host_end, steps, true))
    }

    /// Scheme, user and host; where they end.
    fn address(&mut self, bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
        let first = *bytes.get(from)?;
        if !(starts_label(first) || matches!(first, b'+' | b'-')) {
            return None;
        }
        *steps += 1;
        match scheme(bytes, from, steps) {
            Some(at) => self.authority(bytes, at, steps).or_else(|| self.host(bytes, from, steps)),
            None => self.host(bytes, from, steps),
        }
    }

    /// An optional user, then a host.
    fn authority(&mut self, bytes: &[u8], at: usize, steps: &mut usize) -> Option<usize> {
        let user = bytes[at..]
            .iter()
            .take(256)
            .position(|b| !(is_local(*b) && *b != b'|') && *b != b':')
            .filter(|len| bytes[at + len] == b'@' && *len > 0);
        let after = user.and_then(|len| {
            *steps += len;
            self.host(bytes, at + len + 1, steps)
        });
        after.or_else(|| self.host(bytes, at, steps))
    }

    /// Everything up to white space, without closing punctuation.
    #[expect(clippy::unused_self, reason = "reads as part of the same walk")]
    fn body(&self, bytes: &[u8], from: usize, steps: &mut usize) -> usize {
        let len = bytes[from..].iter().position(|b| ends_body(*b)).unwrap_or(bytes.len() - from);
        *steps += len;
        let mut end = from + len;
        while end > from && is_extra(bytes[end - 1]) {
            end -= 1;
        }
        end
    }

    /// An e-mail address, perhaps after `mailto:`; its start and end.
    pub(crate) fn email(
        &mut self,
        bytes: &[u8],
        from: usize,
        steps: &mut usize,
    ) -> Option<(usize, usize)> {
        let start = if bytes[from..].starts_with(b"mailto:") { from + 7 } else { from };
        if !starts_local(*bytes.get(start)?) {
            return None;
        }
        let mut point = false;
        let at = self.locals.end(bytes, start, steps, |b| {
            // A point must stand before a letter or digit.
            let loose = point && !starts_local(b);
            point = b == b'.';
            !loose && is_local(b)
        });
        if bytes.get(at) != Some(&b'@') || at == self.no_domain || bytes[at - 1] == b'.' {
            return None;
        }
        let mut labels = 0;
        let mut end = at;
        while labels == 0 || bytes.get(end) == Some(&b'.') {
            let Some(next) = self.label(bytes, end + 1, steps) else {
                break;
            };
            *steps += 1;
            end = next;
            labels += 1;
        }
        if labels < 2 {
            self.no_domain = at;
            return None;
        }
        Some((start, end))
    }
}

/// `scheme:` or `scheme://`; where it ends.
fn scheme(bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
    let len = bytes[from..]
        .iter()
        .take(MAX_SCHEME + 1)
        .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-')))?;
    *steps += len;
    let end = from + len;
    if len == 0 || bytes[end] != b':' {
        return None;
    }
    bytes[end..].starts_with(b"://").then_some(end + 3)
}

/// A telephone number; where it ends.
pub(crate) fn phone(bytes: &[u8], from: usize) -> Option<usize> {
    let digits = |at: usize| {
        let len = bytes[at..].iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len() - at);
        (len > 0).then_some(at + len)
    };
    if bytes.get(from) != Some(&b'+') {
        return None;
    }
    let mut at = from + 1;
    if bytes.get(at) == Some(&b'(') {
        at = digits(at + 1)?;
        if bytes.get(at) != Some(&b')') {
            return None;
        }
        at += 1;
        if bytes.get(at) == Some(&b'-') {
            at += 1;
        }
    }
    let end = digits(at)?;
    if bytes.get(end) == Some(&b'-') {
        return Some(digits(end + 1).unwrap_or(end));
    }
    Some(end)
}

/// The target of `[label](target)` or `<target|label>`; where it ends.
pub(crate) fn target(bytes: &[u8], from: usize, steps: &mut usize) -> Option<usize> {
    if let Some(end) = phone(bytes, from)
        && matches!(bytes.get(end), Some(b')' | b'|'))
    {
        return Some(end);
    }
    let at = target_start(bytes, from)?;
    *steps += at - from;
    Some(target_body(bytes, at, steps, false))
}

/// The rest of a target; where it ends. One that is `drawn` into text ends
/// with its first pair of parentheses.
fn target_body(bytes: &[u8], mut at: usize, steps: &mut usize, drawn: bool) -> usize {
    // Once one parenthesis is not closed, no later one before it ends is.
    let mut closes = true;
    while let Some(b) = bytes.get(at) {
        *steps += 1;
        match b {
            b'(' if closes => {
                let rest = &bytes[at + 1..];
                let len = rest.iter().position(|b| !is_target(*b)).unwrap_or(rest.len());
                *steps += len;
                closes = rest.get(len) == Some(&b')');
                at += if closes { len + 2 } else { 1 };
                if drawn && closes {
                    break;
                }
            }
            b if is_target(*b) => at += 1,
            _ => break,
        }
    }
    at
}

/// The part of a target that must be there: a scheme with something after it,
/// or a host.
fn target_start(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    let mut only_scheme = true;
    while let Some(b) = bytes.get(at) {
        match b {
            b':' if only_scheme && at > from && at - from <= MAX_SCHEME => {
                return bytes.get(at + 1).is_some_and(|b| is_target(*b)).then_some(at + 1);
            }
            b'.' if at > from && bytes.get(at + 1).is_some_and(|b| starts_label(*b)) => {
                return Some(at + 1);
            }
            b if is_label(*b) || *b == b'+' => {
                only_scheme &= b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-');
                at += 1;
            }
            _ => break,
        }
    }
    bytes[from..].starts_with(b"localhost").then_some(from + 9)
}

fn is_target(b: u8) -> bool {
    b > b' ' && !matches!(b, b')' | b'\\' | b'|' | 0x7F)
}
