//! A forgotten password: a link by mail to the address of the account, good once and for a while,
//! stored hashed. Whoever asks learns nothing, not even by the time it takes: the work is done behind
//! the answer.

use crate::Core;
use crate::error::{Error, Feature, Result};
use crate::login::{Login, Password};
use crate::mail::{Job, Letter};
use crate::setting;
use crate::store::factors::{self, CodeKind};
use crate::time::Ms;

/// How long a link is good, in milliseconds.
const GOOD: Ms = 3_600_000;
/// Another one is not sent sooner than this, in milliseconds.
const PAUSE: Ms = 60_000;

impl Core {
    /// Sends a link to choose another password to this address, if an account has it; the link
    /// begins with `root_url`. [`Error::SwitchedOff`] where the setting says so.
    pub fn forgot_password(&self, address: &str, root_url: &str) -> Result<()> {
        if !self.settings().on(&setting::PASSWORD_RESET) {
            return Err(Error::SwitchedOff(Feature::PasswordReset));
        }
        if self.can_mail() {
            self.post(Job::Reset(address.to_owned(), root_url.to_owned()));
        } else {
            tracing::warn!(
                "a password was forgotten, and no mail can be sent: set SMTP_Host and From_Email"
            );
        }
        Ok(())
    }

    pub(crate) async fn send_reset(&self, address: &str, root_url: &str) -> Result<()> {
        let Some((user, _)) = self.find_login(Login::Email(address)).await? else {
            return Ok(());
        };
        let now = self.clock().now();
        let newest = factors::newest_code(self.store(), &user.id, CodeKind::Reset).await?;
        let soon = newest.is_some_and(|(made, _)| now < made.saturating_add(PAUSE));
        // As the account has it, which may be in another case.
        let fold = crate::account::fold(address);
        let own = user.emails.iter().find(|one| crate::account::fold(&one.address) == fold);
        let Some(own) = own.filter(|_| user.active && !soon) else {
            return Ok(());
        };
        let token = self.chance().token();
        let hash = self.reset_hash(&token);
        let kept = (&user.id, CodeKind::Reset);
        factors::put_code(self.store(), kept, &hash, (now, now.saturating_add(GOOD))).await?;
        let settings = self.settings();
        let (site, name) = (settings.text(&setting::SITE_NAME), user.handle());
        let text = format!(
            "Somebody, probably you, forgot the password of {name} on {site}. This link is good for \
             an hour, and once:\n\n{root_url}/reset-password/{token}\n\nIf it was not you, there is \
             nothing to do: the password stays as it is.\n"
        );
        let subject = format!("Your password for {site}");
        self.post(Job::Letter(Letter { to: own.address.clone(), subject, text }));
        Ok(())
    }

    fn reset_hash(&self, token: &str) -> String {
        self.key().hash(&[CodeKind::Reset.name(), token])
    }

    /// Sets the password of whoever was sent this token, and ends every session of the account:
    /// [`Error::ResetOver`] if the token was used or is too old, [`Error::WeakPassword`] if the rules
    /// forbid the password, after which the token is still good.
    pub async fn reset_password(&self, token: &str, password: &Password) -> Result<()> {
        if !self.settings().on(&setting::PASSWORD_RESET) {
            return Err(Error::SwitchedOff(Feature::PasswordReset));
        }
        let (now, hash) = (self.clock().now(), self.reset_hash(token));
        let user = factors::reset_of(self.store(), &hash, now).await?.ok_or(Error::ResetOver)?;
        self.check_password(password)?;
        let stored = self.passwords().hash(password).await?;
        factors::reset(self.store(), (&user, &hash), &stored, now).await?;
        self.live().forget_user(&user);
        Ok(())
    }
}
