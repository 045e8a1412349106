//! Documents as clients of this contract see them (sections 6 and 7): rooms, messages, users.
//! Written straight into text, with stored JSON spliced in; the same writers give the documents
//! that filters and sorts look at, with dates marked as dates.

use parlance_core::account::{Email, User};
use parlance_core::factor::Factors;
use parlance_core::list::Document;
use parlance_core::{Message, Ms, Room};
use parlance_http::json::{Dates, Object};
use serde_json::{Map, Value};
use std::convert::Infallible;
use std::sync::Arc;

/// A message, as its reader sees it: only the reader's own star (section 7.9).
pub(crate) fn message(out: &mut String, message: &Message, dates: Dates) {
    let mut o = Object::new(out, dates);
    o.text("_id", message.id.as_str());
    o.text("rid", message.room.as_str());
    o.text("msg", &message.msg);
    o.date("ts", message.ts);
    o.object("u", |u| {
        u.text("_id", message.author.id.as_str());
        u.text("username", &message.author.username);
        u.text_if("name", message.author.name.as_deref());
    });
    o.date("_updatedAt", message.updated);
    o.text_if("t", message.kind.as_deref());
    o.raw_if("mentions", message.mentions.as_deref());
    o.members(&message.body);
    o.raw_if("reactions", message.reactions.as_deref());
    o.text_if("tmid", message.thread.as_ref().map(parlance_core::MessageId::as_str));
    if let Some(tshow) = message.tshow {
        o.flag("tshow", tshow);
    }
    if let Some(tcount) = message.tcount {
        o.number("tcount", tcount);
    }
    o.date_if("tlm", message.tlm);
    o.raw_if("replies", message.replies.as_deref());
    if let Some(user) = &message.starred_by {
        o.array("starred", [user], |out, user| {
            let mut star = Object::new(out, dates);
            star.text("_id", user.as_str());
            star.end();
        });
    }
    if let Some(pinned) = message.pinned {
        o.flag("pinned", pinned);
    }
    o.date_if("pinnedAt", message.pinned_at);
    o.raw_if("pinnedBy", message.pinned_by.as_deref());
    o.date_if("editedAt", message.edited_at);
    o.raw_if("editedBy", message.edited_by.as_deref());
    o.end();
}

/// A room of type `d` with its newest message (section 6.1).
pub(crate) fn room(out: &mut String, room: &Room, dates: Dates) {
    room_with(out, room, dates, |_| {});
}

/// The same, with what a list shows beside it.
pub(crate) fn room_with(
    out: &mut String,
    room: &Room,
    dates: Dates,
    more: impl FnOnce(&mut Object<'_>),
) {
    let mut o = Object::new(out, dates);
    o.text("_id", room.id.as_str());
    o.text("t", &room.kind);
    o.raw("usernames", &room.usernames);
    o.number("usersCount", room.users_count);
    o.number("msgs", room.msgs);
    o.date("ts", room.ts);
    o.raw("uids", &room.uids);
    o.members(&room.body);
    if let Some(ro) = room.read_only {
        o.flag("ro", ro);
    }
    if let Some(react) = room.react_read_only {
        o.flag("reactWhenReadOnly", react);
    }
    o.date("_updatedAt", room.updated);
    o.text_if("topic", room.topic.as_deref());
    o.date_if("lm", room.lm);
    if let Some(last) = &room.last {
        message(o.key("lastMessage"), last, dates);
    }
    more(&mut o);
    o.end();
}

/// The document that a filter or a sort looks at.
pub(crate) fn document<T: 'static>(write: fn(&mut String, &T, Dates)) -> Document<T> {
    Arc::new(move |item| {
        let mut text = String::new();
        write(&mut text, item, Dates::Ejson);
        // What the store carries is JSON, nested no deeper than can be read; were it ever not, no
        // filter would match it.
        serde_json::from_str(&text).unwrap_or_else(|error| {
            tracing::error!(%error, "a document does not parse");
            Value::Null
        })
    })
}

/// What everybody may see of an account, wherever it stands.
fn everywhere(o: &mut Object<'_>, user: &User) {
    o.text("_id", user.id.as_str());
    o.text_if("username", user.username.as_deref());
    o.text_if("name", user.name.as_deref());
    o.text("type", &user.kind);
    o.text("status", &user.status);
    o.flag("active", user.active);
}

/// An account in a list (section 6.6): what everybody may see, and what `view-full-other-user-info`
/// shows.
pub(crate) fn listed_user(full: bool) -> impl Fn(&mut String, &User, Dates) {
    move |out, user, dates| {
        let mut o = Object::new(out, dates);
        everywhere(&mut o, user);
        let name = user.name.as_deref().unwrap_or("");
        o.text("nameInsensitive", &name.to_lowercase());
        if full {
            o.raw("emails", &emails(&user.emails));
            o.raw("roles", &Value::from(user.roles.clone()).to_string());
            o.date_if("lastLogin", user.last_login);
        }
        o.end();
    }
}

/// The document of [`listed_user`] that a filter or a sort looks at.
pub(crate) fn listed_document(full: bool) -> Document<User> {
    let write = listed_user(full);
    Arc::new(move |user| {
        let mut text = String::new();
        write(&mut text, user, Dates::Ejson);
        serde_json::from_str(&text).unwrap_or(Value::Null)
    })
}

/// Who looks at an account, and what everybody may see of the fields that the operator defined.
pub(crate) struct Reader<'a> {
    /// Is it the reader's own?
    pub(crate) own: bool,
    /// Does the reader hold `view-full-other-user-info`?
    pub(crate) full: bool,
    /// Names of public fields.
    pub(crate) fields: &'a [String],
    /// What the account's connections say.
    pub(crate) connection: &'static str,
}

/// An account by itself.
pub(crate) fn user(out: &mut String, user: &User, reader: &Reader<'_>) {
    let (own, full) = (reader.own, reader.full);
    let mut o = Object::new(out, Dates::Iso);
    everywhere(&mut o, user);
    o.text("statusText", &user.status_text);
    carried(&mut o, &user.body, (!own && !full).then_some(reader.fields));
    if own || full {
        o.raw("emails", &emails(&user.emails));
        o.raw("roles", &Value::from(user.roles.clone()).to_string());
        o.text("statusConnection", reader.connection);
        o.date("createdAt", user.created);
        o.date_if("lastLogin", user.last_login);
    }
    if own {
        o.text("statusDefault", &user.status_default);
        o.date("_updatedAt", user.updated);
        o.raw("services", if user.has_password { r#"{"password":true}"# } else { "{}" });
    }
    o.flag("canViewAllInfo", own || full);
    o.end();
}

/// Carried members of an account: all that are ever shown, or those that others may see, with the public
/// ones of the fields that the operator defined.
fn carried(o: &mut Object<'_>, body: &str, public: Option<&[String]>) {
    const PUBLIC: &[&str] =
        &["nickname", "bio", "utcOffset", "avatarETag", "federated", "statusLivechat"];
    const PRIVATE: &[&str] = &[
        "phone",
        "requirePasswordChange",
        "requirePasswordChangeReason",
        "importIds",
        "avatarOrigin",
        "customFields",
    ];
    let Ok(Value::Object(body)) = serde_json::from_str(body) else {
        return;
    };
    for (key, value) in &body {
        let all = public.is_none() && PRIVATE.contains(&key.as_str());
        if all || PUBLIC.contains(&key.as_str()) {
            o.raw(key, &value.to_string());
        }
    }
    if let (Some(public), Some(Value::Object(fields))) = (public, body.get("customFields")) {
        let shown = fields.iter().filter(|(name, _)| public.contains(name));
        let shown: Map<String, Value> = shown.map(|(k, v)| (k.clone(), v.clone())).collect();
        if !shown.is_empty() {
            o.raw("customFields", &Value::Object(shown).to_string());
        }
    }
    if !body.contains_key("utcOffset") {
        o.number("utcOffset", 0);
    }
}

/// The members of `me` (section 8.3): of `GET /me`, and of a login's answer.
pub(crate) fn me(
    o: &mut Object<'_>,
    user: &User,
    factors: Factors,
    connection: &str,
    root_url: &str,
) {
    o.text("_id", user.id.as_str());
    o.text_if("name", user.name.as_deref());
    o.text_if("username", user.username.as_deref());
    o.text("type", &user.kind);
    o.raw("emails", &emails(&user.emails));
    o.text("status", &user.status);
    o.text("statusDefault", &user.status_default);
    o.text("statusText", &user.status_text);
    o.text("statusConnection", connection);
    carried(o, &user.body, None);
    o.raw("roles", &Value::from(user.roles.clone()).to_string());
    o.flag("active", user.active);
    let preferences = user.preferences();
    o.text_if("language", preferences.get("language").and_then(Value::as_str));
    o.object("settings", |o| {
        o.raw("profile", "{}");
        o.raw("preferences", &Value::Object(preferences).to_string());
    });
    o.object("services", |o| {
        o.object("password", |o| o.flag("exists", user.has_password));
        if factors.totp {
            o.object("totp", |o| o.flag("enabled", true));
        }
        if factors.email {
            o.object("email2fa", |o| o.flag("enabled", true));
        }
    });
    o.flag("isOAuthUser", false);
    if let Some(email) = user.emails.iter().find(|email| email.verified) {
        o.text("email", &email.address);
    }
    o.text("avatarUrl", &format!("{root_url}/avatar/{}", user.handle()));
    o.date_if("lastLogin", user.last_login);
    o.date("createdAt", user.created);
    o.date("_updatedAt", user.updated);
}

pub(crate) fn emails(list: &[Email]) -> String {
    let mut out = String::from("[");
    for (n, email) in list.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        let mut o = Object::new(&mut out, Dates::Iso);
        o.text("address", &email.address);
        o.flag("verified", email.verified);
        o.end();
    }
    out.push(']');
    out
}

/// A member of a room (section 5.12).
pub(crate) fn member(out: &mut String, user: &User) {
    let offset = serde_json::from_str::<Value>(&user.body).ok();
    let offset = offset.and_then(|body| body["utcOffset"].as_f64()).unwrap_or(0.0);
    let mut o = Object::new(out, Dates::Iso);
    o.text("_id", user.id.as_str());
    o.text_if("username", user.username.as_deref());
    o.text_if("name", user.name.as_deref());
    o.text("status", &user.status);
    o.text("statusText", &user.status_text);
    o.raw("utcOffset", &offset.to_string());
    o.end();
}

/// Something that is gone.
pub(crate) fn removed(out: &mut String, id: &str, at: Ms) {
    let mut o = Object::new(out, Dates::Iso);
    o.text("_id", id);
    o.date("_deletedAt", at);
    o.end();
}

/// How many there are of something in memory.
pub(crate) fn count(o: &mut Object<'_>, key: &str, n: usize) {
    o.number(key, i64::try_from(n).unwrap_or(i64::MAX));
}

/// A success: an object whose last member says so.
pub(crate) fn success(write: impl FnOnce(&mut Object<'_>)) -> String {
    let Ok(text) = try_success::<Infallible>(|o| {
        write(o);
        Ok(())
    });
    text
}

/// The same, where writing may fail.
pub(crate) fn try_success<E>(
    write: impl FnOnce(&mut Object<'_>) -> Result<(), E>,
) -> Result<String, E> {
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Iso);
    write(&mut o)?;
    o.flag("success", true);
    o.end();
    Ok(out)
}
