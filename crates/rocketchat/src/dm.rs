//! `dm.*`, which is `im.*` (contract section 5): open, close, list and read direct messages, and the
//! two calls by which an administrator reads other people's.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{self, Given, Paging, Reads};
use crate::routes::{Answer, List};
use crate::schema::{self, Form, Kind};
use crate::{subscriptions, wire};
use parlance_core::list::{Marks, Page};
use parlance_core::{Access, Error, Message, Perm, Room};
use parlance_http::json::Dates;
use serde_json::{Value, json};

/// `POST dm.create` (section 5.2).
pub(crate) async fn create(call: Call) -> Answer {
    const FORMS: &[Form] = &[
        Form {
            required: &["usernames"],
            allowed: &[("usernames", Kind::Text), ("excludeSelf", Kind::Flag)],
        },
        Form {
            required: &["username"],
            allowed: &[("username", Kind::Text), ("excludeSelf", Kind::Flag)],
        },
    ];
    schema::one_of(FORMS, &call.body).map_err(Failure::Schema)?;
    let names = match (call.body.get("usernames"), call.body.get("username")) {
        (Some(list), _) => schema::text(list).split(',').map(str::to_owned).collect(),
        (None, one) => vec![one.map(schema::text).unwrap_or_default()],
    };
    let names: Vec<&str> = names.iter().map(|name| name.trim()).filter(|n| !n.is_empty()).collect();
    if names.is_empty() {
        return Err(invalid_user());
    }
    let exclude_self = schema::flag(call.body.get("excludeSelf"));
    let opened = call.core().open_direct(call.caller()?, &names, exclude_self).await;
    let room = opened.map_err(create_error)?.room;
    Ok(wire::success(|o| {
        o.object("room", |o| {
            o.text("t", "d");
            o.text("rid", room.id.as_str());
            o.raw("usernames", &room.usernames);
            o.text("_id", room.id.as_str());
        });
    }))
}

fn invalid_user() -> Failure {
    let details = json!({"method": "createDirectMessage"});
    Failure::detailed("error-invalid-user", "Invalid user", details)
}

pub(crate) fn create_error(error: Error) -> Failure {
    match error {
        Error::NoUser => invalid_user(),
        Error::NotAllowed => Failure::detailed(
            "error-not-allowed",
            "Not allowed",
            json!({"method": "createDirectMessage"}),
        ),
        other => other.into(),
    }
}

/// The body's `roomId`, of the routes that must have one.
pub(crate) fn body_room(call: &Call) -> Result<&str, Failure> {
    let missing =
        || Failure::coded("error-room-param-not-provided", "Body param \"roomId\" is required");
    match call.body.get("roomId") {
        None | Some(Value::String(_) | Value::Null) => call.text("roomId").ok_or_else(missing),
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    }
}

/// `POST dm.open` (section 5.3): foreign and unknown rooms are the same 403.
pub(crate) async fn open(call: Call) -> Answer {
    let access = call.core().access(call.caller()?, body_room(&call)?).await;
    let access = access.map_err(|error| match error {
        Error::NoRoom => Failure::Forbidden,
        other => other.into(),
    })?;
    call.core().open_room(call.caller()?, &access).await?;
    Ok(wire::success(|_| {}))
}

/// `POST dm.close` (section 5.4).
pub(crate) async fn close(call: Call) -> Answer {
    let access = call.core().access(call.caller()?, body_room(&call)?).await;
    let access = access.map_err(|error| match error {
        Error::NoRoom => Error::NotSubscribed,
        other => other,
    })?;
    call.core().close_room(call.caller()?, &access).await?;
    Ok(wire::success(|_| {}))
}

/// `GET dm.list` (section 5.5). `query` is never used here. With `includeSubscription` (ours) each room
/// brings the caller's subscription and the other members with their presence: all that a sidebar shows.
pub(crate) async fn list(call: Call) -> List {
    let paging = Paging::read(&call, Reads::FIELDS, &[])?;
    let document = wire::document(wire::room);
    let (core, caller) = (call.core(), call.caller()?);
    if !matches!(call.param("includeSubscription"), Some("true" | "1")) {
        let page = core.dm_list(caller, &paging.query, document).await?;
        return rooms(paging, page, |room| room, wire::room);
    }
    let page = core.dm_list_beside(caller, &paging.query, document).await?;
    let user = caller.user().clone();
    rooms(
        paging,
        page,
        |(room, _)| room,
        move |out, (room, beside), dates| {
            wire::room_with(out, room, dates, |o| {
                if let Some((own, others)) = beside {
                    subscriptions::subscription(o.key("subscription"), &user, own, dates);
                    o.array("users", others, wire::member);
                }
            });
        },
    )
}

/// `GET dm.list.everyone` (section 5.6).
pub(crate) async fn list_everyone(call: Call) -> List {
    let admin = call.core().admin(call.caller()?, Perm::ViewRoomAdministration)?;
    let paging = Paging::read(&call, Reads::BOTH, &[])?;
    let document = wire::document(wire::room);
    let page = call.core().dm_list_everyone(admin, &call.ip, &paging.query, document).await?;
    rooms(paging, page, |room| room, wire::room)
}

fn rooms<T: Send + 'static>(
    paging: Paging,
    page: Page<T>,
    room: fn(&T) -> &Room,
    write: impl Fn(&mut String, &T, Dates) + Send + Sync + 'static,
) -> List {
    let next = paging.next(&page.items, page.total, |item| {
        let room = room(item);
        (room.ts, room.id.as_str())
    });
    paging.list("ims", page, write, move |o, given| {
        o.number("offset", given.offset);
        o.number("count", given.count);
        o.number("total", given.total);
        o.text_if("nextCursor", next.as_deref());
    })
}

// What `dm.messages` takes: one of two names for the room, and the same others with either.
const PAGING: [(&str, Kind); 9] = [
    ("offset", Kind::Count),
    ("count", Kind::Count),
    ("sort", Kind::Text),
    ("query", Kind::Text),
    ("fields", Kind::Text),
    ("mentionIds", Kind::Text),
    ("starredIds", Kind::Text),
    ("pinned", Kind::Text),
    ("cursor", Kind::Text),
];
const fn with(name: &'static str) -> [(&'static str, Kind); 10] {
    let mut all = [(name, Kind::Text); 10];
    let mut n = 0;
    while n < PAGING.len() {
        all[n + 1] = PAGING[n];
        n += 1;
    }
    all
}
const BY_ID: [(&str, Kind); 10] = with("roomId");
const BY_NAME: [(&str, Kind); 10] = with("username");
const MESSAGES: &[Form] = &[
    Form { required: &["roomId"], allowed: &BY_ID },
    Form { required: &["username"], allowed: &BY_NAME },
];

/// `GET dm.messages` (section 5.7).
pub(crate) async fn messages(call: Call) -> List {
    schema::one_of(MESSAGES, &call.query).map_err(Failure::Schema)?;
    let paging = Paging::read(&call, Reads::BOTH, &[])?;
    let marks = Marks {
        mentioned: page::ids(&call, "mentionIds")?,
        starred: page::ids(&call, "starredIds")?,
        pinned: call.param("pinned").is_some_and(|text| text.eq_ignore_ascii_case("true")),
    };
    let access = resolve(&call).await?;
    let document = wire::document(wire::message);
    let core = call.core();
    let page = core.messages(call.caller()?, &access, &paging.query, &marks, document).await?;
    let next = paging.next(&page.items, page.total, |m| (m.ts, m.id.as_str()));
    paging.list("messages", page, wire::message, move |o, given| {
        Given::tell(o, given);
        o.text_if("nextCursor", next.as_deref());
    })
}

// Here the schema takes either name in both forms, so that both at once is one error (section 3.2).
const FILES_PARAMS: [(&str, Kind); 9] = [
    ("roomId", Kind::Text),
    ("username", Kind::Text),
    ("offset", Kind::Count),
    ("count", Kind::Count),
    ("sort", Kind::Text),
    ("query", Kind::Text),
    ("name", Kind::Text),
    ("typeGroup", Kind::Text),
    ("onlyConfirmed", Kind::Flag),
];
const FILES: &[Form] = &[
    Form { required: &["roomId"], allowed: &FILES_PARAMS },
    Form { required: &["username"], allowed: &FILES_PARAMS },
];

/// `GET dm.files` (section 5.11): no message holds a file yet, so every member reads an empty list.
pub(crate) async fn files(call: Call) -> Answer {
    schema::one_of(FILES, &call.query).map_err(Failure::Schema)?;
    let paging = Paging::read(&call, Reads::QUERY, &[])?;
    resolve(&call).await?;
    wire::try_success(|o| {
        paging.items::<Message>(o, "files", &[], wire::message)?;
        wire::count(o, "count", 0);
        o.number("offset", paging.offset());
        o.number("total", 0);
        Ok(())
    })
}

/// The room of `roomId` or `username` (section 5.1).
pub(crate) async fn resolve(call: &Call) -> Result<Access, Failure> {
    let (core, caller) = (call.core(), call.caller()?);
    match (call.param("roomId"), call.param("username")) {
        (Some(id), _) => Ok(core.resolve_room(caller, id).await?),
        (None, Some(name)) => Ok(core.resolve_username(caller, name).await?),
        (None, None) => Err(Error::NoRoom.into()),
    }
}

/// `GET dm.messages.others` (section 5.8): permission, then the setting, then the room.
pub(crate) async fn messages_others(call: Call) -> List {
    let core = call.core();
    let admin = core.admin(call.caller()?, Perm::ViewRoomAdministration)?;
    // What comes before the room in the contract's order of checks comes before its parameters too.
    if !call.settings.on(&parlance_core::setting::DM_HISTORY) {
        return Err(disabled(&call));
    }
    let room = call.param("roomId").ok_or_else(|| {
        Failure::coded("error-roomid-param-not-provided", "The parameter \"roomId\" is required")
    })?;
    let paging = Paging::read(&call, Reads::BOTH, &[])?;
    let document = wire::document(wire::message);
    let page = core
        .messages_of_others(admin, &call.ip, Some(room), &paging.query, document)
        .await
        .map_err(|error| match error {
            Error::SwitchedOff(_) => disabled(&call),
            other => other.into(),
        })?;
    paging.list("messages", page, wire::message, |o, given| {
        o.number("offset", given.offset);
        o.number("count", given.count);
        o.number("total", given.total);
    })
}

/// The path that was called is the path that is named (ruling B1).
fn disabled(call: &Call) -> Failure {
    let route = call.path.trim_end_matches('/');
    Failure::detailed(
        "error-endpoint-disabled",
        "This endpoint is disabled",
        json!({ "route": route }),
    )
}
