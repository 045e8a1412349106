//! What a socket asks of the core: to be plugged in as its user's, to look whether it may go on, and to
//! tell others what its user does just now. A socket that ends, in whatever way, ends here.

use crate::Core;
use crate::access::Access;
use crate::account::User;
use crate::bus::Plug;
use crate::caller::Caller;
use crate::error::Result;
use crate::id::{MessageId, RoomId, UserId};
use crate::notice::{Activity, Delivery, Notice, To, Topic, Whisper};
use crate::online::Online;
use crate::setting;
use crate::store::fanout;
use std::sync::Arc;

/// A socket, a user's or nobody's: it is there from its making until it is dropped.
pub struct Socket {
    plug: Plug,
    /// Whose it is, and where that counts.
    of: Option<(UserId, Arc<Online>)>,
}

impl Socket {
    /// The next delivery; `None` when the socket was cut off because it is too slow.
    pub async fn next(&mut self) -> Option<Arc<Delivery>> {
        self.plug.next().await
    }

    /// The position of the log after which it is told everything.
    pub fn since(&self) -> i64 {
        self.plug.since()
    }

    /// The next delivery, if one waits.
    pub fn try_next(&mut self) -> Option<Arc<Delivery>> {
        self.plug.try_next()
    }

    /// Returns when it was cut off, whatever still waits.
    pub async fn cut(&self) {
        self.plug.cut().await;
    }

    /// Hears of what concerns everybody, too.
    pub fn want(&self, topic: Topic) {
        self.plug.want(topic);
    }

    /// Hears of it no more.
    pub fn leave(&self, topic: Topic) {
        self.plug.leave(topic);
    }

    /// Its user does nothing just now, or does again.
    pub fn set_away(&self, away: bool) {
        if let Some((user, online)) = &self.of {
            online.set_away(user, self.plug.id(), away);
        }
    }

    /// Which socket of this node it is.
    pub fn id(&self) -> u64 {
        self.plug.id()
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Some((user, online)) = &self.of {
            online.end(user, self.plug.id());
        }
    }
}

impl Caller {
    /// The same session, with its account as it is told of; another's account changes nothing.
    #[must_use]
    pub fn told(&self, user: &Arc<User>) -> Self {
        let mut now = self.clone();
        if user.id == *self.id() {
            now.user = user.clone();
        }
        now
    }

    /// Does it want to be alerted, where the room's own level is this (contract section 12)?
    pub fn wants_alert(&self, level: Option<&str>) -> bool {
        let chosen = self.user.chosen();
        let level = level.or_else(|| chosen.get("desktopNotifications")?.as_str());
        self.user.status_default != "busy" && level != Some("nothing")
    }
}

impl Core {
    /// Plugs a socket of the caller's in: its user is there from now on.
    pub fn plug(&self, caller: &Caller) -> Socket {
        let plug = self.0.bus.plug(caller.id());
        self.online().begin(caller.id(), plug.id());
        Socket { plug, of: Some((caller.id().clone(), self.online().clone())) }
    }

    /// Plugs a socket in that nobody is logged in on: it is told what concerns everybody.
    pub fn plug_nobody(&self) -> Socket {
        Socket { plug: self.0.bus.plug_nobody(), of: None }
    }

    /// Sockets of this node that are told something.
    pub fn sockets(&self) -> usize {
        self.0.bus.count()
    }

    /// May the caller be told of rooms now?
    pub fn may_be_told(&self, caller: &Caller) -> bool {
        self.may_read_rooms(caller.user())
    }

    /// Says something to the caller alone, on its sockets of this node: shown in a room, kept nowhere.
    pub fn whisper(&self, caller: &Caller, room: &str, text: &str) {
        /// Ids and texts are as long as they may be anywhere.
        const MOST: usize = 1024;
        if room.len() > MOST || !self.0.bus.has(caller.id()) {
            return;
        }
        let (id, at, room) = (self.new_id(), self.clock().now(), RoomId::from(room));
        let text = text.chars().take(MOST).collect();
        let whisper = Delivery::new(Notice::Whisper(Whisper { id, room, at, text }));
        self.0.bus.hint(&[(To::One(caller.id().clone()), whisper)], 0);
    }

    /// Tells the other members of a room what the caller does in it; `but` is the caller's own socket.
    /// Where one of two blocked the other, nobody is told.
    pub async fn tell_activity(
        &self,
        caller: &Caller,
        access: &Access,
        doing: Vec<String>,
        thread: Option<MessageId>,
        but: u64,
    ) -> Result<()> {
        let member = access.member();
        if member.blocked || member.blocker || member.disabled {
            return Ok(());
        }
        let room = access.room().id.clone();
        let mut members = fanout::members(self.store(), &[room.as_str()]).await?;
        let user = caller.user();
        let name = if self.settings().on(&setting::REAL_NAMES) {
            user.shown_name()
        } else {
            user.handle()
        };
        let activity = Delivery::new(Notice::Activity(Activity {
            room: room.clone(),
            username: user.handle().to_owned(),
            name: name.to_owned(),
            doing,
            thread,
        }));
        let members = members.remove(room.as_str()).unwrap_or_default();
        let to = |member: crate::room::Member| (To::One(member.user), activity.clone());
        let told: Vec<_> = members.into_iter().map(to).collect();
        self.0.bus.hint(&told, but);
        Ok(())
    }
}
