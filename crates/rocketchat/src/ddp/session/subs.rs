//! What one socket subscribed to (contract section 11.4): begun, refused and ended here. All of it is
//! bounded, because it is kept for as long as the socket is open.

use super::{Done, Follow, Session, Step, frame};
use crate::ddp::frame::Id;
use crate::ddp::stream::{MINE, Named, Rule, named};
use crate::error::Failure;
use crate::methods;
use parlance_core::Error;
use parlance_core::notice::Topic;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Subscriptions of one socket, and people whose status one socket asks for.
const MOST_SUBS: usize = 2000;
const MOST_PEOPLE: usize = 5000;

/// What a subscription is to.
pub(super) enum Sub {
    Event(&'static str, String),
    People(HashSet<String>),
    Nothing,
}

impl Sub {
    fn people(&self) -> usize {
        match self {
            Self::People(all) => all.len(),
            _ => 0,
        }
    }
}

impl Session {
    pub(super) fn subscribe(&mut self, id: Id, name: &str, params: Vec<Value>) -> Step {
        let no = |code: Value, reason: &str| Step::Say(refused(&id, &code, reason));
        // What had this id is over, whatever becomes of this one.
        self.forget(&id);
        if let Some(wait) = self.rates.count(&self.edge, self.caller.as_ref(), &self.ip, None) {
            self.listen();
            let error = methods::refusal(Failure::TooMany(wait));
            return Step::Say(vec![frame::nosub(&id, Some(&error))]);
        }
        if self.subs.len() >= MOST_SUBS {
            self.listen();
            return no("error-too-many-subscriptions".into(), "Too many subscriptions");
        }
        let (stream, rule) = match named(name) {
            None => return no(404.into(), &format!("Subscription '{name}' not found")),
            Some(Named::Publication) => {
                self.subs.insert(id.clone(), Sub::Nothing);
                return Step::Say(vec![frame::ready(&id)]);
            }
            Some(Named::Stream(stream, rule)) => (stream, rule),
        };
        let mut params = params.into_iter();
        let event = match params.next() {
            Some(Value::String(event)) if event.len() <= 1024 => event,
            _ => String::new(),
        };
        let options = params.next().unwrap_or(Value::Null);
        if stream == "user-presence" {
            return self.people(&id, &options);
        }
        if event.is_empty() {
            return no("invalid-event-name".into(), "Event name invalid");
        }
        // Either is asked for by name or not at all (contract/clients 27).
        let added = options == true || options.get("useCollection").is_some_and(|on| on == true);
        let refuse = || no("not-allowed".into(), &not_allowed(&event));
        let room = event.split('/').next().unwrap_or_default().to_owned();
        match (rule, &self.caller) {
            (Rule::Open, _) => {}
            (_, None) => return refuse(),
            (Rule::Login, _) => {}
            (Rule::Own, Some(caller)) if room == caller.id().as_str() => {}
            (Rule::Own, _) => return refuse(),
            (Rule::Room, Some(_)) if stream == "room-messages" && event == MINE => {}
            (Rule::Room, Some(caller)) => {
                let (core, caller) = (self.edge.core().clone(), caller.clone());
                return Step::Work(Box::pin(async move {
                    let access = match core.again(&caller).await {
                        Ok(caller) => core.access(&caller, &room).await,
                        Err(error) => Err(error),
                    };
                    match access {
                        Ok(_) => Done::Granted { id, stream, event, added },
                        Err(error) => Done::Said(no_room(&id, &event, error)),
                    }
                }));
            }
        }
        Step::Say(self.granted(id, stream, event, added))
    }

    /// A subscription begins.
    pub(super) fn granted(
        &mut self,
        id: Id,
        stream: &'static str,
        event: String,
        added: bool,
    ) -> Vec<String> {
        let mut out = Vec::new();
        if added {
            let collection = format!("stream-{stream}");
            let name = event.clone();
            out.push(frame::document("added", &collection, "id", |o| o.text("eventName", &name)));
        }
        out.push(frame::ready(&id));
        self.heard.add(stream, &event);
        self.subs.insert(id, Sub::Event(stream, event));
        self.listen();
        out
    }

    /// `stream-user-presence`: people are added to what is asked for, and taken out of it.
    fn people(&mut self, id: &Id, options: &Value) -> Step {
        let list = |key: &str| -> Vec<String> {
            let all = options.get(key).and_then(Value::as_array).into_iter().flatten();
            all.filter_map(Value::as_str).filter(|id| id.len() <= 64).map(str::to_owned).collect()
        };
        let no = |code: &str, reason: &str| Step::Say(refused(id, &code.into(), reason));
        if self.caller.is_none() {
            return no("not-allowed", "Not allowed");
        }
        // Only who is heard is looked for: a list of others costs nothing.
        for gone in list("removed") {
            if !self.heard.has("user-presence", &gone) {
                continue;
            }
            for sub in self.subs.values_mut() {
                if let Sub::People(all) = sub
                    && all.remove(&gone)
                {
                    self.heard.remove("user-presence", &gone);
                }
            }
        }
        let known: usize = self.subs.values().map(Sub::people).sum();
        let all: HashSet<String> = list("added").into_iter().collect();
        if known + all.len() > MOST_PEOPLE {
            self.listen();
            return no("error-too-many-subscriptions", "Too many people");
        }
        for one in &all {
            self.heard.add("user-presence", one);
        }
        self.subs.insert(id.clone(), Sub::People(all));
        self.listen();
        Step::Say(vec![frame::ready(id)])
    }

    /// A subscription is over.
    pub(super) fn forget(&mut self, id: &Id) {
        match self.subs.remove(id) {
            Some(Sub::Event(stream, event)) => self.heard.remove(stream, &event),
            Some(Sub::People(all)) => {
                for one in &all {
                    self.heard.remove("user-presence", one);
                }
            }
            Some(Sub::Nothing) | None => {}
        }
    }

    /// Hears of what concerns everybody as far as somebody asked for it.
    pub(super) fn listen(&mut self) {
        if self.caller.is_none() {
            // Who is not logged in has a place on the bus only for what is told to everybody.
            let wanted = self.heard.wants(Topic::Rules);
            self.socket = self.socket.take().filter(|_| wanted);
            if wanted && self.socket.is_none() {
                self.socket = Some(self.edge.core().plug_nobody());
            }
        }
        let Some(socket) = &self.socket else {
            return;
        };
        for topic in [Topic::Status, Topic::People, Topic::Rules] {
            if self.heard.wants(topic) { socket.want(topic) } else { socket.leave(topic) }
        }
        if self.follow != Follow::No && self.caller.is_some() {
            socket.want(Topic::Position);
        }
    }
}

/// A subscription that is not granted.
fn refused(id: &Id, code: &Value, reason: &str) -> Vec<String> {
    let shown = code.as_str().map_or_else(|| code.to_string(), str::to_owned);
    let error = json!({"isClientSafe": true, "error": code, "reason": reason,
        "message": format!("{reason} [{shown}]"), "errorType": "Meteor.Error"});
    vec![frame::nosub(id, Some(&error))]
}

fn not_allowed(event: &str) -> String {
    format!("Not allowed to subscribe to {event}")
}

/// A room that is not to be heard, whoever's it is. That the store does not answer says nothing of what is
/// allowed.
fn no_room(id: &Id, event: &str, error: Error) -> Vec<String> {
    match error {
        Error::NoRoom | Error::NoAccess | Error::NotAllowed | Error::NotLoggedIn => {
            refused(id, &"not-allowed".into(), &not_allowed(event))
        }
        other => vec![frame::nosub(id, Some(&methods::refusal(other.into())))],
    }
}
