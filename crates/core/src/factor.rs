//! The second factor (contract 8.2): codes of an authenticator program, codes sent by mail, recovery
//! codes, and the password itself where an account has nothing else. One function checks all of them,
//! for logins and for single calls; each code is good once, and wrong ones are counted before they are
//! looked at. What is stored of a secret is sealed or hashed under the server's key.

mod enrol;

pub use enrol::Enrolment;

use crate::Core;
use crate::account::User;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::login::{Client, Login, Password};
use crate::mail::{Job, Letter};
use crate::setting;
use crate::store::factors::{self, CodeKind, Secrets};
use crate::store::tokens;
use crate::time::Ms;
use crate::totp;

/// Another code by mail is not sent sooner than this, in milliseconds.
const MAIL_PAUSE: Ms = 60_000;

/// A kind of second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A code of an authenticator program, or a recovery code.
    Totp,
    /// A code that was sent by mail.
    Email,
    /// The password once more.
    Password,
}

impl Method {
    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Email => "email",
            Self::Password => "password",
        }
    }

    /// The method of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Totp, Self::Email, Self::Password].into_iter().find(|one| one.name() == name)
    }
}

/// A second factor as it arrived. Its `Debug` shows the method only.
#[derive(Clone, Copy)]
pub struct Code<'a> {
    /// What it is, if the client said so.
    pub method: Option<Method>,
    /// The code; of a password, the hexadecimal SHA-256.
    pub code: &'a str,
}

impl std::fmt::Debug for Code<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Code({:?}, …)", self.method)
    }
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The method that is expected.
    pub method: Method,
    /// Was a code made and sent for it now?
    pub generated: bool,
    /// Until when the code that was sent is good.
    pub expires: Option<Ms>,
    /// Every method that would do.
    pub available: Vec<Method>,
    /// Whom it was sent to: the account's username.
    pub who: Option<String>,
}

/// Does a call take a factor that was given a while ago?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// One that was given with this token from this client within
    /// `Accounts_TwoFactorAuthentication_RememberFor`; and no account younger than that is asked.
    Remembered,
    /// Only one that comes with the call.
    Now,
}

/// Which factors an account has, for its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// An authenticator program.
    pub totp: bool,
    /// Codes by mail.
    pub email: bool,
}

fn place(user: &UserId) -> String {
    format!("totp:{user}")
}

impl Core {
    /// Has the caller give a second factor for a call that wants one, unless the token is free of it.
    pub async fn confirm(
        &self,
        caller: &Caller,
        client: &Client<'_>,
        freshness: Freshness,
    ) -> Result<()> {
        if !self.settings().on(&setting::TWO_FACTOR) {
            return Ok(());
        }
        let (now, by) = (self.clock().now(), client.fingerprint());
        let remembers = freshness == Freshness::Remembered;
        let proof = tokens::proof(self.store(), &caller.token_hash).await?;
        let known = proof.until.is_some_and(|until| until > now) && proof.by.as_ref() == Some(&by);
        let young = caller.user().created.saturating_add(self.factor_memory()) > now;
        if proof.bypass || (remembers && (known || young)) {
            return Ok(());
        }
        let found = factors::find(self.store(), caller.id()).await?;
        let secrets = found.ok_or(Error::NotLoggedIn)?;
        let fallback = self.settings().on(&setting::PASSWORD_FALLBACK);
        let proved = self.check_factor(caller.user(), &secrets, client, fallback).await?;
        if proved && remembers {
            let until = now.saturating_add(self.factor_memory());
            tokens::remember(self.store(), &caller.token_hash, until, &by).await?;
        }
        Ok(())
    }

    /// How long a second factor counts, in milliseconds.
    pub(crate) fn factor_memory(&self) -> Ms {
        self.settings().number(&setting::REMEMBER_FACTOR).clamp(0, 86_400 * 365) * 1000
    }

    /// The second factor of a login, which the password cannot be. `true` if one was given.
    pub(crate) async fn check_login_factor(
        &self,
        user: &User,
        secrets: &Secrets,
        client: &Client<'_>,
    ) -> Result<bool> {
        if !self.settings().on(&setting::TWO_FACTOR) {
            return Ok(false);
        }
        self.check_factor(user, secrets, client, false).await
    }

    /// `true` for a right factor, `false` where there is none to ask for, else what is wrong.
    async fn check_factor(
        &self,
        user: &User,
        secrets: &Secrets,
        client: &Client<'_>,
        fallback: bool,
    ) -> Result<bool> {
        let mut available = Vec::new();
        if secrets.totp.is_some() {
            available.push(Method::Totp);
        }
        if secrets.email && self.settings().on(&setting::EMAIL_CODES) {
            available.push(Method::Email);
        }
        if available.is_empty() && fallback && secrets.password.is_some() {
            available.push(Method::Password);
        }
        let Some(first) = available.first().copied() else {
            return Ok(false);
        };
        let code = client.code.filter(|code| !code.code.is_empty());
        let named = code.or(client.code).and_then(|code| code.method);
        let method = named.filter(|method| available.contains(method)).unwrap_or(first);
        let Some(code) = code else {
            return Err(self.ask(user, method, available).await?);
        };
        self.take_factor_attempt(user.id.as_str())?;
        match method {
            Method::Totp => self.check_totp(&user.id, secrets.totp.as_deref(), code.code).await?,
            Method::Email => self.use_code(&user.id, CodeKind::Email, code.code, method).await?,
            Method::Password => {
                let wrong = Error::FactorInvalid(method);
                let password = Password::digest(code.code).map_err(|_| wrong.clone())?;
                let fits = self.passwords().fits(&password, secrets.password.clone(), None);
                if !fits.await? {
                    return Err(wrong);
                }
            }
        }
        self.forget_factor_attempts(user.id.as_str());
        Ok(true)
    }

    async fn ask(&self, user: &User, method: Method, available: Vec<Method>) -> Result<Error> {
        let mut ask = Ask { method, generated: false, expires: None, available, who: None };
        if method == Method::Email {
            (ask.generated, ask.expires) = self.send_code(user, MAIL_PAUSE).await?;
            ask.who = Some(user.handle().to_owned());
        }
        Ok(Error::FactorRequired(Box::new(ask)))
    }

    async fn check_totp(&self, user: &UserId, sealed: Option<&str>, code: &str) -> Result<()> {
        let invalid = || Error::FactorInvalid(Method::Totp);
        if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
            return self.use_code(user, CodeKind::Recovery, code, Method::Totp).await;
        }
        let secret = sealed.and_then(|sealed| self.key().open(&place(user), sealed));
        let Some(secret) = secret else {
            tracing::error!(%user, "a TOTP secret cannot be opened with this server's key");
            return Err(invalid());
        };
        let step = totp::step_of(&secret, code, self.clock().now()).ok_or_else(invalid)?;
        factors::use_step(self.store(), user, step).await
    }

    pub(crate) fn code_hash(&self, user: &UserId, kind: CodeKind, code: &str) -> String {
        self.key().hash(&[kind.name(), user.as_str(), code])
    }

    async fn use_code(
        &self,
        user: &UserId,
        kind: CodeKind,
        code: &str,
        method: Method,
    ) -> Result<()> {
        if code.len() > 64 {
            return Err(Error::FactorInvalid(method));
        }
        let hash = self.code_hash(user, kind, &code.trim().to_lowercase());
        let now = self.clock().now();
        factors::use_code(self.store(), (user, kind), (&hash, method), now).await
    }

    /// Sends a code to the account's proved addresses, if the last one is older than `pause`. Was one
    /// sent, and until when is the newest good?
    async fn send_code(&self, user: &User, pause: Ms) -> Result<(bool, Option<Ms>)> {
        let now = self.clock().now();
        let newest = factors::newest_code(self.store(), &user.id, CodeKind::Email).await?;
        if let Some((made, expires)) = newest
            && now < made.saturating_add(pause)
        {
            return Ok((false, expires));
        }
        let proved = user.emails.iter().filter(|email| email.verified);
        let addresses: Vec<String> = proved.map(|email| email.address.clone()).collect();
        if addresses.is_empty() || !self.can_mail() {
            tracing::warn!(user = %user.id, "a code for the second factor cannot be sent");
            return Ok((false, None));
        }
        let seconds = self.settings().number(&setting::EMAIL_CODE_SECONDS).clamp(60, 86_400);
        let (code, expires) = (self.chance().digits(), now.saturating_add(seconds * 1000));
        let hash = self.code_hash(&user.id, CodeKind::Email, &code);
        let kept = (&user.id, CodeKind::Email);
        factors::put_code(self.store(), kept, &hash, (now, expires)).await?;
        let site = self.settings().text(&setting::SITE_NAME).to_owned();
        for to in addresses {
            let minutes = seconds / 60;
            let text = format!(
                "Your code for {site} is {code}.\n\nIt is good for {minutes} minutes. If you did \
                 not try to log in, somebody else knows your password: change it.\n"
            );
            let letter = Letter { to, subject: format!("Your code for {site}"), text };
            self.post(Job::Letter(letter));
        }
        Ok((true, Some(expires)))
    }

    /// Sends a code to whom this names, if that account takes codes by mail; says nothing of it. The
    /// work is done later, so that the answer takes as long for everybody.
    pub fn send_email_code(&self, who: &str) {
        self.post(Job::Code(who.to_owned()));
    }

    pub(crate) async fn send_asked_code(&self, who: &str) -> Result<()> {
        let Some((user, _)) = self.find_login(Login::Either(who)).await? else {
            return Ok(());
        };
        let secrets = factors::find(self.store(), &user.id).await?.unwrap_or_default();
        if user.active && secrets.email && self.settings().on(&setting::EMAIL_CODES) {
            self.send_code(&user, MAIL_PAUSE).await?;
        }
        Ok(())
    }
}
