//! Which hosts look like real ones.
//!
//! A bare word with a point in it becomes a link only when its ending is a
//! public top-level domain. The endings are one list in bytewise order in a
//! text file, searched in place: nothing is built at start.

use std::cmp::Ordering;

const TLDS: &str = include_str!("tld.txt");

/// The one ending that is public only together with the label before it.
#[rustfmt::skip]
const ZA: [&str; 18] = [
    "ac", "agric", "alt", "co", "edu", "gov", "grondar", "law", "mil",
    "net", "ngo", "nic", "nis", "nom", "org", "school", "tm", "web",
];

/// Longest host name and longest label that the registries allow.
const MAX_HOST: usize = 255;
const MAX_LABEL: usize = 63;

/// Whether the host of this URL or bare host is known to exist.
pub(crate) fn is_known(url: &str, custom: &[&str]) -> bool {
    with_host(url, |host| {
        is_numeric(host)
            || is_hexadecimal(host)
            || is_valid(host)
                && (is_public(host)
                    || ends_in(host, "localhost")
                    || custom.iter().any(|domain| ends_in(host, domain)))
    })
}

/// Whether an e-mail address, with its scheme, leads to a public host.
pub(crate) fn is_mail_host(url: &str) -> bool {
    with_host(url, |host| is_valid(host) && is_public(host))
}

/// Judges the host of a URL; without one nothing is known.
fn with_host(url: &str, judge: impl Fn(&str) -> bool) -> bool {
    let Some(host) = host(url) else {
        return false;
    };
    if host.bytes().any(|b| b.is_ascii_uppercase()) {
        judge(&host.to_lowercase())
    } else {
        judge(host)
    }
}

fn is_public(host: &str) -> bool {
    let mut labels = host.rsplit('.');
    let last = labels.next().unwrap_or_default();
    is_tld(last) || last == "za" && labels.next().is_some_and(|label| ZA.contains(&label))
}

fn ends_in(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
}

/// The host within a URL: after the scheme and the user, before port and path.
/// A `:/` later on than after a scheme leaves none.
fn host(url: &str) -> Option<&str> {
    if url.starts_with("data:") {
        return None;
    }
    let url = url.trim_matches(|c: char| c <= ' ');
    let rest = match url.find(":/") {
        Some(at) => {
            let scheme = &url.as_bytes()[..at];
            // Its test of letters is a test of one bit, which control signs pass.
            let is_letter = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
            if !scheme.iter().all(|b| is_letter(b | 32)) {
                return None;
            }
            url[at + 2..].trim_start_matches('/')
        }
        None => url,
    };
    let rest = rest.find(['/', '?', '#']).map_or(rest, |at| &rest[..at]);
    let rest = rest.rfind('@').filter(|at| *at > 0).map_or(rest, |at| &rest[at + 1..]);
    if let Some(inner) = rest.strip_prefix('[') {
        return inner.rfind(']').map(|end| &inner[..end]);
    }
    let rest = rest.rfind(':').filter(|at| *at > 0).map_or(rest, |at| &rest[..at]);
    Some(rest.trim_end_matches('.'))
}

fn is_valid(host: &str) -> bool {
    let units = |text: &str| text.chars().map(char::len_utf16).sum::<usize>();
    if host.is_empty() || units(host) > MAX_HOST || host.starts_with('-') {
        return false;
    }
    // One point may stand before the first label.
    let mut labels = host.strip_prefix('.').unwrap_or(host).split('.').peekable();
    while let Some(label) = labels.next() {
        let ends_well = match label.as_bytes().last() {
            Some(b'-') => false,
            Some(b'_') => labels.peek().is_none(),
            _ => true,
        };
        if label.is_empty() || !ends_well || units(label) > MAX_LABEL {
            return false;
        }
    }
    host.bytes().all(|b| {
        b.is_ascii_lowercase() || b.is_ascii_digit() || b >= 0x80 || matches!(b, b'-' | b'_' | b'.')
    })
}

/// The address form of newer networks; only its characters are looked at.
fn is_hexadecimal(host: &str) -> bool {
    (3..=39).contains(&host.len())
        && host.contains(':')
        && host.bytes().all(|b| b.is_ascii_hexdigit() || b == b':')
}

/// Four numbers with points between, whatever their size.
pub(crate) fn is_numeric(host: &str) -> bool {
    (7..=15).contains(&host.len())
        && host.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && host.bytes().filter(|b| *b == b'.').count() == 3
        && !host.starts_with('.')
        && !host.ends_with('.')
}

fn is_tld(label: &str) -> bool {
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
        assert!(is_known("a.co.za", &[]) && !is_known("a.za", &[]));
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
