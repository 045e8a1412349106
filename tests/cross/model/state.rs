//! The model: a room with its messages and its members' views of it, kept by plain counting, and the
//! documents that follow from it.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A message, while it is there.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) author: usize,
    pub(super) text: String,
    pub(super) ts: String,
    pub(super) root: Option<String>,
    /// The room shows it: no reply, or one with `tshow`.
    pub(super) top: bool,
    /// What stays of a deleted root.
    pub(super) stub: bool,
    /// Replies, and who follows; of a root that ever had one.
    pub(super) replies: Option<i64>,
    pub(super) followers: BTreeSet<usize>,
}

/// One's view of a room.
#[derive(Default)]
pub(super) struct Member {
    pub(super) open: bool,
    pub(super) unread: i64,
    pub(super) mentions: i64,
    pub(super) group_mentions: i64,
    /// Unread threads: named, everyone.
    pub(super) threads: BTreeMap<String, (bool, bool)>,
    pub(super) seen: Option<String>,
    pub(super) replied: Option<String>,
    pub(super) blocked: bool,
    pub(super) blocker: bool,
}

pub(super) struct Room {
    pub(super) id: String,
    pub(super) members: BTreeMap<usize, Member>,
    pub(super) messages: Vec<Message>,
    pub(super) msgs: i64,
    pub(super) lm: Option<String>,
}

impl Room {
    pub(super) fn new(id: String, users: &[usize]) -> Self {
        let open = |user: usize| user == 0 || users.len() > 2;
        let member = |&user: &usize| (user, Member { open: open(user), ..Member::default() });
        let members = users.iter().map(member).collect();
        Self { id, members, messages: Vec::new(), msgs: 0, lm: None }
    }

    pub(super) fn message(&mut self, id: &str) -> &mut Message {
        self.messages.iter_mut().find(|message| message.id == id).expect("a message")
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.members.values().any(|member| member.blocker)
    }

    /// A message came that names these, and everyone if `all`.
    pub(super) fn sent(&mut self, message: Message, named: &[usize], all: bool) {
        self.msgs += 1;
        if let Some(root) = message.root.clone() {
            self.replied(&message, &root, named, all);
        }
        if message.top {
            self.lm = Some(message.ts.clone());
            for (user, member) in &mut self.members {
                member.open = true;
                if *user == message.author {
                    member.read(&message.ts);
                    continue;
                }
                member.unread += 1;
                if named.is_empty() {
                    member.group_mentions += i64::from(all);
                } else {
                    member.mentions += i64::from(named.contains(user));
                }
            }
        }
        self.messages.push(message);
    }

    fn replied(&mut self, reply: &Message, root: &str, named: &[usize], all: bool) {
        let everyone: BTreeSet<usize> = self.members.keys().copied().collect();
        let parent = self.message(root);
        if parent.replies.is_none() {
            parent.followers.extend(everyone);
        }
        parent.followers.insert(reply.author);
        parent.replies = Some(parent.replies.unwrap_or(0) + 1);
        let followers = parent.followers.clone();
        if reply.top {
            return;
        }
        for user in followers {
            let member = self.members.get_mut(&user).expect("a member");
            member.open = true;
            member.replied = Some(reply.ts.clone());
            if user != reply.author {
                let marks = member.threads.entry(root.to_owned()).or_default();
                marks.0 |= named.contains(&user);
                marks.1 |= all;
            }
        }
        self.members.get_mut(&reply.author).expect("a member").open = true;
    }

    /// A message is gone, or what stays of it is.
    pub(super) fn deleted(&mut self, id: &str) {
        self.msgs -= 1;
        let message = self.message(id).clone();
        if message.replies.is_some_and(|replies| replies > 0) {
            self.message(id).stub = true;
            return;
        }
        if let Some(root) = &message.root {
            let parent = self.message(root);
            parent.replies = parent.replies.map(|replies| replies - 1);
        }
        self.messages.retain(|other| other.id != id);
        // A thread that is gone is nobody's.
        for member in self.members.values_mut() {
            member.threads.remove(id);
        }
    }

    /// The parts of the room's document that are compared.
    pub(super) fn document(&self) -> Value {
        let last = self.messages.iter().rev().find(|message| message.top && !message.stub);
        let last = last.map(|last| json!([last.id, last.text, last.ts, last.replies]));
        json!({"msgs": self.msgs, "lm": self.lm, "last": last,
            "usersCount": self.members.len()})
    }

    /// What `dm.counters` says; `shown` is the room's own document, for what no message made.
    pub(super) fn counters(&self, member: &Member, shown: &Value) -> Value {
        let on = member.open;
        let seen = member.seen.as_ref().filter(|_| self.msgs > 0);
        let latest = self.lm.clone().map_or_else(|| shown["_updatedAt"].clone(), Value::from);
        json!({
            "joined": on,
            "members": on.then_some(self.members.len()),
            "unreads": seen.map(|_| member.unread),
            "unreadsFrom": seen,
            "msgs": on.then_some(self.msgs),
            "latest": on.then_some(latest),
            "userMentions": on.then_some(member.mentions),
            "success": true,
        })
    }
}

impl Member {
    pub(super) fn read(&mut self, at: &str) {
        self.open = true;
        (self.unread, self.mentions, self.group_mentions) = (0, 0, 0);
        self.seen = Some(at.to_owned());
    }

    /// The parts of the subscription that are compared.
    pub(super) fn subscription(&self) -> Value {
        let list = |wanted: fn(&(bool, bool)) -> bool| {
            let threads = self.threads.iter().filter(|(_, marks)| wanted(marks));
            let ids: Vec<&String> = threads.map(|(id, _)| id).collect();
            if ids.is_empty() { Value::Null } else { json!(ids) }
        };
        json!({
            "open": self.open,
            "alert": self.unread > 0 || !self.threads.is_empty(),
            "unread": self.unread,
            "userMentions": self.mentions,
            "groupMentions": self.group_mentions,
            "tunread": list(|_| true),
            "tunreadUser": list(|marks| marks.0),
            "tunreadGroup": list(|marks| marks.1),
            "ls": self.seen,
            "lr": self.replied,
            "blocked": self.blocked.then_some(true),
            "blocker": self.blocker.then_some(true),
        })
    }
}

/// A subscription as it came, with null for what it does not have.
pub(super) fn subscription(sub: &Value) -> Value {
    let keys = [
        "open",
        "alert",
        "unread",
        "userMentions",
        "groupMentions",
        "tunread",
        "tunreadUser",
        "tunreadGroup",
        "ls",
        "lr",
        "blocked",
        "blocker",
    ];
    Value::Object(keys.iter().map(|key| ((*key).to_owned(), sub[*key].clone())).collect())
}

/// A room as it came.
pub(super) fn room(room: &Value) -> Value {
    let mut all: Map<String, Value> = ["msgs", "lm", "usersCount"]
        .iter()
        .map(|key| ((*key).to_owned(), room[*key].clone()))
        .collect();
    let last = room.get("lastMessage");
    let last = last.map(|last| json!([last["_id"], last["msg"], last["ts"], last["tcount"]]));
    all.insert("last".to_owned(), json!(last));
    Value::Object(all)
}
