//! Whom a page of messages names: authors, the mentioned, those who reacted. Messages carry names,
//! this contract wants accounts; a conversation's members, which a page reads anyway, answer nearly
//! all of it, and only who reacted and left is looked up.

use parlance_core::room::Conversation;
use parlance_core::{Core, Message, Ms, Result, User, UserId};
use serde_json::{Map, Value};

/// Names that one page has looked up at most.
const MOST_STRANGERS: usize = 200;

/// Accounts that messages of one conversation may name.
pub(crate) struct People<'a> {
    accounts: Vec<&'a User>,
    /// When the conversation began: the age of an author of whom nothing else is known.
    pub(crate) since: Ms,
}

impl<'a> People<'a> {
    /// The members of a conversation, and `others`.
    pub(crate) fn of(conversation: &'a Conversation, others: &'a [User]) -> Self {
        let members = conversation.members.iter().filter_map(|(_, user)| user.as_ref());
        Self { accounts: members.chain(others).collect(), since: conversation.room.ts }
    }

    /// One account alone, in a conversation that began at `since`.
    pub(crate) fn one(user: &'a User, since: Ms) -> Self {
        Self { accounts: vec![user], since }
    }

    /// The account of this id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&'a User> {
        self.accounts.iter().find(|user| user.id.as_str() == id).copied()
    }

    /// The account of this username.
    fn named(&self, username: &str) -> Option<&'a User> {
        self.accounts.iter().find(|user| user.username.as_deref() == Some(username)).copied()
    }

    /// The ids of these usernames, of those that are accounts.
    pub(crate) fn ids(&self, usernames: &[String]) -> Vec<&'a UserId> {
        usernames.iter().filter_map(|name| self.named(name)).map(|user| &user.id).collect()
    }
}

/// The accounts of everybody who reacted to one of the messages and is no member of its conversation.
pub(crate) async fn strangers<'a>(
    core: &Core,
    messages: impl Iterator<Item = (&'a Conversation, &'a Message)>,
) -> Result<Vec<User>> {
    let mut unknown: Vec<String> = Vec::new();
    for (conversation, message) in messages.filter(|(_, message)| message.reactions.is_some()) {
        let people = People::of(conversation, &[]);
        let names = reactions(message).into_iter().flat_map(|reaction| reaction.usernames);
        unknown.extend(names.filter(|name| people.named(name).is_none()));
    }
    unknown.sort_unstable();
    unknown.dedup();
    unknown.truncate(MOST_STRANGERS);
    if unknown.is_empty() { Ok(Vec::new()) } else { core.users_named(&unknown).await }
}

/// One emoji on a message.
#[derive(Debug, PartialEq)]
pub(crate) struct Reaction {
    /// The character, or the short name of an emoji that has none.
    pub(crate) emoji: String,
    /// Who.
    pub(crate) usernames: Vec<String>,
}

/// The reactions of a message. Two short names of one character are one reaction.
pub(crate) fn reactions(message: &Message) -> Vec<Reaction> {
    let stored = message.reactions.as_deref().unwrap_or("{}");
    let stored: Map<String, Value> = serde_json::from_str(stored).unwrap_or_default();
    let mut all: Vec<Reaction> = Vec::new();
    for (name, reaction) in stored {
        let emoji = Core::emoji_character(&name).map_or(name, str::to_owned);
        let place = all.iter().position(|one| one.emoji == emoji).unwrap_or(all.len());
        if place == all.len() {
            all.push(Reaction { emoji, usernames: Vec::new() });
        }
        let names = reaction.get("usernames").and_then(Value::as_array).into_iter().flatten();
        for name in names.filter_map(Value::as_str) {
            let usernames = &mut all[place].usernames;
            if !usernames.iter().any(|one| one == name) {
                usernames.push(name.to_owned());
            }
        }
    }
    all
}
