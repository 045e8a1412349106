//! Switching second factors on and off. On ends the caller's other sessions (they knew one factor
//! only); a secret and recovery codes are shown when they are made and never again.

use super::{Factors, Method};
use crate::Core;
use crate::caller::Caller;
use crate::error::{Error, Feature, Result};
use crate::id::UserId;
use crate::setting;
use crate::store::factors::{self, CodeKind, Owner};
use crate::totp;

/// Recovery codes of one enrolment.
const RECOVERY_CODES: usize = 12;
/// Bytes of a TOTP secret.
const SECRET: usize = 20;

/// A TOTP enrolment that is not proved yet: shown once, to be typed or scanned.
#[derive(Clone)]
pub struct Enrolment {
    /// The secret, in base 32.
    pub secret: String,
    /// The same as `otpauth:` address.
    pub url: String,
}

impl Core {
    /// Which factors the user has.
    pub async fn factors(&self, user: &UserId) -> Result<Factors> {
        let secrets = factors::find(self.store(), user).await?.unwrap_or_default();
        Ok(Factors { totp: secrets.totp.is_some(), email: secrets.email })
    }

    fn owner<'a>(&self, caller: &'a Caller) -> Owner<'a> {
        Owner { user: caller.id(), token: &caller.token_hash, now: self.clock().now() }
    }

    /// Switches codes by mail on, for a caller with a proved address, or off. On ends the caller's
    /// other sessions.
    pub async fn set_email_factor(&self, caller: &Caller, on: bool) -> Result<()> {
        if on {
            if !self.can_mail() || !self.settings().on(&setting::EMAIL_CODES) {
                return Err(Error::SwitchedOff(Feature::EmailCodes));
            }
            let user = self.user(caller.id()).await?;
            if !user.emails.iter().any(|email| email.verified) {
                return Err(Error::UnprovedEmail);
            }
        }
        factors::set_email(self.store(), &self.owner(caller), on).await?;
        self.live().forget_user(caller.id());
        Ok(())
    }

    /// Begins an enrolment (`2fa:enable`); one that was begun before is forgotten.
    /// [`Error::FactorOn`] if the caller has an authenticator program already.
    pub async fn totp_begin(&self, caller: &Caller) -> Result<Enrolment> {
        let secret = totp::base32(&self.chance().nonce::<SECRET>());
        let sealed = self.key().seal(self.chance(), &super::place(caller.id()), &secret)?;
        factors::set_pending(self.store(), caller.id(), &sealed).await?;
        let settings = self.settings();
        let (site, name) = (settings.text(&setting::SITE_NAME), caller.user().handle());
        let (site, name) = (escaped(site), escaped(name));
        let url = format!("otpauth://totp/{site}:{name}?secret={secret}&issuer={site}");
        Ok(Enrolment { secret, url })
    }

    /// Ends the enrolment with a first code (`2fa:validateTempToken`): the factor is on, the caller's
    /// other sessions end. Gives the recovery codes, for the only time.
    pub async fn totp_finish(&self, caller: &Caller, code: &str) -> Result<Vec<String>> {
        let invalid = || Error::FactorInvalid(Method::Totp);
        self.take_factor_attempt(caller.id().as_str())?;
        let secrets = factors::find(self.store(), caller.id()).await?.unwrap_or_default();
        let sealed = secrets.pending.ok_or_else(invalid)?;
        let secret = self.key().open(&super::place(caller.id()), &sealed).ok_or_else(invalid)?;
        let step = totp::step_of(&secret, code, self.clock().now()).ok_or_else(invalid)?;
        let (codes, hashes) = self.recovery_codes(caller.id());
        factors::set_totp(self.store(), &self.owner(caller), &sealed, step, &hashes).await?;
        self.forget_factor_attempts(caller.id().as_str());
        self.live().forget_user(caller.id());
        Ok(codes)
    }

    /// Switches the authenticator program off, with a code of it or a recovery code (`2fa:disable`).
    pub async fn totp_end(&self, caller: &Caller, code: &str) -> Result<()> {
        self.prove_totp(caller, code).await?;
        factors::clear_totp(self.store(), &self.owner(caller)).await
    }

    /// Makes other recovery codes, with a code (`2fa:regenerateCodes`); the old ones are dead.
    pub async fn totp_renew_codes(&self, caller: &Caller, code: &str) -> Result<Vec<String>> {
        self.prove_totp(caller, code).await?;
        let (codes, hashes) = self.recovery_codes(caller.id());
        factors::set_recovery(self.store(), &self.owner(caller), &hashes).await?;
        Ok(codes)
    }

    /// How many recovery codes are left (`2fa:checkCodesRemaining`).
    pub async fn totp_codes_left(&self, caller: &Caller) -> Result<i64> {
        let secrets = factors::find(self.store(), caller.id()).await?.unwrap_or_default();
        if secrets.totp.is_none() {
            return Err(Error::FactorInvalid(Method::Totp));
        }
        factors::count_codes(self.store(), caller.id(), CodeKind::Recovery).await
    }

    async fn prove_totp(&self, caller: &Caller, code: &str) -> Result<()> {
        let secrets = factors::find(self.store(), caller.id()).await?.unwrap_or_default();
        if secrets.totp.is_none() {
            return Err(Error::FactorInvalid(Method::Totp));
        }
        self.take_factor_attempt(caller.id().as_str())?;
        self.check_totp(caller.id(), secrets.totp.as_deref(), code).await?;
        self.forget_factor_attempts(caller.id().as_str());
        Ok(())
    }

    fn recovery_codes(&self, user: &UserId) -> (Vec<String>, Vec<String>) {
        let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| self.chance().code()).collect();
        let hash = |code: &String| self.code_hash(user, CodeKind::Recovery, code);
        let hashes = codes.iter().map(hash).collect();
        (codes, hashes)
    }
}

/// A text as a part of an address.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            out + &char::from(byte).to_string()
        }
        _ => out + &format!("%{byte:02X}"),
    })
}
