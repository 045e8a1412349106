//! Devices that ask to be told: their tokens are kept with the session that named them, and nothing is
//! sent to anybody. A device's token is a secret, so it stands in no log: `Debug` does not show it.

use crate::Core;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::store::push;
use crate::time::Ms;

/// The longest token, app name and id, in bytes: they stand in indexes.
const MAX_TOKEN: usize = 1024;
const MAX_APP: usize = 256;
const MAX_ID: usize = 128;
/// How often a device is named again when others name it at the same time.
const TRIES: usize = 4;

/// Whose network a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Apple's.
    Apn,
    /// Google's.
    Gcm,
}

impl Network {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apn => "apn",
            Self::Gcm => "gcm",
        }
    }

    /// The network of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Apn, Self::Gcm].into_iter().find(|network| network.name() == name)
    }
}

/// A device that somebody names.
#[derive(Clone, Copy)]
pub struct NewDevice<'a> {
    /// The client's own id for it; `None` for one made here.
    pub id: Option<&'a str>,
    /// Whose network.
    pub kind: Network,
    /// Its token there.
    pub value: &'a str,
    /// The app on it.
    pub app: &'a str,
}

impl std::fmt::Debug for NewDevice<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewDevice(…)")
    }
}

/// A device as stored.
#[derive(Clone)]
pub struct Device {
    /// Its id among the account's.
    pub id: String,
    /// Whose.
    pub user: UserId,
    /// The hash of the login token that it came with.
    pub session: String,
    /// Whose network.
    pub kind: Network,
    /// Its token there.
    pub value: String,
    /// The app on it.
    pub app: String,
    /// When it was first named.
    pub created: Ms,
    /// When it was last named.
    pub updated: Ms,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Device({} of {}, …)", self.id, self.user.as_str())
    }
}

impl Core {
    /// Keeps a device for the caller's session; whoever had it before has it no longer.
    /// [`Error::Bad`] names the member that cannot be taken.
    pub async fn keep_device(&self, caller: &Caller, new: NewDevice<'_>) -> Result<Device> {
        let fits = |text: &str, most| !text.trim().is_empty() && text.len() <= most;
        if new.id.is_some_and(|id| !fits(id, MAX_ID)) {
            return Err(Error::Bad("id"));
        }
        if !fits(new.value, MAX_TOKEN) {
            return Err(Error::Bad("token"));
        }
        if !fits(new.app, MAX_APP) {
            return Err(Error::Bad("appName"));
        }
        for _ in 0..TRIES {
            let found =
                push::known(self.store(), caller.id(), new.id, (new.value, new.app)).await?;
            let now = self.clock().now();
            let fresh = || new.id.map_or_else(|| self.chance().id(now), str::to_owned);
            let (id, created) = found.unwrap_or_else(|| (fresh(), now));
            let device = Device {
                id,
                user: caller.id().clone(),
                session: caller.token_hash.to_string(),
                kind: new.kind,
                value: new.value.to_owned(),
                app: new.app.to_owned(),
                created,
                updated: now,
            };
            if push::keep(self.store(), &device).await? {
                return Ok(device);
            }
        }
        Err(Error::unavailable("the device is named by many at once"))
    }

    /// Forgets the caller's devices with this token; `false` if there were none.
    pub async fn forget_device(&self, caller: &Caller, value: &str) -> Result<bool> {
        push::remove(self.store(), caller.id(), value).await
    }
}
