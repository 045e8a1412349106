//! `chat.*` on single messages: read one, react, star, pin (contract section 9.1).

use crate::call::Call;
use crate::error::{Failure, not_authorized};
use crate::routes::Answer;
use crate::schema::{Form, Kind};
use crate::{schema, told, wire};
use parlance_core::{Caller, Error, Message};
use parlance_http::json::Dates;
use serde_json::{Value, json};

/// A success that carries one message.
pub(crate) async fn one_message(call: &Call, message: Message) -> Answer {
    let message = call.core().shown(message).await?;
    Ok(wire::success(|o| wire::message(o.key("message"), &message, Dates::Iso)))
}

/// `GET chat.getMessage`: a foreign message and one that is not there are the same (ruling B4).
pub(crate) async fn get_message(call: Call) -> Answer {
    let id = call
        .param("msgId")
        .ok_or_else(|| Failure::plain("The \"msgId\" query parameter must be provided."))?;
    let found = call.core().message(call.caller()?, id).await?;
    let (message, _) = found.ok_or(Failure::Bare)?;
    one_message(&call, message).await
}

/// The body's `messageId`; the texts for a missing one differ by a word between routes.
fn message_id<'a>(call: &'a Call, missing: &str) -> Result<&'a str, Failure> {
    match call.body.get("messageId") {
        None | Some(Value::Null | Value::String(_)) => call.text("messageId").ok_or_else(|| {
            Failure::coded(
                "error-messageid-param-not-provided",
                format!("The required \"messageId\" param is {missing}."),
            )
        }),
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    }
}

/// `POST chat.react`.
pub(crate) async fn react(call: Call) -> Answer {
    let id = message_id(&call, "missing")?;
    let emoji = call.text("emoji").or_else(|| call.text("reaction")).ok_or_else(|| {
        Failure::coded("error-emoji-param-not-provided", "The required \"emoji\" param is missing.")
    })?;
    let on = match call.body.get("shouldReact") {
        None | Some(Value::Null) => None,
        some => {
            let fits = schema::fits(schema::Kind::Flag, some.unwrap_or(&Value::Null));
            fits.map_err(Failure::Schema)?;
            Some(schema::flag(some))
        }
    };
    call.core().react(call.caller()?, id, emoji, on).await?;
    Ok(wire::success(|_| {}))
}

/// `POST chat.starMessage`.
pub(crate) async fn star(call: Call) -> Answer {
    call.core().star(call.caller()?, message_id(&call, "required")?, true).await?;
    Ok(wire::success(|_| {}))
}

/// `POST chat.unStarMessage`.
pub(crate) async fn unstar(call: Call) -> Answer {
    call.core().star(call.caller()?, message_id(&call, "required")?, false).await?;
    Ok(wire::success(|_| {}))
}

/// `POST chat.pinMessage`: the answer is the system message that says so.
pub(crate) async fn pin(call: Call) -> Answer {
    let id = message_id(&call, "missing")?;
    let pinned = set_pin(&call, call.caller()?, ("chat.pinMessage", id)).await;
    one_message(&call, pinned.map_err(pin_error("pinMessage"))?).await
}

/// `POST chat.unPinMessage`.
pub(crate) async fn unpin(call: Call) -> Answer {
    let id = message_id(&call, "required")?;
    let unpinned = take_pin(&call, call.caller()?, ("chat.unPinMessage", id)).await;
    unpinned.map_err(pin_error("unpinMessage"))?;
    Ok(wire::success(|_| {}))
}

/// Pins a message, by the call of this name; gives the system message that says so.
pub(crate) async fn set_pin(
    call: &Call,
    caller: &Caller,
    (action, id): (&str, &str),
) -> parlance_core::Result<Message> {
    let work = call.core().pin(caller, id);
    match call.core().message(caller, id).await? {
        Some((message, _)) => told::of_message(call, caller, (action, &message), work).await,
        None => work.await,
    }
}

/// Takes a pin off, likewise.
pub(crate) async fn take_pin(
    call: &Call,
    caller: &Caller,
    (action, id): (&str, &str),
) -> parlance_core::Result<()> {
    let work = call.core().unpin(caller, id);
    match call.core().message(caller, id).await? {
        Some((message, _)) => told::of_message(call, caller, (action, &message), work).await,
        None => work.await,
    }
}

fn pin_error(method: &'static str) -> impl FnOnce(Error) -> Failure {
    not_authorized(method)
}

/// `GET chat.getURLPreview`: what the page behind a URL says of itself.
pub(crate) async fn url_preview(call: Call) -> Answer {
    const FORM: Form = Form {
        required: &["roomId", "url"],
        allowed: &[("roomId", Kind::Text), ("url", Kind::Text)],
    };
    schema::check(&FORM, &call.query).map_err(Failure::Schema)?;
    let text = |name| {
        let short = || Failure::Schema("must NOT have fewer than 1 characters".to_owned());
        call.param(name).ok_or_else(short)
    };
    let (room, url) = (text("roomId")?, text("url")?);
    let access = call.core().access(call.caller()?, room).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess => Failure::coded("error-not-allowed", "Not allowed"),
        other => other.into(),
    })?;
    let preview = call.core().url_preview(&access, url).await?;
    let shown = json!({"url": url, "meta": preview.meta, "headers": preview.headers,
        "ignoreParse": true});
    Ok(wire::success(|o| o.raw("urlPreview", &shown.to_string())))
}
