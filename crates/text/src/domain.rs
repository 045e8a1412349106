//! Which hosts look like real ones.
//!
//! A bare word with a point in it becomes a link only when its ending is a
//! public top-level domain. The endings are one list in bytewise order in a
//! text file, searched in place: nothing is built at start.

use std::cmp::Ordering;

const TLDS: &str = include_str!("tld.txt");

/// Endings that are public only together with the label before them.
const SECOND_LEVEL_ONLY: [&str; 2] = ["za", "er"];

/// Longest host name and longest label that the registries allow.
const MAX_HOST: usize = 255;
const MAX_LABEL: usize = 63;

/// Whether the host of this URL or bare host is known to exist.
pub(crate) fn is_known(url: &str, custom: &[&str]) -> bool {
    let host = host(url);
    if !is_valid(host) {
        return false;
    }
    let mut labels = host.rsplit('.');
    let (Some(last), before) = (labels.next(), labels.next()) else {
        return false;
    };
    if last.eq_ignore_ascii_case("localhost") || is_numeric(host) {
        return true;
    }
    if is_tld(last) {
        return before.is_some() || !SECOND_LEVEL_ONLY.contains(&last);
    }
    custom.iter().any(|domain| {
        host.len() >= domain.len()
            && host.is_char_boundary(host.len() - domain.len())
            && host[host.len() - domain.len()..].eq_ignore_ascii_case(domain)
            && (host.len() == domain.len()
                || host.as_bytes()[host.len() - domain.len() - 1] == b'.')
    })
}

/// The host within a URL: after the scheme and the user, before port and path.
fn host(url: &str) -> &str {
    let url = url.trim_matches(|c: char| c <= ' ');
    let rest = url.find(":/").map_or(url, |at| {
        let scheme = &url[..at];
        let is_scheme =
            scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if is_scheme { url[at + 2..].trim_start_matches('/') } else { url }
    });
    let rest = rest.find(['/', '?', '#']).map_or(rest, |at| &rest[..at]);
    let rest = rest.rfind('@').map_or(rest, |at| &rest[at + 1..]);
    let rest = rest.rfind(':').map_or(rest, |at| &rest[..at]);
    rest.strip_suffix('.').unwrap_or(rest)
}

fn is_valid(host: &str) -> bool {
    if host.is_empty() || host.len() > MAX_HOST || host.starts_with('-') {
        return false;
    }
    host.split('.').all(|label| {
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b >= 0x80 || b == b'-' || b == b'_')
    })
}

/// Four numbers with points between.
pub(crate) fn is_numeric(host: &str) -> bool {
    let mut parts = 0;
    for label in host.split('.') {
        parts += 1;
        if parts > 4 || label.len() > 3 || !label.bytes().all(|b| b.is_ascii_digit()) {
            return false;
        }
    }
    parts == 4
}

fn is_tld(label: &str) -> bool {
    let lower;
    let label = if label.bytes().any(|b| b.is_ascii_uppercase() || b >= 0x80) {
        lower = label.to_lowercase();
        lower.as_str()
    } else {
        label
    };
    let bytes = TLDS.as_bytes();
    let (mut low, mut high) = (0, bytes.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let start =
            bytes[low..middle].iter().rposition(|b| *b == b'\n').map_or(low, |at| low + at + 1);
        let end =
            bytes[middle..high].iter().position(|b| *b == b'\n').map_or(high, |at| middle + at);
        match bytes[start..end].cmp(label.as_bytes()) {
            Ordering::Equal => return true,
            Ordering::Less => low = (end + 1).min(high),
            Ordering::Greater => high = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings() {
        for known in [
            "a.com",
            "a.COM",
            "a.рф",
            "a.xn--p1ai",
            "1.2.3.4",
            "999.1.1.1",
            "a.localhost",
            "http://u@a.de:8/x",
            "localhost",
            "a.aaa",
            "a.zw",
        ] {
            assert!(is_known(known, &[]), "{known}");
        }
        for unknown in ["a", "a.b", "a.notatld", "a..com", "-a.com", "a-.com", "a.com中"] {
            assert!(!is_known(unknown, &[]), "{unknown}");
        }
        assert!(is_known("x.corp.intern", &["corp.intern"]));
        assert!(!is_known("xcorp.intern", &["corp.intern"]));
    }

    #[test]
    fn list_is_sorted() {
        let list: Vec<&str> = TLDS.split('\n').collect();
        assert!(list.windows(2).all(|w| w[0].as_bytes() < w[1].as_bytes()));
        assert!(list.iter().all(|tld| is_tld(tld)));
    }
}
