//! `subscriptions.*` (contract sections 6.4, 6.5 and 9.3): a user's own view of its rooms. Counters are
//! derived, so a subscription changes when its room does; `_updatedAt` is the later of the two.

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::schema::{self, Form, Kind};
use crate::wire;
use parlance_core::reading::{Membership, UnreadThread};
use parlance_core::{Access, Error, Ms, User};
use parlance_http::json::{Dates, Object};
use serde_json::{Map, Value, json};

/// A subscription as its owner sees it.
pub(crate) fn subscription(out: &mut String, me: &User, it: &Membership, dates: Dates) {
    let (room, member) = (&it.room, &it.member);
    let mut o = Object::new(out, dates);
    o.text("_id", &member.id);
    o.text("rid", room.id.as_str());
    o.text("t", &room.kind);
    o.object("u", |u| {
        u.text("_id", me.id.as_str());
        u.text("username", me.handle());
        u.text_if("name", me.name.as_deref());
    });
    o.text("name", &member.name);
    o.text("fname", &member.fname);
    o.date("ts", member.ts);
    o.date_if("ls", member.last_seen);
    o.date_if("lr", member.last_reply);
    o.flag("open", member.is_open(room));
    o.flag("alert", member.unread(room) > 0 || !it.threads.is_empty());
    o.number("unread", it.unread);
    o.number("userMentions", member.mentions);
    o.number("groupMentions", member.group_mentions);
    let list = |o: &mut Object<'_>, key: &str, wanted: fn(&UnreadThread) -> bool| {
        let mut threads = it.threads.iter().filter(|thread| wanted(thread)).peekable();
        if threads.peek().is_some() {
            o.array(key, threads, |out, thread| parlance_http::json::text(out, &thread.root));
        }
    };
    list(&mut o, "tunread", |_| true);
    list(&mut o, "tunreadUser", |thread| thread.named);
    list(&mut o, "tunreadGroup", |thread| thread.everyone);
    for (key, on) in [("blocked", member.blocked), ("blocker", member.blocker)] {
        if on {
            o.flag(key, true);
        }
    }
    if let Some(archived) = member.archived {
        o.flag("archived", archived);
    }
    o.members(&member.body);
    preferred(&mut o, me, &member.body);
    o.date("_updatedAt", member.updated.max(room.updated));
    o.end();
}

/// What a membership has of its user's preferences (section 6.4): words that count as a mention, and
/// notifications, unless the room has settings of its own for them.
fn preferred(o: &mut Object<'_>, me: &User, body: &str) {
    const NOTIFY: [(&str, &str, &str); 3] = [
        ("desktopNotifications", "desktopNotifications", "desktopPrefOrigin"),
        ("pushNotifications", "mobilePushNotifications", "mobilePrefOrigin"),
        ("emailNotificationMode", "emailNotifications", "emailPrefOrigin"),
    ];
    o.raw_if("userHighlights", me.highlights());
    let chosen = me.chosen();
    let levels = NOTIFY.into_iter().filter_map(|(name, key, origin)| {
        let level = chosen.get(name)?.as_str().filter(|level| *level != "default")?;
        Some((level, key, origin))
    });
    let mut levels = levels.peekable();
    if levels.peek().is_none() {
        return;
    }
    let own: Map<String, Value> = serde_json::from_str(body).unwrap_or_default();
    for (level, key, origin) in levels.filter(|(_, key, _)| !own.contains_key(*key)) {
        o.text(key, level);
        if !own.contains_key(origin) {
            o.text(origin, "user");
        }
    }
}

/// `updatedSince`, where it is given.
pub(crate) fn since(call: &Call, refuse: impl Fn() -> Failure) -> Result<Option<Ms>, Failure> {
    match call.query.get("updatedSince") {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(value) => Call::time(value).map(Some).ok_or_else(refuse),
    }
}

/// `GET subscriptions.get`.
pub(crate) async fn get(call: Call) -> Answer {
    let since = since(&call, || {
        let text = "The \"lastUpdate\" query parameter must be a valid date.";
        Failure::coded("error-roomId-param-invalid", text)
    })?;
    let (all, ended) = call.core().memberships(call.caller()?, since).await?;
    let me = call.caller()?.user();
    Ok(wire::success(|o| {
        o.array("update", &all, |out, it| subscription(out, me, it, Dates::Iso));
        o.array("remove", &ended, |out, ended| wire::removed(out, &ended.id, ended.at));
    }))
}

/// `GET subscriptions.getOne`: null for a room that the caller is not in.
pub(crate) async fn get_one(call: Call) -> Answer {
    const FORM: Form = Form { required: &["roomId"], allowed: &[("roomId", Kind::Text)] };
    schema::check(&FORM, &call.query).map_err(Failure::Schema)?;
    let room = call.query.get("roomId").map(schema::text).unwrap_or_default();
    if room.is_empty() {
        return Err(Failure::Schema("must NOT have fewer than 1 characters".to_owned()));
    }
    let found = call.core().membership(call.caller()?, &room).await?;
    let me = call.caller()?.user();
    Ok(wire::success(|o| {
        if let Some(found) = &found {
            subscription(o.key("subscription"), me, found, Dates::Iso);
        } else {
            o.raw("subscription", "null");
        }
    }))
}

/// Access to one's own room; any other is no subscription.
async fn own(call: &Call, room: &str, refuse: fn() -> Failure) -> Result<Access, Failure> {
    call.core().access(call.caller()?, room).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess | Error::NotAllowed => refuse(),
        other => other.into(),
    })
}

/// `POST subscriptions.read`.
pub(crate) async fn read(call: Call) -> Answer {
    const BOTH: [(&str, Kind); 3] =
        [("rid", Kind::Text), ("roomId", Kind::Text), ("readThreads", Kind::Flag)];
    const FORMS: &[Form] = &[
        Form { required: &["rid"], allowed: &BOTH },
        Form { required: &["roomId"], allowed: &BOTH },
    ];
    schema::any_of(FORMS, &call.body).map_err(Failure::Schema)?;
    let text = |name: &str| call.body.get(name).map(schema::text).filter(|id| !id.is_empty());
    let room = match (text("rid"), text("roomId")) {
        (Some(a), Some(b)) if a != b => {
            return Err(Failure::Schema("must match a schema in anyOf".to_owned()));
        }
        (a, b) => a.or(b).unwrap_or_default(),
    };
    let access = own(&call, &room, || Failure::plain("error-invalid-subscription")).await?;
    let threads = schema::flag(call.body.get("readThreads"));
    call.core().mark_read(call.caller()?, &access, threads).await?;
    Ok(wire::success(|_| {}))
}

/// `POST subscriptions.unread`: a room, or a message and what came after it.
pub(crate) async fn unread(call: Call) -> Answer {
    mark_unread(&call).await?;
    Ok(wire::success(|_| {}))
}

/// Marks unread what the body names.
pub(crate) async fn mark_unread(call: &Call) -> Result<(), Failure> {
    let not_allowed = || {
        let details = json!({"method": "unreadMessages", "action": "Unread_messages"});
        Failure::detailed("error-action-not-allowed", "Not allowed", details)
    };
    let first = match call.body.get("firstUnreadMessage") {
        None | Some(Value::Null) => None,
        Some(Value::Object(message)) => match message.get("_id") {
            Some(Value::String(id)) => Some(id.clone()),
            _ => return Err(not_allowed()),
        },
        Some(_) => return Err(Failure::Schema("must be object".to_owned())),
    };
    let (core, caller) = (call.core(), call.caller()?);
    let (access, message) = match (first, call.body.get("roomId")) {
        (Some(id), _) => {
            let found = core.message(caller, &id).await?;
            let (message, access) = found.ok_or_else(not_allowed)?;
            (access, Some(message))
        }
        (None, Some(Value::String(room))) => {
            let refuse = || Failure::coded("error-subscription-not-found", "Invalid subscription");
            (own(call, room, refuse).await?, None)
        }
        (None, Some(_)) => return Err(Failure::Schema("must be string".to_owned())),
        (None, None) => {
            let missing = "must have required property 'roomId'\n must have required property \
                           'firstUnreadMessage'\n must match a schema in anyOf";
            return Err(Failure::Schema(missing.to_owned()));
        }
    };
    core.mark_unread(caller, &access, message).await.map_err(|error| match error {
        Error::NotAllowed => not_allowed(),
        Error::NoMessage => Failure::detailed(
            "error-no-message-for-unread",
            "There are no messages to mark unread",
            json!({"method": "unreadMessages", "action": "Unread_messages"}),
        ),
        other => other.into(),
    })
}
