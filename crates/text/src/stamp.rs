//! Time stamps and colours.
//!
//! Calendar dates become seconds by the civil-day formula. A time of day with
//! an offset needs today's date, and this crate reads no clock: the caller says
//! what moment it is, or such a stamp stays text.

use crate::ast::Inline;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The last second that the original's dates know.
const LAST: i64 = 100_000_000 * DAY;

/// A time stamp at the start of this text and the bytes it takes.
pub(crate) fn timestamp(text: &str, now: Option<i64>) -> Option<(Inline, usize)> {
    let body = text.strip_prefix("<t:")?;
    // Longest form: a date with milliseconds and offset, and a format.
    let window = &body.as_bytes()[..body.len().min(34)];
    let close = window.iter().position(|b| *b == b'>')?;
    let inner = body.get(..close)?;
    let (value, format) = split_format(inner);
    let seconds = seconds(value, now)?;
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

fn seconds(value: &str, now: Option<i64>) -> Option<String> {
    let bytes = value.as_bytes();
    if bytes.len() == 10 && bytes.iter().all(u8::is_ascii_digit) {
        return Some(value.to_owned());
    }
    if let Some((clock, offset)) = time_of_day(bytes) {
        let Offset::Minutes(minutes) = offset else {
            // Without an offset it is no date there.
            return Some("0".to_owned());
        };
        let today = now?.clamp(-LAST, LAST).div_euclid(DAY) * DAY;
        let moment = within_day(clock, 0).map(|seconds| today + seconds - minutes * 60);
        return Some(whole(moment.map(|seconds| seconds * 1000)));
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
    let minutes = match offset(rest)? {
        Offset::Missing => 0,
        Offset::Impossible => return Some("0".to_owned()),
        Offset::Minutes(minutes) => minutes,
    };
    let moment = epoch(day).zip(within_day(clock, millis));
    Some(whole(moment.map(|(days, s)| (days * DAY + s - minutes * 60) * 1000 + millis)))
}

/// Hour, minute and second, and the offset that follows.
fn time_of_day(bytes: &[u8]) -> Option<((i64, i64, i64), Offset)> {
    let (clock, rest) = match bytes.len() {
        5 | 8 => (bytes, &[][..]),
        11 | 14 => bytes.split_at_checked(bytes.len() - 6)?,
        _ => return None,
    };
    Some((time(clock)?, offset(rest)?))
}

/// Milliseconds as seconds in 32 bits, as the original has them; 0 for what is
/// no time.
#[expect(clippy::cast_possible_truncation, reason = "wraps like the original")]
fn whole(millis: Option<i64>) -> String {
    ((millis.unwrap_or(0) / 1000) as i32).to_string()
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

/// Minutes from the time of day at Greenwich.
#[derive(Clone, Copy)]
enum Offset {
    /// None is written.
    Missing,
    /// One that spoils the time it belongs to.
    Impossible,
    Minutes(i64),
}

fn offset(bytes: &[u8]) -> Option<Offset> {
    if bytes.is_empty() {
        return Some(Offset::Missing);
    }
    let (sign, rest) = bytes.split_first()?;
    if rest.len() != 5 {
        return None;
    }
    let (hours, minutes, _) = time(rest)?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return Some(Offset::Impossible);
    }
    Some(Offset::Minutes(sign * (hours * 60 + minutes)))
}

/// Seconds since midnight; a day has a 24:00.
fn within_day((hour, minute, second): (i64, i64, i64), millis: i64) -> Option<i64> {
    let valid = (hour < 24 && minute < 60 && second < 60)
        || (hour == 24 && minute == 0 && second == 0 && millis == 0);
    valid.then_some(hour * 3_600 + minute * 60 + second)
}

/// Days since 1970; every month may have 31.
fn epoch((year, month, date): (i64, i64, i64)) -> Option<i64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&date) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + date - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
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
    let spoilt = hex.get(count).is_some_and(|b| crate::class::is(*b, crate::class::TEXT));
    (!spoilt).then_some((rgba, count + 7))
}
