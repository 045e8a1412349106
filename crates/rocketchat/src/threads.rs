//! Threads (contract section 9.1): lists of them and of their replies, following and reading.

use crate::call::Call;
use crate::carried::mismatch;
use crate::error::Failure;
use crate::page::{Given, Paging, Reads};
use crate::routes::{Answer, List};
use crate::wire;
use parlance_core::thread::{Changes, Roots, holding};
use parlance_core::{Access, Error, Message, Ms};
use serde_json::Value;

/// Access to the room `rid`, for calls that say "Not Allowed" of any other.
async fn room(call: &Call) -> Result<Access, Failure> {
    let room = match call.query.get("rid") {
        Some(Value::String(room)) if !room.is_empty() => room,
        _ => return Err(mismatch("Missing key 'rid'")),
    };
    call.core().access(call.caller()?, room).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess | Error::NotAllowed => {
            Failure::coded("error-not-allowed", "Not Allowed")
        }
        other => other.into(),
    })
}

/// Threads that are switched off, as these calls say it.
fn disabled(error: Error) -> Failure {
    match error {
        Error::SwitchedOff(parlance_core::error::Feature::Threads) => {
            Failure::coded("error-not-allowed", "Threads Disabled")
        }
        other => other.into(),
    }
}

/// `GET chat.getThreadsList`.
pub(crate) async fn list(call: Call) -> List {
    let access = room(&call).await?;
    let mut paging = Paging::read(&call, Reads::BOTH, &[])?;
    let which = match call.param("type") {
        Some("following") => Roots::Followed,
        Some("unread") => Roots::Unread,
        _ => Roots::All,
    };
    if let Some(text) = call.param("text") {
        paging.narrow(holding(text)?);
    }
    let document = wire::document(wire::message);
    let (core, caller) = (call.core(), call.caller()?);
    let page = core.threads(caller, &access, which, &paging.query, document).await;
    paging.list("threads", page.map_err(disabled)?, wire::message, Given::tell)
}

/// The thread that a parameter names.
async fn thread(call: &Call, name: &str) -> Result<(Message, Access), Failure> {
    let id = call.param(name).ok_or_else(|| {
        let text = format!("The required \"{name}\" query param is missing.");
        Failure::coded("error-invalid-params", text)
    })?;
    call.core().thread(call.caller()?, id).await.map_err(disabled)
}

/// `GET chat.getThreadMessages`: the replies, without the root.
pub(crate) async fn messages(call: Call) -> List {
    let thread = thread(&call, "tmid").await?;
    let paging = Paging::read(&call, Reads::BOTH, &[])?;
    let document = wire::document(wire::message);
    let page = call.core().replies(call.caller()?, &thread, &paging.query, document).await?;
    paging.list("messages", page, wire::message, Given::tell)
}

/// `updatedSince`, which these calls must have.
fn since(call: &Call) -> Result<Ms, Failure> {
    let bad = || {
        let text = "The \"updatedSince\" query parameter must be a valid date.";
        Failure::coded("error-updatedSince-param-invalid", text)
    };
    call.param("updatedSince").and_then(parlance_core::time::parse).ok_or_else(bad)
}

/// Changed messages and those that went.
fn synced(name: &str, (changed, gone): &Changes) -> String {
    use parlance_http::json::Dates;
    wire::success(|o| {
        o.object(name, |o| {
            o.array("update", changed, |out, m| wire::message(out, m, Dates::Iso));
            o.array("remove", gone, |out, (id, at)| wire::removed(out, id, *at));
        });
    })
}

/// `GET chat.syncThreadsList`.
pub(crate) async fn sync_list(call: Call) -> Answer {
    if call.param("rid").is_none() {
        let text = "The required \"rid\" query param is missing.";
        return Err(Failure::coded("error-room-id-param-not-provided", text));
    }
    let since = since(&call)?;
    let access = room(&call).await?;
    let found = call.core().threads_since(call.caller()?, &access, since).await;
    Ok(synced("threads", &found.map_err(disabled)?))
}

/// `GET chat.syncThreadMessages`.
pub(crate) async fn sync_messages(call: Call) -> Answer {
    let thread = thread(&call, "tmid").await?;
    let since = since(&call)?;
    let found = call.core().replies_since(call.caller()?, &thread, since).await?;
    Ok(synced("messages", &found))
}

/// The thread of the body's `mid` or `tmid`.
async fn named(call: &Call, name: &str) -> Result<(Message, Access), Failure> {
    let missing = || Failure::Sentence(format!("The required \"{name}\" body param is missing."));
    let id = match call.body.get(name) {
        None | Some(Value::String(_) | Value::Null) => call.text(name).ok_or_else(missing)?,
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    call.core().thread(call.caller()?, id).await.map_err(|error| match error {
        Error::NoThread => Failure::coded("error-invalid-message", "Invalid message"),
        Error::SwitchedOff(_) => Failure::coded("error-not-allowed", "not-allowed"),
        other => other.into(),
    })
}

/// `POST chat.followMessage`.
pub(crate) async fn follow(call: Call) -> Answer {
    let thread = named(&call, "mid").await?;
    call.core().follow(call.caller()?, &thread, true).await?;
    Ok(wire::success(|_| {}))
}

/// `POST chat.unfollowMessage`.
pub(crate) async fn unfollow(call: Call) -> Answer {
    let thread = named(&call, "mid").await?;
    call.core().follow(call.caller()?, &thread, false).await?;
    Ok(wire::success(|_| {}))
}

/// `POST chat.readThread`.
pub(crate) async fn read(call: Call) -> Answer {
    let thread = named(&call, "tmid").await?;
    call.core().read_thread(call.caller()?, &thread).await?;
    Ok(wire::success(|_| {}))
}
