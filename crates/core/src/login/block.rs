//! Failed logins: after so many of them on one account from one address, or from one address on any,
//! no password is looked at for some minutes. Counted in bounded memory on each node: a failure costs
//! no write, and a million addresses push out the oldest counts, not the server. An account is
//! counted per address (ruling B13), so that nobody can lock its owner out from elsewhere.

use crate::Core;
use crate::error::{Blocked, Error, Result};
use crate::setting;
use crate::time::{Clock, Ms};
use quick_cache::sync::Cache;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Counts kept of each kind.
const MOST: usize = 65_536;
/// Wrong second factors of one account before it has to wait, and how long, in milliseconds.
const FACTOR_WINDOW: Ms = 300_000;

/// Failures in a row, each within the time to wait after the one before.
#[derive(Clone, Copy, Default)]
struct Count {
    failed: i64,
    last: Ms,
}

impl Count {
    fn is_full(self, most: i64, window: Ms, now: Ms) -> bool {
        self.failed >= most && now < self.last.saturating_add(window)
    }

    fn add(&mut self, window: Ms, now: Ms) {
        if now >= self.last.saturating_add(window) {
            self.failed = 0;
        }
        self.failed = self.failed.saturating_add(1);
        self.last = now;
    }
}

/// Bounded counts by name.
struct Counts(Cache<String, Arc<Mutex<Count>>>);

impl Counts {
    fn new() -> Self {
        Self(Cache::new(MOST))
    }

    fn get(&self, name: &str) -> Count {
        let count = self.0.get(name);
        count.map_or_else(Count::default, |one| *one.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes a count, one at a time, and gives what `change` says of it.
    fn change<T>(&self, name: &str, change: impl FnOnce(&mut Count) -> T) -> T {
        let fresh = || Ok::<_, std::convert::Infallible>(Arc::default());
        let Ok(one) = self.0.get_or_insert_with(name, fresh);
        let mut count = one.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut count)
    }
}

/// Everything that is counted.
pub(crate) struct Blocks {
    accounts: Counts,
    addresses: Counts,
    factors: Counts,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { accounts: Counts::new(), addresses: Counts::new(), factors: Counts::new() }
    }
}

/// What one attempt counts against.
#[derive(Clone)]
pub(crate) struct Guard {
    blocks: Arc<Blocks>,
    clock: Clock,
    limits: Vec<Limit>,
}

#[derive(Clone)]
struct Limit {
    what: Blocked,
    name: String,
    most: i64,
    window: Ms,
}

impl Guard {
    /// Is there a place for another attempt?
    pub(crate) fn check(&self) -> Result<()> {
        let now = self.clock.now();
        let full = self.limits.iter().find(|limit| {
            self.counts(limit.what).get(&limit.name).is_full(limit.most, limit.window, now)
        });
        full.map_or(Ok(()), |limit| Err(Error::LoginBlocked(limit.what)))
    }

    /// The attempt was a wrong one.
    pub(crate) fn failed(&self) {
        let now = self.clock.now();
        for limit in &self.limits {
            self.counts(limit.what).change(&limit.name, |count| count.add(limit.window, now));
        }
    }

    /// The attempt was a right one: those on the account before it are forgotten. The address goes
    /// on being counted, or an account of one's own would open it again.
    pub(crate) fn passed(&self) {
        for limit in self.limits.iter().filter(|limit| limit.what == Blocked::User) {
            self.blocks.accounts.0.remove(&limit.name);
        }
    }

    fn counts(&self, what: Blocked) -> &Counts {
        match what {
            Blocked::User => &self.blocks.accounts,
            Blocked::Address => &self.blocks.addresses,
        }
    }
}

/// What counts as one address: an IPv6 client has a whole network of them.
fn network(ip: &str) -> String {
    match ip.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(v6)) => format!("{:x}/64", v6.to_bits() >> 64),
        Ok(v4) => v4.to_string(),
        Err(_) => ip.to_owned(),
    }
}

impl Core {
    /// What a login from this address on this account counts against. `account` is the account's id,
    /// or the name that nobody has, so that the two look alike. Nothing, without an address: a login
    /// that comes from no client.
    pub(crate) fn guard(&self, ip: Option<&str>, account: &str) -> Guard {
        let settings = self.settings();
        let mut guard =
            Guard { blocks: self.blocks(), clock: self.clock().clone(), limits: Vec::new() };
        let Some(ip) = ip.filter(|_| settings.on(&setting::BLOCK_LOGINS)) else {
            return guard;
        };
        let address = |text: &str| text.parse::<IpAddr>().map(|ip| ip.to_canonical()).ok();
        let own = address(ip);
        let mut free = settings.text(&setting::BLOCK_WHITELIST).split(',').map(str::trim);
        if free.any(|one| one == ip || (own.is_some() && address(one) == own)) {
            return guard;
        }
        let minutes = |known| settings.number(known).clamp(0, 525_600).saturating_mul(60_000);
        let network = network(ip);
        let mut limit = |what, name, most, window| {
            let most = settings.number(most).max(1);
            guard.limits.push(Limit { what, name, most, window: minutes(window) });
        };
        if settings.on(&setting::BLOCK_BY_IP) {
            let (most, window) = (&setting::BLOCK_IP_ATTEMPTS, &setting::BLOCK_IP_MINUTES);
            limit(Blocked::Address, network.clone(), most, window);
        }
        if settings.on(&setting::BLOCK_BY_USER) {
            // A name may be as long as a body: what is kept of it is not.
            let account = crate::login::token_hash(account);
            let name = format!("{network} {account}");
            let (most, window) = (&setting::BLOCK_USER_ATTEMPTS, &setting::BLOCK_USER_MINUTES);
            limit(Blocked::User, name, most, window);
        }
        guard
    }

    /// Takes one of the attempts that an account has at its second factor, before the code is looked
    /// at, so that many at once are no more than so many.
    pub(crate) fn take_factor_attempt(&self, user: &str) -> Result<()> {
        let (now, most) = (self.clock().now(), self.settings().number(&setting::FACTOR_ATTEMPTS));
        self.blocks().factors.change(user, |count| {
            if count.is_full(most.max(1), FACTOR_WINDOW, now) {
                return Err(Error::FactorExhausted);
            }
            count.add(FACTOR_WINDOW, now);
            Ok(())
        })
    }

    /// The code was right.
    pub(crate) fn forget_factor_attempts(&self, user: &str) {
        self.blocks().factors.0.remove(user);
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, Counts, MOST, network};

    #[test]
    fn a_million_addresses_take_no_more_memory() {
        let counts = Counts::new();
        for n in 0..1_000_000 {
            counts.change(&format!("10.{n}"), |count| count.add(1000, 0));
        }
        assert!(counts.0.len() <= MOST + 64, "{}", counts.0.len());
    }

    #[test]
    fn failures_count_while_they_follow_each_other() {
        let mut count = Count::default();
        count.add(1000, 5000);
        count.add(1000, 5999);
        assert!(count.is_full(2, 1000, 6998) && !count.is_full(2, 1000, 6999));
        count.add(1000, 6999);
        assert!(!count.is_full(2, 1000, 6999), "the time was over");
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        assert_eq!(network("2001:db8::1"), network("2001:db8:0:0:ffff::2"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:10.0.0.1"), "10.0.0.1");
        assert_eq!(network("unknown"), "unknown");
    }
}
