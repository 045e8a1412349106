//! Time stamps and colours.
//!
//! Calendar dates become seconds by the civil-day formula; a time of day with
//! an offset would need today's date, and this crate reads no clock, so it
//! stays text.

use crate::ast::Inline;

/// A time stamp at the start of this text and the bytes it takes.
pub(crate) fn timestamp(text: &str) -> Option<(Inline, usize)> {
    let body = text.strip_prefix("<t:")?;
    // Longest form: a date with milliseconds and offset, and a format.
    let window = &body.as_bytes()[..body.len().min(34)];
    let close = window.iter().position(|b| *b == b'>')?;
    let inner = body.get(..close)?;
    let (value, format) = split_format(inner);
    let seconds = seconds(value)?;
    Some((Inline::Timestamp { seconds, format }, close + 4))
}

fn split_format(inner: &str) -> (&str, char) {
    let bytes = inner.as_bytes();
    match bytes {
        [.., b':', f @ (b't' | b'T' | b'd' | b'D' | b'f' | b'F' | b'R')] => {
            (&inner[..inner.len() - 2], char::from(*f))
        }
        _ => (inner, 't'),
    }
}

fn seconds(value: &str) -> Option<String> {
    let bytes = value.as_bytes();
    if bytes.len() == 10 && bytes.iter().all(u8::is_ascii_digit) {
        return Some(value.to_owned());
    }
    if matches!(bytes.len(), 5 | 8) {
        // A time of day without an offset is no date there; the answer is 0.
        time(bytes)?;
        return Some("0".to_owned());
    }
    let (date, rest) = bytes.split_at_checked(10)?;
    if date[4] != b'-' || date[7] != b'-' || *rest.first()? != b'T' {
        return None;
    }
    let day = (digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..])?);
    let (clock, mut rest) = rest[1..].split_at_checked(8)?;
    let clock = time(clock)?;
    let mut millis = 0;
    if rest.first() == Some(&b'.') {
        millis = digits(rest.get(1..4)?)?;
        rest = &rest[4..];
    }
    let offset = offset(rest)?;
    Some(epoch(day, clock, offset, millis).to_string())
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

/// `hh:mm` or `hh:mm:ss`.
fn time(bytes: &[u8]) -> Option<(i64, i64, i64)> {
    if bytes.get(2) != Some(&b':') || (bytes.len() == 8 && bytes[5] != b':') {
        return None;
    }
    let second = if bytes.len() == 8 { digits(&bytes[6..])? } else { 0 };
    Some((digits(&bytes[..2])?, digits(&bytes[3..5])?, second))
}

fn offset(bytes: &[u8]) -> Option<i64> {
    let Some((sign, rest)) = bytes.split_first() else {
        return Some(0);
    };
    if rest.len() != 5 {
        return None;
    }
    let (hours, minutes, _) = time(rest)?;
    match sign {
        b'+' => Some(hours * 60 + minutes),
        b'-' => Some(-(hours * 60 + minutes)),
        _ => None,
    }
}

/// Seconds since 1970, or 0 for what is no time.
fn epoch(day: (i64, i64, i64), clock: (i64, i64, i64), offset: i64, _millis: i64) -> i64 {
    let (year, month, date) = day;
    let (hour, minute, second) = clock;
    let valid_clock =
        (hour < 24 && minute < 60 && second < 60) || (hour == 24 && minute == 0 && second == 0);
    if !(1..=12).contains(&month) || !(1..=31).contains(&date) || !valid_clock {
        return 0;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    days * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60
}

/// A colour at the start of this text and the bytes it takes.
pub(crate) fn color(text: &str) -> Option<([u8; 4], usize)> {
    let hex = text.strip_prefix("color:#")?.as_bytes();
    let count = hex.iter().take(9).take_while(|b| b.is_ascii_hexdigit()).count();
    let digit = |i: usize| char::from(hex[i]).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut rgba = [0, 0, 0, 255];
    match count {
        3 | 4 => {
            for (i, part) in rgba.iter_mut().take(count).enumerate() {
                *part = digit(i)? * 17;
            }
        }
        6 | 8 => {
            for (i, part) in rgba.iter_mut().take(count / 2).enumerate() {
                *part = digit(2 * i)? * 16 + digit(2 * i + 1)?;
            }
        }
        _ => return None,
    }
    let spoilt = hex.get(count).is_some_and(|b| *b == b' ' || crate::inline::is_text(*b));
    (!spoilt).then_some((rgba, count + 7))
}
