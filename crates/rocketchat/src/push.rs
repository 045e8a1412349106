//! `push.*` (contract section 9.4): devices are kept with the session that names them; nothing is sent to
//! anybody, and `push.info` says so. A device's token is a secret: no log, no error and no kept answer
//! holds one.

use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::schema::{self, Form, Kind};
use crate::wire;
use parlance_core::push::{Network, NewDevice};
use parlance_core::{Error, Message};
use parlance_http::json::{Dates, Object};
use serde_json::Value;

/// A member of the body that cannot be taken.
fn unusable(name: &str) -> Failure {
    let code = match name {
        "id" => "error-id-param-not-valid",
        "type" => "error-type-param-not-valid",
        "appName" => "error-appName-param-not-valid",
        _ => "error-token-param-not-valid",
    };
    let shown = if code.starts_with("error-token") { "value" } else { name };
    Failure::coded(code, format!("The required \"{shown}\" body param is missing or invalid."))
}

fn text<'a>(call: &'a Call, name: &str) -> Result<&'a str, Failure> {
    match call.body.get(name) {
        Some(Value::String(text)) if !text.trim().is_empty() => Ok(text),
        _ => Err(unusable(name)),
    }
}

/// `POST push.token`.
pub(crate) async fn keep(call: Call) -> Answer {
    let id = match call.body.get("id") {
        None | Some(Value::Null) => None,
        Some(_) => Some(text(&call, "id")?),
    };
    let kind = Network::named(text(&call, "type")?).ok_or_else(|| unusable("type"))?;
    let new = NewDevice { id, kind, value: text(&call, "value")?, app: text(&call, "appName")? };
    let kept = call.core().keep_device(call.caller()?, new).await;
    let device = kept.map_err(|error| match error {
        Error::Bad(name) => unusable(name),
        other => other.into(),
    })?;
    Ok(wire::success(|o| {
        o.object("result", |o| {
            o.text("_id", &device.id);
            o.object("token", |o| o.text(device.kind.name(), &device.value));
            o.text("appName", &device.app);
            o.text("userId", device.user.as_str());
            o.flag("enabled", true);
            // The hash by which the session is stored; nobody can log in with it.
            o.text("authToken", &device.session);
            o.date("createdAt", device.created);
            o.date("updatedAt", device.updated);
            o.date("_updatedAt", device.updated);
            o.raw("metadata", "{}");
        });
    }))
}

/// `DELETE push.token`.
pub(crate) async fn forget(call: Call) -> Answer {
    let Some(Value::String(token)) = call.body.get("token").filter(|token| **token != "") else {
        let text = "The required \"token\" body param is missing or invalid.";
        return Err(Failure::coded("error-token-param-not-valid", text));
    };
    if !call.core().forget_device(call.caller()?, token).await? {
        return Err(Failure::Missing);
    }
    Ok(wire::success(|_| {}))
}

/// `GET push.get`: what a notice about a message would show to the caller.
pub(crate) async fn get(call: Call) -> Answer {
    const FORM: Form = Form { required: &["id"], allowed: &[("id", Kind::Text)] };
    schema::check(&FORM, &call.query).map_err(Failure::Schema)?;
    let missing = || Failure::plain("error-message-not-found");
    let id = call.param("id").ok_or_else(missing)?;
    let caller = call.caller()?;
    let (message, access) = call.core().message(caller, id).await?.ok_or_else(missing)?;
    Ok(wire::success(|o| {
        o.object("data", |o| {
            wire::message(o.key("message"), &message, Dates::Iso);
            o.object("notification", |o| {
                // In a group the room is named, and who writes stands before the text.
                let author = &message.author.username;
                let group = access.room().users_count > 2;
                o.text("title", if group { &access.member().fname } else { author });
                let said = &message.msg;
                o.text("text", &if group { format!("{author}: {said}") } else { said.clone() });
                o.text("userId", caller.id().as_str());
                let host = &call.edge.options().root_url;
                o.object("payload", |o| payload(o, host, &message, &access.room().kind));
            });
        });
    }))
}

/// What an app needs to find the message.
fn payload(o: &mut Object<'_>, host: &str, message: &Message, kind: &str) {
    let author = &message.author;
    o.text("host", host);
    o.text("messageId", message.id.as_str());
    o.text("notificationType", "message");
    o.text("rid", message.room.as_str());
    o.object("sender", |o| {
        o.text("_id", author.id.as_str());
        o.text("username", &author.username);
        o.text_if("name", author.name.as_deref());
    });
    o.text("senderName", author.name.as_deref().unwrap_or(&author.username));
    o.text("type", kind);
    o.text_if("messageType", message.kind.as_deref());
    o.text_if("tmid", message.thread.as_ref().map(parlance_core::MessageId::as_str));
}

/// `GET push.info`: nothing is sent.
pub(crate) async fn info(_: Call) -> Answer {
    Ok(wire::success(|o| {
        o.flag("pushGatewayEnabled", false);
        o.flag("defaultPushGateway", false);
    }))
}
