//! One random step: done over the wire, and by the model.

use super::World;
use super::state::Message;
use parlance_core::time;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// How the lines of the log begin.
pub(super) const KINDS: [&str; 14] = [
    "send",
    "reply",
    "shown reply",
    "edit",
    "delete",
    "stub",
    "react",
    "read",
    "unread",
    "block",
    "unblock",
    "open",
    "close",
    "refused",
];

const NAMES: [&str; 3] = ["ann", "bob", "cat"];

impl World {
    pub(super) async fn step(&mut self) {
        let room = self.pick(2);
        let user = self.pick(self.rooms[room].members.len());
        match self.pick(22) {
            0..=6 => self.send(room, user, None).await,
            7..=10 => {
                let root = self.any(room, |message| message.root.is_none() && !message.stub);
                self.send(room, user, root).await;
            }
            11 => self.edit(room).await,
            12 | 13 => self.delete(room).await,
            14 => self.react(room, user).await,
            15 => self.read(room, user).await,
            16 => self.unread(room, user).await,
            17 => self.block().await,
            18 => self.follow(room, user).await,
            _ => self.open_or_close(room, user).await,
        }
    }

    fn any(&mut self, room: usize, wanted: fn(&Message) -> bool) -> Option<Message> {
        let all: Vec<Message> =
            self.rooms[room].messages.iter().filter(|one| wanted(one)).cloned().collect();
        if all.is_empty() {
            return None;
        }
        let n = self.pick(all.len());
        Some(all[n].clone())
    }

    async fn send(&mut self, room: usize, author: usize, root: Option<Message>) {
        let named = match self.pick(4) {
            0 => vec![self.pick(3)],
            1 => vec![self.pick(3), self.pick(3)],
            _ => Vec::new(),
        };
        let all = self.pick(4) == 0;
        let mut text = format!("m{}", self.log.len());
        for user in &named {
            text = format!("{text} @{}", NAMES[*user]);
        }
        text.push_str(if all { " @all" } else { "" });
        let shown = root.is_some() && self.pick(3) == 0;
        let id = self.rooms[room].id.clone();
        let mut message = json!({"rid": id, "msg": text});
        if let Some(root) = &root {
            message["tmid"] = json!(root.id);
            message["tshow"] = json!(shown);
        }
        let kind =
            ["send", "reply", "shown reply"][usize::from(root.is_some()) + usize::from(shown)];
        let body = json!({ "message": message });
        if self.rooms[room].is_blocked() {
            self.log.push(format!("refused {body}"));
            let answer = self.app.rocket(&self.users[author]).post("chat.sendMessage", body).await;
            assert_eq!(answer.expect(400)["error"], "room_is_blocked");
            return;
        }
        self.log.push(format!("{kind} by {}: {body}", NAMES[author]));
        let sent = self.post(author, "chat.sendMessage", body).await["message"].clone();
        let message = Message {
            id: sent["_id"].as_str().unwrap().to_owned(),
            author,
            text,
            ts: sent["ts"].as_str().unwrap().to_owned(),
            top: root.is_none() || shown,
            root: root.map(|root| root.id),
            stub: false,
            replies: None,
            followers: BTreeSet::new(),
        };
        self.rooms[room].sent(message, &named, all);
    }

    async fn edit(&mut self, room: usize) {
        let Some(message) = self.any(room, |message| !message.stub) else { return };
        if self.rooms[room].is_blocked() {
            return;
        }
        let text = format!("edited {} @bob @all", self.log.len());
        self.log.push(format!("edit {}", message.id));
        let body = json!({"roomId": self.rooms[room].id, "msgId": message.id, "text": text});
        self.post(message.author, "chat.update", body).await;
        self.rooms[room].message(&message.id).text = text;
    }

    async fn delete(&mut self, room: usize) {
        let Some(message) = self.any(room, |message| !message.stub) else { return };
        let stays = message.replies.is_some_and(|replies| replies > 0);
        self.log.push(format!("{} {}", if stays { "stub" } else { "delete" }, message.id));
        let body = json!({"roomId": self.rooms[room].id, "msgId": message.id});
        self.post(message.author, "chat.delete", body).await;
        self.rooms[room].deleted(&message.id);
    }

    /// Changes nothing that is counted.
    async fn react(&mut self, room: usize, user: usize) {
        let Some(message) = self.any(room, |message| !message.stub) else { return };
        if self.rooms[room].is_blocked() {
            return;
        }
        self.log.push(format!("react {}", message.id));
        let body = json!({"messageId": message.id, "emoji": "smile"});
        self.post(user, "chat.react", body.clone()).await;
        self.post(user, "chat.starMessage", body).await;
    }

    async fn read(&mut self, room: usize, user: usize) {
        let threads = self.pick(2) == 0;
        self.log.push(format!("read by {}, threads {threads}", NAMES[user]));
        let body = json!({"rid": self.rooms[room].id, "readThreads": threads});
        self.post(user, "subscriptions.read", body).await;
        let seen = self.seen(room, user).await;
        let member = self.rooms[room].members.get_mut(&user).unwrap();
        member.read(&seen);
        if threads {
            member.threads.clear();
        }
    }

    /// When a user has seen a room, which must not be before the newest message.
    async fn seen(&self, room: usize, user: usize) -> String {
        let (id, rocket) = (&self.rooms[room].id, self.app.rocket(&self.users[user]));
        let sub = rocket.get("subscriptions.getOne", &[("roomId", id)]).await.ok();
        let seen = sub["subscription"]["ls"].as_str().unwrap().to_owned();
        let last = self.rooms[room].messages.last();
        assert!(last.is_none_or(|last| last.ts <= seen));
        assert!(seen >= time::iso(self.app.clock.now()));
        seen
    }

    async fn unread(&mut self, room: usize, user: usize) {
        let id = self.rooms[room].id.clone();
        let first = if self.pick(2) == 0 { self.any(room, |_| true) } else { None };
        let body = match &first {
            Some(first) => json!({"firstUnreadMessage": {"_id": first.id}}),
            None => json!({ "roomId": id }),
        };
        let newest = self.rooms[room].messages.last().cloned();
        let Some(from) = first.clone().or(newest) else { return };
        if first.is_some_and(|first| first.author == user) {
            self.log.push(format!("refused {body}"));
            let answer =
                self.app.rocket(&self.users[user]).post("subscriptions.unread", body).await;
            assert_eq!(answer.expect(400)["errorType"], "error-action-not-allowed");
            return;
        }
        self.log.push(format!("unread by {} {body}", NAMES[user]));
        self.post(user, "subscriptions.unread", body).await;
        let member = self.rooms[room].members.get_mut(&user).unwrap();
        (member.open, member.unread) = (true, 1);
        member.seen = Some(time::iso(time::parse(&from.ts).unwrap() - 1));
    }

    /// In the room of two, where a block is short.
    async fn block(&mut self) {
        let was = self.rooms[0].is_blocked();
        let user = if self.rooms[0].members[&1].blocker {
            1
        } else {
            usize::from(!was && self.log.len() % 2 == 1)
        };
        self.log.push(format!("{} by {}", if was { "unblock" } else { "block" }, NAMES[user]));
        let caller = self.app.caller(&self.users[user]).await;
        let access = self.app.core.access(&caller, &self.rooms[0].id).await.unwrap();
        self.app.core.set_block(&caller, &access, !was).await.unwrap();
        for (other, member) in &mut self.rooms[0].members {
            if *other == user { member.blocker = !was } else { member.blocked = !was }
        }
    }

    async fn follow(&mut self, room: usize, user: usize) {
        let Some(root) = self.any(room, |message| message.root.is_none()) else { return };
        let on = self.pick(2) == 0;
        let name = if on { "chat.followMessage" } else { "chat.unfollowMessage" };
        self.log.push(format!("{name} by {} {}", NAMES[user], root.id));
        self.post(user, name, json!({"mid": root.id})).await;
        let followers = &mut self.rooms[room].message(&root.id).followers;
        if on {
            followers.insert(user);
        } else {
            followers.remove(&user);
            self.rooms[room].members.get_mut(&user).unwrap().threads.remove(&root.id);
        }
    }

    async fn open_or_close(&mut self, room: usize, user: usize) {
        // Whoever has it closed first: messages would open it before the dice do.
        let closed = self.rooms[room].members.iter().find(|(_, member)| !member.open);
        let user = closed.map_or(user, |(user, _)| *user);
        let open = self.rooms[room].members[&user].open;
        let name = if open { "dm.close" } else { "dm.open" };
        self.log.push(format!("{} by {}", &name[3..], NAMES[user]));
        let body: Value = json!({"roomId": self.rooms[room].id});
        self.post(user, name, body).await;
        self.rooms[room].members.get_mut(&user).unwrap().open = !open;
    }
}
