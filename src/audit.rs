//! The audit from the shell: a page to look at, or all of it for another program. Pages are read one
//! after the other, so that an export of years holds one page in memory.

use crate::Failure;
use crate::config::StoreConfig;
use crate::operator::{Operator, other, plain};
use clap::{Args, Subcommand, ValueEnum};
use parlance_core::audit::{Entry, Filter, Place};
use parlance_core::command::{Answer, ENTRIES, Request};
use parlance_core::{Ms, time};
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::ExitCode;

/// What can be done with the audit.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the newest rows
    List(ListArgs),
    /// Write out all rows, oldest first
    Export(ExportArgs),
}

/// Which rows.
#[derive(Debug, Args)]
#[command(next_help_heading = "Which rows")]
pub(crate) struct FilterArgs {
    /// From this time or day on: 2026-11-20T06:00:00Z, 2026-11-20
    #[arg(long, value_parser = moment, value_name = "TIME")]
    since: Option<Ms>,
    /// Before this time or day
    #[arg(long, value_parser = moment, value_name = "TIME")]
    until: Option<Ms>,
    /// By this account (username or id), or by `operator`: the commands of this program
    #[arg(long)]
    actor: Option<String>,
    /// About this room, by its id
    #[arg(long)]
    room: Option<String>,
    /// This call or command: `dm.messages.others`, `user.create`, `setting.set`, …
    #[arg(long)]
    action: Option<String>,
}

/// How to show the audit.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Rows at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..), value_name = "N")]
    limit: i64,
    #[command(flatten)]
    filter: FilterArgs,
}

/// How to export the audit.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// JSON objects, one a line, or CSV with a heading
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    #[command(flatten)]
    filter: FilterArgs,
}

/// How a row is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Csv,
}

fn moment(text: &str) -> Result<Ms, String> {
    time::parse(text).ok_or_else(|| "neither a time like 2026-11-20T06:00:00Z nor a day".to_owned())
}

/// Runs the command.
pub(crate) async fn run(store: &StoreConfig, command: AuditCommand) -> Result<ExitCode, Failure> {
    let mut operator = Operator::find(store, false).await?;
    let mut out = std::io::stdout().lock();
    let done = match command {
        AuditCommand::List(args) => {
            let write = |entry: &Entry| writeln!(out, "{}", line(entry));
            pages(&mut operator, args.filter, Some(args.limit), write).await
        }
        AuditCommand::Export(args) => {
            let csv = args.format == Format::Csv;
            if csv {
                writeln!(out, "time,actor,name,ip,action,room,detail")
                    .map_err(|error| said(&error))?;
            }
            let write = |entry: &Entry| {
                let text = if csv { row(entry) } else { object(entry).to_string() };
                writeln!(out, "{text}")
            };
            pages(&mut operator, args.filter, None, write).await
        }
    };
    operator.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

fn said(error: &std::io::Error) -> Failure {
    format!("standard output: {error}")
}

/// Gives every row that is asked for to `write`: the newest, or all of them, oldest first.
async fn pages(
    operator: &mut Operator,
    args: FilterArgs,
    newest: Option<i64>,
    mut write: impl FnMut(&Entry) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let FilterArgs { since, until, actor, room, action } = args;
    let filter = Filter { since, until, actor, room, action };
    let mut after: Option<Place> = None;
    let mut left = newest.unwrap_or(i64::MAX);
    while left > 0 {
        let (filter, newest_first) = (filter.clone(), newest.is_some());
        let request = Request::Audit { filter, after, newest_first, limit: left.min(ENTRIES) };
        let Answer::Audit { entries, next } = operator.ask(request).await? else {
            return Err(other());
        };
        for entry in &entries {
            write(entry).map_err(|error| said(&error))?;
            left -= 1;
        }
        if next.is_none() {
            break;
        }
        after = next;
    }
    Ok(())
}

/// A row for a person.
fn line(entry: &Entry) -> String {
    let Entry { name, ip, action, room, detail, .. } = entry;
    let from = if ip.is_empty() { String::new() } else { format!(" from {ip}") };
    let room = room.as_ref().map(|room| format!(" room {room}")).unwrap_or_default();
    plain(&format!("{}  {name}{from}  {action}{room}  {detail}", time::iso(entry.at)))
}

fn object(entry: &Entry) -> Value {
    let detail: Value = serde_json::from_str(&entry.detail).unwrap_or_default();
    json!({
        "id": entry.id,
        "time": time::iso(entry.at),
        "actor": entry.actor,
        "name": entry.name,
        "ip": entry.ip,
        "action": entry.action,
        "room": entry.room,
        "detail": detail,
    })
}

fn row(entry: &Entry) -> String {
    let at = time::iso(entry.at);
    let room = entry.room.as_deref().unwrap_or("");
    let cells =
        [&at, &entry.actor, &entry.name, &entry.ip, &entry.action, room, &entry.detail].map(cell);
    cells.join(",")
}

/// A cell of CSV. A spreadsheet takes what begins like a formula for one, so that gets a quote in front.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    let guard = if formula { "'" } else { "" };
    if formula || text.contains(['"', ',', '\r', '\n', '\'']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
