//! Settings over the wire (contract section 9.4): the public ones for everybody, all of them for who
//! may see them, and changing one. The list is short and in memory, so paging and filtering is too.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{Paging, Reads};
use crate::routes::Answer;
use crate::wire;
use parlance_core::setting::{Default, Setting};
use parlance_core::{Error, Perm};
use parlance_http::json::{Dates, Object};
use serde_json::Value;

pub(crate) fn print(out: &mut String, setting: &Setting, dates: Dates) {
    let mut o = Object::new(out, dates);
    o.text("_id", setting.known.id);
    o.raw("value", &setting.value.to_string());
    o.text("type", kind(setting.known.default));
    o.flag("public", setting.known.public);
    o.flag("enterprise", false);
    o.date("_updatedAt", setting.updated);
    o.end();
}

fn kind(default: Default) -> &'static str {
    match default {
        Default::Flag(_) => "boolean",
        Default::Number(_) => "int",
        Default::Text(_) => "string",
        Default::List => "multiSelect",
    }
}

/// `GET settings.public`.
pub(crate) async fn public(call: Call) -> Answer {
    answer(&call, false)
}

/// `GET settings`: all of them with `view-privileged-setting`, else the public ones.
pub(crate) async fn list(call: Call) -> Answer {
    let all = call.core().may(call.caller()?, Perm::ViewPrivilegedSetting);
    answer(&call, all)
}

fn answer(call: &Call, all: bool) -> Answer {
    let paging = Paging::read(call, Reads::BOTH, &[])?;
    let ids: Vec<&str> = match call.query.get("_id") {
        Some(Value::String(text)) => text.split(',').map(str::trim).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let wanted = |setting: &Setting| {
        let visible = all || setting.known.public;
        visible && (ids.is_empty() || ids.contains(&setting.known.id))
    };
    let mut found = call.settings.all();
    found.retain(wanted);
    paging.short("settings", found, print)
}

/// `GET settings/:_id`.
pub(crate) async fn get(call: Call) -> Answer {
    if !call.core().may(call.caller()?, Perm::ViewPrivilegedSetting) {
        return Err(Failure::Forbidden);
    }
    let known = parlance_core::setting::known(call.segment()).ok_or(Failure::Bare)?;
    let setting = call.settings.get(known);
    Ok(wire::success(|o| {
        o.text("_id", known.id);
        o.raw("value", &setting.value.to_string());
    }))
}

/// `POST settings/:_id`: counts from the moment it is answered.
pub(crate) async fn set(call: Call) -> Answer {
    let admin = call.core().admin(call.caller()?, Perm::EditPrivilegedSetting);
    let admin = admin.map_err(|_| Failure::Forbidden)?;
    let value = call.body.get("value").ok_or(Failure::Bare)?;
    call.core().set_setting(admin, call.segment(), value).await.map_err(|error| match error {
        Error::NoSetting(_) => Failure::Bare,
        other => other.into(),
    })?;
    Ok(wire::success(|_| {}))
}
