//! Turning found addresses into nodes.
//!
//! What was found is a link only when its host is known and its scheme runs
//! nothing; otherwise the same bytes are text, and nothing after them is read
//! differently.

use crate::ast::Inline;
use crate::domain;

/// Fewest digits of a telephone number.
const MIN_DIGITS: usize = 5;

/// The digits of a telephone number when there are enough.
pub(crate) fn tel(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= MIN_DIGITS).then(|| format!("tel:{digits}"))
}

/// An address as a node: a link when its domain is known, else text.
pub(crate) fn mail(address: &str) -> Inline {
    let src = format!("mailto:{address}");
    if !domain::is_mail_host(&src) {
        return Inline::Plain(address.to_owned());
    }
    Inline::Link { src, label: vec![Inline::Plain(address.to_owned())] }
}

/// A URL as a node: a link when its host is known, else text.
pub(crate) fn auto(text: &str, custom: &[&str]) -> Inline {
    if is_dangerous(text) || !domain::is_known(text, custom) {
        return Inline::Plain(text.to_owned());
    }
    let src = if is_absolute(text) { text.to_owned() } else { format!("//{text}") };
    Inline::Link { src, label: vec![Inline::Plain(text.to_owned())] }
}

/// Whether a URL library takes the text without a base.
fn is_absolute(text: &str) -> bool {
    let text = text.trim_matches(|c: char| c <= ' ');
    let Some(at) = text.find(':') else {
        return false;
    };
    let scheme = &text[..at];
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !is_scheme {
        return false;
    }
    let special = SPECIAL.iter().any(|s| scheme.eq_ignore_ascii_case(s));
    if !special && !text[at..].starts_with("://") {
        return true;
    }
    // In these schemes a backslash is a slash, and any number of them will do.
    let ends: &[char] = if special { &['/', '?', '#', '\\'] } else { &['/', '?', '#'] };
    let rest = &text[at + 1..];
    let rest = if special { rest.trim_start_matches(['/', '\\']) } else { &rest[2..] };
    let host = rest.find(ends).map_or(rest, |end| &rest[..end]);
    let host = host.rfind('@').map_or(host, |user| &host[user + 1..]);
    if host.starts_with('[') {
        return host.ends_with(']');
    }
    let (host, port) = host.rsplit_once(':').unwrap_or((host, ""));
    let is_port = port.bytes().all(|b| b.is_ascii_digit());
    is_port && (port.is_empty() || port.parse::<u16>().is_ok()) && is_host(host, special)
}

/// Schemes whose host must be one of the Internet.
const SPECIAL: [&str; 5] = ["http", "https", "ftp", "ws", "wss"];

fn is_host(host: &str, special: bool) -> bool {
    let forbidden = |b: u8| {
        b" #/:<>?@[\\]^|".contains(&b)
            || b == 0
            || matches!(b, b'\t' | b'\n' | b'\r')
            || special && (b < b' ' || matches!(b, b'%' | 0x7F))
    };
    if special && host.is_empty() || host.bytes().any(forbidden) {
        return false;
    }
    !special
        || (!domain::is_numeric(host) || host.split('.').all(is_octet))
            && host.split('.').all(is_international)
}

/// Whether a label keeps the rules of international names that chat texts are
/// likely to break: no mixed directions, no private characters, no
/// joiner but where a script needs it.
fn is_international(label: &str) -> bool {
    let leftward = |c: char| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}');
    if label.is_ascii() {
        return true;
    }
    let joined = label.chars().zip(label.chars().skip(1)).all(|(before, c)| {
        !matches!(c, '\u{200c}' | '\u{200d}') || VIRAMAS.contains(&u32::from(before))
    });
    let joined = joined && !label.starts_with(['\u{200c}', '\u{200d}']);
    let named = |c: char| !matches!(c, '\u{80}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}');
    joined
        && label.chars().all(named)
        && (!label.contains(leftward) || label.chars().all(|c| leftward(c) || !c.is_alphabetic()))
}

/// The signs that kill a vowel, of the scripts of India.
const VIRAMAS: [u32; 9] = [0x94d, 0x9cd, 0xa4d, 0xacd, 0xb4d, 0xbcd, 0xc4d, 0xccd, 0xd4d];

/// A number up to 255; a leading zero makes it octal.
fn is_octet(part: &str) -> bool {
    let radix = if part.len() > 1 && part.starts_with('0') { 8 } else { 10 };
    u8::from_str_radix(part, radix).is_ok()
}

/// Schemes that run what they carry.
pub(crate) fn is_dangerous(src: &str) -> bool {
    let Some((scheme, _)) = src.split_once(':') else {
        return false;
    };
    ["javascript", "vbscript", "data"].iter().any(|bad| scheme.eq_ignore_ascii_case(bad))
}
