//! `commands.*` (contract section 9.4): the core's table of slash commands, and running one. None of them
//! has previews, so asking for one is refused as the original refuses it.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{Paging, Reads};
use crate::post::send_error;
use crate::routes::Answer;
use crate::{dm, room_settings, wire};
use parlance_core::slash::{COMMANDS, Command, Given};
use parlance_core::{Access, Error};
use parlance_http::json::{Dates, Object};
use serde_json::{Map, Value, json};

fn print(out: &mut String, command: &Command, dates: Dates) {
    let mut o = Object::new(out, dates);
    o.text("command", command.name);
    o.text("params", command.params);
    o.text("description", command.description);
    o.flag("clientOnly", false);
    o.flag("providesPreview", false);
    o.end();
}

/// `GET commands.list`.
pub(crate) async fn list(call: Call) -> Answer {
    Paging::read(&call, Reads::BOTH, &[])?.short("commands", COMMANDS.to_vec(), print)
}

/// `GET commands.get`.
pub(crate) async fn get(call: Call) -> Answer {
    let Some(Value::String(name)) = call.query.get("command") else {
        return Err(Failure::plain("The query param \"command\" must be provided."));
    };
    let command = Command::named(name).ok_or_else(|| {
        Failure::plain(format!("There is no command in the system by the name of: {name}"))
    })?;
    Ok(wire::success(|o| print(o.key("command"), command, Dates::Iso)))
}

/// What a call about a command names, in the contract's order.
struct Asked<'a> {
    command: &'static Command,
    params: &'a str,
    access: Access,
    thread: Option<&'a str>,
}

/// Reads it; the texts for a missing command and room differ between routes.
async fn asked<'a>(
    call: &'a Call,
    from: &'a Map<String, Value>,
    (no_command, no_room): (&str, &str),
) -> Result<Asked<'a>, Failure> {
    let text = |name: &str, otherwise: &str| match from.get(name) {
        Some(Value::String(text)) => Ok(text.as_str()),
        _ => Err(Failure::plain(otherwise)),
    };
    let optional = |name: &str, otherwise: &str| match from.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(Failure::plain(otherwise)),
    };
    let name = text("command", no_command)?;
    let params = optional("params", "The parameters for the command must be a single string.")?;
    let room = text("roomId", no_room)?;
    let thread = optional("tmid", "The tmid parameter when provided must be a string.")?;
    let command = Command::named(name)
        .ok_or_else(|| Failure::plain("The command provided does not exist (or is disabled)."))?;
    let (core, caller) = (call.core(), call.caller()?);
    let access = core.access(caller, room).await.map_err(|error| match error {
        // Foreign and unknown rooms are the same.
        Error::NoRoom => Failure::Forbidden,
        other => other.into(),
    })?;
    if let Some(thread) = thread {
        let root = core.message(caller, thread).await?;
        if root.is_none_or(|(root, _)| root.room != access.room().id) {
            return Err(Failure::plain("Invalid thread."));
        }
    }
    Ok(Asked { command, params: params.unwrap_or(""), access, thread })
}

/// `POST commands.run`: a refusal is that of the call which the command stands for.
pub(crate) async fn run(call: Call) -> Answer {
    const TEXTS: (&str, &str) = (
        "You must provide a command to run.",
        "The room's id where to execute this command must be provided and be a string.",
    );
    let asked = asked(&call, &call.body, TEXTS).await?;
    let given = Given {
        params: asked.params.to_owned(),
        thread: asked.thread.map(str::to_owned),
        id: None,
    };
    let run = call.core().run_command(call.caller()?, &asked.access, asked.command, given).await;
    run.map_err(|error| match error {
        Error::Lacks(_) => room_settings::not_edited(error),
        Error::NoUser | Error::TooManyMembers { .. } => dm::create_error(error),
        other => send_error(other),
    })?;
    Ok(wire::success(|o| o.raw("result", "null")))
}

fn no_previews(method: &str) -> Failure {
    Failure::detailed(
        "error-invalid-command",
        "Command Does Not Provide Previews",
        json!({ "method": method }),
    )
}

/// `GET commands.preview`.
pub(crate) async fn preview(call: Call) -> Answer {
    const TEXTS: (&str, &str) = (
        "You must provide a command to get the previews from.",
        "The room's id where the previews are being displayed must be provided and be a string.",
    );
    asked(&call, &call.query, TEXTS).await?;
    Err(no_previews("getSlashCommandPreviews"))
}

/// `POST commands.preview`.
pub(crate) async fn run_preview(call: Call) -> Answer {
    const TEXTS: (&str, &str) = (
        "You must provide a command to run the preview item on.",
        "The room's id where the command is being executed in must be provided and be a string.",
    );
    asked(&call, &call.body, TEXTS).await?;
    let Some(item) = call.body.get("previewItem").filter(|item| !item.is_null()) else {
        return Err(Failure::plain("The preview item being executed must be provided."));
    };
    if ["id", "type", "value"].iter().any(|name| !item.get(*name).is_some_and(Value::is_string)) {
        return Err(Failure::plain("The preview item being executed is in the wrong format."));
    }
    Err(no_previews("executeSlashCommandPreview"))
}
