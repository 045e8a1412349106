//! A piece of the log, turned into notices: what the events name is read in a few rounds, and each event
//! becomes what its readers are told of it (contract section 12).

use crate::Core;
use crate::account::User;
use crate::error::Result;
use crate::event::{Event, Kind};
use crate::id::{RoomId, UserId};
use crate::message::Message;
use crate::notice::{Delivery, How, Notice, To, Topic};
use crate::reading::{Counting, Membership, UnreadThread};
use crate::room::{Member, Room};
use crate::store::fanout;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What came of a piece, in order.
pub(super) type Told = Vec<(To, Arc<Delivery>)>;

/// Who is told.
#[derive(Clone, Copy)]
pub(super) struct Audience<'a> {
    /// Is this user there to be told?
    pub(super) here: &'a (dyn Fn(&UserId) -> bool + Sync),
    /// Whose log it is, if one user's alone: then nothing is told that concerns everybody.
    pub(super) only: Option<&'a UserId>,
}

/// All that a piece tells of.
#[derive(Default)]
struct Content {
    /// Rooms in which somebody is there.
    rooms: HashMap<String, Arc<Room>>,
    /// Their members who are there.
    members: HashMap<String, Vec<Member>>,
    messages: HashMap<String, Arc<Message>>,
    stars: HashMap<String, Vec<UserId>>,
    threads: HashMap<(String, String), Vec<UnreadThread>>,
    users: HashMap<String, Arc<User>>,
}

/// What is told at the end of a piece: rooms and views of them, as they are then.
#[derive(Default)]
struct Touched {
    rooms: BTreeMap<String, How>,
    views: BTreeMap<(String, UserId), How>,
}

/// Whose account an event tells of, if it is one that is still there to be read.
fn account(event: &Event) -> Option<&str> {
    match event.kind {
        Kind::User | Kind::Status | Kind::UserRenamed | Kind::Avatar => Some(&event.reference),
        Kind::RoleGiven | Kind::RoleTaken => Some(event.reference.rsplit_once(' ')?.1),
        _ => None,
    }
}

/// The different ids among these.
fn distinct<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    ids.collect::<BTreeSet<_>>().into_iter().collect()
}

fn by_id<T>(all: Vec<T>, id: impl Fn(&T) -> String) -> HashMap<String, Arc<T>> {
    all.into_iter().map(|one| (id(&one), Arc::new(one))).collect()
}

impl Core {
    /// What people are told of these events.
    pub(super) async fn told_of(&self, events: &[Event], to: Audience<'_>) -> Result<Told> {
        let content = self.content(events, to).await?;
        let mut told = Told::new();
        let mut touched = Touched::default();
        for event in events {
            self.tell_of(event, &content, to, &mut told, &mut touched).await?;
        }
        content.finish(touched, self.counting(), &mut told);
        Ok(told)
    }

    /// Reads what the events name, as far as somebody is there to be told.
    async fn content(&self, events: &[Event], to: Audience<'_>) -> Result<Content> {
        let store = self.store();
        let of_rooms = events.iter().filter(|event| event.kind != Kind::RoomDeleted);
        let rooms = distinct(of_rooms.filter_map(|event| event.room.as_ref().map(RoomId::as_str)));
        let mut content =
            Content { members: fanout::members(store, &rooms).await?, ..Content::default() };
        for members in content.members.values_mut() {
            members.retain(|member| (to.here)(&member.user));
        }
        content.members.retain(|_, members| !members.is_empty());
        let rooms = distinct(content.members.keys().map(String::as_str));
        let told = |event: &&Event| {
            event.room.as_ref().is_some_and(|room| content.members.contains_key(room.as_str()))
        };
        let named = |wanted: fn(Kind) -> bool| {
            let some = events.iter().filter(|event| wanted(event.kind)).filter(told);
            distinct(some.map(|event| event.reference.as_str()))
        };
        let written = named(|kind| matches!(kind, Kind::MessageNew | Kind::MessageChanged));
        let changed = named(|kind| kind == Kind::MessageChanged);
        let people =
            distinct(content.members.values().flatten().map(|member| member.user.as_str()));
        let accounts = distinct(events.iter().filter_map(account));
        let wanted = fanout::Named {
            rooms: &rooms,
            messages: &written,
            starred: &changed,
            members: &people,
            users: &accounts,
        };
        let found = fanout::find(store, wanted).await?;
        content.rooms = by_id(self.show(found.rooms).await?, |room| room.id.to_string());
        let messages = self.show(found.messages).await?;
        content.messages = by_id(messages, |message| message.id.to_string());
        content.stars = found.stars;
        content.threads = found.threads;
        content.users = by_id(found.users, |user| user.id.to_string());
        Ok(content)
    }

    /// What is told of one event at once; what is told at the end is noted.
    async fn tell_of(
        &self,
        event: &Event,
        content: &Content,
        to: Audience<'_>,
        told: &mut Told,
        touched: &mut Touched,
    ) -> Result<()> {
        if let (Kind::RoomDeleted, Some(room), Some(user)) =
            (event.kind, &event.room, &event.audience)
        {
            if (to.here)(user)
                && let Some(membership) = fanout::left(self.store(), room.as_str(), user).await?
            {
                let left = Notice::Left { room: room.clone(), membership };
                told.push((To::One(user.clone()), Delivery::new(left)));
            }
        } else if event.room.is_some() {
            content.tell_of_room(event, told, touched);
        } else {
            content.tell_of_account(event, to, told);
        }
        Ok(())
    }
}

impl Content {
    fn members(&self, room: &str) -> &[Member] {
        self.members.get(room).map_or(&[], Vec::as_slice)
    }

    fn tell_of_room(&self, event: &Event, told: &mut Told, touched: &mut Touched) {
        let Some((id, room)) =
            event.room.as_ref().and_then(|id| self.rooms.get(id.as_str()).map(|room| (id, room)))
        else {
            return;
        };
        let mut touch = |how: How, views: bool| {
            touched.room(id.as_str(), how);
            for member in self.members(id.as_str()).iter().filter(|_| views) {
                touched.view(id.as_str(), &member.user, how);
            }
        };
        match event.kind {
            Kind::MessageNew => {
                touch(How::Updated, true);
                self.tell_message(event, room, told);
            }
            Kind::MessageChanged => {
                if room.last_id.as_ref().is_some_and(|last| last.as_str() == event.reference) {
                    touch(How::Updated, false);
                }
                self.tell_message(event, room, told);
            }
            Kind::MessageDeleted => {
                touch(How::Updated, true);
                let message = event.reference.as_str().into();
                let gone = Delivery::new(Notice::MessageDeleted { room: id.clone(), message });
                for member in self.members(id.as_str()) {
                    told.push((To::One(member.user.clone()), gone.clone()));
                }
            }
            Kind::RoomNew => touch(How::Inserted, true),
            Kind::RoomChanged => touch(How::Updated, true),
            Kind::MemberChanged => {
                for user in event.audience.iter().filter(|user| self.is_member(id.as_str(), user)) {
                    touched.view(id.as_str(), user, How::Updated);
                }
            }
            _ => {}
        }
    }

    fn is_member(&self, room: &str, user: &UserId) -> bool {
        self.members(room).iter().any(|member| member.user == *user)
    }

    /// A message as it stands; what was deleted since has an event of its own.
    fn tell_message(&self, event: &Event, room: &Arc<Room>, told: &mut Told) {
        let Some(message) = self.messages.get(&event.reference) else {
            return;
        };
        let fresh = event.kind == Kind::MessageNew;
        let plain =
            Delivery::new(Notice::Message { message: message.clone(), room: room.clone(), fresh });
        let stars = self.stars.get(&event.reference).map_or(&[][..], Vec::as_slice);
        for member in self.members(room.id.as_str()) {
            let user = &member.user;
            let delivery = if stars.contains(user) {
                let mut own = (**message).clone();
                own.starred_by = Some(user.clone());
                Delivery::new(Notice::Message { message: Arc::new(own), room: room.clone(), fresh })
            } else {
                plain.clone()
            };
            told.push((To::One(user.clone()), delivery));
            if fresh && self.may_alert(message, room, member) {
                told.push((To::One(user.clone()), alert(message, room, member)));
            }
        }
    }

    /// May a member be alerted of a message (contract section 12)? Of replies that are not shown in the
    /// room, those who follow the thread and have not read it.
    fn may_alert(&self, message: &Message, room: &Room, member: &Member) -> bool {
        let whose = (member.user.to_string(), room.id.to_string());
        let follows = |root: &str| {
            let threads = self.threads.get(&whose);
            threads.is_some_and(|all| all.iter().any(|thread| thread.root == root))
        };
        let plain = message.kind.as_deref().is_none_or(|kind| kind == "e2e");
        plain
            && message.author.id != member.user
            && (message.tshow == Some(true)
                || message.thread.as_ref().is_none_or(|root| follows(root.as_str())))
    }

    fn tell_of_account(&self, event: &Event, to: Audience<'_>, told: &mut Told) {
        let everybody = to.only.is_none();
        let user = account(event).and_then(|id| self.users.get(id));
        let mut all = |topic: Topic, notice: Notice| {
            if everybody {
                told.push((To::All(topic), Delivery::new(notice)));
            }
        };
        match (event.kind, user) {
            (Kind::User, Some(user)) if (to.here)(&user.id) => {
                let own = Delivery::new(Notice::Account(user.clone()));
                told.push((To::One(user.id.clone()), own));
            }
            (Kind::Status, Some(user)) => {
                all(Topic::Status, Notice::Status(user.clone()));
                if (to.here)(&user.id) {
                    let own = Delivery::new(Notice::Account(user.clone()));
                    told.push((To::One(user.id.clone()), own));
                }
            }
            (Kind::UserRenamed, Some(user)) => all(Topic::People, Notice::Renamed(user.clone())),
            (Kind::Avatar, Some(user)) => all(Topic::People, Notice::Avatar(user.clone())),
            (Kind::UserDeleted, _) => {
                let id = UserId::from(event.reference.as_str());
                all(Topic::People, Notice::UserDeleted(id.clone()));
                told.push((To::One(id), Delivery::new(Notice::Sessions)));
            }
            (Kind::Session, _) => {
                for user in event.audience.iter().filter(|user| (to.here)(user)) {
                    told.push((To::One(user.clone()), Delivery::new(Notice::Sessions)));
                }
            }
            (Kind::Settings, _) => all(Topic::Rules, Notice::Setting(event.reference.clone())),
            (Kind::Roles, _) => all(Topic::Rules, Notice::Role(event.reference.clone())),
            (Kind::RoleGiven | Kind::RoleTaken, Some(user)) => {
                let role = event.reference.rsplit_once(' ').map_or("", |(role, _)| role).to_owned();
                let given = event.kind == Kind::RoleGiven;
                all(Topic::Rules, Notice::RoleHeld { role, user: user.clone(), given });
            }
            (Kind::Permissions, _) => all(Topic::Rules, Notice::Rights(event.reference.clone())),
            _ => {}
        }
    }

    /// Rooms and views of them, as they are now.
    fn finish(mut self, touched: Touched, counting: Counting, told: &mut Told) {
        for (id, how) in &touched.rooms {
            if let Some(room) = self.rooms.get(id) {
                let it = Delivery::new(Notice::Room { room: room.clone(), how: *how });
                for member in self.members(id) {
                    told.push((To::One(member.user.clone()), it.clone()));
                }
            }
        }
        for ((id, user), how) in touched.views {
            let member = self.members(&id).iter().find(|member| member.user == user);
            let (Some(room), Some(member)) = (self.rooms.get(&id), member) else {
                continue;
            };
            let (room, member) = (Room { last: None, ..(**room).clone() }, member.clone());
            let threads = self.threads.remove(&(user.to_string(), id)).unwrap_or_default();
            let it = Membership { threads, ..Membership::new(room, member, counting) };
            let it = Box::new(it);
            told.push((To::One(user), Delivery::new(Notice::Membership { it, how })));
        }
    }
}

impl Touched {
    /// What began in this piece is told of as begun, whatever came after.
    fn room(&mut self, id: &str, how: How) {
        let now = self.rooms.entry(id.to_owned()).or_insert(how);
        if how == How::Inserted {
            *now = how;
        }
    }

    fn view(&mut self, id: &str, user: &UserId, how: How) {
        let now = self.views.entry((id.to_owned(), user.clone())).or_insert(how);
        if how == How::Inserted {
            *now = how;
        }
    }
}

/// What a member is alerted with, as the membership has it.
fn alert(message: &Arc<Message>, room: &Room, member: &Member) -> Arc<Delivery> {
    let body: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&member.body).unwrap_or_default();
    let level = if body.get("disableNotifications").is_some_and(|off| off == true) {
        Some("nothing".to_owned())
    } else {
        body.get("desktopNotifications").and_then(|level| level.as_str()).map(str::to_owned)
    };
    let group = (room.users_count > 2).then(|| member.fname.clone());
    Delivery::new(Notice::Alert { message: message.clone(), group, level })
}
