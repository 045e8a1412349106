//! Changing what a room says of itself: its topic, and whether its messages are encrypted. The room says
//! what changed by a message of its own, in the same change, so that a reader never sees the one without
//! the other.

use crate::access::Access;
use crate::caller::{Caller, Perm};
use crate::content::Mentions;
use crate::error::{Error, Result};
use crate::room::{Room, TRIES};
use crate::send::Draft;
use crate::store::{alter, rooms};
use crate::{Core, setting};
use serde_json::{Map, Value};

/// Characters of a topic.
const MAX_TOPIC: usize = 2000;

/// What shall be otherwise; `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alteration<'a> {
    /// The topic; an empty one takes it off.
    pub topic: Option<&'a str>,
    /// Are messages encrypted by those who write them?
    pub encrypted: Option<bool>,
}

impl Core {
    /// Changes a room: its members may set the topic where the settings let them, and who may edit rooms;
    /// whether messages are encrypted is any member's. What is so already is left alone.
    pub async fn alter_room(
        &self,
        caller: &Caller,
        access: &Access,
        wanted: Alteration<'_>,
    ) -> Result<()> {
        if let Some(topic) = wanted.topic {
            if !self.settings().on(&setting::MEMBERS_SET_TOPIC) {
                self.admin(caller, Perm::EditRoom)?;
            }
            if topic.contains('\0') || topic.chars().count() > MAX_TOPIC {
                return Err(Error::Bad("topic"));
            }
        }
        let mut access = access.clone();
        for _ in 0..TRIES {
            let parts = self.alterations(caller, &access, wanted)?;
            if parts.is_empty() {
                return Ok(());
            }
            match alter::room(self.store(), &parts, self.clock().now()).await {
                // It is gone, or its body is another by now.
                Err(Error::NoRoom) => {}
                done => return done,
            }
            let id = access.room.id.as_str();
            let found = rooms::with_member(self.store(), id, caller.id()).await?;
            let (room, member) = found.ok_or(Error::NoRoom)?;
            access = Access { room, member };
        }
        Err(Error::unavailable("too many changes at once"))
    }

    /// What really changes, each with what the room says of it.
    fn alterations(
        &self,
        caller: &Caller,
        access: &Access,
        wanted: Alteration<'_>,
    ) -> Result<Vec<(alter::What, Draft)>> {
        let (room, mut parts) = (&access.room, Vec::new());
        let topic = wanted.topic.filter(|topic| room.topic.as_deref().unwrap_or("") != *topic);
        let body = match wanted.encrypted {
            Some(on) => encrypted(room, on)?.map(|body| (on, body)),
            None => None,
        };
        if topic.is_none() && body.is_none() {
            return Ok(parts);
        }
        let although = self.check_writable(caller, access)?;
        if let Some(topic) = topic {
            let said = self.notice(caller, room, ("room_changed_topic", topic), although);
            parts.push((alter::What::Topic(topic.to_owned()), said));
        }
        if let Some((on, body)) = body {
            let kind = if on { "room_e2e_enabled" } else { "room_e2e_disabled" };
            let said = self.notice(caller, room, (kind, caller.user().handle()), although);
            parts.push((alter::What::Body { was: room.body.clone(), is: body }, said));
        }
        Ok(parts)
    }

    /// What a room says about what somebody did in it.
    fn notice(
        &self,
        caller: &Caller,
        room: &Room,
        (kind, text): (&str, &str),
        although_read_only: bool,
    ) -> Draft {
        Draft {
            id: self.chance().id(self.clock().now()).into(),
            room: room.id.clone(),
            author: caller.id().clone(),
            kind: Some(kind.to_owned()),
            msg: text.to_owned(),
            mentions: Mentions::default(),
            body: r#"{"groupable":false}"#.to_owned(),
            thread: None,
            tshow: false,
            although_read_only,
            key: None,
            previews: false,
        }
    }
}

/// The room's carried members with this one as wanted; `None` if it is so.
fn encrypted(room: &Room, on: bool) -> Result<Option<String>> {
    let mut body: Map<String, Value> = serde_json::from_str(&room.body).map_err(Error::internal)?;
    if body.get("encrypted").and_then(Value::as_bool).unwrap_or(false) == on {
        return Ok(None);
    }
    body.insert("encrypted".to_owned(), on.into());
    Ok(Some(Value::Object(body).to_string()))
}
