//! User, Channel, Message and `DMConversation` as clients see them. A key without a value is left
//! out, never null. Whoever has no account any more is still shown, as what is left of them, because
//! clients read `otherUser` and `user` without asking whether they are there.

use crate::answer::object;
use crate::people::{People, reactions};
use parlance_core::message::Author;
use parlance_core::room::Conversation;
use parlance_core::{Message, Ms, User, UserId};
use parlance_http::json::{Object, text};
use serde_json::Value;

/// Someone as shown: an account, or what is left of one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Person<'a> {
    id: &'a str,
    username: &'a str,
    name: &'a str,
    status: &'a str,
    bot: bool,
    created: Ms,
}

impl<'a> Person<'a> {
    /// An account.
    pub(crate) fn of(user: &'a User) -> Self {
        let status = match user.status.as_str() {
            "online" => "online",
            "away" | "busy" => "away",
            _ => "offline",
        };
        Self {
            id: user.id.as_str(),
            username: user.handle(),
            name: user.shown_name(),
            status,
            bot: user.kind != "user",
            created: user.created,
        }
    }

    /// A member whose account is gone.
    fn gone(id: &'a UserId, username: &'a str, created: Ms) -> Self {
        let name = "Deleted user";
        Self { id: id.as_str(), username, name, status: "offline", bot: false, created }
    }

    /// The author of a message who is no member, by the names it was written under.
    fn stored(author: &'a Author, created: Ms) -> Self {
        let name = author.name.as_deref().filter(|name| !name.is_empty());
        Self {
            id: author.id.as_str(),
            username: &author.username,
            name: name.unwrap_or(&author.username),
            status: "offline",
            bot: false,
            created,
        }
    }
}

/// The members of a User.
pub(crate) fn user(o: &mut Object<'_>, person: &Person<'_>) {
    o.text("id", person.id);
    o.text("username", person.username);
    o.text("displayName", person.name);
    o.text("status", person.status);
    o.flag("bot", person.bot);
    o.date("createdAt", person.created);
}

/// The members of the caller's own User: with the address.
pub(crate) fn own_user(o: &mut Object<'_>, own: &User) {
    user(o, &Person::of(own));
    o.text_if("email", own.emails.first().map(|email| email.address.as_str()));
}

/// The members of a Message.
pub(crate) fn message(o: &mut Object<'_>, message: &Message, people: &People<'_>) {
    let author = &message.author;
    o.text("id", message.id.as_str());
    o.text("channelId", message.room.as_str());
    o.text("userId", author.id.as_str());
    o.text("content", &message.msg);
    o.flag("edited", message.edited_at.is_some());
    o.date("createdAt", message.ts);
    o.date("updatedAt", message.updated);
    o.text_if("threadId", message.thread.as_ref().map(parlance_core::MessageId::as_str));
    let known = people.by_id(author.id.as_str()).map(Person::of);
    let author = known.unwrap_or_else(|| Person::stored(author, people.since));
    o.object("user", |o| user(o, &author));
    o.number("replyCount", message.tcount.unwrap_or(0));
    o.array("reactions", reactions(message), |out, reaction| {
        object(out, |o| {
            o.text("emoji", &reaction.emoji);
            o.number("count", i64::try_from(reaction.usernames.len()).unwrap_or(i64::MAX));
            o.array("users", people.ids(&reaction.usernames), |out, id| {
                text(out, id.as_str());
            });
        });
    });
    o.raw("attachments", "[]");
    mentions(o, message.mentions.as_deref(), people);
}

/// Whom a text names, without `@all` and `@here`.
fn mentions(o: &mut Object<'_>, stored: Option<&str>, people: &People<'_>) {
    let all: Vec<Value> = serde_json::from_str(stored.unwrap_or("[]")).unwrap_or_default();
    let named = all.iter().filter_map(|one| {
        let (id, username) = (one.get("_id")?.as_str()?, one.get("username")?.as_str()?);
        // Old imports have no type; the words for everybody never had one either.
        let person = match one.get("type") {
            Some(kind) => kind == "user",
            None => !matches!(id, "all" | "here"),
        };
        person.then(|| (id, username, one.get("name").and_then(Value::as_str)))
    });
    o.array("mentions", named, |out, (id, username, name)| {
        let account = people.by_id(id);
        object(out, |o| {
            o.text("id", id);
            o.text("username", account.map_or(username, User::handle));
            o.text("displayName", account.map_or(name.unwrap_or(username), User::shown_name));
        });
    });
}

/// The members of a `DMConversation` as `caller` sees it.
pub(crate) fn conversation(
    o: &mut Object<'_>,
    conversation: &Conversation,
    caller: &User,
    people: &People<'_>,
) {
    let room = &conversation.room;
    let lost = lost_name(conversation);
    let others: Vec<Person<'_>> = conversation
        .members
        .iter()
        .filter(|(id, _)| *id != caller.id)
        .map(|(id, account)| match account {
            Some(account) => Person::of(account),
            None => Person::gone(id, lost.as_deref().unwrap_or("deleted"), room.ts),
        })
        .collect();
    // Alone in it: a note to oneself.
    let own = people.by_id(caller.id.as_str()).unwrap_or(caller);
    let first = others.first().cloned().unwrap_or_else(|| Person::of(own));
    o.object("channel", |o| channel(o, conversation, &first, &others));
    o.object("otherUser", |o| user(o, &first));
    if others.len() > 1 {
        o.array("otherUsers", &others, |out, one| {
            object(out, |o| user(o, one));
        });
    }
    if let Some(last) = room.last.as_ref().filter(|last| last.kind.is_none()) {
        o.object("lastMessage", |o| message(o, last, people));
    }
}

fn channel(
    o: &mut Object<'_>,
    conversation: &Conversation,
    first: &Person<'_>,
    others: &[Person<'_>],
) {
    let (room, members) = (&conversation.room, &conversation.members);
    let shown = if others.is_empty() { std::slice::from_ref(first) } else { others };
    let names: Vec<&str> = shown.iter().map(|other| other.name).collect();
    let creator = room.creator.as_ref().or_else(|| members.first().map(|(id, _)| id));
    o.text("id", room.id.as_str());
    o.text("name", &format!("dm-{}", room.id));
    o.text("displayName", &names.join(", "));
    o.text("topic", room.topic.as_deref().unwrap_or(""));
    o.flag("isDm", true);
    o.flag("isPrivate", true);
    o.flag("archived", false);
    o.text("createdBy", creator.map_or(first.id, UserId::as_str));
    o.date("createdAt", room.ts);
    o.number("position", 0);
    o.number("memberCount", i64::try_from(members.len()).unwrap_or(i64::MAX));
}

/// The username of a member whose account is gone: of the room's names the one that no member has.
/// With two gone, nobody can tell whose is whose.
fn lost_name(conversation: &Conversation) -> Option<String> {
    let gone = conversation.members.iter().filter(|(_, account)| account.is_none()).count();
    if gone != 1 {
        return None;
    }
    let mut names: Vec<String> = serde_json::from_str(&conversation.room.usernames).ok()?;
    let known = conversation.members.iter().filter_map(|(_, account)| account.as_ref());
    let known: Vec<&str> = known.map(User::handle).collect();
    names.retain(|name| !known.contains(&name.as_str()));
    if names.len() == 1 { names.pop() } else { None }
}

#[cfg(test)]
mod tests;
