//! Marks on messages: reactions, stars, pins. Each is asked for by message id, and a message that is
//! not there and one in a foreign room get the same answer. Reactions are one JSON text by short
//! name, replaced only if it still is what was read, so that two who react at once both count.

use crate::access::Access;
use crate::caller::{Caller, Perm};
use crate::content::Mentions;
use crate::error::{Error, Feature, Result};
use crate::message::Message;
use crate::send::Draft;
use crate::store::messages;
use crate::{Core, emoji, setting, time};
use serde_json::{Map, Value, json};

/// How often a reaction is tried again when others react at the same time.
const TRIES: usize = 64;

impl Core {
    async fn marked(&self, caller: &Caller, id: &str) -> Result<(Message, Access)> {
        self.message(caller, id).await?.ok_or(Error::NoMessage)
    }

    /// Adds or removes the caller's reaction: `on` says which, `None` turns it round. What is so
    /// already stays, without an error.
    pub async fn react(
        &self,
        caller: &Caller,
        id: &str,
        what: &str,
        on: Option<bool>,
    ) -> Result<()> {
        let name = emoji::name(what).ok_or(Error::UnknownEmoji)?;
        let key = format!(":{name}:");
        let (mut message, access) = self.marked(caller, id).await?;
        self.check_writable(caller, &access)?;
        let username = caller.user().handle();
        for _ in 0..TRIES {
            let was = message.reactions.as_deref();
            let mut all: Map<String, Value> = match was {
                Some(text) => serde_json::from_str(text).map_err(Error::internal)?,
                None => Map::new(),
            };
            if !toggle(&mut all, &key, username, on) {
                return Ok(());
            }
            let now = (!all.is_empty()).then(|| Value::Object(all).to_string());
            let at = self.clock().now();
            let (place, change) = ((&message.id, &message.room), (was, now.as_deref()));
            if messages::set_reactions(self.store(), place, caller.id(), change, at).await? {
                return Ok(());
            }
            message = self.marked(caller, id).await?.0;
        }
        Err(Error::unavailable("too many reactions at once"))
    }

    /// Stars or unstars a message for the caller.
    pub async fn star(&self, caller: &Caller, id: &str, on: bool) -> Result<()> {
        if !self.settings().on(&setting::STARRING) {
            return Err(Error::SwitchedOff(Feature::Starring));
        }
        let (message, _) = self.marked(caller, id).await?;
        messages::star(self.store(), &message.id, caller.id(), on, self.clock().now()).await
    }

    /// Pins a message; the room gets a system message that says so, which is returned.
    pub async fn pin(&self, caller: &Caller, id: &str) -> Result<Message> {
        if !self.settings().on(&setting::PINNING) {
            return Err(Error::SwitchedOff(Feature::Pinning));
        }
        let (message, access) = self.marked(caller, id).await?;
        self.admin(caller, Perm::PinMessage)?;
        let although_read_only = self.check_writable(caller, &access)?;
        let now = self.clock().now();
        let attachments = quoted(&message.body)?;
        let quote = json!([{
            "text": message.msg,
            "author_name": message.author.username,
            "author_icon": format!("/avatar/{}", message.author.username),
            "ts": time::iso(message.ts),
            "attachments": attachments,
        }]);
        let notice = Draft {
            id: self.chance().id(now).into(),
            room: access.room.id,
            author: caller.id().clone(),
            kind: Some("message_pinned".to_owned()),
            msg: String::new(),
            mentions: Mentions::default(),
            body: json!({"groupable": false, "attachments": quote}).to_string(),
            thread: None,
            tshow: false,
            although_read_only,
            key: None,
            previews: false,
        };
        let by = json!({"_id": caller.id().as_str(), "username": caller.user().handle()});
        let by = by.to_string();
        let sent = messages::pin(self.store(), &message.id, &by, &notice, now).await?;
        Ok(notice.into_message(sent))
    }

    /// Takes a pin off: like setting one, not where the caller may not write.
    pub async fn unpin(&self, caller: &Caller, id: &str) -> Result<()> {
        if !self.settings().on(&setting::PINNING) {
            return Err(Error::SwitchedOff(Feature::Pinning));
        }
        let (message, access) = self.marked(caller, id).await?;
        self.admin(caller, Perm::PinMessage)?;
        self.check_writable(caller, &access)?;
        let (place, now) = ((&message.id, &message.room), self.clock().now());
        messages::unpin(self.store(), place, caller.id(), now).await
    }

    /// The character of a reaction's short name (`:smile:`), where one exists.
    pub fn emoji_character(name: &str) -> Option<&'static str> {
        emoji::character(name.trim_matches(':'))
    }
}

/// The attachments of a message as a quote of it shows them: without their own, so that quotes of
/// quotes do not grow.
fn quoted(body: &str) -> Result<Value> {
    let body: Value = serde_json::from_str(body).map_err(Error::internal)?;
    let mut all = body["attachments"].as_array().cloned().unwrap_or_default();
    for attachment in all.iter_mut().filter_map(Value::as_object_mut) {
        attachment.remove("attachments");
    }
    Ok(all.into())
}

/// Changes one person's reaction; `false` if nothing had to change.
fn toggle(all: &mut Map<String, Value>, key: &str, username: &str, on: Option<bool>) -> bool {
    let names = all.get(key).and_then(|reaction| reaction["usernames"].as_array());
    let mut names = names.cloned().unwrap_or_default();
    let there = names.iter().any(|name| name == username);
    let on = on.unwrap_or(!there);
    if on == there {
        return false;
    }
    if on {
        names.push(username.into());
    } else {
        names.retain(|name| name != username);
    }
    if names.is_empty() {
        all.remove(key);
    } else {
        all.insert(key.to_owned(), json!({"usernames": names}));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::toggle;
    use serde_json::{Map, json};

    #[test]
    fn a_reaction_turns_and_an_empty_one_goes() {
        let mut all = Map::new();
        assert!(toggle(&mut all, ":x:", "ann", None));
        assert!(!toggle(&mut all, ":x:", "ann", Some(true)));
        assert!(toggle(&mut all, ":x:", "bob", Some(true)));
        assert_eq!(json!(all), json!({":x:": {"usernames": ["ann", "bob"]}}));
        assert!(toggle(&mut all, ":x:", "ann", None) && toggle(&mut all, ":x:", "bob", None));
        assert!(all.is_empty());
    }
}
