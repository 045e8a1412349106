//! What a room says of itself (contract sections 5.13 and 9.2): `dm.setTopic` and `rooms.saveRoomSettings`,
//! one rule under both names. A direct room has two of the settings; the others are refused by name.

use crate::call::Call;
use crate::dm;
use crate::error::Failure;
use crate::routes::Answer;
use crate::schema::{self, Form, Kind};
use crate::wire;
use parlance_core::Error;
use parlance_core::alter::Alteration;
use serde_json::{Value, json};

/// `POST dm.setTopic` (section 5.13).
pub(crate) async fn set_topic(call: Call) -> Answer {
    let room = dm::body_room(&call)?;
    let topic = match call.body.get("topic") {
        None | Some(Value::Null) => None,
        Some(Value::String(topic)) => Some(topic.as_str()),
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    let (core, caller) = (call.core(), call.caller()?);
    let access = core.resolve_room(caller, room).await?;
    let wanted = Alteration { topic, ..Alteration::default() };
    core.alter_room(caller, &access, wanted).await.map_err(not_edited)?;
    Ok(wire::success(|o| o.text_if("topic", topic)))
}

pub(crate) fn not_edited(error: Error) -> Failure {
    match error {
        Error::Lacks(_) => refused("Editing room is not allowed"),
        other => other.into(),
    }
}

fn refused(why: impl Into<String>) -> Failure {
    let details = json!({"method": "saveRoomSettings", "action": "Editing_room"});
    Failure::detailed("error-action-not-allowed", why, details)
}

/// What a room may have on the wire; of these a direct room has the two of [`Alteration`].
const SETTINGS: Form = Form {
    required: &["rid"],
    allowed: &[
        ("rid", Kind::Text),
        ("roomTopic", Kind::Text),
        ("encrypted", Kind::Flag),
        ("roomAvatar", Kind::Text),
        ("featured", Kind::Flag),
        ("roomName", Kind::Text),
        ("roomAnnouncement", Kind::Text),
        ("roomDescription", Kind::Text),
        ("roomCustomFields", Kind::Object),
        ("roomType", Kind::Text),
        ("readOnly", Kind::Flag),
        ("reactWhenReadOnly", Kind::Flag),
        ("systemMessages", Kind::List),
        ("default", Kind::Flag),
        ("joinCode", Kind::Text),
        ("favorite", Kind::Object),
        ("retentionEnabled", Kind::Flag),
        ("retentionMaxAge", Kind::Count),
        ("retentionExcludePinned", Kind::Flag),
        ("retentionFilesOnly", Kind::Flag),
        ("retentionIgnoreThreads", Kind::Flag),
        ("retentionOverrideGlobal", Kind::Flag),
    ],
};

/// `POST rooms.saveRoomSettings`: foreign and unknown rooms are the same refusal.
pub(crate) async fn save(call: Call) -> Answer {
    // The schema lets every setting be null, which is none.
    let mut body = call.body.clone();
    body.retain(|name, value| name == "rid" || !value.is_null());
    schema::check(&SETTINGS, &body).map_err(Failure::Schema)?;
    let room = body.get("rid").map(schema::text).unwrap_or_default();
    let (core, caller) = (call.core(), call.caller()?);
    let access = core.access(caller, &room).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess => Failure::coded("error-invalid-room", "Invalid room"),
        other => other.into(),
    })?;
    let has = |name: &String| ["rid", "roomTopic", "encrypted"].contains(&name.as_str());
    if let Some(name) = body.keys().find(|name| !has(name)) {
        return Err(refused(format!("A direct message has no setting \"{name}\"")));
    }
    let topic = body.get("roomTopic").map(schema::text);
    let encrypted = body.get("encrypted").map(|on| schema::flag(Some(on)));
    let wanted = Alteration { topic: topic.as_deref(), encrypted };
    core.alter_room(caller, &access, wanted).await.map_err(not_edited)?;
    Ok(wire::success(|o| o.text("rid", access.room().id.as_str())))
}
