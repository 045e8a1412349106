//! How often a socket may call methods (contract section 3.3): by address, by user, by connection, and by
//! method of the two latter. A person meets none of these limits; a loop does.

use parlance_core::setting::{self, Settings};
use parlance_core::{Caller, Ms, Perm};
use parlance_http::Edge;
use parlance_http::limit::{Who, Window};
use std::collections::HashMap;

/// What one connection called in the windows that run.
#[derive(Default)]
pub(super) struct Rates {
    all: Window1,
    each: HashMap<&'static str, Window1>,
}

/// One window: since when, and how many calls.
#[derive(Clone, Copy, Default)]
struct Window1 {
    since: Ms,
    calls: i64,
}

impl Window1 {
    /// Counts a call; how long to wait if it is one too many.
    fn count(&mut self, window: Window, now: Ms) -> Option<Ms> {
        let running = (self.since..self.since.saturating_add(window.time)).contains(&now);
        if self.calls == 0 || !running {
            *self = Self { since: now, calls: 0 };
        }
        if self.calls >= window.calls {
            return Some(self.since + window.time - now);
        }
        self.calls += 1;
        None
    }
}

fn window(settings: &Settings, of: &'static setting::SocketRate) -> Option<Window> {
    settings.on(&of.enabled).then(|| Window {
        calls: settings.number(&of.calls).max(1),
        time: settings.number(&of.time).max(1),
    })
}

impl Rates {
    /// Counts a call of a method, or a subscription, which has no rule of its own: a client has many of the
    /// same name at once. How long to wait if it is one too many. Nothing is counted of those whom
    /// the permission spares.
    pub(super) fn count(
        &mut self,
        edge: &Edge,
        caller: Option<&Caller>,
        ip: &str,
        method: Option<&'static str>,
    ) -> Option<Ms> {
        let (core, settings) = (edge.core(), edge.core().settings());
        let spared = caller.is_some_and(|caller| core.may(caller, Perm::BypassRateLimit));
        if !settings.on(&setting::RATE_LIMIT) || spared {
            return None;
        }
        let now = core.clock().now();
        let shared = |who: Who, what: &'static str, of: &'static setting::SocketRate| {
            let window = window(&settings, of)?;
            edge.limits().count(who, (what, true), window, now).wait
        };
        let own = |seen: &mut Window1, of: &'static setting::SocketRate| {
            window(&settings, of).and_then(|window| seen.count(window, now))
        };
        let mut wait = own(&mut self.all, &setting::SOCKET_CONNECTION)
            .or_else(|| shared(Who::address(ip), "ddp", &setting::SOCKET_ADDRESS));
        if let Some(method) = method {
            let each = self.each.entry(method).or_default();
            wait = wait.or_else(|| own(each, &setting::SOCKET_CONNECTION_METHOD));
        }
        if let Some(caller) = caller {
            let who = || Who::User(caller.id().clone());
            wait = wait
                .or_else(|| shared(who(), "ddp", &setting::SOCKET_USER))
                .or_else(|| shared(who(), method?, &setting::SOCKET_USER_METHOD));
        }
        wait
    }
}
