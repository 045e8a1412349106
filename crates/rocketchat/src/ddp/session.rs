//! What a socket knows of its client, and what each message of it does (contract sections 11.2-11.4). A
//! message that needs the store becomes a future that knows nothing of the socket; what it found out
//! changes the session when it is done, so that messages take effect in the order in which they came.

mod subs;

use super::frame::{self, Frame, Id};
use super::rate::Rates;
use super::rules::tell_all;
use super::stream::Heard;
use super::tell::{Ear, Teller, own_fields};
use super::{login, write};
use crate::call::Call;
use crate::error::Failure;
use crate::methods;
use parlance_core::notice::{Delivery, Notice};
use parlance_core::socket::Socket;
use parlance_core::{Caller, Error, Missed, User};
use parlance_http::Edge;
use parlance_http::json::Dates;
use serde_json::Value;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use subs::Sub;

/// Why a client is let go that does not speak the protocol.
const PROTOCOL: &str = "CLOSE_PROTOCOL_ERROR";

/// A message that is being worked at.
pub(super) type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What came of one.
pub(super) enum Done {
    /// Nothing but these answers.
    Said(Vec<String>),
    /// A session began.
    LoggedIn { id: Id, login: login::LoggedIn },
    /// The session ended.
    LoggedOut(Id),
    /// A subscription to an event is granted.
    Granted { id: Id, stream: &'static str, event: String, added: bool },
    /// A piece of what was missed.
    Missed(Result<Missed, Error>),
}

/// What is to be done with a message.
pub(super) enum Step {
    Say(Vec<String>),
    Work(Work),
    /// Say this, and close with this code, for this reason.
    Close(Vec<String>, u16, &'static str),
}

/// What a client wants to know of positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    /// Nothing: it is told what it subscribed to.
    No,
    /// Everything that has a position, from now on.
    FromNow,
    /// The same, with what happened after this position.
    After(i64),
}

/// One client's.
pub(super) struct Session {
    pub(super) edge: Edge,
    ip: String,
    agent: String,
    connected: bool,
    token: String,
    pub(super) caller: Option<Caller>,
    pub(super) socket: Option<Socket>,
    subs: HashMap<Id, Sub>,
    heard: Heard,
    rates: Rates,
    follow: Follow,
    /// Up to where it was told what it missed, while it still is.
    replay: Option<i64>,
    /// Its client asked for its end: what is told of that is no surprise.
    leaving: bool,
}

/// What a session hears, collected.
struct Collected<'a> {
    heard: &'a Heard,
    /// Everything that has a position.
    all: bool,
    frames: Vec<String>,
}

impl Ear for Collected<'_> {
    fn wants(&self, stream: &str, event: &str) -> bool {
        self.heard.has(stream, event) || (self.all && super::events::has_position(stream, event))
    }

    fn hear(&mut self, stream: &str, event: &str, args: &str) {
        self.frames.push(frame::event(stream, event, args));
    }
}

impl Session {
    pub(super) fn new(edge: Edge, ip: String, agent: String, follow: Follow) -> Self {
        Self {
            edge,
            ip,
            agent,
            connected: false,
            token: String::new(),
            caller: None,
            socket: None,
            subs: HashMap::new(),
            heard: Heard::default(),
            rates: Rates::default(),
            follow,
            replay: None,
            leaving: false,
        }
    }

    fn call(&self) -> Call {
        Call::on_socket(&self.edge, self.caller.clone(), &self.token, &self.ip, &self.agent)
    }

    /// What a message of the client's does.
    pub(super) fn take(&mut self, frame: Frame) -> Step {
        match frame {
            Frame::Connect { known: true } => {
                self.connected = true;
                Step::Say(vec![frame::connected(&self.edge.core().new_id())])
            }
            Frame::Connect { known: false } => Step::Close(vec![frame::failed()], 1002, PROTOCOL),
            Frame::Ping(id) => Step::Say(vec![frame::beat("pong", id.as_ref())]),
            Frame::Pong => Step::Say(Vec::new()),
            // A login may come before the answer to `connect`, never before `connect` (contract/clients 26).
            _ if !self.connected => Step::Close(Vec::new(), 1002, PROTOCOL),
            Frame::Method { id, name, params } => self.method(id, name, params),
            Frame::Sub { id, name, params } => self.subscribe(id, &name, params),
            Frame::Unsub(id) => {
                self.forget(&id);
                self.listen();
                Step::Say(vec![frame::nosub(&id, None)])
            }
        }
    }

    fn method(&mut self, id: Id, name: String, params: Vec<Value>) -> Step {
        let method = methods::interned(&name);
        let caller = self.caller.as_ref();
        if let Some(wait) = self.rates.count(&self.edge, caller, &self.ip, Some(method)) {
            return Step::Say(refused(&id, Failure::TooMany(wait)));
        }
        let call = self.call();
        match name.as_str() {
            "login" => Step::Work(Box::pin(async move {
                match login::login(&call, params).await {
                    Ok(login) => Done::LoggedIn { id, login },
                    Err(failure) => Done::Said(refused(&id, failure)),
                }
            })),
            "logout" => {
                self.leaving = true;
                Step::Work(Box::pin(async move {
                    match login::logout(&call).await {
                        Ok(()) => Done::LoggedOut(id),
                        Err(failure) => Done::Said(refused(&id, failure)),
                    }
                }))
            }
            "UserPresence:away" | "UserPresence:online" if self.caller.is_some() => {
                if let Some(socket) = &self.socket {
                    socket.set_away(name.ends_with("away"));
                }
                Step::Say(answered(&id, Some(("result", "null"))))
            }
            _ if name.starts_with("stream-") => {
                let own = self.socket.as_ref().map_or(0, Socket::id);
                Step::Work(Box::pin(async move {
                    let done = match call.renewed().await {
                        Ok(call) => write::write(&call, &name, params, own).await,
                        Err(failure) => Err(failure),
                    };
                    Done::Said(match done {
                        Ok(()) => answered(&id, None),
                        Err(failure) => refused(&id, failure),
                    })
                }))
            }
            _ => Step::Work(Box::pin(async move {
                let done = match call.renewed().await {
                    Ok(call) => methods::invoke(call, &name, params).await,
                    Err(failure) => Err(failure),
                };
                Done::Said(match done {
                    Ok(result) if result.is_empty() => answered(&id, None),
                    Ok(result) => answered(&id, Some(("result", &result))),
                    Err(failure) => refused(&id, failure),
                })
            })),
        }
    }

    /// What a message that was worked at came to.
    pub(super) fn done(&mut self, done: Done) -> Vec<String> {
        self.leaving = false;
        match done {
            Done::Said(frames) => frames,
            Done::LoggedIn { id, login } => self.log_in(&id, login),
            Done::LoggedOut(id) => {
                let mut out = self.log_out();
                out.extend(answered(&id, Some(("result", "null"))));
                out
            }
            Done::Granted { id, stream, event, added } => self.granted(id, stream, event, added),
            Done::Missed(missed) => self.replayed(missed),
        }
    }

    /// The user's own record comes before the result (contract/clients 5).
    fn log_in(&mut self, id: &Id, login: login::LoggedIn) -> Vec<String> {
        let mut out = Vec::new();
        if self.caller.as_ref().is_some_and(|was| was.id() != login.caller.id()) {
            out = self.log_out();
        }
        let user = login.caller.user();
        out.push(frame::document("added", "users", user.id.as_str(), |o| own_fields(o, user)));
        // Whoever logs in again keeps its place, and what waits there.
        if self.caller.is_none() {
            let socket = self.edge.core().plug(&login.caller);
            if let Some(mut was) = self.socket.take() {
                while let Some(delivery) = was.try_next() {
                    out.extend(self.hear(&delivery));
                }
            }
            // Up to where the live ones begin.
            match self.follow {
                Follow::After(since) if since < socket.since() => self.replay = Some(since),
                Follow::No => {}
                Follow::After(_) | Follow::FromNow => out.push(frame::position(socket.since())),
            }
            self.socket = Some(socket);
        }
        self.token.clone_from(&login.token);
        self.caller = Some(login.caller);
        self.listen();
        out.extend(answered(id, Some(("result", &login.result))));
        out
    }

    /// The session is over, with all that was subscribed in it.
    fn log_out(&mut self) -> Vec<String> {
        let mut out: Vec<String> = self.subs.keys().map(|id| frame::nosub(id, None)).collect();
        if let Some(caller) = self.caller.take() {
            out.push(frame::frame("removed", |o| {
                o.text("collection", "users");
                o.text("id", caller.id().as_str());
            }));
        }
        self.subs.clear();
        self.heard.clear();
        self.socket = None;
        self.replay = None;
        self.token.clear();
        out
    }

    /// The next piece of what was missed, if there is more.
    pub(super) fn replay(&self) -> Option<Work> {
        let (from, caller, socket) = (self.replay?, self.caller.clone()?, self.socket.as_ref()?);
        let (core, until) = (self.edge.core().clone(), socket.since());
        Some(Box::pin(async move {
            // Nothing else is heard meanwhile, not even that the session is over.
            Done::Missed(match core.again(&caller).await {
                Ok(caller) => core.missed(&caller, from, Some(until)).await,
                Err(error) => Err(error),
            })
        }))
    }

    fn replayed(&mut self, missed: Result<Missed, Error>) -> Vec<String> {
        let until = self.socket.as_ref().map_or(0, Socket::since);
        match missed {
            Ok(missed) => {
                let mut out = Vec::new();
                for delivery in &missed.notices {
                    out.extend(self.hear(delivery));
                }
                out.push(frame::position(missed.position));
                self.replay = (missed.position < until).then_some(missed.position);
                out
            }
            Err(error) => {
                self.replay = None;
                let why = match error {
                    Error::PositionTooOld => "The position is too old",
                    _ => "What was missed cannot be read",
                };
                vec![frame::reload(why), frame::position(until)]
            }
        }
    }

    /// Is it still being told what it missed?
    pub(super) fn is_behind(&self) -> bool {
        self.replay.is_some()
    }

    /// What the client hears of a delivery.
    pub(super) fn hear(&self, delivery: &Arc<Delivery>) -> Vec<String> {
        let (core, all) = (self.edge.core(), self.follow != Follow::No && self.caller.is_some());
        let mut ear = Collected { heard: &self.heard, all, frames: Vec::new() };
        let Some(caller) = &self.caller else {
            tell_all(core, Dates::Ejson, &mut ear, &delivery.notice);
            return ear.frames;
        };
        // The user's own record, which came with the login, is kept as it is.
        if let Notice::Account(user) = &delivery.notice {
            let fields =
                frame::document("changed", "users", user.id.as_str(), |o| own_fields(o, user));
            ear.frames.push(fields);
        }
        Teller { core, caller, dates: Dates::Ejson, ear: &mut ear }.tell(delivery);
        ear.frames
    }

    /// Looks whether the session may go on; `false` if it is over and its client does not know.
    pub(super) async fn renew(&mut self, told: Option<&Arc<User>>) -> Result<bool, Error> {
        let Some(caller) = &self.caller else {
            return Ok(true);
        };
        match self.edge.core().again(caller).await {
            Ok(now) => {
                // What is remembered of a session may show an older status than what is told.
                self.caller = Some(told.map_or_else(|| now.clone(), |user| now.told(user)));
                Ok(true)
            }
            Err(Error::NotLoggedIn) => Ok(self.leaving),
            Err(other) => Err(other),
        }
    }

    /// What a session hears of its end.
    pub(super) fn forced_out(&self) -> Vec<String> {
        let Some(caller) = &self.caller else {
            return Vec::new();
        };
        let event = format!("{}/force_logout", caller.id());
        let hears = self.heard.has("notify-user", &event);
        if hears { vec![frame::event("notify-user", &event, "")] } else { Vec::new() }
    }
}

/// A method's answer: its outcome, and the word that all it changed was sent.
fn answered(id: &Id, outcome: Option<(&str, &str)>) -> Vec<String> {
    vec![frame::result(id, outcome), frame::updated(id)]
}

fn refused(id: &Id, failure: Failure) -> Vec<String> {
    let error = methods::refusal(failure).to_string();
    answered(id, Some(("error", &error)))
}
