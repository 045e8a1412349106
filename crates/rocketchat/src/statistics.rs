//! `statistics` and `statistics.list` (contract section 9.4): counts of the whole server, made at most once
//! an hour, whatever `refresh` says. No history of them is kept, so the list has one record.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{Paging, Reads};
use crate::routes::Answer;
use crate::schema::{self, Form, Kind};
use crate::server::VERSION;
use crate::wire;
use parlance_core::statistics::Statistics;
use parlance_core::{Error, Ms, Perm};
use parlance_http::json::{Dates, Object};
use std::sync::Arc;

/// What there is none of: the kinds of rooms and the features that are not here.
const NONE: &[&str] = &[
    "totalChannels",
    "totalPrivateGroups",
    "totalLivechat",
    "totalDiscussions",
    "totalLivechatVisitors",
    "totalLivechatAgents",
    "totalLivechatManagers",
    "totalChannelMessages",
    "totalPrivateGroupMessages",
    "totalDiscussionsMessages",
    "totalLivechatMessages",
    "totalE2ERooms",
    "uploadsTotal",
    "uploadsTotalSize",
    "federatedServers",
    "federatedUsers",
];

/// A record, and when the server was born.
struct Record(Arc<Statistics>, Ms);

async fn record(call: &Call) -> Result<Record, Failure> {
    let core = call.core();
    let admin = core.admin(call.caller()?, Perm::ViewStatistics).map_err(|_| Error::NotAllowed)?;
    Ok(Record(core.statistics(admin).await?, core.born()))
}

fn members(o: &mut Object<'_>, Record(counts, born): &Record) {
    o.text("_id", &counts.at.to_string());
    o.date("installedAt", *born);
    o.text("version", VERSION);
    let connected = counts.online + counts.away + counts.busy;
    for (name, number) in [
        ("totalUsers", counts.users),
        ("activeUsers", counts.active),
        ("nonActiveUsers", counts.users - counts.active),
        ("activeGuests", counts.guests),
        ("appUsers", counts.apps),
        ("onlineUsers", counts.online),
        ("awayUsers", counts.away),
        ("busyUsers", counts.busy),
        ("totalConnectedUsers", connected),
        ("offlineUsers", counts.active - connected),
        ("totalRooms", counts.rooms),
        ("totalDirect", counts.direct),
        ("totalMessages", counts.messages),
        ("totalDirectMessages", counts.direct_messages),
        ("totalThreads", counts.threads),
        ("totalPinned", counts.pinned),
        ("totalStarred", counts.starred),
    ] {
        o.number(name, number);
    }
    for name in NONE {
        o.number(name, 0);
    }
    o.date_if("lastLogin", counts.last_login);
    o.object("os", |o| {
        o.text("platform", std::env::consts::OS);
        o.text("arch", std::env::consts::ARCH);
    });
    o.flag("enterpriseReady", false);
    o.date("createdAt", counts.at);
    o.date("_updatedAt", counts.at);
}

fn print(out: &mut String, record: &Record, dates: Dates) {
    let mut o = Object::new(out, dates);
    members(&mut o, record);
    o.end();
}

/// `GET statistics`.
pub(crate) async fn now(call: Call) -> Answer {
    const FORM: Form = Form { required: &[], allowed: &[("refresh", Kind::Text)] };
    let record = record(&call).await?;
    schema::check(&FORM, &call.query).map_err(Failure::Schema)?;
    Ok(wire::success(|o| members(o, &record)))
}

/// `GET statistics.list`.
pub(crate) async fn list(call: Call) -> Answer {
    let record = record(&call).await?;
    Paging::read(&call, Reads::BOTH, &[])?.short("statistics", vec![record], print)
}
