//! `rooms.autocomplete.*` (contract section 9.2): rooms by the beginning of a name. Direct rooms have none,
//! so ordinary callers find nothing; administrators find rooms as `rooms.adminRooms` does.

use crate::call::Call;
use crate::error::Failure;
use crate::moderation;
use crate::page::{Paging, Reads};
use crate::routes::Answer;
use crate::schema::{self, Form, Kind};
use crate::wire;
use parlance_core::Perm;
use parlance_core::list::ListQuery;
use parlance_http::json::{Dates, Object};
use serde_json::Value;

/// Rooms that are found at most.
const MOST: i64 = 10;
const SELECTOR: Form = Form { required: &["selector"], allowed: &[("selector", Kind::Text)] };

/// The name in `selector`, which is an object as JSON text.
fn name(call: &Call) -> Result<Option<String>, Failure> {
    let text = call.query.get("selector").map(schema::text).unwrap_or_default();
    let Ok(Value::Object(selector)) = serde_json::from_str(&text) else {
        let text = format!("Invalid selector parameter provided: \"{text}\"");
        return Err(Failure::coded("error-invalid-params", text));
    };
    match selector.get("name") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => Ok(Some(name.clone()).filter(|name| !name.is_empty())),
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    }
}

/// `GET rooms.autocomplete.channelAndPrivate`.
pub(crate) async fn channels(call: Call) -> Answer {
    schema::check(&SELECTOR, &call.query).map_err(Failure::Schema)?;
    name(&call)?;
    Ok(wire::success(|o| o.raw("items", "[]")))
}

/// `GET rooms.autocomplete.channelAndPrivate.withPagination`.
pub(crate) async fn channels_by_page(call: Call) -> Answer {
    const FORM: Form = Form {
        required: &["selector"],
        allowed: &[
            ("selector", Kind::Text),
            ("count", Kind::Count),
            ("offset", Kind::Count),
            ("sort", Kind::Text),
            ("query", Kind::Text),
        ],
    };
    schema::check(&FORM, &call.query).map_err(Failure::Schema)?;
    Paging::read(&call, Reads::NEITHER, &[])?;
    name(&call)?;
    Ok(wire::success(|o| {
        o.raw("items", "[]");
        o.number("total", 0);
    }))
}

/// `GET rooms.autocomplete.availableForTeams`: a direct room belongs to no team.
pub(crate) async fn for_teams(call: Call) -> Answer {
    const FORM: Form = Form { required: &[], allowed: &[("name", Kind::Text)] };
    schema::check(&FORM, &call.query).map_err(Failure::Schema)?;
    Ok(wire::success(|o| o.raw("items", "[]")))
}

/// `GET rooms.autocomplete.adminRooms`: what tells rooms apart and nothing of what is in them; audited
/// as `rooms.adminRooms` is.
pub(crate) async fn admin_rooms(call: Call) -> Answer {
    let core = call.core();
    let admin = core.admin(call.caller()?, Perm::ViewRoomAdministration);
    let admin = admin.map_err(|_| Failure::plain("error-not-authorized"))?;
    schema::check(&SELECTOR, &call.query).map_err(Failure::Schema)?;
    let mut query = ListQuery::first(MOST);
    if let Some(name) = name(&call)? {
        query.filter = moderation::called(&name)?;
    }
    let found = core.dm_list_everyone(admin, &call.ip, &query, wire::document(wire::room)).await?;
    Ok(wire::success(|o| {
        o.array("items", &found.items, |out, room| {
            let mut o = Object::new(out, Dates::Iso);
            o.text("_id", room.id.as_str());
            o.text("t", &room.kind);
            o.raw("usernames", &room.usernames);
            o.number("usersCount", room.users_count);
            o.raw("uids", &room.uids);
            o.end();
        });
    }))
}
