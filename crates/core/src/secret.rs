//! The server's own key: what must be read again (a TOTP secret, the mail server's password) is
//! stored sealed with it, and what is only compared (codes that people type) as a keyed hash, so
//! that a copy of the database alone opens nothing. The key lies beside the data or in the
//! environment, never in the database; nodes on one database share it.

use crate::error::{Error, Result};
use crate::id::Chance;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hmac;
use std::fmt;
use std::sync::Arc;

/// The shortest text that serves as a key, in bytes.
pub const MIN_KEY: usize = 32;

/// The key. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct Key(Arc<Parts>);

struct Parts {
    seal: LessSafeKey,
    hash: hmac::Key,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// The key that this text stands for: at least [`MIN_KEY`] bytes of chance.
    pub fn from_text(text: &str) -> Result<Self> {
        if text.len() < MIN_KEY {
            return Err(Error::Bad("key"));
        }
        let root = hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes());
        let seal = hmac::sign(&root, b"seal");
        let seal = UnboundKey::new(&AES_256_GCM, seal.as_ref()).map_err(Error::internal)?;
        let hash = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, b"hash").as_ref());
        Ok(Self(Arc::new(Parts { seal: LessSafeKey::new(seal), hash })))
    }

    /// Seals a text. It opens only under the same `place`, so that it cannot be moved to another
    /// account's row.
    pub(crate) fn seal(&self, chance: &Chance, place: &str, text: &str) -> Result<String> {
        let nonce: [u8; NONCE_LEN] = chance.nonce();
        let mut sealed = text.as_bytes().to_vec();
        let (once, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()));
        self.0.seal.seal_in_place_append_tag(once, aad, &mut sealed).map_err(Error::internal)?;
        let mut all = nonce.to_vec();
        all.extend(sealed);
        Ok(BASE64.encode(all))
    }

    /// What was sealed under this place; `None` if it was not, or with another key.
    pub(crate) fn open(&self, place: &str, sealed: &str) -> Option<String> {
        let all = BASE64.decode(sealed).ok()?;
        let (nonce, rest) = all.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut rest = rest.to_vec();
        let open = self.0.seal.open_in_place(nonce, Aad::from(place.as_bytes()), &mut rest).ok()?;
        String::from_utf8(open.to_vec()).ok()
    }

    /// What stands for a secret that is only compared; each part counts with its length.
    pub(crate) fn hash(&self, parts: &[&str]) -> String {
        let mut context = hmac::Context::with_key(&self.0.hash);
        for part in parts {
            context.update(&part.len().to_le_bytes());
            context.update(part.as_bytes());
        }
        BASE64.encode(context.sign())
    }
}

#[cfg(test)]
mod tests {
    use super::Key;
    use crate::id::Chance;

    #[test]
    fn what_is_sealed_opens_in_its_place_with_its_key_and_nowhere_else() {
        let chance = Chance::seeded(1);
        let key = Key::from_text(&"a".repeat(32)).expect("a key");
        let other = Key::from_text(&"b".repeat(32)).expect("a key");
        let sealed = key.seal(&chance, "totp:ann", "SECRET").expect("sealed");
        assert!(!sealed.contains("SECRET"));
        assert_eq!(key.open("totp:ann", &sealed).as_deref(), Some("SECRET"));
        assert_eq!(key.open("totp:bob", &sealed), None);
        assert_eq!(other.open("totp:ann", &sealed), None);
        for broken in ["", "x", "????", &sealed[..10], &sealed[..sealed.len() - 2]] {
            assert_eq!(key.open("totp:ann", broken), None);
        }
        assert_ne!(sealed, key.seal(&chance, "totp:ann", "SECRET").expect("sealed"));
        assert_ne!(key.hash(&["ab", "c"]), key.hash(&["a", "bc"]));
        assert_ne!(key.hash(&["ab"]), other.hash(&["ab"]));
        assert!(Key::from_text("short").is_err());
        assert_eq!(format!("{key:?}"), "Key(…)");
    }
}
