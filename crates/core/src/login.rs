//! Passwords and tokens. A password is stored as Argon2id over the lower-case hexadecimal SHA-256
//! of what was typed, so that clients that send the digest instead (contract 8.1) verify too; hashes
//! of an imported Rocket.Chat account (bcrypt over the same digest) are taken as they are.
//! Hashing runs off the async threads, a few at a time, and an unknown user costs the same as a
//! wrong password. Tokens are stored hashed and found by the hash.

use crate::account::User;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::id::{Chance, UserId};
use crate::live::Session;
use crate::setting;
use crate::store::{tokens, users};
use crate::time::Ms;
use crate::{Core, account};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::sync::Arc;
use subtle::ConstantTimeEq as _;
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
pub struct Password(String);

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
        Ok(Self(hex))
    }

    /// The hexadecimal SHA-256 of what somebody typed.
    pub fn digest(hex: &str) -> Result<Self> {
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Error::BadPassword);
        }
        Ok(Self(hex.to_ascii_lowercase()))
    }
}

/// Whom a login names.
#[derive(Clone, Debug)]
pub enum Login<'a> {
    /// An e-mail address if it has an `@`, else a username.
    Either(&'a str),
    /// A username, in any case.
    Username(&'a str),
    /// An e-mail address, in any case.
    Email(&'a str),
    /// A user id.
    Id(&'a str),
}

/// A session that just began, or was resumed.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Who.
    pub user: Arc<User>,
    /// The secret; shown once, stored hashed.
    pub token: String,
    /// When it ends; `None` for never.
    pub expires: Option<Ms>,
}

/// Hashes and checks passwords, a bounded number at a time.
pub(crate) struct Passwords {
    argon: Argon2<'static>,
    chance: Chance,
    turns: Arc<Semaphore>,
    queue: Semaphore,
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
            nobody: nobody.into(),
        })
    }

    /// What is stored for this password.
    pub(crate) async fn hash(&self, password: &Password) -> Result<String> {
        let (argon, password, salt) = (self.argon.clone(), password.0.clone(), self.chance.salt());
        self.off_thread(move || hash(&argon, &password, salt)).await?
    }

    /// Does the password fit? `None` for a user who has none, or does not exist: it takes as long.
    async fn fits(&self, password: &Password, stored: Option<String>) -> Result<bool> {
        let known = stored.is_some();
        let stored = stored.map_or_else(|| self.nobody.clone(), Arc::from);
        let (argon, password) = (self.argon.clone(), password.0.clone());
        let fits = self.off_thread(move || verify(&argon, &password, &stored)).await?;
        Ok(known && fits)
    }

    async fn off_thread<T: Send + 'static>(
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

/// How a token is stored and found: the base64 of its SHA-256.
pub(crate) fn token_hash(token: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(token))
}

impl Core {
    /// Logs in with a password; both contracts and every transport come through here.
    pub async fn login(&self, who: Login<'_>, password: &Password) -> Result<NewSession> {
        let found = match who {
            Login::Either(text) | Login::Email(text) if text.contains('@') => {
                users::secret_by_email(self.store(), &account::fold(text)).await?
            }
            Login::Either(text) | Login::Username(text) => {
                users::secret_by_username(self.store(), &account::fold(text)).await?
            }
            Login::Email(_) => None,
            Login::Id(id) => users::secret_by_id(self.store(), &UserId::from(id)).await?,
        };
        let (user, stored) = found.map_or((None, None), |(user, stored)| (Some(user), stored));
        let fits = self.passwords().fits(password, stored.clone()).await?;
        let user = user.filter(|_| fits).ok_or(Error::BadCredentials)?;
        if !user.active {
            return Err(Error::Deactivated);
        }
        self.start_session(user, stored.as_deref()).await
    }

    /// Begins a session, with a fresh token, for a user who knew the password that is stored as
    /// `password`: if it changed meanwhile, the session does not begin.
    pub(crate) async fn start_session(
        &self,
        user: User,
        password: Option<&str>,
    ) -> Result<NewSession> {
        let now = self.clock().now();
        let days = self.settings().number(&setting::LOGIN_DAYS).clamp(1, 36_500);
        let expires = Some(now + days * 86_400_000);
        let token = self.chance().token();
        let mut user = user;
        user.last_login = Some(now);
        let hash = token_hash(&token);
        let new = tokens::NewToken { hash: &hash, user: &user.id, password, expires };
        let dropped = tokens::add(self.store(), &new, now).await?;
        for hash in &dropped {
            self.live().forget_token(hash);
        }
        Ok(NewSession { user: Arc::new(user), token, expires })
    }

    /// Goes on with a token that is still alive; the answer has the same token.
    pub async fn resume(&self, token: &str) -> Result<NewSession> {
        let caller = self.caller(token, None).await.map_err(|error| match error {
            Error::NotLoggedIn => Error::SessionOver,
            other => other,
        })?;
        let expires = caller.expires;
        Ok(NewSession { user: caller.user, token: token.to_owned(), expires })
    }

    /// Who holds this token, if it is alive, and `user` (where the contract names one) holds it.
    pub async fn caller(&self, token: &str, user: Option<&str>) -> Result<Caller> {
        if token.is_empty() || token.len() > 256 {
            return Err(Error::NotLoggedIn);
        }
        let hash = token_hash(token);
        let session = match self.live().session(&hash) {
            Some(session) => session,
            None => self.read_session(&hash).await?,
        };
        let same = session.hash.as_bytes().ct_eq(hash.as_bytes());
        let over = session.expires.is_some_and(|at| at <= self.clock().now());
        let other = user.is_some_and(|id| id != session.user.id.as_str());
        if !bool::from(same) || over || other || !session.user.active {
            return Err(Error::NotLoggedIn);
        }
        Ok(Caller { user: session.user, token_hash: session.hash, expires: session.expires })
    }

    async fn read_session(&self, hash: &str) -> Result<Session> {
        let epoch = self.live().epoch();
        let found = tokens::find(self.store(), hash).await?.ok_or(Error::NotLoggedIn)?;
        let (user, expires) = found;
        let session = Session { hash: hash.into(), user: Arc::new(user), expires };
        self.live().keep(session.clone(), epoch);
        Ok(session)
    }

    /// Ends the caller's session: the token is dead everywhere when this returns.
    pub async fn logout(&self, caller: &Caller) -> Result<()> {
        tokens::remove(self.store(), &caller.token_hash, caller.id(), self.clock().now()).await?;
        self.live().forget_token(&caller.token_hash);
        Ok(())
    }
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
        assert!(passwords.fits(&digest, Some(stored.clone())).await.expect("check"));
        let wrong = Password::plain("hunter3").expect("usable");
        assert!(!passwords.fits(&wrong, Some(stored)).await.expect("check"));
        assert!(!passwords.fits(&plain, None).await.expect("check"));
        // What nobody's password is checked against is a hash like any other.
        let nobody = PasswordHash::new(&passwords.nobody).expect("a PHC string");
        let like = passwords.hash(&plain).await.expect("hash");
        assert_eq!(PasswordHash::new(&like).expect("a PHC string").params, nobody.params);
        assert_eq!(format!("{plain:?}"), "Password(…)");
    }
}
