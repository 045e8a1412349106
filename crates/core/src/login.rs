//! Logging in and out. Both contracts and every transport come through [`Core::login_from`]: names,
//! the limit on failures, the password, the account's state and the second factor, in this order, so
//! that no way in can leave one out. An unknown user costs the same as a wrong password. Tokens are
//! stored hashed and found by the hash.

mod block;
mod password;
mod policy;

pub use crate::store::tokens::NamedToken;
pub(crate) use block::Blocks;
pub(crate) use password::Passwords;
pub use password::{Hashing, MAX_PASSWORD, Password, Work};
pub use policy::Rule;

use crate::account::User;
use crate::caller::{Caller, Perm};
use crate::error::{Error, Result};
use crate::factor::Code;
use crate::id::UserId;
use crate::live::Session;
use crate::setting;
use crate::store::factors::{self, Secrets};
use crate::store::{tokens, users};
use crate::time::Ms;
use crate::{Core, account};
use base64::Engine as _;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use subtle::ConstantTimeEq as _;

/// The longest name of a personal access token, in characters, and how much of one is kept to know
/// it by.
const MAX_TOKEN_NAME: usize = 120;
const PART: usize = 6;

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

/// Who asks, beside the account: from where, with what program, with which second factor.
#[derive(Clone, Copy, Debug, Default)]
pub struct Client<'a> {
    /// The address that failures are counted by; `None` for a call from no client at all.
    pub ip: Option<&'a str>,
    /// What the program calls itself.
    pub agent: &'a str,
    /// The second factor, if one was given.
    pub code: Option<Code<'a>>,
}

impl Client<'_> {
    /// What stands for this client where a second factor is remembered.
    pub(crate) fn fingerprint(&self) -> String {
        token_hash(&format!("{}\n{}", self.ip.unwrap_or(""), self.agent))
    }
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

/// Whether tokens may be made for users without their password (`users.createToken`).
#[derive(Clone, Default)]
pub enum CreateTokens {
    /// Nobody may.
    #[default]
    Off,
    /// Whoever is allowed to, and knows this secret if there is one.
    On(Option<String>),
}

impl std::fmt::Debug for CreateTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Off) { "Off" } else { "On(…)" })
    }
}

/// How a token is stored and found: the base64 of its SHA-256.
pub(crate) fn token_hash(token: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::digest(token))
}

impl Core {
    /// Logs in with a password from no client: for whoever runs in this process.
    pub async fn login(&self, who: Login<'_>, password: &Password) -> Result<NewSession> {
        self.login_from(who, password, &Client::default()).await
    }

    /// Logs in with a password, and with a second factor where the account has one:
    /// [`Error::FactorRequired`] says which, [`Error::LoginBlocked`] comes before anything is checked.
    pub async fn login_from(
        &self,
        who: Login<'_>,
        password: &Password,
        client: &Client<'_>,
    ) -> Result<NewSession> {
        let (Login::Either(name) | Login::Username(name) | Login::Email(name) | Login::Id(name)) =
            who;
        let found = self.find_login(who).await?;
        let account =
            found.as_ref().map_or_else(|| account::fold(name), |(user, _)| user.id.to_string());
        let guard = self.guard(client.ip, &account);
        guard.check()?;
        let (user, stored) = found.map_or((None, None), |(user, stored)| (Some(user), stored));
        let fits = self.passwords().fits(password, stored.clone(), Some(guard.clone())).await?;
        let user = user.filter(|_| fits).ok_or(Error::BadCredentials)?;
        guard.passed();
        self.admit(&user)?;
        let secrets = factors::find(self.store(), &user.id).await?.ok_or(Error::BadCredentials)?;
        // What was checked, not what may have been set since.
        let secrets = Secrets { password: stored, ..secrets };
        let proved = self.check_login_factor(&user, &secrets, client).await?;
        self.start_session(user, &secrets, proved.then_some(client)).await
    }

    /// Whom a login names, with the password's hash.
    pub(crate) async fn find_login(
        &self,
        who: Login<'_>,
    ) -> Result<Option<(User, Option<String>)>> {
        match who {
            Login::Either(text) | Login::Email(text) if text.contains('@') => {
                users::secret_by_email(self.store(), &account::fold(text)).await
            }
            Login::Either(text) | Login::Username(text) => {
                users::secret_by_username(self.store(), &account::fold(text)).await
            }
            Login::Email(_) => Ok(None),
            Login::Id(id) => users::secret_by_id(self.store(), &UserId::from(id)).await,
        }
    }

    /// May a session of this account begin at all?
    pub(crate) fn admit(&self, user: &User) -> Result<()> {
        let proved = || user.emails.iter().any(|email| email.verified);
        let boss = || user.roles.iter().any(|role| role == "admin");
        if !user.active {
            Err(Error::Deactivated)
        } else if user.roles.is_empty() {
            Err(Error::NoRoles)
        } else if user.kind == "app" {
            Err(Error::AppAccount)
        } else if self.settings().on(&setting::EMAIL_VERIFICATION) && !boss() && !proved() {
            Err(Error::UnprovedEmail)
        } else {
            Ok(())
        }
    }

    /// Begins a session, with a fresh token, for a user who was checked against `secrets`: if they
    /// changed meanwhile, the session does not begin. A second factor that was given by `proved`
    /// counts for a while.
    pub(crate) async fn start_session(
        &self,
        user: User,
        secrets: &Secrets,
        proved: Option<&Client<'_>>,
    ) -> Result<NewSession> {
        let now = self.clock().now();
        let days = self.settings().number(&setting::LOGIN_DAYS).clamp(1, 36_500);
        let expires = Some(now + days * 86_400_000);
        let token = self.chance().token();
        let mut user = user;
        user.last_login = Some(now);
        let hash = token_hash(&token);
        let by = proved.map(Client::fingerprint);
        let factor = by.as_deref().map(|by| (now + self.factor_memory(), by));
        let most = self.most_tokens();
        let new = tokens::NewToken { hash: &hash, user: &user.id, secrets, expires, factor, most };
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

    /// The same caller as of now: [`Error::NotLoggedIn`] when the token is dead or the account is off.
    pub async fn again(&self, caller: &Caller) -> Result<Caller> {
        let session = match self.live().session(&caller.token_hash) {
            Some(session) => session,
            None => self.read_session(&caller.token_hash).await?,
        };
        let over = session.expires.is_some_and(|at| at <= self.clock().now());
        if over || session.user.id != *caller.id() || !session.user.active {
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

    /// Ends every session and every personal access token of a user: one's own, or with
    /// `logout-other-user` another's.
    pub async fn logout_user(&self, caller: &Caller, user: &UserId) -> Result<()> {
        if user != caller.id() {
            self.admin(caller, Perm::LogoutOtherUser)?;
        }
        tokens::remove_every(self.store(), user, self.clock().now()).await?;
        self.live().forget_user(user);
        Ok(())
    }

    /// Ends the caller's other sessions; personal access tokens stay.
    pub async fn logout_others(&self, caller: &Caller) -> Result<()> {
        let now = self.clock().now();
        tokens::keep_only(self.store(), caller.id(), &caller.token_hash, now).await?;
        self.live().forget_user(caller.id());
        Ok(())
    }

    /// Begins a session for a user without a password, where the operator allows it: one's own, or
    /// with `user-generate-access-token` another's. [`Error::NotAllowed`] for whatever is missing.
    pub async fn create_token(
        &self,
        caller: &Caller,
        user: User,
        secret: Option<&str>,
    ) -> Result<NewSession> {
        let CreateTokens::On(wanted) = self.create_tokens() else {
            return Err(Error::NotAllowed);
        };
        // By their hashes, so that the time tells nothing of either, not even a length.
        let same =
            |a: &str, b: &str| bool::from(token_hash(a).as_bytes().ct_eq(token_hash(b).as_bytes()));
        let known = wanted.as_deref().is_none_or(|wanted| same(wanted, secret.unwrap_or("")));
        let may = user.id == *caller.id() || self.may(caller, Perm::UserGenerateAccessToken);
        if !known || !may {
            return Err(Error::NotAllowed);
        }
        self.admit(&user)?;
        let secrets = factors::find(self.store(), &user.id).await?.ok_or(Error::NoUser)?;
        self.start_session(user, &secrets, None).await
    }

    /// Makes a personal access token of this name; gives it, for the only time.
    pub async fn add_named_token(
        &self,
        caller: &Caller,
        name: &str,
        bypass: bool,
    ) -> Result<String> {
        self.admin(caller, Perm::CreatePersonalAccessTokens)?;
        if name.is_empty() || name.chars().count() > MAX_TOKEN_NAME {
            return Err(Error::Bad("tokenName"));
        }
        let (token, part) = self.named_token();
        let new = NamedToken { name: name.to_owned(), created: self.clock().now(), part, bypass };
        let tokens = (&*caller.token_hash, &*token_hash(&token));
        tokens::add_named(self.store(), caller.id(), tokens, &new).await?;
        Ok(token)
    }

    /// Makes a personal access token anew: the old one ends.
    pub async fn renew_named_token(&self, caller: &Caller, name: &str) -> Result<String> {
        self.admin(caller, Perm::CreatePersonalAccessTokens)?;
        let (token, part) = self.named_token();
        let (now, hash) = (self.clock().now(), token_hash(&token));
        let tokens = (&*caller.token_hash, &*hash);
        tokens::renew_named(self.store(), caller.id(), tokens, (name, &part), now).await?;
        self.live().forget_user(caller.id());
        Ok(token)
    }

    /// Ends a personal access token.
    pub async fn remove_named_token(&self, caller: &Caller, name: &str) -> Result<()> {
        self.admin(caller, Perm::CreatePersonalAccessTokens)?;
        tokens::remove_named(self.store(), caller.id(), name, self.clock().now()).await?;
        self.live().forget_user(caller.id());
        Ok(())
    }

    /// The caller's personal access tokens, without the tokens.
    pub async fn named_tokens(&self, caller: &Caller) -> Result<Vec<NamedToken>> {
        self.admin(caller, Perm::CreatePersonalAccessTokens)?;
        tokens::named(self.store(), caller.id()).await
    }

    fn named_token(&self) -> (String, String) {
        let token = self.chance().token();
        let part = token.chars().skip(token.len() - PART).collect();
        (token, part)
    }
}
