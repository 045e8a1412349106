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
pub(crate) fn mail(address: &str, custom: &[&str]) -> Inline {
    let domain = address.rfind('@').map_or(address, |at| &address[at + 1..]);
    if domain::is_numeric(domain) || !domain::is_known(domain, custom) {
        return Inline::Plain(address.to_owned());
    }
    let label = vec![Inline::Plain(address.to_owned())];
    Inline::Link { src: format!("mailto:{address}"), label }
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
    let Some(at) = text.find(':') else {
        return false;
    };
    let scheme = &text[..at];
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    if !is_scheme {
        return false;
    }
    let special = ["http", "https", "ftp", "ws", "wss"];
    if !special.iter().any(|s| scheme.eq_ignore_ascii_case(s)) && !text[at..].starts_with("://") {
        return true;
    }
    let rest = text[at + 1..].trim_start_matches('/');
    let host = rest.find(['/', '?', '#']).map_or(rest, |end| &rest[..end]);
    let host = host.rfind('@').map_or(host, |user| &host[user + 1..]);
    host.rfind(':').is_none_or(|colon| {
        let port = &host[colon + 1..];
        port.is_empty() || port.parse::<u16>().is_ok()
    })
}

/// Schemes that run what they carry.
pub(crate) fn is_dangerous(src: &str) -> bool {
    let Some((scheme, _)) = src.split_once(':') else {
        return false;
    };
    ["javascript", "vbscript", "data"].iter().any(|bad| scheme.eq_ignore_ascii_case(bad))
}
