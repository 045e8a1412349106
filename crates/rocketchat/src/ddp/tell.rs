//! What a socket hears of a notice (contract sections 11.4 and 12): the events that it subscribed to, each
//! with its arguments. The content is printed once, by the first socket that needs it.

use super::rules::{self, changed_rights, changed_setting, tell_all};
use super::stream::MINE;
use crate::{rooms, subscriptions, wire};
use parlance_core::notice::{Activity, Delivery, How, Notice, Whisper};
use parlance_core::{Caller, Core, Message, Perm, Room, User, setting};
use parlance_http::json::{Dates, Object, text};
use std::sync::Arc;

/// Who hears.
pub(super) trait Ear {
    /// Would this event be heard?
    fn wants(&self, stream: &str, event: &str) -> bool;
    /// It happened; `args` is the inside of its list.
    fn hear(&mut self, stream: &str, event: &str, args: &str);
}

/// One object.
fn object(dates: Dates, write: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::new();
    let mut o = Object::new(&mut out, dates);
    write(&mut o);
    o.end();
    out
}

fn quoted(value: &str) -> String {
    let mut out = String::new();
    text(&mut out, value);
    out
}

/// Statuses as numbers.
fn number(status: &str) -> u8 {
    match status {
        "online" => 1,
        "away" => 2,
        "busy" => 3,
        _ => 0,
    }
}

fn how(how: How) -> &'static str {
    match how {
        How::Inserted => "inserted",
        How::Updated => "updated",
    }
}

/// Tells one socket, whose user is the caller.
pub(super) struct Teller<'a, E> {
    pub(super) core: &'a Core,
    pub(super) caller: &'a Caller,
    pub(super) dates: Dates,
    pub(super) ear: &'a mut E,
}

impl<E: Ear> Teller<'_, E> {
    fn say(&mut self, stream: &str, event: &str, args: impl FnOnce() -> String) {
        if self.ear.wants(stream, event) {
            let args = args();
            self.ear.hear(stream, event, &args);
        }
    }

    fn say_own(&mut self, event: &str, args: impl FnOnce() -> String) {
        let event = format!("{}/{event}", self.caller.id());
        self.say("notify-user", &event, args);
    }

    /// What is printed once for all who read EJSON.
    fn written(&self, delivery: &Delivery, write: impl Fn(&mut String, Dates)) -> String {
        let print = |dates| {
            let mut out = String::new();
            write(&mut out, dates);
            out
        };
        match self.dates {
            Dates::Ejson => delivery.written(|| print(Dates::Ejson)).to_owned(),
            Dates::Iso => print(Dates::Iso),
        }
    }

    /// Tells of one notice.
    pub(super) fn tell(&mut self, delivery: &Arc<Delivery>) {
        match &delivery.notice {
            Notice::Status(user) => self.status(user),
            Notice::Renamed(_) | Notice::Avatar(_) | Notice::UserDeleted(_) => {
                self.people(&delivery.notice);
            }
            Notice::Setting(id) => {
                tell_all(self.core, self.dates, self.ear, &delivery.notice);
                self.setting(id);
            }
            Notice::Rights(id) => {
                tell_all(self.core, self.dates, self.ear, &delivery.notice);
                self.rights(id);
            }
            Notice::Role(id) => self.role(id),
            Notice::RoleHeld { role, user, given } => self.role_held(role, user, *given),
            Notice::Whisper(whisper) => self.whisper(whisper),
            Notice::Account(user) => self.account(user),
            Notice::Sessions | Notice::Position(_) => {}
            // What happens in rooms is told to who may be told of rooms.
            _ if !self.core.may_be_told(self.caller) => {}
            Notice::Message { message, .. } => self.message(delivery, message),
            Notice::MessageDeleted { room, message } => {
                let event = format!("{room}/deleteMessage");
                let dates = self.dates;
                self.say("notify-room", &event, || {
                    object(dates, |o| o.text("_id", message.as_str()))
                });
            }
            Notice::Alert { message, group, level } => {
                if self.caller.wants_alert(level.as_deref()) {
                    self.alert(message, group.as_deref());
                }
            }
            Notice::Room { room, how: kind } => self.room(delivery, room, *kind),
            Notice::Membership { it, how: kind } => {
                let me = self.caller.user().clone();
                let dates = self.dates;
                self.say_own("subscriptions-changed", || {
                    let mut out = format!("\"{}\",", how(*kind));
                    subscriptions::subscription(&mut out, &me, it, dates);
                    out
                });
            }
            Notice::Left { room, membership } => self.left(room.as_str(), membership),
            Notice::Activity(activity) => self.activity(activity),
        }
    }

    fn room(&mut self, delivery: &Delivery, room: &Room, kind: How) {
        let own = format!("{}/rooms-changed", self.caller.id());
        let id = room.id.as_str();
        if !self.ear.wants("room-data", id) && !self.ear.wants("notify-user", &own) {
            return;
        }
        let shows_last = self.core.settings().on(&setting::STORE_LAST);
        let json = self.written(delivery, |out, dates| {
            if shows_last {
                rooms::listed(out, room, dates);
            } else {
                rooms::listed(out, &Room { last: None, ..room.clone() }, dates);
            }
        });
        self.say("room-data", id, || json.clone());
        self.say("notify-user", &own, || format!("\"{}\",{json}", how(kind)));
    }

    fn message(&mut self, delivery: &Delivery, message: &Message) {
        let room = message.room.as_str();
        if !self.ear.wants("room-messages", room) && !self.ear.wants("room-messages", MINE) {
            return;
        }
        let json = self.written(delivery, |out, dates| wire::message(out, message, dates));
        self.say("room-messages", room, || json.clone());
        self.say("room-messages", MINE, || {
            format!(r#"{json},{{"roomParticipant":true,"roomType":"d"}}"#)
        });
    }

    /// A 1:1 is called after who writes; a group as the reader calls it.
    fn alert(&mut self, message: &Message, group: Option<&str>) {
        let real = self.core.settings().on(&setting::REAL_NAMES);
        let author = &message.author;
        let name = author.name.as_deref().filter(|_| real).unwrap_or(&author.username);
        let dates = self.dates;
        self.say_own("notification", || {
            object(dates, |o| {
                o.text("title", group.unwrap_or(name));
                match group {
                    Some(_) => o.text("text", &format!("{name}: {}", message.msg)),
                    None => o.text("text", &message.msg),
                }
                o.object("payload", |o| {
                    o.text("_id", message.id.as_str());
                    o.text("rid", message.room.as_str());
                    o.text_if(
                        "tmid",
                        message.thread.as_ref().map(parlance_core::MessageId::as_str),
                    );
                    o.object("sender", |o| {
                        o.text("_id", author.id.as_str());
                        o.text("username", &author.username);
                        o.text_if("name", author.name.as_deref());
                    });
                    o.text("type", "d");
                    o.object("message", |o| {
                        o.text("msg", &message.msg);
                        o.text_if("t", message.kind.as_deref());
                    });
                    o.text("name", group.unwrap_or(name));
                });
            })
        });
    }

    fn left(&mut self, room: &str, membership: &str) {
        let (me, dates) = (self.caller.user().clone(), self.dates);
        self.say_own("subscriptions-changed", || {
            let view = object(dates, |o| {
                o.text("_id", membership);
                o.text("rid", room);
                o.text("t", "d");
                o.object("u", |o| {
                    o.text("_id", me.id.as_str());
                    o.text("username", me.handle());
                });
            });
            format!("\"removed\",{view}")
        });
        self.say_own("rooms-changed", || {
            format!("\"removed\",{}", object(dates, |o| o.text("_id", room)))
        });
    }

    /// Both forms: clients know one or the other (contract/clients 34).
    fn activity(&mut self, activity: &Activity) {
        let (room, name) = (&activity.room, quoted(&activity.name));
        let thread = activity.thread.as_ref();
        self.say("notify-room", &format!("{room}/user-activity"), || {
            let mut out = format!("{name},[");
            for (n, one) in activity.doing.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                text(&mut out, one);
            }
            out.push_str("],");
            let mut o = Object::new(&mut out, Dates::Ejson);
            o.text_if("tmid", thread.map(parlance_core::MessageId::as_str));
            o.end();
            out
        });
        let types = activity.doing.iter().any(|one| one == "user-typing");
        if thread.is_none() && (types || activity.doing.is_empty()) {
            self.say("notify-room", &format!("{room}/typing"), || format!("{name},{types}"));
        }
    }

    fn whisper(&mut self, whisper: &Whisper) {
        let dates = self.dates;
        self.say_own("message", || {
            object(dates, |o| {
                o.text("_id", &whisper.id);
                o.text("rid", whisper.room.as_str());
                o.date("ts", whisper.at);
                o.date("_updatedAt", whisper.at);
                o.object("u", |o| {
                    o.text("_id", "rocket.cat");
                    o.text("username", "rocket.cat");
                });
                o.flag("private", true);
                o.flag("groupable", false);
                o.text("msg", &whisper.text);
            })
        });
    }

    fn account(&mut self, user: &User) {
        let dates = self.dates;
        self.say_own("userData", || {
            object(dates, |o| {
                o.text("type", "updated");
                o.text("id", user.id.as_str());
                o.object("diff", |o| own_fields(o, user));
                o.raw("unset", "{}");
            })
        });
    }

    /// Nobody is told where the operator switched that off, which spares a busy server much.
    fn status(&mut self, user: &User) {
        if self.core.settings().on(&setting::PRESENCE_OFF) {
            return;
        }
        let (id, n) = (quoted(user.id.as_str()), number(&user.status));
        let (name, status) = (quoted(user.handle()), quoted(&user.status_text));
        self.say("notify-logged", "user-status", || {
            let real = user.name.as_deref().map_or("null".to_owned(), quoted);
            let roles = serde_json::Value::from(user.roles.clone());
            format!("[{id},{name},{n},{status},{real},{roles}]")
        });
        self.say("user-presence", user.id.as_str(), || format!("[{name},{n},{status}]"));
    }

    fn people(&mut self, notice: &Notice) {
        let dates = self.dates;
        match notice {
            Notice::Renamed(user) => self.say("notify-logged", "Users:NameChanged", || {
                object(dates, |o| {
                    o.text("_id", user.id.as_str());
                    o.text_if("name", user.name.as_deref());
                    o.text_if("username", user.username.as_deref());
                })
            }),
            Notice::Avatar(user) => self.say("notify-logged", "updateAvatar", || {
                object(dates, |o| {
                    o.text_if("username", user.username.as_deref());
                    let body: serde_json::Value =
                        serde_json::from_str(&user.body).unwrap_or_default();
                    o.text_if("etag", body.get("avatarETag").and_then(serde_json::Value::as_str));
                })
            }),
            Notice::UserDeleted(id) => {
                let kind = self.core.settings().text(&setting::ERASURE).to_owned();
                self.say("notify-logged", "Users:Deleted", || {
                    object(dates, |o| {
                        o.text("userId", id.as_str());
                        o.text("messageErasureType", &kind);
                        if kind == "Unlink" {
                            o.object("replaceByUser", |o| {
                                o.text("_id", "rocket.cat");
                                o.text("username", "rocket.cat");
                            });
                        }
                    })
                });
            }
            _ => {}
        }
    }

    /// What is not public to who may see it; secrets to nobody.
    fn setting(&mut self, id: &str) {
        let known = setting::known(id).filter(|known| !known.public);
        if self.core.may(self.caller, Perm::ViewPrivilegedSetting)
            && let Some(args) =
                known.and_then(|known| changed_setting(self.core, known, self.dates))
        {
            self.say("notify-logged", "private-settings-changed", || args);
        }
    }

    fn rights(&mut self, id: &str) {
        if let Some(args) = changed_rights(self.core, id, self.dates) {
            self.say("notify-logged", "permissions-changed", || args);
        }
    }

    fn role(&mut self, id: &str) {
        let (core, dates) = (self.core, self.dates);
        self.say("roles", "roles", || rules::changed_role(core, id, dates));
    }

    fn role_held(&mut self, role: &str, user: &User, given: bool) {
        let dates = self.dates;
        for stream in ["notify-logged", "notify-all"] {
            self.say(stream, "roles-change", || {
                object(dates, |o| {
                    o.text("type", if given { "added" } else { "removed" });
                    o.text("_id", role);
                    o.object("u", |o| {
                        o.text("_id", user.id.as_str());
                        o.text_if("username", user.username.as_deref());
                    });
                })
            });
        }
    }
}

/// What a user's own document has on the socket.
pub(super) fn own_fields(o: &mut Object<'_>, user: &User) {
    o.text_if("username", user.username.as_deref());
    o.text_if("name", user.name.as_deref());
    o.raw("emails", &wire::emails(&user.emails));
    o.text("type", &user.kind);
    o.flag("active", user.active);
    o.text("status", &user.status);
    o.text("statusDefault", &user.status_default);
    o.text("statusText", &user.status_text);
    o.raw("roles", &serde_json::Value::from(user.roles.clone()).to_string());
    o.date("_updatedAt", user.updated);
}
