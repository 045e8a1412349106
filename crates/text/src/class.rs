//! Classes of ASCII characters.
//!
//! Each construct has its own idea of what belongs to it. The classes are bits
//! of one table, so asking costs one load; bytes beyond ASCII belong to every
//! class that takes any text.

/// Blanks, line ends and signs that never stand in a host.
pub(crate) const STOP: u16 = 1;
/// Punctuation that closes a URL rather than belonging to it.
pub(crate) const EXTRA: u16 = 1 << 1;
/// The same within the target of a link.
pub(crate) const TARGET_EXTRA: u16 = 1 << 2;
/// A user before a host; none of its signs stands in a host.
pub(crate) const USER: u16 = 1 << 3;
/// The part of an e-mail address before the `@`, without the point.
pub(crate) const LOCAL: u16 = 1 << 4;
/// A URL's scheme.
pub(crate) const SCHEME: u16 = 1 << 5;
/// A URL drawn into text, after its host.
pub(crate) const DRAWN: u16 = 1 << 6;
/// The target of a link, outside parentheses.
pub(crate) const TARGET: u16 = 1 << 7;
/// Letters and digits.
pub(crate) const ALNUM: u16 = 1 << 8;
/// After these a mention or channel sign is part of a word.
pub(crate) const TEXT: u16 = 1 << 9;

const TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut b: u8 = 0;
    loop {
        table[b as usize] = classes(b);
        if b == u8::MAX {
            break;
        }
        b += 1;
    }
    table
};

const fn classes(b: u8) -> u16 {
    let mut bits = 0;
    if matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b'\\' | b'/' | b'|' | b'>' | b'<' | b'%')
        || matches!(b, b'`' | b'[' | b']')
    {
        bits |= STOP;
    }
    if matches!(b, b'.' | b',' | b'!' | b'%' | b'~' | b'*' | b'"' | b'\'' | b':' | b';')
        || matches!(b, b'(' | b')' | b'=')
    {
        bits |= EXTRA;
        if !matches!(b, b'~' | b'(' | b')') {
            bits |= TARGET_EXTRA;
        }
    }
    if b.is_ascii_alphanumeric() {
        bits |= ALNUM | USER | LOCAL | SCHEME;
    }
    if matches!(b, b'$' | b'&' | b'+' | b'_' | b'#' | b'?' | b'-') {
        bits |= USER;
    }
    if matches!(b, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'/' | b'=' | b'?')
        || matches!(b, b'^' | b'_' | b'`' | b'{' | b'|' | b'}' | b'~' | b'-')
    {
        bits |= LOCAL;
    }
    if matches!(b, b'+' | b'-') {
        bits |= SCHEME;
    }
    if matches!(b, b' '..=b'~' | 0x80..) && !matches!(b, b')' | b'\\' | b'|') {
        bits |= DRAWN;
        if b != b'(' {
            bits |= TARGET;
        }
    }
    if matches!(b, b' '..=b'\'' | b'+'..=b'Z' | b'a'..=b'z' | 0x80..) {
        bits |= TEXT;
    }
    bits
}

/// Whether a byte belongs to any of these classes.
pub(crate) fn is(b: u8, classes: u16) -> bool {
    TABLE[usize::from(b)] & classes != 0
}

/// How many bytes at the start belong to a class.
pub(crate) fn run(bytes: &[u8], class: u16) -> usize {
    bytes.iter().position(|b| !is(*b, class)).unwrap_or(bytes.len())
}

/// Bytes of the character that this byte begins.
pub(crate) fn width(b: u8) -> usize {
    match b {
        0xF0.. => 4,
        0xE0.. => 3,
        0xC0.. => 2,
        _ => 1,
    }
}
