//! What is done with each document, judged on what is here and on the lines before it in the same
//! change. Everything that is decided here is remembered here, as if it were stored already; should
//! the change fail, all of it is forgotten and each line is judged again alone.

use super::Fate;
use super::document::{Document, MessageDocument, RoomDocument, UserDocument};
use crate::account::{ROCKET_CAT, fold};
use crate::error::Result;
use crate::id::{UserId, pair};
use crate::open::{NewMember, member_key};
use crate::store::import::{self, Here, Subscription, Wanted};
use crate::store::{Change, terms};
use crate::time::Ms;
use crate::{Core, setting};
use std::collections::BTreeMap;

/// A member key longer than this has no index: such a group is not found by its members.
const MAX_KEY: usize = 2000;
/// Tokens a user may hold (contract section 8.1).
const MOST_TOKENS: usize = 50;

/// What has to be looked up to judge these documents.
pub(super) fn wanted<'a>(documents: impl Iterator<Item = &'a Document>) -> Wanted {
    let mut wanted = Wanted::default();
    for document in documents {
        match document {
            Document::User(it) => {
                let user = &it.account.user;
                wanted.users.push(user.id.to_string());
                wanted.users.extend(user.username.clone());
                wanted.folds.push(fold(user.id.as_str()));
                wanted.folds.extend(user.username.as_deref().map(fold));
                wanted.emails.extend(user.emails.iter().map(|email| fold(&email.address)));
            }
            Document::Room(it) => {
                wanted.rooms.push(it.room.id.to_string());
                wanted.keys.extend(key(it));
                wanted.users.extend(it.uids.iter().cloned());
                wanted.messages.extend(it.last.iter().map(|last| last.message.id.to_string()));
            }
            Document::Subscription(it) => {
                wanted.rooms.push(it.room.clone());
                wanted.subscriptions.push(it.id.clone());
            }
            Document::Message(it) => {
                wanted.rooms.push(it.message.room.to_string());
                wanted.messages.push(it.message.id.to_string());
            }
        }
    }
    wanted.rooms.sort_unstable();
    wanted.rooms.dedup();
    wanted
}

/// The key by which the room is found: none for a group that somebody left (ruling A11), where the
/// count of members is that of the making.
fn key(it: &RoomDocument) -> Option<String> {
    let ids: Vec<&str> = it.uids.iter().map(String::as_str).collect();
    let here = i64::try_from(ids.len()).unwrap_or(i64::MAX);
    let left = it.room.users_count > 2 && it.room.users_count > here;
    Some(member_key(&ids)).filter(|key| !left && key.len() <= MAX_KEY)
}

/// Is the room's id made of its own two members' ids?
pub(super) fn is_own_pair(it: &RoomDocument) -> bool {
    let own = |a: &String, b: &String| {
        pair(&UserId::from(a.as_str()), &UserId::from(b.as_str())) == it.room.id
    };
    match &it.uids[..] {
        [one] => own(one, one),
        [a, b] => own(a, b),
        _ => false,
    }
}

fn refused(why: &str) -> Fate {
    Fate::Refused(why.to_owned())
}

pub(super) struct Plan<'a> {
    core: &'a Core,
    here: Here,
    /// Room ids that belong to two other users.
    pairs: Vec<String>,
    /// Rooms that got messages, and the earliest change among these: the index of searches goes back
    /// to it.
    written: BTreeMap<String, Ms>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(core: &'a Core, here: Here, pairs: Vec<String>) -> Self {
        Self { core, here, pairs, written: BTreeMap::new() }
    }

    /// Adds what follows from all documents together.
    pub(super) fn finish(self, change: &mut Change) {
        if !self.written.is_empty() {
            let rooms = self.written.iter().map(|(room, from)| (room.as_str(), *from));
            terms::read_again(change, rooms, &self.core.new_id());
        }
    }

    /// Judges one document and adds its statements to the change, if there have to be any.
    pub(super) fn add(&mut self, change: &mut Change, document: &Document) -> Result<Fate> {
        match document {
            Document::User(it) => self.user(change, it),
            Document::Room(it) => Ok(self.room(change, it)),
            Document::Subscription(it) => Ok(self.subscription(change, it)),
            Document::Message(it) => Ok(self.message(change, it)),
        }
    }

    fn user(&mut self, change: &mut Change, it: &UserDocument) -> Result<Fate> {
        let user = &it.account.user;
        let (id, here) = (user.id.as_str(), &self.here);
        let others = |owner: Option<&String>| owner.is_some_and(|owner| owner != id);
        let name = user.username.as_deref();
        if name.is_some_and(|name| others(here.folds.get(&fold(name)))) {
            return Ok(refused("the username belongs to another account"));
        }
        if here.users.contains_key(id) {
            return Ok(Fate::Known);
        }
        if name.is_some_and(|name| name != id && here.users.contains_key(name)) {
            return Ok(refused("the username is another account's id"));
        }
        if others(here.folds.get(&fold(id))) {
            return Ok(refused("the id is another account's username"));
        }
        if user.emails.iter().any(|email| others(here.emails.get(&fold(&email.address)))) {
            return Ok(refused("an e-mail address belongs to another account"));
        }
        import::add_user(change, &it.account, &self.tokens(it))?;
        let here = &mut self.here;
        here.users.insert(id.to_owned(), (user.username.clone(), user.name.clone()));
        here.folds.extend(name.map(|name| (fold(name), id.to_owned())));
        let emails = user.emails.iter().map(|email| (fold(&email.address), id.to_owned()));
        here.emails.extend(emails);
        Ok(Fate::Taken)
    }

    /// The newest tokens that are still alive.
    fn tokens<'t>(&self, it: &'t UserDocument) -> Vec<(&'t str, Ms, Option<Ms>)> {
        let now = self.core.clock().now();
        let days = self.core.settings().number(&setting::LOGIN_DAYS).clamp(1, 36_500);
        let mut tokens: Vec<_> = it.tokens.iter().collect();
        tokens.sort_by_key(|token| std::cmp::Reverse(token.created));
        let with_end = tokens.into_iter().map(|token| {
            let ends = (!token.personal).then(|| token.created.saturating_add(days * 86_400_000));
            (token.hash.as_str(), token.created, ends)
        });
        let alive = with_end.filter(|(_, _, ends)| ends.is_none_or(|ends| ends > now));
        alive.take(MOST_TOKENS).collect()
    }

    fn room(&mut self, change: &mut Change, it: &RoomDocument) -> Fate {
        let id = it.room.id.as_str();
        if let Some(uids) = self.here.rooms.get(id) {
            return if same_members(uids, &it.uids) {
                Fate::Known
            } else {
                refused("the id is that of a room of other members")
            };
        }
        let foreign = |a: &String| {
            let cut = id.strip_prefix(a.as_str()).filter(|rest| !rest.is_empty());
            cut.is_some_and(|rest| a.as_str() <= rest && self.here.users.contains_key(rest))
        };
        if self.pairs.iter().any(|pair| pair == id)
            || (!is_own_pair(it) && self.here.users.keys().any(foreign))
        {
            return refused("the id is made of the ids of two users who are not the members");
        }
        let last = it.last.as_ref().map(|last| &last.message);
        if let Some(last) = last
            && let Some((room, _)) = self.here.messages.get(last.id.as_str())
            && room != id
        {
            return refused("lastMessage: the id is that of a message of another room");
        }
        let known = [Some(it.room.ts), Some(it.room.updated), it.room.lm, last.map(|l| l.ts)];
        let last_ts = known.into_iter().flatten().max().unwrap_or(it.room.ts);
        let key = key(it).filter(|key| !self.here.keys.contains(key));
        let members = self.members(it);
        import::add_room(change, &it.room, key.as_deref(), last_ts, &it.usernames, &members);
        self.here.keys.extend(key);
        self.here.rooms.insert(id.to_owned(), it.room.uids.clone());
        for member in members {
            let place = (id.to_owned(), member.user.to_string());
            self.here.members.insert(place, member.id);
        }
        if let Some(last) = &it.last {
            self.add_message(change, last, true);
        }
        Fate::Taken
    }

    /// The members of a new room. The document does not say whose each username is: where the
    /// account is here it does, and otherwise a member sees the names of all.
    fn members(&self, it: &RoomDocument) -> Vec<NewMember> {
        let account = |uid: &str| self.here.users.get(uid);
        let mut uids = it.uids.clone();
        let mut seen = std::collections::HashSet::new();
        uids.retain(|uid| seen.insert(uid.clone()));
        let one = |(place, uid): (i64, &String)| {
            let own = account(uid).and_then(|(username, _)| username.clone());
            let own = own.or_else(|| (uid == ROCKET_CAT).then(|| uid.clone()));
            let of_others: Vec<&str> = uids
                .iter()
                .filter(|other| *other != uid)
                .filter_map(|other| account(other)?.0.as_deref())
                .collect();
            let mut names: Vec<&str> = it.usernames.iter().map(String::as_str).collect();
            if of_others.len() + 1 == uids.len() && !of_others.is_empty() {
                names = of_others;
            } else if names.len() > 1 {
                names.retain(|name| Some(*name) != own.as_deref());
            }
            let shown = |name: &&str| {
                let of_name = |(username, shown): &(Option<String>, Option<String>)| {
                    let shown = shown.clone().filter(|shown| !shown.is_empty());
                    shown.filter(|_| username.as_deref() == Some(*name))
                };
                let found = uids.iter().filter_map(|uid| account(uid)).find_map(of_name);
                found.unwrap_or_else(|| (*name).to_owned())
            };
            NewMember {
                user: uid.as_str().into(),
                id: self.core.chance().id(self.core.clock().now()),
                place,
                opened: true,
                name: names.join(", "),
                fname: names.iter().map(shown).collect::<Vec<_>>().join(", "),
            }
        };
        (0..).zip(&uids).map(one).collect()
    }

    fn subscription(&mut self, change: &mut Change, it: &Subscription) -> Fate {
        if !self.here.rooms.contains_key(&it.room) {
            return refused("the room is not here");
        }
        let place = (it.room.clone(), it.user.clone());
        match self.here.members.get(&place) {
            None => return refused("the user is not a member of the room"),
            Some(id) if *id == it.id => return Fate::Known,
            Some(_) => {}
        }
        if !self.here.subscriptions.insert(it.id.clone()) {
            return refused("the id is that of another subscription");
        }
        import::subscribe(change, it);
        self.here.members.insert(place, it.id.clone());
        Fate::Taken
    }

    fn message(&mut self, change: &mut Change, it: &MessageDocument) -> Fate {
        let (id, room) = (it.message.id.as_str(), it.message.room.as_str());
        if !self.here.rooms.contains_key(room) {
            return refused("the room is not here");
        }
        match self.here.messages.get(id) {
            Some((other, _)) if other != room => {
                return refused("the id is that of a message of another room");
            }
            Some((_, updated)) if *updated >= it.message.updated => return Fate::Known,
            Some(_) => {
                self.advance(change, it);
                import::renew_message(change, &it.message, &it.mentioned, &it.starred);
                self.remember(it);
            }
            None => self.add_message(change, it, false),
        }
        Fate::Taken
    }

    fn add_message(&mut self, change: &mut Change, it: &MessageDocument, embedded: bool) {
        self.advance(change, it);
        import::add_message(change, &it.message, &it.mentioned, &it.starred, embedded);
        self.remember(it);
    }

    /// The room's clock follows what changed in it, but not into the future.
    fn advance(&mut self, change: &mut Change, it: &MessageDocument) {
        let (room, changed) = (it.message.room.as_str(), it.message.updated.max(it.message.ts));
        import::advance(change, room, changed.min(self.core.clock().now()));
        let earliest = self.written.entry(room.to_owned()).or_insert(changed);
        *earliest = changed.min(*earliest);
    }

    fn remember(&mut self, it: &MessageDocument) {
        let message = &it.message;
        let place = (message.room.to_string(), message.updated);
        self.here.messages.insert(message.id.to_string(), place);
    }
}

/// Are these the members that the stored JSON list names?
fn same_members(stored: &str, uids: &[String]) -> bool {
    let set = |mut ids: Vec<String>| {
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let stored: Vec<String> = serde_json::from_str(stored).unwrap_or_default();
    set(stored) == set(uids.to_vec())
}
