//! Finding people (contract section 8.4): who is there, who is called like this, which names are free.
//! Everything here is of public members of accounts; what only administrators see is only theirs to ask.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{Paging, Reads};
use crate::routes::Answer;
use crate::schema::{self, Kind};
use crate::{users, wire};
use parlance_core::presence::Asked;
use parlance_core::{Error, Perm, User, setting};
use parlance_http::json::{Dates, Object};
use parlance_query::{Filter, Limits};
use serde_json::{Map, Value, json};

/// People that one `users.autocomplete` gives, and looks at.
const SUGGESTED: usize = 10;
const LOOKED_AT: i64 = 100;

/// The members of an account that a list of people has.
fn person(o: &mut Object<'_>, user: &User, extra: &[&str]) {
    o.text("_id", user.id.as_str());
    o.text_if("username", user.username.as_deref());
    o.text_if("name", user.name.as_deref());
    o.text("status", &user.status);
    let body: Map<String, Value> = serde_json::from_str(&user.body).unwrap_or_default();
    for name in extra {
        if let Some(value) = body.get(*name) {
            o.raw(name, &value.to_string());
        }
    }
}

/// `GET users.presence`.
pub(crate) async fn presence(call: Call) -> Answer {
    let ids: Option<Vec<String>> = match call.query.get("ids") {
        Some(Value::String(text)) if !text.is_empty() => {
            Some(text.split(',').map(|id| id.trim().to_owned()).collect())
        }
        Some(Value::Array(all)) => {
            Some(all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => None,
    };
    let from = match call.query.get("from") {
        Some(Value::String(text)) if !text.is_empty() => {
            let broken = || Failure::Schema("must match format \"iso-date-time\"".to_owned());
            Some(Call::time(&Value::from(text.as_str())).ok_or_else(broken)?)
        }
        Some(Value::Array(_)) => return Err(Failure::Schema("must be string".to_owned())),
        _ => None,
    };
    let asked = match (&ids, from) {
        (Some(ids), _) => Asked::Ids(ids),
        (None, Some(from)) => Asked::Since(from),
        (None, None) => Asked::All,
    };
    let present = call.core().presence(call.caller()?, asked).await?;
    Ok(wire::success(|o| {
        o.array("users", &present.users, |out, user| {
            let mut o = Object::new(out, Dates::Iso);
            person(&mut o, user, &["utcOffset", "avatarETag"]);
            o.text("statusText", &user.status_text);
            o.end();
        });
        o.flag("full", present.full);
    }))
}

/// `GET users.getPresence`: one's own has the connection's too.
pub(crate) async fn get_presence(call: Call) -> Answer {
    let own = call.caller()?.id().clone();
    let user = match users::named(&call, &call.query).await? {
        Some(user) => user,
        None => call.core().user(&own).await?,
    };
    Ok(wire::success(|o| {
        o.text("presence", &user.status);
        if user.id == own {
            o.text("connectionStatus", call.core().connection(&own));
            o.date_if("lastLogin", user.last_login);
        }
    }))
}

/// `GET users.listByStatus`. Roles and logins are asked about only by who may see them.
pub(crate) async fn list_by_status(call: Call) -> Answer {
    users::may_list(&call)?;
    let (core, caller) = (call.core(), call.caller()?);
    let full = core.may(caller, Perm::ViewFullOtherUserInfo);
    let mut paging = Paging::read(&call, Reads::NEITHER, if full { &[] } else { users::PRIVATE })?;
    let conditions = conditions(&call, full)?;
    if !conditions.is_empty() {
        let text = Value::Object(conditions).to_string();
        paging.narrow(Filter::parse(&text, &Limits::default()).map_err(Error::from)?);
    }
    let write = wire::listed_user(full);
    let page = core.users(caller, &paging.query, wire::listed_document(full)).await?;
    wire::try_success(|o| {
        paging.items(o, "users", &page.items, &write)?;
        wire::count(o, "count", page.items.len());
        o.number("offset", paging.offset());
        o.number("total", page.total);
        Ok(())
    })
}

/// What `users.listByStatus` asks for, as a filter.
fn conditions(call: &Call, full: bool) -> Result<Map<String, Value>, Failure> {
    let text = |name: &str| match call.query.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    };
    let mut all = Map::new();
    match text("status")? {
        Some("active") => drop(all.insert("active".to_owned(), true.into())),
        Some("deactivated") => drop(all.insert("active".to_owned(), false.into())),
        None => {}
        Some(_) => {
            let why = "must be equal to one of the allowed values";
            return Err(Failure::Schema(why.to_owned()));
        }
    }
    if let Some(value) = call.query.get("hasLoggedIn") {
        schema::fits(Kind::Flag, value).map_err(Failure::Schema)?;
        if !full {
            return Err(Failure::Forbidden);
        }
        let on = schema::flag(Some(value));
        all.insert("lastLogin".to_owned(), json!({"$exists": on}));
    }
    if let Some(kind) = text("type")? {
        all.insert("type".to_owned(), kind.into());
    }
    let roles: Vec<Value> = match call.query.get("roles") {
        Some(Value::Array(all)) => all.clone(),
        Some(Value::String(one)) if !one.is_empty() => vec![one.as_str().into()],
        _ => Vec::new(),
    };
    if !roles.is_empty() && !roles.iter().any(|role| role == "all") {
        if !full {
            return Err(Failure::Forbidden);
        }
        all.insert("roles".to_owned(), json!({"$in": roles}));
    }
    if let Some(term) = text("searchTerm")? {
        // Each character by itself, so that none of them is one of a pattern's own.
        let pattern: String = term.chars().take(100).map(literal).collect();
        let like = json!({"$regex": pattern, "$options": "i"});
        let mut names = vec![json!({"username": like}), json!({"name": like})];
        if full {
            names.push(json!({"emails.address": like}));
        }
        all.insert("$or".to_owned(), names.into());
    }
    Ok(all)
}

/// A character as a pattern that matches it alone.
fn literal(c: char) -> String {
    if c.is_alphanumeric() || c.is_whitespace() || !c.is_ascii() {
        c.to_string()
    } else {
        format!("\\{c}")
    }
}

/// `GET users.autocomplete`: active people whose username or name begins like this.
pub(crate) async fn autocomplete(call: Call) -> Answer {
    let text = match call.query.get("selector") {
        None => {
            return Err(Failure::Schema("must have required property 'selector'".to_owned()));
        }
        Some(Value::String(text)) => text,
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    let Ok(Value::Object(selector)) = serde_json::from_str(text) else {
        return Err(Error::Bad("selector").into());
    };
    let term = match selector.get("term") {
        None | Some(Value::Null) => "",
        Some(Value::String(term)) => term.trim_start_matches('@'),
        Some(_) => return Err(Error::Bad("selector").into()),
    };
    let exceptions: Vec<&str> = match selector.get("exceptions") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(Error::Bad("selector").into()),
    };
    let filter = match selector.get("conditions") {
        None | Some(Value::Null) => Filter::all(),
        Some(conditions @ Value::Object(_)) => {
            let filter = Filter::parse(&conditions.to_string(), &Limits::default());
            let filter = filter.map_err(Error::from)?;
            filter.refuse(&|path: &str| !is_public(path)).map_err(Error::from)?;
            filter
        }
        Some(_) => return Err(Error::Bad("selector").into()),
    };
    let found = call.core().spotlight(call.caller()?, term, LOOKED_AT).await?;
    let document = wire::listed_document(false);
    let wanted = found
        .iter()
        .filter(|user| !exceptions.contains(&user.handle()) && filter.matches(&document(user)));
    let items: Vec<&User> = wanted.take(SUGGESTED).collect();
    Ok(wire::success(|o| {
        o.array("items", items, |out, user| {
            let mut o = Object::new(out, Dates::Iso);
            person(&mut o, user, &["nickname", "avatarETag"]);
            o.end();
        });
    }))
}

/// Names that everybody may ask about.
fn is_public(path: &str) -> bool {
    let first = path.split('.').next().unwrap_or(path);
    ["_id", "username", "name", "type", "status", "active"].contains(&first)
}

fn may_rename(call: &Call) -> Result<(), Failure> {
    if call.settings.on(&setting::USERNAME_CHANGE) || call.caller()?.user().username.is_none() {
        return Ok(());
    }
    Err(Failure::detailed("error-not-allowed", "Not allowed", json!({"method": "setUsername"})))
}

/// `GET users.checkUsernameAvailability`.
pub(crate) async fn check_username(call: Call) -> Answer {
    let name = match call.query.get("username") {
        None => {
            return Err(Failure::Schema("must have required property 'username'".to_owned()));
        }
        Some(Value::String(name)) => name,
        Some(_) => return Err(Failure::Schema("must be string".to_owned())),
    };
    may_rename(&call)?;
    let free = call.core().is_free_username(call.caller()?, name).await?;
    Ok(wire::success(|o| o.flag("result", free)))
}

/// `GET users.getUsernameSuggestion`.
pub(crate) async fn suggest_username(call: Call) -> Answer {
    let name = call.core().suggest_username(call.caller()?).await?;
    Ok(wire::success(|o| o.text("result", &name)))
}
