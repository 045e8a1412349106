//! The audit for administrators (ours: the original has none in its free form). A page is followed by
//! another by its place, not by an offset, so that rows which come meanwhile move nothing; `count=0` gives
//! all of it, oldest first, in pieces.

use crate::call::Call;
use crate::error::Failure;
use crate::reply;
use crate::routes::List;
use parlance_core::audit::{Entry, Filter, Place};
use parlance_core::{Ms, Perm, time};
use parlance_http::json::{Dates, Object};

/// Rows in an answer where nothing is said.
const USUAL: i64 = 50;

fn bad(name: &str) -> Failure {
    Failure::coded("error-invalid-params", format!("The parameter \"{name}\" is invalid"))
}

fn moment(call: &Call, name: &str) -> Result<Option<Ms>, Failure> {
    call.param(name).map(|text| time::parse(text).ok_or_else(|| bad(name))).transpose()
}

/// `GET audit.list`: `since`, `until`, `actor` (username or id, or `operator`), `roomId`, `action`,
/// `count` (50), and `after`: the `next` of the page before.
pub(crate) async fn list(call: Call) -> List {
    let core = call.core();
    let admin = core.admin(call.caller()?, Perm::ViewRoomAdministration)?;
    let text = |name: &str| call.param(name).map(str::to_owned);
    let filter = Filter {
        since: moment(&call, "since")?,
        until: moment(&call, "until")?,
        actor: text("actor"),
        room: text("roomId"),
        action: text("action"),
    };
    let write = |out: &mut String, entry: &Entry| {
        print(out, entry);
        Ok(())
    };
    let count = call.param("count").map_or(Some(USUAL), |text| text.parse().ok());
    let count = count.filter(|count| *count >= 0).ok_or_else(|| bad("count"))?;
    if count == 0 {
        let pieces = core.audit_export(admin, filter).await?;
        return Ok(reply::list("entries", &[], Some(pieces), write, |_, _| {})?);
    }
    let after = call.param("after").map(|text| place(text).ok_or_else(|| bad("after")));
    // One more than is given says whether there is more.
    let count = count.min(parlance_core::command::ENTRIES.saturating_sub(1));
    let mut entries =
        core.audit_log(admin, filter, after.transpose()?, count.saturating_add(1)).await?;
    let given = usize::try_from(count).unwrap_or(usize::MAX);
    let more = entries.len() > given;
    entries.truncate(given);
    let next = entries.last().filter(|_| more).map(|entry| format!("{}.{}", entry.at, entry.id));
    Ok(reply::list("entries", &entries, None, write, move |o, count| {
        o.number("count", count);
        o.text_if("next", next.as_deref());
    })?)
}

fn place(text: &str) -> Option<Place> {
    let (at, id) = text.split_once('.')?;
    Some(Place { at: at.parse().ok()?, id: id.to_owned() })
}

fn print(out: &mut String, entry: &Entry) {
    let mut o = Object::new(out, Dates::Iso);
    o.text("_id", &entry.id);
    o.date("ts", entry.at);
    o.object("actor", |actor| {
        actor.text("_id", &entry.actor);
        actor.text("username", &entry.name);
    });
    o.text("ip", &entry.ip);
    o.text("action", &entry.action);
    o.text_if("rid", entry.room.as_deref());
    o.raw("detail", &entry.detail);
    o.end();
}
