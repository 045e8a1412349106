//! What was missed, ours: `GET events?since=<position>`. Every change that a socket is told of has a place
//! in the event log; who knows the place up to which it was told gets the rest, in order, or is told to
//! load everything again.

use super::tell::{Ear, Teller};
use crate::call::Call;
use crate::error::Failure;
use crate::routes::Answer;
use crate::wire;
use parlance_core::Error;
use parlance_http::json::{Dates, Object};

/// Is this an event that has a place in the log, and so comes again to who missed it?
pub(super) fn has_position(stream: &str, event: &str) -> bool {
    match stream {
        "room-messages" => event != super::stream::MINE,
        "notify-room" => event.ends_with("/deleteMessage"),
        "notify-user" => {
            event.ends_with("/rooms-changed") || event.ends_with("/subscriptions-changed")
        }
        _ => false,
    }
}

/// Events as texts, in order.
#[derive(Default)]
struct List(Vec<String>);

impl Ear for List {
    fn wants(&self, stream: &str, event: &str) -> bool {
        has_position(stream, event)
    }

    fn hear(&mut self, stream: &str, event: &str, args: &str) {
        let mut out = String::new();
        let mut o = Object::new(&mut out, Dates::Iso);
        o.text("collection", &format!("stream-{stream}"));
        o.text("eventName", event);
        o.raw("args", &format!("[{args}]"));
        o.end();
        self.0.push(out);
    }
}

/// `GET events`: without `since`, the position of now.
pub(crate) async fn since(call: Call) -> Answer {
    let (core, caller) = (call.core(), call.caller()?);
    let since = match call.param("since") {
        None => core.position(),
        Some(text) => {
            let bad = || Failure::coded("error-invalid-position", "A position is a whole number");
            text.parse::<i64>().ok().filter(|at| *at >= 0).ok_or_else(bad)?
        }
    };
    let missed = core.missed(caller, since, None).await.map_err(|error| match error {
        Error::PositionTooOld => Failure::coded(
            "error-position-too-old",
            "The position is too old: load everything again",
        ),
        other => other.into(),
    })?;
    let mut list = List::default();
    for delivery in &missed.notices {
        Teller { core, caller, dates: Dates::Iso, ear: &mut list }.tell(delivery);
    }
    Ok(wire::success(|o| {
        o.array("events", &list.0, |out, event| out.push_str(event));
        o.number("position", missed.position);
        o.flag("more", missed.more);
    }))
}
