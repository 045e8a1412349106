//! How often somebody may call: windows of calls for one contract (section 3.3), a bucket of tokens for
//! the other (its section 3), per account where there is one, else per address. Memory is bounded: of
//! more callers than there are places, those who were not heard of for longest are forgotten, so that a
//! million addresses cost no more than the table. A face words the refusal.

use parlance_core::{Ms, UserId};
use quick_cache::sync::Cache;
use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Callers and calls that are remembered at most.
const PLACES: usize = 65_536;

/// Whose calls are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// One account's, wherever it calls from.
    User(UserId),
    /// One address's. An IPv6 client has a whole /64 to call from.
    Address(Option<IpAddr>),
    /// Those of one address that name one account, by its hash.
    Login(Option<IpAddr>, u64),
}

impl Who {
    /// The address of a caller, as [`crate::ip::client`] gives it; one that cannot be read counts
    /// together with all such.
    pub fn address(ip: &str) -> Self {
        Self::Address(network(ip))
    }
}

fn network(ip: &str) -> Option<IpAddr> {
    Some(match ip.parse().ok()? {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    })
}

/// So many calls in so much time.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Calls allowed.
    pub calls: i64,
    /// The window's length, in milliseconds.
    pub time: Ms,
}

/// Tokens that come back steadily.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// How many a minute.
    pub per_minute: i64,
    /// How many there are at first, and at most.
    pub burst: i64,
}

/// Where a caller stands after a call was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Calls allowed in a window.
    pub limit: i64,
    /// Calls left in this one.
    pub remaining: i64,
    /// When the next one begins, in milliseconds since 1970.
    pub reset: Ms,
    /// How long until a call is taken again, of one that is refused.
    pub wait: Option<Ms>,
}

/// What is remembered of one caller: since when (milliseconds; microseconds of a bucket), and how often.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    since: i64,
    calls: i64,
}

/// What is remembered of all callers.
pub struct Limits {
    seen: Cache<(Who, &'static str, bool), Arc<Mutex<Seen>>>,
    hasher: RandomState,
}

impl Default for Limits {
    fn default() -> Self {
        Self { seen: Cache::new(PLACES), hasher: RandomState::new() }
    }
}

impl Limits {
    /// Those who log in from an address to an account, whether there is such an account or not.
    pub fn login(&self, ip: &str, account: &str) -> Who {
        Who::Login(network(ip), self.hasher.hash_one(account))
    }

    /// Counts a call of `what` (`alias` is another) in its window.
    pub fn count(&self, who: Who, what: (&'static str, bool), window: Window, now: Ms) -> Standing {
        let (calls, time) = (window.calls.max(1), window.time.max(1));
        self.with(&(who, what.0, what.1), |seen| {
            // A clock that was set back begins a window of its own.
            let running = (seen.since..seen.since.saturating_add(time)).contains(&now);
            if seen.calls == 0 || !running {
                *seen = Seen { since: now, calls: 0 };
            }
            let reset = seen.since.saturating_add(time);
            let taken = seen.calls < calls;
            if taken {
                seen.calls += 1;
            }
            let wait = (!taken).then_some(reset - now);
            Standing { limit: calls, remaining: calls - seen.calls, reset, wait }
        })
    }

    /// Takes a token, if there is one.
    pub fn take(&self, who: Who, what: &'static str, bucket: Bucket, now: Ms) -> bool {
        let each = 60_000_000 / bucket.per_minute.clamp(1, 60_000_000);
        let most = each.saturating_mul(bucket.burst.max(1));
        let now = now.saturating_mul(1000);
        self.with(&(who, what, false), |seen| {
            // The time at which the bucket would be full: a token costs `each` of it.
            let full = seen.since.clamp(now, now.saturating_add(most));
            let taken = full.saturating_add(each) - now <= most;
            seen.since = if taken { full + each } else { full };
            taken
        })
    }

    fn with<T>(&self, key: &(Who, &'static str, bool), act: impl FnOnce(&mut Seen) -> T) -> T {
        let new = || Ok::<_, Infallible>(Arc::default());
        let Ok(seen) = self.seen.get_or_insert_with(key, new);
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut seen)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Limits, PLACES, Who, Window};
    use std::net::Ipv4Addr;

    const WINDOW: Window = Window { calls: 3, time: 1000 };

    #[test]
    fn a_window_takes_its_calls_and_then_none_until_the_next() {
        let limits = Limits::default();
        let count = |now| limits.count(Who::address("10.0.0.1"), ("call", false), WINDOW, now);
        for (now, remaining, wait) in [
            (5000, 2, None),
            (5001, 1, None),
            (5900, 0, None),
            (5999, 0, Some(1)),
            (6000, 2, None),
            (9000, 2, None),
            // The clock was set back.
            (100, 2, None),
        ] {
            let standing = count(now);
            assert_eq!((standing.remaining, standing.wait), (remaining, wait), "{now}");
            assert!(standing.reset > now && standing.reset <= now + 1000);
        }
        let other = limits.count(Who::address("10.0.0.2"), ("call", false), WINDOW, 100);
        let alias = limits.count(Who::address("10.0.0.1"), ("call", true), WINDOW, 100);
        assert_eq!((other.remaining, alias.remaining), (2, 2));
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_a_token_at_a_time() {
        let limits = Limits::default();
        let bucket = Bucket { per_minute: 240, burst: 60 };
        let take = |now| limits.take(Who::address("::1"), "all", bucket, now);
        let burst = (0..100).filter(|_| take(1_000_000)).count();
        assert_eq!(burst, 60);
        assert!(!take(1_000_249) && take(1_000_250) && !take(1_000_250));
        assert_eq!((0..100).filter(|_| take(9_000_000)).count(), 60);
        // The clock was set back: no longer than a full bucket's time is waited for.
        assert!(!take(2_000_000) && take(2_000_250));
    }

    #[test]
    fn neighbours_of_one_ipv6_network_count_together() {
        assert_eq!(Who::address("2001:db8::1"), Who::address("2001:db8::ffff:0:0:1"));
        assert_ne!(Who::address("2001:db8::1"), Who::address("2001:db8:0:1::1"));
        assert_eq!(Who::address("unknown"), Who::Address(None));
        let limits = Limits::default();
        assert_eq!(limits.login("10.0.0.1", "ann"), limits.login("10.0.0.1", "ann"));
        assert_ne!(limits.login("10.0.0.1", "ann"), limits.login("10.0.0.1", "bob"));
    }

    #[test]
    fn a_million_addresses_take_no_more_than_the_table() {
        let limits = Limits::default();
        for address in 0..1_000_000_u32 {
            let who = Who::Address(Some(Ipv4Addr::from_bits(address).into()));
            limits.count(who, ("call", false), WINDOW, 5000);
        }
        assert!(limits.seen.len() <= PLACES, "{}", limits.seen.len());
    }

    #[test]
    fn whoever_calls_on_is_not_forgotten_for_others_who_call_once() {
        let limits = Limits::default();
        let loud = || Who::address("10.0.0.1");
        let window = Window { calls: 1_000_000, time: 60_000 };
        for address in 0..500_000_u32 {
            let who = Who::Address(Some(Ipv4Addr::from_bits(address | 0xb000_0000).into()));
            limits.count(who, ("call", false), window, 5000);
            if address % 100 == 0 {
                limits.count(loud(), ("call", false), window, 5000);
            }
        }
        let standing = limits.count(loud(), ("call", false), window, 5000);
        assert_eq!(standing.limit - standing.remaining, 5001);
    }
}
