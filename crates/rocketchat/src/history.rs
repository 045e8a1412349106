//! Reading a room by time and by number (contract sections 5.9, 5.10, 5.12 and 9.1): `dm.history`,
//! `dm.counters`, `dm.members`, and what changed since a client last asked.

use crate::call::Call;
use crate::dm;
use crate::error::Failure;
use crate::page::{self, Paging, Reads};
use crate::reply;
use crate::routes::{Answer, List};
use crate::schema::{self, Form, Kind};
use crate::wire;
use parlance_core::history::Stretch;
use parlance_core::list::count;
use parlance_core::{Error, Message, Ms, Perm, User, UserId};
use parlance_http::json::{Dates, Object};
use serde_json::Value;

/// A time among the parameters.
fn time(call: &Call, name: &str) -> Result<Option<Ms>, Failure> {
    let bad = || Failure::Schema("must match format \"iso-date-time\"".to_owned());
    match call.query.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(value) => Call::time(value).map(Some).ok_or_else(bad),
    }
}

/// A parameter that is the text `true` or `false`.
fn switch(call: &Call, name: &str) -> Result<bool, Failure> {
    match call.query.get(name) {
        None => Ok(false),
        Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
        Some(_) => Err(Failure::Schema("must be equal to one of the allowed values".to_owned())),
    }
}

/// `GET dm.history`.
pub(crate) async fn history(call: Call) -> List {
    const FORM: Form = Form {
        required: &["roomId"],
        allowed: &[
            ("roomId", Kind::Text),
            ("latest", Kind::Text),
            ("oldest", Kind::Text),
            ("inclusive", Kind::Text),
            ("unreads", Kind::Text),
            ("showThreadMessages", Kind::Text),
            ("offset", Kind::Count),
            ("count", Kind::Count),
            ("cursor", Kind::Text),
            ("sort", Kind::Text),
        ],
    };
    schema::check(&FORM, &call.query).map_err(Failure::Schema)?;
    let room = call.query.get("roomId").map(schema::text).unwrap_or_default();
    if room.is_empty() {
        return Err(Failure::Schema("must NOT have fewer than 1 characters".to_owned()));
    }
    let inclusive = i64::from(!switch(&call, "inclusive")?);
    let latest = time(&call, "latest")?.unwrap_or_else(|| call.core().clock().now());
    let oldest = time(&call, "oldest")?;
    let unreads = switch(&call, "unreads")?;
    let stretch = Stretch {
        from: oldest.map_or(Ms::MIN, |oldest| oldest.saturating_add(inclusive)),
        // A message takes a later time than the clock's where two share a millisecond.
        to: if call.param("latest").is_some() { latest.saturating_sub(inclusive) } else { Ms::MAX },
        before: page::cursor(&call)?,
        replies: switch(&call, "showThreadMessages")?,
        hidden: Vec::new(),
    };
    let page = page::window(&call)?;
    let (core, caller) = (call.core(), call.caller()?);
    let access = core.resolve_room(caller, &room).await?;
    let found = core.history(caller, &access, stretch, page, unreads).await?;
    // A page that is full may have another behind it.
    let last = found.messages.last().filter(|_| page.1 == Some(count(found.messages.len())));
    let next = last.map(|last| page::place(last.ts, last.id.as_str()));
    let unread = found.unread;
    let write = |out: &mut String, message: &Message| {
        wire::message(out, message, Dates::Iso);
        Ok(())
    };
    let tail = move |o: &mut Object<'_>, _| {
        o.text_if("nextCursor", next.as_deref());
        if let Some((count, first)) = &unread {
            if let Some(first) = first {
                wire::message(o.key("firstUnread"), first, Dates::Iso);
            }
            o.number("unreadNotLoaded", *count);
        }
    };
    Ok(reply::list("messages", &found.messages, found.more, write, tail)?)
}

/// `GET dm.counters`: one's own, or another's for who administers rooms.
pub(crate) async fn counters(call: Call) -> Answer {
    let room = call.param("roomId").ok_or_else(|| {
        let text = "Query param \"roomId\" is required";
        Failure::coded("error-room-param-not-provided", text)
    })?;
    let (core, caller) = (call.core(), call.caller()?);
    let admin = core.admin(caller, Perm::ViewRoomAdministration).ok();
    let (room, member) = match call.query.get("userId").filter(|user| **user != "") {
        None => {
            let access = core.access(caller, room).await.map_err(forbidden)?;
            (access.room().clone(), access.member().clone())
        }
        Some(Value::String(user)) => {
            let admin = admin.ok_or(Failure::Forbidden)?;
            core.view_of(admin, &UserId::from(user.as_str()), room).await.map_err(forbidden)?
        }
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    let joined = member.is_open(&room);
    let seen = member.last_seen.filter(|_| room.msgs > 0);
    let shown = joined || admin.is_some();
    let number = |o: &mut Object<'_>, key: &str, number: Option<i64>| match number {
        Some(number) => o.number(key, number),
        None => o.raw(key, "null"),
    };
    let date = |o: &mut Object<'_>, key: &str, at: Option<Ms>| match at {
        Some(at) => o.date(key, at),
        None => o.raw(key, "null"),
    };
    Ok(wire::success(|o| {
        o.flag("joined", joined);
        number(o, "members", shown.then_some(room.users_count));
        number(o, "unreads", seen.map(|_| member.counted(&room, core.counting())));
        date(o, "unreadsFrom", seen);
        number(o, "msgs", shown.then_some(room.msgs));
        date(o, "latest", shown.then_some(room.lm.unwrap_or(room.updated)));
        number(o, "userMentions", joined.then_some(member.mentions));
    }))
}

pub(crate) fn forbidden(error: Error) -> Failure {
    match error {
        Error::NoRoom | Error::NoAccess => Failure::Forbidden,
        other => other.into(),
    }
}

const MEMBERS_PARAMS: [(&str, Kind); 8] = [
    ("roomId", Kind::Text),
    ("username", Kind::Text),
    ("offset", Kind::Count),
    ("count", Kind::Count),
    ("sort", Kind::Text),
    ("query", Kind::Text),
    ("filter", Kind::Text),
    ("status", Kind::List),
];
const MEMBERS: &[Form] = &[
    Form { required: &["roomId"], allowed: &MEMBERS_PARAMS },
    Form { required: &["username"], allowed: &MEMBERS_PARAMS },
];

/// `GET dm.members`: those whose account is active.
pub(crate) async fn members(call: Call) -> Answer {
    schema::one_of(MEMBERS, &call.query).map_err(Failure::Schema)?;
    let statuses: Vec<&str> = match call.query.get("status") {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let known = ["online", "away", "busy", "offline"];
    if statuses.iter().any(|status| !known.contains(status)) {
        return Err(Failure::Schema("must be equal to one of the allowed values".to_owned()));
    }
    let paging = Paging::read(&call, Reads::NEITHER, &[])?;
    let access = dm::resolve(&call).await?;
    let found = call.core().conversation(call.caller()?, &access.room().id).await?;
    let filter = call.param("filter").unwrap_or("").to_lowercase();
    let wanted = |user: &User| {
        let status = statuses.is_empty() || statuses.contains(&user.status.as_str());
        user.active && user.username.is_some() && status && holds(user, &filter)
    };
    let mut members: Vec<User> = found.members.into_iter().filter_map(|(_, user)| user).collect();
    members.retain(wanted);
    let down = paging
        .query
        .sort
        .as_ref()
        .is_some_and(|sort| sort.0.iter().any(|key| key.path == "username" && key.descending));
    members.sort_by(|a, b| {
        let names = a.username.cmp(&b.username);
        b.updated.cmp(&a.updated).then(if down { names.reverse() } else { names })
    });
    let total = members.len();
    let offset = usize::try_from(paging.offset()).unwrap_or(usize::MAX);
    let limit = paging.query.limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
    let page: Vec<User> = members.into_iter().skip(offset).take(limit).collect();
    Ok(wire::success(|o| {
        o.array("members", &page, wire::member);
        wire::count(o, "count", page.len());
        o.number("offset", paging.offset());
        wire::count(o, "total", total);
    }))
}

/// Does an account show this text in one of the names that people are searched by?
pub(crate) fn holds(user: &User, filter: &str) -> bool {
    let body: Value = serde_json::from_str(&user.body).unwrap_or(Value::Null);
    let carried = ["bio", "nickname"].into_iter().filter_map(|name| body[name].as_str());
    let names = [user.username.as_deref(), user.name.as_deref()].into_iter().flatten();
    filter.is_empty() || names.chain(carried).any(|text| text.to_lowercase().contains(filter))
}
