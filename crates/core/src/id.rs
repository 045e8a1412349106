//! Identifiers and chance. An id is one opaque text on both faces: 24 lower-case hexadecimal
//! characters, 4 bytes of seconds and 8 of fresh chance, so that ids sort by age roughly and can't
//! be guessed. Ids that come from outside (imports, client-chosen message ids) are kept as sent.

use crate::time::Ms;
use base64::Engine as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::fmt::{self, Display, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
    };
}

id!(/** A person, bot or app. */ UserId);
id!(/** A conversation. */ RoomId);
id!(/** A message. */ MessageId);

/// The longest id taken from outside, in bytes.
pub const MAX_ID: usize = 128;

/// Is this text usable as an id: 1 to [`MAX_ID`] bytes, without control characters or spaces?
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_ID
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// Has the form of an id made here, or of two of them joined: no username may (ruling A9).
pub fn looks_made_here(text: &str) -> bool {
    matches!(text.len(), 24 | 48) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The id of a 1:1 room: the two user ids, sorted and joined (contract section 6.2).
pub fn pair(a: &UserId, b: &UserId) -> RoomId {
    let (low, high) = if a <= b { (a, b) } else { (b, a) };
    format!("{low}{high}").into()
}

/// Where ids, tokens and passwords get their chance from: the system, or a test's seed.
#[derive(Clone, Debug, Default)]
pub struct Chance(Option<Arc<Mutex<StdRng>>>);

impl Chance {
    /// Repeatable chance, for tests.
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))))
    }

    fn fill<const N: usize>(&self) -> [u8; N] {
        if let Some(seeded) = &self.0 {
            return seeded.lock().unwrap_or_else(PoisonError::into_inner).random();
        }
        #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
        let mut system = rand::rng();
        system.random()
    }

    /// A new id, made at `now`: 24 hexadecimal characters.
    pub fn id(&self, now: Ms) -> String {
        let seconds = u32::try_from((now / 1000).rem_euclid(1 << 32)).unwrap_or(0);
        let mut id = String::with_capacity(24);
        for byte in seconds.to_be_bytes().into_iter().chain(self.fill::<8>()) {
            // Writing to a String cannot fail.
            let _ = write!(id, "{byte:02x}");
        }
        id
    }

    /// A new key of 128 bits, for what is found by its name alone: 32 hexadecimal characters.
    pub(crate) fn key(&self) -> String {
        self.fill::<16>()
            .iter()
            .fold(String::with_capacity(32), |key, byte| key + &format!("{byte:02x}"))
    }

    /// A new secret token: 43 characters of `A-Za-z0-9_-`, 256 bits of chance.
    pub fn token(&self) -> String {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.fill::<32>())
    }

    /// Bytes for something that is sealed.
    pub(crate) fn nonce<const N: usize>(&self) -> [u8; N] {
        self.fill()
    }

    /// Six digits.
    pub(crate) fn digits(&self) -> String {
        format!("{:06}", u64::from_le_bytes(self.fill()) % 1_000_000)
    }

    /// A code that people copy by hand: ten letters and digits, none like another, 50 bits.
    pub(crate) fn code(&self) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
        let bytes = self.fill::<10>();
        bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)])).collect()
    }

    /// Bytes for a password's salt.
    pub(crate) fn salt(&self) -> [u8; 16] {
        self.fill()
    }
}

#[cfg(test)]
mod tests {
    use super::{Chance, UserId, looks_made_here, pair};

    #[test]
    fn ids_have_one_length_and_sort_by_second() {
        let chance = Chance::seeded(1);
        let (a, b) = (chance.id(1_700_000_000_000), chance.id(1_700_000_001_000));
        assert!(looks_made_here(&a) && looks_made_here(&format!("{a}{b}")));
        assert!(a < b && chance.token().len() == 43);
    }

    #[test]
    fn a_pair_is_sorted_by_bytes() {
        let (a, b) = (UserId::from("rocket.cat"), UserId::from("rYhzFRd2QZjNwAAXX"));
        assert_eq!(pair(&a, &b).as_str(), "rYhzFRd2QZjNwAAXXrocket.cat");
        assert_eq!(pair(&a, &b), pair(&b, &a));
    }
}
