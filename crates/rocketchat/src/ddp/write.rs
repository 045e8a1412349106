//! What clients tell each other through streams (contract section 11.4): typing and the like. A write in
//! somebody else's name, to a room that is not the writer's, or on a stream that nobody may write to is
//! answered as if it had been done, and nothing is.

use crate::call::Call;
use crate::error::Failure;
use parlance_core::{Error, MessageId, setting};
use serde_json::Value;

/// What somebody may be doing.
const ACTIVITIES: &[&str] = &["user-typing", "user-recording", "user-uploading"];

/// A method named after a stream; `own` is the writer's socket, which does not hear of it.
pub(super) async fn write(
    call: &Call,
    name: &str,
    params: Vec<Value>,
    own: u64,
) -> Result<(), Failure> {
    if !matches!(name, "stream-notify-room" | "stream-notify-user" | "stream-notify-room-users") {
        return Err(Failure::NoMethod(name.to_owned()));
    }
    let Ok(caller) = call.caller() else {
        return Ok(());
    };
    let (Some(event), Some(who)) = (text(&params, 0), text(&params, 1)) else {
        return Ok(());
    };
    let Some((room, what)) = event.split_once('/').filter(|_| name == "stream-notify-room") else {
        return Ok(());
    };
    let user = caller.user();
    let real = call.settings.on(&setting::REAL_NAMES);
    if who != user.handle() && !(real && who == user.shown_name()) {
        return Ok(());
    }
    let doing: Vec<String> = match (what, params.get(2)) {
        ("typing", Some(Value::Bool(types))) => {
            types.then(|| "user-typing".to_owned()).into_iter().collect()
        }
        ("user-activity", Some(Value::Array(all))) => {
            let named = |one: &&&str| all.iter().any(|wanted| wanted == **one);
            ACTIVITIES.iter().filter(named).map(|one| (*one).to_owned()).collect()
        }
        _ => return Ok(()),
    };
    let thread = params.get(3).and_then(|extra| extra.get("tmid")).and_then(Value::as_str);
    let thread = thread.filter(|id| id.len() <= 256).map(MessageId::from);
    match call.core().access(caller, room).await {
        Ok(access) => Ok(call.core().tell_activity(caller, &access, doing, thread, own).await?),
        Err(Error::NoRoom | Error::NoAccess | Error::NotAllowed) => Ok(()),
        Err(other) => Err(other.into()),
    }
}

fn text(params: &[Value], n: usize) -> Option<&str> {
    params.get(n)?.as_str()
}
