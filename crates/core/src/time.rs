//! Time as the domain knows it: milliseconds since 1970, UTC, from a clock that tests can set.
//! The clock owns waiting too (ruling: ping, expiry and polling are tested without sleeping), and
//! this is the only file that knows how a time is written down.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Ms = i64;

/// Where the time comes from: the machine, or a test.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    Machine,
    Set(Arc<Hand>),
}

#[derive(Debug)]
struct Hand {
    now: AtomicI64,
    moved: Notify,
}

impl Clock {
    /// A clock that stands at `now` until a test moves it.
    pub fn set(now: Ms) -> Self {
        Self(Source::Set(Arc::new(Hand { now: AtomicI64::new(now), moved: Notify::new() })))
    }

    /// The time now, in milliseconds.
    pub fn now(&self) -> Ms {
        match &self.0 {
            Source::Machine => machine_now(),
            Source::Set(hand) => hand.now.load(Ordering::SeqCst),
        }
    }

    /// Moves a set clock (backwards too) and wakes everyone who waits on it; does nothing to the
    /// machine's.
    pub fn move_to(&self, now: Ms) {
        if let Source::Set(hand) = &self.0 {
            hand.now.store(now, Ordering::SeqCst);
            hand.moved.notify_waiters();
        }
    }

    /// Waits until `ms` milliseconds have passed on this clock.
    pub async fn sleep(&self, ms: Ms) {
        self.sleep_until(self.now().saturating_add(ms)).await;
    }

    /// Waits until this clock shows `until`, or later.
    pub async fn sleep_until(&self, until: Ms) {
        match &self.0 {
            Source::Machine => machine_sleep(until.saturating_sub(self.now())).await,
            Source::Set(hand) => loop {
                let moved = hand.moved.notified();
                if self.now() >= until {
                    return;
                }
                moved.await;
            },
        }
    }
}

/// Measures how long something takes, in finer steps than [`Ms`]. For watching only: what is decided
/// by time is decided by a [`Clock`].
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Begins now.
    #[expect(clippy::disallowed_methods, reason = "measured, never waited for or stored")]
    pub fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Seconds since then.
    pub fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
fn machine_now() -> Ms {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |d| Ms::try_from(d.as_millis()).unwrap_or(Ms::MAX))
}

#[expect(clippy::disallowed_methods, reason = "the one place that waits on the machine")]
async fn machine_sleep(ms: Ms) {
    tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await;
}

/// Writes a time as `YYYY-MM-DDTHH:mm:ss.sssZ`, the form of both contracts.
/// Times outside the years 0-9999 are clamped to them, so that the length never changes.
pub fn iso(ms: Ms) -> String {
    let mut out = String::with_capacity(24);
    write_iso(&mut out, ms);
    out
}

/// Appends what [`iso`] returns. Plain arithmetic: this runs once for every date of every answer.
pub fn write_iso(out: &mut String, ms: Ms) {
    const FIRST: Ms = -62_167_219_200_000;
    const LAST: Ms = 253_402_300_799_999;
    const DIGITS: &[u8; 10] = b"0123456789";
    let ms = ms.clamp(FIRST, LAST);
    let (days, rest) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let mut put = |at: std::ops::Range<usize>, mut value: i64| {
        for place in text[at].iter_mut().rev() {
            *place = DIGITS[usize::try_from(value % 10).unwrap_or(0)];
            value /= 10;
        }
    };
    put(0..4, year);
    put(5..7, month);
    put(8..10, day);
    put(11..13, rest / 3_600_000);
    put(14..16, rest / 60_000 % 60);
    put(17..19, rest / 1000 % 60);
    put(20..23, rest % 1000);
    out.push_str(std::str::from_utf8(&text).unwrap_or_default());
}

/// Days since 1970 to (year, month, day): years counted from March, so that the leap day is last.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Reads an RFC 3339 time with any offset and fraction (finer than a millisecond is cut), or a
/// bare `YYYY-MM-DD`. `None` for anything else.
pub fn parse(text: &str) -> Option<Ms> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_millisecond());
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    let at = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(at.timestamp().as_millisecond())
}

/// The end of what a text names: of a bare day its last millisecond, else as [`parse`] reads it.
pub fn parse_end(text: &str) -> Option<Ms> {
    const DAY: Ms = 86_400_000;
    let end = if text.parse::<jiff::Timestamp>().is_ok() { 0 } else { DAY - 1 };
    parse(text)?.checked_add(end)
}

#[cfg(test)]
mod tests {
    use super::{iso, parse, parse_end};

    #[test]
    fn iso_and_parse_are_inverse() {
        for ms in [0, 1_700_000_000_123, -1, 951_782_400_000, 253_370_764_800_000] {
            assert_eq!(parse(&iso(ms)), Some(ms), "{}", iso(ms));
        }
        assert_eq!(iso(1_674_612_018_095), "2023-01-25T02:00:18.095Z");
        assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00.000Z");
    }

    #[test]
    fn offsets_and_fractions_are_read() {
        assert_eq!(parse("2023-11-07T05:31:56Z"), parse("2023-11-07T07:31:56.000000000+02:00"));
        assert_eq!(parse("2023-11-07"), parse("2023-11-07T00:00:00Z"));
        assert_eq!(parse("yesterday"), None);
        assert_eq!(parse_end("2023-11-07"), parse("2023-11-07T23:59:59.999Z"));
        assert_eq!(parse_end("2023-11-07T05:31:56Z"), parse("2023-11-07T05:31:56Z"));
        assert_eq!(parse_end("yesterday"), None);
    }
}
