//! Methods about people: who is in a room, roles, status.

use super::Outcome;
use super::ask::{Ask, number, offset};
use crate::wire;
use parlance_core::{Error, User};
use parlance_http::json::{Dates, Object};
use serde_json::Value;

/// `getUsersOfRoom [rid, showAll, {limit, skip}, filter]`
pub(super) async fn of_room(ask: Ask) -> Outcome {
    let access = ask.room(ask.text(0)?).await?;
    let all = ask.flag(1, true)?;
    let paging = ask.param(2).filter(|value| value.is_object());
    let limit = number(paging.and_then(|paging| paging.get("limit")), 100)?;
    let skip = offset(paging.and_then(|paging| paging.get("skip")))?;
    let filter = ask.text_if(3)?.unwrap_or("").to_lowercase();
    let found = ask.core().conversation(ask.caller()?, &access.room().id).await?;
    let mut members: Vec<User> = found.members.into_iter().filter_map(|(_, user)| user).collect();
    members.retain(|user| {
        let shown = user.active && (all || user.status != "offline");
        shown && crate::history::holds(user, &filter)
    });
    members.sort_by(|a, b| a.username.cmp(&b.username));
    let total = members.len();
    let (skip, limit) =
        (usize::try_from(skip).unwrap_or(usize::MAX), usize::try_from(limit).unwrap_or(0));
    let page: Vec<User> = members.into_iter().skip(skip).take(limit).collect();
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Ejson);
    wire::count(&mut o, "total", total);
    o.array("records", &page, wire::member);
    o.end();
    Ok(out)
}

/// `getRoomRoles [rid]`: nobody has a role in a direct room.
pub(super) async fn roles_of_room(ask: Ask) -> Outcome {
    ask.room(ask.text(0)?).await?;
    Ok("[]".to_owned())
}

/// `getUserRoles []`: who has a role that shows; roles of direct rooms never do.
pub(super) async fn with_roles(ask: Ask) -> Outcome {
    ask.caller()?;
    Ok("[]".to_owned())
}

/// `setUserStatus [status?, text?]`
pub(super) async fn set_status(ask: Ask) -> Outcome {
    let (status, text) = (ask.text_if(0)?, ask.text_if(1)?);
    let caller = ask.caller()?;
    ask.core().set_status(caller, caller.id(), status, text).await?;
    Ok(String::new())
}

/// `getUserStatusText [uid]`
pub(super) async fn status_text(ask: Ask) -> Outcome {
    let user = ask.core().user(&ask.text(0)?.into()).await;
    let text = match user {
        Ok(user) => user.status_text,
        Err(Error::NoUser) => String::new(),
        Err(other) => return Err(other.into()),
    };
    Ok(Value::from(text).to_string())
}

/// `UserPresence:setDefaultStatus [status]`
pub(super) async fn set_default_status(ask: Ask) -> Outcome {
    let caller = ask.caller()?;
    ask.core().set_status(caller, caller.id(), Some(ask.text(0)?), None).await?;
    Ok(String::new())
}

/// `UserPresence:online` and `UserPresence:away`: they speak of a connection, and a call over REST has none
/// (contract section 11.7).
pub(super) async fn seen(ask: Ask) -> Outcome {
    ask.caller()?;
    Ok(String::new())
}
