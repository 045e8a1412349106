//! `chat.search` (contract section 9.1): of one room, or (ours) of all rooms of the caller.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{Paging, Reads};
use crate::routes::List;
use crate::wire;
use parlance_core::Error;

/// `GET chat.search`.
pub(crate) async fn search(call: Call) -> List {
    let missing = |name, code| {
        Failure::coded(code, format!("The required \"{name}\" query param is missing."))
    };
    let (core, caller) = (call.core(), call.caller()?);
    let room = call.param("roomId");
    if room.is_none() && call.query.contains_key("roomId") {
        return Err(missing("roomId", "error-roomId-param-not-provided"));
    }
    let text = call.param("searchText").filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| missing("searchText", "error-searchText-param-not-provided"))?;
    let paging = Paging::read(&call, Reads::NEITHER, &[])?;
    let access = match room {
        Some(room) => Some(core.access(caller, room).await.map_err(|error| match error {
            Error::NoRoom | Error::NoAccess => Failure::coded("error-not-allowed", "Not allowed"),
            other => other.into(),
        })?),
        None => None,
    };
    let document = wire::document(wire::message);
    let page = core.search(caller, access.as_ref(), text, paging.query.clone(), document).await;
    let page = page.map_err(|error| match error {
        Error::Query(_) => Failure::coded("error-invalid-search", "Invalid search"),
        other => other.into(),
    })?;
    paging.list("messages", page, wire::message, |_, _| {})
}
