//! What can be subscribed to (contract section 11.4): streams by name with who may hear them, and the
//! publications that the original still has. Streams that nothing is ever told on are there all the
//! same, because clients wait for them to be ready (contract/clients 28).

use parlance_core::notice::Topic;
use std::collections::HashMap;

/// Who may hear an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Everybody.
    Open,
    /// Who is logged in.
    Login,
    /// Whose id the event begins with.
    Own,
    /// Members of the room that the event begins with.
    Room,
}

/// The streams.
const STREAMS: &[(&str, Rule)] = &[
    ("room-messages", Rule::Room),
    ("notify-room", Rule::Room),
    ("notify-room-users", Rule::Room),
    ("room-data", Rule::Room),
    ("notify-user", Rule::Own),
    ("notify-logged", Rule::Login),
    ("notify-all", Rule::Open),
    ("roles", Rule::Login),
    ("user-presence", Rule::Login),
    ("importers", Rule::Login),
    ("apps", Rule::Login),
    ("apps-engine", Rule::Login),
    ("stdout", Rule::Login),
    ("integrationHistory", Rule::Login),
    ("canned-responses", Rule::Login),
    ("livechat-room", Rule::Login),
    ("livechat-inquiry-queue-observer", Rule::Login),
];

/// Publications of the original that are ready at once and hold nothing here.
const PUBLICATIONS: &[&str] = &[
    "meteor.loginServiceConfiguration",
    "meteor_autoupdate_clientVersions",
    "activeUsers",
    "fullUserData",
    "userData",
    "roles",
    "subscription",
    "room",
];

/// The event of every room of the caller's.
pub(super) const MINE: &str = "__my_messages__";

/// What a subscription names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Stream(&'static str, Rule),
    Publication,
}

/// What this name is; `None` for nothing.
pub(super) fn named(name: &str) -> Option<Named> {
    if PUBLICATIONS.contains(&name) {
        return Some(Named::Publication);
    }
    let stream = name.strip_prefix("stream-")?;
    let found = STREAMS.iter().find(|(known, _)| *known == stream);
    found.map(|(known, rule)| Named::Stream(known, *rule))
}

/// The topic that an event is told by, if it concerns everybody.
fn topic(stream: &str, event: &str) -> Option<Topic> {
    match (stream, event) {
        ("notify-logged", "user-status") | ("user-presence", _) => Some(Topic::Status),
        ("notify-logged", "Users:NameChanged" | "Users:Deleted" | "updateAvatar") => {
            Some(Topic::People)
        }
        ("notify-logged" | "notify-all" | "roles", _) => Some(Topic::Rules),
        _ => None,
    }
}

/// What one socket hears: each event once, however many subscriptions name it.
#[derive(Default)]
pub(super) struct Heard(HashMap<&'static str, HashMap<String, usize>>);

impl Heard {
    pub(super) fn add(&mut self, stream: &'static str, event: &str) {
        *self.0.entry(stream).or_default().entry(event.to_owned()).or_insert(0) += 1;
    }

    pub(super) fn remove(&mut self, stream: &'static str, event: &str) {
        let Some(events) = self.0.get_mut(stream) else {
            return;
        };
        if let Some(count) = events.get_mut(event) {
            *count -= 1;
            if *count == 0 {
                events.remove(event);
            }
        }
        if events.is_empty() {
            self.0.remove(stream);
        }
    }

    pub(super) fn has(&self, stream: &str, event: &str) -> bool {
        self.0.get(stream).is_some_and(|events| events.contains_key(event))
    }

    /// Is a topic heard?
    pub(super) fn wants(&self, wanted: Topic) -> bool {
        self.0
            .iter()
            .any(|(stream, events)| events.keys().any(|event| topic(stream, event) == Some(wanted)))
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, Named, Rule, named};
    use parlance_core::notice::Topic;

    #[test]
    fn what_is_named_twice_is_heard_until_both_are_over() {
        let mut heard = Heard::default();
        heard.add("notify-logged", "user-status");
        heard.add("notify-logged", "user-status");
        assert!(heard.has("notify-logged", "user-status") && heard.wants(Topic::Status));
        heard.remove("notify-logged", "user-status");
        assert!(heard.has("notify-logged", "user-status"));
        heard.remove("notify-logged", "user-status");
        heard.remove("notify-logged", "user-status");
        assert!(!heard.has("notify-logged", "user-status") && !heard.wants(Topic::Status));
        assert!(!heard.wants(Topic::People));
    }

    #[test]
    fn names_are_found() {
        assert_eq!(named("stream-notify-user"), Some(Named::Stream("notify-user", Rule::Own)));
        assert_eq!(named("activeUsers"), Some(Named::Publication));
        assert_eq!(named("stream-"), None);
        assert_eq!(named("notify-user"), None);
    }
}
