//! Passwords: stored as Argon2id over the lower-case hexadecimal SHA-256 of what was typed, so that
//! clients that send the digest instead (contract 8.1) verify too; hashes of an imported Rocket.Chat
//! account (bcrypt over the same digest) are taken as they are. Hashing runs off the async threads, a
//! few at a time, and what is asked before it (is the account blocked?) is asked again in its turn.

use super::block::Guard;
use crate::error::{Error, Result};
use crate::id::Chance;
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Semaphore;

/// The longest password that is hashed, in bytes.
pub const MAX_PASSWORD: usize = 1024;
/// Logins that may wait for a hash; more hear that the server is busy.
const WAITING: usize = 512;

/// What checking a password costs.
#[derive(Clone, Copy, Debug)]
pub struct Hashing {
    /// Memory, in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Hashes computed at the same time.
    pub parallel: usize,
}

impl Default for Hashing {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { memory: 19 * 1024, passes: 2, parallel: (cores / 2).max(1) }
    }
}

/// A password as it arrived. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct Password {
    hex: String,
    from: From,
}

/// What is known of a password beside its digest.
#[derive(Clone)]
enum From {
    Text(Shape),
    Digest,
    Made,
}

/// What the rules for passwords ask about; nothing of the text itself.
#[derive(Clone)]
pub(crate) struct Shape {
    pub(crate) length: i64,
    pub(crate) longest_run: i64,
    pub(crate) lower: bool,
    pub(crate) upper: bool,
    pub(crate) digit: bool,
    pub(crate) special: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let (mut length, mut run, mut longest_run, mut last) = (0, 0, 0, None);
        for c in text.chars() {
            length += 1;
            run = if last == Some(c) { run + 1 } else { 1 };
            longest_run = run.max(longest_run);
            last = Some(c);
        }
        Self {
            length,
            longest_run,
            lower: text.chars().any(char::is_lowercase),
            upper: text.chars().any(char::is_uppercase),
            digit: text.chars().any(char::is_numeric),
            special: text.chars().any(|c| !c.is_alphanumeric()),
        }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

impl Password {
    /// What somebody typed.
    pub fn plain(text: &str) -> Result<Self> {
        if text.is_empty() || text.len() > MAX_PASSWORD {
            return Err(Error::BadPassword);
        }
        let digest = Sha256::digest(text);
        let mut hex = String::with_capacity(64);
        for byte in digest {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Ok(Self { hex, from: From::Text(Shape::of(text)) })
    }

    /// The hexadecimal SHA-256 of what somebody typed.
    pub fn digest(hex: &str) -> Result<Self> {
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::BadPassword);
        }
        Ok(Self { hex: hex.to_ascii_lowercase(), from: From::Digest })
    }

    /// A secret that was made here (`Core::new_token`): no rule for what people choose is for it.
    pub fn made(text: &str) -> Result<Self> {
        Ok(Self { from: From::Made, ..Self::plain(text)? })
    }

    pub(crate) fn shape(&self) -> Option<&Shape> {
        match &self.from {
            From::Text(shape) => Some(shape),
            From::Digest | From::Made => None,
        }
    }

    pub(crate) fn was_made(&self) -> bool {
        matches!(self.from, From::Made)
    }
}

/// Passwords hashed and checked so far, and the most of them at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Hashes computed since the start.
    pub hashes: u64,
    /// The most that were computed at the same time.
    pub at_once: u64,
}

#[derive(Default)]
struct Counters {
    hashes: AtomicU64,
    running: AtomicU64,
    at_once: AtomicU64,
}

/// Hashes and checks passwords, a bounded number at a time.
pub(crate) struct Passwords {
    argon: Argon2<'static>,
    chance: Chance,
    turns: Arc<Semaphore>,
    queue: Semaphore,
    counters: Arc<Counters>,
    /// Checked when there is no such user, so that both answers take as long.
    nobody: Arc<str>,
}

impl Passwords {
    pub(crate) fn new(hashing: Hashing, chance: &Chance) -> Result<Self> {
        let params =
            Params::new(hashing.memory, hashing.passes, 1, None).map_err(Error::internal)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // The form of a stored hash with chance in the place of the hash: checking against it costs
        // what checking costs, and nothing ever fits.
        let plain = &base64::engine::general_purpose::STANDARD_NO_PAD;
        let (m, t) = (hashing.memory, hashing.passes);
        let (salt, sum) =
            (plain.encode(chance.salt()), plain.encode(Sha256::digest(chance.token())));
        let nobody = format!("$argon2id$v=19$m={m},t={t},p=1${salt}${sum}");
        Ok(Self {
            argon,
            chance: chance.clone(),
            turns: Arc::new(Semaphore::new(hashing.parallel.max(1))),
            queue: Semaphore::new(WAITING),
            counters: Arc::default(),
            nobody: nobody.into(),
        })
    }

    /// What is stored for this password.
    pub(crate) async fn hash(&self, password: &Password) -> Result<String> {
        let (argon, password, salt) =
            (self.argon.clone(), password.hex.clone(), self.chance.salt());
        self.off_thread(move || hash(&argon, &password, salt)).await?
    }

    /// Does the password fit? `None` for a user who has none, or does not exist: it takes as long.
    /// The guard is asked in the password's turn, and told of a wrong one before the turn ends: of
    /// many who guess at once no more are looked at than may be.
    pub(crate) async fn fits(
        &self,
        password: &Password,
        stored: Option<String>,
        guard: Option<Guard>,
    ) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.map_or_else(|| self.nobody.clone(), Arc::from);
        let (argon, password) = (self.argon.clone(), password.hex.clone());
        let (counters, guard) = (self.counters.clone(), guard);
        self.in_turn(move || {
            if let Some(guard) = &guard {
                guard.check()?;
            }
            let fits = counters.count(|| verify(&argon, &password, &stored)) && known;
            if let Some(guard) = guard.filter(|_| !fits) {
                guard.failed();
            }
            Ok(fits)
        })
        .await?
    }

    /// What was done so far.
    pub(crate) fn work(&self) -> Work {
        Work {
            hashes: self.counters.hashes.load(Ordering::SeqCst),
            at_once: self.counters.at_once.load(Ordering::SeqCst),
        }
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let counters = self.counters.clone();
        self.in_turn(move || counters.count(work)).await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let busy = || Error::unavailable("too many logins at once");
        let _place = self.queue.try_acquire().map_err(|_| busy())?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| busy())?;
        let work = move || {
            // Held by the work, not by the caller: a caller who goes away frees no core.
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

impl Counters {
    fn count<T>(&self, work: impl FnOnce() -> T) -> T {
        self.hashes.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.at_once.fetch_max(running, Ordering::SeqCst);
        let done = work();
        self.running.fetch_sub(1, Ordering::SeqCst);
        done
    }
}

fn hash(argon: &Argon2<'_>, password: &str, salt: [u8; 16]) -> Result<String> {
    let hash: PasswordHash = argon
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|_| Error::internal("a password could not be hashed"))?;
    Ok(hash.to_string())
}

fn verify(argon: &Argon2<'_>, password: &str, stored: &str) -> bool {
    if stored.starts_with("$2") {
        return bcrypt::verify(password, stored).unwrap_or(false);
    }
    PasswordHash::new(stored)
        .is_ok_and(|stored| argon.verify_password(password.as_bytes(), &stored).is_ok())
}

#[cfg(test)]
mod tests {
    use super::{Hashing, Password, PasswordHash, Passwords};
    use crate::id::Chance;

    #[tokio::test]
    async fn plain_and_digest_verify_alike_and_nobody_never() {
        let hashing = Hashing { memory: 64, passes: 1, parallel: 2 };
        let passwords = Passwords::new(hashing, &Chance::seeded(1)).expect("parameters");
        let plain = Password::plain("hunter2").expect("usable");
        let digest = "f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7";
        let digest = Password::digest(digest).expect("hexadecimal");
        let stored = passwords.hash(&plain).await.expect("hash");
        assert!(stored.starts_with("$argon2id$"));
        assert!(passwords.fits(&digest, Some(stored.clone()), None).await.expect("check"));
        let wrong = Password::plain("hunter3").expect("usable");
        assert!(!passwords.fits(&wrong, Some(stored), None).await.expect("check"));
        assert!(!passwords.fits(&plain, None, None).await.expect("check"));
        // What nobody's password is checked against is a hash like any other.
        let nobody = PasswordHash::new(&passwords.nobody).expect("a PHC string");
        let like = passwords.hash(&plain).await.expect("hash");
        assert_eq!(PasswordHash::new(&like).expect("a PHC string").params, nobody.params);
        assert_eq!(format!("{plain:?}"), "Password(…)");
    }
}
