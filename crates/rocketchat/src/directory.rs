//! Finding people (contract section 9.4): `spotlight` by the beginning of a name, `directory` by page, and
//! who has a role that everybody may know of. There are no channels here, so those lists are empty.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{self, Given, Paging, Reads};
use crate::reply;
use crate::routes::{Answer, List};
use crate::schema::{self, Form, Kind};
use crate::wire;
use parlance_core::list::count;
use parlance_core::{Error, Perm, User, setting};
use parlance_http::json::{Dates, Object};
use parlance_query::{Filter, Limits};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::sync::Arc;

/// People that one `spotlight` may leave out at most.
const MOST_LEFT_OUT: usize = 100;

/// What an account carries that everybody may see.
pub(crate) fn carried(o: &mut Object<'_>, user: &User, names: &[&str]) {
    let Ok(Value::Object(body)) = serde_json::from_str(&user.body) else {
        return;
    };
    for name in names {
        if let Some(value) = body.get(*name) {
            o.raw(name, &value.to_string());
        }
    }
}

/// `GET spotlight`: a leading `#` asks for rooms only, `@` for people only.
pub(crate) async fn spotlight(call: Call) -> Answer {
    const FORM: Form = Form {
        required: &["query"],
        allowed: &[
            ("query", Kind::Text),
            ("usernames", Kind::Text),
            ("type", Kind::Text),
            ("rid", Kind::Text),
        ],
    };
    schema::check(&FORM, &call.query).map_err(Failure::Schema)?;
    let text = call.param("query").unwrap_or("");
    // A type that is no object is none, as the original reads it.
    let kind = call.param("type").and_then(|raw| serde_json::from_str::<Map<_, _>>(raw).ok());
    let people =
        kind.is_none_or(|kind: Map<String, Value>| kind.get("users") == Some(&true.into()));
    let users = if people && !text.starts_with('#') {
        found(&call, text.strip_prefix('@').unwrap_or(text)).await?
    } else {
        Vec::new()
    };
    let members = members(&call).await?;
    let all_outside = call.core().sees_outside(call.caller()?);
    Ok(wire::success(|o| {
        o.array("users", &users, |out, user| {
            let mut o = Object::new(out, Dates::Iso);
            o.text("_id", user.id.as_str());
            o.text_if("username", user.username.as_deref());
            o.text_if("name", user.name.as_deref());
            o.text("status", &user.status);
            o.text("statusText", &user.status_text);
            carried(&mut o, user, &["nickname", "avatarETag"]);
            let outside = match &members {
                Some(members) => !members.contains(user.id.as_str()),
                None => all_outside,
            };
            o.flag("outside", outside);
            o.end();
        });
        o.raw("rooms", "[]");
    }))
}

/// The first few whose names begin so, but for those that the caller has already.
async fn found(call: &Call, text: &str) -> Result<Vec<User>, Failure> {
    let left_out: Vec<&str> = call.param("usernames").unwrap_or("").split(',').collect();
    let left_out = &left_out[..left_out.len().min(MOST_LEFT_OUT)];
    let few = call.settings.number(&setting::SUGGESTIONS).clamp(1, 100);
    let limit = few + count(left_out.len());
    let mut users = call.core().spotlight(call.caller()?, text, limit).await?;
    users.retain(|user| !left_out.contains(&user.handle()));
    users.truncate(usize::try_from(few).unwrap_or(usize::MAX));
    Ok(users)
}

/// The members of the room under `rid`, if that is one of the caller's.
async fn members(call: &Call) -> Result<Option<HashSet<String>>, Failure> {
    let Some(room) = call.param("rid") else {
        return Ok(None);
    };
    let (core, caller) = (call.core(), call.caller()?);
    let access = match core.access(caller, room).await {
        Ok(access) => access,
        Err(Error::NoRoom | Error::NoAccess) => return Ok(None),
        Err(other) => return Err(other.into()),
    };
    let found = core.conversation(caller, &access.room().id).await?;
    Ok(Some(found.members.iter().map(|(id, _)| id.to_string()).collect()))
}

/// What a `directory` asks for.
struct Wanted {
    text: String,
    kind: String,
    workspace: String,
}

/// The parameters, plain or in `query`; a plain one goes first.
fn wanted(call: &Call) -> Result<Wanted, Failure> {
    let query = match call.query.get("query") {
        None => Map::new(),
        Some(Value::String(raw)) if raw.is_empty() => Map::new(),
        Some(Value::String(raw)) => {
            serde_json::from_str(raw).map_err(|_| page::invalid("query", raw))?
        }
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    let text = |name: &str| match (call.query.get(name), query.get(name)) {
        (Some(Value::String(text)), _) | (None, Some(Value::String(text))) => Ok(text.clone()),
        (Some(_), _) => Err(Failure::Schema("must be string".to_owned())),
        (None, None | Some(Value::Null)) => Ok(String::new()),
        (None, Some(_)) => Err(page::invalid("query", &Value::Object(query.clone()).to_string())),
    };
    let kind = text("type")?;
    let kind = if kind.is_empty() { "channels".to_owned() } else { kind };
    Ok(Wanted { text: text("text")?.trim().to_owned(), kind, workspace: text("workspace")? })
}

fn unusable() -> Failure {
    Failure::plain("Please verify the parameters")
}

/// `GET directory`.
pub(crate) async fn directory(call: Call) -> List {
    let wanted = wanted(&call)?;
    let (core, caller) = (call.core(), call.caller()?);
    let full = core.may(caller, Perm::ViewFullOtherUserInfo);
    let hidden: &[&str] = if full { &[] } else { &["emails"] };
    let mut paging = Paging::read(&call, Reads::NEITHER, hidden)?;
    if paging.query.sort.as_ref().is_some_and(|sort| sort.0.len() > 1) {
        return Err(Failure::plain("This method support only one \"sort\" parameter"));
    }
    let none = match wanted.kind.as_str() {
        "users" => wanted.workspace == "external",
        "channels" | "teams" => true,
        _ => return Err(unusable()),
    };
    if none {
        return nobody(&paging);
    }
    if !wanted.text.is_empty() {
        let Some(filter) = matching(&call, &wanted.text, full)? else {
            return nobody(&paging);
        };
        paging.narrow(filter);
    }
    let write = entry(full);
    let document = Arc::new(move |user: &User| {
        let mut text = String::new();
        entry(full)(&mut text, user, Dates::Ejson);
        serde_json::from_str(&text).unwrap_or(Value::Null)
    });
    let page = core.directory(caller, &paging.query, document).await;
    let page = page.map_err(|error| match error {
        // As the original says it: nothing is told about what is missing.
        Error::Lacks(_) => unusable(),
        other => other.into(),
    })?;
    paging.list("result", page, write, Given::tell)
}

/// A list of what is not here.
fn nobody(paging: &Paging) -> List {
    let offset = paging.offset();
    let tail = move |o: &mut Object<'_>, count| Given::tell(o, &Given { count, offset, total: 0 });
    Ok(reply::list("result", &[], None, |_, ()| Ok(()), tail)?)
}

/// Who has the text in one of the fields that the settings name; `None` if they name none.
fn matching(call: &Call, text: &str, full: bool) -> Result<Option<Filter>, Failure> {
    let mut escaped = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    let known = |field: &&str| {
        ["username", "name", "bio", "nickname"].contains(field)
            || (full && *field == "emails.address")
    };
    let fields = call.settings.text(&setting::SEARCH_FIELDS).split(',').map(str::trim);
    let mut any: Vec<Value> = fields
        .filter(known)
        .map(|field| json!({field: {"$regex": escaped, "$options": "i"}}))
        .collect();
    any.dedup();
    if any.is_empty() {
        return Ok(None);
    }
    let filter = Filter::parse(&json!({ "$or": any }).to_string(), &Limits::default());
    filter.map(Some).map_err(|_| unusable())
}

/// An account in the directory; its addresses only with `view-full-other-user-info`.
fn entry(full: bool) -> impl Fn(&mut String, &User, Dates) {
    move |out, user, dates| {
        let mut o = Object::new(out, dates);
        o.text("_id", user.id.as_str());
        o.text_if("username", user.username.as_deref());
        o.text_if("name", user.name.as_deref());
        carried(&mut o, user, &["nickname", "bio", "avatarETag"]);
        o.date("createdAt", user.created);
        if full {
            o.raw("emails", &wire::emails(&user.emails));
        }
        o.end();
    }
}

/// `GET roles.getUsersInPublicRoles`.
pub(crate) async fn public_roles(call: Call) -> Answer {
    let users = call.core().users_in_public_roles(call.caller()?).await?;
    Ok(wire::success(|o| {
        o.array("users", &users, |out, user| {
            let mut o = Object::new(out, Dates::Iso);
            o.text("_id", user.id.as_str());
            o.text_if("username", user.username.as_deref());
            o.raw("roles", &Value::from(user.roles.clone()).to_string());
            o.end();
        });
    }))
}
