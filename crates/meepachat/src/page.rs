//! Where a page begins and how long it is. Lengths never fail: what is no length means the default.
//! `before` of the conversations is a time, and anything else is refused, because a client that
//! sends a message id there would take the whole list for the next page.

use crate::input::Params;
use parlance_core::{Ms, time};
use std::fmt::Write as _;

/// The longest page of any list.
pub(crate) const MOST: usize = 100;

/// `limit`: the default if it is missing, no whole number or less than one; at most [`MOST`].
pub(crate) fn limit(params: &Params, default: usize) -> usize {
    let Some(text) = params.get("limit") else {
        return default;
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return default;
    }
    match text.parse() {
        Ok(0) => default,
        Ok(n) => MOST.min(n),
        // Digits only, and too many of them.
        Err(_) => MOST,
    }
}

/// The first millisecond that is not before this time; `None` if it is no RFC 3339 time. An offset
/// whose `+` was not encoded arrives with a space instead.
pub(crate) fn time_before(text: &str) -> Option<Ms> {
    let mut text = text.to_owned();
    if let Some(at) = text.len().checked_sub(6).filter(|at| text.as_bytes()[*at] == b' ') {
        text.replace_range(at..=at, "+");
    }
    let (seconds, rest) = text.split_at_checked(19)?;
    let (fraction, offset) = match rest.strip_prefix('.') {
        None => ("", rest),
        Some(rest) => rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?),
    };
    if !has_shape(seconds, "####-##-##T##:##:##")
        || (rest.starts_with('.') && fraction.is_empty())
        || !(matches!(offset, "Z" | "z") || has_shape(&offset.replace('-', "+"), "+##:##"))
    {
        return None;
    }
    let (ms, finer) = fraction.split_at(fraction.len().min(3));
    let at = match time::parse(&format!("{seconds}.{ms:0<3}{offset}")) {
        // The last two days of the year 9999 are beyond what can be computed with.
        None if matches!(&seconds[..10], "9999-12-30" | "9999-12-31") => Ms::MAX,
        other => other?,
    };
    // Stored times are whole milliseconds: before .6789 is before .679.
    Some(at.saturating_add(i64::from(finer.bytes().any(|digit| digit != b'0'))))
}

/// Does the text look like this, with a digit for each `#`?
fn has_shape(text: &str, shape: &str) -> bool {
    let fits = |(byte, want): (u8, u8)| match want {
        b'#' => byte.is_ascii_digit(),
        want => byte.eq_ignore_ascii_case(&want),
    };
    text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits)
}

/// The `Link` to the conversations before this time and id.
pub(crate) fn next_link(before: Ms, before_id: &str, limit: usize) -> String {
    let mut link = format!("</api/dms?before={}&beforeId=", time::iso(before));
    for byte in before_id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            link.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(link, "%{byte:02X}");
        }
    }
    // Nor can this.
    let _ = write!(link, "&limit={limit}>; rel=\"next\"");
    link
}

#[cfg(test)]
mod tests {
    use super::{next_link, time_before};

    #[test]
    fn times_are_read_in_every_form_of_the_rfc() {
        let at = time_before("2026-01-02T03:04:05.678Z");
        assert_eq!(at, Some(1_767_323_045_678));
        for same in [
            "2026-01-02T05:04:05.678+02:00",
            "2026-01-02T05:04:05.678 02:00",
            "2026-01-01T22:04:05.678-05:00",
            "2026-01-02t03:04:05.678z",
            "2026-01-02T03:04:05.678000000000Z",
            "2026-01-02T03:04:05.677000000001Z",
        ] {
            assert_eq!(time_before(same), at, "{same}");
        }
        assert_eq!(time_before("2026-01-02T03:04:05Z"), at.map(|at| at - 678));
        assert_eq!(time_before("2026-01-02T03:04:05.6Z"), at.map(|at| at - 78));
        assert!(time_before("9999-12-31T23:59:59.999Z") > at);
    }

    #[test]
    fn nothing_else_is_a_time() {
        for text in [
            "yesterday",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "2026-01-02T03:04Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05.6",
            "2026-13-02T03:04:05Z",
            "2026-01-02T03:04:05Z[UTC]",
            "1767323045678",
            "69612a65aabbccddeeff0011",
            "é026-01-02T03:04:05Z",
            "éééééé",
        ] {
            assert_eq!(time_before(text), None, "{text}");
        }
    }

    #[test]
    fn ids_from_outside_are_encoded_in_links() {
        let link = next_link(0, "a>b é", 30);
        let want = "</api/dms?before=1970-01-01T00:00:00.000Z&beforeId=a%3Eb%20%C3%A9&limit=30>; rel=\"next\"";
        assert_eq!(link, want);
    }
}
