//! The lists of marked messages of one room (contract section 9.1): those that mention the caller, that
//! the caller starred, and that are pinned.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{Given, Paging, Reads};
use crate::routes::List;
use crate::wire;
use parlance_core::Error;
use parlance_core::list::Marks;
use parlance_query::{Filter, Limits};

/// One list: who may not read the room gets `refused`, which room is missing `missing`.
async fn list(call: &Call, marks: Marks, missing: &'static str, refused: Failure) -> List {
    let room = call.param("roomId").ok_or_else(|| {
        Failure::coded(missing, "The required \"roomId\" query param is missing.")
    })?;
    let mut paging = Paging::read(call, Reads::BOTH, &[])?;
    if marks.pinned {
        // What stays of a deleted message is pinned no more.
        paging.narrow(not_a_stub()?);
    }
    let (core, caller) = (call.core(), call.caller()?);
    let access = match core.access(caller, room).await {
        Err(Error::NoRoom | Error::NoAccess | Error::NotAllowed) => return Err(refused),
        other => other?,
    };
    let document = wire::document(wire::message);
    let page = core.messages(caller, &access, &paging.query, &marks, document).await?;
    paging.list("messages", page, wire::message, Given::tell)
}

/// `GET chat.getMentionedMessages`.
pub(crate) async fn mentioned(call: Call) -> List {
    let marks = Marks { mentioned: vec![call.caller()?.id().to_string()], ..Marks::default() };
    list(&call, marks, "error-invalid-params", Failure::plain("error-not-allowed")).await
}

/// `GET chat.getStarredMessages`.
pub(crate) async fn starred(call: Call) -> List {
    let marks = Marks { starred: vec![call.caller()?.id().to_string()], ..Marks::default() };
    list(&call, marks, "error-invalid-params", Failure::plain("error-not-allowed")).await
}

/// `GET chat.getPinnedMessages`.
pub(crate) async fn pinned(call: Call) -> List {
    let refused = Failure::coded("error-not-allowed", "Not allowed");
    let marks = Marks { pinned: true, ..Marks::default() };
    list(&call, marks, "error-roomId-param-not-provided", refused).await
}

fn not_a_stub() -> Result<Filter, Failure> {
    let filter = Filter::parse(r#"{"t":{"$ne":"rm"}}"#, &Limits::default());
    Ok(filter.map_err(Error::from)?)
}
