//! Methods that read a room by time: what is before, after and around a place, what was missed, threads.

use super::Outcome;
use super::ask::{Ask, number, offset, text, time};
use crate::error::Failure;
use crate::wire;
use parlance_core::history::Stretch;
use parlance_core::list::ListQuery;
use parlance_core::thread::Roots;
use parlance_core::{Access, Error, Message, Ms};
use parlance_http::json::{Dates, Object};
use serde_json::json;

/// Messages as an array.
fn array(messages: &[Message]) -> String {
    super::array(messages, |out, message| wire::message(out, message, Dates::Ejson))
}

/// An object as a result.
fn object(write: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Ejson);
    write(&mut o);
    o.end();
    out
}

fn messages(o: &mut Object<'_>, all: &[Message]) {
    o.raw("messages", &array(all));
}

/// `loadHistory [rid, end?, limit=20, ls?, showThreadMessages=true]`: what is before `end`, and how much
/// of what came after `ls` is not among it.
pub(super) async fn load(ask: Ask) -> Outcome {
    let access = ask.room(ask.text(0)?).await?;
    let (end, seen) = (ask.time(1)?, ask.time(3)?);
    let stretch = Stretch {
        from: Ms::MIN,
        to: end.map_or(Ms::MAX, |end| end.saturating_sub(1)),
        replies: ask.flag(4, true)?,
        ..Stretch::all()
    };
    let (core, caller) = (ask.core(), ask.caller()?);
    let found = core.history(caller, &access, stretch.clone(), (0, Some(ask.count(2, 20)?)), false);
    let found = found.await?.messages;
    let oldest = found.last().map(|message| message.ts);
    let unread = match (seen, oldest) {
        (Some(seen), Some(oldest)) if oldest > seen => {
            let before = Stretch { from: seen.saturating_add(1), to: oldest - 1, ..stretch };
            core.oldest(caller, &access, before).await?
        }
        _ => (None, 0),
    };
    Ok(object(|o| {
        messages(o, &found);
        if let Some(first) = &unread.0 {
            wire::message(o.key("firstUnread"), first, Dates::Ejson);
        }
        o.number("unreadNotLoaded", unread.1);
    }))
}

/// `loadNextMessages [rid, end, limit=20]`: what is after `end`, oldest first.
pub(super) async fn next(ask: Ask) -> Outcome {
    let access = ask.room(ask.text(0)?).await?;
    let after = ask.time(1)?.map_or(Ms::MIN, |end| end.saturating_add(1));
    let stretch = Stretch { from: after, ..Stretch::all() };
    let limit = ask.count(2, 20)?;
    let found = ask.core().history_up(ask.caller()?, &access, stretch, limit).await?;
    Ok(object(|o| messages(o, &found)))
}

/// `loadMissedMessages [rid, start]`: what is after `start`, newest first, a hundred at most.
pub(super) async fn missed(ask: Ask) -> Outcome {
    let access = ask.room(ask.text(0)?).await?;
    let after = ask.time(1)?.map_or(Ms::MIN, |start| start.saturating_add(1));
    let stretch = Stretch { from: after, ..Stretch::all() };
    let found = ask.core().history(ask.caller()?, &access, stretch, (0, Some(100)), false).await?;
    Ok(array(&found.messages))
}

/// `loadSurroundingMessages [{_id}, limit=50]`: a message in the midst of its neighbours, oldest first.
pub(super) async fn surrounding(ask: Ask) -> Outcome {
    let (core, caller) = (ask.core(), ask.caller()?);
    let Some((message, access)) = core.message(caller, ask.id(0)?).await? else {
        return Ok("false".to_owned());
    };
    let side = (ask.count(1, 50)? - 1).max(0) / 2;
    let before = Stretch { to: message.ts - 1, ..Stretch::all() };
    let after = Stretch { from: message.ts + 1, ..Stretch::all() };
    // One more than is given tells whether there are more.
    let page = (0, Some(side + 1));
    let mut before = core.history(caller, &access, before, page, false).await?.messages;
    let mut after = core.history_up(caller, &access, after, side + 1).await?;
    let side = usize::try_from(side).unwrap_or(0);
    let (more_before, more_after) = (before.len() > side, after.len() > side);
    before.truncate(side);
    after.truncate(side);
    before.reverse();
    before.push(message);
    before.append(&mut after);
    Ok(object(|o| {
        messages(o, &before);
        o.flag("moreBefore", more_before);
        o.flag("moreAfter", more_after);
    }))
}

/// `getChannelHistory [{rid, latest?, oldest?, inclusive?, offset?, count=20, unreads?, showThreadMessages?}]`
pub(super) async fn channel(ask: Ask) -> Outcome {
    let wanted = ask.object(0)?;
    let flag = |name: &str, usual: bool| {
        wanted.get(name).and_then(serde_json::Value::as_bool).unwrap_or(usual)
    };
    let access = ask.room(text(wanted, "rid")?.unwrap_or("")).await?;
    let out = i64::from(!flag("inclusive", false));
    let (latest, oldest) = (time(wanted.get("latest"))?, time(wanted.get("oldest"))?);
    let stretch = Stretch {
        from: oldest.map_or(Ms::MIN, |oldest| oldest.saturating_add(out)),
        to: latest.map_or(Ms::MAX, |latest| latest.saturating_sub(out)),
        replies: flag("showThreadMessages", true),
        ..Stretch::all()
    };
    let page = (offset(wanted.get("offset"))?, Some(number(wanted.get("count"), 20)?));
    let unreads = flag("unreads", false);
    let found = ask.core().history(ask.caller()?, &access, stretch, page, unreads).await?;
    Ok(object(|o| {
        messages(o, &found.messages);
        if let Some((count, first)) = &found.unread {
            if let Some(first) = first {
                wire::message(o.key("firstUnread"), first, Dates::Ejson);
            }
            o.number("unreadNotLoaded", *count);
        }
    }))
}

/// `messages/get [rid, {lastUpdate?, latestDate?, oldestDate?, inclusive?, count?, unreads?}]`: what changed
/// since `lastUpdate`, else a stretch of history.
pub(super) async fn get(ask: Ask) -> Outcome {
    let access = ask.room(ask.text(0)?).await?;
    let (core, caller) = (ask.core(), ask.caller()?);
    let none = serde_json::Map::new();
    let wanted = if ask.param(1).is_some() { ask.object(1)? } else { &none };
    if let Some(since) = time(wanted.get("lastUpdate"))? {
        let (updated, deleted) = core.changes(caller, &access, since).await?;
        return Ok(object(|o| {
            o.raw("updated", &array(&updated));
            o.array("deleted", &deleted, |out, (id, at)| {
                let mut o = Object::new(out, Dates::Ejson);
                o.text("_id", id);
                o.date("_deletedAt", *at);
                o.end();
            });
        }));
    }
    let inclusive = wanted.get("inclusive").and_then(serde_json::Value::as_bool).unwrap_or(false);
    let out = i64::from(!inclusive);
    let (latest, oldest) = (time(wanted.get("latestDate"))?, time(wanted.get("oldestDate"))?);
    let stretch = Stretch {
        from: oldest.map_or(Ms::MIN, |oldest| oldest.saturating_add(out)),
        to: latest.map_or(Ms::MAX, |latest| latest.saturating_sub(out)),
        ..Stretch::all()
    };
    let page = (0, Some(number(wanted.get("count"), 20)?));
    let found = core.history(caller, &access, stretch, page, false).await?;
    Ok(object(|o| messages(o, &found.messages)))
}

/// A page of a list by `limit` and `skip`.
fn window(ask: &Ask) -> Result<ListQuery, Failure> {
    let wanted = ask.object(0)?;
    let limit = number(wanted.get("limit"), 50)?;
    Ok(ListQuery { offset: offset(wanted.get("skip"))?, ..ListQuery::first(limit) })
}

fn no_threads(method: &'static str) -> impl FnOnce(Error) -> Failure {
    move |error| match error {
        Error::SwitchedOff(_) => {
            Failure::detailed("error-not-allowed", "Threads Disabled", json!({"method": method}))
        }
        other => other.into(),
    }
}

/// `getThreadsList [{rid, limit=50, skip=0}]`
pub(super) async fn threads(ask: Ask) -> Outcome {
    let access: Access = ask.room(text(ask.object(0)?, "rid")?.unwrap_or("")).await?;
    let (query, document) = (window(&ask)?, wire::document(wire::message));
    let found = ask.core().threads(ask.caller()?, &access, Roots::All, &query, document).await;
    Ok(array(&found.map_err(no_threads(ask.method))?.items))
}

/// `getThreadMessages [{tmid, limit=50, skip=0}]`: the root, then its replies, oldest first.
pub(super) async fn replies(ask: Ask) -> Outcome {
    let id = text(ask.object(0)?, "tmid")?.unwrap_or("");
    let (core, caller) = (ask.core(), ask.caller()?);
    let (query, document) = (window(&ask)?, wire::document(wire::message));
    let thread = match core.thread(caller, id).await {
        Ok(thread) => thread,
        // A foreign thread is one that is not there.
        Err(Error::NoThread) => return Ok("[]".to_owned()),
        Err(other) => return Err(no_threads(ask.method)(other)),
    };
    let found = core.replies(caller, &thread, &query, document).await?;
    let mut all = vec![thread.0];
    all.extend(found.items);
    Ok(array(&all))
}
