//! One-time codes by time (RFC 6238: SHA-1, 30 seconds, 6 digits), as authenticator programs make
//! them. A code fits one step before and after the server's own, and whoever takes a code gets its
//! step, to refuse it the next time.

use crate::time::Ms;
use ring::hmac;
use subtle::ConstantTimeEq as _;

/// How long one code lasts, in milliseconds.
const STEP: Ms = 30_000;
/// Digits of base 32 (RFC 4648).
const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Bytes as authenticator programs want them: base 32, unpadded.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for five in bytes.chunks(5) {
        let mut bits = five.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        bits <<= 8 * (5 - five.len());
        for n in 0..(five.len() * 8).div_ceil(5) {
            let digit = usize::try_from((bits >> (35 - 5 * n)) & 31).unwrap_or(0);
            text.push(char::from(DIGITS[digit]));
        }
    }
    text
}

/// The bytes of a base 32 text; `None` if it is not one.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for digit in text.bytes() {
        let value = DIGITS.iter().position(|one| *one == digit)?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(out)
}

/// The code of one step.
fn at(key: &hmac::Key, step: i64) -> String {
    let tag = hmac::sign(key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let from = usize::from(tag[tag.len() - 1] & 15);
    let number = tag[from..from + 4].iter().fold(0_u32, |n, byte| (n << 8) | u32::from(*byte));
    format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
}

/// The step whose code this is: the one of `now` or a neighbour.
pub(crate) fn step_of(secret: &str, code: &str, now: Ms) -> Option<i64> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes(secret)?);
    let current = now.div_euclid(STEP);
    // All three are compared, so that the time does not tell which one it was.
    let fits = |step| bool::from(at(&key, step).as_bytes().ct_eq(code.as_bytes()));
    (current - 1..=current + 1)
        .fold(None, |found, step| if fits(step) { Some(step) } else { found })
}

/// The code of a time, as the user's program shows it. For tests.
pub fn code(secret: &str, now: Ms) -> Option<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes(secret)?);
    Some(at(&key, now.div_euclid(STEP)))
}

#[cfg(test)]
mod tests {
    use super::{base32, bytes, code, step_of};

    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = base32(b"12345678901234567890");
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        // RFC 6238, appendix B, the last six of eight digits.
        for (seconds, want) in
            [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")]
        {
            assert_eq!(code(&secret, seconds * 1000).as_deref(), Some(want));
        }
    }

    #[test]
    fn base_32_comes_back() {
        for text in [&b""[..], b"f", b"fo", b"foo", b"foob", b"fooba", b"foobar"] {
            assert_eq!(bytes(&base32(text)).as_deref(), Some(text));
        }
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(bytes("a!"), None);
    }

    #[test]
    fn a_neighbour_fits_and_nothing_further_off() {
        let secret = base32(b"12345678901234567890");
        let code = code(&secret, 1_000_000).expect("a code");
        let fits = |now| step_of(&secret, &code, now).is_some();
        assert!(fits(1_000_000) && fits(1_000_000 - 30_000) && fits(1_000_000 + 30_000));
        assert!(!fits(1_000_000 - 60_000) && !fits(1_000_000 + 60_000));
        assert_eq!(step_of(&secret, "", 0), None);
    }
}
